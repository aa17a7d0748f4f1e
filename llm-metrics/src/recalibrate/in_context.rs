//! The protocol of arXiv:2312.04021 over logs: calibration against the number of shots, seeds of demonstrations, and where a
//! recalibration map is fitted.

use super::class_wise::ClassCalibrators;
use super::method::Method;
use super::temperature::Temperature;
use crate::calibration::Logits;
use crate::calibration::Probabilities;
use crate::calibration::Reliability;
use crate::calibration::Selective;
use crate::calibration::{EdgeRule, Edges};
use crate::error::{Error, Result};
use crate::stats::interval::{mean, sample_sd};

/// Where the recalibration maps are fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Regime {
    /// On prompts without demonstrations.
    ZeroShot,
    /// On prompts with as many demonstrations, freshly drawn.
    FreshPrompt,
    /// On the very prompt used at test time, with other queries.
    SamePrompt,
}

/// One prompt of one run: the test items' logits, and items to fit maps on, if there are any.
#[derive(Debug, Clone)]
pub struct PromptRun {
    /// Number of demonstrations.
    pub shots: usize,
    /// Label logits of the test items.
    pub test: Logits,
    /// Label logits of calibration items under each regime at hand. They must not overlap the test items.
    pub fits: Vec<(Regime, Logits)>,
}

/// A figure over the seeds of one number of shots.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct OverSeeds {
    /// Mean over seeds.
    pub mean: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// Sample standard deviation; NaN for one seed.
    pub sd: f64,
}

impl OverSeeds {
    fn new(values: &[f64]) -> Self {
        Self {
            mean: mean(values),
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            sd: sample_sd(values),
        }
    }
}

/// What one number of shots gives.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ShotSummary {
    /// Number of demonstrations.
    pub shots: usize,
    /// Number of seeds.
    pub seeds: usize,
    /// Accuracy of the first-index argmax.
    pub accuracy: OverSeeds,
    /// Mean largest probability.
    pub confidence: OverSeeds,
    /// Expected calibration error before any map.
    pub ece: OverSeeds,
    /// One minus the area under the risk-coverage curve.
    pub selective: OverSeeds,
    /// Expected calibration error after temperature scaling, for each regime that every seed has.
    pub temperature: Vec<(Regime, OverSeeds)>,
    /// Expected calibration error after scaling-binning per class, rows renormalised.
    pub scaling_binning: Vec<(Regime, OverSeeds)>,
}

