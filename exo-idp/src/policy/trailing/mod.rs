//! What a record tells about the weeks ahead, from the weeks before alone.
//!
//! A forecast fitted on a stretch of weeks knows those weeks better than any other; a policy trained on its levels there trusts them too
//! much afterwards. [`Trailing`] has no such stretch: it goes through the record once, and the numbers of a week are made of what the
//! weeks before have left, of this week's price and cost, and of what is planned. The same numbers serve a heuristic, the training of a
//! network on past weeks and its use in weeks to come.
//!
//! All numbers are free of units: demand is divided by the product's mean so far, money by its price or cost. Counting in dozens,
//! or in another currency, changes nothing. Out-of-stock and missing weeks are unknown, not zero.
//!
//! The choice of inputs and levels is our own formulation.

mod history;
mod inputs;
mod lead;
mod lead_demand;
mod outlook;
mod response;
mod season;
mod terms;
mod trend;

use std::ops::Range;

use gpu::Device;
use statrs::distribution::{ContinuousCDF, Normal};

use crate::error::Error;
use crate::policy::Signals;
use history::History;
use lead_demand::LeadDemand;
use outlook::{Outlook, Product};
use response::Response;
use season::Season;

pub use inputs::INPUTS;
pub use outlook::LEVELS;
pub use terms::Terms;

/// Products that a thread takes at a time.
const TOGETHER: usize = 32;
/// As many times that are held at once.
const AT_ONCE: usize = 32;

/// Inputs, levels and scale of every product in a range of weeks, each made of what is known when the order of the week is placed.
///
/// ```
/// use hindsight_exo_idp::policy::trailing::{LEVELS, Terms, Trailing};
/// use hindsight_exo_idp::policy::Plan;
/// use hindsight_exo_idp::panel::Columns;
/// use hindsight_exo_idp::{Conventions, LeadTimes, Panel};
/// let columns = Columns { demand: vec![6.0; 30], price: vec![5.0; 30], cost: vec![3.0; 30], present: vec![true; 30], covariates: vec![] };
/// let panel = Panel::new(vec!["tea".into()], 30, columns)?;
/// let terms = Terms {
///     panel: &panel, lead_times: &LeadTimes::uniform(1, 2, 0.0, 1)?, conventions: Conventions::default(),
///     plan: Plan { horizon: 0, price: false }, year: 52, hierarchy: &[],
/// };
/// let trailing = Trailing::new(&terms, 10..30)?;
/// // Demand never varies: the mean over lead time and review is 2.5 weeks of it, and most levels are that.
/// let cover = LEVELS.iter().position(|&level| level == "mean demand").unwrap();
/// assert!((trailing.level(cover, 20, 0) - 15.0).abs() < 1e-9);
/// # Ok::<(), hindsight_exo_idp::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Trailing {
    weeks: Range<usize>,
    products: usize,
    /// `[week][input][product]`
    inputs: Vec<f32>,
    /// `[week][level][product]`, in units of the scale.
    levels: Vec<f32>,
    /// `[week][product]`, in units of demand.
    scale: Vec<f64>,
}

impl Trailing {
    /// The numbers of `weeks`; all weeks before are looked at, none after.
    ///
    /// Takes time in proportion to products and, but for a logarithm, to weeks, and memory for about seventy numbers a product and week of `weeks`.
    ///
    /// # Errors
    /// When the terms are not valid, or the weeks are empty or end after the panel.
    pub fn new(terms: &Terms<'_>, weeks: Range<usize>) -> Result<Self, Error> {
        Trailing::on(terms, weeks, &Device::cpu(1))
    }

