//! Logs of orders and what was received of them.

use crate::error::{Argument, ArrivalsError, length, within};

/// Earlier orders of a product that a model reads: those of 1 to so many periods ago.
pub const AGES: usize = 8;

/// What is known of an order when it is placed.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Request {
    /// The vendor's number, from 0.
    pub vendor: usize,
    /// Units ordered, at least zero.
    pub units: f64,
    /// Units of a usual order of the product, above zero: sizes are read relative to it.
    pub usual: f64,
    /// The smallest order, in units; 0 for none.
    pub minimum: f64,
    /// Units of a batch; 0 for none.
    pub batch: f64,
    /// Time of the year as a share of it, in [0, 1].
    pub season: f64,
    /// Periods until the delivery that the vendor promises; none where it promises nothing.
    pub promised: Option<f64>,
    /// Further numbers, of the order of one.
    pub covariates: Vec<f64>,
    /// Of the product's orders of 1, 2, … [`AGES`] periods ago: units ordered, and units of them that have not been received.
    pub history: [[f64; 2]; AGES],
}

impl Request {
    /// A request of so many units from a vendor, of usual size, about which nothing else is known.
    #[must_use]
    pub fn new(vendor: usize, units: f64) -> Self {
        Request {
            vendor,
            units,
            usual: if units > 0.0 { units } else { 1.0 },
            minimum: 0.0,
            batch: 0.0,
            season: 0.0,
            promised: None,
            covariates: Vec::new(),
            history: [[0.0; 2]; AGES],
        }
    }

    pub(crate) fn check(
        &self,
        index: usize,
        vendors: usize,
        covariates: usize,
    ) -> Result<(), ArrivalsError> {
        if self.vendor >= vendors {
            return Err(ArrivalsError::Vendor {
                order: index,
                vendor: self.vendor,
                vendors,
            });
        }
        let amount = [0.0, f64::MAX];
        within(Argument::Units, index, self.units, amount)?;
        within(
            Argument::Usual,
            index,
            self.usual,
            [f64::MIN_POSITIVE, f64::MAX],
        )?;
        within(Argument::Minimum, index, self.minimum, amount)?;
        within(Argument::Batch, index, self.batch, amount)?;
        within(Argument::Season, index, self.season, [0.0, 1.0])?;
        if let Some(promised) = self.promised {
            within(Argument::Promised, index, promised, [-1e6, 1e6])?;
        }
        length(Argument::Covariate, covariates, self.covariates.len())?;
        for &value in &self.covariates {
            within(Argument::Covariate, index, value, [f64::MIN, f64::MAX])?;
        }
        for &value in self.history.as_flattened() {
            within(Argument::History, index, value, amount)?;
        }
        Ok(())
    }
}

/// Units received at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Receipt {
    /// Periods since the order.
    pub time: i64,
    /// Units, at least zero.
    pub units: f64,
}

/// An order, and what was seen of it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Order {
    /// What was known when it was placed.
    pub request: Request,
    /// What was received, in any order; several receipts of one time are one.
    pub receipts: Vec<Receipt>,
    /// The last time since the order at which a receipt would have been seen: the order is open at the end of the data. None where it
    /// is closed and nothing more comes. "Not yet" is never "never".
    pub seen_until: Option<i64>,
}

/// Orders of some vendors, with what was received of them.
///
/// ```
/// use hindsight_arrivals::{Log, Order, Receipt, Request};
/// let mut log = Log::new(1, 0, 0);
/// let receipts = vec![Receipt { time: 1, units: 6.0 }, Receipt { time: 3, units: 4.0 }];
/// log.push(Order { request: Request::new(0, 10.0), receipts, seen_until: None })?;
/// // Placed two periods before the end of the data, nothing received: open, not cancelled.
/// log.push(Order { request: Request::new(0, 10.0), receipts: vec![], seen_until: Some(2) })?;
/// assert_eq!(log.orders().len(), 2);
/// let early = vec![Receipt { time: -1, units: 6.0 }];
/// assert!(log.push(Order { request: Request::new(0, 10.0), receipts: early, seen_until: None }).is_err());
/// # Ok::<(), hindsight_arrivals::ArrivalsError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Log {
    vendors: usize,
    covariates: usize,
    earliest: i64,
    orders: Vec<Order>,
}

