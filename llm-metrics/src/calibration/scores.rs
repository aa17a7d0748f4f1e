//! All calibration scores of a log in one call, each with its interval where there is one.

use super::accumulate::Accumulator;
use super::bins::{EdgeRule, Edges};
use super::distributions::DistributionAccumulator;
use super::histogram::ConfidenceHistogram;
use super::interval::{Norm, calibration_interval};
use super::mean_interval::LossCells;
use super::probabilities::Binning;
use super::reliability::Reliability;
use super::score_intervals::{add_extreme, is_extreme, proper, selective};
use super::selective::Selective;
use super::smooth::SmoothEce;
use crate::error::{Allowed, Error, Result, check_level};
use crate::stats::{Interval, clopper_pearson};

/// Records per block.
const BATCH: usize = 4096;

/// Choices of the scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreSettings {
    /// Bins of the reliability table: 1 to 4096. Equal-mass edges lie on multiples of 1/16384.
    pub binning: Binning,
    /// Which bin owns a value on an edge (of bins of equal width).
    pub rule: EdgeRule,
    /// Level of the intervals, between 0 and 1.
    pub level: f64,
    /// Draws behind an interval, at least 100: of each test of a calibration error, and of the other scores.
    pub draws: usize,
    /// Seed of everything drawn.
    pub seed: u64,
}

impl Default for ScoreSettings {
    fn default() -> Self {
        Self {
            binning: Binning::EqualWidth(15),
            rule: EdgeRule::UpperClosed,
            level: 0.95,
            draws: 1000,
            seed: 0,
        }
    }
}

impl ScoreSettings {
    /// Returns an error if a setting is outside its range.
    ///
    /// # Errors
    /// [`Error::Parameter`].
    pub fn validate(&self) -> Result<()> {
        check_level(self.level)?;
        let (Binning::EqualWidth(bins) | Binning::EqualMass(bins)) = self.binning;
        Edges::equal_width(bins, self.rule)?;
        if self.draws < 100 {
            #[allow(clippy::cast_precision_loss)] // Below 100.
            return Err(Error::Parameter {
                name: "draws",
                value: self.draws as f64,
                allowed: Allowed::AtLeast(100.0),
            });
        }
        Ok(())
    }
}

/// A score with its interval; `None` where no method gives one.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Score {
    /// The score.
    pub value: f64,
    /// Its interval.
    pub interval: Option<Interval>,
}

/// All scores of a log.
///
/// Intervals take records as independent. Of the accuracy and the signed error they are exact (Clopper-Pearson); of the calibration errors see
/// [`calibration_interval`]. Of Brier score and log loss they are Gaffke's bounds, which take one more record with the largest loss that any could have had (without a
/// spread of the losses, as where all answers are right at one confidence, a normal interval would be a point): with a confidence of exactly 1 a record could
/// have cost infinity, and the interval of the log loss has no upper end. Of the selective scores they are sums of the bounds of blocks of records; the spread of the
/// confidences does not enter them. The smooth error, the debiased errors and the class-wise errors have none: percentiles of a bootstrap do not cover near 0, and
/// tests of these values are not at hand. Their coverage is a table in the [crate's README](crate#coverage), measured by `examples/score_coverage.rs`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Scores {
    /// Level of the intervals.
    pub level: f64,
    /// Number of records.
    pub records: u64,
    /// Share of right answers.
    pub accuracy: Score,
    /// Mean confidence of the answers.
    pub mean_confidence: f64,
    /// $\sum_b p_b |d_b|$.
    pub ece: Score,
    /// The same, debiased.
    pub ece_debiased: f64,
    /// What the error would be on average if the model were calibrated.
    pub noise_floor: f64,
    /// $\sqrt{\sum_b p_b d_b^2}$.
    pub rms: Score,
    /// Its square, debiased; it may be negative.
    pub rms_squared_debiased: f64,
    /// The largest $|d_b|$.
    pub largest: Score,
    /// Unweighted mean of $|d_b|$.
    pub average: f64,
    /// Accuracy minus mean confidence.
    pub signed: Score,
    /// The smooth calibration error.
    pub smooth: SmoothEce,
    /// Brier score: of the answer, or the sum over classes where there are distributions.
    pub brier: Score,
    /// Log loss in nats, of the answer, or of the label where there are distributions; infinite, and without interval, if a record was given probability 0. The interval's
    /// upper end is infinite if a record gave some answer probability 0.
    pub log_loss: Score,
    /// Brier score and log loss of the answer and its confidence, also where there are distributions.
    pub answer: [f64; 2],
    /// Records given probability 0.
    pub impossible: u64,
    /// Area under the risk-coverage curve.
    pub aurc: Score,
    /// The same minus that of an oracle that puts wrong answers last.
    pub excess_aurc: f64,
    /// Accuracy of the most confident tenth.
    pub accuracy_top_tenth: Score,
    /// Mean over classes of the class's $l_1$ error, where there are distributions.
    pub class_wise_ece: Option<f64>,
    /// Records whose largest probability several classes share, where there are distributions.
    pub ties: Option<u64>,
    /// Why the three calibration errors have no interval, if they have none.
    pub without_interval: Option<String>,
    /// The table that the binned errors are read off.
    pub reliability: Reliability,
}

