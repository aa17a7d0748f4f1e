//! Prices of shared resources, given from outside.

use gpu::{DelayLine, Scalar};

use super::interface::{Market, MarketInputs};
use crate::error::{Error, within};
use crate::period::{Event, Position};
use crate::signals::Signals;

/// What a price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Resource {
    /// Storage: what is on hand at the end of the week.
    Storage,
    /// Inbound labour: what is received in the week.
    Inbound,
}

/// A price of a shared resource that is published to the policy and charged: the price of the week, and as many forecasts of the
/// weeks ahead as there are further rows.
///
/// With price $\lambda_t$ and volume $w$ a unit, $\lambda_t w I_t$ is charged, for storage, and $\lambda_t w$ times the receipts for
/// inbound labour. Only the first row is charged; a forecast may be revised in the next week. The policy sees all rows times the
/// volume, in money a unit. The charge is not part of the reward: it is what the resource is worth to others.
///
/// ```
/// use hindsight_exo_idp::policy::Signals;
/// use hindsight_exo_idp::market::{Price, Resource};
/// // The price of this week and of the next, for three products over ten weeks.
/// let forecast = Signals::from_fn(10, 2, 3, |week, ahead, _| 0.1 * (week + ahead) as f64);
/// let market = Price::new(Resource::Storage, forecast, &[1.0, 0.5, 2.0])?;
/// # Ok::<(), hindsight_exo_idp::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    resource: Resource,
    /// Money a unit of the product, this week and in the weeks ahead.
    unit_prices: Signals,
}

impl Price {
    /// A market with the given prices, in money per volume, a row for this week and one for every week ahead; `volumes` are those of
    /// a unit of every product.
    ///
    /// # Errors
    /// When there is no row, a price or a volume is negative or not finite, or there is not one volume per column or product.
    pub fn new(resource: Resource, forecast: Signals, volumes: &[f64]) -> Result<Self, Error> {
        if forecast.rows() == 0 {
            return Err(Error::Empty("the forecast of prices"));
        }
        if volumes.is_empty() || !forecast.columns().is_multiple_of(volumes.len()) {
            return Err(Error::Length {
                array: "volumes".into(),
                expected: forecast.columns(),
                found: volumes.len(),
            });
        }
        for &volume in volumes {
            within(
                "volume",
                volume,
                0.0,
                f64::MAX,
                "a finite number, at least zero",
            )?;
        }
        for week in 0..forecast.weeks() {
            for row in 0..forecast.rows() {
                for &price in forecast.row(week, row) {
                    within(
                        "price of a resource",
                        price,
                        0.0,
                        f64::MAX,
                        "a finite number, at least zero",
                    )?;
                }
            }
        }
        let unit = |week: usize, row: usize, column: usize| {
            forecast.row(week, row)[column] * volumes[column % volumes.len()]
        };
        let unit_prices =
            Signals::from_fn(forecast.weeks(), forecast.rows(), forecast.columns(), unit);
        Ok(Price {
            resource,
            unit_prices,
        })
    }
}

impl Market for Price {
    fn signals(&self) -> Vec<&Signals> {
        vec![&self.unit_prices]
    }

    fn rows(&self) -> usize {
        self.unit_prices.rows()
    }

    fn published(&self) -> usize {
        self.unit_prices.rows()
    }

    #[inline(always)]
    fn publish<S: Scalar>(
        &self,
        inputs: &MarketInputs<'_, S>,
        _: &Position<S>,
        _: &mut [DelayLine<S>],
        out: &mut Vec<S>,
    ) {
        out.extend_from_slice(inputs.rows);
    }

    #[inline(always)]
    fn charge<S: Scalar>(
        &self,
        inputs: &MarketInputs<'_, S>,
        event: &Event<S>,
        _: &[S],
    ) -> Option<S> {
        let used = match self.resource {
            Resource::Storage => event.on_hand.relu(),
            Resource::Inbound => event.received,
        };
        Some(inputs.rows[0] * used)
    }
}
