//! Selective prediction: answer only where confident, and count what that costs.

use crate::calibration::histogram::ConfidenceHistogram;
use crate::error::{Allowed, Error, Result, check_len, check_unit};

/// One step of a risk-coverage curve: all records with confidence at least `threshold` are answered.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CoveragePoint {
    /// Lowest confidence that is answered.
    pub threshold: f64,
    /// Share of records answered.
    pub coverage: f64,
    /// Share of wrong answers among them.
    pub risk: f64,
}

/// The risk-coverage curve of a scorer.
///
/// Records with equal confidence have no order; every figure is the expectation over their random orders.
///
/// ```
/// use hindsight_llm_metrics::calibration::Selective;
/// let s = Selective::new(&[0.9, 0.8, 0.7, 0.6], &[true, true, false, true])?;
/// assert_eq!(s.accuracy_at_coverage(0.5)?, 1.0);
/// // Risks after 1, 2, 3, 4 answers: 0, 0, 1/3, 1/4.
/// assert!((s.aurc() - (1.0 / 3.0 + 0.25) / 4.0).abs() < 1e-12);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Selective {
    /// Threshold, records down to it, wrong ones among them; by falling threshold.
    pub(super) steps: Vec<(f64, u64, u64)>,
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)] // Counts below 2^53.
impl Selective {
    /// Returns the curve of `confidence` against `correct`.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Empty`], [`Error::OutOfRange`].
    pub fn new(confidence: &[f64], correct: &[bool]) -> Result<Self> {
        check_len("correct", confidence.len(), correct.len())?;
        check_unit("confidence", confidence)?;
        let keys = sorted_keys(confidence, correct);
        Ok(Self::from_groups(
            keys.chunk_by(|a, b| a >> 1 == b >> 1).rev().map(|group| {
                let right: u64 = group.iter().map(|k| k & 1).sum();
                (
                    f64::from_bits(group[0] >> 1),
                    group.len() as u64,
                    group.len() as u64 - right,
                )
            }),
        ))
    }

    /// Returns the curve at the resolution of a histogram's cells: records of one cell count as ties.
    ///
    /// # Errors
    /// [`Error::Empty`] for a histogram without records.
    pub fn from_histogram(histogram: &ConfidenceHistogram) -> Result<Self> {
        if histogram.n() == 0 {
            return Err(Error::Empty { what: "records" });
        }
        Ok(Self::from_groups(histogram.groups()))
    }

    pub(super) fn from_groups(groups: impl Iterator<Item = (f64, u64, u64)>) -> Self {
        let (mut n, mut wrong) = (0, 0);
        let steps = groups
            .map(|(threshold, count, bad)| {
                n += count;
                wrong += bad;
                (threshold, n, wrong)
            })
            .collect();
        Self { steps }
    }

    pub(super) fn totals(&self) -> (u64, u64) {
        self.steps.last().map_or((0, 0), |s| (s.1, s.2))
    }

    /// Returns the points of the curve, one per distinct confidence, by rising coverage.
    pub fn points(&self) -> impl Iterator<Item = CoveragePoint> {
        let n = self.totals().0 as f64;
        self.steps
            .iter()
            .map(move |&(threshold, answered, wrong)| CoveragePoint {
                threshold,
                coverage: answered as f64 / n,
                risk: wrong as f64 / answered as f64,
            })
    }

    /// Returns the area under the risk-coverage curve, $\frac1n \sum_{i=1}^n \mathrm{risk}_i$ with $\mathrm{risk}_i$ the share of wrong
    /// answers among the i most confident. One minus it is the mean running accuracy, the selective score of the code of
    /// arXiv:2312.04021.
    #[must_use]
    pub fn aurc(&self) -> f64 {
        let (mut sum, mut before) = (0.0, (0u64, 0u64));
        for &(_, n, wrong) in &self.steps {
            let (g, e) = ((n - before.0) as f64, (wrong - before.1) as f64);
            // Over a tie group: sum over j of (E + e j / g) / (N + j), in closed form.
            sum += (before.1 as f64 - e * before.0 as f64 / g) * harmonic_between(before.0, n) + e;
            before = (n, wrong);
        }
        sum / self.totals().0 as f64
    }

    /// Returns [`Selective::aurc`] minus that of an oracle that puts all wrong answers last.
    #[must_use]
    pub fn excess_aurc(&self) -> f64 {
        let (n, wrong) = self.totals();
        let oracle = wrong as f64 - (n - wrong) as f64 * harmonic_between(n - wrong, n);
        self.aurc() - oracle / n as f64
    }

    /// The least number of records whose share is not below the coverage: 0.07 of 100 are 7, though their product is above 7.
    pub(super) fn answered(&self, coverage: f64) -> u64 {
        let n = self.totals().0;
        let above = ((coverage * n as f64).ceil() as u64).clamp(1, n);
        if above > 1 && (above - 1) as f64 / n as f64 >= coverage {
            above - 1
        } else {
            above
        }
    }

    /// Returns the accuracy among the most confident share `coverage` of the records (their number rounded up).
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `coverage` lies in (0, 1].
    pub fn accuracy_at_coverage(&self, coverage: f64) -> Result<f64> {
        if !(coverage > 0.0 && coverage <= 1.0) {
            return Err(Error::Parameter {
                name: "coverage",
                value: coverage,
                allowed: Allowed::AboveUpTo(0.0, 1.0),
            });
        }
        let wanted = self.answered(coverage);
        let at = self.steps.partition_point(|s| s.1 < wanted);
        let before = if at == 0 {
            (0, 0)
        } else {
            (self.steps[at - 1].1, self.steps[at - 1].2)
        };
        let (_, upto, wrong) = self.steps[at];
        let share = (wanted - before.0) as f64 / (upto - before.0) as f64;
        Ok(1.0 - (before.1 as f64 + share * (wrong - before.1) as f64) / wanted as f64)
    }

