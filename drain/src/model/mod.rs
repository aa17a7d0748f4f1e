//! The drain model: the joint law of what leaves each warehouse and what it costs, given stock and demand, differentiable in the stock.
//!
//! [`UnitCosts`] is what is known of the network, [`State`] what a period begins with, [`Drain`] what was seen, a [`Log`] many of both; [`DrainModel::fit`] trains,
//! [`DrainModel::forecast`] samples, [`DrainModel::sensitivities`] differentiates. A trained model holds for any number of warehouses and zones: warehouses are lanes of the engine, a
//! state is a group of them, and nothing depends on their order.
//!
//! ```
//! use hindsight_drain::gpu::Device;
//! use hindsight_drain::model::{Drain, DrainModel, Log, State, Training, UnitCosts};
//! // One option; two warehouses, each near one of two zones.
//! let costs = UnitCosts::new(2, 2, vec![1.0, 3.0, 3.0, 1.0], vec![1.0; 2], vec![3.0; 2])?;
//! let mut log = Log::new(costs);
//! for k in 0..40 {
//!     // What is short at home comes from the other side.
//!     let (here, there) = (f64::from(k % 8), 12.0);
//!     let own = here.min(5.0);
//!     let state = State { stock: vec![here, there], demand: vec![5.0, 5.0] };
//!     log.push(state, Drain { units: vec![own, 10.0 - own], cost: vec![own, 5.0 + 3.0 * (5.0 - own)] })?;
//! }
//! let device = Device::cpu(1);
//! let model = DrainModel::fit(&log, &Training { steps: 150, ..Training::default() }, &device)?;
//! let state = State { stock: vec![3.0, 12.0], demand: vec![5.0, 5.0] };
//! let forecast = &model.forecast(log.costs(), &[state], 64, 1, &device)?[0];
//! assert!(forecast.samples.iter().all(|s| s.units[0] <= 3.0 && s.total_units() <= 10.0));
//! assert!((forecast.mean().units[0] - 3.0).abs() < 0.5);
//! # Ok::<(), hindsight_drain::DrainError>(())
//! ```
//!
//! ## The law
//!
//! In shares of all demand, with stock $s_w$, and $z$ normal numbers that all warehouses of a state share, $\epsilon$ and $\eta$ their own:
//!
//! - **All units**: $S = \min(\sum s_w, 1) \cdot \sigma(m + v z_0)$, the fulfilment rate logit-normal.
//! - **Who ships them**: weights $\ln \pi_w = \ln b_w + \mu_w + B_w z + \sigma_w \epsilon_w$, and [`water_filling`]: $y_w = \min(s_w, \tau \pi_w)$ with the level $\tau$ at which they sum to
//!   $S$. So $0 \le y_w \le s_w$ and $\sum y_w = S$ hold by construction, and $\tau$ has its exact derivative.
//! - **What it costs**: $k_w = y_w u_w$ with $\ln u_w = \ln \sum_o p_{wo} c_{wo} + \alpha_w + C_w z + \rho_w \eta_w$, kept within the tariff's range: a mixture over ship options $o$ of
//!   their prices $c_{wo}$ to the zones that $w$ serves, with noise that goes with that of the split.
//!
//! $b_w$ is a first guess, who serves whom if demand goes to near warehouses and spills over where stock is out, itself differentiable, with learnt steepness; all else
//! comes from a network: a layer a warehouse on twelve numbers without unit, one on their mean over the group, one on both, and the head.
//!
//! Trained on the fair energy score of units and money together, the fair CRPS of their totals, and the likelihood of the fulfilment rate and of the cost per
//! unit, which have one.
//!
//! The purpose is the paper's (arXiv 2507.10890): a joint, differentiable law of drain and cost for placement. Architecture and losses are our own formulation.

mod arrays;
mod baselines;
mod costs;
mod counts;
mod evaluate;
mod file;
mod fit;
mod log;
#[cfg(feature = "exo-idp")]
mod market;
mod network;
mod placement;
mod quantile_regression;
mod sample;
mod spill;
mod split;
mod sums;
#[cfg(test)]
mod tests;

pub use baselines::{Baseline, last_period_shares};
pub use costs::UnitCosts;
pub use counts::whole_units;
pub use evaluate::{Evaluation, wape};
pub use fit::Training;
pub use log::{Drain, Log, State, is_feasible};
#[cfg(feature = "exo-idp")]
pub use market::{DrainMarket, Terms};
pub use network::Size;
pub use placement::{Horizon, Placement, Search};
pub use quantile_regression::QuantileRegression;
pub use sample::{Forecast, Sensitivity};
pub use split::water_filling;

use crate::error::{Argument, DrainError};
use network::Network;

/// A trained drain model.
#[derive(Debug, Clone, PartialEq)]
pub struct DrainModel {
    size: Size,
    options: usize,
    params: Vec<f64>,
}

impl DrainModel {
    /// The size of its network.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// The number of its parameters.
    #[must_use]
    pub fn params(&self) -> usize {
        self.params.len()
    }

    fn network(&self) -> Network {
        Network::new(self.size, self.options)
    }

    fn check_options(&self, costs: &UnitCosts) -> Result<(), DrainError> {
        let (expected, found) = (self.options, costs.options());
        if expected == found {
            Ok(())
        } else {
            Err(DrainError::Length {
                argument: Argument::ShipOption,
                expected,
                found,
            })
        }
    }
}

/// A list of amounts: as long as it must be, finite, not negative.
fn amounts(argument: Argument, expected: usize, list: &[f64]) -> Result<(), DrainError> {
    let found = list.len();
    if found != expected {
        return Err(DrainError::Length {
            argument,
            expected,
            found,
        });
    }
    for (index, &value) in list.iter().enumerate() {
        if !value.is_finite() {
            return Err(DrainError::NotFinite {
                argument,
                index,
                value,
            });
        }
        if value < 0.0 {
            return Err(DrainError::Negative {
                argument,
                index,
                value,
            });
        }
    }
    Ok(())
}

/// Training can diverge; its result then is no model.
fn network_numbers(params: &[f64]) -> Result<(), DrainError> {
    match params.iter().position(|p| !p.is_finite()) {
        None => Ok(()),
        Some(index) => Err(DrainError::NotFinite {
            argument: Argument::Parameter,
            index,
            value: params[index],
        }),
    }
}
