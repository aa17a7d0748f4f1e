//! Forecasts: joint samples of units and money, and their derivatives.

use gpu::{Batch, Device, Executor, Program, Scalar, Shape, Start, Step, Var};

use super::arrays::{self, Noise};
use super::network::{Network, Outlook};
use super::{Drain, DrainModel, State, UnitCosts};
use crate::error::{Argument, DrainError};

/// Samples that are drawn side by side.
const TOGETHER: usize = 8;

/// Joint samples of what leaves the warehouses in one state, and what it costs.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Forecast {
    /// The samples, each feasible in the state.
    pub samples: Vec<Drain>,
}

impl Forecast {
    /// The mean of the samples.
    #[must_use]
    pub fn mean(&self) -> Drain {
        #[expect(clippy::cast_precision_loss, reason = "numbers of samples")]
        let count = self.samples.len() as f64;
        let mean = |list: fn(&Drain) -> &Vec<f64>| {
            let warehouses = self.samples.first().map_or(0, |first| list(first).len());
            let one = |w: usize| self.samples.iter().map(|s| list(s)[w]).sum::<f64>() / count;
            (0..warehouses).map(one).collect()
        };
        Drain {
            units: mean(|s| &s.units),
            cost: mean(|s| &s.cost),
        }
    }
}

/// The derivatives of the mean of samples with respect to the stock of each warehouse.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sensitivity {
    /// Of all units, by warehouse.
    pub units: Vec<f64>,
    /// Of all money, by warehouse.
    pub cost: Vec<f64>,
}

impl DrainModel {
    /// Joint samples in each state, in double precision.
    ///
    /// The numbers of a state depend on the seed, its place in the list and the number of a sample alone: the same bits for any number of threads.
    ///
    /// # Errors
    /// No state, no sample, a state that does not fit the network, a network with another number of ship options than the model was trained for.
    pub fn forecast(
        &self,
        costs: &UnitCosts,
        states: &[State],
        samples: usize,
        seed: u64,
        device: &Device,
    ) -> Result<Vec<Forecast>, DrainError> {
        self.check(costs, states, samples)?;
        let network = self.network();
        let program = sampler(&network, costs);
        let (lanes, periods) = (
            states.len() * costs.warehouses(),
            samples.div_ceil(TOGETHER),
        );
        let noise = Noise::draw(
            seed,
            (states.len(), costs.warehouses()),
            periods,
            TOGETHER,
            network.latents(),
        );
        let lane = arrays::states(costs, states);
        let groups = vec![costs.warehouses(); states.len()];
        let batch = Batch::new(&program, lanes, periods)
            .lane(&lane)?
            .exo(&noise.own)?
            .groups(&groups)?
            .shared_by_group(&noise.shared)?;
        let traces = device.forward(&program, &self.params, &batch)?.traces;
        let money = costs.mean();
        let sample = |(k, state): (usize, &State), m: usize| {
            let size: f64 = state.demand.iter().sum();
            let row = 2 * m;
            let at = |row: usize, w: usize| traces[row * lanes + k * costs.warehouses() + w];
            let mut drain = Drain::default();
            for (w, stock) in state.stock.iter().enumerate() {
                let units = size * at(row, w);
                // All the stock but for rounding is all the stock.
                let units = if units > stock * (1.0 - 1e-12) {
                    *stock
                } else {
                    units
                };
                let (low, high) = costs.range(w);
                let cost = size * money * at(row + 1, w);
                drain.units.push(units);
                drain.cost.push(cost.max(low * units).min(high * units));
            }
            drain
        };
        let forecasts = states.iter().enumerate().map(|state| Forecast {
            samples: (0..samples).map(|m| sample(state, m)).collect(),
        });
        Ok(forecasts.collect())
    }

