//! The fulfilment linear programme as data.

use crate::error::{Argument, DrainError};
use gpu::numbers::vectorize;

/// Warehouses with stock, regions with demand, and what it costs to ship a unit from one to the other.
///
/// $$\min_{x, l \ge 0} \sum_{w,r} c_{wr} x_{wr} + \sum_r p_r l_r \quad\text{with}\quad
/// \sum_r x_{wr} \le s_w, \quad \sum_w x_{wr} + l_r = d_r, \quad x_{wr} \le u_{wr}.$$
///
/// Stock $s$ and demand $d$ in units (real numbers, not negative), cost $c$ in money per unit (of either sign), capacity $u$ in units, penalty
/// $p$ in money per unit that is not served. Totals need not agree. Infinity is a flag, not a number: an infinite cost bans an arc, an infinite
/// capacity sets no limit, an infinite penalty forbids the loss. A new problem has no capacities and forbids losses. Matrices lie row by
/// row, one row a warehouse.
///
/// ```
/// use hindsight_drain::fulfilment::{Fulfilment, NetworkSimplex, Solver};
/// let problem = Fulfilment::new(vec![5.0, 10.0], vec![4.0, 8.0], vec![1.0, 3.0, 2.0, 7.0])?
///     .with_lost_penalty(vec![20.0, 20.0])?;
/// let plan = NetworkSimplex::new().solve(&problem)?;
/// assert_eq!(plan.drain, [5.0, 7.0]);
/// assert_eq!(plan.cost, 5.0 * 3.0 + 4.0 * 2.0 + 3.0 * 7.0);
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Fulfilment {
    stock: Vec<f64>,
    demand: Vec<f64>,
    cost: Vec<f64>,
    capacity: Option<Vec<f64>>,
    lost_penalty: Vec<f64>,
}

impl Fulfilment {
    /// A problem without capacities in which no demand may be lost.
    ///
    /// `cost` has `stock.len() * demand.len()` entries; an infinite one bans its arc.
    ///
    /// # Errors
    /// Lists that are empty or disagree in length; stock or demand that is negative or not finite; a cost that is NaN or minus infinity.
    pub fn new(stock: Vec<f64>, demand: Vec<f64>, cost: Vec<f64>) -> Result<Self, DrainError> {
        for (argument, list) in [(Argument::Stock, &stock), (Argument::Demand, &demand)] {
            if list.is_empty() {
                return Err(DrainError::Empty { argument });
            }
            finite_and_positive(argument, list)?;
        }
        same_length(Argument::Cost, stock.len() * demand.len(), &cost)?;
        valid_costs(&cost)?;
        let lost_penalty = vec![f64::INFINITY; demand.len()];
        Ok(Self {
            stock,
            demand,
            cost,
            capacity: None,
            lost_penalty,
        })
    }

    /// The problem with these capacities, in units; an infinite one sets no limit.
    ///
    /// # Errors
    /// Another length than `cost`'s, a capacity that is NaN or negative.
    pub fn with_capacity(mut self, capacity: Vec<f64>) -> Result<Self, DrainError> {
        same_length(Argument::Capacity, self.cost.len(), &capacity)?;
        positive(Argument::Capacity, &capacity)?;
        self.capacity = Some(capacity);
        Ok(self)
    }

    /// The problem in which a unit of region `r` may stay unserved for `penalty[r]`; an infinite one forbids it.
    ///
    /// # Errors
    /// Another length than the demand's, a penalty that is NaN or negative.
    pub fn with_lost_penalty(mut self, penalty: Vec<f64>) -> Result<Self, DrainError> {
        same_length(Argument::LostPenalty, self.demand.len(), &penalty)?;
        positive(Argument::LostPenalty, &penalty)?;
        self.lost_penalty = penalty;
        Ok(self)
    }

    /// The problem without the arc from `warehouse` to `region`.
    ///
    /// # Errors
    /// A number that does not exist.
    pub fn with_ban(mut self, warehouse: usize, region: usize) -> Result<Self, DrainError> {
        let bounds = [
            (Argument::Warehouse, warehouse, self.stock.len()),
            (Argument::Region, region, self.demand.len()),
        ];
        for (argument, index, count) in bounds {
            if index >= count {
                return Err(DrainError::OutOfBounds {
                    argument,
                    index,
                    count,
                });
            }
        }
        let regions = self.demand.len();
        self.cost[warehouse * regions + region] = f64::INFINITY;
        Ok(self)
    }

