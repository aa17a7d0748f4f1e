//! Adam and AdamW.

use crate::kernel::real::Real;

/// The constants of [`Adam`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AdamConfig {
    /// Decay of the first moment, in [0, 1).
    pub beta1: f64,
    /// Decay of the second moment, in [0, 1).
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay (AdamW), per unit of learning rate; 0 is plain Adam.
    pub weight_decay: f64,
}

impl Default for AdamConfig {
    fn default() -> Self {
        AdamConfig {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
        }
    }
}

/// Adam (Kingma and Ba, 2015) with bias correction, and AdamW's decoupled weight decay (Loshchilov and Hutter, 2019).
///
/// $$ m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad v \leftarrow \beta_2 v + (1 - \beta_2) g^2, \quad
/// \theta \leftarrow \theta - \eta \Bigl( \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon} + \lambda \theta \Bigr) $$
///
/// ```
/// use hindsight_gpu::optim::{Adam, AdamConfig};
/// let mut theta = [1.0_f64];
/// let mut adam = Adam::new(AdamConfig::default(), 1);
/// for _ in 0..2000 {
///     let gradient = [2.0 * (theta[0] - 3.0)];
///     adam.descend(&mut theta, &gradient, 0.01);
/// }
/// assert!((theta[0] - 3.0).abs() < 1e-2);
/// ```
#[derive(Debug, Clone)]
pub struct Adam<F> {
    config: AdamConfig,
    first: Vec<F>,
    second: Vec<F>,
    steps: i32,
}

impl<F: Real> Adam<F> {
    /// An optimiser of `params` parameters.
    #[must_use]
    pub fn new(config: AdamConfig, params: usize) -> Self {
        Adam {
            config,
            first: vec![F::default(); params],
            second: vec![F::default(); params],
            steps: 0,
        }
    }

    /// Takes other constants from the next step on.
    pub(super) fn configure(&mut self, config: AdamConfig) {
        self.config = config;
    }

    /// One step down the gradient with learning rate `rate`.
    pub fn descend(&mut self, params: &mut [F], gradient: &[F], rate: f64) {
        self.step(params, gradient, rate, 1.0);
    }

    /// One step up the gradient with learning rate `rate`.
    pub fn ascend(&mut self, params: &mut [F], gradient: &[F], rate: f64) {
        self.step(params, gradient, rate, -1.0);
    }

    /// The number of steps taken.
    #[must_use]
    pub fn steps(&self) -> i32 {
        self.steps
    }

    fn step(&mut self, params: &mut [F], gradient: &[F], rate: f64, sign: f64) {
        self.steps = self.steps.saturating_add(1);
        let AdamConfig {
            beta1,
            beta2,
            epsilon,
            weight_decay,
        } = self.config;
        let (c1, c2) = (1.0 - beta1.powi(self.steps), 1.0 - beta2.powi(self.steps));
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((theta, &g), (m, v)) in params.iter_mut().zip(gradient).zip(moments) {
            let g = sign * g.to_f64();
            let (m1, v1) = (
                beta1 * m.to_f64() + (1.0 - beta1) * g,
                beta2 * v.to_f64() + (1.0 - beta2) * g * g,
            );
            (*m, *v) = (F::from_f64(m1), F::from_f64(v1));
            let t = theta.to_f64();
            *theta =
                F::from_f64(t - rate * (m1 / c1 / ((v1 / c2).sqrt() + epsilon) + weight_decay * t));
        }
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact cases")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The first step of Adam has the size of the learning rate in every coordinate, whatever the gradient's scale.
        #[test]
        fn first_step_is_the_learning_rate(g in prop_oneof![-1e3_f64..-1e-3, 1e-3_f64..1e3], rate in 1e-4_f64..1.0) {
            let mut theta = [0.0];
            Adam::new(AdamConfig { epsilon: 0.0, ..AdamConfig::default() }, 1).descend(&mut theta, &[g], rate);
            prop_assert!((theta[0] + rate * g.signum()).abs() < 1e-12);
        }

        /// Climbing a function is descending its negative.
        #[test]
        fn ascent_is_descent_of_the_negative(g in -10.0_f64..10.0, start in -1.0_f64..1.0) {
            let (mut up, mut down) = ([start], [start]);
            Adam::new(AdamConfig::default(), 1).ascend(&mut up, &[g], 0.1);
            Adam::new(AdamConfig::default(), 1).descend(&mut down, &[-g], 0.1);
            prop_assert_eq!(up, down);
        }

        /// With a zero gradient, AdamW shrinks a parameter by the rate times the decay, and Adam leaves it.
        #[test]
        fn decay_is_decoupled(start in -5.0_f64..5.0, decay in 0.0_f64..0.5) {
            let mut theta = [start];
            let config = AdamConfig { weight_decay: decay, ..AdamConfig::default() };
            Adam::new(config, 1).descend(&mut theta, &[0.0], 0.1);
            prop_assert!((theta[0] - start * (1.0 - 0.1 * decay)).abs() < 1e-12);
        }
    }
}
