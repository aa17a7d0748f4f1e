//! Simultaneous external and internal regret with poly(T) work for any number of actions: sampled modification maps and a smooth oracle.

use std::collections::BTreeMap;

use rand::{Rng, RngExt};

use super::fixed_point::fixed_point;
use super::learner::{OracleLearner, check_horizon, check_rewards};
use super::smooth::SmoothOracle;
use crate::error::{Argument, GamesError, real};

#[derive(Debug, Clone)]
struct Played {
    /// $\sum_\tau x_\tau(i)\thinspace g_\tau$ as a reward vector.
    total: Vec<f64>,
    /// $\sum_\tau x_\tau(i)\thinspace g_\tau(i)$.
    own: f64,
    /// Log weight of all maps $i\to j$ together.
    mass: f64,
}

/// The paper's efficient rule as we reconstruct it: exponential weights over modification maps, of which $m$ a round are sampled, and the fixed
/// point of their average (arXiv 2312.04792: sparse convex combinations of modification maps and a fixed-point computation; the details
/// are our formulation).
///
/// The maps are all replacements $i\to j$ and all constants; half of the prior lies on either kind. Round: draw $m$ maps from the weights
/// through the [`SmoothOracle`], average them, play the stationary distribution of the average, which touches at most $2m$ actions. Time and memory are
/// polynomial in $T$ and $m$, whatever the number of actions $N$. The exact weights would give internal regret at most $\sqrt{2T\ln(2N^2)}$ and external at most
/// $\sqrt{2T\ln(2N)}$-order; sampling adds $O(\sqrt{\ln N/m})$ a round.
///
/// ```
/// use hindsight_games::repeated::{OracleLearner, ProductActions, SampledModifications};
/// use rand::SeedableRng;
/// let actions = ProductActions::new(&[2; 20])?; // 2^20 actions
/// let mut learner = SampledModifications::new(actions, 50, 50, rand_pcg::Pcg64::seed_from_u64(1))?;
/// for _ in 0..50 {
///     let play = learner.play()?.to_vec(); // sparse: (action, probability)
///     assert!(play.len() <= 100);
///     learner.observe(&[0.05, 0.0].repeat(20))?; // each factor's first option pays 1/20
/// }
/// assert!(learner.regrets().external < 25.0);
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SampledModifications<O, R> {
    oracle: O,
    rng: R,
    rate: f64,
    samples: usize,
    played: BTreeMap<u64, Played>,
    total: Vec<f64>,
    own: f64,
    constant_mass: f64,
    play: Vec<(u64, f64)>,
    fresh: bool,
    rounds: usize,
    calls: usize,
    scratch: Vec<f64>,
}

/// One modification map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Map {
    Constant(u64),
    Replace(u64, u64),
}

impl<O: SmoothOracle, R: Rng> SampledModifications<O, R> {
    /// A learner for `horizon` rounds that draws `samples` maps a round.
    ///
    /// # Errors
    /// [`GamesError::Empty`] for no rounds, samples or actions.
    pub fn new(oracle: O, horizon: usize, samples: usize, rng: R) -> Result<Self, GamesError> {
        check_horizon(horizon)?;
        if samples == 0 || oracle.actions() == 0 {
            return Err(GamesError::Empty {
                argument: Argument::Samples,
            });
        }
        let ln_maps = ln(2) + 2.0 * ln(oracle.actions());
        let d = oracle.dimension();
        let mut learner = Self {
            rate: 0.5 * (8.0 * ln_maps / real(horizon)).sqrt(),
            samples,
            played: BTreeMap::new(),
            total: vec![0.0; d],
            own: 0.0,
            constant_mass: 0.0,
            play: Vec::new(),
            fresh: false,
            rounds: 0,
            calls: 0,
            scratch: vec![0.0; d],
            oracle,
            rng,
        };
        learner.constant_mass = learner.log_constants();
        Ok(learner)
    }

    fn log_constants(&mut self) -> f64 {
        for (s, t) in self.scratch.iter_mut().zip(&self.total) {
            *s = self.rate * t;
        }
        self.calls += 1;
        self.oracle.log_partition(&self.scratch)
            - self.rate * self.own
            - ln(2)
            - ln(self.oracle.actions())
    }

