//! The model as a market of `exo-idp`: warehouses are the products of a panel.

use std::ops::Range;

use gpu::Scalar;
use hindsight_exo_idp::market::{Market, MarketInputs};
use hindsight_exo_idp::period::Event;
use hindsight_exo_idp::policy::Signals;

use super::arrays::Noise;
use super::network::{Lane, Network};
use super::{DrainModel, UnitCosts, amounts};
use crate::error::{Argument, DrainError};

/// What a unit earns, and what one costs that is asked for and not shipped.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Terms {
    /// Money for every unit that is shipped.
    pub price: f64,
    /// Money for every unit that is not.
    pub lost_penalty: f64,
}

/// What customers of a whole network take from its warehouses, by the model: a policy that orders for each warehouse is trained through it.
///
/// The products of the panel are the warehouses, with no demand of their own. At the end of a week the model's drain is taken from what is on hand; shipping, less what
/// units earn, and each warehouse's part of the penalty for lost units are charged. The model's parameters stay as they are.
///
/// The noise is that of `samples` sample paths, the same in every run; a replay has as many samples.
#[derive(Debug, Clone)]
pub struct DrainMarket {
    model: DrainModel,
    network: Network,
    signals: Signals,
    zones: usize,
    money: f64,
    terms: Terms,
}

/// Size, low and high.
const PLAIN: usize = 3;

impl DrainMarket {
    /// The market of a network in which zones ask for `demand[week][zone]` units.
    ///
    /// # Errors
    /// No week, no sample, demand that does not fit the network, terms that are negative or not finite, another number of ship options than the model's.
    pub fn new(
        model: DrainModel,
        costs: &UnitCosts,
        demand: &[Vec<f64>],
        terms: Terms,
        samples: usize,
        seed: u64,
    ) -> Result<Self, DrainError> {
        model.check_options(costs)?;
        for (argument, found) in [
            (Argument::Demand, demand.len()),
            (Argument::Samples, samples),
        ] {
            if found == 0 {
                return Err(DrainError::Empty { argument });
            }
        }
        for zones in demand {
            amounts(Argument::Demand, costs.zones(), zones)?;
        }
        amounts(Argument::Price, 1, &[terms.price])?;
        amounts(Argument::LostPenalty, 1, &[terms.lost_penalty])?;
        let network = model.network();
        let (w, zones, latents) = (costs.warehouses(), costs.zones(), network.latents());
        let noise = Noise::draw(seed, (samples, w), demand.len(), 1, latents);
        let lanes = samples * w;
        let sizes: Vec<f64> = demand.iter().map(|zones| zones.iter().sum()).collect();
        let (mean, priced) = (costs.mean(), PLAIN + zones);
        let own = priced + zones * costs.options();
        let value = |week: usize, row: usize, lane: usize| match row {
            0 => sizes[week],
            1 => costs.range(lane % w).0 / mean,
            2 => costs.range(lane % w).1 / mean,
            row if row < priced => demand[week][row - PLAIN] / sizes[week].max(1e-9),
            row if row < own => {
                let place = row - priced;
                costs.price(place / zones, lane % w, place % zones) / mean
            }
            row if row < own + 2 => noise.own[(week * 2 + row - own) * lanes + lane],
            row => noise.shared[(week * latents + row - own - 2) * samples + lane / w],
        };
        let signals = Signals::from_fn(demand.len(), own + 2 + latents, lanes, value);
        Ok(Self {
            model,
            network,
            signals,
            zones,
            money: mean,
            terms,
        })
    }
}

impl Market for DrainMarket {
    fn theta(&self) -> Vec<f64> {
        self.model.params.clone()
    }

    fn trained(&self) -> Vec<Range<usize>> {
        Vec::new()
    }

    fn signals(&self) -> Vec<&Signals> {
        vec![&self.signals]
    }

    fn is_network(&self) -> bool {
        true
    }

    fn close<S: Scalar>(&self, inputs: &MarketInputs<'_, S>, event: &mut Event<S>, _: &mut [S]) {
        let (known, latent) = inputs
            .rows
            .split_at(inputs.rows.len() - self.network.latents());
        let (known, own) = known.split_at(known.len() - 2);
        let stock = event.on_hand.relu();
        let outlook = self.network.outlook(
            inputs.theta,
            &Lane {
                stock,
                size: known[0],
                low: known[1],
                high: known[2],
                demand: &known[PLAIN..PLAIN + self.zones],
                price: &known[PLAIN + self.zones..],
            },
        );
        let [share, money] = outlook.draws(latent, own)[0];
        let units = (share * known[0]).min(stock);
        let shipping = money * known[0] * S::constant(self.money);
        let lost = (known[0] - units.lane_sum()) / S::constant(1.0).lane_sum();
        event.write_off(units);
        event.charge = shipping - S::constant(self.terms.price) * units
            + S::constant(self.terms.lost_penalty) * lost;
    }

    fn charge<S: Scalar>(&self, _: &MarketInputs<'_, S>, event: &Event<S>, _: &[S]) -> Option<S> {
        Some(event.charge)
    }
}
