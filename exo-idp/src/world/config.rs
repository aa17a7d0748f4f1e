//! The size and the character of a synthetic world.

use crate::error::{Error, within};

/// What kind of world to make. Every field may be changed by itself; [`World::new`](super::World::new) checks them.
///
/// ```
/// use hindsight_exo_idp::world::{World, WorldConfig};
/// let world = World::new(&WorldConfig { products: 20, weeks: 60, seed: 7, ..WorldConfig::default() })?;
/// assert_eq!(world.demand(3).len(), 60);
/// // The true law of demand stays known: an oracle may use it.
/// let law = world.demand_law(3, 10)?;
/// assert!((law.mean() - world.mean_demand(3)[10]).abs() < 1e-9 * (1.0 + law.mean()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct WorldConfig {
    /// Number of products.
    pub products: usize,
    /// Number of weeks.
    pub weeks: usize,
    /// Number of vendors; each product has one.
    pub vendors: usize,
    /// Number of groups of products that share demand shocks.
    pub groups: usize,
    /// Seed of every random number of the world.
    pub seed: u64,
    /// Median of the products' mean weekly demand, in units.
    pub median_demand: f64,
    /// Standard deviation, in logarithms, of the products' mean demand.
    pub demand_spread: f64,
    /// Standard deviation, in logarithms, of the shock that a group shares in a week; half its variance is shared by all groups.
    pub shock: f64,
    /// Correlation of the shock from week to week.
    pub shock_persistence: f64,
    /// Share of products whose demand is intermittent.
    pub intermittent: f64,
    /// Probability that a promotion starts in a week without one.
    pub promotion_rate: f64,
    /// Share of products that are born after the first week.
    pub births: f64,
    /// Share of products that die before the last week.
    pub deaths: f64,
    /// Longest lead time, in weeks.
    pub longest_lead: usize,
    /// Share of the variance of lead times that the products of a vendor have in common.
    pub vendor_share: f64,
    /// Correlation of lead times from week to week.
    pub lead_persistence: f64,
    /// Median multiple of recent sales over lead time and review that the logged policy stocks: the lower, the more sales are lost.
    pub safety: f64,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self {
            products: 200,
            weeks: 156,
            vendors: 12,
            groups: 5,
            seed: 0,
            median_demand: 8.0,
            demand_spread: 1.0,
            shock: 0.2,
            shock_persistence: 0.7,
            intermittent: 0.25,
            promotion_rate: 0.06,
            births: 0.2,
            deaths: 0.15,
            longest_lead: 6,
            vendor_share: 0.6,
            lead_persistence: 0.8,
            safety: 1.2,
        }
    }
}

impl WorldConfig {
    /// An error that names the first field outside its domain.
    ///
    /// # Errors
    /// A count is zero, there are fewer than two weeks, a share is outside [0, 1], a persistence outside [0, 1), or a positive
    /// number is not.
    pub fn validate(&self) -> Result<(), Error> {
        for (name, count) in [
            ("the set of products", self.products),
            ("the set of vendors", self.vendors),
            ("the set of groups", self.groups),
        ] {
            if count == 0 {
                return Err(Error::Empty(name));
            }
        }
        if self.weeks < 2 {
            return Err(Error::Weeks {
                what: "a world needs two weeks",
                start: 0,
                end: self.weeks,
                weeks: self.weeks,
            });
        }
        for (name, value) in [
            ("share of intermittent products", self.intermittent),
            ("promotion rate", self.promotion_rate),
            ("share of births", self.births),
            ("share of deaths", self.deaths),
            ("vendors' share of lead times", self.vendor_share),
        ] {
            within(name, value, 0.0, 1.0, "a number from 0 to 1")?;
        }
        for (name, value) in [
            ("shock persistence", self.shock_persistence),
            ("lead-time persistence", self.lead_persistence),
        ] {
            within(name, value, 0.0, 1.0 - 1e-9, "at least 0, below 1")?;
        }
        within("shock", self.shock, 0.0, 2.0, "a number from 0 to 2")?;
        within(
            "spread of demand",
            self.demand_spread,
            0.0,
            3.0,
            "a number from 0 to 3",
        )?;
        within(
            "median demand",
            self.median_demand,
            1e-3,
            1e5,
            "a number from 0.001 to 100000",
        )?;
        within(
            "safety",
            self.safety,
            1e-3,
            1e3,
            "a number from 0.001 to 1000",
        )?;
        Ok(())
    }
}
