//! Quantile regression, a warehouse at a time: what a forecaster does who knows nothing of the network.

use gpu::Stream;
use nalgebra::{DMatrix, DVector};
use rand::RngExt;

use super::{Baseline, Drain, Forecast, Log, State, UnitCosts};
use crate::error::{Argument, DrainError};

/// Levels of the quantiles that are fitted; between them the law is uniform.
const LEVELS: [f64; 11] = [0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98];
/// Numbers that a warehouse's quantiles are linear in.
const FEATURES: usize = 4;
/// Rounds of the fit.
const ROUNDS: usize = 60;
/// Residuals, in shares of demand, below which the check loss is rounded off.
const ROUNDED: f64 = 1e-4;

/// Linear quantiles of each warehouse's units, fitted warehouse by warehouse and sampled independently of one another; units cost what the warehouse's units
/// cost in the log.
///
/// In shares of all demand, they are linear in the warehouse's stock, and in what [`Baseline::NearestGreedy`] and [`Baseline::ProportionalToStock`] say of it. Fitted
/// by majorisation (Hunter and Lange 2000).
///
/// ```
/// use hindsight_drain::model::{Drain, Log, QuantileRegression, State, UnitCosts};
/// let costs = UnitCosts::new(2, 1, vec![1.0, 2.0], vec![1.0; 2], vec![2.0; 2])?;
/// let mut log = Log::new(costs.clone());
/// for k in 0..40 {
///     let state = State { stock: vec![f64::from(k % 9), 9.0], demand: vec![8.0] };
///     let near = state.stock[0].min(8.0);
///     log.push(state, Drain { units: vec![near, 8.0 - near], cost: vec![near, 2.0 * (8.0 - near)] })?;
/// }
/// let state = State { stock: vec![5.0, 9.0], demand: vec![8.0] };
/// let said = &QuantileRegression::fit(&log)?.forecast(&costs, &[state], 64, 1)?[0];
/// assert!((said.mean().units[0] - 5.0).abs() < 0.05);
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct QuantileRegression {
    /// `[warehouse][level][feature]`
    slopes: Vec<[[f64; FEATURES]; LEVELS.len()]>,
    /// Money per unit by warehouse, before it is kept within the tariff's range.
    unit: Vec<f64>,
}

impl QuantileRegression {
    /// Fits the quantiles to a log.
    ///
    /// # Errors
    /// An empty log.
    pub fn fit(log: &Log) -> Result<Self, DrainError> {
        if log.states().is_empty() {
            let argument = Argument::Log;
            return Err(DrainError::Empty { argument });
        }
        let warehouses = log.costs().warehouses();
        let states = log.states().iter();
        let rows = states.map(|state| features(log.costs(), state));
        let rows: Vec<Vec<[f64; FEATURES]>> = rows.collect::<Result<_, _>>()?;
        let (mut slopes, mut unit) = (Vec::new(), Vec::new());
        for w in 0..warehouses {
            let x = DMatrix::from_fn(rows.len(), FEATURES, |k, f| rows[k][w][f]);
            let seen = log.states().iter().zip(log.drains());
            let seen = seen.map(|(state, drain)| drain.units[w] / size(state));
            let y = DVector::from_iterator(rows.len(), seen);
            slopes.push(LEVELS.map(|level| linear_quantile(&x, &y, level)));
            let units: f64 = log.drains().iter().map(|d| d.units[w]).sum();
            let money: f64 = log.drains().iter().map(|d| d.cost[w]).sum();
            unit.push(if units > 0.0 { money / units } else { 0.0 });
        }
        Ok(Self { slopes, unit })
    }

    /// Samples in each state, cut to the stock; the same seed gives the same samples.
    ///
    /// # Errors
    /// A state or a network with other warehouses or zones.
    pub fn forecast(
        &self,
        costs: &UnitCosts,
        states: &[State],
        samples: usize,
        seed: u64,
    ) -> Result<Vec<Forecast>, DrainError> {
        let (expected, found) = (self.slopes.len(), costs.warehouses());
        if found != expected {
            let argument = Argument::Warehouse;
            return Err(DrainError::Length {
                argument,
                expected,
                found,
            });
        }
        let stream = Stream::new(seed, "quantile regression");
        let forecast = |(k, state): (usize, &State)| {
            let mut rng = stream.at(k as u64, 0);
            let rows = features(costs, state)?;
            let quantiles = rows.iter().zip(&self.slopes);
            let quantiles: Vec<_> = quantiles.map(|(x, slopes)| ordered(x, slopes)).collect();
            let samples = (0..samples).map(|_| {
                let mut drain = Drain::default();
                for (w, quantiles) in quantiles.iter().enumerate() {
                    let share = at_level(quantiles, rng.random());
                    let units = (share * size(state)).clamp(0.0, state.stock[w]);
                    let (low, high) = costs.range(w);
                    drain.units.push(units);
                    drain.cost.push(units * self.unit[w].clamp(low, high));
                }
                drain
            });
            Ok(Forecast {
                samples: samples.collect(),
            })
        };
        states.iter().enumerate().map(forecast).collect()
    }
}

