//! The smooth calibration error, read off a histogram of confidences.

use crate::calibration::histogram::{CELLS, ConfidenceHistogram, OFFSET_SCALE};
use crate::error::{Error, Result};

/// The smooth calibration error with the bandwidth it was found at.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct SmoothEce {
    /// The error $\mathrm{smECE}_{\sigma^\ast}$.
    pub value: f64,
    /// The bandwidth $\sigma^\ast$, the smallest multiple of $2^{-10}$ found by bisection with $\sigma \ge \mathrm{smECE}_\sigma$.
    pub bandwidth: f64,
}

#[allow(clippy::cast_precision_loss)] // Counts below 2^53.
impl ConfidenceHistogram {
    /// Residual mass and record mass on the CELLS + 1 nodes, each record split linearly between the nodes of its cell.
    fn nodes(&self) -> (Vec<f64>, Vec<f64>) {
        let (mut residual, mut density) = (vec![0.0; CELLS + 1], vec![0.0; CELLS + 1]);
        for (k, pair) in self.cells.chunks_exact(2).enumerate() {
            for (y, [n, s1, s2]) in pair.iter().enumerate() {
                if *n == 0 {
                    continue;
                }
                let (n, t, t2) = (
                    *n as f64,
                    *s1 as f64 / OFFSET_SCALE,
                    *s2 as f64 / OFFSET_SCALE,
                );
                let (y, k0, g) = (y as f64, k as f64, CELLS as f64);
                // Sums over the cell of y - f and of (y - f) t, with f = (k + t) / g.
                let whole = y * n - (k0 * n + t) / g;
                let right = y * t - (k0 * t + t2) / g;
                residual[k] += whole - right;
                residual[k + 1] += right;
                density[k] += n - t;
                density[k + 1] += t;
            }
        }
        (residual, density)
    }

    /// Returns the smooth calibration error: with $\tilde K_\sigma$ the Gaussian kernel reflected at 0 and 1,
    /// $$\mathrm{smECE}(\sigma) = \int_0^1 \Big| \tfrac1n \sum_i \tilde K_\sigma(t, f_i)\thinspace(y_i - f_i) \Big| dt,$$
    /// at the $\sigma$ found by ten bisections of [0, 1] for the smallest $\sigma \ge \mathrm{smECE}_\sigma$.
    ///
    /// The definition of Błasiok and Nakkiran; records are split linearly between the nodes of a grid whose step is at most a tenth of the bandwidth. Their package
    /// `relplot` takes the same bisection over a coarser grid and counts what lies at 0 and 1 half, so that its values differ in the fourth digit, and more where
    /// many confidences are 0 or 1 (0.1121 for 500 records within 0.1 of 1 where the definition gives 0.1159).
    ///
    /// # Errors
    /// [`Error::Empty`] before the first record.
    pub fn smooth_ece(&self) -> Result<SmoothEce> {
        if self.n == 0 {
            return Err(Error::Empty { what: "records" });
        }
        let (residual, _) = self.nodes();
        let at = |sigma: f64| smooth_error(&residual, sigma) / self.n as f64;
        let (mut low, mut high) = (0.0, 1.0);
        let mut value = at(high);
        for _ in 0..10 {
            let mid = f64::midpoint(low, high);
            let v = at(mid);
            if mid >= v {
                (high, value) = (mid, v);
            } else {
                low = mid;
            }
        }
        Ok(SmoothEce {
            value,
            bandwidth: high,
        })
    }

    /// Returns the smooth calibration error at a bandwidth of the caller's, which is raised to 1/1024 if smaller.
    ///
    /// # Errors
    /// [`Error::Empty`] before the first record; [`Error::Parameter`] unless `sigma` is positive and finite.
    pub fn smooth_ece_at(&self, sigma: f64) -> Result<f64> {
        crate::error::check_positive("sigma", sigma)?;
        if self.n == 0 {
            return Err(Error::Empty { what: "records" });
        }
        Ok(smooth_error(&self.nodes().0, sigma.max(1.0 / 1024.0)) / self.n as f64)
    }

