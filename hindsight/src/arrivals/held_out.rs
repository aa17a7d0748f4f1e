//! What a fit says of orders that were held out.

use ::arrivals::Grid;
use ::arrivals::evaluate::Estimate;
use ::arrivals::model::Validated;
use gpu::Device;
use report::number::fixed;
use serde::Serialize;

use super::wrong;
use crate::error::CliError;

/// Paths drawn of each held-out order.
const SAMPLES: u32 = 100;

/// How the generator fares on orders that it has not seen.
#[derive(Debug, Serialize)]
pub(super) struct HeldOut {
    orders: usize,
    /// Epochs tried, and the mean negative log-likelihood of the held-out orders under each, in nats.
    tried: Vec<(usize, f64)>,
    generator: Estimate,
    resampling: Estimate,
}

impl HeldOut {
    /// None where nothing was held out.
    pub(super) fn new(
        validated: &Validated,
        grid: &Grid,
        device: &Device,
        seed: u64,
    ) -> Result<Option<Self>, CliError> {
        let Some(trial) = &validated.trial else {
            return Ok(None);
        };
        let judged = trial.judge(grid, device, SAMPLES, seed).map_err(wrong)?;
        Ok(judged.map(|[generator, resampling]| HeldOut {
            orders: generator.orders,
            tried: trial.lengths.iter().map(|&(n, mean)| (n, -mean)).collect(),
            generator: generator.crps,
            resampling: resampling.crps,
        }))
    }
}

/// One sentence.
pub(super) fn finding(held_out: Option<&HeldOut>) -> String {
    let Some(found) = held_out else {
        return "No order was held out, as is so with --epochs, of fewer than 50 orders and of very many; the command arrivals evaluate tells how good the model is."
            .to_owned();
    };
    let (own, other) = (found.generator, found.resampling);
    let clear = (own.value - other.value).abs() > own.margin.hypot(other.margin);
    let verdict = match (own.value <= other.value, clear) {
        (true, true) => "better than",
        (true, false) => "not clearly better than",
        (false, false) => "not clearly worse than",
        (false, true) => "worse than",
    };
    format!(
        "On {} orders that were held out the generator is {verdict} resampling of earlier orders: CRPS {} ± {} against {} ± {}.",
        found.orders,
        fixed(own.value, 4),
        fixed(own.margin, 4),
        fixed(other.value, 4),
        fixed(other.margin, 4),
    )
}
