//! A first guess of who serves whom: demand goes to near warehouses and spills over where stock is out.

use gpu::Scalar;

use super::sums::total;

/// Stock, as a share of all demand, at which a warehouse is half as willing as one with plenty.
const SCARCE: f64 = 0.02;
const TINY: f64 = 1e-9;

/// What demand asks of a warehouse, and what it gets, in shares of all demand.
#[derive(Debug, Clone)]
pub(super) struct Spill<S> {
    /// What would be shipped.
    pub drain: S,
    /// What is asked for at first.
    pub pull: S,
    /// What is shipped at first.
    pub local: S,
    /// The same as `drain` by zone.
    pub flow: Vec<S>,
    /// What the group does not serve.
    pub unmet: S,
}

/// Each zone asks its warehouses in proportion to $e^{-\beta c}$, less those that are nearly out of stock; what a warehouse cannot serve asks again in the
/// next round.
///
/// `stock` and `demand` are shares of all demand, `cost` is by zone, in units of the mean price. All lanes of a group have the same demand, which is given: there is
/// no derivative with respect to it.
pub(super) fn spill<S: Scalar>(
    stock: S,
    demand: &[S],
    cost: &[S],
    steepness: S,
    rounds: usize,
) -> Spill<S> {
    let tiny = S::constant(TINY);
    let zero = S::constant(0.0);
    let wish: Vec<S> = cost
        .iter()
        .map(|&c| {
            let score = -(steepness * c);
            (score - score.lane_max()).exp()
        })
        .collect();
    // One number for the group, so that what is left of it is computed once a group.
    let mut open: Vec<S> = demand.iter().map(|&demand| demand.lane_max()).collect();
    let mut left = stock;
    let mut flow = vec![zero; if rounds == 0 { demand.len() } else { 0 }];
    let (mut pull, mut local) = (zero, zero);
    for round in 0..rounds {
        let willing = left / (left + S::constant(SCARCE));
        let asked: Vec<S> = wish
            .iter()
            .zip(&open)
            .map(|(&wish, &open)| {
                let weight = wish * willing;
                weight * (open / (weight.lane_sum() + tiny))
            })
            .collect();
        let load = total(asked.clone());
        let shipped = left.min(load);
        let share = shipped / (load + tiny);
        let units: Vec<S> = asked.iter().map(|&asked| asked * share).collect();
        for (open, units) in open.iter_mut().zip(&units) {
            *open = (*open - units.lane_sum()).relu();
        }
        flow = match round {
            0 => units,
            _ => flow.iter().zip(&units).map(|(&f, &u)| f + u).collect(),
        };
        if round == 0 {
            (pull, local) = (load, shipped);
        }
        left = (left - shipped).relu();
    }
    Spill {
        drain: (stock - left).relu(),
        pull,
        local,
        unmet: total(open),
        flow,
    }
}
