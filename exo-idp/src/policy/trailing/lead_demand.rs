//! Demand over lead time and review, as it was in the weeks so far.

use super::history::History;
use crate::count::count;

/// Weights are whole multiples of this share of a stretch, two to the power of minus forty: sums of whole numbers are exact, in whatever order they are added.
const UNIT: f64 = 1.0 / 1_099_511_627_776.0;
/// Share of the whole weight that rounding may move a rank by.
const ROUNDING: f64 = 1e-12;

/// Sums of demand over every stretch that an order may have to cover, each with its weight.
///
/// A stretch with gaps counts too, as long as half of it is known: its sum is brought to the whole length, and it weighs as much as is known
/// of it. So weeks that are missing cost precision, not sense.
///
/// The sums that a record will come to are sorted once; their weights, zero until a stretch is over, are in a binary indexed tree (Fenwick
/// 1994). Pushing a week and asking for a quantile take time in the logarithm of the weeks.
#[derive(Debug, Clone)]
pub(super) struct LeadDemand {
    /// All sums of the record, in rising order, each once.
    sums: Vec<f64>,
    /// At `i`, counted from 1: the weight of as many sums up to the `i`-th as the lowest bit of `i` says.
    tree: Vec<u64>,
    total: u64,
}

/// The sum of a stretch that ends with a week and its weight; none where too little of it is known.
fn stretch(history: &History, now: usize, (span, probability): (usize, f64)) -> Option<(f64, u64)> {
    let (known, sum) = history.total(now.checked_sub(span)?, now);
    let length = count(span);
    if 2.0 * known < length || known <= 0.0 {
        return None;
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of one in units of a trillionth"
    )]
    let weight = (probability * known / length / UNIT).round() as u64;
    Some((sum * length / known, weight))
}

impl LeadDemand {
    /// Without weight yet, for the weeks of `record`; `spans` holds lengths with their probabilities.
    pub(super) fn new(record: &History, spans: &[(usize, f64)]) -> Self {
        let weeks = 1..=record.weeks();
        let of = |now: usize| {
            spans
                .iter()
                .filter_map(move |&span| stretch(record, now, span))
        };
        let mut sums: Vec<f64> = weeks.flat_map(of).map(|(sum, _)| sum).collect();
        sums.sort_unstable_by(f64::total_cmp);
        sums.dedup_by(|a, b| a.total_cmp(b).is_eq());
        sums.shrink_to_fit();
        LeadDemand {
            tree: vec![0; sums.len()],
            sums,
            total: 0,
        }
    }

    /// Adds the stretches that end with the last week of `history`, which has come so far as the record.
    pub(super) fn push(&mut self, history: &History, spans: &[(usize, f64)]) {
        for &span in spans {
            let Some((sum, weight)) = stretch(history, history.weeks(), span) else {
                continue;
            };
            let mut at = 1 + self
                .sums
                .partition_point(|other| other.total_cmp(&sum).is_lt());
            while let Some(node) = self.tree.get_mut(at - 1) {
                *node += weight;
                at += at & at.wrapping_neg();
            }
            self.total += weight;
        }
    }

    /// The smallest sum that a share `q` of the stretches does not exceed; none before the first.
    pub(super) fn quantile(&self, q: f64) -> Option<f64> {
        if self.total == 0 {
            return None;
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank, right to the rounding that is allowed for"
        )]
        let wanted = ((q - ROUNDING) * self.total as f64).ceil() as u64;
        // At least some weight: sums that are still to come have none.
        let mut missing = wanted.clamp(1, self.total);
        // The most sums whose weights together stay below what is wanted.
        let mut below = 0;
        let mut step = (self.tree.len() + 1).next_power_of_two() / 2;
        while step > 0 {
            if let Some(&weight) = self.tree.get(below + step - 1)
                && weight < missing
            {
                below += step;
                missing -= weight;
            }
            step /= 2;
        }
        self.sums.get(below).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The quantile at the end of every prefix of a record, as pushed week by week.
    fn quantiles(weeks: &[(bool, f64)], spans: &[(usize, f64)], q: f64) -> Vec<Option<f64>> {
        let mut record = History::new();
        weeks
            .iter()
            .for_each(|&(known, d)| record.push(known, d, 1.0, 1.0));
        let (mut history, mut sums) = (History::new(), LeadDemand::new(&record, spans));
        let push = |&(known, demand): &(bool, f64)| {
            history.push(known, demand, 1.0, 1.0);
            sums.push(&history, spans);
            sums.quantile(q)
        };
        weeks.iter().map(push).collect()
    }

