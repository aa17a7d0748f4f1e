//! What the record shows of a product: the sales of a policy that now and then runs out of stock.

use rand::Rng;

use super::config::WorldConfig;
use super::draw::{binomial, real, sold_out_at};
use super::product::Product;
use super::shared::Vendor;
use crate::censor::SalesRecord;

/// Weeks of sales that the logged policy looks back on.
const MEMORY: usize = 8;

/// What a record shows of one product, week by week: its sales, censored by the stock of some policy.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Record {
    /// Units sold.
    pub sales: Vec<f64>,
    /// Share of the week with stock on hand.
    pub in_stock: Vec<f64>,
    /// Page views while in stock.
    pub views_in_stock: Vec<f64>,
    /// Page views while out of stock.
    pub views_out_of_stock: Vec<f64>,
}

impl Record {
    /// The record as [`corrected_demand`](crate::censor::corrected_demand) takes it, its conversion rate to be estimated.
    #[must_use]
    pub fn as_sales_record(&self) -> SalesRecord<'_> {
        SalesRecord {
            sales: &self.sales,
            in_stock: Some(&self.in_stock),
            views_in_stock: Some(&self.views_in_stock),
            views_out_of_stock: Some(&self.views_out_of_stock),
            conversion: None,
        }
    }

    pub(super) fn push(&mut self, [sales, in_stock, seen, missed]: [f64; 4]) {
        self.sales.push(sales);
        self.in_stock.push(in_stock);
        self.views_in_stock.push(seen);
        self.views_out_of_stock.push(missed);
    }
}

/// Sales, share in stock and views in and out of stock of a week with so much demand, so many views without demand, and so
/// much stock.
///
/// Demand comes at even times within the week; the shelf is empty from the last unit's sale on.
pub(super) fn observe<R: Rng>(
    (demand, looked): (u32, u64),
    stock: f64,
    alive: bool,
    rng: &mut R,
) -> [f64; 4] {
    let wanted = f64::from(demand);
    let sold = wanted.min(stock);
    let share = if wanted >= stock && alive {
        sold_out_at(whole(stock), demand, rng)
    } else {
        1.0
    };
    let seen = binomial(looked, share, rng);
    [
        sold,
        share,
        sold + count(seen),
        wanted - sold + count(looked - seen),
    ]
}

/// The logged policy's path.
#[derive(Debug, Clone, Default)]
pub(super) struct Logged {
    pub(super) record: Record,
    pub(super) orders: Vec<f64>,
    pub(super) on_hand: Vec<f64>,
    arriving: Vec<u32>,
    stock: u32,
    on_order: u32,
}

impl Logged {
    /// Opens with three weeks of base demand on hand.
    pub(super) fn open(config: &WorldConfig, product: &Product) -> Self {
        Self {
            arriving: vec![0; config.weeks + config.longest_lead + 1],
            stock: whole(3.0 * product.base),
            ..Self::default()
        }
    }

    /// One week: order up to a multiple of recent sales, receive, sell, and count the views in and out of stock.
    pub(super) fn week<R: Rng>(
        &mut self,
        product: &Product,
        vendor: &Vendor,
        lead: usize,
        (demand, looked): (u32, u64),
        rng: &mut R,
    ) {
        let week = self.record.sales.len();
        let alive = (product.born..product.dies).contains(&week);
        let recent = &self.record.sales[week.saturating_sub(MEMORY).max(product.born.min(week))..];
        let rate = if recent.is_empty() {
            product.base
        } else {
            recent.iter().sum::<f64>() / real(recent.len())
        };
        // At least one unit: a policy that goes by sales alone would never restart after a dry spell.
        let target = whole(product.safety * rate.max(0.2) * (vendor.lead_time + 1.0)).max(1);
        let order = if alive {
            target.saturating_sub(self.stock.saturating_add(self.on_order))
        } else {
            0
        };
        self.on_order = self.on_order.saturating_add(order);
        self.arriving[week + lead] = self.arriving[week + lead].saturating_add(order);
        self.on_order = self.on_order.saturating_sub(self.arriving[week]);
        self.stock = self.stock.saturating_add(self.arriving[week]);
        let seen = observe((demand, looked), f64::from(self.stock), alive, rng);
        self.stock -= demand.min(self.stock);
        self.record.push(seen);
        self.orders.push(f64::from(order));
        self.on_hand.push(f64::from(self.stock));
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive; the cast saturates"
)]
fn whole(units: f64) -> u32 {
    units.ceil() as u32
}

#[allow(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn count(n: u64) -> f64 {
    n as f64
}
