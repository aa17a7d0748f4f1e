//! Cohorts on their paths, as the engine reads them.

use hindsight_gpu::{Batch, Error as EngineError, Program, Real};

use crate::error::{Argument, Error, count};
use crate::limits::Limits;
use crate::record::{HISTORY, Record};
use crate::shape::{ACCEPTED, ARRIVING, HORIZON, MOMENTS, OUTLOOK, Shape, TERMINAL, WEIGHT};

/// A cohort at a place of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Cohort {
    /// The products, by number.
    pub products: Vec<usize>,
    /// The first week of the roll-out in the record, at least [`HISTORY`].
    pub start: usize,
}

/// The weeks of a roll-out.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Course {
    /// Weeks in all.
    pub weeks: usize,
    /// Weeks at the beginning that are played and not scored. At least one.
    pub warm_up: usize,
    /// The discount a week.
    pub discount: f64,
}

impl Default for Course {
    /// 52 weeks, 8 of them to warm up, discount 0.995.
    fn default() -> Self {
        Course {
            weeks: 52,
            warm_up: 8,
            discount: 0.995,
        }
    }
}

/// Cohorts on their paths of demand, arrivals and limits: every cohort is a group of lanes.
///
/// A roll-out opens with a week's demand on hand for every week of the mean lead time and two more, and a week's demand in every
/// outstanding order. Stock and outstanding orders are bought at cost at the end of the warm-up. What is left at the end counts as the least cost since then,
/// and what a gate refuses is refunded at the least cost of the weeks in which it may have been ordered: nobody earns by speculation on costs.
#[derive(Debug, Clone)]
pub struct Cases<F> {
    pub(crate) shape: Shape,
    pub(crate) course: Course,
    pub(crate) cohorts: Vec<Cohort>,
    pub(crate) limits: Vec<Limits>,
    /// `[row][lane]`
    pub(crate) lane: Vec<F>,
    /// `[week][row][lane]`
    pub(crate) exo: Vec<F>,
    /// `[week][row][group]`
    pub(crate) shared: Vec<F>,
    pub(crate) groups: Vec<usize>,
}

impl<F: Real> Cases<F> {
    /// The cohorts over their weeks, without limits.
    ///
    /// # Errors
    /// No cohort or product, products or weeks that the record does not have, a discount outside (0, 1].
    pub fn new(record: &Record<'_>, cohorts: &[Cohort], course: Course) -> Result<Self, Error> {
        check(record, cohorts, course)?;
        let shape = record.shape();
        let groups: Vec<usize> = cohorts.iter().map(|c| c.products.len()).collect();
        let lanes: usize = groups.iter().sum();
        let places: Vec<(usize, usize)> = cohorts
            .iter()
            .flat_map(|c| c.products.iter().map(|&p| (p, c.start)))
            .collect();
        let f = F::from_f64;
        let mut lane = Vec::with_capacity(shape.lane() * lanes);
        let level = |&(p, start): &(usize, usize)| record.level(p, start)[1];
        lane.extend(
            places
                .iter()
                .map(|at| f(level(at) * (record.lead(at.0) + 2.0))),
        );
        for _ in 0..shape.lead {
            lane.extend(places.iter().map(|at| f(level(at))));
        }
        lane.extend(places.iter().map(|at| f(record.lead(at.0))));
        for resource in record.resources() {
            lane.extend(places.iter().map(|at| f(resource.volumes()[at.0])));
        }
        let mut cases = Cases {
            lane,
            exo: rows(record, &places, &shape, course),
            shared: vec![f(0.0); course.weeks * shape.shared() * cohorts.len()],
            course,
            cohorts: cohorts.to_vec(),
            limits: Vec::new(),
            groups,
            shape,
        };
        cases.weigh(record);
        Ok(cases)
    }

    fn weigh(&mut self, record: &Record<'_>) {
        let Course {
            weeks,
            warm_up,
            discount,
        } = self.course;
        let mut weight = 1.0;
        // What the warm-up leaves is bought at cost: else its orders would be free.
        for group in 0..self.groups() {
            *self.shared_at(warm_up - 1, TERMINAL, group) = F::from_f64(-1.0);
        }
        for week in warm_up..weeks {
            for group in 0..self.groups() {
                *self.shared_at(week, WEIGHT, group) = F::from_f64(weight);
                if week + 1 == weeks {
                    *self.shared_at(week, TERMINAL, group) = F::from_f64(weight * discount);
                }
            }
            weight *= discount;
        }
        let at = self.shape.traits_at();
        for group in 0..self.groups() {
            let traits = composition(record, &self.cohorts[group]);
            for week in 0..weeks {
                for (k, &value) in traits.iter().enumerate() {
                    *self.shared_at(week, at + k, group) = F::from_f64(value);
                }
            }
        }
    }

