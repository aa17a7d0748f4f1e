//! The optimal (s, S) policy with a fixed cost per order and back-orders, by the algorithm of Zheng and Federgruen (1991).
//!
//! Review every period; when the inventory position is at or below the reorder point $s$, order up to $S$. With $G(y)$ the expected
//! holding and penalty cost at position $y$ (demand over $L+1$ periods) the long-run cost is
//! $$c(s,S) = \frac{K + \sum_{j=0}^{S-s-1} m(j) G(S-j)}{M(S-s)},$$
//! with $m$ the renewal density of demand, $m(0)=1/(1-P(D=0))$, and $M(n)=\sum_{j<n} m(j)$.

use super::demand::DemandLaw;
use super::error::{ExactError, non_negative, positive};
use super::newsvendor::critical_fractile;

/// Widest range of positions searched.
const WIDEST: i64 = 4_000_000;

/// Periodic review with back-orders, a lead time and a fixed cost per order.
///
/// ```
/// use hindsight_exo_idp::exact::{DemandLaw, SetupCost};
/// let problem = SetupCost::new(&DemandLaw::poisson(10.0)?, 0, 1.0, 9.0, 64.0)?;
/// let best = problem.solve()?;
/// assert_eq!((best.reorder_point, best.order_up_to), (6, 40));
/// assert!((best.cost - 35.022).abs() < 5e-4);
/// # Ok::<(), hindsight_exo_idp::exact::ExactError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct SetupCost {
    period: DemandLaw,
    over_lead: DemandLaw,
    holding: f64,
    penalty: f64,
    setup: f64,
}

/// An (s, S) policy and its long-run cost.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct SsPolicy {
    /// Order when the position is at or below this (s).
    pub reorder_point: i64,
    /// Order up to this position (S).
    pub order_up_to: i64,
    /// Long-run cost in money per period.
    pub cost: f64,
}

impl SetupCost {
    /// The problem with `setup` cost per order, `holding` and `penalty` per unit and period, orders usable `lead_time`
    /// periods later.
    ///
    /// # Errors
    /// Holding or penalty is not finite and above zero, the setup cost is negative or not finite, demand is zero
    /// with certainty, or its convolution is too wide.
    pub fn new(
        demand: &DemandLaw,
        lead_time: usize,
        holding: f64,
        penalty: f64,
        setup: f64,
    ) -> Result<Self, ExactError> {
        positive("holding cost", holding)?;
        positive("penalty", penalty)?;
        non_negative("setup cost", setup)?;
        if demand.largest() == 0 {
            return Err(ExactError::NoDemand);
        }
        let over_lead = demand.over(lead_time + 1)?;
        Ok(Self {
            period: demand.clone(),
            over_lead,
            holding,
            penalty,
            setup,
        })
    }

    /// Expected holding and penalty cost of a period at inventory position `y`, which may be negative.
    #[must_use]
    pub fn position_cost(&self, position: i64) -> f64 {
        match u32::try_from(position) {
            Ok(y) => {
                self.holding * self.over_lead.expected_leftover(y)
                    + self.penalty * self.over_lead.expected_excess(y)
            }
            Err(_) if position > 0 => f64::INFINITY,
            Err(_) => self.penalty * (self.over_lead.mean() + real(-position)),
        }
    }

    /// The long-run cost per period of a given (s, S) policy.
    ///
    /// # Errors
    /// `order_up_to` is not above `reorder_point`, or further above it than four million units.
    pub fn cost(&self, reorder_point: i64, order_up_to: i64) -> Result<f64, ExactError> {
        let gap = order_up_to.saturating_sub(reorder_point);
        if gap <= 0 {
            return Err(ExactError::NotPositive {
                name: "order-up-to level above the reorder point",
                value: real(gap),
            });
        }
        if gap > WIDEST {
            return Err(ExactError::TooWide {
                largest: gap.unsigned_abs(),
                limit: WIDEST.unsigned_abs(),
            });
        }
        Ok(self.cycle(&mut Renewal::new(&self.period), reorder_point, order_up_to))
    }

    /// The optimal (s, S) policy.
    ///
    /// # Errors
    /// The search leaves the widest range of four million positions.
    pub fn solve(&self) -> Result<SsPolicy, ExactError> {
        let mut renewal = Renewal::new(&self.period);
        let least = i64::from(
            self.over_lead
                .quantile(critical_fractile(self.holding, self.penalty)?)?,
        );
        let mut s = least - 1;
        while self.cycle(&mut renewal, s, least) > self.position_cost(s) {
            s -= 1;
            if least - s > WIDEST {
                return Err(ExactError::TooWide {
                    largest: (least - s).unsigned_abs(),
                    limit: WIDEST.unsigned_abs(),
                });
            }
        }
        let mut best = least;
        let mut cost = self.cycle(&mut renewal, s, best);
        let mut up_to = least + 1;
        while self.position_cost(up_to) <= cost {
            let candidate = self.cycle(&mut renewal, s, up_to);
            if candidate < cost {
                best = up_to;
                cost = candidate;
                while cost <= self.position_cost(s + 1) && s + 1 < best {
                    s += 1;
                    cost = self.cycle(&mut renewal, s, best);
                }
            }
            up_to += 1;
        }
        Ok(SsPolicy {
            reorder_point: s,
            order_up_to: best,
            cost,
        })
    }

