//! Debates with exponentially many strategies: argument chains and sparse truth trees.

use std::collections::BTreeMap;

use rand::{Rng, RngExt};

use crate::error::{Argument, GamesError, real};
use crate::repeated::{ProductActions, SmoothOracle};

/// A debate of several exchanges: in each, both debaters choose one of several arguments, and a table says how much the first gains. The probability
/// that the first wins is $\tfrac12+\frac1{2L}\sum_\ell S_\ell\[a_\ell\]\[b_\ell\]$ with $S\in[-1,1]$: strategies are chains of $L$ arguments, rewards add over
/// the exchanges, so a [`ProductActions`] oracle serves them without listing.
#[derive(Debug, Clone, PartialEq)]
pub struct ArgumentChains {
    options: usize,
    tables: Vec<Vec<f64>>,
}

impl ArgumentChains {
    /// Exchanges from tables of rows in $\[-1,1\]$, one square table an exchange, all of the same size.
    ///
    /// # Errors
    /// [`GamesError::Empty`], [`GamesError::Ragged`], [`GamesError::Length`], [`GamesError::OutOfRange`], [`GamesError::NotFinite`].
    pub fn new(tables: &[Vec<Vec<f64>>]) -> Result<Self, GamesError> {
        let argument = Argument::ArgumentTable;
        let options = tables.first().map_or(0, Vec::len);
        if options == 0 {
            return Err(GamesError::Empty { argument });
        }
        for table in tables {
            crate::error::length(argument, options, table.len())?;
            for (row, line) in table.iter().enumerate() {
                if line.len() != options {
                    return Err(GamesError::Ragged {
                        argument,
                        row,
                        expected: options,
                        found: line.len(),
                    });
                }
                for &value in line {
                    if !(-1.0..=1.0).contains(&crate::error::finite(argument, value)?) {
                        return Err(GamesError::OutOfRange {
                            argument,
                            interval: "[-1, 1]",
                            value,
                        });
                    }
                }
            }
        }
        Ok(Self {
            options,
            tables: tables.iter().map(|t| t.concat()).collect(),
        })
    }

    /// Random tables with independent uniform entries.
    ///
    /// # Errors
    /// [`GamesError::Empty`] without exchanges or options.
    pub fn random<R: Rng + ?Sized>(
        exchanges: usize,
        options: usize,
        rng: &mut R,
    ) -> Result<Self, GamesError> {
        if exchanges == 0 || options == 0 {
            return Err(GamesError::Empty {
                argument: Argument::Exchanges,
            });
        }
        let tables = (0..exchanges)
            .map(|_| {
                (0..options * options)
                    .map(|_| rng.random_range(-1.0..=1.0))
                    .collect()
            })
            .collect();
        Ok(Self { options, tables })
    }

    /// The strategies of either debater as an oracle.
    ///
    /// # Errors
    /// [`GamesError::TooLarge`] when there are too many to number.
    pub fn strategies(&self) -> Result<ProductActions, GamesError> {
        ProductActions::new(&vec![self.options; self.tables.len()])
    }

    /// The probability that the first debater wins with chain `a` against chain `b` (numbers as in [`ProductActions`]).
    #[must_use]
    pub fn win(&self, mut a: u64, mut b: u64) -> f64 {
        let k = self.options as u64;
        let mut sum = 0.0;
        for table in &self.tables {
            sum += table[usize::try_from((a % k) * k + b % k).unwrap_or(0)];
            a /= k;
            b /= k;
        }
        0.5 + sum / (2.0 * real(self.tables.len()))
    }

    /// The reward vector of a debater (`first` or not) against a sparse mixed play of the other: the reward of a chain is its inner product with this vector, its
    /// probability of winning.
    #[must_use]
    pub fn rewards(&self, first: bool, rival: &[(u64, f64)]) -> Vec<f64> {
        let (k, levels) = (self.options, real(self.tables.len()));
        let total: f64 = rival.iter().map(|r| r.1).sum();
        let mut out = vec![0.5 * total / levels; k * self.tables.len()];
        for &(action, p) in rival {
            let mut rest = action;
            for (table, part) in self.tables.iter().zip(out.chunks_exact_mut(k)) {
                let b = usize::try_from(rest % k as u64).unwrap_or(0);
                rest /= k as u64;
                for (a, o) in part.iter_mut().enumerate() {
                    let s = if first {
                        table[a * k + b]
                    } else {
                        -table[b * k + a]
                    };
                    *o += p * s / (2.0 * levels);
                }
            }
        }
        out
    }
}

