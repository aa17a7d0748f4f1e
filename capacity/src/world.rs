//! A synthetic facility whose law is known: what a controller with the true generator may draw from.

use hindsight_exo_idp::panel::Columns;
use hindsight_exo_idp::{LeadTimes, Panel};
use hindsight_gpu::Stream;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, Poisson, StandardNormal};

use crate::error::{Argument, Error, count};
use crate::limits::{Kind, Resource};

/// Persistence and innovation of the logarithm of demand over its season: of all products together, and of each.
const COMMON: [f64; 2] = [0.85, 0.06];
const OWN: [f64; 2] = [0.9, 0.12];
/// Chance that an order takes as long as the one before.
const PERSISTENCE: f64 = 0.5;

/// A facility with products of all sizes, prices and seasons.
///
/// Demand is Poisson about a level times a season of 52 weeks times two lognormal autoregressions, one common to all products and one of each.
/// Lead times are one to three weeks, persistent. Level, cost, margin and volume a unit are lognormal; the season is known ahead. Storage and
/// inbound labour are the resources. Our own formulation.
///
/// ```
/// use hindsight_capacity::{Record, World};
/// use hindsight_exo_idp::Paths;
/// let world = World::new(20, 60, 1)?;
/// let paths = Paths::new(world.panel(), &world.lead_times()?, 1)?;
/// let record = Record::new(&paths, world.resources()?, world.index().to_vec(), vec![2.0; 20])?;
/// assert_eq!(record.resources()[1].name(), "inbound");
/// # Ok::<(), hindsight_capacity::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct World {
    panel: Panel,
    /// `[week][product]`
    index: Vec<f64>,
    levels: Vec<f64>,
    volumes: Vec<f64>,
    /// Logarithms `[week]` and `[week][product]`.
    common: Vec<f64>,
    own: Vec<f64>,
    seed: u64,
}

impl World {
    /// A facility of some products over some weeks.
    ///
    /// # Errors
    /// No product, or fewer than two weeks.
    pub fn new(products: usize, weeks: usize, seed: u64) -> Result<Self, Error> {
        if products == 0 || weeks < 2 {
            return Err(Error::Empty(Argument::Horizon));
        }
        let traits = Stream::new(seed, "traits");
        let cells = products * weeks;
        let mut world = World {
            panel: Panel::new(
                vec!["0".into()],
                2,
                columns(1, 2, vec![0.0; 2], &[(1.0, 1.0)]),
            )?,
            index: vec![0.0; cells],
            levels: Vec::with_capacity(products),
            volumes: Vec::with_capacity(products),
            common: Vec::with_capacity(weeks),
            own: vec![0.0; cells],
            seed,
        };
        let mut money = Vec::with_capacity(products);
        for product in 0..products {
            let rng = &mut traits.at(product as u64, 0);
            world.levels.push((2.5 + 0.8 * normal(rng)).exp());
            let cost = (1.5 + 0.6 * normal(rng)).exp();
            money.push((cost * rng.random_range(1.25..2.2), cost));
            world
                .volumes
                .push((0.3 * cost.ln() + 0.5 * normal(rng)).exp());
            let (swing, phase) = (rng.random_range(0.0..0.4), 0.08 * normal(rng));
            for week in 0..weeks {
                let angle = std::f64::consts::TAU * (count(week) / 52.0 + phase);
                world.index[week * products + product] = 1.0 + swing * angle.sin();
            }
        }
        let shocks = Stream::new(seed, "shocks");
        let mut demand = vec![0.0; cells];
        let together = &mut shocks.at(u64::MAX, 0);
        let mut common = stationary(COMMON) * normal(together);
        for _ in 0..weeks {
            common = step(COMMON, common, together);
            world.common.push(common);
        }
        for product in 0..products {
            let rng = &mut shocks.at(product as u64, 0);
            let mut own = stationary(OWN) * normal(rng);
            for week in 0..weeks {
                own = step(OWN, own, rng);
                world.own[week * products + product] = own;
                demand[product * weeks + week] =
                    world.draw(product, week, world.common[week], own, rng);
            }
        }
        let names = (0..products).map(|p| format!("product {p}")).collect();
        world.panel = Panel::new(names, weeks, columns(products, weeks, demand, &money))?;
        Ok(world)
    }

    fn draw(&self, product: usize, week: usize, common: f64, own: f64, rng: &mut impl Rng) -> f64 {
        let season = self.index[week * self.levels.len() + product];
        let mean = self.levels[product] * season * (common + own).exp();
        // A mean above zero is always a law.
        Poisson::new(mean.max(1e-9)).map_or(0.0, |law| law.sample(rng))
    }

    /// Demand of some products in the `weeks` weeks from `start` on, `[week][product of the list]`, drawn by the true law given all weeks
    /// before `start`.
    #[must_use]
    pub fn scenario(
        &self,
        products: &[usize],
        start: usize,
        weeks: usize,
        number: u64,
    ) -> Vec<f64> {
        let all = self.levels.len();
        let stream = Stream::new(self.seed, "scenarios");
        let period = u32::try_from(start).unwrap_or(u32::MAX);
        let rng = &mut stream.at(number, period);
        let before = start.saturating_sub(1);
        let mut common = self.common[before];
        let mut own: Vec<f64> = products
            .iter()
            .map(|p| self.own[before * all + p])
            .collect();
        let last = self.panel.weeks() - 1;
        let mut demand = Vec::with_capacity(weeks * products.len());
        for week in start..start + weeks {
            common = step(COMMON, common, rng);
            for (own, &product) in own.iter_mut().zip(products) {
                *own = step(OWN, *own, rng);
                demand.push(self.draw(product, week.min(last), common, *own, rng));
            }
        }
        demand
    }

    /// The record of its products.
    #[must_use]
    pub fn panel(&self) -> &Panel {
        &self.panel
    }

    /// The season, `[week * products + product]`: known ahead.
    #[must_use]
    pub fn index(&self) -> &[f64] {
        &self.index
    }

    /// The law of lead times, of mean 2 weeks.
    ///
    /// # Errors
    /// Never: the law is a constant.
    pub fn lead_times(&self) -> Result<LeadTimes, Error> {
        Ok(LeadTimes::uniform(1, 3, PERSISTENCE, self.seed)?)
    }

    /// Storage and inbound labour, both by volume.
    ///
    /// # Errors
    /// Never: volumes are above zero.
    pub fn resources(&self) -> Result<Vec<Resource>, Error> {
        let of = |name, kind| Resource::new(name, kind, self.volumes.clone());
        Ok(vec![
            of("storage", Kind::Storage)?,
            of("inbound", Kind::Inbound)?,
        ])
    }
}

fn columns(products: usize, weeks: usize, demand: Vec<f64>, money: &[(f64, f64)]) -> Columns {
    let each = |f: &dyn Fn(&(f64, f64)) -> f64| -> Vec<f64> {
        money
            .iter()
            .flat_map(|m| std::iter::repeat_n(f(m), weeks))
            .collect()
    };
    Columns {
        demand,
        price: each(&|m| m.0),
        cost: each(&|m| m.1),
        present: vec![true; products * weeks],
        covariates: vec![],
    }
}

fn normal(rng: &mut impl Rng) -> f64 {
    StandardNormal.sample(rng)
}

fn step([persistence, innovation]: [f64; 2], value: f64, rng: &mut impl Rng) -> f64 {
    persistence * value + innovation * normal(rng)
}

fn stationary([persistence, innovation]: [f64; 2]) -> f64 {
    innovation / (1.0 - persistence * persistence).sqrt()
}
