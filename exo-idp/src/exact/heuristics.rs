//! The classical policies for lost sales, and the search for their best whole parameters by exact evaluation.

use super::chain::ChainOptions;
use super::demand::DemandLaw;
use super::error::ExactError;
use super::lost_sales::LostSales;

/// Order up to `level` in total: $z = (S - \sum_i x_i)^+$.
pub fn base_stock(level: u32) -> impl Fn(&[u32]) -> u32 + Clone {
    move |state| level.saturating_sub(position(state))
}

/// Order up to `level` in total, never more than `cap` at once: $z = \min\lbrace(S - \sum_i x_i)^+, r\rbrace$.
pub fn capped_base_stock(level: u32, cap: u32) -> impl Fn(&[u32]) -> u32 + Clone {
    move |state| level.saturating_sub(position(state)).min(cap)
}

/// Order the same in every state. For orders below mean demand, stock has no bound under it; use
/// [`LostSales::constant_order_cost`] for its exact cost.
pub fn constant_order(order: u32) -> impl Fn(&[u32]) -> u32 + Clone {
    move |_| order
}

fn position(state: &[u32]) -> u32 {
    state.iter().fold(0, |sum, &x| sum.saturating_add(x))
}

/// The myopic policy (Morton 1971; "myopic-1" of Zipkin 2008): the order that is best for the period in which it becomes usable.
///
/// With $X$ the stock left just before the order arrives, a random number given the state, it is the smallest $z$ with
/// $P(D \le X + z) \ge p/(p+h)$: the minimum of the expected cost of that period, later periods left out.
#[derive(Debug, Clone)]
pub struct Myopic {
    demand: DemandLaw,
    lead_time: usize,
    fractile: f64,
}

impl Myopic {
    /// The myopic policy of a problem.
    #[must_use]
    pub fn new(problem: &LostSales) -> Self {
        Self {
            demand: problem.demand().clone(),
            lead_time: problem.lead_time(),
            fractile: problem.fractile(),
        }
    }

    /// The order in a state (on hand, then the pipeline, oldest first).
    #[must_use]
    pub fn order(&self, state: &[u32]) -> u32 {
        let left = self.left_at_arrival(state);
        let mut order = 0;
        loop {
            let mut covered = 0.0;
            for (&mass, x) in left.iter().zip(0_u32..) {
                covered += mass * self.demand.cdf(x + order);
            }
            if covered >= self.fractile - 1e-12 || order >= self.demand.largest() {
                return order;
            }
            order += 1;
        }
    }

    /// The law of the stock left just before the order arrives.
    fn left_at_arrival(&self, state: &[u32]) -> Vec<f64> {
        let stock = state.first().copied().unwrap_or(0) as usize;
        let mut law = vec![0.0; stock + 1];
        law[stock] = 1.0;
        if self.lead_time == 0 {
            return law;
        }
        law = self.after_demand(&law);
        for &arrival in &state[1..] {
            let mut shifted = vec![0.0; arrival as usize];
            shifted.extend(law);
            law = self.after_demand(&shifted);
        }
        law
    }

    fn after_demand(&self, law: &[f64]) -> Vec<f64> {
        let pmf = self.demand.probabilities();
        let mut after = vec![0.0; law.len()];
        for (stock, &mass) in law.iter().enumerate().filter(|(_, m)| **m > 0.0) {
            after[0] += mass
                * if stock == 0 {
                    1.0
                } else {
                    self.demand.survival(super::demand::index(stock - 1))
                };
            for (d, p) in pmf.iter().enumerate().take(stock) {
                after[stock - d] += mass * p;
            }
        }
        after
    }
}

impl LostSales {
    /// The best base-stock level and its long-run cost.
    ///
    /// The search walks downhill from the best level with back-orders, [`position_bound`](LostSales::position_bound): the cost is
    /// convex in the level (Janakiraman and Roundy 2004), so the first minimum is the minimum.
    ///
    /// # Errors
    /// As [`evaluate`](LostSales::evaluate).
    pub fn best_base_stock(&self, options: &ChainOptions) -> Result<(u32, f64), ExactError> {
        self.descend(self.position_bound()?, u32::MAX, options)
    }