/// A debate over a tree: the debaters choose branches in turn and the judge reads the leaf. Almost every leaf has the same win probability; a sparse set
/// of decisive leaves differs. A strategy is the list of one's own choices (a plan that does not react), so there are $b^{d/2}$ of them; best
/// replies are found from the decisive leaves alone.
#[derive(Debug, Clone, PartialEq)]
pub struct TruthTree {
    plans: u64,
    default: f64,
    /// Decisive leaves by (first's plan, second's plan).
    leaves: BTreeMap<(u64, u64), f64>,
    /// The same, second's plan first.
    mirrored: BTreeMap<(u64, u64), f64>,
}

impl TruthTree {
    /// A tree with `branching`, an even `depth`, a default win probability of the first debater and random decisive leaves with uniform win probabilities.
    ///
    /// # Errors
    /// [`GamesError::OutOfRange`] for an odd or zero depth or a probability outside $\[0,1\]$, [`GamesError::TooLarge`] when plans cannot be numbered.
    pub fn random<R: Rng + ?Sized>(
        branching: u64,
        depth: u32,
        default: f64,
        decisive: usize,
        rng: &mut R,
    ) -> Result<Self, GamesError> {
        if depth == 0 || depth % 2 == 1 {
            return Err(GamesError::OutOfRange {
                argument: Argument::Depth,
                interval: "even numbers from 2",
                value: f64::from(depth),
            });
        }
        if !(0.0..=1.0).contains(&crate::error::finite(Argument::DefaultValue, default)?) {
            return Err(GamesError::OutOfRange {
                argument: Argument::DefaultValue,
                interval: "[0, 1]",
                value: default,
            });
        }
        let too_large = GamesError::TooLarge {
            argument: Argument::Depth,
            size: depth as usize,
            limit: 62,
        };
        let plans = branching
            .checked_pow(depth / 2)
            .filter(|p| *p > 0 && *p < 1 << 62)
            .ok_or(too_large)?;
        let mut leaves = BTreeMap::new();
        for _ in 0..decisive {
            leaves.insert(
                (rng.random_range(0..plans), rng.random_range(0..plans)),
                rng.random::<f64>(),
            );
        }
        let mirrored = leaves.iter().map(|(&(a, b), &p)| ((b, a), p)).collect();
        Ok(Self {
            plans,
            default,
            leaves,
            mirrored,
        })
    }

    /// Number of plans of either debater.
    #[must_use]
    pub fn plans(&self) -> u64 {
        self.plans
    }

    /// The probability that the first debater wins.
    #[must_use]
    pub fn win(&self, first: u64, second: u64) -> f64 {
        self.leaves
            .get(&(first, second))
            .copied()
            .unwrap_or(self.default)
    }

    /// A best reply to a weighted list of the other's plans, and its total payoff (probability of winning times weight). Visits the decisive leaves of those plans
    /// only, never all plans.
    #[must_use]
    pub fn best_reply(&self, first: bool, rival: &[(u64, f64)]) -> (u64, f64) {
        let sign = if first { 1.0 } else { -1.0 };
        let map = if first { &self.mirrored } else { &self.leaves };
        let base: f64 = rival.iter().map(|r| r.1).sum::<f64>()
            * if first {
                self.default
            } else {
                1.0 - self.default
            };
        let mut gains: BTreeMap<u64, f64> = BTreeMap::new();
        for &(plan, weight) in rival {
            for (&(_, own), &p) in map.range((plan, 0)..=(plan, u64::MAX)) {
                *gains.entry(own).or_insert(0.0) += weight * sign * (p - self.default);
            }
        }
        // A plan that meets no decisive leaf gains nothing and loses nothing: the first that is free.
        let mut free = 0;
        for &own in gains.keys() {
            if own != free {
                break;
            }
            free += 1;
        }
        let mut best = if free < self.plans {
            (free, 0.0)
        } else {
            (0, f64::NEG_INFINITY)
        };
        for (own, gain) in gains {
            if gain > best.1 {
                best = (own, gain);
            }
        }
        (best.0, base + best.1)
    }
}

