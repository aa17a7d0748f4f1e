//! The gaps of several generators under several verifiers, with all that is asked about them.

use super::bootstrap::{Stages, gap_bootstrap};
use super::compare::{PairedDifference, paired_difference};
use super::estimate::{GapEstimate, GapOptions, gap_with_weights};
use super::filter::{Weighting, ensemble, score_correlation, weights};
use super::responses::Responses;
use super::sweep::{SweepPoint, threshold_sweep};
use super::trend::{ScalingTrend, scaling_trend};
use crate::error::{Result, check_len};
use crate::stats::{BootstrapInterval, Interval, bootstrap_interval};

/// The responses of one generator, with each verifier's scores in their order.
#[derive(Debug, Clone, Copy)]
pub struct Generator<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its pre-training FLOPs.
    pub flops: Option<f64>,
    /// Its responses.
    pub responses: &'a Responses,
    /// One list of scores a verifier.
    pub scores: &'a [Vec<f64>],
}

/// Choices of a study.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GapStudySettings {
    /// How scores weight responses.
    pub weighting: Weighting,
    /// What the estimate leaves open.
    pub options: GapOptions,
    /// Level of the intervals, between 0 and 1.
    pub level: f64,
    /// Replicates of the bootstrap over prompts, at least 1.
    pub replicates: usize,
    /// Seed of everything drawn.
    pub seed: u64,
}

/// The gap of one generator under one verifier.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct VerifierGap {
    /// The generator.
    pub generator: String,
    /// The verifier; of several together, their names joined by "and".
    pub verifier: String,
    /// The gap.
    pub estimate: GapEstimate,
    /// Its interval: percentiles of the bootstrap over prompts.
    pub interval: Interval,
    /// That of the relative gap.
    pub relative_interval: Option<Interval>,
}

/// The gap at every threshold of one generator's responses under one verifier.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct GapSweep {
    /// The generator.
    pub generator: String,
    /// The verifier.
    pub verifier: String,
    /// The thresholds.
    pub points: Vec<SweepPoint>,
}

/// Two verifiers of the same responses.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct VerifierPair {
    /// The generator.
    pub generator: String,
    /// The first verifier.
    pub first: String,
    /// The second.
    pub second: String,
    /// The first's gap minus the second's.
    pub difference: PairedDifference,
    /// Pearson's correlation of their scores.
    pub correlation: f64,
}

/// The gaps of several generators under several verifiers.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct GapStudy {
    /// How scores weighted responses.
    pub weighting: Weighting,
    /// Level of the intervals.
    pub level: f64,
    /// By generator, the gap of each verifier and, of several, of all together.
    pub gaps: Vec<VerifierGap>,
    /// By generator and verifier, the gap at every threshold.
    pub sweeps: Vec<GapSweep>,
    /// The first verifier beside each of the others.
    pub pairs: Vec<VerifierPair>,
    /// FLOPs and relative gap under the first verifier, of the generators that have FLOPs.
    pub compute: Vec<(f64, f64)>,
    /// The trend through these, if any generator has FLOPs.
    pub trend: Option<ScalingTrend>,
}

impl VerifierGap {
    /// Returns the gap under given weights, with intervals over prompts.
    ///
    /// # Errors
    /// As [`gap_with_weights`] and [`gap_bootstrap`].
    pub fn new(
        (generator, verifier): (&str, &str),
        responses: &Responses,
        weights: &[f64],
        s: &GapStudySettings,
    ) -> Result<Self> {
        let estimate = gap_with_weights(responses, weights, s.options)?;
        let replicates = s.replicates.max(1);
        let drawn = gap_bootstrap(
            responses,
            weights,
            s.options,
            Stages::Prompts,
            replicates,
            s.seed,
        )?;
        let percentiles = |values: &[f64], at: f64| {
            bootstrap_interval(values, at, s.level, BootstrapInterval::Percentile)
        };
        Ok(Self {
            generator: generator.to_owned(),
            verifier: verifier.to_owned(),
            interval: percentiles(&drawn.gap, estimate.gap)?,
            relative_interval: percentiles(&drawn.relative, estimate.relative).ok(),
            estimate,
        })
    }
}

impl GapStudy {
    /// Judges every verifier on every generator's responses.
    ///
    /// ```
    /// use hindsight_llm_metrics::verification::{Generator, GapOptions, GapStudy, GapStudySettings, Responses, Weighting};
    /// let responses = Responses::new(&[vec![1.0, 0.0], vec![0.0, 1.0], vec![0.0, 0.0]])?;
    /// let scores = [vec![0.9, 0.2, 0.4, 0.8, 0.1, 0.6]];
    /// let one = Generator { name: "", flops: None, responses: &responses, scores: &scores };
    /// let settings = GapStudySettings {
    ///     weighting: Weighting::Threshold(0.5), options: GapOptions::default(), level: 0.95, replicates: 100, seed: 1,
    /// };
    /// let study = GapStudy::new(&["judge".to_owned()], &[one], &settings)?;
    /// assert!((study.gaps[0].estimate.gap - 1.0 / 3.0).abs() < 1e-12);
    /// # Ok::<(), hindsight_llm_metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::Length`] unless each generator has one list of scores a verifier; as [`weights`], [`VerifierGap::new`] and [`scaling_trend`].
    pub fn new(
        verifiers: &[String],
        generators: &[Generator<'_>],
        settings: &GapStudySettings,
    ) -> Result<Self> {
        let mut study = Self {
            weighting: settings.weighting,
            level: settings.level,
            gaps: Vec::new(),
            sweeps: Vec::new(),
            pairs: Vec::new(),
            compute: Vec::new(),
            trend: None,
        };
        for generator in generators {
            study.judge(verifiers, generator, settings)?;
        }
        if !study.compute.is_empty() {
            let (flops, gaps): (Vec<f64>, Vec<f64>) = study.compute.iter().copied().unzip();
            study.trend = Some(scaling_trend(&flops, &gaps, settings.level)?);
        }
        Ok(study)
    }

    fn judge(
        &mut self,
        verifiers: &[String],
        of: &Generator<'_>,
        settings: &GapStudySettings,
    ) -> Result<()> {
        check_len("scores", verifiers.len(), of.scores.len())?;
        let mut filters = Vec::new();
        let first = self.gaps.len();
        for (name, scores) in verifiers.iter().zip(of.scores) {
            let w = weights(of.responses, scores, settings.weighting)?;
            self.sweeps.push(GapSweep {
                generator: of.name.to_owned(),
                verifier: name.clone(),
                points: threshold_sweep(of.responses, scores, settings.options)?,
            });
            let gap = VerifierGap::new((of.name, name), of.responses, &w, settings)?;
            if let Some(other) = self.gaps.get(first) {
                self.pairs.push(VerifierPair {
                    generator: of.name.to_owned(),
                    first: other.verifier.clone(),
                    second: name.clone(),
                    difference: paired_difference(&other.estimate, &gap.estimate)?,
                    correlation: score_correlation(&of.scores[0], scores)?,
                });
            }
            self.gaps.push(gap);
            filters.push(w);
        }
        if let (Some(flops), Some(gap)) = (of.flops, self.gaps.get(first)) {
            self.compute.push((flops, gap.estimate.relative));
        }
        if filters.len() > 1 {
            let (all, name) = (ensemble(&filters)?, verifiers.join(" and "));
            self.gaps.push(VerifierGap::new(
                (of.name, &name),
                of.responses,
                &all,
                settings,
            )?);
        }
        Ok(())
    }
}
