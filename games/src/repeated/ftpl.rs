//! Follow the perturbed leader with an optimisation oracle: never lists the actions.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::learner::{OracleLearner, check_actions, check_rewards};
use crate::error::{Argument, GamesError, positive};

/// A set of actions seen only through linear optimisation: each action is a vector, its reward the inner product with the round's
/// reward vector.
pub trait OptimisationOracle {
    /// Length of the vectors.
    fn dimension(&self) -> usize;

    /// Writes an action with the largest inner product with `direction` into `action`. The contract is exact optimisation; an oracle with additive error
    /// $\epsilon$ adds at most $\epsilon$ a round to the regret.
    fn maximise(&mut self, direction: &[f64], action: &mut [f64]);
}

/// The oracle over single actions: the vectors are the unit vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SingleActions(
    /// Number of actions.
    pub usize,
);

impl OptimisationOracle for SingleActions {
    fn dimension(&self) -> usize {
        self.0
    }
    fn maximise(&mut self, direction: &[f64], action: &mut [f64]) {
        let mut best = 0;
        for (i, v) in direction.iter().enumerate() {
            if *v > direction[best] {
                best = i;
            }
        }
        action.fill(0.0);
        action[best] = 1.0;
    }
}

/// The oracle over choices of `chosen` out of `items`: $\binom{n}{m}$ actions, one partial sort a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subsets {
    /// Number of items $n$.
    pub items: usize,
    /// Number chosen $m$; at most `items` are chosen.
    pub chosen: usize,
}

impl OptimisationOracle for Subsets {
    fn dimension(&self) -> usize {
        self.items
    }
    fn maximise(&mut self, direction: &[f64], action: &mut [f64]) {
        let mut order: Vec<usize> = (0..direction.len()).collect();
        order.sort_by(|&a, &b| direction[b].total_cmp(&direction[a]));
        action.fill(0.0);
        for &i in order.iter().take(self.chosen) {
            action[i] = 1.0;
        }
    }
}

/// The noise added to cumulative rewards, drawn afresh each round for every coordinate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Noise {
    /// Gumbel noise of scale $1/\eta$: over single actions the play is Hedge with rate $\eta$ in expectation.
    Gumbel {
        /// The rate $\eta$.
        rate: f64,
    },
    /// Gaussian noise.
    Gaussian {
        /// The standard deviation.
        deviation: f64,
    },
}

/// Follow the perturbed leader: each round plays $\arg\max_a\langle\sum_{\tau<t}g_\tau+Z_t,a\rangle$ with fresh noise $Z_t$; one oracle call a round.
///
/// Over $K$ single actions with Gumbel noise of rate $\sqrt{8\ln K/T}$ the expected external regret is at most $\sqrt{T\ln K/2}$, as for Hedge. A plain
/// best-response oracle without noise (fictitious play) has no such bound, and no algorithm with only such an oracle
/// beats about $\sqrt N$ total work against an adversary (Hazan and Koren 2016).
///
/// ```
/// use hindsight_games::repeated::{Ftpl, Noise, OracleLearner, Subsets};
/// use rand::SeedableRng;
/// let rng = rand_pcg::Pcg64::seed_from_u64(1);
/// // Choose 3 of 40 items each round: 9880 actions, none listed.
/// let mut ftpl = Ftpl::new(Subsets { items: 40, chosen: 3 }, Noise::Gaussian { deviation: 2.0 }, rng)?;
/// assert_eq!(ftpl.play()?.iter().sum::<f64>(), 3.0);
/// ftpl.observe(&[0.1; 40])?;
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Ftpl<O, R> {
    oracle: O,
    noise: Noise,
    rng: R,
    total: Vec<f64>,
    perturbed: Vec<f64>,
    action: Vec<f64>,
    calls: usize,
    fresh: bool,
}

impl<O: OptimisationOracle, R: Rng> Ftpl<O, R> {
    /// A learner over the oracle's actions.
    ///
    /// # Errors
    /// [`GamesError::Empty`] for a dimension of 0; [`GamesError::OutOfRange`] or [`GamesError::NotFinite`] for the noise.
    pub fn new(oracle: O, noise: Noise, rng: R) -> Result<Self, GamesError> {
        let d = check_actions(oracle.dimension())?;
        match noise {
            Noise::Gumbel { rate } => positive(Argument::Rate, rate)?,
            Noise::Gaussian { deviation } => positive(Argument::Deviation, deviation)?,
        };
        Ok(Self {
            oracle,
            noise,
            rng,
            total: vec![0.0; d],
            perturbed: vec![0.0; d],
            action: vec![0.0; d],
            calls: 0,
            fresh: false,
        })
    }

    /// The total reward of the best fixed action: one oracle call without noise, not counted.
    pub fn best_fixed(&mut self) -> f64 {
        let mut best = vec![0.0; self.total.len()];
        self.oracle.maximise(&self.total, &mut best);
        crate::game::dot(&best, &self.total)
    }
}

impl<O: OptimisationOracle, R: Rng> OracleLearner for Ftpl<O, R> {
    type Play = [f64];

    fn dimension(&self) -> usize {
        self.total.len()
    }

