//! What the record shows of a product: the sales of a policy that now and then runs out of stock.

use rand::Rng;

use super::config::WorldConfig;
use super::product::{Product, binomial, sold_out_at};
use super::shared::{Vendor, real};

/// Weeks of sales that the logged policy looks back on.
const MEMORY: usize = 8;

/// The record of one product.
#[derive(Debug, Clone, Default)]
pub(super) struct Logged {
    pub(super) sales: Vec<f64>,
    pub(super) in_stock: Vec<f64>,
    pub(super) views_in_stock: Vec<f64>,
    pub(super) views_out_of_stock: Vec<f64>,
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
        let week = self.sales.len();
        let alive = (product.born..product.dies).contains(&week);
        let recent = &self.sales[week.saturating_sub(MEMORY).max(product.born.min(week))..];
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
        let sold = demand.min(self.stock);
        // Demand comes at even times within the week; the shelf is empty from the last unit's sale on.
        let share = if demand >= self.stock && alive {
            sold_out_at(self.stock, demand, rng)
        } else {
            1.0
        };
        let seen = binomial(looked, share, rng);
        self.stock -= sold;
        self.sales.push(f64::from(sold));
        self.in_stock.push(share);
        self.views_in_stock.push(f64::from(sold) + count(seen));
        self.views_out_of_stock
            .push(f64::from(demand - sold) + count(looked - seen));
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
