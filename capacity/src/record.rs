//! What is known of products before any price is set: demand, prices, costs, arrivals, and volumes.

use hindsight_exo_idp::{Panel, Paths};

use crate::error::{Argument, Error, amount, count};
use crate::limits::Resource;
use crate::shape::Shape;

/// Weeks of a record before any roll-out: levels of demand begin there.
pub const HISTORY: usize = 8;

/// Rates at which fast level, slow level and deviation follow demand.
const RATES: [f64; 3] = [0.3, 0.06, 0.1];

/// A panel with its arrivals, the resources that its products use, and what is known ahead of demand.
///
/// Levels of demand are exponential means of demand over its index, of the weeks before: a week's own demand is not in them.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    paths: &'a Paths<'a>,
    resources: Vec<Resource>,
    /// `[week][product]`
    index: Vec<f64>,
    /// Mean lead time by product, in weeks.
    lead: Vec<f64>,
    /// `[week][product]`: fast, slow, deviation.
    levels: Vec<[f64; 3]>,
}

impl<'a> Record<'a> {
    /// A record; `index[week * products + product]` is what demand is known to be relative to its level (season, planned promotions),
    /// and `lead[product]` the mean lead time in weeks.
    ///
    /// # Errors
    /// No resource, one named twice, volumes or indices that are not one a product (and week), an index that is not above zero, a panel of
    /// no more weeks than [`HISTORY`], arrivals that are not in full or of more than one sample.
    pub fn new(
        paths: &'a Paths<'a>,
        resources: Vec<Resource>,
        index: Vec<f64>,
        lead: Vec<f64>,
    ) -> Result<Self, Error> {
        let panel = paths.panel();
        let (products, weeks) = (panel.products(), panel.weeks());
        if resources.is_empty() {
            return Err(Error::Empty(Argument::Volume));
        }
        for (k, resource) in resources.iter().enumerate() {
            if resources[..k].iter().any(|r| r.name() == resource.name()) {
                return Err(Error::Twice(resource.name().to_owned()));
            }
        }
        let volumes = resources
            .iter()
            .map(|r| (Argument::Volume, products, r.volumes().len()));
        let others = [
            (Argument::Index, products * weeks, index.len()),
            (Argument::Horizon, products, lead.len()),
            (Argument::Horizon, 1, paths.samples()),
        ];
        for (argument, expected, found) in volumes.chain(others) {
            if expected != found {
                return Err(Error::Length {
                    argument,
                    expected,
                    found,
                });
            }
        }
        if paths.has_yields() {
            return Err(Error::PartialDeliveries);
        }
        if weeks <= HISTORY || paths.weeks() != (0..weeks) {
            return Err(Error::TooShort {
                needed: HISTORY + 1,
                found: paths.weeks().len(),
            });
        }
        for (k, &value) in index.iter().enumerate() {
            if value <= 0.0 || !value.is_finite() {
                return Err(Error::Value {
                    argument: Argument::Index,
                    of: panel.names()[k % products].clone(),
                    index: k / products,
                    value,
                });
            }
        }
        for (product, &weeks) in lead.iter().enumerate() {
            amount(Argument::Horizon, &panel.names()[product], product, weeks)?;
        }
        let demand = |product: usize, week: usize| {
            let there = panel.present(product, week);
            there.then(|| panel.demand(product, week) / index[week * products + product])
        };
        let mut levels = vec![[0.0; 3]; products * weeks];
        for product in 0..products {
            let known: Vec<f64> = (0..HISTORY).filter_map(|t| demand(product, t)).collect();
            let mean = known.iter().sum::<f64>() / count(known.len().max(1));
            let spread = known.iter().map(|d| (d - mean).abs()).sum::<f64>();
            let mut level = [mean, mean, spread / count(known.len().max(1))];
            for week in 0..weeks {
                levels[week * products + product] = level;
                if week >= HISTORY
                    && let Some(d) = demand(product, week)
                {
                    level = follow(level, d);
                }
            }
        }
        Ok(Record {
            paths,
            resources,
            index,
            lead,
            levels,
        })
    }

    /// The panel.
    #[must_use]
    pub fn panel(&self) -> &'a Panel {
        self.paths.panel()
    }

    /// The arrivals.
    #[must_use]
    pub fn paths(&self) -> &'a Paths<'a> {
        self.paths
    }

    /// The resources.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The mean lead time of a product, in weeks.
    #[must_use]
    pub fn lead(&self, product: usize) -> f64 {
        self.lead[product]
    }

    /// What demand is known to be in a week, relative to its level; the last week's where the record has ended.
    #[must_use]
    pub fn index(&self, product: usize, week: usize) -> f64 {
        let products = self.panel().products();
        self.index[week.min(self.panel().weeks() - 1) * products + product]
    }

    /// Fast level, slow level and deviation before a week's demand.
    pub(crate) fn level(&self, product: usize, week: usize) -> [f64; 3] {
        self.levels[week * self.panel().products() + product]
    }

    /// The index over the lead time and the week of the order, and over the four weeks after, as a sum.
    pub(crate) fn ahead(&self, product: usize, week: usize) -> [f64; 2] {
        let sum = |weeks: std::ops::Range<usize>| weeks.map(|t| self.index(product, t)).sum();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a checked number of weeks"
        )]
        let end = week + 1 + self.lead[product].round() as usize;
        [sum(week..end), sum(end..end + 4)]
    }

    /// The shape of roll-outs.
    #[must_use]
    pub fn shape(&self) -> Shape {
        let kinds: Vec<_> = self.resources.iter().map(Resource::kind).collect();
        Shape::new(&kinds, self.paths.max_lead_time())
    }
}

/// The levels after a week's demand, which comes over its index.
pub(crate) fn follow([fast, slow, deviation]: [f64; 3], demand: f64) -> [f64; 3] {
    let [quick, calm, spread] = RATES;
    [
        fast + quick * (demand - fast),
        slow + calm * (demand - slow),
        deviation + spread * ((demand - slow).abs() - deviation),
    ]
}
