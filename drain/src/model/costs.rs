//! What a unit costs from where to where.

use crate::error::{Argument, DrainError};
use crate::orders::OutboundNetwork;

/// Money per unit by ship option, warehouse and zone, and the range in which the mean cost of a warehouse's units must lie.
///
/// What the model knows of the network: it is a forecaster's tariff, not the rule by which orders are met.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UnitCosts {
    warehouses: usize,
    zones: usize,
    /// `[option][warehouse][zone]`
    price: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
}

impl UnitCosts {
    /// Costs `[option][warehouse][zone]`, and for each warehouse the least and the most that a unit can cost on average.
    ///
    /// # Errors
    /// No warehouse, zone or option; lists whose lengths do not agree; prices that are negative, not finite, or all zero; `high` below `low`.
    pub fn new(
        warehouses: usize,
        zones: usize,
        price: Vec<f64>,
        low: Vec<f64>,
        high: Vec<f64>,
    ) -> Result<Self, DrainError> {
        let counts = [
            (Argument::Warehouse, warehouses),
            (Argument::Zone, zones),
            (Argument::Price, price.len()),
        ];
        for (argument, found) in counts {
            if found == 0 {
                return Err(DrainError::Empty { argument });
            }
        }
        let arcs = warehouses * zones;
        let lists = [
            (Argument::Price, price.len().div_ceil(arcs) * arcs, &price),
            (Argument::Lower, warehouses, &low),
            (Argument::Upper, warehouses, &high),
        ];
        for (argument, expected, list) in lists {
            super::amounts(argument, expected, list)?;
        }
        if let Some(index) = (0..warehouses).find(|&w| high[w] < low[w]) {
            let argument = Argument::Upper;
            return Err(DrainError::NotAscending { argument, index });
        }
        if price.iter().sum::<f64>() <= 0.0 {
            let argument = Argument::Price;
            return Err(DrainError::NoScale { argument });
        }
        Ok(Self {
            warehouses,
            zones,
            price,
            low,
            high,
        })
    }

    /// The costs of a product in a network of parcels, of at most `largest` units each.
    ///
    /// A unit costs what a parcel of one unit does; where an option does not carry it, the dearest that any option asks there. The range reaches from the cheapest share of a
    /// full parcel to the dearest single unit.
    ///
    /// # Errors
    /// A product that does not exist, no unit, a product that no option carries.
    pub fn of_network(
        network: &OutboundNetwork,
        product: usize,
        largest: u32,
    ) -> Result<Self, DrainError> {
        let (warehouses, zones) = (network.warehouses(), network.zones());
        let weight = network.weight(product)?;
        if largest == 0 {
            return Err(DrainError::Empty {
                argument: Argument::Order,
            });
        }
        let dearest = |w: usize, z: usize| {
            let band = network.band(w, z);
            let offers = network.options().iter();
            offers
                .filter_map(|option| option.parcel_price(band, weight))
                .fold(f64::NAN, f64::max)
        };
        let mut price = Vec::new();
        let (mut low, mut high) = (vec![f64::INFINITY; warehouses], vec![0.0; warehouses]);
        for option in network.options() {
            for w in 0..warehouses {
                for z in 0..zones {
                    let band = network.band(w, z);
                    let single = option.parcel_price(band, weight);
                    price.push(single.unwrap_or_else(|| dearest(w, z)));
                    for units in 1..=largest {
                        let units = f64::from(units);
                        if let Some(parcel) = option.parcel_price(band, units * weight) {
                            low[w] = low[w].min(parcel / units);
                            high[w] = f64::max(high[w], parcel / units);
                        }
                    }
                }
            }
        }
        Self::new(warehouses, zones, price, low, high)
    }

    /// The number of warehouses.
    #[must_use]
    pub fn warehouses(&self) -> usize {
        self.warehouses
    }

    /// The number of zones.
    #[must_use]
    pub fn zones(&self) -> usize {
        self.zones
    }

    /// The number of ship options.
    #[must_use]
    pub fn options(&self) -> usize {
        self.price.len() / (self.warehouses * self.zones)
    }

    /// Money per unit by an option from a warehouse to a zone.
    ///
    /// # Panics
    /// If there is no such option, warehouse or zone.
    #[must_use]
    pub fn price(&self, option: usize, warehouse: usize, zone: usize) -> f64 {
        assert!(warehouse < self.warehouses && zone < self.zones);
        self.price[(option * self.warehouses + warehouse) * self.zones + zone]
    }

    /// The cheapest option's money per unit.
    ///
    /// # Panics
    /// If there is no such warehouse or zone.
    #[must_use]
    pub fn cheapest(&self, warehouse: usize, zone: usize) -> f64 {
        let offers = (0..self.options()).map(|o| self.price(o, warehouse, zone));
        offers.fold(f64::INFINITY, f64::min)
    }

    /// The least and the most that a warehouse's units can cost on average.
    ///
    /// # Panics
    /// If there is no such warehouse.
    #[must_use]
    pub fn range(&self, warehouse: usize) -> (f64, f64) {
        (self.low[warehouse], self.high[warehouse])
    }

    /// The mean of all prices: the unit of money in which the model works.
    #[must_use]
    pub fn mean(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "prices in memory")]
        let count = self.price.len() as f64;
        self.price.iter().sum::<f64>() / count
    }

    /// The same network with its warehouses in another order.
    ///
    /// # Panics
    /// If a number does not exist.
    #[must_use]
    pub fn permuted(&self, order: &[usize]) -> Self {
        let price = (0..self.options()).flat_map(|o| {
            let row = move |&w: &usize| (0..self.zones).map(move |z| self.price(o, w, z));
            order.iter().flat_map(row)
        });
        Self {
            warehouses: order.len(),
            zones: self.zones,
            price: price.collect(),
            low: order.iter().map(|&w| self.low[w]).collect(),
            high: order.iter().map(|&w| self.high[w]).collect(),
        }
    }
}
