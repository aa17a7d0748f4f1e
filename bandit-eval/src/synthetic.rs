//! A made-up log whose truth is known: what examples and the command work on where there is no log of one's own.
//!
//! A shop orders `little`, `usual` or `much` of a product. It knows the trend of demand $z \in [-1, 1]$, uniform, and whether there is a deal $d$, in 30 % of
//! the rounds. An order earns, with normal noise of standard deviation 3,
//!
//! | order | mean reward | logged with probability | planned with probability |
//! |---|---|---|---|
//! | `little` | $8 - 3 z - 4 d$ | 0.2 | 0.1 |
//! | `usual` | $10$ | $0.6 - 0.2 d$ | $0.8 - 0.7 d$ |
//! | `much` | $8 + 3 z + 5 d$ | $0.2 + 0.2 d$ | $0.1 + 0.7 d$ |
//!
//! What is planned is the target policy: `much` on most deals. Predicted rewards are nine tenths of the means.
//!
//! ```
//! use hindsight_bandit_eval::{Estimator, Evaluation, synthetic::SyntheticLog, verdict::Limits};
//! let mut evaluation = Evaluation::new(&[Estimator::Dr])?;
//! for round in (SyntheticLog { seed: 7, rounds: 5_000 }).draw() {
//!     evaluation.push(&round.round())?;
//! }
//! let found = evaluation.estimate(Estimator::Dr, &Limits::default())?.expect("evaluable");
//! assert!(found.interval(0.95)?.contains(SyntheticLog::TARGET_VALUE));
//! # Ok::<(), hindsight_bandit_eval::Error>(())
//! ```

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

use crate::round::Round;

/// Names of the actions.
pub const ACTIONS: [&str; 3] = ["little", "usual", "much"];

/// A log to be drawn: the same seed and rounds give the same log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyntheticLog {
    /// Seed of everything random.
    pub seed: u64,
    /// Rounds.
    pub rounds: usize,
}

impl Default for SyntheticLog {
    /// Seed 7, 5,000 rounds.
    fn default() -> Self {
        SyntheticLog {
            seed: 7,
            rounds: 5_000,
        }
    }
}

/// A round of a made-up log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SyntheticRound {
    /// Trend of demand, in [-1, 1].
    pub trend: f64,
    /// Whether there is a deal.
    pub deal: bool,
    /// The logged action.
    pub action: usize,
    /// Its reward.
    pub reward: f64,
    /// Probabilities of the logging policy.
    pub logging: [f64; 3],
    /// Probabilities of the target policy.
    pub target: [f64; 3],
    /// Mean rewards.
    pub mean: [f64; 3],
    /// Predicted rewards.
    pub predicted: [f64; 3],
}

impl SyntheticRound {
    /// The round as an evaluation takes it.
    #[must_use]
    pub fn round(&self) -> Round<'_> {
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

impl SyntheticLog {
    /// What the target policy earns per round: 9.6 without a deal and 11.8 with one.
    pub const TARGET_VALUE: f64 = 0.7 * 9.6 + 0.3 * (0.1 * 4.0 + 0.1 * 10.0 + 0.8 * 13.0);

    /// What the policy that makes the log earns per round: 9.2 without a deal and 10 with one.
    pub const LOGGING_VALUE: f64 = 0.7 * 9.2 + 0.3 * (0.2 * 4.0 + 0.4 * 10.0 + 0.4 * 13.0);

    /// What the best policy earns per round: without a deal the larger of 10 and $8 + 3 \lvert z \rvert$, $10 + 1/6$ on average, with one the larger
    /// of 10 and $13 + 3 z$.
    pub const BEST_VALUE: f64 = 0.7 * (10.0 + 1.0 / 6.0) + 0.3 * 13.0;

    /// Draws the log, round by round.
    pub fn draw(&self) -> impl Iterator<Item = SyntheticRound> + use<> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        (0..self.rounds).map(move |_| {
            let trend: f64 = rng.random_range(-1.0..1.0);
            let deal = rng.random::<f64>() < 0.3;
            let d = f64::from(u8::from(deal));
            let logging = [0.2, 0.6 - 0.2 * d, 0.2 + 0.2 * d];
            let mean = [
                8.0 - 3.0 * trend - 4.0 * d,
                10.0,
                8.0 + 3.0 * trend + 5.0 * d,
            ];
            let u: f64 = rng.random();
            let action = usize::from(u >= logging[0]) + usize::from(u >= logging[0] + logging[1]);
            let noise: f64 = StandardNormal.sample(&mut rng);
            SyntheticRound {
                trend,
                deal,
                action,
                reward: mean[action] + 3.0 * noise,
                logging,
                target: [0.1, 0.8 - 0.7 * d, 0.1 + 0.7 * d],
                mean,
                predicted: mean.map(|m| 0.9 * m),
            }
        })
    }

    /// The log as CSV: a header, then a line per round, numbers with four digits after the point.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut text = "action,reward,propensity,context_trend,context_deal,deal".to_owned();
        for beginning in ["target", "predicted"] {
            for action in ACTIONS {
                text += &format!(",{beginning}_{action}");
            }
        }
        text.push('\n');
        for round in self.draw() {
            let SyntheticRound { action, deal, .. } = round;
            text += &format!(
                "{},{:.4},{:.4},{:.4},{},{}",
                ACTIONS[action],
                round.reward,
                round.logging[action],
                round.trend,
                u8::from(deal),
                if deal { "yes" } else { "no" },
            );
            for number in round.target.iter().chain(&round.predicted) {
                text += &format!(",{number:.4}");
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_earns_what_the_closed_forms_say() {
        let log = SyntheticLog {
            seed: 1,
            rounds: 400_000,
        };
        let n = log.rounds as f64;
        let (mut logged, mut target, mut best) = (0.0, 0.0, 0.0);
        for round in log.draw() {
            logged += round.reward / n;
            let value = |p: &[f64; 3]| p.iter().zip(&round.mean).map(|(p, m)| p * m).sum::<f64>();
            target += value(&round.target) / n;
            best += round.mean.into_iter().fold(0.0, f64::max) / n;
        }
        for (found, exact) in [
            (logged, SyntheticLog::LOGGING_VALUE),
            (target, SyntheticLog::TARGET_VALUE),
            (best, SyntheticLog::BEST_VALUE),
        ] {
            assert!((found - exact).abs() < 0.03, "{found} {exact}");
        }
    }

    #[test]
    fn a_seed_is_a_log() {
        let log = SyntheticLog::default();
        assert_eq!(log.to_csv(), log.to_csv());
        assert_ne!(log.to_csv(), SyntheticLog { seed: 8, ..log }.to_csv());
        assert_eq!(log.to_csv().lines().count(), 5_001);
    }
}