    /// The best level and cap of the capped base-stock policy, and its long-run cost: `((level, cap), cost)`.
    ///
    /// Every cap from the bound on the order down to mean demand is tried; for each the level is found by walking from the last cap's level
    /// up and down, until as many levels in a row as the cap cost more: with a cap the cost need not be convex in the level. Caps below mean
    /// demand are tried down to half of it, with levels up to twice [`position_bound`](LostSales::position_bound); beyond that the policy is a constant order.
    ///
    /// # Errors
    /// As [`evaluate`](LostSales::evaluate).
    pub fn best_capped_base_stock(
        &self,
        options: &ChainOptions,
    ) -> Result<((u32, u32), f64), ExactError> {
        self.best_capped_base_stock_near(self.best_base_stock(options)?, options)
    }

    /// As [`best_capped_base_stock`](LostSales::best_capped_base_stock), given what
    /// [`best_base_stock`](LostSales::best_base_stock) has found: the best level without a cap and its cost.
    ///
    /// # Errors
    /// As [`evaluate`](LostSales::evaluate).
    pub fn best_capped_base_stock_near(
        &self,
        plain: (u32, f64),
        options: &ChainOptions,
    ) -> Result<((u32, u32), f64), ExactError> {
        let mut level = plain.0;
        // A cap as high as the level never binds.
        let mut best = ((level, level), plain.1);
        let half_mean = 0.5 * self.demand().mean();
        // Most caps are out of the running: a thousandth of the cost tells, and only the others are worth more sweeps.
        let rough = ChainOptions {
            tolerance: options.tolerance.max(1e-3 * plain.1),
            ..options.clone()
        };
        for cap in (1..=self.order_bound().saturating_add(1))
            .rev()
            .take_while(|&r| f64::from(r) >= half_mean)
        {
            let (at, cost) = self.descend(level, cap, &rough)?;
            level = at;
            if cost - rough.tolerance < best.1 {
                let (at, cost) = self.descend(level, cap, options)?;
                level = at;
                if cost < best.1 {
                    best = ((level, cap), cost);
                }
            }
        }
        Ok(best)
    }

    /// Walks up and down in the level, for one cap, and returns the best level on the way and its cost.
    fn descend(
        &self,
        start: u32,
        cap: u32,
        options: &ChainOptions,
    ) -> Result<(u32, f64), ExactError> {
        let highest = self.position_bound()?.saturating_mul(2);
        let cost = |level: u32, give_up_above: f64| -> Result<f64, ExactError> {
            let chain = ChainOptions {
                give_up_above: give_up_above.min(options.give_up_above),
                ..options.clone()
            };
            Ok(self.evaluate(capped_base_stock(level, cap), &chain)?.cost)
        };
        // Without a cap the cost is convex in the level, and the first rise ends the walk. With one it has ripples, as wide as the cap.
        let patience = if cap == u32::MAX { 1 } else { cap };
        let start = start.min(highest);
        let first = (start, cost(start, f64::INFINITY)?);
        let below = walk((0..start).rev(), first, patience, cost)?;
        if cap == u32::MAX && below.0 < start {
            return Ok(below);
        }
        walk(start + 1..=highest, below, patience, cost)
    }
}

/// The best of a level and those that are walked through, with its cost, until as many in a row as `patience` cost more; of equal costs the lower level. The cost
/// of a level need only be right where it is below the second number.
fn walk(
    levels: impl Iterator<Item = u32>,
    mut best: (u32, f64),
    patience: u32,
    cost: impl Fn(u32, f64) -> Result<f64, ExactError>,
) -> Result<(u32, f64), ExactError> {
    let mut behind = 0;
    for level in levels {
        let here = cost(level, best.1)?;
        if here < best.1 || level < best.0 && here <= best.1 {
            (best, behind) = ((level, here), 0);
        } else {
            behind += 1;
        }
        if behind == patience {
            break;
        }
    }
    Ok(best)
}