fn size(state: &State) -> f64 {
    state.demand.iter().sum::<f64>().max(1e-9)
}

/// What each warehouse's quantiles are linear in.
fn features(costs: &UnitCosts, state: &State) -> Result<Vec<[f64; FEATURES]>, DrainError> {
    let greedy = Baseline::NearestGreedy.forecast(costs, state)?.units;
    let even = Baseline::ProportionalToStock.forecast(costs, state)?.units;
    let size = size(state);
    let one = |w: usize| [1.0, state.stock[w] / size, greedy[w] / size, even[w] / size];
    Ok((0..costs.warehouses()).map(one).collect())
}

/// The slopes of a quantile: the least sum of check losses, rounded off near zero.
fn linear_quantile(x: &DMatrix<f64>, y: &DVector<f64>, level: f64) -> [f64; FEATURES] {
    let mut slopes = DVector::zeros(FEATURES);
    let tilt = (2.0 * level - 1.0) * x.row_sum().transpose();
    for round in 0..ROUNDS {
        let weights = if round == 0 {
            DVector::from_element(y.len(), 1.0)
        } else {
            (y - x * &slopes).map(|gap| 1.0 / (ROUNDED + gap.abs()))
        };
        let weighted = DMatrix::from_fn(x.nrows(), FEATURES, |k, f| x[(k, f)] * weights[k]);
        let mut square = weighted.tr_mul(x);
        // Features may be the same in all states.
        let ridge = 1e-9 * square.trace();
        (0..FEATURES).for_each(|f| square[(f, f)] += ridge);
        let tilt = if round == 0 {
            DVector::zeros(FEATURES)
        } else {
            tilt.clone()
        };
        let right = weighted.tr_mul(y) + tilt;
        match square.cholesky() {
            Some(root) => slopes = root.solve(&right),
            None => break,
        }
    }
    std::array::from_fn(|f| slopes[f])
}

/// The quantiles in a state; where lines cross, they are put in order.
fn ordered(x: &[f64; FEATURES], slopes: &[[f64; FEATURES]]) -> Vec<f64> {
    let line = |slopes: &[f64; FEATURES]| slopes.iter().zip(x).map(|(s, x)| s * x).sum();
    let mut quantiles: Vec<f64> = slopes.iter().map(line).collect();
    quantiles.sort_by(f64::total_cmp);
    quantiles
}

/// The quantile at any level: linear between those fitted, constant beyond.
fn at_level(quantiles: &[f64], level: f64) -> f64 {
    let above = LEVELS.partition_point(|l| *l <= level);
    if above == 0 || above == LEVELS.len() {
        return quantiles[above.min(LEVELS.len() - 1)];
    }
    let (low, high) = (LEVELS[above - 1], LEVELS[above]);
    let part = (level - low) / (high - low);
    quantiles[above - 1] + part * (quantiles[above] - quantiles[above - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A quantile has its share of the outcomes below it, whatever the features; one at a wrong level is told.
    #[test]
    fn a_quantile_has_its_share_below_it() {
        let mut rng = Stream::new(3, "data").at(0, 0);
        let n = 2000;
        let x = DMatrix::from_fn(n, FEATURES, |_, f| if f == 0 { 1.0 } else { rng.random() });
        // The spread grows with the first feature.
        let noise: Vec<f64> = (0..n).map(|_| rng.random()).collect();
        let y = DVector::from_fn(n, |k, _| x[(k, 2)] + x[(k, 1)] * noise[k]);
        for level in [0.1, 0.5, 0.9] {
            let slopes = linear_quantile(&x, &y, level);
            let line = |k: usize| (0..FEATURES).map(|f| slopes[f] * x[(k, f)]).sum::<f64>();
            let below = (0..n).filter(|k| y[*k] < line(*k)).count() as f64 / n as f64;
            assert!((below - level).abs() < 0.01, "{below} below {level}");
            // The true quantile is x2 + level x1.
            assert!(
                (slopes[1] - level).abs() < 0.06 && (slopes[2] - 1.0).abs() < 0.06,
                "{slopes:?}"
            );
        }
    }
}
