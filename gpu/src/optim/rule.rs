//! A whole step of an optimiser: clip, Adam, average.

use super::{Adam, AdamConfig, clip_norm};
use crate::kernel::real::Real;

/// What a step does with a gradient: it is clipped, Adam moves the parameters up it, and the running average follows them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rule {
    /// Largest Euclidean norm of the gradient; infinity leaves it as it is.
    pub clip: f64,
    /// The constants of Adam.
    pub adam: AdamConfig,
    /// Decay of the running average of the parameters (Polyak averaging), in [0, 1); 0 follows them exactly. In step $s = 1, 2, \dots$
    /// it is at most $s / (s + 9)$, so that the first parameters are soon forgotten.
    pub averaging: f64,
}

impl Default for Rule {
    /// No clipping, Adam as published, no averaging.
    fn default() -> Self {
        Rule {
            clip: f64::INFINITY,
            adam: AdamConfig::default(),
            averaging: 0.0,
        }
    }
}

/// Parameters with the state of their optimiser.
///
/// ```
/// use hindsight_gpu::optim::{Optimizer, Rule};
/// let mut optimizer = Optimizer::new(vec![1.0_f64]);
/// for _ in 0..2000 {
///     let slope = -2.0 * (optimizer.params()[0] - 3.0);
///     optimizer.ascend(&Rule::default(), &mut [slope], 0.01);
/// }
/// assert!((optimizer.params()[0] - 3.0).abs() < 1e-2);
/// ```
#[derive(Debug, Clone)]
pub struct Optimizer<F> {
    params: Vec<F>,
    average: Vec<F>,
    adam: Adam<F>,
}

impl<F: Real> Optimizer<F> {
    /// Parameters before the first step.
    #[must_use]
    pub fn new(params: Vec<F>) -> Self {
        Optimizer {
            average: params.clone(),
            adam: Adam::new(AdamConfig::default(), params.len()),
            params,
        }
    }

    /// The parameters.
    #[must_use]
    pub fn params(&self) -> &[F] {
        &self.params
    }

    /// The running average of the parameters over the steps taken.
    #[must_use]
    pub fn average(&self) -> &[F] {
        &self.average
    }

    /// One step up a gradient, which is clipped on the way, with learning rate `rate`.
    pub fn ascend(&mut self, rule: &Rule, gradient: &mut [F], rate: f64) {
        clip_norm(gradient, rule.clip);
        self.adam.configure(rule.adam);
        self.adam.ascend(&mut self.params, gradient, rate);
        let step = f64::from(self.adam.steps());
        let decay = rule.averaging.min(step / (step + 9.0));
        for (mean, now) in self.average.iter_mut().zip(&self.params) {
            *mean = F::from_f64(decay * mean.to_f64() + (1.0 - decay) * now.to_f64());
        }
    }

    /// As [`ascend`](Self::ascend), where parameters that are not `trained` stay as they are, whatever the decay of the weights.
    pub(crate) fn ascend_some(
        &mut self,
        rule: &Rule,
        gradient: &mut [F],
        rate: f64,
        trained: &[bool],
    ) {
        if trained.iter().all(|&t| t) {
            return self.ascend(rule, gradient, rate);
        }
        let before = (self.params.clone(), self.average.clone());
        self.ascend(rule, gradient, rate);
        for (i, _) in trained.iter().enumerate().filter(|&(_, &t)| !t) {
            (self.params[i], self.average[i]) = (before.0[i], before.1[i]);
        }
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact cases")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What is frozen keeps its bits under weight decay, and what is trained moves as it would alone.
        #[test]
        fn frozen_parameters_do_not_move(start in prop::collection::vec(-2.0..2.0_f64, 2..9), rate in 1e-3..0.5_f64) {
            let trained: Vec<bool> = (0..start.len()).map(|i| i % 2 == 0).collect();
            let rule = Rule { adam: AdamConfig { weight_decay: 0.3, ..AdamConfig::default() }, averaging: 0.5, ..Rule::default() };
            let mut some = Optimizer::new(start.clone());
            let mut alone = Optimizer::new(start.iter().copied().step_by(2).collect());
            for _ in 0..3 {
                let mut gradient: Vec<f64> = trained.iter().map(|&t| if t { 0.7 } else { 0.0 }).collect();
                some.ascend_some(&rule, &mut gradient, rate, &trained);
                let mut gradient = vec![0.7; alone.params().len()];
                alone.ascend(&rule, &mut gradient, rate);
            }
            let every = |values: &[f64], first: usize| values.iter().copied().skip(first).step_by(2).collect::<Vec<_>>();
            prop_assert_eq!(every(some.params(), 1), every(&start, 1));
            prop_assert_eq!(every(some.params(), 0), alone.params());
            prop_assert_eq!(every(some.average(), 0), alone.average());
        }

        /// The average of parameters that stand still is where they stand, and without averaging it is the parameters.
        #[test]
        fn an_average_follows(start in -5.0..5.0_f64, averaging in 0.0..0.99_f64) {
            let mut still = Optimizer::new(vec![start]);
            let mut plain = Optimizer::new(vec![start]);
            for _ in 0..5 {
                still.ascend(&Rule { averaging, ..Rule::default() }, &mut [0.0], 0.1);
                plain.ascend(&Rule::default(), &mut [1.0], 0.1);
            }
            prop_assert!((still.average()[0] - start).abs() < 1e-12 * start.abs().max(1.0));
            prop_assert_eq!(plain.average(), plain.params());
        }
    }
}
