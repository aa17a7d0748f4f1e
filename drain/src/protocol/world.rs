//! A referee, and what it is asked for.

use gpu::Stream;
use rand::RngExt;
use rand_distr::{Distribution, LogNormal, Poisson};

use crate::error::{Argument, DrainError};
use crate::fulfilment::Fulfilment;
use crate::model::{Baseline, Drain, Log, Placement, State, UnitCosts};
use crate::orders::Referee;

/// The standard deviation of the logarithm of a shock that all zones share in a week.
const COMMON: f64 = 0.2;
/// The same of each zone's own.
const OWN: f64 = 0.3;

/// A network with its referee and a law of weekly demand: the zone's mean times a lognormal shock that all zones share, times one of its own, and Poisson about that.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    referee: Referee,
    costs: UnitCosts,
    mean: Vec<f64>,
}

impl World {
    /// A world in which zones ask for so many units a week on average.
    ///
    /// # Errors
    /// Another number of zones, a mean that is not positive and finite.
    pub fn new(referee: Referee, mean: Vec<f64>) -> Result<Self, DrainError> {
        let costs = referee.unit_costs()?;
        let (argument, expected, found) = (Argument::Demand, costs.zones(), mean.len());
        if found != expected {
            return Err(DrainError::Length {
                argument,
                expected,
                found,
            });
        }
        if let Some(&value) = mean.iter().find(|m| !(m.is_finite() && **m > 0.0)) {
            return Err(DrainError::NotBetween {
                argument,
                low: 0.0,
                high: f64::INFINITY,
                value,
            });
        }
        Ok(Self {
            referee,
            costs,
            mean,
        })
    }

    /// What a forecaster knows of the network.
    #[must_use]
    pub fn costs(&self) -> &UnitCosts {
        &self.costs
    }