impl Log {
    /// An empty log of orders from so many vendors with so many covariates, nothing of which is received before the time `earliest`
    /// since the order: 0, or less where times count from the promised date.
    #[must_use]
    pub fn new(vendors: usize, covariates: usize, earliest: i64) -> Self {
        Log {
            vendors,
            covariates,
            earliest,
            orders: Vec::new(),
        }
    }

    /// Adds an order: its receipts by time, those of one time together, those of nothing left out.
    ///
    /// # Errors
    /// An unknown vendor, a number outside its range, units of zero, a receipt before the earliest time or after the last that was seen.
    pub fn push(&mut self, mut order: Order) -> Result<(), ArrivalsError> {
        let index = self.orders.len();
        order.request.check(index, self.vendors, self.covariates)?;
        within(
            Argument::Units,
            index,
            order.request.units,
            [f64::MIN_POSITIVE, f64::MAX],
        )?;
        for receipt in &order.receipts {
            within(Argument::Receipt, index, receipt.units, [0.0, f64::MAX])?;
            if receipt.time < self.earliest {
                return Err(ArrivalsError::EarlyReceipt {
                    order: index,
                    time: receipt.time,
                    earliest: self.earliest,
                });
            }
            if let Some(seen) = order.seen_until.filter(|&seen| receipt.time > seen) {
                return Err(ArrivalsError::UnseenReceipt {
                    order: index,
                    time: receipt.time,
                    seen,
                });
            }
        }
        order.receipts.retain(|receipt| receipt.units > 0.0);
        order.receipts.sort_by_key(|receipt| receipt.time);
        order.receipts.dedup_by(|next, kept| {
            let same = next.time == kept.time;
            if same {
                kept.units += next.units;
            }
            same
        });
        self.orders.push(order);
        Ok(())
    }

    /// The number of vendors.
    #[must_use]
    pub fn vendors(&self) -> usize {
        self.vendors
    }

    /// The number of covariates.
    #[must_use]
    pub fn covariates(&self) -> usize {
        self.covariates
    }

    /// The earliest time of a receipt since its order.
    #[must_use]
    pub fn earliest(&self) -> i64 {
        self.earliest
    }

    /// The orders.
    #[must_use]
    pub fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// The size, as a multiple of the usual order, that this share of the orders does not exceed: a quantile of the sizes from which a law is learned. Beyond a high
    /// one, such as 0.99, a model has little to learn from.
    ///
    /// ```
    /// use hindsight_arrivals::world::VendorWorld;
    /// let log = VendorWorld::new(2, 7)?.log(1_000, 104, 1)?;
    /// let known = log.largest(0.99)?;
    /// let above = log.orders().iter().filter(|order| order.request.units > known * order.request.usual);
    /// assert_eq!(above.count(), 10);
    /// # Ok::<(), hindsight_arrivals::ArrivalsError>(())
    /// ```
    ///
    /// # Errors
    /// A share outside 0 to 1, no order.
    pub fn largest(&self, share: f64) -> Result<f64, ArrivalsError> {
        within(Argument::Share, 0, share, [0.0, 1.0])?;
        let of = |order: &Order| order.request.units / order.request.usual;
        let mut sizes: Vec<f64> = self.orders.iter().map(of).collect();
        sizes.sort_by(f64::total_cmp);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in a list"
        )]
        let place = (share * sizes.len() as f64).ceil() as usize;
        let argument = Argument::Orders;
        let found = sizes.get(place.saturating_sub(1)).copied();
        found.ok_or(ArrivalsError::Empty { argument })
    }

    /// A log like this one of some of its orders.
    #[must_use]
    pub fn filter(&self, keep: impl Fn(usize, &Order) -> bool) -> Self {
        let orders = self.orders.iter().enumerate();
        Log {
            orders: orders
                .filter(|&(index, order)| keep(index, order))
                .map(|(_, order)| order.clone())
                .collect(),
            ..*self
        }
    }
}
