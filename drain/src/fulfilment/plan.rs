//! Answers, and the check that every answer passes before it is returned.

use super::problem::{Fulfilment, largest};
use crate::error::DrainError;
use gpu::numbers::vectorize;

/// The largest relative residual of [`Certificate`] with which an answer is returned.
pub const TOLERANCE: f64 = 1e-9;

/// A cheapest way to serve the demand, with prices that prove it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Plan {
    /// Units from each warehouse to each region, row by row.
    pub flow: Vec<f64>,
    /// Units that leave each warehouse: the sums of the rows of `flow`.
    pub drain: Vec<f64>,
    /// Units of each region that are not served.
    pub lost: Vec<f64>,
    /// Money: shipping and penalties.
    pub cost: f64,
    /// Marginal values.
    pub prices: Prices,
    /// How well the answer passes its check.
    pub certificate: Certificate,
    /// Pivots of the network simplex; zero from other solvers.
    pub pivots: usize,
}

/// Dual values: what one more unit of stock saves, what one more unit of demand costs.
///
/// Where a price is marked unique it is the derivative of the cost. Where it is not, the cost has a kink there, and the price lies between the
/// derivatives to the left and to the right.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Prices {
    /// Money that one more unit of a warehouse's stock saves; not negative.
    pub stock: Vec<f64>,
    /// Money that one more unit of a region's demand costs; at most the penalty.
    pub delivered: Vec<f64>,
    /// Whether all optimal duals agree on a warehouse's price.
    pub stock_unique: Vec<bool>,
    /// Whether all optimal duals agree on a region's price.
    pub delivered_unique: Vec<bool>,
}

impl Prices {
    /// Whether the optimal duals are one point.
    #[must_use]
    pub fn unique(&self) -> bool {
        self.stock_unique
            .iter()
            .chain(&self.delivered_unique)
            .all(|&u| u)
    }
}

/// Residuals of the conditions that together prove an optimum, each relative to the scale of what it compares.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Certificate {
    /// Stock, demand, capacities and signs of the flows, relative to the largest demand or stock in use.
    pub primal: f64,
    /// Signs of the reduced costs and prices, each relative to the costs and prices that it is made of plus a thousandth of the largest of all.
    pub dual: f64,
    /// Complementary slackness: the sum of all products of a reduced cost and the slack beside it, relative to the money that moves.
    pub slackness: f64,
}

impl Certificate {
    /// The largest residual.
    #[must_use]
    pub fn residual(&self) -> f64 {
        self.primal.max(self.dual).max(self.slackness)
    }

    /// Checks flows and prices against the problem, using nothing of how they were found.
    ///
    /// Shapes are the problem's: `flow` $W \times R$, `lost` and `delivered` $R$, `stock` $W$.
    ///
    /// # Panics
    /// If the lengths are not the problem's.
    #[must_use]
    pub fn of(
        problem: &Fulfilment,
        flow: &[f64],
        lost: &[f64],
        stock: &[f64],
        delivered: &[f64],
    ) -> Self {
        let (warehouses, regions) = (problem.warehouses(), problem.regions());
        assert_eq!(flow.len(), warehouses * regions, "one flow an arc");
        assert_eq!(
            (lost.len(), delivered.len(), stock.len()),
            (regions, regions, warehouses),
            "one entry a node"
        );
        let most = largest(problem.cost())
            .max(largest(stock))
            .max(largest(delivered));
        let mut check = Check {
            floor: 1e-3 * most,
            ..Check::default()
        };
        let mut served = vec![0.0; regions];
        for (w, (row, price)) in flow.chunks_exact(regions).zip(stock).enumerate() {
            let costs = &problem.cost()[w * regions..][..regions];
            let sent = if let Some(capacity) = problem.capacity() {
                let limits = &capacity[w * regions..][..regions];
                for r in 0..regions {
                    check.arc(costs[r], row[r], limits[r], *price, delivered[r]);
                }
                row.iter().sum()
            } else {
                vectorize(
                    #[inline(always)]
                    || check.open_row(costs, row, *price, delivered),
                )
            };
            for (total, units) in served.iter_mut().zip(row) {
                *total += units;
            }
            let available = problem.stock()[w];
            check.units = check.units.max(sent);
            check.primal(sent - available);
            check.dual(-price, price.abs());
            check.slackness += price.max(0.0) * (available - sent).max(0.0);
            check.money += price.abs() * sent;
        }
        for r in 0..regions {
            let (demand, penalty, price) =
                (problem.demand()[r], problem.lost_penalty()[r], delivered[r]);
            check.units = check.units.max(demand);
            check.primal((served[r] + lost[r] - demand).abs());
            check.primal(-lost[r]);
            check.money += price.abs() * demand;
            if penalty.is_finite() {
                check.dual(price - penalty, price.abs() + penalty);
                check.slackness += (penalty - price).max(0.0) * lost[r].max(0.0);
                check.money += penalty * lost[r].abs();
            } else {
                check.primal(lost[r]);
            }
        }
        check.certificate()
    }
}