    fn cycle(&self, renewal: &mut Renewal<'_>, s: i64, up_to: i64) -> f64 {
        let (mut cost, mut periods) = (self.setup, 0.0);
        for (j, position) in (s + 1..=up_to).rev().enumerate() {
            let m = renewal.density(j);
            cost += m * self.position_cost(position);
            periods += m;
        }
        cost / periods
    }
}

/// The renewal density of demand, grown as needed.
struct Renewal<'a> {
    demand: &'a DemandLaw,
    density: Vec<f64>,
}

impl<'a> Renewal<'a> {
    fn new(demand: &'a DemandLaw) -> Self {
        let density = vec![1.0 / demand.survival(0)];
        Self { demand, density }
    }

    /// Expected number of periods spent exactly `j` units below the order-up-to level.
    fn density(&mut self, j: usize) -> f64 {
        while self.density.len() <= j {
            let n = self.density.len();
            let pmf = self.demand.probabilities();
            let sum: f64 = (1..pmf.len().min(n + 1))
                .map(|d| pmf[d] * self.density[n - d])
                .sum();
            self.density.push(sum / self.demand.survival(0));
        }
        self.density[j]
    }
}

/// A position as a number.
#[allow(clippy::cast_precision_loss, reason = "positions are far below 2^53")]
fn real(units: i64) -> f64 {
    units as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn published_set() {
        // Poisson demand, h = 1, p = 9, K = 64: the set of Zheng and Federgruen.
        for (mean, s, up_to, cost) in [
            (10.0, 6, 40, 35.022),
            (15.0, 10, 49, 42.698),
            (20.0, 14, 62, 49.173),
            (25.0, 19, 56, 54.262),
            (30.0, 23, 66, 57.819),
            (40.0, 33, 87, 64.512),
            (50.0, 42, 108, 70.975),
            (64.0, 55, 74, 78.402),
            (75.0, 67, 86, 79.554),
        ] {
            let best = SetupCost::new(&DemandLaw::poisson(mean).unwrap(), 0, 1.0, 9.0, 64.0)
                .unwrap()
                .solve()
                .unwrap();
            assert_eq!(
                (best.reorder_point, best.order_up_to),
                (s, up_to),
                "mean {mean}"
            );
            assert!(
                (best.cost - cost).abs() <= 5.1e-4,
                "mean {mean}: {}",
                best.cost
            );
        }
    }

    #[test]
    fn without_setup_cost_it_is_the_base_stock() {
        let demand = DemandLaw::poisson(4.0).unwrap();
        let best = SetupCost::new(&demand, 2, 1.0, 9.0, 0.0)
            .unwrap()
            .solve()
            .unwrap();
        let base = super::super::newsvendor::backorder_base_stock(&demand, 2, 1.0, 9.0).unwrap();
        assert_eq!(best.order_up_to, i64::from(base.quantity));
        assert!((best.cost - base.cost).abs() < 1e-9);
    }

    #[test]
    fn wrong_levels_are_refused() {
        let problem = SetupCost::new(&DemandLaw::poisson(4.0).unwrap(), 0, 1.0, 9.0, 5.0).unwrap();
        assert!(problem.cost(7, 7).is_err());
        assert!(problem.cost(i64::MIN, i64::MAX).is_err());
        assert!(SetupCost::new(&DemandLaw::poisson(4.0).unwrap(), 0, 1.0, 9.0, f64::NAN).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn no_pair_is_cheaper(
            counts in proptest::collection::vec(0_u64..6, 2..7),
            p in 1.0_f64..20.0, setup in 0.0_f64..30.0, lead in 0_usize..2,
        ) {
            prop_assume!(counts[1..].iter().sum::<u64>() > 0);
            let problem = SetupCost::new(&DemandLaw::from_counts(&counts).unwrap(), lead, 1.0, p, setup).unwrap();
            let best = problem.solve().unwrap();
            prop_assert!((problem.cost(best.reorder_point, best.order_up_to).unwrap() - best.cost).abs() < 1e-9);
            for s in -25..25_i64 {
                for up_to in s + 1..60 {
                    let cost = problem.cost(s, up_to).unwrap();
                    prop_assert!(cost >= best.cost - 1e-9, "({s}, {up_to}) costs {cost}, {best:?}");
                }
            }
        }
    }
}
