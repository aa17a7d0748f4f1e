//! Who supplies each product, and on what terms.

use exo_idp::market::OrderRule;

use crate::error::{Argument, ArrivalsError, length, within};
use crate::log::Request;
use crate::model::OrderContext;
use crate::world::VendorWorld;

/// What is known of the orders of a panel's products before they are placed: the vendor, the usual order, smallest order and batch, the time of the year, and in a
/// made-up world what its vendors promise.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    vendors: Vec<usize>,
    usual: Vec<f64>,
    rules: Vec<OrderRule>,
    /// As a multiple of the usual order.
    largest: f64,
    seasons: Vec<f64>,
    world: Option<World>,
}

/// A world, and the congestion of its vendors in every week.
#[derive(Debug, Clone, PartialEq)]
struct World {
    law: VendorWorld,
    congestion: Vec<Vec<u8>>,
}

impl Catalogue {
    /// The catalogue of products whose `vendors` are numbered as in a model and whose usual orders are those, for weeks at these times of the year (shares of it).
    ///
    /// # Errors
    /// No product, no week, lists of different lengths, numbers outside their range.
    pub fn new(
        vendors: Vec<usize>,
        usual: Vec<f64>,
        seasons: Vec<f64>,
    ) -> Result<Self, ArrivalsError> {
        for (argument, found) in [
            (Argument::Products, vendors.len()),
            (Argument::Weeks, seasons.len()),
        ] {
            if found == 0 {
                return Err(ArrivalsError::Empty { argument });
            }
        }
        length(Argument::Usual, vendors.len(), usual.len())?;
        for (product, &units) in usual.iter().enumerate() {
            within(
                Argument::Usual,
                product,
                units,
                [f64::MIN_POSITIVE, f64::MAX],
            )?;
        }
        for (week, &season) in seasons.iter().enumerate() {
            within(Argument::Season, week, season, [0.0, 1.0])?;
        }
        Ok(Catalogue {
            rules: vec![OrderRule::default(); vendors.len()],
            largest: f64::INFINITY,
            vendors,
            usual,
            seasons,
            world: None,
        })
    }

    /// The catalogue of a world's vendors, who take the products in turn.
    ///
    /// # Errors
    /// As [`new`](Self::new); parameters of the world outside their range.
    pub fn of_world(
        world: &VendorWorld,
        usual: Vec<f64>,
        weeks: usize,
    ) -> Result<Self, ArrivalsError> {
        world.validate()?;
        let vendors = world.vendors.len();
        let in_turn = (0..usual.len()).map(|product| product % vendors).collect();
        let seasons = (0..weeks).map(|week| world.season(week)).collect();
        Ok(Catalogue {
            world: Some(World {
                congestion: (0..vendors).map(|v| world.congestion(v, weeks)).collect(),
                law: world.clone(),
            }),
            ..Catalogue::new(in_turn, usual, seasons)?
        })
    }

    /// The same with a smallest order and a batch for every product.
    ///
    /// # Errors
    /// Not one rule a product.
    pub fn with_rules(self, rules: Vec<OrderRule>) -> Result<Self, ArrivalsError> {
        length(Argument::Products, self.vendors.len(), rules.len())?;
        Ok(Catalogue { rules, ..self })
    }

    /// The same with orders of at most so many usual orders, whoever places them; minimum and batch are applied afterwards and may raise an order above it. See
    /// [`Log::largest`](crate::Log::largest).
    ///
    /// What becomes of larger orders than a log holds cannot be learned from it. Where a vendor is short they cost nothing, for what does not come is not paid:
    /// in a replay the best order may then lie where the generator only extrapolates.
    ///
    /// # Errors
    /// A multiple that is not above zero and finite.
    pub fn with_largest(self, largest: f64) -> Result<Self, ArrivalsError> {
        let range = [f64::MIN_POSITIVE, f64::MAX];
        within(Argument::Largest, 0, largest, range)?;
        Ok(Catalogue { largest, ..self })
    }

    /// The largest order of a product, as a multiple of its usual one; infinite where there is no limit.
    #[must_use]
    pub fn largest(&self) -> f64 {
        self.largest
    }

    /// The vendors of the products.
    #[must_use]
    pub fn vendors(&self) -> &[usize] {
        &self.vendors
    }

    /// The usual orders of the products, in units.
    #[must_use]
    pub fn usual(&self) -> &[f64] {
        &self.usual
    }

    /// The rules of the products' orders.
    #[must_use]
    pub fn rules(&self) -> &[OrderRule] {
        &self.rules
    }

    /// The world, where the vendors are those of one.
    #[must_use]
    pub fn world(&self) -> Option<&VendorWorld> {
        self.world.as_ref().map(|world| &world.law)
    }
}

impl OrderContext for Catalogue {
    fn products(&self) -> usize {
        self.vendors.len()
    }

    fn weeks(&self) -> usize {
        self.seasons.len()
    }

    fn request(&self, product: usize, week: usize) -> Request {
        let (vendor, usual) = (self.vendors[product], self.usual[product]);
        let rule = self.rules[product];
        let known = match &self.world {
            Some(World { law, congestion }) => {
                law.request(vendor, usual, usual, week, congestion[vendor][week])
            }
            None => Request::new(vendor, usual),
        };
        Request {
            season: self.seasons[week],
            minimum: rule.minimum,
            batch: rule.batch,
            ..known
        }
    }
}