    /// Returns the smoothed accuracy curve of the reliability diagram at `sigma`: points (t, accuracy near t, density of records).
    ///
    /// # Errors
    /// As [`ConfidenceHistogram::smooth_ece_at`].
    pub fn smooth_curve(&self, sigma: f64) -> Result<Vec<[f64; 3]>> {
        crate::error::check_positive("sigma", sigma)?;
        if self.n == 0 {
            return Err(Error::Empty { what: "records" });
        }
        let sigma = sigma.max(1.0 / 1024.0);
        let (residual, density) = self.nodes();
        let (r, d) = (smoothed(&residual, sigma), smoothed(&density, sigma));
        let steps = (r.len() - 1) as f64;
        let every = (r.len() - 1) / 256;
        let total: f64 = d.iter().sum();
        let point = |i: usize| {
            let t = i as f64 / steps;
            [
                t,
                if d[i] > 0.0 {
                    (t + r[i] / d[i]).clamp(0.0, 1.0)
                } else {
                    t
                },
                d[i] * steps / total,
            ]
        };
        Ok((0..r.len())
            .step_by(every.max(1))
            .filter(|&i| d[i] > 1e-9 * total / steps)
            .map(point)
            .collect())
    }
}

/// The integral of the absolute smoothed residual, times n.
fn smooth_error(residual: &[f64], sigma: f64) -> f64 {
    let smooth = smoothed(residual, sigma);
    let last = smooth.len() - 1;
    let sum: f64 = smooth.iter().map(|v| v.abs()).sum();
    sum - 0.5 * (smooth[0].abs() + smooth[last].abs())
}

/// Mass on the fine grid, moved to a grid fit for `sigma` and convolved with the reflected Gaussian kernel (mass per node).
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)] // Sizes up to 2^15.
fn smoothed(fine: &[f64], sigma: f64) -> Vec<f64> {
    let steps = (((10.0 / sigma).ceil() as usize).next_power_of_two()).clamp(1024, CELLS);
    let mass = coarsen(fine, steps);
    let width = sigma * steps as f64;
    let reach = (8.0 * width).ceil() as usize;
    let norm = 1.0 / (width * (2.0 * std::f64::consts::PI).sqrt());
    let gauss = |d: f64| norm * (-0.5 * (d / width) * (d / width)).exp();
    // The even extension of the mass has period 2 * steps; beyond that reach the kernel is folded onto the period.
    let period = 2 * steps;
    let half = reach.min(steps);
    let kernel: Vec<f64> = (0..=2 * half)
        .map(|i| {
            let d = i as f64 - half as f64;
            let wraps = (reach / period + 1) as i32;
            let folded: f64 = (-wraps..=wraps)
                .map(|m| gauss(d + f64::from(m) * period as f64))
                .sum();
            // At full reach the two ends are the same node of the period: half each.
            if half == steps && (i == 0 || i == 2 * half) {
                folded / 2.0
            } else {
                folded
            }
        })
        .collect();
    // A node at 0 or 1 is its own mirror image and counts twice, as the reflected kernel has it.
    let node = |i: isize| {
        let j = i.rem_euclid(period as isize) as usize;
        let j = if j > steps { period - j } else { j };
        if j == 0 || j == steps {
            2.0 * mass[j]
        } else {
            mass[j]
        }
    };
    let padded: Vec<f64> = (0..steps + 1 + 2 * half)
        .map(|i| node(i as isize - half as isize))
        .collect();
    padded
        .windows(kernel.len())
        .map(|w| dot(w, &kernel))
        .collect()
}

/// A dot product with eight accumulators.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail: f64 = a8
        .remainder()
        .iter()
        .zip(b8.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a8.zip(b8) {
        for i in 0..8 {
            sums[i] += x[i] * y[i];
        }
    }
    sums.iter().sum::<f64>() + tail
}

