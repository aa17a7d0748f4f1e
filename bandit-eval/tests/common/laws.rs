//! Laws of logs whose truth is known, for the studies of coverage.

use hindsight_bandit_eval::Round;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp1, StandardNormal};

/// What is random about a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Law {
    /// Rewards of 0 and 1, five actions, a logging policy that leans.
    Clicks,
    /// Log-normal rewards: skewness 6.
    Skewed,
    /// The target wants an action that is logged in one round of twenty-five.
    Rare,
    /// Weights up to 100, of which most rounds have hardly any.
    Heavy,
    /// Rewards about 3, with little noise.
    Offset,
    /// Rewards that rise with the weight, ten actions, a target that does not randomise.
    Together,
}

pub(crate) const LAWS: [Law; 6] = [
    Law::Clicks,
    Law::Skewed,
    Law::Rare,
    Law::Heavy,
    Law::Offset,
    Law::Together,
];

/// One round: logging policy, target, mean reward and prediction of each action, and what was done.
pub(crate) struct Drawn {
    pub(crate) logging: Vec<f64>,
    pub(crate) target: Vec<f64>,
    pub(crate) mean: Vec<f64>,
    pub(crate) predicted: Vec<f64>,
    pub(crate) action: usize,
    pub(crate) reward: f64,
}

fn normalised(weights: &[f64]) -> Vec<f64> {
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|w| w / sum).collect()
}

impl Law {
    pub(crate) fn draw<R: Rng>(self, rng: &mut R) -> Drawn {
        let x: f64 = rng.random();
        let (logging, target, mean): (Vec<f64>, Vec<f64>, Vec<f64>) = match self {
            Law::Clicks => (
                normalised(&[1.0, 2.0, 3.0, 2.0 + 2.0 * x, 2.0]),
                normalised(&[3.0, 2.0, 1.0, 1.0, 2.0 - x]),
                (0..5)
                    .map(|k| 0.05 + 0.02 * f64::from(k) + 0.1 * x)
                    .collect(),
            ),
            Law::Skewed => (
                normalised(&[1.0, 1.0 + x, 2.0]),
                normalised(&[2.0, 1.0, 1.0]),
                vec![1.0 + x, 0.5, 2.0 * x],
            ),
            Law::Rare => (
                vec![0.96 - 0.04 * x, 0.04 * x + 0.01, 0.03],
                vec![0.2, 0.0, 0.8],
                vec![0.3, 0.9, 0.6],
            ),
            Law::Heavy => {
                let p = 0.01 + 0.3 * x * x;
                (vec![1.0 - p, p], vec![0.5, 0.5], vec![0.4 + 0.2 * x, 0.5])
            }
            Law::Offset => (
                normalised(&[1.0, 3.0, 1.0 + x]),
                normalised(&[3.0, 1.0, 1.0]),
                vec![3.1, 2.9, 3.0 + 0.2 * x],
            ),
            Law::Together => {
                let best = (10.0 * x) as usize % 10;
                let logging: Vec<f64> = (0..10)
                    .map(|k| if k == best { 0.05 } else { 0.95 / 9.0 })
                    .collect();
                let target = (0..10).map(|k| f64::from(u8::from(k == best))).collect();
                let mean = (0..10)
                    .map(|k| if k == best { 1.0 + x } else { 0.2 })
                    .collect();
                (logging, target, mean)
            }
        };
        let mut u: f64 = rng.random();
        let mut action = 0;
        while action + 1 < logging.len() && u >= logging[action] {
            u -= logging[action];
            action += 1;
        }
        let m = mean[action];
        let normal: f64 = StandardNormal.sample(rng);
        let reward = match self {
            Law::Clicks | Law::Heavy | Law::Rare => f64::from(u8::from(rng.random::<f64>() < m)),
            Law::Skewed => m * (normal - 0.5).exp(),
            Law::Offset => m + 0.3 * normal,
            Law::Together => m * <Exp1 as Distribution<f64>>::sample(&Exp1, rng),
        };
        // A model that is off, and not by the same for all actions.
        let predicted = mean
            .iter()
            .enumerate()
            .map(|(k, m)| 0.7 * m + 0.05 * k as f64)
            .collect();
        Drawn {
            logging,
            target,
            mean,
            predicted,
            action,
            reward,
        }
    }

    /// The target's value, by a million contexts.
    #[allow(dead_code, reason = "each test uses its part")]
    pub(crate) fn truth<R: Rng>(self, rng: &mut R) -> f64 {
        let n = 1_000_000;
        let value = |d: &Drawn| {
            d.target
                .iter()
                .zip(&d.mean)
                .map(|(p, m)| p * m)
                .sum::<f64>()
        };
        (0..n).map(|_| value(&self.draw(rng))).sum::<f64>() / f64::from(n)
    }
}

impl Drawn {
    pub(crate) fn round(&self) -> Round<'_> {
        Round {
            action: self.action,
            reward: self.reward,
            propensity: self.logging[self.action],
            target: &self.target,
            predicted: Some(&self.predicted),
            logging: Some(&self.logging),
        }
    }
}