    /// The derivatives of the mean units and the mean cost of [`forecast`](Self::forecast)'s samples, state by state, by reverse mode: what one more unit
    /// in a warehouse would change.
    ///
    /// # Errors
    /// As [`forecast`](Self::forecast).
    pub fn sensitivities(
        &self,
        costs: &UnitCosts,
        states: &[State],
        samples: usize,
        seed: u64,
        device: &Device,
    ) -> Result<Vec<Sensitivity>, DrainError> {
        self.check(costs, states, samples)?;
        let network = self.network();
        let (warehouses, lanes) = (costs.warehouses(), states.len() * costs.warehouses());
        let noise = Noise::draw(
            seed,
            (states.len(), warehouses),
            samples.div_ceil(TOGETHER),
            TOGETHER,
            network.latents(),
        );
        let lane = arrays::states(costs, states);
        let groups = vec![warehouses; states.len()];
        let mut found: Vec<Vec<f64>> = Vec::new();
        for part in 0..2 {
            let program = total(&network, costs, samples, part);
            let weights = vec![1.0; lanes];
            let batch = Batch::new(&program, lanes, samples.div_ceil(TOGETHER))
                .lane(&lane)?
                .exo(&noise.own)?
                .groups(&groups)?
                .shared_by_group(&noise.shared)?
                .weights(&weights)?
                .differentiate_inputs();
            let gradient = device.gradient(&program, &self.params, &batch)?;
            found.push(gradient.lane[..lanes].to_vec());
        }
        let both = found[0]
            .chunks_exact(warehouses)
            .zip(found[1].chunks_exact(warehouses));
        Ok(both
            .map(|(units, cost)| Sensitivity {
                units: units.to_vec(),
                cost: cost.iter().map(|c| c * costs.mean()).collect(),
            })
            .collect())
    }

    fn check(&self, costs: &UnitCosts, states: &[State], samples: usize) -> Result<(), DrainError> {
        self.check_options(costs)?;
        let counts = [
            (Argument::State, states.len()),
            (Argument::Samples, samples),
        ];
        for (argument, found) in counts {
            if found == 0 {
                return Err(DrainError::Empty { argument });
            }
        }
        states.iter().try_for_each(|state| state.check(costs))
    }
}

fn shape(network: &Network, costs: &UnitCosts) -> Shape {
    Shape {
        params: network.params(),
        lane: arrays::rows(costs),
        exo: 2 * TOGETHER,
        shared: network.latents() * TOGETHER,
    }
}

/// Traces units and money of [`TOGETHER`] samples a period; the network is run once.
pub(super) fn sampler(network: &Network, costs: &UnitCosts) -> Program {
    let zones = costs.zones();
    Program::record(
        shape(network, costs),
        |_, i| Start {
            state: vec![],
            carry: network
                .outlook(i.params, &arrays::lane(i.lane, zones))
                .to_rows(),
        },
        |_, i| {
            let outlook = Outlook::from_rows(i.carry);
            Step {
                traces: outlook.draws(i.shared, i.exo).concat(),
                ..Step::new()
            }
        },
    )
}

/// The mean over the first `samples` samples of a lane's units, or its money at the mean price.
fn total(network: &Network, costs: &UnitCosts, samples: usize, part: usize) -> Program {
    let zones = costs.zones();
    #[expect(clippy::cast_precision_loss, reason = "numbers of samples")]
    let (wanted, together) = (samples as f64, TOGETHER as f64);
    Program::record(
        shape(network, costs),
        |_, i| {
            let outlook = network.outlook(i.params, &arrays::lane(i.lane, zones));
            Start {
                // The samples that are left.
                state: vec![Scalar::constant(wanted)],
                carry: outlook.to_rows(),
            }
        },
        |_, i| {
            let outlook = Outlook::from_rows(i.carry);
            let mut objective = Var::constant(0.0);
            for (m, drawn) in outlook.draws(i.shared, i.exo).into_iter().enumerate() {
                #[expect(clippy::cast_precision_loss, reason = "numbers of samples")]
                let counted = (i.state[0] - Var::constant(m as f64)).positive();
                objective = objective + counted * drawn[part];
            }
            Step {
                state: vec![i.state[0] - Scalar::constant(together)],
                objective: objective * outlook.size * Var::constant(1.0 / wanted),
                ..Step::new()
            }
        },
    )
}