/// Adds up a log for [`Scores`], in memory that does not grow with it.
///
/// ```
/// use hindsight_llm_metrics::calibration::{ScoreAccumulator, ScoreSettings};
/// let mut log = ScoreAccumulator::new(ScoreSettings::default())?;
/// for i in 0..1000 {
///     log.push(0.9, i % 10 < 8)?;
/// }
/// let scores = log.scores()?;
/// assert!((scores.ece.value - 0.1).abs() < 1e-9);
/// assert!(scores.ece.interval.unwrap().contains(0.1) && scores.accuracy.interval.unwrap().contains(0.8));
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ScoreAccumulator {
    settings: ScoreSettings,
    accumulator: Accumulator,
    histogram: ConfidenceHistogram,
    distributions: DistributionAccumulator,
    /// Log losses of the answers whose confidence lies in an outer cell of the histogram, where a cell's mean says little of them.
    extremes: LossCells,
    confidence: Vec<f64>,
    correct: Vec<bool>,
}

impl ScoreAccumulator {
    /// Returns an empty accumulator.
    ///
    /// # Errors
    /// As [`ScoreSettings::validate`].
    pub fn new(settings: ScoreSettings) -> Result<Self> {
        settings.validate()?;
        let (Binning::EqualWidth(bins) | Binning::EqualMass(bins)) = settings.binning;
        let edges = Edges::equal_width(bins, settings.rule)?;
        Ok(Self {
            settings,
            accumulator: Accumulator::new(edges.clone()),
            histogram: ConfidenceHistogram::new(),
            distributions: DistributionAccumulator::new(edges),
            extremes: LossCells::default(),
            confidence: Vec::with_capacity(BATCH),
            correct: Vec::with_capacity(BATCH),
        })
    }

    /// Adds a confidence with its outcome.
    ///
    /// # Errors
    /// [`Error::OutOfRange`]; the accumulator is then unchanged.
    pub fn push(&mut self, confidence: f64, correct: bool) -> Result<()> {
        crate::error::check_unit("confidence", &[confidence])?;
        self.top(confidence, correct);
        Ok(())
    }

    /// Adds a distribution with its label; returns the answer's confidence and whether it is right.
    ///
    /// # Errors
    /// As [`DistributionAccumulator::push_probabilities`].
    pub fn push_probabilities(&mut self, q: &[f64], label: usize) -> Result<(f64, bool)> {
        let top = self.distributions.push_probabilities(q, label)?;
        self.top(top.0.min(1.0), top.1);
        Ok(top)
    }

    /// Adds the softmax of logits with its label; returns the answer's confidence and whether it is right.
    ///
    /// # Errors
    /// As [`DistributionAccumulator::push_logits`].
    pub fn push_logits(&mut self, z: &[f64], label: usize) -> Result<(f64, bool)> {
        let top = self.distributions.push_logits(z, label)?;
        self.top(top.0.min(1.0), top.1);
        Ok(top)
    }

