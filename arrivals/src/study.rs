//! What models learn from, what they are judged by, and what they say.

use std::ops::RangeInclusive;

use crate::baselines::{DirichletMultinomial, Empirical, LeadTimeOnly, QuantileForecaster};
use crate::book::Book;
use crate::curve::Curve;
use crate::error::ArrivalsError;
use crate::grid::Grid;
use crate::log::{Log, Order};
use crate::sampler::{ArrivalModel, Path};
use crate::world::VendorWorld;

/// Orders to learn from and orders to judge by.
///
/// ```
/// use hindsight_arrivals::Study;
/// use hindsight_arrivals::world::VendorWorld;
/// let world = VendorWorld::new(2, 7)?;
/// let study = Study::of_world(&world, 400, 104, 1)?;
/// let models = study.baselines()?;
/// // What was received, then what each model draws.
/// let curves = study.curves(&[&*models[0], &world], 50, 1)?;
/// assert_eq!(curves[2].name, "truth");
/// assert!((curves[0].curve.mean[6] - curves[2].curve.mean[6]).abs() < 0.2);
/// # Ok::<(), hindsight_arrivals::ArrivalsError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// The cells of time and share.
    pub grid: Grid,
    /// What models learn from.
    pub learned: Log,
    /// What they are judged by: orders whose time is over.
    pub judged: Log,
    /// All orders.
    pub whole: Log,
    /// The numbers of all orders, as the book has them.
    pub numbers: Vec<String>,
    /// The vendors' names.
    pub vendors: Vec<String>,
}

/// A curve and whose it is.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NamedCurve {
    /// A model, or what was received.
    pub name: String,
    /// The curve.
    pub curve: Curve,
}

/// How an order may arrive by a model, as of when it was placed, and what has come of it since.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Forecast {
    /// The order's number.
    pub order: String,
    /// The vendor's name.
    pub vendor: String,
    /// Units ordered.
    pub units: f64,
    /// What has been seen of it.
    pub seen: Path,
    /// The last period of which that is known; none where nothing more comes.
    pub seen_until: Option<i64>,
    /// The share that arrives by each period, by the model.
    pub curve: Curve,
    /// The probability that nothing comes.
    pub nothing: f64,
    /// The paths drawn.
    pub paths: Vec<Path>,
}

impl Forecast {
    /// The share that has been seen to arrive, by each of some periods of which that is known.
    #[must_use]
    pub fn received(&self, periods: RangeInclusive<i64>) -> Vec<(f64, f64)> {
        let seen = Curve::of(std::slice::from_ref(&self.seen), periods.clone());
        let known = seen.points(&seen.mean).into_iter().zip(periods);
        let known =
            known.filter(|(_, period)| self.seen_until.is_none_or(|until| *period <= until));
        known.map(|(point, _)| point).collect()
    }
}

/// Paths of each order that make the curve of a model.
const PATHS: u32 = 20;

impl Study {
    /// The study of a book whose orders are over after `longest` periods: models learn from the earliest share of its lines, as the book then stood, and
    /// are judged by later ones; without a share, they learn from all and are judged by those whose time is over.
    ///
    /// # Errors
    /// What [`Book::log`] and [`Book::before`] refuse, times too far apart for a grid.
    pub fn of_book(book: &Book, longest: i64, learned: Option<f64>) -> Result<Self, ArrivalsError> {
        let whole = book.log(longest)?;
        let (learned, from) = match learned {
            Some(share) => {
                let from = book.period_at(share);
                (book.before(from, longest)?.log(longest)?, from)
            }
            None => (whole.clone(), i64::MIN),
        };
        Ok(Study {
            grid: Grid::widening(book.earliest(), longest)?,
            learned,
            judged: book.complete(from, longest)?,
            whole,
            numbers: book.lines().iter().map(|line| line.order.clone()).collect(),
            vendors: book.vendors().to_vec(),
        })
    }

