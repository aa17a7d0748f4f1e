//! Demand over several weeks from a record with gaps.

use std::ops::Range;

use crate::count::count;
use crate::panel::Panel;

/// The weeks of a product's record, those that are known and those that are not.
pub(super) struct KnownWeeks {
    demand: Vec<Option<f64>>,
    /// The known demands, in order of size.
    sorted: Vec<f64>,
}

/// Pairs of known weeks from which a correlation is estimated; with fewer, weeks count as independent.
const PAIRS: usize = 12;
/// The golden ratio's fraction: its multiples fill the unit interval evenly, whatever their number.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

impl KnownWeeks {
    pub(super) fn new(panel: &Panel, product: usize, weeks: Range<usize>) -> Self {
        let known = |week: usize| {
            panel
                .present(product, week)
                .then(|| panel.demand(product, week))
        };
        let demand: Vec<Option<f64>> = weeks.map(known).collect();
        let mut sorted: Vec<f64> = demand.iter().flatten().copied().collect();
        sorted.sort_by(f64::total_cmp);
        KnownWeeks { demand, sorted }
    }

    /// Totals of `span` weeks that follow one another: one for every run of known weeks, or, where fewer than half of the runs are
    /// known, for every run, its unknown weeks filled in. None where no week is known.
    pub(super) fn totals(&self, span: usize) -> Vec<f64> {
        let runs = || self.demand.windows(span);
        let whole: Vec<f64> = runs()
            .filter_map(|run| run.iter().copied().sum::<Option<f64>>())
            .collect();
        if 2 * whole.len() >= runs().len() || self.sorted.is_empty() {
            return whole;
        }
        let filled = self.filled();
        (0..runs().len())
            .map(|start| {
                (start..start + span)
                    .map(|week| filled.at(start, week))
                    .sum()
            })
            .collect()
    }

    /// The correlation of weeks so far apart. Where too few pairs of them are known, that of weeks farther apart, taken to fall
    /// geometrically; zero where none can be estimated.
    fn correlation(&self, apart: usize) -> f64 {
        if let Some(rho) = self.estimated(apart) {
            return rho;
        }
        let farther = (apart + 1..=3 * apart).find_map(|k| Some((k, self.estimated(k)?)));
        farther.map_or(0.0, |(k, rho)| rho.max(0.0).powf(count(apart) / count(k)))
    }

    /// The correlation from pairs of known weeks.
    fn estimated(&self, apart: usize) -> Option<f64> {
        let n = count(self.sorted.len());
        let mean = self.sorted.iter().sum::<f64>() / n;
        let variance = self.sorted.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / n;
        let pairs = self.demand.iter().zip(self.demand.iter().skip(apart));
        let products = pairs.filter_map(|(a, b)| Some(((*a)? - mean) * ((*b)? - mean)));
        let products: Vec<f64> = products.collect();
        if products.len() < PAIRS || variance <= 0.0 {
            return None;
        }
        let rho = products.iter().sum::<f64>() / count(products.len()) / variance;
        Some(rho.clamp(-0.9, 0.9))
    }

    /// What stands in for unknown weeks.
    fn filled(&self) -> Filled<'_> {
        let farthest = self.demand.len();
        let mut correlations: Vec<Option<f64>> = vec![None; farthest + 1];
        let mut nearest = Vec::with_capacity(farthest);
        for week in 0..farthest {
            let other = (1..farthest).find_map(|apart| {
                let around = [week.checked_sub(apart), Some(week + apart)];
                let known = |at: usize| self.demand.get(at).copied().flatten();
                around
                    .into_iter()
                    .flatten()
                    .find_map(known)
                    .map(|d| (apart, d))
            });
            nearest.push(other.map(|(apart, demand)| {
                let rho = *correlations[apart].get_or_insert_with(|| self.correlation(apart));
                (rho, demand)
            }));
        }
        Filled {
            record: self,
            mean: self.sorted.iter().sum::<f64>() / count(self.sorted.len()),
            nearest,
        }
    }
}

/// A record whose unknown weeks are filled in anew for every run of weeks.
struct Filled<'a> {
    record: &'a KnownWeeks,
    mean: f64,
    /// The correlation with the nearest known week, and its demand.
    nearest: Vec<Option<(f64, f64)>>,
}

impl Filled<'_> {
    /// Demand of a week in the run that begins in week `run`: the known one, or one of the known demands, taken evenly from small to
    /// large, drawn towards what the nearest known week says.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in a list"
    )]
    fn at(&self, run: usize, week: usize) -> f64 {
        if let Some(demand) = self.record.demand[week] {
            return demand;
        }
        let sorted = &self.record.sorted;
        let u = (GOLDEN * count(run * self.record.demand.len() + week)).fract();
        let drawn = sorted[((u * count(sorted.len())) as usize).min(sorted.len() - 1)];
        let (rho, near) = self.nearest[week].unwrap_or((0.0, self.mean));
        let spread = (1.0 - rho * rho).sqrt();
        (self.mean + rho * (near - self.mean) + spread * (drawn - self.mean)).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use gpu::Stream;
    use rand::RngExt;

    use super::*;
    use crate::panel::Columns;

    const WEEKS: usize = 400;

    fn record(persistence: f64, seed: u64, known: impl Fn(usize) -> bool) -> KnownWeeks {
        let mut rng = Stream::new(seed, "known weeks").at(0, 0);
        let mut level = 10.0;
        let demand = (0..WEEKS).map(|_| {
            let fresh = 20.0 * rng.random::<f64>();
            level = persistence * level + (1.0 - persistence) * fresh;
            level
        });
        let columns = Columns {
            demand: demand.collect(),
            price: vec![2.0; WEEKS],
            cost: vec![1.0; WEEKS],
            present: (0..WEEKS).map(known).collect(),
            covariates: vec![],
        };
        let panel = Panel::new(vec!["a".into()], WEEKS, columns).unwrap();
        KnownWeeks::new(&panel, 0, 0..WEEKS)
    }

    fn quantile(mut totals: Vec<f64>, q: f64) -> f64 {
        totals.sort_by(f64::total_cmp);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in a list"
        )]
        let at = (q * count(totals.len())) as usize;
        totals[at]
    }

    /// Whole records give the runs themselves.
    #[test]
    fn a_whole_record_is_its_runs() {
        let known = record(0.0, 1, |_| true);
        let totals = known.totals(3);
        assert_eq!(totals.len(), WEEKS - 2);
        let first: f64 = known.demand[..3].iter().flatten().sum();
        assert!((totals[0] - first).abs() < 1e-12);
    }

    /// Whatever the gaps, the quantiles of demand over a lead time are near those of the whole record: every other week, one in six
    /// missing, long runs missing; weeks that depend on each other, and weeks that do not.
    #[test]
    fn gaps_cost_precision_not_sense() {
        let gaps: [fn(usize) -> bool; 3] = [|w| w % 2 == 0, |w| w % 6 != 5, |w| w % 20 < 8];
        for (gap, known) in gaps.into_iter().enumerate() {
            for persistence in [0.0, 0.7] {
                for span in [2, 4, 7, 9] {
                    let (mut whole, mut part) = (0.0, 0.0);
                    for seed in 0..4 {
                        whole += quantile(record(persistence, seed, |_| true).totals(span), 0.9);
                        part += quantile(record(persistence, seed, known).totals(span), 0.9);
                    }
                    let ratio = part / whole;
                    assert!(
                        (ratio - 1.0).abs() < 0.06,
                        "gap {gap}, {persistence}, {span} weeks: {ratio}"
                    );
                }
            }
        }
    }
}
