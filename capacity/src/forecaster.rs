//! Where scenarios of demand come from.

use hindsight_gpu::Stream;
use rand::RngExt;

use crate::cases::Cohort;
use crate::error::Error;
use crate::record::{HISTORY, Record};
use crate::shape::HORIZON;
use crate::world::World;

/// Where scenarios of demand come from.
#[derive(Debug, Clone)]
pub enum Forecaster<'a> {
    /// Fitted on the weeks before the given one: for every week ahead a mixture of the fast and the slow level, times the index then, times what demand
    /// came to over that forecast after a random earlier week; the same week for all products, so that they move together.
    Fitted(usize),
    /// The law that made the record.
    True(&'a World),
}

/// A forecaster, fitted where it has to be.
#[derive(Debug)]
pub(crate) enum Law<'a> {
    Fitted(Fitted),
    True(&'a World),
}

/// By week ahead, of demand over its index.
#[derive(Debug)]
pub(crate) struct Fitted {
    before: usize,
    /// The share of the fast level in the forecast, by least squares: levels fall back to their mean the farther ahead.
    fast: Vec<f64>,
    /// What ratios of demand and forecast are on average, weighted with the forecast: more than one, for forecasts err too.
    bias: Vec<f64>,
}

/// A ratio of demand and forecast counts as no more than this.
const LARGEST: f64 = 10.0;
/// A level counts as no less than this.
const LEAST: f64 = 1e-3;

impl<'a> Forecaster<'a> {
    pub(crate) fn fitted(&self, record: &Record<'_>) -> Result<Law<'a>, Error> {
        match *self {
            Forecaster::True(world) => Ok(Law::True(world)),
            Forecaster::Fitted(before) => {
                let needed = HISTORY + HORIZON + 2;
                if before < needed {
                    let found = before;
                    return Err(Error::TooShort { needed, found });
                }
                Ok(Law::Fitted(Fitted::new(
                    record,
                    before.min(record.panel().weeks()),
                )))
            }
        }
    }
}

impl Fitted {
    fn new(record: &Record<'_>, before: usize) -> Self {
        let products = 0..record.panel().products();
        let (mut fast, mut bias) = (Vec::new(), Vec::new());
        for ahead in 0..=HORIZON {
            let places = products
                .clone()
                .flat_map(|p| (HISTORY..before - HORIZON).map(move |t| (p, t)));
            let (mut with, mut own) = (0.0, 0.0);
            for (product, from) in places.clone() {
                let [fast, slow, _] = record.level(product, from);
                let scale = slow.max(LEAST);
                let apart = (fast - slow) / scale;
                with += (demand(record, product, from + ahead) - slow) / scale * apart;
                own += apart * apart;
            }
            let share = if own > 0.0 {
                (with / own).clamp(0.0, 1.0)
            } else {
                1.0
            };
            let (mut weighted, mut weight) = (0.0, 0.0);
            for (product, from) in places {
                let level = mixed(record, product, from, share);
                let ratio = demand(record, product, from + ahead) / level;
                weighted += level * ratio.min(LARGEST);
                weight += level;
            }
            fast.push(share);
            bias.push(if weighted > 0.0 {
                weighted / weight
            } else {
                1.0
            });
        }
        Fitted { before, fast, bias }
    }
}

/// Demand over its index.
fn demand(record: &Record<'_>, product: usize, week: usize) -> f64 {
    record.panel().demand(product, week) / record.index(product, week)
}

fn mixed(record: &Record<'_>, product: usize, week: usize, share: f64) -> f64 {
    let [fast, slow, _] = record.level(product, week);
    (share * fast + (1.0 - share) * slow).max(LEAST)
}

impl Law<'_> {
    /// Demand of a cohort in the weeks of a plan, `[week][product]`.
    pub(crate) fn draw(
        &self,
        record: &Record<'_>,
        seed: u64,
        cohort: &Cohort,
        start: usize,
        number: u64,
    ) -> Vec<f64> {
        let weeks = HORIZON + 1;
        let fitted = match self {
            Law::True(world) => {
                return world.scenario(&cohort.products, start, weeks, number);
            }
            Law::Fitted(fitted) => fitted,
        };
        let period = u32::try_from(start).unwrap_or(u32::MAX);
        let rng = &mut Stream::new(seed, "fitted scenarios").at(number, period);
        let last = fitted.before.min(start).max(HISTORY + weeks + 1) - weeks;
        let from = rng.random_range(HISTORY..last);
        let mut all = Vec::with_capacity(weeks * cohort.products.len());
        for (ahead, (&share, &bias)) in fitted.fast.iter().zip(&fitted.bias).enumerate() {
            for &product in &cohort.products {
                let then = demand(record, product, from + ahead);
                let ratio = (then / mixed(record, product, from, share)).min(LARGEST) / bias;
                let now = mixed(record, product, start, share);
                all.push(now * ratio * record.index(product, start + ahead));
            }
        }
        all
    }
}