    fn weeks() -> impl Strategy<Value = Vec<(bool, f64)>> {
        let demand = prop_oneof![Just(0.0), (0_u8..5).prop_map(f64::from), 0.0_f64..30.0];
        prop::collection::vec((prop::bool::weighted(0.8), demand), 6..80)
    }

    proptest! {
        /// Without gaps and with one span this is the empirical quantile of the sums.
        #[test]
        fn without_gaps_it_is_the_empirical_quantile(
            demand in prop::collection::vec(0.0_f64..30.0, 6..60), span in 1_usize..5, q in 0.01_f64..0.99,
        ) {
            let known: Vec<(bool, f64)> = demand.iter().map(|&d| (true, d)).collect();
            let found = quantiles(&known, &[(span, 1.0)], q).pop().unwrap().unwrap();
            let mut plain: Vec<f64> = demand.windows(span).map(|w| w.iter().sum()).collect();
            plain.sort_by(f64::total_cmp);
            let rank = (q * count(plain.len()) - 1e-9).ceil().max(1.0);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
            let expected = plain[rank as usize - 1];
            prop_assert!((found - expected).abs() < 1e-9);
        }

        /// A pass over all stretches so far, sorted anew every week, gives the same quantile or, at a rank on the edge, its neighbour.
        #[test]
        fn every_week_has_the_quantile_of_a_plain_pass(weeks in weeks(), first in 0.05_f64..0.95, q in 0.0_f64..=1.0) {
            let spans = [(2, first), (4, 1.0 - first)];
            let mut history = History::new();
            let mut plain: Vec<(f64, f64)> = Vec::new();
            for (&(known, demand), found) in weeks.iter().zip(quantiles(&weeks, &spans, q)) {
                history.push(known, demand, 1.0, 1.0);
                let of = |span| stretch(&history, history.weeks(), span);
                #[allow(clippy::cast_precision_loss, reason = "two to the power of forty at the most")]
                let share = |(sum, weight): (f64, u64)| (sum, weight as f64 * UNIT);
                plain.extend(spans.into_iter().filter_map(of).map(share));
                plain.sort_by(|a, b| a.0.total_cmp(&b.0));
                let total: f64 = plain.iter().map(|p| p.1).sum();
                let upto = |sum: f64| plain.iter().filter(|p| p.0 <= sum).map(|p| p.1).sum::<f64>();
                let before = |sum: f64| plain.iter().filter(|p| p.0 < sum).map(|p| p.1).sum::<f64>();
                match found {
                    None => prop_assert!(plain.is_empty()),
                    Some(sum) => {
                        prop_assert!(plain.iter().any(|p| p.0.total_cmp(&sum).is_eq()), "a sum that has not been");
                        prop_assert!(upto(sum) >= (q - 1e-9) * total && before(sum) <= (q + 1e-9) * total);
                    }
                }
            }
        }

        /// What comes later does not move a quantile.
        #[test]
        fn no_quantile_sees_the_future(weeks in weeks(), other in 0.0_f64..1e3, q in 0.0_f64..=1.0) {
            let spans = [(1, 0.4), (3, 0.6)];
            let now = weeks.len() / 2;
            let mut moved = weeks.clone();
            moved[now..].iter_mut().for_each(|week| week.1 += other);
            prop_assert_eq!(&quantiles(&weeks, &spans, q)[..now], &quantiles(&moved, &spans, q)[..now]);
        }

        /// Where every other week is missing, a constant demand is still seen whole.
        #[test]
        fn gaps_cost_precision_not_sense(demand in 0.1_f64..50.0, span in 2_usize..6, q in 0.1_f64..0.9) {
            let known: Vec<(bool, f64)> = (0..40).map(|week| (week % 2 == 0, demand)).collect();
            let found = quantiles(&known, &[(span, 1.0)], q).pop().unwrap().unwrap();
            prop_assert!((found - demand * count(span)).abs() < 1e-9 * found);
        }
    }
}