/// Returns one summary per number of shots, by rising number.
///
/// The figures are the paper's: equal-width bins (lo, hi] over the softmax of the label logits (10 bins in the paper), first-index
/// argmax, error per seed and then its mean, minimum, maximum and standard deviation. Where the authors' code departs from the
/// text (a second softmax over calibrated probabilities, marginals left unnormalised), this follows the text.
///
/// # Errors
/// [`Error::Empty`] for no runs; [`Error::Parameter`] for `bins`; [`Error::Length`] if a fit's classes differ from the test's; as
/// [`Temperature::fit`].
pub fn in_context_protocol(runs: &[PromptRun], bins: usize) -> Result<Vec<ShotSummary>> {
    if runs.is_empty() {
        return Err(Error::Empty { what: "runs" });
    }
    let edges = Edges::equal_width(bins, EdgeRule::UpperClosed)?;
    let ece = |p: &Probabilities| -> Result<f64> {
        let top = p.top_label();
        Ok(Reliability::new(&top.confidence, &top.correct, edges.clone())?.l1())
    };
    let mut shots: Vec<usize> = runs.iter().map(|r| r.shots).collect();
    shots.sort_unstable();
    shots.dedup();
    let mut out = Vec::with_capacity(shots.len());
    for shots in shots {
        let group: Vec<&PromptRun> = runs.iter().filter(|r| r.shots == shots).collect();
        let (mut accuracy, mut confidence, mut errors, mut selective) =
            (vec![], vec![], vec![], vec![]);
        for run in &group {
            let p = run.test.softmax();
            let top = p.top_label();
            let table = Reliability::new(&top.confidence, &top.correct, edges.clone())?;
            accuracy.push(table.accuracy());
            confidence.push(table.mean_confidence());
            errors.push(table.l1());
            selective.push(1.0 - Selective::new(&top.confidence, &top.correct)?.aurc());
        }
        let (mut temperature, mut scaling_binning) = (vec![], vec![]);
        for regime in [Regime::ZeroShot, Regime::FreshPrompt, Regime::SamePrompt] {
            let fits: Vec<(&Logits, &Logits)> = group
                .iter()
                .filter_map(|run| {
                    run.fits
                        .iter()
                        .find(|f| f.0 == regime)
                        .map(|f| (&f.1, &run.test))
                })
                .collect();
            if fits.len() < group.len() {
                continue;
            }
            let (mut scaled, mut binned) = (vec![], vec![]);
            for (fit, test) in fits {
                scaled.push(ece(&Temperature::fit(fit)?.apply(test))?);
                let maps = ClassCalibrators::fit(&fit.softmax(), Method::ScalingBinning(10))?;
                binned.push(ece(&maps.apply(&test.softmax())?)?);
            }
            temperature.push((regime, OverSeeds::new(&scaled)));
            scaling_binning.push((regime, OverSeeds::new(&binned)));
        }
        out.push(ShotSummary {
            shots,
            seeds: group.len(),
            accuracy: OverSeeds::new(&accuracy),
            confidence: OverSeeds::new(&confidence),
            ece: OverSeeds::new(&errors),
            selective: OverSeeds::new(&selective),
            temperature,
            scaling_binning,
        });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::uniform;

    /// Logits whose true temperature is `hot`: labels are drawn from the softmax of z / hot.
    fn logits(n: usize, hot: f64, seed: u64) -> Logits {
        let mut z = vec![];
        let mut y = vec![];
        for i in 0..n as u64 {
            let row: Vec<f64> = (0..3)
                .map(|k| 8.0 * uniform(seed, 1 + k, i) - 4.0)
                .collect();
            let p = Logits::new(row.iter().map(|v| v / hot).collect(), 3, vec![0])
                .unwrap()
                .softmax();
            let u = uniform(seed, 9, i);
            let mut total = 0.0;
            y.push(
                p.values()
                    .iter()
                    .position(|q| {
                        total += q;
                        u < total
                    })
                    .unwrap_or(2),
            );
            z.extend(row);
        }
        Logits::new(z, 3, y).unwrap()
    }

    #[test]
    fn both_maps_repair_an_overconfident_model_in_every_regime() {
        let runs: Vec<PromptRun> = (0..6)
            .map(|s| PromptRun {
                shots: if s == 0 { 0 } else { 4 },
                test: logits(600, 3.0, 10 + s),
                fits: [Regime::ZeroShot, Regime::FreshPrompt, Regime::SamePrompt]
                    .into_iter()
                    .enumerate()
                    .map(|(r, regime)| (regime, logits(600, 3.0, 100 + 10 * s + r as u64)))
                    .collect(),
            })
            .collect();
        let rows = in_context_protocol(&runs, 10).unwrap();
        assert_eq!(
            rows.iter().map(|r| (r.shots, r.seeds)).collect::<Vec<_>>(),
            [(0, 1), (4, 5)]
        );
        for row in &rows {
            assert!(row.ece.mean > 0.1, "{row:?}");
            assert_eq!(row.temperature.len(), 3);
            for (_, v) in row.temperature.iter().chain(&row.scaling_binning) {
                assert!(v.mean < 0.6 * row.ece.mean, "{row:?}");
            }
            assert!(row.ece.min <= row.ece.mean && row.ece.mean <= row.ece.max);
        }
    }

    #[test]
    fn a_regime_that_a_seed_lacks_is_left_out() {
        let runs = [
            PromptRun {
                shots: 1,
                test: logits(50, 1.0, 1),
                fits: vec![(Regime::ZeroShot, logits(50, 1.0, 2))],
            },
            PromptRun {
                shots: 1,
                test: logits(50, 1.0, 3),
                fits: vec![],
            },
        ];
        assert!(
            in_context_protocol(&runs, 10).unwrap()[0]
                .temperature
                .is_empty()
        );
        assert!(in_context_protocol(&[], 10).is_err());
    }
}