    /// The same on as many threads as the device has for the host's own work: the same numbers.
    ///
    /// # Errors
    /// As [`new`](Trailing::new).
    pub fn on(terms: &Terms<'_>, weeks: Range<usize>, device: &Device) -> Result<Self, Error> {
        terms.validate()?;
        let panel = terms.panel;
        if weeks.is_empty() || weeks.end > panel.weeks() {
            let Range { start, end } = weeks;
            return Err(Error::Weeks {
                what: "the weeks are empty or outside the panel",
                start,
                end,
                weeks: panel.weeks(),
            });
        }
        let products = panel.products();
        let outlook = Outlook::new(terms);
        let season = Season::new(terms.year, terms.hierarchy);
        let mut histories = vec![History::new(); products];
        let mut sums: Vec<LeadDemand> = (0..products)
            .map(|product| outlook.lead_demand(product, weeks.end))
            .collect();
        let mut response = Response::new(products, outlook.covariates());
        let mut uplifts = vec![outlook::Uplift::default(); products];
        let mut trailing = Trailing {
            weeks: weeks.clone(),
            products,
            inputs: vec![0.0; weeks.len() * INPUTS.len() * products],
            levels: vec![0.0; weeks.len() * LEVELS.len() * products],
            scale: vec![1.0; weeks.len() * products],
        };
        for week in 0..weeks.end {
            if let Some(at) = week.checked_sub(weeks.start) {
                let seasons = season.indices(&histories, outlook.ahead());
                let common = outlook::Common::new(&histories, &seasons, terms.year);
                let of = |product: usize| {
                    let view = Product {
                        product,
                        week,
                        history: &histories[product],
                        sums: &sums[product],
                        response: &response,
                        uplift: &uplifts[product],
                        season: &seasons.own[product],
                    };
                    inputs::rows(&outlook, &view, &common)
                };
                for first in (0..products).step_by(AT_ONCE * TOGETHER) {
                    let some = AT_ONCE.min((products - first).div_ceil(TOGETHER));
                    let blocks = device.host().map(some, |block| {
                        let first = first + block * TOGETHER;
                        let block = first..products.min(first + TOGETHER);
                        block.map(of).collect::<Vec<_>>()
                    });
                    for (product, rows) in (first..).zip(blocks.iter().flatten()) {
                        trailing.put(at, product, rows);
                    }
                }
            }
            for product in 0..products {
                outlook.push(
                    product,
                    week,
                    &mut histories[product],
                    &mut sums[product],
                    &mut response,
                    &mut uplifts[product],
                );
            }
            response.refresh();
        }
        Ok(trailing)
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "inputs of a network in f32"
    )]
    fn put(&mut self, week: usize, product: usize, rows: &inputs::Rows) {
        self.scale[week * self.products + product] = rows.scale;
        for (k, &value) in rows.inputs.iter().enumerate() {
            self.inputs[(week * INPUTS.len() + k) * self.products + product] = value as f32;
        }
        for (k, &value) in rows.levels.iter().enumerate() {
            self.levels[(week * LEVELS.len() + k) * self.products + product] = value as f32;
        }
    }

    /// The number of products.
    #[must_use]
    pub fn products(&self) -> usize {
        self.products
    }

    /// The weeks that there are numbers for.
    #[must_use]
    pub fn weeks(&self) -> Range<usize> {
        self.weeks.clone()
    }

    /// One of [`INPUTS`], without unit.
    ///
    /// # Panics
    /// Like an index into an array, when there are no numbers for the week or product.
    #[must_use]
    pub fn input(&self, k: usize, week: usize, product: usize) -> f64 {
        let week = week - self.weeks.start;
        f64::from(self.inputs[(week * INPUTS.len() + k) * self.products + product])
    }

    /// One of [`LEVELS`]: an inventory position to order up to, in units.
    ///
    /// # Panics
    /// Like an index into an array, when there are no numbers for the week or product.
    #[must_use]
    pub fn level(&self, k: usize, week: usize, product: usize) -> f64 {
        let at = week - self.weeks.start;
        f64::from(self.levels[(at * LEVELS.len() + k) * self.products + product])
            * self.scale(week, product)
    }

    /// What demand is divided by, in units: the product's mean demand so far.
    ///
    /// # Panics
    /// Like an index into an array, when there are no numbers for the week or product.
    #[must_use]
    pub fn scale(&self, week: usize, product: usize) -> f64 {
        self.scale[(week - self.weeks.start) * self.products + product]
    }

    /// The seasonal level as a signal of an order-up-to policy, over all `weeks` of a panel, in units; zero in weeks that there are no numbers
    /// for.
    #[must_use]
    pub fn seasonal(&self, weeks: usize) -> Signals {
        let k = place(&LEVELS, "seasonal demand");
        self.signal(weeks, |week, product| self.level(k, week, product))
    }

    /// An exponentially safety stock, as a signal of an order-up-to policy, over all `weeks` of a panel, in units; zero
    /// in weeks that there are no numbers for.
    ///
    /// The level is $m c + z_q \sqrt{c \sigma^2 + m^2 \sigma_L^2}$: smoothed demand $m$ times the mean cover $c$, and the quantile of a normal law at
    /// the critical ratio $q$ with the recent deviation of demand $\sigma$ and that of the lead time $\sigma_L$. The textbooks' rule.
    #[must_use]
    pub fn safety_stock(&self, weeks: usize) -> Signals {
        let [smoothed, deviation, cover, lead, ratio] = [
            "smoothed",
            "deviation 13",
            "cover",
            "deviation of lead",
            "critical ratio",
        ]
        .map(|name| place(&INPUTS, name));
        self.signal(weeks, |week, product| {
            let input = |k| self.input(k, week, product);
            // The inputs are logarithms of shifted shares of the scale.
            let mean = (input(smoothed).exp() - 0.05).max(0.0);
            let deviation = (input(deviation).exp() - 0.1).max(0.0);
            let (cover, lead) = (input(cover).exp(), input(lead));
            let z = Normal::standard().inverse_cdf(input(ratio).clamp(1e-4, 1.0 - 1e-4));
            let spread = (cover * deviation * deviation + (mean * lead).powi(2)).sqrt();
            (mean * cover + z * spread).max(0.0) * self.scale(week, product)
        })
    }

    fn signal(&self, weeks: usize, level: impl Fn(usize, usize) -> f64) -> Signals {
        Signals::from_fn(weeks, 1, self.products, |week, _, product| {
            if self.weeks.contains(&week) {
                level(week, product)
            } else {
                0.0
            }
        })
    }
}

/// The place of a name in a list that has it.
fn place(names: &[&str], name: &str) -> usize {
    names.iter().position(|&other| other == name).unwrap_or(0)
}

#[cfg(test)]
mod tests;