    fn draw_maps(&mut self) -> Vec<Map> {
        let n = self.oracle.actions();
        let rest = n - self.played.len() as u64;
        // Categories: constants, replacements of actions never played (gain 0), of each played action.
        let unplayed = if rest > 0 {
            ln(rest) - ln(2) - ln(n)
        } else {
            f64::NEG_INFINITY
        };
        let top = self
            .played
            .values()
            .map(|p| p.mass)
            .fold(self.constant_mass.max(unplayed), f64::max);
        let keys: Vec<u64> = self.played.keys().copied().collect();
        let mut sums = vec![(self.constant_mass - top).exp(), (unplayed - top).exp()];
        sums.extend(self.played.values().map(|p| (p.mass - top).exp()));
        let mut running = 0.0;
        for s in &mut sums {
            running += *s;
            *s = running;
        }
        let mut maps = Vec::with_capacity(self.samples);
        for _ in 0..self.samples {
            let u = self.rng.random::<f64>() * running;
            let category = sums.partition_point(|s| *s <= u).min(sums.len() - 1);
            let map = match category {
                0 => {
                    for (s, t) in self.scratch.iter_mut().zip(&self.total) {
                        *s = self.rate * t;
                    }
                    self.calls += 1;
                    Map::Constant(self.oracle.sample(&self.scratch, &mut self.rng))
                }
                1 => {
                    // Rejection: played actions are at most half of all, or else few enough to list.
                    let mut from = self.rng.random_range(0..n);
                    while self.played.contains_key(&from) {
                        from = self.rng.random_range(0..n);
                    }
                    Map::Replace(from, self.rng.random_range(0..n))
                }
                c => {
                    let from = keys[c - 2];
                    for (s, t) in self.scratch.iter_mut().zip(&self.played[&from].total) {
                        *s = self.rate * t;
                    }
                    self.calls += 1;
                    Map::Replace(from, self.oracle.sample(&self.scratch, &mut self.rng))
                }
            };
            maps.push(map);
        }
        maps
    }

    /// Total regrets of the mixed plays so far, over all $N$ actions.
    #[must_use]
    pub fn regrets(&self) -> super::Regrets {
        let gain = |p: &Played| (self.oracle.best(&p.total) - p.own).max(0.0);
        super::Regrets {
            rounds: self.rounds,
            external: self.oracle.best(&self.total) - self.own,
            internal: self.played.values().map(gain).fold(0.0, f64::max),
            swap: self.played.values().map(gain).sum(),
        }
    }
}

impl<O: SmoothOracle, R: Rng> OracleLearner for SampledModifications<O, R> {
    /// Pairs of action and probability, in order of action.
    type Play = [(u64, f64)];

    fn dimension(&self) -> usize {
        self.oracle.dimension()
    }

    fn play(&mut self) -> Result<&[(u64, f64)], GamesError> {
        if !self.fresh {
            let maps = self.draw_maps();
            self.play = fixed_point(&maps)?;
            self.fresh = true;
        }
        Ok(&self.play)
    }

    /// Every action's reward must lie in $\[0,1\]$.
    fn observe(&mut self, rewards: &[f64]) -> Result<(), GamesError> {
        check_rewards(self.oracle.dimension(), rewards)?;
        for value in [self.oracle.worst(rewards), self.oracle.best(rewards)] {
            if !(-1e-9..=1.0 + 1e-9).contains(&value) {
                return Err(GamesError::OutOfRange {
                    argument: Argument::Reward,
                    interval: "[0, 1]",
                    value,
                });
            }
        }
        self.play()?;
        let n = self.oracle.actions();
        for (action, x) in std::mem::take(&mut self.play) {
            let g = self.oracle.reward(rewards, action);
            self.own += x * g;
            let d = self.total.len();
            let entry = self.played.entry(action).or_insert_with(|| Played {
                total: vec![0.0; d],
                own: 0.0,
                mass: 0.0,
            });
            entry.own += x * g;
            for ((t, r), s) in entry.total.iter_mut().zip(rewards).zip(&mut self.scratch) {
                *t += x * r;
                *s = self.rate * *t;
            }
            self.calls += 1;
            entry.mass = self.oracle.log_partition(&self.scratch)
                - self.rate * entry.own
                - ln(2)
                - 2.0 * ln(n);
        }
        for (t, r) in self.total.iter_mut().zip(rewards) {
            *t += r;
        }
        self.constant_mass = self.log_constants();
        self.rounds += 1;
        self.fresh = false;
        Ok(())
    }

    /// Samples and partition functions.
    fn oracle_calls(&self) -> usize {
        self.calls
    }
}

#[allow(clippy::cast_precision_loss)] // a logarithm of a count: relative error 1e-16
fn ln(n: u64) -> f64 {
    (n as f64).ln()
}

#[cfg(test)]
mod tests {
    use super::super::learner::opponents::rng;
    use super::super::smooth::ProductActions;
    use super::*;

    /// A round's rewards: one option of each factor pays, chosen against the play or drifting.
    fn rewards(
        learner: &mut SampledModifications<ProductActions, rand_pcg::Pcg64>,
        t: usize,
        against: bool,
        generator: &mut rand_pcg::Pcg64,
    ) -> Vec<f64> {
        let factors = learner.oracle.factors().to_vec();
        let share = 1.0 / factors.len() as f64;
        let mut out = Vec::new();
        let play = learner.play().unwrap().to_vec();
        for (f, &k) in factors.iter().enumerate() {
            let mut weight = vec![0.0; k];
            for &(a, p) in &play {
                weight[learner.oracle.options(a)[f]] += p;
            }
            for (option, w) in weight.iter().enumerate() {
                out.push(if against {
                    if *w <= 1.0 / k as f64 { share } else { 0.0 }
                } else if option == (t / 40 + f) % k {
                    share
                } else {
                    share * 0.5 * generator.random::<f64>()
                });
            }
        }
        out
    }

