//! The world's lead times as arrivals that policies are replayed on.

use super::simulation::World;
use crate::arrivals::Arrivals;

/// Arrivals of a [`World`]: sample 0 is the world's own record of lead times, further samples are fresh draws of the same law,
/// shared by a vendor's products as the record is.
///
/// Product numbers are the world's; before the first week and after the last the nearest week's lead time holds.
///
/// ```
/// use hindsight_exo_idp::Arrivals;
/// use hindsight_exo_idp::world::{World, WorldConfig};
/// let world = World::new(&WorldConfig { products: 5, weeks: 20, ..WorldConfig::default() })?;
/// let arrivals = world.arrivals(2);
/// let mut shares = vec![0.0; arrivals.max_lead_time() + 1];
/// arrivals.shares(3, 0, 10, &mut shares);
/// assert_eq!(shares[world.lead_time(3)[10]], 1.0);
/// # Ok::<(), hindsight_exo_idp::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct WorldArrivals {
    longest: usize,
    /// `[sample][product][week]`
    lead_times: Vec<Vec<Vec<usize>>>,
}

impl World {
    /// The world's arrivals with `samples` samples per product, at least one.
    #[must_use]
    pub fn arrivals(&self, samples: usize) -> WorldArrivals {
        let sample = |sample| {
            self.products.iter().enumerate().map(move |(id, product)| {
                self.shared
                    .lead_times(&self.config, product.vendor, id, sample)
            })
        };
        WorldArrivals {
            longest: self.config.longest_lead,
            lead_times: (0..samples.max(1)).map(|s| sample(s).collect()).collect(),
        }
    }
}

impl Arrivals for WorldArrivals {
    fn max_lead_time(&self) -> usize {
        self.longest
    }

    /// # Panics
    /// Like an index into an array, when the product or the sample does not exist.
    fn shares(&self, product: usize, sample: usize, week: i64, shares: &mut [f64]) {
        shares.fill(0.0);
        let path = &self.lead_times[sample][product];
        let week = usize::try_from(week).unwrap_or(0).min(path.len() - 1);
        shares[path[week]] = 1.0;
    }
}