    /// The same under limits, one path a cohort, over the weeks of the roll-out.
    ///
    /// # Errors
    /// Another number of paths than cohorts, of resources than the record's, or limits that end before the roll-out.
    pub fn with_limits(mut self, limits: &[Limits]) -> Result<Self, Error> {
        let wrong = |expected, found| Error::Length {
            argument: Argument::Limit,
            expected,
            found,
        };
        if limits.len() != self.groups() {
            return Err(wrong(self.groups(), limits.len()));
        }
        for (group, limits) in limits.iter().enumerate() {
            if limits.resources() != self.shape.resources() {
                return Err(wrong(self.shape.resources(), limits.resources()));
            }
            if limits.weeks() < self.course.weeks {
                return Err(Error::TooShort {
                    needed: self.course.weeks,
                    found: limits.weeks(),
                });
            }
            for week in 0..self.course.weeks {
                for k in 0..self.shape.published() {
                    let (resource, ahead) = (k / (HORIZON + 1), k % (HORIZON + 1));
                    let outlook = limits.outlook(resource, week, ahead);
                    *self.shared_at(week, OUTLOOK + k, group) = F::from_f64(outlook);
                }
            }
        }
        self.limits = limits.to_vec();
        Ok(self)
    }

    /// Posts prices `[resource][week ahead]` in a week to a cohort.
    pub(crate) fn post(&mut self, week: usize, group: usize, prices: &[f64]) {
        let at = self.shape.prices_at();
        for (k, &price) in prices.iter().enumerate() {
            *self.shared_at(week, at + k, group) = F::from_f64(price);
        }
    }

    /// The number of cohorts.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// The number of lanes: products of all cohorts.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.groups.iter().sum()
    }

    /// The weeks.
    #[must_use]
    pub fn course(&self) -> Course {
        self.course
    }

    /// The cohorts.
    #[must_use]
    pub fn cohorts(&self) -> &[Cohort] {
        &self.cohorts
    }

    /// The limits, one path a cohort; empty before they are given.
    #[must_use]
    pub fn limits(&self) -> &[Limits] {
        &self.limits
    }

    pub(crate) fn shared_at(&mut self, week: usize, row: usize, group: usize) -> &mut F {
        let groups = self.groups.len();
        &mut self.shared[(week * self.shape.shared() + row) * groups + group]
    }

    /// The numbers that the engine reads, for a roll-out repeated elsewhere: of lanes `[row][lane]` (on hand, orders, mean lead time, volumes), of lanes
    /// and weeks `[week][row][lane]` (demand, price, cost, share accepted, levels, indices, arrivals, worth), of cohorts and weeks `[week][row][cohort]`
    /// (weights, outlook of the limits, traits, posted prices).
    #[must_use]
    pub fn rows(&self) -> [&[F]; 3] {
        [&self.lane, &self.exo, &self.shared]
    }

    /// One row of one week, by lane.
    pub(crate) fn row(&self, week: usize, row: usize) -> &[F] {
        &self.exo[(week * self.shape.exo() + row) * self.lanes()..][..self.lanes()]
    }

    /// The rows of a week that the lanes of a group share.
    pub(crate) fn shared_of(&self, week: usize, group: usize) -> Vec<f64> {
        let (rows, groups) = (self.shape.shared(), self.groups.len());
        let at = |row: usize| (week * rows + row) * groups + group;
        (0..rows).map(|row| self.shared[at(row)].to_f64()).collect()
    }

    /// The whole as a batch.
    pub(crate) fn batch<'a>(&'a self, program: &Program) -> Result<Batch<'a, F>, EngineError> {
        self.weeks_of(program, 0, self.course.weeks, &self.lane)
    }

    /// Some weeks as a batch, from a state of its own.
    pub(crate) fn weeks_of<'a>(
        &'a self,
        program: &Program,
        first: usize,
        weeks: usize,
        lane: &'a [F],
    ) -> Result<Batch<'a, F>, EngineError> {
        let (exo, shared) = (
            self.shape.exo() * self.lanes(),
            self.shape.shared() * self.groups(),
        );
        Batch::new(program, self.lanes(), weeks)
            .lane(lane)?
            .exo(&self.exo[first * exo..(first + weeks) * exo])?
            .groups(&self.groups)?
            .shared_by_group(&self.shared[first * shared..(first + weeks) * shared])
    }
}

