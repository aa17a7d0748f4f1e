//! What a fit says of orders that were held out.

use std::fmt;

use gpu::Device;

use super::Validated;
use crate::error::ArrivalsError;
use crate::evaluate::Estimate;
use crate::grid::Grid;

/// How a generator fares on orders that it has not seen, beside resampling of earlier orders. Its `Display` is one sentence.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct HeldOut {
    /// How many orders were held out and judged.
    pub orders: usize,
    /// Epochs tried, and the mean negative log-likelihood of the held-out orders under each, in nats.
    pub tried: Vec<(usize, f64)>,
    /// The continuous ranked probability score of the generator; smaller is better.
    pub generator: Estimate,
    /// That of resampling.
    pub resampling: Estimate,
}

impl Validated {
    /// How the generator of the chosen length fares on the held-out orders, with so many paths drawn of each, an even number from ten; none where nothing, or
    /// too little, was held out.
    ///
    /// # Errors
    /// As [`Trial::judge`](super::Trial::judge).
    pub fn held_out(
        &self,
        grid: &Grid,
        device: &Device,
        samples: u32,
        seed: u64,
    ) -> Result<Option<HeldOut>, ArrivalsError> {
        let Some(trial) = &self.trial else {
            return Ok(None);
        };
        let judged = trial.judge(grid, device, samples, seed)?;
        Ok(judged.map(|[generator, resampling]| HeldOut {
            orders: generator.orders,
            tried: trial.lengths.iter().map(|&(n, mean)| (n, -mean)).collect(),
            generator: generator.crps,
            resampling: resampling.crps,
        }))
    }
}

impl fmt::Display for HeldOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (own, other) = (self.generator, self.resampling);
        let clear = (own.value - other.value).abs() > own.margin.hypot(other.margin);
        let verdict = match (own.value <= other.value, clear) {
            (true, true) => "better than",
            (true, false) => "not clearly better than",
            (false, false) => "not clearly worse than",
            (false, true) => "worse than",
        };
        write!(
            f,
            "On {} orders that were held out the generator is {verdict} resampling of earlier orders: CRPS {:.4} ± {:.4} against {:.4} ± {:.4}.",
            self.orders, own.value, own.margin, other.value, other.margin,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_within_its_margin_is_not_called_clear() {
        let said = |own: f64, other: f64| {
            let estimate = |value| Estimate {
                value,
                margin: 0.03,
            };
            let held_out = HeldOut {
                orders: 40,
                tried: Vec::new(),
                generator: estimate(own),
                resampling: estimate(other),
            };
            held_out.to_string()
        };
        for (own, other, verdict) in [
            (0.1, 0.2, "is better than"),
            (0.1, 0.14, "is not clearly better than"),
            (0.14, 0.1, "is not clearly worse than"),
            (0.2, 0.1, "is worse than"),
        ] {
            assert!(said(own, other).contains(verdict), "{own} {other}");
        }
    }
}
