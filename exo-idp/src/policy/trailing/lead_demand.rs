//! Demand over lead time and review, as it was in the weeks so far.

use super::history::History;

/// Sums of demand over every stretch that an order may have to cover, sorted, each with its weight.
///
/// A stretch with gaps counts too, as long as half of it is known: its sum is brought to the whole length, and it weighs as much as is known
/// of it. So weeks that are missing cost precision, not sense.
#[derive(Debug, Clone)]
pub(super) struct LeadDemand {
    sums: Vec<(f64, f64)>,
    total: f64,
}

impl LeadDemand {
    pub(super) fn new() -> Self {
        LeadDemand {
            sums: Vec::new(),
            total: 0.0,
        }
    }

    /// Adds the stretches that end with the last week of `history`; `spans` holds lengths with their probabilities.
    pub(super) fn push(&mut self, history: &History, spans: &[(usize, f64)]) {
        let now = history.weeks();
        for &(span, probability) in spans {
            let Some(from) = now.checked_sub(span) else {
                continue;
            };
            let (known, sum) = history.total(from, now);
            let length = crate::count::count(span);
            if 2.0 * known < length || known <= 0.0 {
                continue;
            }
            let (sum, weight) = (sum * length / known, probability * known / length);
            let at = self.sums.partition_point(|&(other, _)| other < sum);
            self.sums.insert(at, (sum, weight));
            self.total += weight;
        }
    }

    /// The smallest sum that a share `q` of the stretches does not exceed; none before the first.
    pub(super) fn quantile(&self, q: f64) -> Option<f64> {
        let mut below = 0.0;
        let wanted = q * self.total - 1e-12 * self.total;
        let found = self.sums.iter().find(|&&(_, weight)| {
            below += weight;
            below >= wanted
        });
        found.or(self.sums.last()).map(|&(sum, _)| sum)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Without gaps and with one span this is the empirical quantile of the sums.
        #[test]
        fn without_gaps_it_is_the_empirical_quantile(
            demand in prop::collection::vec(0.0_f64..30.0, 6..60), span in 1_usize..5, q in 0.01_f64..0.99,
        ) {
            let (mut history, mut sums) = (History::new(), LeadDemand::new());
            for &d in &demand {
                history.push(true, d, 1.0, 1.0);
                sums.push(&history, &[(span, 1.0)]);
            }
            let mut plain: Vec<f64> = demand.windows(span).map(|w| w.iter().sum()).collect();
            plain.sort_by(f64::total_cmp);
            let rank = (q * crate::count::count(plain.len()) - 1e-9).ceil().max(1.0);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
            let expected = plain[rank as usize - 1];
            prop_assert!((sums.quantile(q).unwrap() - expected).abs() < 1e-9);
        }

        /// Where every other week is missing, a constant demand is still seen whole.
        #[test]
        fn gaps_cost_precision_not_sense(demand in 0.1_f64..50.0, span in 2_usize..6, q in 0.1_f64..0.9) {
            let (mut history, mut sums) = (History::new(), LeadDemand::new());
            for week in 0..40 {
                history.push(week % 2 == 0, demand, 1.0, 1.0);
                sums.push(&history, &[(span, 1.0)]);
            }
            let found = sums.quantile(q).unwrap();
            prop_assert!((found - demand * crate::count::count(span)).abs() < 1e-9 * found);
        }
    }
}