    /// The mean of all demand, in units a week.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean.iter().sum()
    }

    /// The cheapest plan, `[warehouse][zone]`, for so many times the mean demand, from these stocks.
    ///
    /// # Errors
    /// Another number of warehouses, a number that is negative or not finite.
    pub fn planned_flow(&self, stock: &[f64], times: f64) -> Result<Vec<f64>, DrainError> {
        let state = State {
            stock: stock.to_vec(),
            demand: self.mean.iter().map(|mean| times * mean).collect(),
        };
        Baseline::LinearProgramme.flow(&self.costs, &state)
    }

    /// Programmes of so many weeks: stock in proportion to local demand, 1.1 mean weeks of it; each unit by the cheapest option; a lost one costs twice the dearest.
    ///
    /// # Errors
    /// None that the world itself allows.
    pub fn programmes(&self, seed: u64, weeks: u32) -> Result<Vec<Fulfilment>, DrainError> {
        let stock = Placement::shares(1.1 * self.mean(), &self.local()).levels;
        let (warehouses, zones) = (self.costs.warehouses(), self.costs.zones());
        let arcs = (0..warehouses).flat_map(|w| (0..zones).map(move |z| (w, z)));
        let arcs: Vec<f64> = arcs.map(|(w, z)| self.costs.cheapest(w, z)).collect();
        let dearest = arcs.iter().copied().fold(0.0, f64::max);
        let week = |week| {
            Fulfilment::new(stock.clone(), self.demand(seed, week), arcs.clone())?
                .with_lost_penalty(vec![2.0 * dearest; zones])
        };
        (0..weeks).map(week).collect()
    }

    /// Weeks of demand by zone, each with other weeks of the same law as its forecast: members and outcomes as [`Forecasts::joint`](crate::scores::Forecasts::joint) takes them.
    #[must_use]
    pub fn demand_ensembles(&self, seed: u64, weeks: u32, members: u32) -> (Vec<f64>, Vec<f64>) {
        let outcomes = (0..weeks).flat_map(|week| self.demand(seed, week));
        let others = weeks..weeks.saturating_add(weeks.saturating_mul(members));
        let drawn = others.flat_map(|week| self.demand(seed, week));
        (drawn.collect(), outcomes.collect())
    }

    /// For each warehouse, the mean demand of the zones that are local to it, and a tenth of what it would have if all had the same.
    #[must_use]
    pub fn local(&self) -> Vec<f64> {
        let network = self.referee.network();
        #[expect(clippy::cast_precision_loss, reason = "numbers of warehouses")]
        let floor = 0.1 * self.mean() / network.warehouses() as f64;
        let mut local = vec![floor; network.warehouses()];
        for (zone, mean) in self.mean.iter().enumerate() {
            local[network.local_warehouse(zone)] += mean;
        }
        local
    }

    /// Units asked for in a week, by zone. They depend on seed and week alone.
    #[must_use]
    pub fn demand(&self, seed: u64, week: u32) -> Vec<f64> {
        let mut rng = Stream::new(seed, "weekly demand").at(0, week);
        let mut shock = |deviation: f64| {
            let law = LogNormal::new(-0.5 * deviation * deviation, deviation);
            law.map_or(1.0, |law| law.sample(&mut rng))
        };
        let common = shock(COMMON);
        let rates: Vec<f64> = self
            .mean
            .iter()
            .map(|mean| mean * common * shock(OWN))
            .collect();
        let units = |rate: f64| Poisson::new(rate).map_or(0.0, |law| law.sample(&mut rng));
        rates.into_iter().map(units).collect()
    }

    /// What the referee says leaves in a week, for whole units of stock and demand.
    ///
    /// # Errors
    /// Another number of warehouses or zones.
    pub fn settle(&self, state: &State, seed: u64) -> Result<Drain, DrainError> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "units of a week; the cast saturates"
        )]
        let whole = |list: &[f64]| list.iter().map(|v| v.round() as u32).collect::<Vec<_>>();
        self.referee
            .settle(&whole(&state.stock), &whole(&state.demand), seed)
    }

    /// The referee's weeks under a placement, rounded to whole units: states and what was seen, what is left carried forward.
    ///
    /// # Errors
    /// Another number of warehouses.
    pub fn roll_out(
        &self,
        placement: &Placement,
        weeks: u32,
        seed: u64,
    ) -> Result<Log, DrainError> {
        let mut log = Log::new(self.costs.clone());
        let mut left = vec![0.0; placement.levels.len()];
        for week in 0..weeks {
            let levels = placement.levels.iter().zip(&left);
            let state = State {
                stock: levels
                    .map(|(level, left)| level.round().max(*left))
                    .collect(),
                demand: self.demand(seed, week),
            };
            let drain = self.settle(&state, seed.wrapping_add(u64::from(week)))?;
            let after = state.stock.iter().zip(&drain.units);
            left = after.map(|(stock, units)| stock - units).collect();
            log.push(state, drain)?;
        }
        Ok(log)
    }

    /// One of three ways to place stock that logs come from, with a random hand: where demand is, evenly, or in between; 0.7 to 1.7 weeks of demand in all.
    #[must_use]
    pub fn logging_placement(&self, kind: u64, seed: u64) -> Placement {
        let mut rng = Stream::new(seed, "logging placement").at(kind, 0);
        let cover = rng.random_range(0.7..1.7);
        let (power, spread) = [(1.0, 0.2), (0.0, 0.4), (0.5, 0.6)][(kind % 3) as usize];
        let law = LogNormal::new(0.0, spread);
        let mut hand = || law.map_or(1.0, |law| law.sample(&mut rng));
        let weights: Vec<f64> = self
            .local()
            .iter()
            .map(|v| v.powf(power) * hand())
            .collect();
        Placement::shares(cover * self.mean(), &weights)
    }

    /// Placements of one budget, far apart: from where demand is to its opposite, with a random hand.
    #[must_use]
    pub fn candidates(&self, budget: f64, count: usize, seed: u64) -> Vec<Placement> {
        let one = |k: usize| {
            let mut rng = Stream::new(seed, "candidates").at(k as u64, 0);
            #[expect(clippy::cast_precision_loss, reason = "numbers of placements")]
            let power = -0.5 + 1.5 * k as f64 / count.saturating_sub(1).max(1) as f64;
            let law = LogNormal::new(0.0, 0.5);
            let mut hand = || law.map_or(1.0, |law| law.sample(&mut rng));
            let weights: Vec<f64> = self
                .local()
                .iter()
                .map(|v| v.powf(power) * hand())
                .collect();
            Placement::shares(budget, &weights)
        };
        (0..count).map(one).collect()
    }

    /// A log of so many states from [`logging_placement`](Self::logging_placement)s, five weeks each.
    ///
    /// # Errors
    /// None that the world itself allows.
    pub fn log(&self, states: usize, seed: u64) -> Result<Log, DrainError> {
        let mut log = Log::new(self.costs.clone());
        for k in 0..states.div_ceil(5) as u64 {
            let placement = self.logging_placement(k, seed.wrapping_add(k));
            log.extend(&self.roll_out(&placement, 5, seed.wrapping_add(1000 * k))?)?;
        }
        Ok(log)
    }
}