/// Splits the mass of each fine node linearly between its neighbours on a coarser grid.
#[allow(clippy::cast_precision_loss)] // Sizes up to 2^14.
fn coarsen(fine: &[f64], steps: usize) -> Vec<f64> {
    let ratio = (fine.len() - 1) / steps;
    let mut coarse = vec![0.0; steps + 1];
    for (i, m) in fine.iter().enumerate() {
        let (j, t) = (i / ratio, (i % ratio) as f64 / ratio as f64);
        coarse[j] += m * (1.0 - t);
        if t > 0.0 {
            coarse[j + 1] += m * t;
        }
    }
    coarse
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::distorted;
    use proptest::prelude::*;

    /// The integral by the formula: no grid for the records, 4000 nodes for t, reflections summed out to nine bandwidths.
    fn naive(conf: &[f64], y: &[bool], sigma: f64) -> f64 {
        let nodes = 4000;
        let reach = (9.0 * sigma / 2.0).ceil() as i32 + 1;
        let kernel = |d: f64| {
            (-0.5 * (d / sigma).powi(2)).exp() / (sigma * (2.0 * std::f64::consts::PI).sqrt())
        };
        let mut total = 0.0;
        for i in 0..nodes {
            let t = (f64::from(i) + 0.5) / f64::from(nodes);
            let mut r = 0.0;
            for (c, y) in conf.iter().zip(y) {
                let k: f64 = (-reach..=reach)
                    .map(|m| {
                        kernel(t - c + 2.0 * f64::from(m)) + kernel(t + c + 2.0 * f64::from(m))
                    })
                    .sum();
                r += k * (f64::from(u8::from(*y)) - c);
            }
            total += r.abs();
        }
        total / f64::from(nodes) / conf.len() as f64
    }

    fn histogram(conf: &[f64], y: &[bool]) -> ConfidenceHistogram {
        let mut h = ConfidenceHistogram::new();
        h.extend(conf, y).unwrap();
        h
    }

    #[test]
    fn smooth_error_equals_its_integral() {
        for (seed, sigma) in [
            (1, 0.002),
            (2, 0.01),
            (3, 0.05),
            (4, 0.11),
            (5, 0.2),
            (6, 0.5),
            (7, 1.0),
        ] {
            let (mut conf, y) = distorted(60, seed, |p| p * p);
            conf[0] = 0.0;
            conf[1] = 1.0;
            let (a, b) = (
                histogram(&conf, &y).smooth_ece_at(sigma).unwrap(),
                naive(&conf, &y, sigma),
            );
            // A tenth of a bandwidth per node: linear splitting costs (h / sigma)^2 / 8, about 1e-3 of the value.
            assert!((a - b).abs() < 1e-3 * b + 2e-4, "{sigma}: {a} {b}");
        }
    }

    #[test]
    fn bandwidth_is_the_fixed_point() {
        let (conf, y) = distorted(5000, 3, |p| p.powf(1.6));
        let h = histogram(&conf, &y);
        let s = h.smooth_ece().unwrap();
        assert!(s.bandwidth >= s.value);
        let below = s.bandwidth - 1.0 / 1024.0;
        assert!(below < h.smooth_ece_at(below).unwrap());
    }

    proptest! {
        // Each case evaluates a dozen bandwidths.
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn smooth_error_is_below_the_mean_absolute_residual_and_above_the_signed_one(
            data in proptest::collection::vec((0.0f64..=1.0, any::<bool>()), 1..100),
        ) {
            let (conf, y): (Vec<f64>, Vec<bool>) = data.iter().copied().unzip();
            let v = histogram(&conf, &y).smooth_ece().unwrap().value;
            let r: Vec<f64> = data.iter().map(|(c, y)| f64::from(u8::from(*y)) - c).collect();
            let n = r.len() as f64;
            prop_assert!(v <= r.iter().map(|r| r.abs()).sum::<f64>() / n + 1e-9);
            prop_assert!(v + 1e-9 >= (r.iter().sum::<f64>() / n).abs());
        }
    }

    #[test]
    fn one_crowded_value_and_emptiness() {
        let h = histogram(&[1.0; 50], &[true; 50]);
        assert!(h.smooth_ece().unwrap().value < 1e-9);
        assert!(ConfidenceHistogram::new().smooth_ece().is_err());
        assert!(h.smooth_ece_at(0.0).is_err());
    }
}
