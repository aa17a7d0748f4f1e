//! The cross table.

use exo_idp::Outcomes;
use exo_idp::compare::{Bootstrap, Interval};
use exo_idp::policy::{BaseStock, Neural};
use gpu::Device;

use super::{Simulator, Trial};
use crate::error::ArrivalsError;
use crate::model::{GenQot, GeneratedArrivals};

/// The policies of a trial.
#[derive(Debug, Clone)]
pub struct Policies {
    /// The base stock, tuned in the generator.
    pub base_stock: BaseStock,
    /// The network trained with lead times alone.
    pub lead_time: Neural,
    /// The network trained in the generator.
    pub quantity: Neural,
}

/// What the policies earn in the held-out weeks of one simulator.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CrossRow {
    /// The simulator.
    pub simulator: String,
    /// Rewards of base stock, lead-time trained and quantity-over-time trained, in money.
    pub rewards: [f64; 3],
    /// Shares of demand that they serve.
    pub fill_rates: [f64; 3],
    /// Shares of weeks in which they order.
    pub frequencies: [f64; 3],
    /// What quantity-over-time training earns more than training with lead times, in percent of the base stock's reward, with a paired 95 % interval over products and blocks of weeks.
    pub over_lead_time: Interval,
    /// What it earns more than the base stock, likewise.
    pub over_base_stock: Interval,
}

/// Policies in each other's simulators.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CrossTable {
    /// In the truth, where the vendors are those of a made-up world; in the generator; with lead times alone.
    pub rows: Vec<CrossRow>,
}

impl Trial<'_> {
    /// The policies of a generator's market.
    ///
    /// # Errors
    /// What the replay refuses, training that diverges.
    pub fn policies(
        &self,
        generated: &GeneratedArrivals<'_>,
        device: &Device,
    ) -> Result<Policies, ArrivalsError> {
        let quantities = Simulator::Generated(generated);
        Ok(Policies {
            base_stock: self.tuned(quantities, device)?,
            lead_time: self.train(Simulator::LeadTime, device)?,
            quantity: self.train(quantities, device)?,
        })
    }

    /// The policies in the held-out weeks of a simulator.
    ///
    /// # Errors
    /// What the replay refuses.
    pub fn judge(
        &self,
        name: &str,
        policies: &Policies,
        simulator: Simulator<'_>,
        device: &Device,
    ) -> Result<CrossRow, ArrivalsError> {
        let base = self.outcomes(&policies.base_stock, simulator, device)?;
        let lead = self.outcomes(&policies.lead_time, simulator, device)?;
        let own = self.outcomes(&policies.quantity, simulator, device)?;
        let percent = 100.0 / base.reward().abs().max(f64::MIN_POSITIVE);
        let over = |other: &Outcomes| -> Result<Interval, ArrivalsError> {
            let found = Bootstrap::default().difference(&own, other)?;
            Ok(Interval {
                estimate: found.estimate * percent,
                low: found.low * percent,
                high: found.high * percent,
            })
        };
        let all = [&base, &lead, &own];
        Ok(CrossRow {
            simulator: name.to_owned(),
            rewards: all.map(Outcomes::reward),
            fill_rates: all.map(Outcomes::fill_rate),
            frequencies: all.map(|outcomes| self.frequency(outcomes)),
            over_lead_time: over(&lead)?,
            over_base_stock: over(&base)?,
        })
    }

    /// Trains the policies and judges them in every simulator.
    ///
    /// # Errors
    /// As [`policies`](Self::policies) and [`judge`](Self::judge).
    pub fn cross(&self, model: &GenQot, device: &Device) -> Result<CrossTable, ArrivalsError> {
        let generated = self.generated(model)?;
        let policies = self.policies(&generated, device)?;
        let mut rows = Vec::new();
        if let Some(world) = self.catalogue.world() {
            let (samples, seed) = (self.config.samples, self.config.seed.wrapping_add(1_000));
            let truth = world.market(self.catalogue, samples, seed)?;
            rows.push(self.judge("truth", &policies, Simulator::World(&truth), device)?);
        }
        for (name, simulator) in [
            ("quantity over time", Simulator::Generated(&generated)),
            ("lead time", Simulator::LeadTime),
        ] {
            rows.push(self.judge(name, &policies, simulator, device)?);
        }
        Ok(CrossTable { rows })
    }
}
