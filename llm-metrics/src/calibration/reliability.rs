//! The reliability table and the binned calibration errors that are read off it.

use statrs::function::erf::erf;

use crate::calibration::bins::EdgeRule;
use crate::error::{Allowed, Error, Result};
use crate::stats::interval::{Interval, clopper_pearson, wilson};

/// One bin of a reliability table.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Bin {
    pub(crate) lower: f64,
    pub(crate) upper: f64,
    pub(crate) count: u64,
    pub(crate) correct: u64,
    pub(crate) confidence_sum: f64,
}

#[allow(clippy::cast_precision_loss)] // Counts below 2^53.
impl Bin {
    /// Returns the lower edge.
    #[must_use]
    pub fn lower(&self) -> f64 {
        self.lower
    }
    /// Returns the upper edge.
    #[must_use]
    pub fn upper(&self) -> f64 {
        self.upper
    }
    /// Returns the number of records.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }
    /// Returns the number of correct records.
    #[must_use]
    pub fn correct(&self) -> u64 {
        self.correct
    }
    /// Returns the mean confidence $\mathrm{conf}_b$; `None` for an empty bin.
    #[must_use]
    pub fn confidence(&self) -> Option<f64> {
        (self.count > 0).then(|| self.confidence_sum / self.count as f64)
    }
    /// Returns the accuracy $\mathrm{acc}_b$; `None` for an empty bin.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        (self.count > 0).then(|| self.correct as f64 / self.count as f64)
    }
    /// Returns $d_b = \mathrm{acc}_b - \mathrm{conf}_b$: positive where the model is underconfident; `None` for an empty bin.
    #[must_use]
    pub fn gap(&self) -> Option<f64> {
        (self.count > 0).then(|| (self.correct as f64 - self.confidence_sum) / self.count as f64)
    }
    /// Returns Wilson's interval for the accuracy.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an empty bin or a level outside (0, 1).
    pub fn wilson(&self, level: f64) -> Result<Interval> {
        wilson(self.correct, self.count, level)
    }
    /// Returns the Clopper-Pearson interval for the accuracy.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an empty bin or a level outside (0, 1).
    pub fn clopper_pearson(&self, level: f64) -> Result<Interval> {
        clopper_pearson(self.correct, self.count, level)
    }
}

/// A reliability table: what a reliability diagram shows, and the source of every binned calibration error.
///
/// Per bin $b$: share $p_b = n_b/n$ of the records and $d_b = \mathrm{acc}_b - \mathrm{conf}_b$. The population value of each error
/// below is, for a scorer with continuous scores, a lower bound of the error without bins.
///
/// ```
/// use hindsight_llm_metrics::calibration::{EdgeRule, Edges, Reliability};
/// let edges = Edges::equal_width(10, EdgeRule::UpperClosed)?;
/// let table = Reliability::new(&[0.95, 0.95, 0.55, 0.55], &[true, false, true, true], edges)?;
/// // Two bins of two records: |0.5 - 0.95| and |1 - 0.55|.
/// assert!((table.l1() - 0.45).abs() < 1e-12);
/// assert!(table.signed().abs() < 1e-12);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Reliability {
    pub(crate) bins: Vec<Bin>,
    pub(crate) rule: EdgeRule,
    pub(crate) n: u64,
}

