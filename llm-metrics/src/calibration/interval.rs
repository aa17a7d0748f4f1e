//! How uncertain a binned calibration error is: an interval that covers at zero too.

use crate::calibration::reliability::Reliability;
use crate::error::{Allowed, Error, Result, check_level};
use crate::stats::interval::{Interval, normal_quantile};
use crate::stats::stream::hash;

/// Which binned error an interval is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Norm {
    /// [`Reliability::l1`], the expected calibration error.
    L1,
    /// [`Reliability::l2`].
    L2,
}

struct Row {
    share: f64,
    count: f64,
    confidence: f64,
    gap: f64,
    /// share * variance of the gap: how far a unit of the multiplier moves it.
    influence: f64,
}

/// Returns an interval for the binned calibration error $\theta = \sum_b p_b |d_b|$ (or $\sqrt{\sum_b p_b d_b^2}$), given the
/// confidences, by inverting a test of every value of $\theta$.
///
/// The naive percentile bootstrap of a calibration error fails: the plug-in error of n records is biased upward, a resample of them
/// is biased twice, and on calibrated data the interval can leave out both 0 and the estimate. Here, for a supposed $\theta$, the bins'
/// gaps are set to the values closest to the observed ones (in units of their variance) whose error is $\theta$; outcomes are drawn as
/// binomials from those gaps; and $\theta$ belongs to the interval unless the observed error is in either tail of
/// $(1-\text{level})/2$ of the drawn ones. The bias is thus part of the comparison, and at $\theta = 0$ the null distribution has no unknown left but the bins' own
/// confidences, so the lower end is 0 with probability at least about $(1+\text{level})/2$ on calibrated data.
/// Our formulation (a hybrid of profile likelihood and parametric bootstrap); the tests measure its coverage.
///
/// Records must be independent; for several responses of one prompt see [`cluster_ece_bootstrap`](crate::calibration::cluster_ece_bootstrap). Draws are keyed by `seed`.
///
/// ```
/// use hindsight_llm_metrics::calibration::{EdgeRule, Edges, Norm, Reliability, calibration_interval};
/// let (conf, right) = (vec![0.9; 100], (0..100).map(|i| i < 60).collect::<Vec<_>>());
/// let table = Reliability::new(&conf, &right, Edges::equal_width(10, EdgeRule::UpperClosed)?)?;
/// let i = calibration_interval(&table, Norm::L1, 0.95, 1000, 1)?;
/// assert!(i.lower > 0.15 && i.upper < 0.45 && i.contains(table.l1()));
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] for `level`, or fewer than 100 `draws`.
#[allow(clippy::cast_precision_loss)] // Counts below 2^53.
pub fn calibration_interval(
    table: &Reliability,
    norm: Norm,
    level: f64,
    draws: usize,
    seed: u64,
) -> Result<Interval> {
    check_level(level)?;
    if draws < 100 {
        return Err(Error::Parameter {
            name: "draws",
            value: draws as f64,
            allowed: Allowed::AtLeast(100.0),
        });
    }
    let rows: Vec<Row> = table
        .terms()
        .map(|(share, gap, b)| {
            let count = b.count as f64;
            // Two pseudo-records keep the variance of a bin without errors positive.
            let a = (b.correct as f64 + 1.0) / (count + 2.0);
            Row {
                share,
                count,
                confidence: b.confidence_sum / count,
                gap,
                influence: share * a * (1.0 - a) / count,
            }
        })
        .collect();
    let observed = size(norm, rows.iter().map(|r| (r.share, r.gap)));
    // The same draws serve every supposed error; their normal quantiles are found once.
    let uniforms: Vec<(f64, f64)> = (0..draws * rows.len())
        .map(|i| ((hash(seed, 0xCA1B, i as u64) >> 11) as f64 + 0.5) / (1u64 << 53) as f64)
        .map(|u| (u, normal_quantile(u)))
        .collect();
    let tail = (1.0 - level) / 2.0;
    // Shares of drawn errors at least, and at most, as large as the observed one.
    let tails = |multiplier: f64| {
        let gaps: Vec<f64> = rows
            .iter()
            .map(|r| supposed_gap(norm, r, multiplier))
            .collect();
        let (mut above, mut below) = (0usize, 0usize);
        for draw in uniforms.chunks_exact(rows.len()) {
            let drawn = size(
                norm,
                rows.iter().zip(&gaps).zip(draw).map(|((r, g), (u, z))| {
                    let k = binomial_quantile(r.count, (r.confidence + g).clamp(0.0, 1.0), *u, *z);
                    (r.share, k / r.count - r.confidence)
                }),
            );
            above += usize::from(drawn >= observed - 1e-12);
            below += usize::from(drawn <= observed + 1e-12);
        }
        (above as f64 / draws as f64, below as f64 / draws as f64)
    };
    let theta = |multiplier: f64| {
        size(
            norm,
            rows.iter()
                .map(|r| (r.share, supposed_gap(norm, r, multiplier))),
        )
    };
    // The multiplier runs from +1 (all gaps zero) over 0 (the observed gaps) to -1 (as large as possible).
    let lower = if tails(1.0).0 > tail {
        0.0
    } else {
        theta(bisect(1.0, -1.0, |m| tails(m).0 > tail))
    };
    let upper = if tails(-1.0).1 > tail {
        theta(-1.0)
    } else {
        theta(bisect(-1.0, 1.0, |m| tails(m).1 > tail))
    };
    Ok(Interval {
        lower,
        upper: upper.max(lower),
        level,
    })
}

