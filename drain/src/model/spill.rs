//! A first guess of who serves whom: demand goes to near warehouses and spills over where stock is out.

use gpu::Scalar;

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
/// `stock` and `demand` are shares of all demand, `cost` is by zone, in units of the mean price.
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
    let mut open = demand.to_vec();
    let mut left = stock;
    let mut flow = vec![zero; demand.len()];
    let (mut pull, mut local) = (zero, zero);
    for round in 0..rounds {
        let willing = left / (left + S::constant(SCARCE));
        let asked: Vec<S> = wish
            .iter()
            .zip(&open)
            .map(|(&wish, &open)| {
                let weight = wish * willing;
                open * weight / (weight.lane_sum() + tiny)
            })
            .collect();
        let load = asked.iter().fold(zero, |sum, &units| sum + units);
        let shipped = left.min(load);
        let share = shipped / (load + tiny);
        for ((flow, open), asked) in flow.iter_mut().zip(&mut open).zip(asked) {
            let units = asked * share;
            *flow = *flow + units;
            *open = (*open - units.lane_sum()).relu();
        }
        if round == 0 {
            (pull, local) = (load, shipped);
        }
        left = (left - shipped).relu();
    }
    Spill {
        drain: (stock - left).relu(),
        pull,
        local,
        unmet: open.iter().fold(zero, |sum, &units| sum + units),
        flow,
    }
}