#[allow(clippy::cast_precision_loss)] // Counts below 2^53.
impl Reliability {
    /// Returns the bins in order, empty ones included.
    #[must_use]
    pub fn bins(&self) -> &[Bin] {
        &self.bins
    }
    /// Returns the rule for values on an edge.
    #[must_use]
    pub fn rule(&self) -> EdgeRule {
        self.rule
    }
    /// Returns the number of records.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n
    }
    /// Returns the number of bins without records.
    #[must_use]
    pub fn empty_bins(&self) -> usize {
        self.bins.iter().filter(|b| b.count == 0).count()
    }
    /// Returns the accuracy over all records.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.bins.iter().map(|b| b.correct).sum::<u64>() as f64 / self.n as f64
    }
    /// Returns the mean confidence over all records.
    #[must_use]
    pub fn mean_confidence(&self) -> f64 {
        self.bins.iter().map(|b| b.confidence_sum).sum::<f64>() / self.n as f64
    }

    /// The share of the records and d_b of each non-empty bin.
    pub(crate) fn terms(&self) -> impl Iterator<Item = (f64, f64, &Bin)> {
        let n = self.n as f64;
        self.bins
            .iter()
            .filter_map(move |b| b.gap().map(|d| (b.count as f64 / n, d, b)))
    }

    /// Returns the expected calibration error $\sum_b p_b |d_b|$.
    #[must_use]
    pub fn l1(&self) -> f64 {
        self.terms().map(|(p, d, _)| p * d.abs()).sum()
    }
    /// Returns $\sqrt{\sum_b p_b d_b^2}$.
    #[must_use]
    pub fn l2(&self) -> f64 {
        self.terms().map(|(p, d, _)| p * d * d).sum::<f64>().sqrt()
    }
    /// Returns the maximum calibration error $\max_b |d_b|$ over the non-empty bins.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.terms().map(|(_, d, _)| d.abs()).fold(0.0, f64::max)
    }
    /// Returns $\sum_b p_b d_b$ = accuracy - mean confidence: negative when the model is overconfident on the whole.
    #[must_use]
    pub fn signed(&self) -> f64 {
        self.terms().map(|(p, d, _)| p * d).sum()
    }
    /// Returns $(\sum_b p_b |d_b|^p)^{1/p}$.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `p` is at least 1 and finite.
    pub fn lp(&self, p: f64) -> Result<f64> {
        if !(p >= 1.0 && p.is_finite()) {
            return Err(Error::Parameter {
                name: "p",
                value: p,
                allowed: Allowed::AtLeast(1.0),
            });
        }
        Ok(self
            .terms()
            .map(|(w, d, _)| w * d.abs().powf(p))
            .sum::<f64>()
            .powf(1.0 / p))
    }
    /// Returns the unweighted mean of $|d_b|$ over the non-empty bins: what netcal calls ACE, which bins by [`EdgeRule::LowerClosed`].
    #[must_use]
    pub fn average(&self) -> f64 {
        let filled = self.bins.len() - self.empty_bins();
        self.terms().map(|(_, d, _)| d.abs()).sum::<f64>() / filled as f64
    }

    /// Returns the debiased square of [`Reliability::l2`],
    /// $\sum_b p_b \left[ d_b^2 - \frac{\mathrm{acc}_b (1 - \mathrm{acc}_b)}{n_b - 1} \right]$, which may be negative.
    ///
    /// Bins with fewer than two records contribute 0. The estimator of Kumar, Liang and Ma (2019), as in `uncertainty-calibration`.
    #[must_use]
    pub fn debiased_l2_squared(&self) -> f64 {
        self.terms()
            .filter(|(_, _, b)| b.count > 1)
            .map(|(p, d, b)| {
                let acc = b.correct as f64 / b.count as f64;
                p * (d * d - acc * (1.0 - acc) / (b.count as f64 - 1.0))
            })
            .sum()
    }
    /// Returns the root of [`Reliability::debiased_l2_squared`], or 0 where that is negative.
    #[must_use]
    pub fn debiased_l2(&self) -> f64 {
        self.debiased_l2_squared().max(0.0).sqrt()
    }
    /// Returns the debiased [`Reliability::l1`], $2\thinspace\hat e - \sum_b p_b\thinspace E|N(d_b, s_b^2)|$ with
    /// $s_b^2 = \mathrm{acc}_b (1 - \mathrm{acc}_b)/n_b$, clipped at 0.
    ///
    /// Kumar, Liang and Ma draw the normals; the mean of the folded normal is exact and needs no draws.
    #[must_use]
    pub fn debiased_l1(&self) -> f64 {
        (2.0 * self.l1()
            - self
                .terms()
                .map(|(p, d, b)| p * folded_normal_mean(d, b.deviation()))
                .sum::<f64>())
        .max(0.0)
    }
    /// Returns about what [`Reliability::l1`] would be, on average, if the model were calibrated:
    /// $\sum_b p_b \sqrt{2\thinspace\mathrm{conf}_b (1 - \mathrm{conf}_b) / (\pi n_b)}$.
    ///
    /// A plug-in error of this size is no evidence of miscalibration.
    #[must_use]
    pub fn noise_floor(&self) -> f64 {
        self.terms()
            .map(|(p, _, b)| {
                let conf = b.confidence_sum / b.count as f64;
                p * (2.0 * conf * (1.0 - conf) / (std::f64::consts::PI * b.count as f64)).sqrt()
            })
            .sum()
    }
}