fn size(norm: Norm, terms: impl Iterator<Item = (f64, f64)>) -> f64 {
    match norm {
        Norm::L1 => terms.map(|(p, d)| p * d.abs()).sum(),
        Norm::L2 => terms.map(|(p, d)| p * d * d).sum::<f64>().sqrt(),
    }
}

/// The gap of a bin under the hypothesis with the given multiplier in [-1, 1]: the constrained optimum of
/// sum (gap - d)^2 / variance, whose error falls steadily in the multiplier.
fn supposed_gap(norm: Norm, row: &Row, multiplier: f64) -> f64 {
    let sign = if row.gap < 0.0 { -1.0 } else { 1.0 };
    // tan-like map of (-1, 1) onto the line, scaled by the bin's own variance.
    let lambda = multiplier / (1.0 - multiplier * multiplier).max(1e-12);
    let size = match norm {
        Norm::L1 => (row.gap.abs() - lambda * row.influence * 1e3).max(0.0),
        Norm::L2 if multiplier >= 0.0 => row.gap.abs() / (1.0 + lambda * row.influence * 1e3),
        Norm::L2 => row.gap.abs() * (1.0 - lambda * row.influence * 1e3) + f64::MIN_POSITIVE,
    };
    (row.confidence + sign * size).clamp(0.0, 1.0) - row.confidence
}

/// The multiplier nearest to `from` at which `holds` is true, given that it fails at `from` and holds at `to`.
fn bisect(from: f64, to: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut bad, mut good) = (from, to);
    for _ in 0..40 {
        let mid = f64::midpoint(bad, good);
        if holds(mid) {
            good = mid;
        } else {
            bad = mid;
        }
    }
    good
}

