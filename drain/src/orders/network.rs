//! Warehouses, ways to ship, and how far the zones are.

use crate::error::{Argument, DrainError};

/// A warehouse's working day.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Warehouse {
    /// The share of the day, in [0, 1], after which an order waits for the next day.
    pub cut_off: f64,
    /// Units that leave in a day at most.
    pub daily_picks: u32,
}

/// A way to ship, such as ground, two days or one day: how long it takes and its tariff by distance band and weight.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ShipOption {
    /// Days on the way, by distance band.
    pub transit_days: Vec<u32>,
    /// The weights up to which the columns of `price` hold, ascending; heavier parcels are not carried.
    pub weight_limits: Vec<f64>,
    /// Money per parcel: a row a band, a column a weight limit, not falling with the weight.
    pub price: Vec<Vec<f64>>,
}

impl ShipOption {
    /// The price of a parcel, if the option carries it.
    #[must_use]
    pub fn parcel_price(&self, band: usize, weight: f64) -> Option<f64> {
        let column = self
            .weight_limits
            .iter()
            .position(|limit| weight <= *limit)?;
        Some(self.price[band][column])
    }

    fn check(&self, bands: usize) -> Result<(), DrainError> {
        length(Argument::TransitDays, bands, self.transit_days.len())?;
        length(Argument::Price, bands, self.price.len())?;
        ascending(Argument::WeightLimits, &self.weight_limits)?;
        for row in &self.price {
            length(Argument::Price, self.weight_limits.len(), row.len())?;
            ascending(Argument::Price, row)?;
        }
        Ok(())
    }
}

/// Warehouses, zones and products, and the ways to ship between them. Bands, weights and tariffs are checked once, here.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboundNetwork {
    pub(super) warehouses: Vec<Warehouse>,
    pub(super) options: Vec<ShipOption>,
    pub(super) weights: Vec<f64>,
    bands: Vec<usize>,
    zones: usize,
    local: Vec<usize>,
}

impl OutboundNetwork {
    /// A network of these warehouses and options; `bands` holds the distance band of each zone from each warehouse, row by row, and `weights` the weight of a
    /// unit of each product.
    ///
    /// # Errors
    /// Empty or disagreeing lists, a band that an option does not have, a cut-off outside [0, 1], weights or prices that are negative, not finite or fall.
    pub fn new(
        warehouses: Vec<Warehouse>,
        options: Vec<ShipOption>,
        bands: Vec<usize>,
        weights: Vec<f64>,
    ) -> Result<Self, DrainError> {
        let lists = [
            (Argument::Warehouse, warehouses.len()),
            (Argument::ShipOption, options.len()),
            (Argument::Band, bands.len()),
            (Argument::Weight, weights.len()),
        ];
        for (argument, found) in lists {
            if found == 0 {
                return Err(DrainError::Empty { argument });
            }
        }
        let zones = bands.len() / warehouses.len();
        length(Argument::Band, warehouses.len() * zones.max(1), bands.len())?;
        for (index, warehouse) in warehouses.iter().enumerate() {
            let value = warehouse.cut_off;
            if !(0.0..=1.0).contains(&value) {
                return Err(DrainError::NotAShare {
                    argument: Argument::CutOff,
                    index,
                    value,
                });
            }
        }
        for (index, &value) in weights.iter().enumerate() {
            number(Argument::Weight, index, value)?;
        }
        let count = options[0].transit_days.len();
        for option in &options {
            option.check(count)?;
        }
        if let Some(&index) = bands.iter().find(|band| **band >= count) {
            return Err(DrainError::OutOfBounds {
                argument: Argument::Band,
                index,
                count,
            });
        }
        let local = (0..zones)
            .map(|zone| {
                let near = (0..warehouses.len()).min_by_key(|w| bands[w * zones + zone]);
                near.unwrap_or(0)
            })
            .collect();
        Ok(Self {
            warehouses,
            options,
            weights,
            bands,
            zones,
            local,
        })
    }

    /// The number of warehouses.
    #[must_use]
    pub fn warehouses(&self) -> usize {
        self.warehouses.len()
    }

    /// The number of zones.
    #[must_use]
    pub fn zones(&self) -> usize {
        self.zones
    }

    /// The number of products.
    #[must_use]
    pub fn products(&self) -> usize {
        self.weights.len()
    }

    /// The ways to ship.
    #[must_use]
    pub fn options(&self) -> &[ShipOption] {
        &self.options
    }

    /// The weight of a unit of a product.
    ///
    /// # Errors
    /// A number that does not exist.
    pub fn weight(&self, product: usize) -> Result<f64, DrainError> {
        self.weights
            .get(product)
            .copied()
            .ok_or(DrainError::OutOfBounds {
                argument: Argument::Product,
                index: product,
                count: self.weights.len(),
            })
    }

    /// The distance band of a zone from a warehouse.
    #[must_use]
    pub fn band(&self, warehouse: usize, zone: usize) -> usize {
        self.bands[warehouse * self.zones + zone]
    }

    /// The warehouse in whose nearest band the zone lies, the first of several: the one to which the zone is local.
    #[must_use]
    pub fn local_warehouse(&self, zone: usize) -> usize {
        self.local[zone]
    }
}

pub(super) fn length(argument: Argument, expected: usize, found: usize) -> Result<(), DrainError> {
    if found == expected {
        Ok(())
    } else {
        Err(DrainError::Length {
            argument,
            expected,
            found,
        })
    }
}

/// A finite number that is not negative.
pub(super) fn number(argument: Argument, index: usize, value: f64) -> Result<(), DrainError> {
    if !value.is_finite() {
        Err(DrainError::NotFinite {
            argument,
            index,
            value,
        })
    } else if value < 0.0 {
        Err(DrainError::Negative {
            argument,
            index,
            value,
        })
    } else {
        Ok(())
    }
}

fn ascending(argument: Argument, list: &[f64]) -> Result<(), DrainError> {
    for (index, &value) in list.iter().enumerate() {
        number(argument, index, value)?;
        if index > 0 && value < list[index - 1] {
            return Err(DrainError::NotAscending { argument, index });
        }
    }
    Ok(())
}
