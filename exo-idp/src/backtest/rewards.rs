//! What every policy earned, product by product and week by week, and what follows from it: scores and differences with intervals.
//! The tables of several windows are pooled by product.

use std::collections::HashMap;

use gpu::Device;

use super::entry::{Entry, Rewards};
use super::standings::{ConfidenceLimits, Difference, Pair, PolicyScore, Role, Standings};
use crate::compare::{Bootstrap, Replicates};
use crate::count::count;
use crate::error::Error;
use crate::oracle::hindsight_account;
use crate::replay::Replay;

/// The rewards of one policy.
#[derive(Debug, Clone)]
pub(super) struct PolicyRewards {
    name: String,
    role: Role,
    pub(super) earned: Rewards,
}

/// What every policy earned over some weeks.
#[derive(Debug, Clone)]
pub(super) struct RewardTable {
    products: Vec<String>,
    /// Weeks scored.
    weeks: usize,
    /// Products times weeks, those left out of a window not counted.
    cells: usize,
    pub(super) policies: Vec<PolicyRewards>,
    /// The hindsight optimum of every product, the mean over the samples of lead times.
    pub(super) bounds: Vec<f64>,
    /// The same by week.
    optimum: Rewards,
}

/// What everybody earned in every replicate of a bootstrap.
#[derive(Debug)]
pub(super) struct Drawn {
    /// By policy, in the order of the table.
    pub(super) policies: Vec<Replicates>,
    optimum: Replicates,
}

impl Drawn {
    /// The interval of a policy's share of the hindsight optimum; none where the optimum is not well above zero.
    ///
    /// # Errors
    ///
    /// When the policy was drawn otherwise.
    pub(super) fn share(
        &self,
        policy: &Replicates,
        alpha: f64,
    ) -> Result<Option<ConfidenceLimits>, Error> {
        let ends = policy.over(&self.optimum, alpha)?;
        Ok(ends.map(|ends| ConfidenceLimits::per_cell(ends, 1.0)))
    }
}

impl RewardTable {
    /// The rewards of a replay.
    pub(super) fn new(replay: &Replay<'_>, entries: &[Entry], device: &Device) -> Self {
        let panel = replay.paths().panel();
        let (products, samples) = (panel.products(), replay.paths().samples());
        let weeks = replay.window().scored.len();
        let accounts = device.host().map(products, |product| {
            let mut mean = (0.0, vec![0.0; weeks]);
            for sample in 0..samples {
                let own = hindsight_account(replay, sample * products + product);
                mean.0 += own.total;
                mean.1.iter_mut().zip(own.weeks).for_each(|(m, w)| *m += w);
            }
            mean.1.iter_mut().for_each(|week| *week /= count(samples));
            (mean.0 / count(samples), mean.1)
        });
        let (bounds, optimum) = accounts.into_iter().unzip();
        let rewards = |entry: &Entry| PolicyRewards {
            name: entry.name.clone(),
            role: entry.role,
            earned: entry.earned.clone(),
        };
        RewardTable {
            products: panel.names().to_vec(),
            weeks,
            cells: products * weeks,
            policies: entries.iter().map(rewards).collect(),
            bounds,
            optimum,
        }
    }

    /// The weeks of several windows side by side, in their order. A product that a window leaves out earns nothing in it.
    pub(super) fn pool(windows: &[RewardTable]) -> Self {
        let mut products: Vec<String> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for name in windows.iter().flat_map(|window| &window.products) {
            places.entry(name).or_insert_with(|| {
                products.push(name.clone());
                products.len() - 1
            });
        }
        let mut pooled = RewardTable {
            weeks: windows.iter().map(|window| window.weeks).sum(),
            cells: windows.iter().map(|window| window.cells).sum(),
            policies: Vec::new(),
            bounds: vec![0.0; products.len()],
            optimum: vec![Vec::new(); products.len()],
            products: products.clone(),
        };
        let names = windows.first().map_or(&[][..], |window| &window.policies);
        pooled.policies = names
            .iter()
            .map(|account| PolicyRewards {
                earned: vec![Vec::with_capacity(pooled.weeks); products.len()],
                ..account.clone()
            })
            .collect();
        for window in windows {
            let places: Vec<usize> = window.products.iter().map(|p| places[p.as_str()]).collect();
            for (&at, bound) in places.iter().zip(&window.bounds) {
                pooled.bounds[at] += bound;
            }
            for account in &mut pooled.policies {
                let own = window.policies.iter().find(|a| a.name == account.name);
                let rows = own.map_or(&[][..], |own| &own.earned);
                append(&mut account.earned, rows, &places, window.weeks);
            }
            append(&mut pooled.optimum, &window.optimum, &places, window.weeks);
        }
        pooled
    }

    /// Standings, and every policy against every other.
    ///
    /// # Errors
    ///
    /// The bootstrap's, if there is nothing to draw from.
    pub(super) fn standings(&self, bootstrap: &Bootstrap) -> Result<Standings, Error> {
        self.standings_of(&self.replicates(bootstrap)?, bootstrap.alpha)
    }

    /// What every policy earned in every replicate, and the hindsight optimum.
    ///
    /// # Errors
    ///
    /// The bootstrap's, if there is nothing to draw from.
    pub(super) fn replicates(&self, bootstrap: &Bootstrap) -> Result<Drawn, Error> {
        let earned = self.policies.iter().map(|p| &p.earned[..]);
        let tables: Vec<&[Vec<f64>]> = earned.chain([&self.optimum[..]]).collect();
        let mut policies = bootstrap.replicates_of(&tables)?;
        let optimum = policies.pop().ok_or(Error::Empty("the list of tables"))?;
        Ok(Drawn { policies, optimum })
    }

