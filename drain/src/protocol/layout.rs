//! A stated map for zones that have a size and no address.

use crate::error::{Argument, DrainError};
use crate::orders::{Place, Referee, Rules};

use super::World;

/// Warehouses and zones on a plane, in kilometres.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Layout {
    /// Places of the warehouses.
    pub warehouses: Vec<Place>,
    /// Places of the zones.
    pub zones: Vec<Place>,
}

/// Warehouses of [`Layout::spiral`]: one in the middle, the others about it.
const WAREHOUSES: u8 = 6;
/// How far from the middle the others are.
const RING: f64 = 700.0;
/// How far from the middle the last zone is.
const RADIUS: f64 = 1100.0;
/// Parcels that a warehouse can pack in a day.
const DAILY_PICKS: u32 = 60;

impl Layout {
    /// So many zones on a spiral by the golden angle, which fills a disc of 1,100 km evenly, the first in the middle; six warehouses, one in the middle and five on a circle of
    /// 700 km about it.
    #[must_use]
    pub fn spiral(zones: u32) -> Self {
        let golden = std::f64::consts::PI * (3.0 - 5.0_f64.sqrt());
        let at = |radius: f64, angle: f64| Place {
            east: radius * angle.cos(),
            north: radius * angle.sin(),
        };
        let turn = std::f64::consts::TAU / f64::from(WAREHOUSES - 1);
        let ring = (0..WAREHOUSES - 1).map(|k| at(RING, f64::from(k) * turn));
        let spiral = (0..zones).map(|k| {
            let share = (f64::from(k) + 0.5) / f64::from(zones);
            at(RADIUS * share.sqrt(), f64::from(k) * golden)
        });
        Self {
            warehouses: std::iter::once(at(0.0, 0.0)).chain(ring).collect(),
            zones: spiral.collect(),
        }
    }

    /// A world on this map by the tariff of [`Referee::on_map`], in which zones ask for so many units a week on average.
    ///
    /// # Errors
    /// Another number of zones, a mean that is not positive and finite.
    ///
    /// ```
    /// use hindsight_drain::protocol::Layout;
    /// let world = Layout::spiral(3).world(vec![30.0, 20.0, 10.0])?;
    /// assert_eq!((world.costs().warehouses(), world.mean()), (6, 60.0));
    /// # Ok::<(), hindsight_drain::DrainError>(())
    /// ```
    pub fn world(&self, mean: Vec<f64>) -> Result<World, DrainError> {
        if self.zones.is_empty() {
            let argument = Argument::Zone;
            return Err(DrainError::Empty { argument });
        }
        let rules = Rules {
            split_penalty: 1.0,
            look_ahead_days: 1.0,
            ..Rules::default()
        };
        World::new(
            Referee::on_map(&self.warehouses, &self.zones, DAILY_PICKS, rules)?,
            mean,
        )
    }
}
