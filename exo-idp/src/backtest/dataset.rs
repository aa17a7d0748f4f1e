//! What is back-tested: a panel with the names that its record has for weeks and groups.

use std::collections::HashMap;
use std::ops::Range;

use gpu::Stream;

use super::notices::Notice;
use super::origins::Split;
use crate::error::Error;
use crate::opening::Opening;
use crate::panel::Panel;
use crate::train::windows::sample;

/// A panel, the names of its weeks, and traits of its products.
///
/// ```
/// use hindsight_exo_idp::backtest::{Dataset, Grouping};
/// use hindsight_exo_idp::world::{DemandColumn, World, WorldConfig};
///
/// let world = World::new(&WorldConfig { products: 3, weeks: 30, ..WorldConfig::default() })?;
/// let mut data = Dataset::new(world.panel(DemandColumn::Truth)?);
/// let values = data.panel.names().iter().map(|name| name.chars().take(1).collect()).collect();
/// data.groups.push(Grouping { name: "initial".into(), values });
/// assert_eq!(data.until(9)?.panel.weeks(), 10);
/// # Ok::<(), hindsight_exo_idp::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The recorded weeks of all products.
    pub panel: Panel,
    /// The names of the weeks, one for each week of the panel.
    pub weeks: Vec<String>,
    /// Traits of the products by which results are grouped, and over which seasons are pooled.
    pub groups: Vec<Grouping>,
    /// Weeks (or what the record counts in) of a year: seasons come back after so many.
    pub year: usize,
    /// The stock that replays open with; `None` for a week's mean demand on hand and in every outstanding order.
    pub opening: Option<Opening>,
    /// What was really ordered, in units, product by product, weeks contiguous: replayed as one more policy.
    pub orders: Option<Vec<f64>>,
}

/// A trait of products by which results are grouped: brand, store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// The trait's name.
    pub name: String,
    /// Its value for every product of the panel.
    pub values: Vec<String>,
}

/// What was known at the end of an origin's held-out weeks.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) data: Dataset,
    pub(super) notices: Vec<Notice>,
}

impl Dataset {
    /// A panel whose weeks are numbered from 0, without groups.
    #[must_use]
    pub fn new(panel: Panel) -> Self {
        Dataset {
            weeks: (0..panel.weeks()).map(|week| week.to_string()).collect(),
            panel,
            groups: Vec::new(),
            year: 52,
            opening: None,
            orders: None,
        }
    }

    /// The record as it stood after week number `last`; products that came later are left out.
    ///
    /// # Errors
    /// When there is no such week, or no product was recorded by then.
    pub fn until(&self, last: usize) -> Result<Self, Error> {
        let weeks = self.panel.weeks();
        if last >= weeks {
            return Err(Error::Weeks {
                what: "the record ends earlier",
                start: 0,
                end: last + 1,
                weeks,
            });
        }
        let recorded = |product: &usize| (0..=last).any(|w| self.panel.present(*product, w));
        let kept: Vec<usize> = (0..self.panel.products()).filter(recorded).collect();
        self.restrict(&kept, 0..last + 1)
    }

    /// What was known at the end of a split's held-out weeks, from its first training week on. Products without a recorded training week, or without one to be
    /// scored on, are left out.
    ///
    /// # Errors
    /// When no product is left.
    pub(super) fn at(&self, split: &Split) -> Result<Known, Error> {
        let recorded = |product: usize, weeks: &Range<usize>| {
            weeks.clone().any(|week| self.panel.present(product, week))
        };
        let (kept, left_out): (Vec<usize>, Vec<usize>) = (0..self.panel.products())
            .partition(|&p| recorded(p, &split.training) && recorded(p, &split.held_out));
        if kept.is_empty() {
            return Err(Error::NoProduct {
                held_out: split.held_out.clone(),
            });
        }
        let products = left_out.iter().map(|&p| self.panel.names()[p].clone());
        let notices = match left_out.len() {
            0 => Vec::new(),
            _ => vec![Notice::LeftOut {
                products: products.collect(),
            }],
        };
        Ok(Known {
            data: self.restrict(&kept, split.training.start..split.held_out.end)?,
            notices,
        })
    }

    /// At most `most` of the products, drawn by `seed`: all where they are no more.
    pub(super) fn sample(&self, most: usize, seed: u64) -> Result<Self, Error> {
        let mut rng = Stream::new(seed, "products to choose by").at(0, 0);
        let drawn = sample(&mut rng, self.panel.products(), most);
        self.restrict(&drawn, 0..self.panel.weeks())
    }

    /// Some of the products over some of the weeks.
    fn restrict(&self, products: &[usize], weeks: Range<usize>) -> Result<Self, Error> {
        let (all, cells) = (
            self.panel.products(),
            self.panel.products() * self.panel.weeks(),
        );
        let groups = self.groups.iter();
        let groups = groups.map(|g| ("values of a group", g.values.len(), all));
        let opening = self.opening.iter();
        let opening = opening.map(|o| ("units at the opening", o.on_hand().len(), all));
        let orders = self.orders.iter().map(|o| ("past orders", o.len(), cells));
        for (array, found, expected) in
            std::iter::once(("names of weeks", self.weeks.len(), self.panel.weeks()))
                .chain(groups)
                .chain(opening)
                .chain(orders)
        {
            if found != expected {
                let array = array.to_owned();
                return Err(Error::Length {
                    array,
                    expected,
                    found,
                });
            }
        }
        let stride = self.panel.weeks();
        let orders = self.orders.as_ref().map(|orders| {
            let of = |&p: &usize| &orders[p * stride + weeks.start..p * stride + weeks.end];
            products.iter().flat_map(of).copied().collect()
        });
        let groups = self.groups.iter().map(|group| Grouping {
            name: group.name.clone(),
            values: products.iter().map(|&p| group.values[p].clone()).collect(),
        });
        Ok(Dataset {
            panel: match weeks.start {
                0 => self.panel.restrict(products, weeks.end)?,
                _ => self.panel.piece(products, weeks.clone()),
            },
            weeks: self.weeks[weeks.clone()].to_vec(),
            groups: groups.collect(),
            year: self.year,
            opening: self
                .opening
                .as_ref()
                .map(|opening| opening.select(products)),
            orders,
        })
    }

    /// Every product's group, trait by trait, from coarse to fine: those of fewer groups first. A trait that tells nearly every product from
    /// every other is none.
    pub(super) fn hierarchy(&self) -> Vec<Vec<usize>> {
        let mut levels: Vec<(usize, Vec<usize>)> = Vec::new();
        for group in &self.groups {
            let mut places: HashMap<&str, usize> = HashMap::new();
            let place = |value| {
                let next = places.len();
                *places.entry(value).or_insert(next)
            };
            let own = group.values.iter().map(String::as_str).map(place).collect();
            levels.push((places.len(), own));
        }
        levels.retain(|(groups, own)| *groups > 1 && 2 * groups <= own.len());
        levels.sort_by_key(|(groups, _)| *groups);
        levels.into_iter().map(|(_, own)| own).collect()
    }

    /// The first and the last of some weeks, by name.
    #[must_use]
    pub fn span(&self, weeks: &Range<usize>) -> (String, String) {
        let week = |at: usize| self.weeks.get(at).cloned().unwrap_or_default();
        (week(weeks.start), week(weeks.end.saturating_sub(1)))
    }
}

impl From<Panel> for Dataset {
    fn from(panel: Panel) -> Self {
        Dataset::new(panel)
    }
}
