//! A week of orders from units asked for by zone: the simulator as the referee of a forecast.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::network::{OutboundNetwork, ShipOption, Warehouse, length};
use super::order::{Line, Order};
use super::{Ledger, Rules, fulfil};
use crate::error::{Argument, DrainError};
use crate::model::{Drain, UnitCosts};

/// A place on a map, in kilometres.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Place {
    /// To the east.
    pub east: f64,
    /// To the north.
    pub north: f64,
}

impl Place {
    /// Kilometres as the crow flies.
    #[must_use]
    pub fn distance(self, other: Place) -> f64 {
        (self.east - other.east).hypot(self.north - other.north)
    }
}

/// A network for one product, how its customers order, and the rules by which orders are met.
///
/// Orders are drawn: of one to four units, anywhere in the week, to arrive within two, three or six days. What was asked for, and the seed, decide them alone.
///
/// ```
/// use hindsight_drain::orders::{Place, Referee, Rules};
/// let place = |east| Place { east, north: 0.0 };
/// let referee = Referee::on_map(&[place(0.0), place(900.0)], &[place(50.0), place(800.0)], 500, Rules::default())?;
/// let drain = referee.settle(&[20, 80], &[30, 30], 7)?;
/// assert_eq!(drain.units, [20.0, 40.0]); // ten units have a long way
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Referee {
    network: OutboundNetwork,
    rules: Rules,
}

/// Days of a period.
const DAYS: u32 = 7;
/// The most units of an order.
const LARGEST: u32 = 4;
/// Upper ends of the distance bands in kilometres; the last band has none.
const BANDS: [f64; 4] = [150.0, 400.0, 800.0, 1500.0];

impl Referee {
    /// The referee of a network of one product.
    ///
    /// # Errors
    /// A network of more products than one.
    pub fn new(network: OutboundNetwork, rules: Rules) -> Result<Self, DrainError> {
        length(Argument::Product, 1, network.products())?;
        Ok(Self { network, rules })
    }

    /// The referee of warehouses and zones on a map, each warehouse with so many picks a day.
    ///
    /// The tariff is stated here: distance bands end at 150, 400, 800 and 1,500 km; a unit weighs 1, parcels of up to 1, 2 and 4 are priced. *Ground* takes 1, 2, 3, 4 and 5 days and
    /// costs 4, 4.6, 5.4, 6.4 and 7.6, half as much again with two units, twice as much with four; *two days* 9, 11, 13, 15, 17; *one day* 16, 20, 25, 30, 36.
    /// Orders wait for the next day after 0.6 of a day.
    ///
    /// # Errors
    /// No warehouse or no zone.
    pub fn on_map(
        warehouses: &[Place],
        zones: &[Place],
        daily_picks: u32,
        rules: Rules,
    ) -> Result<Self, DrainError> {
        let band = |w: &Place, z: &Place| BANDS.iter().filter(|end| w.distance(*z) > **end).count();
        let bands = warehouses
            .iter()
            .flat_map(|w| zones.iter().map(move |z| band(w, z)));
        let option = |transit_days: [u32; 5], single: [f64; 5]| ShipOption {
            transit_days: transit_days.to_vec(),
            weight_limits: vec![1.0, 2.0, 4.0],
            price: single.iter().map(|p| vec![*p, 1.5 * p, 2.0 * p]).collect(),
        };
        let options = vec![
            option([1, 2, 3, 4, 5], [4.0, 4.6, 5.4, 6.4, 7.6]),
            option([1, 2, 2, 2, 2], [9.0, 11.0, 13.0, 15.0, 17.0]),
            option([1; 5], [16.0, 20.0, 25.0, 30.0, 36.0]),
        ];
        let house = Warehouse {
            cut_off: 0.6,
            daily_picks,
        };
        let houses = vec![house; warehouses.len()];
        let network = OutboundNetwork::new(houses, options, bands.collect(), vec![1.0])?;
        Self::new(network, rules)
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &OutboundNetwork {
        &self.network
    }

    /// What a forecaster knows of the network's costs.
    ///
    /// # Errors
    /// A network whose options carry no unit.
    pub fn unit_costs(&self) -> Result<UnitCosts, DrainError> {
        UnitCosts::of_network(&self.network, 0, LARGEST)
    }

    /// The orders of a week in which the zones ask for so many units.
    ///
    /// # Errors
    /// Another number of zones.
    pub fn orders(&self, demand: &[u32], seed: u64) -> Result<Vec<Order>, DrainError> {
        length(Argument::Demand, self.network.zones(), demand.len())?;
        let mut orders = Vec::new();
        for (zone, &units) in demand.iter().enumerate() {
            // A stream of its own: one zone's orders do not depend on another's.
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(zone as u64);
            let mut left = units;
            while left > 0 {
                let order = draw_order(&mut rng, zone, left);
                left -= order.lines[0].units;
                orders.push(order);
            }
        }
        orders.sort_by(|a, b| a.day.cmp(&b.day).then(a.time.total_cmp(&b.time)));
        Ok(orders)
    }

    /// Meets a week's orders, one by one.
    ///
    /// # Errors
    /// Another number of warehouses or zones.
    pub fn ledger(&self, stock: &[u32], demand: &[u32], seed: u64) -> Result<Ledger, DrainError> {
        let orders = self.orders(demand, seed)?;
        let daily = |units: &u32| f64::from(*units) / f64::from(DAYS);
        let forecast: Vec<f64> = demand.iter().map(daily).collect();
        let rules = Rules { seed, ..self.rules };
        fulfil(&self.network, stock, &orders, &forecast, &rules)
    }

    /// Units and money by warehouse of such a week.
    ///
    /// # Errors
    /// As [`ledger`](Self::ledger).
    pub fn settle(&self, stock: &[u32], demand: &[u32], seed: u64) -> Result<Drain, DrainError> {
        let ledger = self.ledger(stock, demand, seed)?;
        #[expect(clippy::cast_precision_loss, reason = "units of a week")]
        let units = ledger.drain.iter().map(|units| *units as f64).collect();
        Ok(Drain {
            units,
            cost: ledger.shipping,
        })
    }
}

fn draw_order<R: Rng>(rng: &mut R, zone: usize, left: u32) -> Order {
    // Half of all orders are of one unit.
    let units = match rng.random_range(0..8_u32) {
        0..4 => 1,
        4..6 => 2,
        6 => 3,
        _ => LARGEST,
    };
    let promise_days = match rng.random_range(0..10_u32) {
        0 => 2,
        1..4 => 3,
        _ => 6,
    };
    Order {
        day: rng.random_range(0..DAYS),
        time: rng.random(),
        zone,
        promise_days,
        lines: vec![Line {
            product: 0,
            units: units.min(left),
        }],
    }
}
