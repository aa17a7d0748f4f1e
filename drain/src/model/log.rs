//! States, and what was seen in them.

use super::UnitCosts;
use super::amounts;
use crate::error::{Argument, DrainError};

/// What a period begins with: all that drain and cost may depend on.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct State {
    /// Units on hand by warehouse, receipts of the period included.
    pub stock: Vec<f64>,
    /// Units asked for by zone in the period.
    pub demand: Vec<f64>,
}

impl State {
    /// Whether the state fits a network.
    ///
    /// # Errors
    /// Another number of warehouses or zones, an amount that is negative or not finite.
    pub fn check(&self, costs: &UnitCosts) -> Result<(), DrainError> {
        amounts(Argument::Stock, costs.warehouses(), &self.stock)?;
        amounts(Argument::Demand, costs.zones(), &self.demand)
    }

    /// The most that can be shipped, in units.
    #[must_use]
    pub fn most(&self) -> f64 {
        let total = |list: &[f64]| list.iter().sum::<f64>();
        total(&self.stock).min(total(&self.demand))
    }
}

/// What left each warehouse in a period, and what carrying it cost.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Drain {
    /// Units by warehouse.
    pub units: Vec<f64>,
    /// Money by warehouse.
    pub cost: Vec<f64>,
}

impl Drain {
    /// All units.
    #[must_use]
    pub fn total_units(&self) -> f64 {
        self.units.iter().sum()
    }

    /// All money.
    #[must_use]
    pub fn total_cost(&self) -> f64 {
        self.cost.iter().sum()
    }
}

/// Whether a drain is possible in a state, to a relative tolerance: `0 <= units <= stock`, no more than is asked for, no cost without units, and
/// money per unit within the network's range.
///
/// ```
/// use hindsight_drain::model::{Drain, State, UnitCosts, is_feasible};
/// let costs = UnitCosts::new(1, 1, vec![3.0], vec![2.0], vec![4.0])?;
/// let state = State { stock: vec![5.0], demand: vec![9.0] };
/// let drain = |units, cost| Drain { units: vec![units], cost: vec![cost] };
/// assert!(is_feasible(&costs, &state, &drain(5.0, 15.0), 0.0));
/// assert!(!is_feasible(&costs, &state, &drain(6.0, 15.0), 0.0));
/// assert!(!is_feasible(&costs, &state, &drain(0.0, 1.0), 0.0));
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
#[must_use]
pub fn is_feasible(costs: &UnitCosts, state: &State, drain: &Drain, tolerance: f64) -> bool {
    let slack = tolerance * state.most().max(1.0);
    let lanes = drain.units.iter().zip(&drain.cost).zip(&state.stock);
    let possible = lanes.enumerate().all(|(w, ((units, cost), stock))| {
        let (low, high) = costs.range(w);
        let money = slack * high;
        *units >= 0.0
            && *units <= stock + slack
            && *cost >= low * units - money
            && *cost <= high * units + money
    });
    possible && drain.total_units() <= state.most() + slack
}

/// States of one network and what was seen in each.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Log {
    costs: UnitCosts,
    states: Vec<State>,
    drains: Vec<Drain>,
}

impl Log {
    /// An empty log.
    #[must_use]
    pub fn new(costs: UnitCosts) -> Self {
        Self {
            costs,
            states: Vec::new(),
            drains: Vec::new(),
        }
    }

    /// Adds what was seen in a state.
    ///
    /// # Errors
    /// A state or a drain that does not fit the network, or a drain that is not possible there, to $10^{-6}$.
    pub fn push(&mut self, state: State, drain: Drain) -> Result<(), DrainError> {
        state.check(&self.costs)?;
        amounts(Argument::Drain, self.costs.warehouses(), &drain.units)?;
        amounts(Argument::Cost, self.costs.warehouses(), &drain.cost)?;
        if !is_feasible(&self.costs, &state, &drain, 1e-6) {
            return Err(DrainError::Impossible {
                index: self.states.len(),
            });
        }
        self.states.push(state);
        self.drains.push(drain);
        Ok(())
    }

    /// The first part of it, in its order, and the rest: at least one entry each.
    ///
    /// # Errors
    /// Fewer than two entries, a share that is not between 0 and 1.
    pub fn split(&self, share: f64) -> Result<(Self, Self), DrainError> {
        let entries = self.states.len();
        if entries < 2 {
            return Err(DrainError::TooFew {
                argument: Argument::Log,
                needed: 2,
                found: entries,
            });
        }
        if !(share > 0.0 && share < 1.0) {
            return Err(DrainError::NotBetween {
                argument: Argument::Level,
                low: 0.0,
                high: 1.0,
                value: share,
            });
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of entries, rounded"
        )]
        let first = ((entries as f64 * share).round() as usize).clamp(1, entries - 1);
        let part = |range: std::ops::Range<usize>| Self {
            costs: self.costs.clone(),
            states: self.states[range.clone()].to_vec(),
            drains: self.drains[range].to_vec(),
        };
        Ok((part(0..first), part(first..entries)))
    }

    /// Adds all of another log of the same network.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn extend(&mut self, other: &Log) -> Result<(), DrainError> {
        for (state, drain) in other.states.iter().zip(&other.drains) {
            self.push(state.clone(), drain.clone())?;
        }
        Ok(())
    }

    /// The network.
    #[must_use]
    pub fn costs(&self) -> &UnitCosts {
        &self.costs
    }

    /// The states.
    #[must_use]
    pub fn states(&self) -> &[State] {
        &self.states
    }

    /// What was seen, state by state.
    #[must_use]
    pub fn drains(&self) -> &[Drain] {
        &self.drains
    }
}
