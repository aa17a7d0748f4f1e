//! Actions that are quantities: a target order counts as taken when the logged one is near.

use crate::error::{Allowed, Error, Result};
use crate::round::{Prediction, Weighted};

/// Importance weights for continuous actions: $w = K((a - d) / h) / (h\thinspace p)$ with the logged quantity $a$, the target's $d$, the
/// bandwidth $h$, the logging policy's density $p$ at $a$ and the Epanechnikov kernel $K(u) = \frac34 (1 - u^2)_+$.
///
/// What is estimated is the value of the target smeared over the bandwidth: the bias is of order $h^2$ where the reward is smooth, the
/// variance of order $1 / (n h)$. [`Kernel::rule_of_thumb`] balances them for a density of the quantities' spread; try several and see whether
/// the estimate moves. Source: Kallus and Zhou (2018).
///
/// ```
/// use hindsight_bandit_eval::{Estimator, Evaluation, Kernel, verdict::Limits};
/// let kernel = Kernel::new(0.5)?;
/// let mut evaluation = Evaluation::new(&[Estimator::Snips])?;
/// for i in 0..4_000_u32 {
///     let order = f64::from(i % 1_000) / 100.0; // spread evenly over [0, 10)
///     let reward = -(order - 6.0).abs();
///     evaluation.push_weighted(&kernel.weighted(order, 6.0, 0.1, reward, None)?)?;
/// }
/// let estimate = evaluation.estimate(Estimator::Snips, &Limits::default())?.expect("evaluable");
/// assert!((estimate.value + 0.1875).abs() < 0.01); // the kernel's mean distance, 3 h / 8
/// # Ok::<(), hindsight_bandit_eval::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kernel {
    bandwidth: f64,
}

impl Kernel {
    /// Returns a kernel of a bandwidth, in units of the quantity.
    ///
    /// # Errors
    /// When the bandwidth is not positive and finite.
    pub fn new(bandwidth: f64) -> Result<Self> {
        Ok(Kernel {
            bandwidth: Allowed::Above(0.0).check("bandwidth", bandwidth)?,
        })
    }

    /// Returns the kernel whose bandwidth is $2.34\thinspace s\thinspace n^{-1/5}$, for `n` quantities of standard deviation `s`: Silverman's rule for this kernel.
    ///
    /// # Errors
    /// When either number is not positive and finite.
    pub fn rule_of_thumb(s: f64, n: f64) -> Result<Self> {
        Allowed::Above(0.0).check("standard deviation", s)?;
        Allowed::Above(0.0).check("number of quantities", n)?;
        Kernel::new(2.34 * s * n.powf(-0.2))
    }

    /// The bandwidth.
    #[must_use]
    pub fn bandwidth(&self) -> f64 {
        self.bandwidth
    }

    /// Returns a round in weighted form, from the logged quantity, the target's, the density of the former, and its reward.
    ///
    /// # Errors
    /// When the density is not positive and finite, or a quantity is not finite.
    pub fn weighted(
        &self,
        logged: f64,
        target: f64,
        density: f64,
        reward: f64,
        model: Option<Prediction>,
    ) -> Result<Weighted> {
        crate::error::check_finite("quantities", &[logged, target])?;
        if !(density > 0.0 && density.is_finite()) {
            return Err(Error::Density {
                round: 0,
                value: density,
            });
        }
        let distance = (logged - target) / self.bandwidth;
        let kernel = 0.75 * (1.0 - distance * distance).max(0.0);
        Ok(Weighted {
            weight: kernel / (self.bandwidth * density),
            propensity: density,
            reward,
            model,
        })
    }
}