    fn top(&mut self, confidence: f64, correct: bool) {
        self.confidence.push(confidence);
        self.correct.push(correct);
        if self.confidence.len() == BATCH {
            self.flush();
        }
    }

    /// Every record in the buffers has been checked.
    fn flush(&mut self) {
        for (&c, &y) in self.confidence.iter().zip(&self.correct) {
            if is_extreme(c) {
                add_extreme(&mut self.extremes, c, y);
            }
        }
        let added = self
            .accumulator
            .extend(&self.confidence, &self.correct)
            .and_then(|()| self.histogram.extend(&self.confidence, &self.correct));
        debug_assert!(added.is_ok());
        self.confidence.clear();
        self.correct.clear();
    }

    /// Returns the histogram of the confidences, for curves.
    pub fn histogram(&mut self) -> &ConfidenceHistogram {
        self.flush();
        &self.histogram
    }

    /// Returns all scores.
    ///
    /// # Errors
    /// [`Error::Empty`] before the first record.
    pub fn scores(&mut self) -> Result<Scores> {
        self.flush();
        let s = self.settings;
        let summary = self.accumulator.summary()?;
        let several = (self.distributions.n() > 0)
            .then(|| self.distributions.summary())
            .transpose()?;
        let table = match s.binning {
            Binning::EqualWidth(_) => summary.reliability.clone(),
            Binning::EqualMass(bins) => self.histogram.equal_mass(bins)?,
        };
        let of = |norm| calibration_interval(&table, norm, s.level, s.draws, s.seed);
        let without_interval = of(Norm::Max).err().map(|e| e.to_string());
        let right: u64 = table.bins().iter().map(super::Bin::correct).sum();
        let accuracy = clopper_pearson(right, summary.n, s.level)?;
        let curve = Selective::from_histogram(&self.histogram)?;
        let [aurc, tenth] = selective(&curve, &s)?;
        let moved = |by: f64| Interval {
            lower: accuracy.lower - by,
            upper: accuracy.upper - by,
            level: s.level,
        };
        let [brier, log_loss] = match &several {
            Some(m) => self.distributions.intervals(m, &s),
            None => proper(&summary, &self.histogram, &self.extremes, &s),
        };
        let impossible = several
            .as_ref()
            .map_or(summary.impossible, |m| m.impossible);
        let score = |value, interval: Result<Interval>| Score {
            value,
            interval: interval.ok(),
        };
        Ok(Scores {
            level: s.level,
            records: summary.n,
            accuracy: score(summary.accuracy, Ok(accuracy)),
            mean_confidence: summary.mean_confidence,
            ece: score(table.l1(), of(Norm::L1)),
            ece_debiased: table.debiased_l1(),
            noise_floor: table.noise_floor(),
            rms: score(table.l2(), of(Norm::L2)),
            rms_squared_debiased: table.debiased_l2_squared(),
            largest: score(table.max(), of(Norm::Max)),
            average: table.average(),
            signed: score(table.signed(), Ok(moved(summary.mean_confidence))),
            smooth: self.histogram.smooth_ece()?,
            brier,
            log_loss,
            answer: [summary.brier, summary.nll],
            impossible,
            aurc,
            excess_aurc: curve.excess_aurc(),
            accuracy_top_tenth: tenth,
            class_wise_ece: several.as_ref().map(|m| m.class_wise.lp(1.0)).transpose()?,
            ties: several.as_ref().map(|m| m.ties),
            without_interval,
            reliability: table,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::distorted;

    fn scored(n: usize, seed: u64, level: f64) -> Scores {
        let (conf, y) = distorted(n, seed, |p| p);
        let mut log = ScoreAccumulator::new(ScoreSettings {
            level,
            draws: 100,
            ..ScoreSettings::default()
        })
        .unwrap();
        for (c, y) in conf.iter().zip(&y) {
            log.push(*c, *y).unwrap();
        }
        log.scores().unwrap()
    }

    /// Uniform confidences that are true: accuracy 1/2, Brier score 1/6, log loss 1/2; the AURC of the law is the mean over coverage t of t/2, which is 1/4.
    #[test]
    fn intervals_of_the_other_scores_cover() {
        let hits = |n: usize, level: f64| {
            let mut hits = [0; 5];
            for seed in 0..120 {
                let s = scored(n, 500 + seed, level);
                let truths = [
                    (s.accuracy, 0.5),
                    (s.brier, 1.0 / 6.0),
                    (s.log_loss, 0.5),
                    (s.accuracy_top_tenth, 0.95),
                    (s.aurc, 0.25),
                ];
                for (hit, (score, truth)) in hits.iter_mut().zip(truths) {
                    *hit += u32::from(score.interval.unwrap().contains(truth));
                }
            }
            hits
        };
        // Of 120 at 90 %: 108 on average, standard deviation 3.3; of 70 %, the planted fault, 84 and 5 where the interval is not wider than need be.
        for n in [600, 20_000] {
            let (right, planted) = (hits(n, 0.9), hits(n, 0.7));
            assert!(right.iter().all(|h| *h >= 96), "{n} {right:?}");
            assert!(planted[..2].iter().all(|h| *h < 96), "{n} {planted:?}");
        }
    }

    #[test]
    fn distributions_and_confidences_give_the_same_scores_where_they_say_the_same() {
        let (conf, y) = distorted(500, 3, |p| p.powf(1.2));
        let mut several = ScoreAccumulator::new(ScoreSettings::default()).unwrap();
        let mut single = ScoreAccumulator::new(ScoreSettings::default()).unwrap();
        for (c, y) in conf.iter().zip(&y) {
            let c = c.max(1.0 - c).max(0.501);
            several
                .push_probabilities(&[c, 1.0 - c], usize::from(!*y))
                .unwrap();
            single.push(c, *y).unwrap();
        }
        let (a, b) = (several.scores().unwrap(), single.scores().unwrap());
        assert_eq!(
            (a.records, a.accuracy, a.ece, a.aurc),
            (b.records, b.accuracy, b.ece, b.aurc)
        );
        // Two classes: twice the binary Brier score.
        assert!(
            (a.brier.value - 2.0 * b.brier.value).abs() < 1e-9
                && (a.log_loss.value - b.log_loss.value).abs() < 1e-9
        );
        let (i, j) = (a.log_loss.interval.unwrap(), b.log_loss.interval.unwrap());
        assert!((i.upper - j.upper).abs() < 2e-3, "{i:?} {j:?}");
        assert_eq!((a.ties, b.ties), (Some(0), None));
    }

    #[test]
    fn what_has_no_interval_says_so() {
        let mut log = ScoreAccumulator::new(ScoreSettings {
            binning: Binning::EqualWidth(200),
            ..ScoreSettings::default()
        })
        .unwrap();
        assert!(matches!(log.scores(), Err(Error::Empty { .. })));
        for i in 0..20 {
            log.push(f64::from(i) / 20.0, i % 2 == 0).unwrap();
        }
        let s = log.scores().unwrap();
        assert!(s.ece.interval.is_none() && s.without_interval.unwrap().contains("filled bins"));
        // A certain mistake costs infinity, which has no interval.
        let mut log = ScoreAccumulator::new(ScoreSettings::default()).unwrap();
        log.push(1.0, false).unwrap();
        log.push(0.5, true).unwrap();
        let s = log.scores().unwrap();
        assert!(
            s.log_loss.value.is_infinite() && s.log_loss.interval.is_none() && s.impossible == 1
        );
        assert!(log.push(1.5, true).is_err());
        let wrong = ScoreSettings {
            draws: 10,
            ..ScoreSettings::default()
        };
        assert!(matches!(
            wrong.validate(),
            Err(Error::Parameter { name: "draws", .. })
        ));
    }
}