/// Sums and maxima of the check, not yet relative.
#[derive(Default)]
struct Check {
    primal: f64,
    dual: f64,
    slackness: f64,
    units: f64,
    money: f64,
    /// Money per unit that every comparison of prices is relative to at least.
    floor: f64,
}

impl Check {
    #[inline]
    fn arc(&mut self, cost: f64, units: f64, limit: f64, stock: f64, delivered: f64) {
        self.primal(-units);
        self.primal(units - limit);
        if cost == f64::INFINITY {
            self.primal(units);
            return;
        }
        let reduced = cost + stock - delivered;
        if reduced >= 0.0 {
            self.slackness += reduced * units.max(0.0);
        } else if limit.is_finite() {
            self.slackness += -reduced * (limit - units).max(0.0);
        } else {
            self.dual(-reduced, cost.abs() + stock.abs() + delivered.abs());
        }
        self.money += cost.abs() * units.abs();
    }

    /// All arcs of a warehouse that has no capacities, several side by side; returns what it sends.
    ///
    /// NaN among the flows shows in the sum that is returned.
    #[inline(always)]
    fn open_row(&mut self, costs: &[f64], row: &[f64], stock: f64, delivered: &[f64]) -> f64 {
        const LANES: usize = 8;
        let (mut sent, mut slackness, mut money) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        let (mut least_units, mut least_reduced) = ([0.0f64; LANES], [0.0f64; LANES]);
        let whole = row.len() / LANES * LANES;
        let mut start = 0;
        while start < whole {
            let (c, x) = (&costs[start..][..LANES], &row[start..][..LANES]);
            let d = &delivered[start..][..LANES];
            for lane in 0..LANES {
                let (cost, units) = (c[lane], x[lane]);
                let reduced = cost + stock - d[lane];
                sent[lane] += units;
                slackness[lane] += if units > 0.0 {
                    reduced.abs() * units
                } else {
                    0.0
                };
                money[lane] += if units > 0.0 { cost.abs() * units } else { 0.0 };
                least_units[lane] = if units < least_units[lane] {
                    units
                } else {
                    least_units[lane]
                };
                least_reduced[lane] = if reduced < least_reduced[lane] {
                    reduced
                } else {
                    least_reduced[lane]
                };
            }
            start += LANES;
        }
        self.slackness += slackness.iter().sum::<f64>();
        self.money += money.iter().sum::<f64>();
        for units in least_units {
            self.primal(-units);
        }
        if least_reduced.iter().any(|r| *r < 0.0) {
            for r in 0..whole {
                let reduced = costs[r] + stock - delivered[r];
                if reduced < 0.0 {
                    self.dual(-reduced, costs[r].abs() + stock.abs() + delivered[r].abs());
                }
            }
        }
        let mut total = sent.iter().sum::<f64>();
        for r in whole..row.len() {
            self.arc(costs[r], row[r], f64::INFINITY, stock, delivered[r]);
            total += row[r];
        }
        total
    }

    #[inline]
    fn primal(&mut self, violation: f64) {
        // NaN must not pass as the smaller one.
        self.primal = self.primal.max(if violation.is_nan() {
            f64::INFINITY
        } else {
            violation
        });
    }

    #[inline]
    fn dual(&mut self, violation: f64, scale: f64) {
        if violation > 0.0 {
            self.dual = self.dual.max(violation / (scale + self.floor));
        } else if violation.is_nan() {
            self.dual = f64::INFINITY;
        }
    }

    fn certificate(&self) -> Certificate {
        let relative = |residual: f64, scale: f64| match residual {
            r if r.is_nan() => f64::INFINITY,
            r if r <= 0.0 => 0.0,
            r => r / scale,
        };
        Certificate {
            primal: relative(self.primal, self.units),
            dual: self.dual,
            slackness: relative(self.slackness, self.money),
        }
    }
}

impl Plan {
    /// A plan of these flows, if it passes its check.
    pub(crate) fn checked(
        problem: &Fulfilment,
        flow: Vec<f64>,
        lost: Vec<f64>,
        prices: Prices,
        tolerance: f64,
        pivots: usize,
    ) -> Result<Self, DrainError> {
        let certificate = Certificate::of(problem, &flow, &lost, &prices.stock, &prices.delivered);
        let residual = certificate.residual();
        if residual > tolerance {
            return Err(DrainError::Unproven {
                residual,
                tolerance,
            });
        }
        let regions = problem.regions();
        let drain = flow
            .chunks_exact(regions)
            .map(|row| row.iter().sum())
            .collect();
        let paid = |list: &[f64], prices: &[f64]| -> f64 {
            let products = list.iter().zip(prices);
            products
                .map(|(units, price)| if *units == 0.0 { 0.0 } else { units * price })
                .sum()
        };
        let cost = paid(&flow, problem.cost()) + paid(&lost, problem.lost_penalty());
        Ok(Self {
            flow,
            drain,
            lost,
            cost,
            prices,
            certificate,
            pivots,
        })
    }
}