    fn play(&mut self) -> Result<&[f64], GamesError> {
        if !self.fresh {
            for (p, t) in self.perturbed.iter_mut().zip(&self.total) {
                *p = t + match self.noise {
                    Noise::Gumbel { rate } => gumbel(&mut self.rng) / rate,
                    Noise::Gaussian { deviation } => {
                        deviation * self.rng.sample::<f64, _>(StandardNormal)
                    }
                };
            }
            self.oracle.maximise(&self.perturbed, &mut self.action);
            self.calls += 1;
            self.fresh = true;
        }
        Ok(&self.action)
    }

    fn observe(&mut self, rewards: &[f64]) -> Result<(), GamesError> {
        check_rewards(self.total.len(), rewards)?;
        for (t, g) in self.total.iter_mut().zip(rewards) {
            *t += g;
        }
        self.fresh = false;
        Ok(())
    }

    fn oracle_calls(&self) -> usize {
        self.calls
    }
}

/// A sample of the standard Gumbel distribution.
pub(crate) fn gumbel<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    // The middle of one of 2^53 equal cells: never 0 or 1.
    let u = rng.random::<f64>() + 0.5 / 9_007_199_254_740_992.0;
    -(-u.ln()).ln()
}

/// Draws an index with the given probabilities.
///
/// # Errors
/// [`GamesError::NotADistribution`] and the like for wrong probabilities.
pub fn sample_action<R: Rng + ?Sized>(
    probabilities: &[f64],
    rng: &mut R,
) -> Result<usize, GamesError> {
    crate::error::distribution(Argument::Probabilities, probabilities)?;
    Ok(draw(probabilities, rng))
}

/// Draws an index in proportion to non-negative weights that sum to about one.
pub(crate) fn draw<R: Rng + ?Sized>(weights: &[f64], rng: &mut R) -> usize {
    let mut u: f64 = rng.random();
    for (i, w) in weights.iter().enumerate() {
        u -= w;
        if u < 0.0 {
            return i;
        }
    }
    weights.iter().rposition(|w| *w > 0.0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::RegretAccount;
    use super::super::learner::opponents::rng;
    use super::*;
    use crate::laws::Adversary;

    #[test]
    fn gumbel_noise_plays_hedge_in_expectation() {
        let total = [3.0, 1.0, 0.0, 2.5];
        let rate = 0.7;
        let mut expected = [0.0; 4];
        super::super::hedge::softmax(rate, &total, &mut expected);
        let draws = 40_000;
        let chi2 = |rate: f64| {
            let mut ftpl = Ftpl::new(SingleActions(4), Noise::Gumbel { rate }, rng(3)).unwrap();
            let mut counts = [0.0; 4];
            ftpl.observe(&total).unwrap();
            for _ in 0..draws {
                let at = ftpl.play().unwrap().iter().position(|x| *x == 1.0).unwrap();
                counts[at] += 1.0;
                ftpl.observe(&[0.0; 4]).unwrap();
            }
            counts
                .iter()
                .zip(&expected)
                .map(|(c, p)| (c - p * f64::from(draws)).powi(2) / (p * f64::from(draws)))
                .sum::<f64>()
        };
        // 3 degrees of freedom: 16.27 has probability 0.001. A rate 5 % off must be caught.
        assert!(chi2(rate) < 16.27);
        assert!(chi2(rate * 1.05) > 16.27);
    }

    #[test]
    fn perturbed_leader_on_subsets_has_small_regret_and_one_call_a_round() {
        let (items, chosen, horizon) = (30, 4, 2000);
        let mut ftpl = Ftpl::new(
            Subsets { items, chosen },
            Noise::Gumbel { rate: 0.08 },
            rng(5),
        )
        .unwrap();
        let mut generator = rng(6);
        let (mut g, mut got) = (vec![0.0; items], 0.0);
        for t in 0..horizon {
            Adversary::Drift.rewards(t, &[], &mut generator, &mut g);
            g.iter_mut().for_each(|r| *r /= chosen as f64);
            got += crate::game::dot(ftpl.play().unwrap(), &g);
            ftpl.observe(&g).unwrap();
        }
        let average = (ftpl.best_fixed() - got) / horizon as f64;
        assert_eq!(ftpl.oracle_calls(), horizon);
        // ln C(30, 4) = 10.2: sqrt(ln N / (2T)) = 0.05.
        assert!(average < 0.1, "{average}");
    }

    #[test]
    fn fictitious_play_fails_where_noise_helps() {
        // Rewards alternate so that the leader always loses; without noise regret is linear.
        let horizon = 2000;
        let regret = |deviation: f64| {
            let mut ftpl =
                Ftpl::new(SingleActions(2), Noise::Gaussian { deviation }, rng(9)).unwrap();
            let mut account = RegretAccount::new(2).unwrap();
            for t in 0..horizon {
                let g = if t == 0 {
                    [0.5, 0.0]
                } else if t % 2 == 1 {
                    [0.0, 1.0]
                } else {
                    [1.0, 0.0]
                };
                let x = ftpl.play().unwrap().to_vec();
                account.record(&x, &g).unwrap();
                ftpl.observe(&g).unwrap();
            }
            account.external() / horizon as f64
        };
        assert!(regret(1e-9) > 0.4);
        assert!(regret(30.0) < 0.05);
    }
}