    /// The study of a world: so many orders over some periods to learn from, and a fifth as many others to judge by.
    ///
    /// # Errors
    /// What [`VendorWorld::log`] refuses.
    pub fn of_world(
        world: &VendorWorld,
        orders: usize,
        periods: usize,
        seed: u64,
    ) -> Result<Self, ArrivalsError> {
        let others = world.log(orders.div_ceil(5), periods, seed.wrapping_add(1))?;
        Ok(Study {
            grid: Grid::weekly(world.longest())?,
            learned: world.log(orders, periods, seed)?,
            judged: others.filter(|_, order| order.seen_until.is_none()),
            numbers: (1..=others.orders().len()).map(|n| n.to_string()).collect(),
            vendors: (1..=world.vendors.len())
                .map(|n| format!("vendor {n}"))
                .collect(),
            whole: others,
        })
    }

    /// The models that need no training.
    ///
    /// # Errors
    /// A log without a closed order.
    pub fn baselines(&self) -> Result<Vec<Box<dyn ArrivalModel>>, ArrivalsError> {
        let (log, grid) = (&self.learned, &self.grid);
        Ok(vec![
            Box::new(Empirical::fit(log, grid)?),
            Box::new(QuantileForecaster::fit(log, grid)?),
            Box::new(DirichletMultinomial::fit(log, grid)?),
            Box::new(LeadTimeOnly::fit(log, grid)?),
        ])
    }

    /// The periods in which anything arrives.
    #[must_use]
    pub fn periods(&self) -> RangeInclusive<i64> {
        self.grid.first()..=self.grid.last()
    }

    /// At most so many of the orders to judge by, spread over all.
    #[must_use]
    pub fn spread(&self, most: usize) -> Vec<Order> {
        let orders = self.judged.orders();
        let each = orders.len().div_ceil(most.max(1)).max(1);
        orders.iter().step_by(each).cloned().collect()
    }

    /// The curve of what was received of at most so many of the orders to judge by, then those of what models draw of them; none where there is no order.
    ///
    /// # Errors
    /// What a model refuses.
    pub fn curves(
        &self,
        models: &[&dyn ArrivalModel],
        most: usize,
        seed: u64,
    ) -> Result<Vec<NamedCurve>, ArrivalsError> {
        let orders = self.spread(most);
        if orders.is_empty() {
            return Ok(Vec::new());
        }
        let requests: Vec<_> = orders.iter().map(|order| order.request.clone()).collect();
        let named = |name: &str, paths: &[Path]| NamedCurve {
            name: name.to_owned(),
            curve: Curve::of(paths, self.periods()),
        };
        let received: Vec<Path> = orders.iter().map(Path::of).collect();
        let mut curves = vec![named("what was received", &received)];
        for model in models {
            let drawn = model.samples(&requests, PATHS, seed)?;
            curves.push(named(model.name(), &drawn.concat()));
        }
        Ok(curves)
    }

    /// How the last `most` orders may arrive by a model, as of when they were placed: what has come of them since is not used.
    ///
    /// # Errors
    /// What the model refuses, no sample.
    pub fn forecasts(
        &self,
        model: &dyn ArrivalModel,
        most: usize,
        samples: u32,
        seed: u64,
    ) -> Result<Vec<Forecast>, ArrivalsError> {
        let from = self.numbers.len().saturating_sub(most);
        let orders = &self.whole.orders()[from..];
        let requests: Vec<_> = orders.iter().map(|order| order.request.clone()).collect();
        let drawn = model.samples(&requests, samples, seed)?;
        let rows = orders.iter().zip(&self.numbers[from..]).zip(drawn);
        let forecast = |((order, number), paths): ((&Order, &String), Vec<Path>)| Forecast {
            order: number.clone(),
            vendor: self.vendors[order.request.vendor].clone(),
            units: order.request.units,
            seen: Path::of(order),
            seen_until: order.seen_until,
            curve: Curve::of(&paths, self.periods()),
            nothing: Path::nothing(&paths),
            paths,
        };
        Ok(rows.map(forecast).collect())
    }
}