fn check(record: &Record<'_>, cohorts: &[Cohort], course: Course) -> Result<(), Error> {
    let panel = record.panel();
    if cohorts.is_empty() || cohorts.iter().any(|c| c.products.is_empty()) {
        return Err(Error::Empty(Argument::Volume));
    }
    if course.warm_up == 0 || course.warm_up >= course.weeks {
        return Err(Error::Setting {
            argument: Argument::Horizon,
            value: count(course.warm_up),
        });
    }
    if !(course.discount > 0.0 && course.discount <= 1.0) {
        return Err(Error::Setting {
            argument: Argument::Horizon,
            value: course.discount,
        });
    }
    for cohort in cohorts {
        let (start, end) = (cohort.start, cohort.start + course.weeks);
        if start < HISTORY || end > panel.weeks() {
            return Err(Error::Weeks {
                start,
                end,
                weeks: panel.weeks(),
            });
        }
        if let Some(&product) = cohort.products.iter().find(|&&p| p >= panel.products()) {
            return Err(Error::Product {
                product,
                products: panel.products(),
            });
        }
    }
    Ok(())
}

/// The rows of every week and lane.
fn rows<F: Real>(
    record: &Record<'_>,
    places: &[(usize, usize)],
    shape: &Shape,
    course: Course,
) -> Vec<F> {
    let (panel, paths, lanes) = (record.panel(), record.paths(), places.len());
    let weeks = course.weeks;
    let mut all = vec![F::from_f64(0.0); weeks * shape.exo() * lanes];
    for (week, rows) in all.chunks_exact_mut(shape.exo() * lanes).enumerate() {
        for (lane, &(p, start)) in places.iter().enumerate() {
            let t = start + week;
            let mut set = |row: usize, value: f64| rows[row * lanes + lane] = F::from_f64(value);
            let [fast, slow, deviation] = record.level(p, t);
            let [soon, later] = record.ahead(p, t);
            let own = [panel.demand(p, t), panel.price(p, t), panel.cost(p, t), 1.0];
            let own = own.into_iter().chain([fast, slow, deviation, soon, later]);
            own.enumerate().for_each(|(row, value)| set(row, value));
            for k in 0..=shape.lead {
                set(ARRIVING + k, paths.arriving(t, k)[p]);
            }
            for k in 0..shape.lead {
                set(shape.outstanding() + k, paths.outstanding(t, k)[p]);
            }
            let costs = weeks_of_worth(course, shape.lead, week);
            let costs = costs.map(|week| panel.cost(p, start + week));
            set(shape.worth(), costs.fold(f64::INFINITY, f64::min));
        }
    }
    debug_assert_eq!(ACCEPTED, 3);
    all
}

/// The weeks of the roll-out whose least cost a unit counts as that is left over or goes back in a week: those in which it may have been paid for, so that
/// nobody earns by ordering what is cheap and handing it back, or leaving it, when it is dear.
fn weeks_of_worth(course: Course, lead: usize, week: usize) -> std::ops::RangeInclusive<usize> {
    let bought = course.warm_up - 1;
    match week {
        _ if week == bought => week..=week,
        _ if week + 1 == course.weeks => bought..=week,
        _ => week.saturating_sub(lead)..=week,
    }
}

/// Moments and quantiles over a cohort of the logarithms of volume a unit of cost, margin and demand rate, relative to the cohort's own, and of
/// the mean lead time.
pub(crate) fn composition(record: &Record<'_>, cohort: &Cohort) -> Vec<f64> {
    let panel = record.panel();
    let products = &cohort.products;
    let of = |f: &dyn Fn(usize) -> f64| products.iter().map(|&p| f(p)).collect::<Vec<f64>>();
    let rate = of(&|p| record.level(p, cohort.start)[1].max(1e-6));
    let cost = of(&|p| panel.cost(p, cohort.start));
    let mut traits = Vec::new();
    for resource in record.resources() {
        let volume = of(&|p| resource.volumes()[p]);
        let total = |xs: &[f64]| xs.iter().zip(&rate).map(|(x, r)| x * r).sum::<f64>();
        let unit = total(&cost) / total(&volume);
        let ratios = volume.iter().zip(&cost).map(|(w, c)| (w * unit / c).ln());
        traits.extend(moments(ratios.collect()));
    }
    traits.extend(moments(of(&|p| {
        (panel.price(p, cohort.start) / panel.cost(p, cohort.start)).ln()
    })));
    let mean = rate.iter().sum::<f64>() / count(rate.len());
    traits.extend(moments(rate.iter().map(|r| (r / mean).ln()).collect()));
    traits.extend(moments(of(&|p| 0.25 * record.lead(p))));
    traits
}

fn moments(mut values: Vec<f64>) -> [f64; MOMENTS] {
    values.sort_by(f64::total_cmp);
    let n = count(values.len());
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    let quantile = |tenth: usize| values[(values.len() - 1) * tenth / 10];
    [mean, variance.sqrt(), quantile(1), quantile(5), quantile(9)]
}
