//! What every policy earned, product by product and week by week, and what follows from it: standings and differences with
//! intervals. Ledgers of several windows are pooled by product.

use std::collections::HashMap;

use exo_idp::{Bootstrap, Error, Replay, Replicates, perfect_information_bound};

use super::results::{Difference, Interval, Role};
use super::scores::{Pair, Scores, Standing};
use super::tally::Entry;

/// Money by product and week.
pub(super) type Earned = Vec<Vec<f64>>;

/// One policy's account.
#[derive(Debug, Clone)]
pub(super) struct Account {
    name: String,
    role: Role,
    pub(super) earned: Earned,
}

/// What every policy earned over some weeks.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    products: Vec<String>,
    /// Weeks scored.
    weeks: usize,
    /// Products times weeks, those left out of a window not counted.
    cells: usize,
    pub(super) accounts: Vec<Account>,
    /// The perfect-information bound of every product, the mean over the samples of lead times.
    pub(super) bounds: Vec<f64>,
}

impl Ledger {
    /// The ledger of a replay.
    pub(super) fn new(replay: &Replay<'_>, entries: &[Entry]) -> Self {
        let panel = replay.paths().panel();
        let (products, samples) = (panel.products(), replay.paths().samples());
        let weeks = replay.window().scored.len();
        let bound = |product: usize| {
            let lanes = (0..samples)
                .map(|sample| perfect_information_bound(replay, sample * products + product));
            lanes.sum::<f64>() / as_f64(samples)
        };
        let account = |entry: &Entry| Account {
            name: entry.name.clone(),
            role: entry.role,
            earned: (0..products).map(|p| entry.outcomes.earned(p)).collect(),
        };
        Ledger {
            products: panel.names().to_vec(),
            weeks,
            cells: products * weeks,
            accounts: entries.iter().map(account).collect(),
            bounds: (0..products).map(bound).collect(),
        }
    }

    /// The weeks of several windows side by side, in their order. A product that a window leaves out earns nothing in it.
    pub(super) fn pool(windows: &[Ledger]) -> Self {
        let mut products: Vec<String> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for name in windows.iter().flat_map(|window| &window.products) {
            places.entry(name).or_insert_with(|| {
                products.push(name.clone());
                products.len() - 1
            });
        }
        let mut pooled = Ledger {
            weeks: windows.iter().map(|window| window.weeks).sum(),
            cells: windows.iter().map(|window| window.cells).sum(),
            accounts: Vec::new(),
            bounds: vec![0.0; products.len()],
            products: products.clone(),
        };
        let names = windows.first().map_or(&[][..], |window| &window.accounts);
        pooled.accounts = names
            .iter()
            .map(|account| Account {
                earned: vec![Vec::with_capacity(pooled.weeks); products.len()],
                ..account.clone()
            })
            .collect();
        for window in windows {
            let places: Vec<usize> = window.products.iter().map(|p| places[p.as_str()]).collect();
            for (&at, bound) in places.iter().zip(&window.bounds) {
                pooled.bounds[at] += bound;
            }
            for account in &mut pooled.accounts {
                let own = window.accounts.iter().find(|a| a.name == account.name);
                let length = account.earned.first().map_or(0, Vec::len) + window.weeks;
                for (&at, row) in places.iter().zip(own.map_or(&[][..], |own| &own.earned)) {
                    account.earned[at].extend(row);
                }
                for row in &mut account.earned {
                    row.resize(length, 0.0);
                }
            }
        }
        pooled
    }

    /// Standings, and every policy against every other.
    ///
    /// # Errors
    ///
    /// The bootstrap's, if there is nothing to draw from.
    pub(super) fn scores(&self, bootstrap: &Bootstrap) -> Result<Scores, Error> {
        let cells = as_f64(self.cells);
        let mut drawn: Vec<(&Account, Replicates)> = Vec::with_capacity(self.accounts.len());
        for account in &self.accounts {
            drawn.push((account, bootstrap.replicates(&account.earned)?));
        }
        drawn.sort_by(|a, b| b.1.estimate().total_cmp(&a.1.estimate()));
        let per_cell = |interval: exo_idp::Interval| Interval {
            lo: interval.low / cells,
            hi: interval.high / cells,
        };
        let difference = |a: &Replicates, b: &Replicates| -> Result<Difference, Error> {
            let interval = a.minus(b)?.interval(bootstrap.alpha);
            Ok(Difference {
                mean: interval.estimate / cells,
                interval: per_cell(interval),
            })
        };
        let best = drawn.iter().position(|(a, _)| a.role == Role::Heuristic);
        let bound: f64 = self.bounds.iter().sum();
        let mut policies = Vec::with_capacity(drawn.len());
        for (at, (account, sums)) in drawn.iter().enumerate() {
            let against_best = match best {
                Some(best) if best != at => Some(difference(sums, &drawn[best].1)?),
                _ => None,
            };
            policies.push(Standing {
                name: account.name.clone(),
                role: account.role,
                mean: sums.estimate() / cells,
                interval: per_cell(sums.interval(bootstrap.alpha)),
                share_of_bound: sums.estimate() / bound,
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
        Ok(Scores {
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

pub(super) fn as_f64(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(products: &[&str], weeks: usize, level: f64) -> Ledger {
        let account = |name: &str, role, units: f64| Account {
            name: name.to_owned(),
            role,
            earned: vec![vec![units; weeks]; products.len()],
        };
        Ledger {
            products: products.iter().map(|&p| p.to_owned()).collect(),
            weeks,
            cells: products.len() * weeks,
            accounts: vec![
                account("net", Role::Trained, level + 1.0),
                account("rule", Role::Heuristic, level),
                account("poor rule", Role::Heuristic, level - 2.0),
            ],
            bounds: vec![10.0 * as_f64(weeks); products.len()],
        }
    }

    #[test]
    fn a_pool_counts_what_its_windows_count() {
        let windows = [
            ledger(&["a", "b"], 3, 5.0),
            ledger(&["b", "c", "a"], 2, 8.0),
        ];
        let pooled = Ledger::pool(&windows);
        assert_eq!((pooled.cells, pooled.weeks), (12, 5));
        assert_eq!(pooled.accounts[0].earned[2], [0.0, 0.0, 0.0, 9.0, 9.0]);
        assert_eq!(pooled.bounds, [50.0, 50.0, 20.0]);
        let scores = pooled.scores(&Bootstrap::default()).unwrap();
        assert_eq!(scores.best_heuristic, "rule");
        assert!((scores.policies[0].mean - (6.0 * 6.0 + 6.0 * 9.0) / 12.0).abs() < 1e-12);
        let sum: f64 = windows
            .iter()
            .map(|w| {
                let scores = w.scores(&Bootstrap::default()).unwrap();
                scores.policies[0].mean * as_f64(w.cells)
            })
            .sum();
        assert!((scores.policies[0].mean * 12.0 - sum).abs() < 1e-9);
    }

    #[test]
    fn every_pair_is_the_higher_minus_the_lower() {
        let scores = ledger(&["a", "b"], 6, 5.0)
            .scores(&Bootstrap::default())
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
