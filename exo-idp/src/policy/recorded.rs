//! What was really ordered.

use gpu::{DelayLine, Scalar};

use super::interface::{Observation, Policy};
use crate::error::Error;
use crate::panel::Panel;
use crate::signals::Signals;

/// Orders what the record says was ordered in the week, whatever the stock.
///
/// ```
/// use hindsight_exo_idp::panel::Columns;
/// use hindsight_exo_idp::policy::RecordedOrders;
/// use hindsight_exo_idp::{Conventions, LeadTimes, Panel, Paths, Replay, Window, replay::Quantity};
/// let columns = Columns {
///     demand: vec![4.0; 10],
///     price: vec![10.0; 10],
///     cost: vec![6.0; 10],
///     present: vec![true; 10],
///     covariates: vec![],
/// };
/// let panel = Panel::new(vec!["tea".into()], 10, columns)?;
/// let orders: Vec<f64> = (0..10).map(|week| f64::from(week % 2) * 8.0).collect();
/// let paths = Paths::new(&panel, &LeadTimes::fixed(1), 1)?;
/// let replay = Replay::new(&paths, Conventions::default(), Window { scored: 4..10, warm_up: 4 }, &[4.0])?;
/// let outcomes = replay.run(&RecordedOrders::new(&panel, &orders)?, &hindsight_gpu::Device::default())?;
/// assert_eq!(outcomes.total(Quantity::Order), 24.0);
/// # Ok::<(), hindsight_exo_idp::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct RecordedOrders {
    signals: Signals,
}

impl RecordedOrders {
    /// The orders of a panel's products and weeks, in units, product by product, weeks contiguous.
    ///
    /// # Errors
    /// When there is not one for every product and week.
    pub fn new(panel: &Panel, orders: &[f64]) -> Result<Self, Error> {
        let (products, weeks) = (panel.products(), panel.weeks());
        if orders.len() != products * weeks {
            return Err(Error::Length {
                array: "past orders".into(),
                expected: products * weeks,
                found: orders.len(),
            });
        }
        let order = |week: usize, _: usize, product: usize| orders[product * weeks + week];
        Ok(RecordedOrders {
            signals: Signals::from_fn(weeks, 1, products, order),
        })
    }
}

impl Policy for RecordedOrders {
    fn name(&self) -> &'static str {
        "own orders"
    }
    fn signals(&self) -> Option<&Signals> {
        Some(&self.signals)
    }
    #[inline(always)]
    fn order<S: Scalar>(&self, _: &[S], seen: &Observation<'_, S>, _: &mut [DelayLine<S>]) -> S {
        seen.signals[0]
    }
}