#[allow(clippy::cast_precision_loss)] // Counts below 2^53.
impl Bin {
    /// The plug-in standard deviation of the accuracy.
    fn deviation(&self) -> f64 {
        let acc = self.correct as f64 / self.count as f64;
        (acc * (1.0 - acc) / self.count as f64).sqrt()
    }
}

/// $E|N(m, s^2)| = s\sqrt{2/\pi}\thinspace e^{-m^2/2s^2} + m\thinspace\mathrm{erf}(m / s\sqrt 2)$; $|m|$ at s = 0.
pub(super) fn folded_normal_mean(m: f64, s: f64) -> f64 {
    if s <= 0.0 {
        return m.abs();
    }
    let z = m / s;
    s * (2.0 / std::f64::consts::PI).sqrt() * (-0.5 * z * z).exp()
        + m * erf(z / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::bins::Edges;
    use proptest::prelude::*;

    /// Every error from its formula, by loops over the records.
    fn naive(conf: &[f64], y: &[bool], edges: &Edges) -> Vec<f64> {
        let n = conf.len() as f64;
        let (mut l1, mut l2, mut max, mut signed, mut ace, mut filled, mut kumar) =
            (0.0, 0.0, 0.0f64, 0.0, 0.0, 0.0, 0.0);
        for b in 0..edges.len() {
            let (lo, hi) = (edges.values()[b], edges.values()[b + 1]);
            let inside = |p: f64| match edges.rule() {
                EdgeRule::UpperClosed => (p > lo || (b == 0 && p == 0.0)) && p <= hi,
                EdgeRule::LowerClosed => p >= lo && (p < hi || (b + 1 == edges.len() && p == 1.0)),
            };
            let members: Vec<usize> = (0..conf.len()).filter(|&i| inside(conf[i])).collect();
            if members.is_empty() {
                continue;
            }
            let k = members.len() as f64;
            let c = members.iter().map(|&i| conf[i]).sum::<f64>() / k;
            let a = members.iter().filter(|&&i| y[i]).count() as f64 / k;
            let d = a - c;
            l1 += k / n * d.abs();
            l2 += k / n * d * d;
            max = max.max(d.abs());
            signed += k / n * d;
            ace += d.abs();
            filled += 1.0;
            if k > 1.0 {
                kumar += k / n * (d * d - a * (1.0 - a) / (k - 1.0));
            }
        }
        vec![l1, l2.sqrt(), max, signed, ace / filled, kumar]
    }

    fn ours(conf: &[f64], y: &[bool], edges: &Edges) -> Vec<f64> {
        let t = Reliability::new(conf, y, edges.clone()).unwrap();
        vec![
            t.l1(),
            t.l2(),
            t.max(),
            t.signed(),
            t.average(),
            t.debiased_l2_squared(),
        ]
    }

    proptest! {
        #[test]
        fn every_error_equals_its_formula(
            // A coarse grid of confidences puts many exactly on edges, on 0, on 1 and on one another.
            data in proptest::collection::vec((0u32..=20, any::<bool>(), 0.0f64..=1.0, any::<bool>()), 1..120),
            m in 1usize..25,
        ) {
            let conf: Vec<f64> = data.iter().map(|d| if d.1 { f64::from(d.0) / 20.0 } else { d.2 }).collect();
            let y: Vec<bool> = data.iter().map(|d| d.3).collect();
            for rule in [EdgeRule::UpperClosed, EdgeRule::LowerClosed] {
                for edges in [Edges::equal_width(m, rule).unwrap(), Edges::equal_mass(&conf, m, rule).unwrap()] {
                    for (a, b) in ours(&conf, &y, &edges).iter().zip(naive(&conf, &y, &edges)) {
                        prop_assert!((a - b).abs() < 1e-12, "{a} {b}");
                    }
                }
            }
        }

        #[test]
        fn norms_are_ordered_and_signed_is_accuracy_minus_confidence(
            data in proptest::collection::vec((0.0f64..=1.0, any::<bool>()), 1..200),
        ) {
            let (conf, y): (Vec<f64>, Vec<bool>) = data.into_iter().unzip();
            let t = Reliability::new(&conf, &y, Edges::equal_width(10, EdgeRule::default()).unwrap()).unwrap();
            prop_assert!(t.signed().abs() <= t.l1() + 1e-12);
            prop_assert!(t.l1() <= t.l2() + 1e-12);
            prop_assert!(t.l2() <= t.max() + 1e-12);
            prop_assert!((t.lp(2.0).unwrap() - t.l2()).abs() < 1e-12);
            prop_assert!((t.signed() - (t.accuracy() - t.mean_confidence())).abs() < 1e-12);
            prop_assert!(t.debiased_l1() <= t.l1() + 1e-12);
        }

        #[test]
        fn folded_mean_matches_quadrature(m in -2.0f64..2.0, s in 0.01f64..2.0) {
            let steps = 20_000;
            let h = 16.0 * s / f64::from(steps);
            let sum: f64 = (0..steps).map(|i| {
                let x = m - 8.0 * s + (f64::from(i) + 0.5) * h;
                let z = (x - m) / s;
                x.abs() * (-0.5 * z * z).exp()
            }).sum::<f64>() * h / (s * (2.0 * std::f64::consts::PI).sqrt());
            prop_assert!((folded_normal_mean(m, s) - sum).abs() < 1e-6);
        }
    }

    #[test]
    fn debiasing_removes_the_bias_on_calibrated_data_and_the_noise_floor_predicts_it() {
        // 400 data sets of 500 calibrated records: the mean of the debiased square is 0 within four standard errors (false alarm 6e-5).
        let (mut plug, mut unbiased, mut floor) = (vec![], vec![], vec![]);
        for set in 0..400u64 {
            let (conf, y) = crate::testing::calibrated(500, set);
            let t = Reliability::new(
                &conf,
                &y,
                Edges::equal_width(10, EdgeRule::default()).unwrap(),
            )
            .unwrap();
            plug.push(t.l1());
            floor.push(t.noise_floor());
            unbiased.push((t.debiased_l2_squared(), t.l2() * t.l2()));
        }
        let stat = |v: &[f64]| {
            (
                crate::stats::interval::mean(v),
                crate::stats::interval::sample_sd(v) / (v.len() as f64).sqrt(),
            )
        };
        let (m, se) = stat(&unbiased.iter().map(|u| u.0).collect::<Vec<_>>());
        assert!(m.abs() < 4.0 * se, "{m} {se}");
        // The planted fault: the plug-in square, which the same test must reject.
        let (m, se) = stat(&unbiased.iter().map(|u| u.1).collect::<Vec<_>>());
        assert!(m > 4.0 * se);
        let (m, _) = stat(&plug);
        let (f, _) = stat(&floor);
        assert!((m / f - 1.0).abs() < 0.05, "{m} {f}");
    }

    #[test]
    fn bad_input_is_named() {
        let edges = || Edges::equal_width(5, EdgeRule::default()).unwrap();
        let e = Reliability::new(&[0.5, f64::NAN], &[true, true], edges()).unwrap_err();
        assert!(matches!(e, Error::OutOfRange { index: 1, .. }));
        assert!(matches!(
            Reliability::new(&[], &[], edges()),
            Err(Error::Empty { .. })
        ));
        assert!(matches!(
            Reliability::new(&[0.5], &[], edges()),
            Err(Error::Length { .. })
        ));
        assert!(matches!(
            Reliability::new(&[1.2], &[true], edges()),
            Err(Error::OutOfRange { index: 0, .. })
        ));
    }
}
