//! Rules of thumb that a model must better.

use super::{Drain, State, UnitCosts};
use crate::error::DrainError;
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
        state.check(costs)?;
        let flow = match self {
            Self::ProportionalToStock => proportional(costs, state),
            Self::NearestGreedy => greedy(costs, state),
            Self::LinearProgramme => programme(costs, state)?,
        };
        let zones = costs.zones();
        let cost = flow.chunks_exact(zones).enumerate().map(|(w, row)| {
            let paid = row
                .iter()
                .enumerate()
                .map(|(z, x)| x * costs.cheapest(w, z));
            paid.sum()
        });
        Ok(Drain {
            units: flow
                .chunks_exact(zones)
                .map(|row| row.iter().sum())
                .collect(),
            cost: cost.collect(),
        })
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
