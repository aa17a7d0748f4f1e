//! The world itself: its truth, its record and its parameters.

use gpu::Stream;

use super::config::WorldConfig;
use super::draw::{period, real};
use super::logged::{Logged, Record, observe};
use super::product::Product;
use super::shared::{Shared, Vendor};
use crate::error::{Error, within};
use crate::exact::{DemandLaw, ExactError};

/// A synthetic world: the exogenous truth, the censored record and all parameters.
///
/// Paths are slices of one number per week. Accessors panic, like an index into an array, when the product does not exist.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct World {
    pub(super) config: WorldConfig,
    pub(super) shared: Shared,
    pub(super) products: Vec<Product>,
    pub(super) paths: Vec<ProductPaths>,
}

#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(super) struct ProductPaths {
    mean: Vec<f64>,
    demand: Vec<f64>,
    price: Vec<f64>,
    cost: Vec<f64>,
    competitor: Vec<f64>,
    promotion: Vec<f64>,
    lead_time: Vec<usize>,
    record: Record,
    /// Views that did not turn into demand.
    looked: Vec<u64>,
    orders: Vec<f64>,
    on_hand: Vec<f64>,
}

impl World {
    /// The names of the covariates, and whether each is known weeks ahead.
    pub const COVARIATES: [(&'static str, bool); 7] = [
        ("season_sin", true),
        ("season_cos", true),
        ("holiday", true),
        ("weeks_to_holiday", true),
        ("promotion", true),
        ("competitor_price", false),
        ("views", false),
    ];

    /// Draws a world.
    ///
    /// # Errors
    /// A field of the configuration is outside its domain; the error names it.
    pub fn new(config: &WorldConfig) -> Result<Self, Error> {
        config.validate()?;
        let shared = Shared::draw(config);
        let traits = Stream::new(config.seed, "world products");
        let prices = Stream::new(config.seed, "world prices");
        let demands = Stream::new(config.seed, "world demand");
        let records = Stream::new(config.seed, "world record");
        let mut products = Vec::with_capacity(config.products);
        let mut paths = Vec::with_capacity(config.products);
        for id in 0..config.products {
            let product = Product::draw(config, &traits, id);
            let prices = product.prices(config, &shared, &prices, id);
            let lead_time = shared.lead_times(config, product.vendor, id, 0);
            let vendor = &shared.vendors()[product.vendor];
            let mut path = ProductPaths::default();
            let mut logged = Logged::open(config, &product);
            for (week, &lead) in lead_time.iter().enumerate() {
                let mean = product.mean(&shared, &prices, week);
                let wanted = product.demand(mean, &mut demands.at(id as u64, period(week)));
                let mut rng = records.at(id as u64, period(week));
                logged.week(&product, vendor, lead, wanted, &mut rng);
                path.mean.push(mean);
                path.demand.push(f64::from(wanted.0));
                path.looked.push(wanted.1);
            }
            paths.push(ProductPaths {
                price: prices.price,
                cost: prices.cost,
                competitor: prices.competitor,
                promotion: prices.promotion,
                lead_time,
                record: logged.record,
                orders: logged.orders,
                on_hand: logged.on_hand,
                ..path
            });
            products.push(product);
        }
        Ok(Self {
            config: config.clone(),
            shared,
            products,
            paths,
        })
    }

    /// The configuration it was drawn from.
    #[must_use]
    pub fn config(&self) -> &WorldConfig {
        &self.config
    }

    /// The products' parameters.
    #[must_use]
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    /// The vendors' parameters.
    #[must_use]
    pub fn vendors(&self) -> &[Vendor] {
        self.shared.vendors()
    }

    /// A product's name, by vendor, group and number.
    #[must_use]
    pub fn name(&self, product: usize) -> String {
        let Product { vendor, group, .. } = &self.products[product];
        format!("v{vendor:02}-g{group}-{product:05}")
    }

    /// Whether the product is on sale, week by week.
    #[must_use]
    pub fn present(&self, product: usize) -> Vec<bool> {
        let life = self.products[product].born..self.products[product].dies;
        (0..self.config.weeks)
            .map(|week| life.contains(&week))
            .collect()
    }

    /// True demand in units, lost sales included: what no real record shows.
    #[must_use]
    pub fn demand(&self, product: usize) -> &[f64] {
        &self.paths[product].demand
    }

    /// Mean of the true demand law, given that week's price, promotion, season and shock.
    #[must_use]
    pub fn mean_demand(&self, product: usize) -> &[f64] {
        &self.paths[product].mean
    }

    /// The true law of a week's demand, given that week's price, promotion, season and shock.
    ///
    /// # Errors
    /// The law's table is too wide, at means of hundreds of thousands of units.
    ///
    /// # Panics
    /// Like an index into an array, when product or week do not exist.
    pub fn demand_law(&self, product: usize, week: usize) -> Result<DemandLaw, ExactError> {
        self.products[product].law(self.paths[product].mean[week])
    }

    /// Selling price, money per unit.
    #[must_use]
    pub fn price(&self, product: usize) -> &[f64] {
        &self.paths[product].price
    }

    /// Purchase cost, money per unit.
    #[must_use]
    pub fn cost(&self, product: usize) -> &[f64] {
        &self.paths[product].cost
    }

    /// The lead time, in weeks, of an order placed in each week.
    #[must_use]
    pub fn lead_time(&self, product: usize) -> &[usize] {
        &self.paths[product].lead_time
    }

    /// The true probabilities of lead times of 0, 1, ... weeks in any one week.
    #[must_use]
    pub fn lead_time_law(&self, product: usize) -> Vec<f64> {
        self.vendors()[self.products[product].vendor].law(self.config.longest_lead)
    }

    /// Units sold by the logged policy: demand, censored by its stock.
    #[must_use]
    pub fn sales(&self, product: usize) -> &[f64] {
        &self.paths[product].record.sales
    }

    /// Share of each week with stock on hand under the logged policy.
    #[must_use]
    pub fn in_stock(&self, product: usize) -> &[f64] {
        &self.paths[product].record.in_stock
    }

    /// Page views while in stock.
    #[must_use]
    pub fn views_in_stock(&self, product: usize) -> &[f64] {
        &self.paths[product].record.views_in_stock
    }

    /// Page views while out of stock.
    #[must_use]
    pub fn views_out_of_stock(&self, product: usize) -> &[f64] {
        &self.paths[product].record.views_out_of_stock
    }

    /// Orders of the logged policy.
    #[must_use]
    pub fn orders(&self, product: usize) -> &[f64] {
        &self.paths[product].orders
    }

    /// Stock at the end of each week under the logged policy.
    #[must_use]
    pub fn on_hand(&self, product: usize) -> &[f64] {
        &self.paths[product].on_hand
    }

    /// What the record of a product would show under another policy: the one that faced each week's demand with `stock` units.
    ///
    /// The stock may be fractional, as trained policies order fractions. `round` numbers independent records of the same stock
    /// (the time of day at which the shelf ran empty is random). With it the spiral of training on one's own sales can be
    /// followed: train, replay on the truth, record, train again.
    ///
    /// # Errors
    /// There is not one stock for each week, or a stock is negative or not finite.
    ///
    /// # Panics
    /// Like an index into an array, when the product does not exist.
    pub fn record(&self, product: usize, stock: &[f64], round: u32) -> Result<Record, Error> {
        let expected = self.config.weeks;
        if stock.len() != expected {
            return Err(Error::Length {
                array: "stock".into(),
                expected,
                found: stock.len(),
            });
        }
        let stream = Stream::new(self.config.seed, &format!("world record, round {round}"));
        let (paths, mut record) = (&self.paths[product], Record::default());
        for (week, present) in self.present(product).into_iter().enumerate() {
            within(
                "stock",
                stock[week],
                0.0,
                f64::from(u32::MAX),
                "a finite number, at least zero",
            )?;
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole units, drawn as u32"
            )]
            let wanted = (paths.demand[week] as u32, paths.looked[week]);
            let mut rng = stream.at(product as u64, period(week));
            record.push(observe(wanted, stock[week], present, &mut rng));
        }
        Ok(record)
    }

    /// A covariate of [`World::COVARIATES`] by name, week by week; `None` for another name.
    #[must_use]
    pub fn covariate(&self, name: &str, product: usize) -> Option<Vec<f64>> {
        let paths = &self.paths[product];
        let angle = |week: usize| std::f64::consts::TAU * real(week % 52) / 52.0;
        let by_week = |f: &dyn Fn(usize) -> f64| (0..self.config.weeks).map(f).collect();
        Some(match name {
            "season_sin" => by_week(&|week| angle(week).sin()),
            "season_cos" => by_week(&|week| angle(week).cos()),
            "holiday" => by_week(&|week| self.shared.holiday(week)),
            "weeks_to_holiday" => by_week(&|week| real(self.shared.weeks_to_holiday(week))),
            "promotion" => paths.promotion.clone(),
            "competitor_price" => paths.competitor.clone(),
            "views" => by_week(&|week| {
                paths.record.views_in_stock[week] + paths.record.views_out_of_stock[week]
            }),
            _ => return None,
        })
    }
}