/// Reward of a chain under a reward vector of [`ArgumentChains::rewards`], through its oracle.
///
/// # Errors
/// As [`ArgumentChains::strategies`].
pub fn chain_reward(
    chains: &ArgumentChains,
    rewards: &[f64],
    chain: u64,
) -> Result<f64, GamesError> {
    let oracle = chains.strategies()?;
    crate::error::length(Argument::Rewards, oracle.dimension(), rewards.len())?;
    Ok(oracle.reward(rewards, chain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repeated::{OracleLearner, SampledModifications};
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_pcg::Pcg64;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn best_replies_in_trees_equal_enumeration(branching in 1u64..5, half in 1u32..4, default in 0.0f64..1.0, decisive in 0usize..60, first in any::<bool>(), seed in any::<u64>()) {
            let mut rng = Pcg64::seed_from_u64(seed);
            let tree = TruthTree::random(branching, 2 * half, default, decisive, &mut rng).unwrap();
            let rival: Vec<(u64, f64)> = (0..10).map(|_| (rng.random_range(0..tree.plans()), rng.random::<f64>())).collect();
            let payoff = |own: u64| -> f64 {
                rival.iter().map(|&(other, w)| w * if first { tree.win(own, other) } else { 1.0 - tree.win(other, own) }).sum()
            };
            let best = (0..tree.plans()).map(payoff).fold(f64::NEG_INFINITY, f64::max);
            let (plan, value) = tree.best_reply(first, &rival);
            prop_assert!((value - best).abs() < 1e-9 && (payoff(plan) - best).abs() < 1e-9);
        }

        #[test]
        fn chain_rewards_are_win_probabilities(exchanges in 1usize..5, options in 1usize..4, seed in any::<u64>()) {
            let mut rng = Pcg64::seed_from_u64(seed);
            let chains = ArgumentChains::random(exchanges, options, &mut rng).unwrap();
            let n = chains.strategies().unwrap().actions();
            let rival = [(rng.random_range(0..n), 0.3), (rng.random_range(0..n), 0.7)];
            for own in 0..n {
                for first in [true, false] {
                    let direct: f64 = rival.iter().map(|&(b, p)| p * if first { chains.win(own, b) } else { 1.0 - chains.win(b, own) }).sum();
                    let through = chain_reward(&chains, &chains.rewards(first, &rival), own).unwrap();
                    prop_assert!((direct - through).abs() < 1e-12 && (0.0..=1.0).contains(&direct));
                }
            }
        }
    }

    #[test]
    fn debaters_with_a_million_chains_reach_a_nearly_correlated_play() {
        let mut rng = Pcg64::seed_from_u64(3);
        let chains = ArgumentChains::random(10, 4, &mut rng).unwrap(); // 4^10 chains each
        let rounds = 150;
        let mut seats: Vec<_> = (0..2)
            .map(|s| {
                SampledModifications::new(
                    chains.strategies().unwrap(),
                    rounds,
                    150,
                    Pcg64::seed_from_u64(s),
                )
                .unwrap()
            })
            .collect();
        for _ in 0..rounds {
            let plays: Vec<Vec<(u64, f64)>> = seats
                .iter_mut()
                .map(|s| s.play().unwrap().to_vec())
                .collect();
            for (i, seat) in seats.iter_mut().enumerate() {
                seat.observe(&chains.rewards(i == 0, &plays[1 - i]))
                    .unwrap();
            }
        }
        for seat in &seats {
            let r = seat.regrets().average();
            let rate = (f64::from(1u32 << 20).ln() / rounds as f64).sqrt();
            assert!(r.external < rate && r.internal < rate, "{r:?} {rate}");
            assert!(seat.oracle_calls() < rounds * 3 * 151);
        }
    }
}