    /// Returns the largest point of the curve whose risk is at most `risk`; `None` if there is none.
    #[must_use]
    pub fn coverage_at_risk(&self, risk: f64) -> Option<CoveragePoint> {
        self.points().filter(|p| p.risk <= risk).last()
    }
}

/// Confidences as ordered integers with the outcome in the lowest bit, ascending: doubles in [0, 1] order as their bits do, and the two
/// top bits are free.
pub(crate) fn sorted_keys(confidence: &[f64], correct: &[bool]) -> Vec<u64> {
    let mut keys: Vec<u64> = confidence
        .iter()
        .zip(correct)
        .map(|(c, y)| ((c + 0.0).to_bits() << 1) | u64::from(*y))
        .collect();
    keys.sort_unstable();
    keys
}

/// $\sum_{i=a+1}^{b} 1/i$.
#[allow(clippy::cast_precision_loss)] // Counts below 2^53.
pub(super) fn harmonic_between(a: u64, b: u64) -> f64 {
    if b - a <= 256 || a < 64 {
        let near = b.min(a.max(64) + 256);
        let direct: f64 = (a + 1..=near).map(|i| 1.0 / i as f64).sum();
        return if near < b {
            direct + harmonic_between(near, b)
        } else {
            direct
        };
    }
    // Euler-Maclaurin: H(n) = ln n + 1/2n - 1/12n^2 + 1/120n^4 - ...; for n >= 64 the next term is below 1e-13.
    let tail = |n: f64| 0.5 / n - 1.0 / (12.0 * n * n) + 1.0 / (120.0 * n.powi(4));
    let (x, y) = (a as f64, b as f64);
    ((y - x) / x).ln_1p() + tail(y) - tail(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mean_running_risk(order: &[bool]) -> f64 {
        let mut wrong = 0.0;
        let sum: f64 = order
            .iter()
            .enumerate()
            .map(|(i, y)| {
                wrong += f64::from(u8::from(!*y));
                wrong / (i + 1) as f64
            })
            .sum();
        sum / order.len() as f64
    }

    proptest! {
        #[test]
        fn aurc_is_the_mean_running_risk_without_ties(y in proptest::collection::vec(any::<bool>(), 1..80)) {
            let conf: Vec<f64> = (0..y.len()).map(|i| 1.0 - i as f64 / 100.0).collect();
            let s = Selective::new(&conf, &y).unwrap();
            prop_assert!((s.aurc() - mean_running_risk(&y)).abs() < 1e-12);
            let mut best = y.clone();
            best.sort_by_key(|v| !*v);
            prop_assert!((s.excess_aurc() - (mean_running_risk(&y) - mean_running_risk(&best))).abs() < 1e-12);
            prop_assert!(s.excess_aurc() >= -1e-12);
        }

        #[test]
        fn a_tie_group_is_the_average_over_all_orders(y in proptest::collection::vec(any::<bool>(), 4..7)) {
            // Brute force: all permutations of the tied middle.
            let mut conf = vec![0.5; y.len()];
            conf[0] = 0.9;
            let mut sum = 0.0;
            let mut count = 0.0;
            permutations(&mut y[1..].to_vec(), 0, &mut |mid| {
                let mut order = vec![y[0]];
                order.extend_from_slice(mid);
                sum += mean_running_risk(&order);
                count += 1.0;
            });
            prop_assert!((Selective::new(&conf, &y).unwrap().aurc() - sum / count).abs() < 1e-12);
        }

        #[test]
        fn harmonic_sums_agree_with_addition(a in 0u64..5000, len in 1u64..5000) {
            let direct: f64 = (a + 1..=a + len).map(|i| 1.0 / i as f64).sum();
            prop_assert!((harmonic_between(a, a + len) - direct).abs() < 1e-12 * (1.0 + direct));
        }
    }

    fn permutations(v: &mut Vec<bool>, k: usize, f: &mut impl FnMut(&[bool])) {
        if k == v.len() {
            return f(v);
        }
        for i in k..v.len() {
            v.swap(k, i);
            permutations(v, k + 1, f);
            v.swap(k, i);
        }
    }

    #[test]
    fn coverage_and_risk_are_inverse_looks_at_the_curve() {
        let s = Selective::new(&[0.9, 0.8, 0.8, 0.1], &[true, true, false, false]).unwrap();
        assert_eq!(s.accuracy_at_coverage(0.25).unwrap(), 1.0);
        assert_eq!(s.accuracy_at_coverage(0.5).unwrap(), 0.75);
        assert_eq!(s.accuracy_at_coverage(1.0).unwrap(), 0.5);
        assert_eq!(s.coverage_at_risk(0.4).unwrap().coverage, 0.75);
        assert!(
            Selective::new(&[0.9], &[false])
                .unwrap()
                .coverage_at_risk(0.5)
                .is_none()
        );
        assert!(s.accuracy_at_coverage(0.0).is_err());
    }

    #[test]
    fn the_histogram_gives_the_same_curve_up_to_a_cell() {
        let (conf, y) = crate::testing::calibrated(5000, 2);
        let mut h = ConfidenceHistogram::new();
        h.extend(&conf, &y).unwrap();
        let (a, b) = (
            Selective::new(&conf, &y).unwrap(),
            Selective::from_histogram(&h).unwrap(),
        );
        assert!((a.aurc() - b.aurc()).abs() < 1e-3);
    }
}