    /// Replaces the stock.
    ///
    /// # Errors
    /// Another length, an entry that is negative or not finite. The problem then is as before.
    pub fn set_stock(&mut self, stock: &[f64]) -> Result<(), DrainError> {
        same_length(Argument::Stock, self.stock.len(), stock)?;
        finite_and_positive(Argument::Stock, stock)?;
        self.stock.copy_from_slice(stock);
        Ok(())
    }

    /// Replaces the demand.
    ///
    /// # Errors
    /// Another length, an entry that is negative or not finite. The problem then is as before.
    pub fn set_demand(&mut self, demand: &[f64]) -> Result<(), DrainError> {
        same_length(Argument::Demand, self.demand.len(), demand)?;
        finite_and_positive(Argument::Demand, demand)?;
        self.demand.copy_from_slice(demand);
        Ok(())
    }

    /// Replaces the costs; an infinite one bans its arc.
    ///
    /// # Errors
    /// Another length, an entry that is NaN or minus infinity. The problem then is as before.
    pub fn set_cost(&mut self, cost: &[f64]) -> Result<(), DrainError> {
        same_length(Argument::Cost, self.cost.len(), cost)?;
        valid_costs(cost)?;
        self.cost.copy_from_slice(cost);
        Ok(())
    }

    /// The number of warehouses $W$.
    #[must_use]
    pub fn warehouses(&self) -> usize {
        self.stock.len()
    }

    /// The number of regions $R$.
    #[must_use]
    pub fn regions(&self) -> usize {
        self.demand.len()
    }

    /// Units on hand by warehouse.
    #[must_use]
    pub fn stock(&self) -> &[f64] {
        &self.stock
    }

    /// Units asked for by region.
    #[must_use]
    pub fn demand(&self) -> &[f64] {
        &self.demand
    }

    /// Money per unit, row by row; infinite where the arc is banned.
    #[must_use]
    pub fn cost(&self) -> &[f64] {
        &self.cost
    }

    /// The most units on each arc, row by row, if there are any capacities.
    #[must_use]
    pub fn capacity(&self) -> Option<&[f64]> {
        self.capacity.as_deref()
    }

    /// The capacity of one arc, infinite where there is none.
    pub(crate) fn arc_capacity(&self, arc: usize) -> f64 {
        self.capacity.as_ref().map_or(f64::INFINITY, |c| c[arc])
    }

    /// Money per unit that is not served, by region; infinite where all must be served.
    #[must_use]
    pub fn lost_penalty(&self) -> &[f64] {
        &self.lost_penalty
    }
}

/// The largest absolute value that is not infinite; zero where there is none.
pub(super) fn largest(list: &[f64]) -> f64 {
    vectorize(
        #[inline(always)]
        || largest_of_lanes(list),
    )
}

#[inline(always)]
fn largest_of_lanes(list: &[f64]) -> f64 {
    let mut most = [0.0f64; 8];
    let (whole, rest) = list.as_chunks::<8>();
    for chunk in whole {
        for (most, value) in most.iter_mut().zip(chunk) {
            let value = value.abs();
            let value = if value < f64::INFINITY { value } else { 0.0 };
            *most = if value > *most { value } else { *most };
        }
    }
    let rest = rest.iter().filter(|v| v.is_finite()).map(|v| v.abs());
    most.into_iter().chain(rest).fold(0.0, f64::max)
}

fn same_length(argument: Argument, expected: usize, list: &[f64]) -> Result<(), DrainError> {
    let found = list.len();
    if found == expected {
        Ok(())
    } else {
        Err(DrainError::Length {
            argument,
            expected,
            found,
        })
    }
}

/// Infinity is allowed, NaN and negative numbers are not.
fn positive(argument: Argument, list: &[f64]) -> Result<(), DrainError> {
    match list.iter().position(|v| v.is_nan() || *v < 0.0) {
        None => Ok(()),
        Some(index) if list[index].is_nan() => Err(DrainError::NotFinite {
            argument,
            index,
            value: list[index],
        }),
        Some(index) => Err(DrainError::Negative {
            argument,
            index,
            value: list[index],
        }),
    }
}

fn finite_and_positive(argument: Argument, list: &[f64]) -> Result<(), DrainError> {
    positive(argument, list)?;
    match list.iter().position(|v| v.is_infinite()) {
        None => Ok(()),
        Some(index) => Err(DrainError::NotFinite {
            argument,
            index,
            value: list[index],
        }),
    }
}

fn valid_costs(cost: &[f64]) -> Result<(), DrainError> {
    match cost
        .iter()
        .position(|v| v.is_nan() || *v == f64::NEG_INFINITY)
    {
        None => Ok(()),
        Some(index) => Err(DrainError::NotFinite {
            argument: Argument::Cost,
            index,
            value: cost[index],
        }),
    }
}
