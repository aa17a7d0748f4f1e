//! Who sets the rewards.

use proptest::prelude::Strategy;
use rand::{Rng, RngExt};

/// Sets the rewards of a round, in $\[0,1\]$, after it has seen the learner's distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adversary {
    /// Independent uniform rewards.
    Noise,
    /// 1 for the action with the least probability, 0 otherwise.
    Contrarian,
    /// A good action that changes every fifty rounds.
    Drift,
    /// Alternates between two actions.
    Flip,
}

impl Adversary {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Noise, Self::Contrarian, Self::Drift, Self::Flip];

    /// Writes the rewards of round `round`, counted from 0, one an action, against a play.
    pub fn rewards(self, round: usize, play: &[f64], rng: &mut impl Rng, out: &mut [f64]) {
        let actions = out.len().max(1);
        match self {
            Self::Noise => out.iter_mut().for_each(|r| *r = rng.random()),
            Self::Contrarian => {
                out.fill(0.0);
                let least = play.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1));
                if let Some(reward) = least.and_then(|(action, _)| out.get_mut(action)) {
                    *reward = 1.0;
                }
            }
            Self::Drift => {
                for (action, reward) in out.iter_mut().enumerate() {
                    let noise = 0.5 * rng.random::<f64>();
                    let good = action == round / 50 % actions;
                    *reward = if good { 0.9 } else { noise };
                }
            }
            Self::Flip => {
                out.fill(0.0);
                if let Some(reward) = out.get_mut(round % 2 % actions) {
                    *reward = 1.0;
                }
            }
        }
    }
}

/// Any [`Adversary`].
pub fn adversaries() -> impl Strategy<Value = Adversary> {
    proptest::sample::select(Adversary::ALL.to_vec())
}