    /// [`standings`](RewardTable::standings) from what every policy earned in every replicate.
    pub(super) fn standings_of(&self, replicates: &Drawn, alpha: f64) -> Result<Standings, Error> {
        let cells = count(self.cells);
        let mut drawn: Vec<(&PolicyRewards, &Replicates)> =
            self.policies.iter().zip(&replicates.policies).collect();
        drawn.sort_by(|a, b| b.1.estimate().total_cmp(&a.1.estimate()));
        let difference = |a: &Replicates, b: &Replicates| -> Result<Difference, Error> {
            let interval = a.minus(b)?.interval(alpha);
            Ok(Difference::per_cell(interval, cells))
        };
        let best = drawn.iter().position(|(a, _)| a.role == Role::Heuristic);
        let bound: f64 = self.bounds.iter().sum();
        let mut policies = Vec::with_capacity(drawn.len());
        for (at, (account, sums)) in drawn.iter().enumerate() {
            let against_best = match best {
                Some(best) if best != at => Some(difference(sums, drawn[best].1)?),
                _ => None,
            };
            policies.push(PolicyScore {
                name: account.name.clone(),
                role: account.role,
                mean: sums.estimate() / cells,
                interval: ConfidenceLimits::per_cell(sums.interval(alpha), cells),
                share_of_bound: share(sums.estimate(), bound),
                share_interval: replicates.share(sums, alpha)?,
                against_best,
            });
        }
        let mut pairs = Vec::new();
        for (at, (higher, a)) in drawn.iter().enumerate() {
            for (lower, b) in &drawn[at + 1..] {
                pairs.push(Pair {
                    policy: higher.name.clone(),
                    minus: lower.name.clone(),
                    difference: difference(a, b)?,
                });
            }
        }
        Ok(Standings {
            products: self.products.len(),
            weeks: self.weeks,
            bound: bound / cells,
            best_heuristic: best
                .map(|best| drawn[best].0.name.clone())
                .unwrap_or_default(),
            policies,
            pairs,
        })
    }
}

/// Appends the weeks of a window's products, whose places in the table are given; the others earn nothing in it.
fn append(table: &mut Rewards, rows: &[Vec<f64>], places: &[usize], weeks: usize) {
    let length = table.first().map_or(0, Vec::len) + weeks;
    for (&at, row) in places.iter().zip(rows) {
        table[at].extend(row);
    }
    for row in table {
        row.resize(length, 0.0);
    }
}

/// A reward as a share of the hindsight optimum; not a number where nothing could have been earned.
pub(super) fn share(reward: f64, bound: f64) -> f64 {
    if bound > 0.0 {
        reward / bound
    } else {
        f64::NAN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(products: &[&str], weeks: usize, level: f64) -> RewardTable {
        let account = |name: &str, role, units: f64| PolicyRewards {
            name: name.to_owned(),
            role,
            earned: vec![vec![units; weeks]; products.len()],
        };
        RewardTable {
            products: products.iter().map(|&p| p.to_owned()).collect(),
            weeks,
            cells: products.len() * weeks,
            policies: vec![
                account("net", Role::Trained, level + 1.0),
                account("rule", Role::Heuristic, level),
                account("poor rule", Role::Heuristic, level - 2.0),
            ],
            bounds: vec![10.0 * count(weeks); products.len()],
            optimum: vec![vec![10.0; weeks]; products.len()],
        }
    }

    #[test]
    fn a_pool_counts_what_its_windows_count() {
        let windows = [table(&["a", "b"], 3, 5.0), table(&["b", "c", "a"], 2, 8.0)];
        let pooled = RewardTable::pool(&windows);
        assert_eq!((pooled.cells, pooled.weeks), (12, 5));
        assert_eq!(pooled.policies[0].earned[2], [0.0, 0.0, 0.0, 9.0, 9.0]);
        assert_eq!(pooled.bounds, [50.0, 50.0, 20.0]);
        let by_week = pooled.optimum.iter().map(|weeks| weeks.iter().sum());
        assert_eq!(by_week.collect::<Vec<f64>>(), pooled.bounds);
        let scores = pooled.standings(&Bootstrap::default()).unwrap();
        assert_eq!(scores.best_heuristic, "rule");
        assert!((scores.policies[0].mean - (6.0 * 6.0 + 6.0 * 9.0) / 12.0).abs() < 1e-12);
        let sum: f64 = windows
            .iter()
            .map(|w| {
                let scores = w.standings(&Bootstrap::default()).unwrap();
                scores.policies[0].mean * count(w.cells)
            })
            .sum();
        assert!((scores.policies[0].mean * 12.0 - sum).abs() < 1e-9);
    }

    #[test]
    fn every_pair_is_the_higher_minus_the_lower() {
        let scores = table(&["a", "b"], 6, 5.0)
            .standings(&Bootstrap::default())
            .unwrap();
        let found: Vec<(&str, &str, f64)> = scores
            .pairs
            .iter()
            .map(|p| {
                (
                    p.policy.as_str(),
                    p.minus.as_str(),
                    p.difference.mean.round(),
                )
            })
            .collect();
        let expected = [
            ("net", "rule", 1.0),
            ("net", "poor rule", 3.0),
            ("rule", "poor rule", 2.0),
        ];
        assert_eq!(found, expected);
    }
}
