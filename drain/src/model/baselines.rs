//! Rules of thumb that a model must better.

use super::{Drain, State, UnitCosts, amounts};
use crate::error::{Argument, DrainError};
use crate::fulfilment::{Fulfilment, NetworkSimplex, Solver};

/// A forecast without randomness and without training, by a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Baseline {
    /// All that can be shipped, in proportion to the stock.
    ProportionalToStock,
    /// Zone after zone, the largest demand first, each from the cheapest warehouse that has stock.
    NearestGreedy,
    /// The cheapest plan for the whole demand ([`Fulfilment`]); a lost unit costs twice the dearest price.
    LinearProgramme,
}

impl Baseline {
    /// All of them.
    pub const ALL: [Self; 3] = [
        Self::ProportionalToStock,
        Self::NearestGreedy,
        Self::LinearProgramme,
    ];

    /// What the rule says leaves each warehouse, each unit by the cheapest option.
    ///
    /// # Errors
    /// A state that does not fit the network.
    ///
    /// ```
    /// use hindsight_drain::model::{Baseline, State, UnitCosts};
    /// let costs = UnitCosts::new(2, 1, vec![1.0, 2.0], vec![1.0; 2], vec![2.0; 2])?;
    /// let state = State { stock: vec![3.0, 9.0], demand: vec![4.0] };
    /// assert_eq!(Baseline::NearestGreedy.forecast(&costs, &state)?.units, [3.0, 1.0]);
    /// assert_eq!(Baseline::ProportionalToStock.forecast(&costs, &state)?.units, [1.0, 3.0]);
    /// # Ok::<(), hindsight_drain::DrainError>(())
    /// ```
    pub fn forecast(self, costs: &UnitCosts, state: &State) -> Result<Drain, DrainError> {
        Ok(priced(costs, &self.flow(costs, state)?))
    }

    /// Units `[warehouse][zone]` behind [`forecast`](Self::forecast).
    ///
    /// # Errors
    /// A state that does not fit the network.
    pub fn flow(self, costs: &UnitCosts, state: &State) -> Result<Vec<f64>, DrainError> {
        state.check(costs)?;
        Ok(match self {
            Self::ProportionalToStock => proportional(costs, state),
            Self::NearestGreedy => greedy(costs, state),
            Self::LinearProgramme => programme(costs, state)?,
        })
    }
}

/// What leaves each warehouse if it ships the share of all units that it shipped in the period before, up to its stock; what it cannot ship, the others do
/// in the same proportions. Demand is spread alike, each unit by the cheapest option.
///
/// # Errors
/// A state or a drain that does not fit the network.
///
/// ```
/// use hindsight_drain::model::{Drain, State, UnitCosts, last_period_shares};
/// let costs = UnitCosts::new(2, 1, vec![1.0, 2.0], vec![1.0; 2], vec![2.0; 2])?;
/// let before = Drain { units: vec![6.0, 2.0], cost: vec![6.0, 4.0] };
/// let state = State { stock: vec![3.0, 9.0], demand: vec![8.0] };
/// assert_eq!(last_period_shares(&costs, &state, &before)?.units, [3.0, 5.0]);
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
pub fn last_period_shares(
    costs: &UnitCosts,
    state: &State,
    before: &Drain,
) -> Result<Drain, DrainError> {
    state.check(costs)?;
    amounts(Argument::Drain, costs.warehouses(), &before.units)?;
    // Those that shipped nothing come last, in proportion to what they have.
    let least = 1e-9 * before.total_units() / state.stock.iter().sum::<f64>().max(1e-9) + 1e-12;
    let weights = before.units.iter().zip(&state.stock);
    let weights: Vec<f64> = weights
        .map(|(units, stock)| units + least * stock)
        .collect();
    let mut units = vec![0.0; weights.len()];
    let mut open = state.most();
    // Each round fills a warehouse or is the last.
    for _ in 0..=weights.len() {
        let free = |w: &usize| state.stock[*w] > units[*w];
        let free: Vec<usize> = (0..weights.len()).filter(free).collect();
        let all: f64 = free.iter().map(|w| weights[*w]).sum();
        if open <= 0.0 || all <= 0.0 {
            break;
        }
        let level = open / all;
        for w in free {
            let more = (level * weights[w]).min(state.stock[w] - units[w]);
            units[w] += more;
            open -= more;
        }
    }
    let size: f64 = state.demand.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let flow = units
        .iter()
        .flat_map(|y| state.demand.iter().map(move |d| y * d / size));
    Ok(priced(costs, &flow.collect::<Vec<_>>()))
}

/// Flows `[warehouse][zone]` as a drain, each unit by the cheapest option.
fn priced(costs: &UnitCosts, flow: &[f64]) -> Drain {
    let zones = costs.zones();
    let paid = |(w, row): (usize, &[f64])| {
        let zones = row.iter().enumerate();
        zones.map(|(z, x)| x * costs.cheapest(w, z)).sum()
    };
    Drain {
        units: flow
            .chunks_exact(zones)
            .map(|row| row.iter().sum())
            .collect(),
        cost: flow.chunks_exact(zones).enumerate().map(paid).collect(),
    }
}

/// Flows `[warehouse][zone]`.
fn proportional(costs: &UnitCosts, state: &State) -> Vec<f64> {
    let stock: f64 = state.stock.iter().sum();
    let demand: f64 = state.demand.iter().sum();
    let scale = state.most() / (stock * demand).max(f64::MIN_POSITIVE);
    let row = |s: &f64| {
        state
            .demand
            .iter()
            .map(move |d| scale * s * d)
            .collect::<Vec<_>>()
    };
    let flow: Vec<f64> = state.stock.iter().flat_map(row).collect();
    debug_assert_eq!(flow.len(), costs.warehouses() * costs.zones());
    flow
}

fn greedy(costs: &UnitCosts, state: &State) -> Vec<f64> {
    let (warehouses, zones) = (costs.warehouses(), costs.zones());
    let mut flow = vec![0.0; warehouses * zones];
    let mut left = state.stock.clone();
    let mut order: Vec<usize> = (0..zones).collect();
    order.sort_by(|&a, &b| state.demand[b].total_cmp(&state.demand[a]).then(a.cmp(&b)));
    for z in order {
        let mut open = state.demand[z];
        let mut near: Vec<usize> = (0..warehouses).collect();
        near.sort_by(|&a, &b| costs.cheapest(a, z).total_cmp(&costs.cheapest(b, z)));
        for w in near {
            let units = open.min(left[w]);
            flow[w * zones + z] = units;
            left[w] -= units;
            open -= units;
        }
    }
    flow
}

fn programme(costs: &UnitCosts, state: &State) -> Result<Vec<f64>, DrainError> {
    let (warehouses, zones) = (costs.warehouses(), costs.zones());
    let arcs = (0..warehouses).flat_map(|w| (0..zones).map(move |z| costs.cheapest(w, z)));
    let arcs: Vec<f64> = arcs.collect();
    let dearest = arcs.iter().copied().fold(0.0, f64::max);
    let problem = Fulfilment::new(state.stock.clone(), state.demand.clone(), arcs)?
        .with_lost_penalty(vec![2.0 * dearest + 1.0; zones])?;
    Ok(NetworkSimplex::new().solve(&problem)?.flow)
}
