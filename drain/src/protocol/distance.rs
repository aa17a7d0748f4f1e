//! Errors by distance from what a model was trained on.

use crate::error::DrainError;
use crate::model::{Drain, Forecast, Log, State, wape};

/// The states within a range of distances, and how forecasts fared there.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DistanceBin {
    /// The least distance.
    pub from: f64,
    /// The first distance beyond.
    pub to: f64,
    /// How many states.
    pub states: usize,
    /// The sum of absolute errors of units by warehouse over all units.
    pub wape: f64,
    /// All money that was forecast over all that was paid, less one.
    pub cost_bias: f64,
}

/// Upper ends of all bins but the last.
const ENDS: [f64; 4] = [0.15, 0.3, 0.45, 0.6];

/// How forecasts of a log fared by distance from the nearest state of another one; bins without states are left out.
///
/// The distance of two states is the sum over warehouses of how much their stocks differ, each in shares of its state's demand.
///
/// # Errors
/// States without any unit.
pub fn by_distance(
    train: &Log,
    log: &Log,
    forecasts: &[Forecast],
) -> Result<Vec<DistanceBin>, DrainError> {
    let known: Vec<Vec<f64>> = train.states().iter().map(shares).collect();
    let distance = |state: &State| {
        let own = shares(state);
        let gap = |other: &Vec<f64>| {
            let pairs = own.iter().zip(other);
            pairs.map(|(a, b)| (a - b).abs()).sum::<f64>()
        };
        known.iter().map(gap).fold(f64::INFINITY, f64::min)
    };
    let far: Vec<f64> = log.states().iter().map(distance).collect();
    let mut bins = Vec::new();
    for k in 0..=ENDS.len() {
        let from = if k == 0 { 0.0 } else { ENDS[k - 1] };
        let to = ENDS.get(k).copied().unwrap_or(f64::INFINITY);
        let inside = far
            .iter()
            .enumerate()
            .filter(|(_, d)| (from..to).contains(*d));
        let (said, truth): (Vec<Drain>, Vec<Drain>) = inside
            .map(|(k, _)| (forecasts[k].mean(), log.drains()[k].clone()))
            .unzip();
        if said.is_empty() {
            continue;
        }
        let money = |list: &[Drain]| list.iter().map(Drain::total_cost).sum::<f64>();
        bins.push(DistanceBin {
            from,
            to,
            states: said.len(),
            wape: wape(&said, &truth)?,
            cost_bias: money(&said) / money(&truth) - 1.0,
        });
    }
    Ok(bins)
}

fn shares(state: &State) -> Vec<f64> {
    let size = state.demand.iter().sum::<f64>().max(1e-9);
    state.stock.iter().map(|stock| stock / size).collect()
}