/// The u quantile of Binomial(n, p), given the normal quantile `z` of u: exact for small variance, with the Cornish-Fisher skewness term
/// otherwise.
fn binomial_quantile(n: f64, p: f64, u: f64, z: f64) -> f64 {
    if p > 0.5 {
        return n - binomial_quantile(n, 1.0 - p, 1.0 - u, -z);
    }
    let variance = n * p * (1.0 - p);
    if variance > 25.0 {
        let x = n * p + variance.sqrt() * z + (1.0 - 2.0 * p) * (z * z - 1.0) / 6.0;
        return x.round().clamp(0.0, n);
    }
    let ratio = p / (1.0 - p);
    let mut term = (n * (-p).ln_1p()).exp();
    let (mut k, mut total) = (0.0, term);
    while total < u && k < n && term > 0.0 {
        k += 1.0;
        term *= ratio * (n - k + 1.0) / k;
        total += term;
    }
    k
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::bins::{EdgeRule, Edges};
    use crate::calibration::bootstrap::ece_bootstrap;
    use crate::stats::interval::{BootstrapInterval, bootstrap_interval};
    use crate::testing::{calibrated, distorted};

    fn edges() -> Edges {
        Edges::equal_width(10, EdgeRule::default()).unwrap()
    }

    /// The error that the outcomes' true probabilities have, given the confidences.
    fn truth(conf: &[f64], law: impl Fn(f64) -> f64, norm: Norm) -> f64 {
        let e = edges();
        let mut gaps = vec![(0.0, 0.0); e.len()];
        for &c in conf {
            let g = &mut gaps[e.bin_of(c)];
            g.0 += 1.0;
            g.1 += law(c) - c;
        }
        let n = conf.len() as f64;
        size(
            norm,
            gaps.iter()
                .filter(|g| g.0 > 0.0)
                .map(|g| (g.0 / n, g.1 / g.0)),
        )
    }

    /// How many of `sets` intervals of the given level contain the truth.
    fn covered(
        n: usize,
        law: impl Fn(f64) -> f64 + Copy,
        norm: Norm,
        level: f64,
        sets: u64,
    ) -> usize {
        let hit = |s: &u64| {
            let (conf, y) = distorted(n, 1000 + s, law);
            let t = Reliability::new(&conf, &y, edges()).unwrap();
            calibration_interval(&t, norm, level, 150, *s)
                .unwrap()
                .contains(truth(&conf, law, norm))
        };
        (0..sets).filter(hit).count()
    }

    /// Mild, strong and shrinking distortions, and a larger sample: 60 sets of each.
    fn covered_over_laws(norm: Norm, level: f64) -> usize {
        covered(500, |p| p.powf(1.2), norm, level, 60)
            + covered(500, |p| p * p, norm, level, 60)
            + covered(500, |p| 0.5 + (p - 0.5) * 0.8, norm, level, 60)
            + covered(2000, |p| p.powf(1.2), norm, level, 60)
    }

    #[test]
    fn interval_covers_on_calibrated_data_and_the_naive_percentile_does_not() {
        let naive = (0..60u64).filter(|s| {
            let (conf, y) = calibrated(1000, 1000 + s);
            let r = ece_bootstrap(&conf, &y, &edges(), 200, *s).unwrap();
            let t = Reliability::new(&conf, &y, edges()).unwrap();
            bootstrap_interval(&r, t.l1(), 0.9, BootstrapInterval::Percentile)
                .unwrap()
                .contains(0.0)
        });
        assert_eq!(naive.count(), 0, "the planted fault");
        for norm in [Norm::L1, Norm::L2] {
            // At the edge of the parameter space an equal-tailed interval covers (1 + 0.9) / 2: fewer than 104 of 120 happen once in 10,000.
            let c = covered(1000, |p| p, norm, 0.9, 120);
            assert!(c >= 104, "{norm:?} {c}");
        }
    }

    // An interval that covers 90 % has fewer than 198 hits of 240 once in 8,000; one that covers 70 % has 198 or more seven times in a million.

    #[test]
    fn interval_covers_on_miscalibrated_data() {
        let c = covered_over_laws(Norm::L1, 0.9);
        assert!(c >= 198, "{c}");
    }

    #[test]
    fn interval_of_the_root_mean_square_covers_on_miscalibrated_data() {
        let c = covered_over_laws(Norm::L2, 0.9);
        assert!(c >= 198, "{c}");
    }

    #[test]
    fn an_interval_of_level_seventy_is_caught_by_the_same_test() {
        let c = covered_over_laws(Norm::L1, 0.7);
        assert!(c < 198, "{c}");
    }

    #[test]
    fn binomial_quantiles_invert_the_distribution() {
        for (n, p) in [(5.0, 0.3), (40.0, 0.9), (300.0, 0.02), (5000.0, 0.4)] {
            let draws = 20_000;
            let (mut sum, mut squares) = (0.0, 0.0);
            for i in 0..draws {
                let u = (f64::from(i) + 0.5) / f64::from(draws);
                let k = binomial_quantile(n, p, u, normal_quantile(u));
                sum += k;
                squares += k * k;
            }
            let m = sum / f64::from(draws);
            let v = squares / f64::from(draws) - m * m;
            assert!(
                (m - n * p).abs() < 0.01 * (n * p * (1.0 - p)).sqrt() + 1e-3,
                "{n} {p} {m}"
            );
            assert!((v / (n * p * (1.0 - p)) - 1.0).abs() < 0.02, "{n} {p} {v}");
        }
        assert_eq!(binomial_quantile(7.0, 0.0, 0.99, 2.3), 0.0);
        assert_eq!(binomial_quantile(7.0, 1.0, 0.01, -2.3), 7.0);
    }
}