    #[test]
    fn regret_is_flat_in_the_number_of_actions_up_to_a_million() {
        let (horizon, samples) = (300, 300);
        let mut calls = Vec::new();
        for against in [false, true] {
            for bits in [4u32, 8, 14, 20] {
                let oracle = ProductActions::new(&vec![2; bits as usize]).unwrap();
                let mut learner =
                    SampledModifications::new(oracle, horizon, samples, rng(u64::from(bits)))
                        .unwrap();
                let mut generator = rng(7);
                for t in 0..horizon {
                    let g = rewards(&mut learner, t, against, &mut generator);
                    learner.observe(&g).unwrap();
                }
                let r = learner.regrets().average();
                let ln_n = f64::from(bits) * 2.0f64.ln();
                let (t, m) = (horizon as f64, samples as f64);
                let exact = (2.0 * (2.0 * 2.0f64.powf(2.0 * f64::from(bits))).ln() / t).sqrt();
                let sampling = (2.0 * ln_n / m).sqrt();
                assert!(
                    r.external <= exact + sampling && r.internal <= exact + sampling,
                    "{bits} {r:?}"
                );
                // Observed regrets stay far below the square root of ln N / T.
                assert!(
                    r.internal <= 0.6 * (ln_n / t).sqrt() && r.external <= 1.1 * (ln_n / t).sqrt(),
                    "{bits} {r:?}"
                );
                // At most m draws, 2m updates and one constant a round, whatever N.
                assert!(learner.oracle_calls() <= horizon * (3 * samples + 1) + 1);
                calls.push(learner.oracle_calls());
            }
        }
        assert!(calls.iter().max().unwrap() < &(horizon * 3 * samples));
    }

    #[test]
    fn maps_are_drawn_from_the_exact_weights() {
        // Three binary factors: N = 8, so all 64 replacements and 8 constants can be listed.
        let oracle = ProductActions::new(&[2, 2, 2]).unwrap();
        let mut learner = SampledModifications::new(oracle.clone(), 60, 40, rng(1)).unwrap();
        let mut generator = rng(2);
        let mut history = Vec::new();
        for t in 0..30 {
            let g = rewards(&mut learner, t, false, &mut generator);
            history.push((learner.play().unwrap().to_vec(), g.clone()));
            learner.observe(&g).unwrap();
        }
        let chi2 =
            |rate: f64, learner: &mut SampledModifications<ProductActions, rand_pcg::Pcg64>| {
                let gain = |map: Map| -> f64 {
                    history
                        .iter()
                        .map(|(x, g)| {
                            x.iter()
                                .map(|&(a, p)| {
                                    let to = match map {
                                        Map::Constant(j) => j,
                                        Map::Replace(i, j) => {
                                            if a == i {
                                                j
                                            } else {
                                                a
                                            }
                                        }
                                    };
                                    p * (oracle.reward(g, to) - oracle.reward(g, a))
                                })
                                .sum::<f64>()
                        })
                        .sum()
                };
                let mut all: Vec<(Map, f64)> = Vec::new();
                for j in 0..8 {
                    all.push((
                        Map::Constant(j),
                        (rate * gain(Map::Constant(j))).exp() / 16.0,
                    ));
                    for i in 0..8 {
                        all.push((
                            Map::Replace(i, j),
                            (rate * gain(Map::Replace(i, j))).exp() / 128.0,
                        ));
                    }
                }
                let total: f64 = all.iter().map(|a| a.1).sum();
                let mut counts = vec![0.0; all.len()];
                let draws = 1000;
                for _ in 0..draws {
                    for map in learner.draw_maps() {
                        counts[all.iter().position(|a| a.0 == map).unwrap()] += 1.0;
                    }
                }
                let sum: f64 = counts.iter().sum();
                counts
                    .iter()
                    .zip(&all)
                    .map(|(c, (_, w))| (c - sum * w / total).powi(2) / (sum * w / total))
                    .sum::<f64>()
            };
        // 71 degrees of freedom: 112 has probability 0.0014.
        let rate = learner.rate;
        assert!(chi2(rate, &mut learner) < 112.0);
        assert!(
            chi2(rate * 1.2, &mut learner) > 112.0,
            "weights with a wrong rate must be caught"
        );
    }

    #[test]
    fn rewards_outside_the_unit_interval_are_refused() {
        let mut learner =
            SampledModifications::new(ProductActions::new(&[2, 2]).unwrap(), 5, 5, rng(0)).unwrap();
        assert!(matches!(
            learner.observe(&[0.9, 0.0, 0.9, 0.0]),
            Err(GamesError::OutOfRange { .. })
        ));
        assert!(matches!(
            ProductActions::new(&[2; 64]),
            Err(GamesError::TooLarge { .. })
        ));
    }
}
