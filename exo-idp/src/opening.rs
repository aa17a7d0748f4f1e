//! The stock that products really had, and what was on its way.

use crate::count::count;
use crate::error::{Error, within};
use crate::panel::Panel;
use crate::paths::Paths;
use crate::period::States;

/// Units of every product on hand and on their way at the beginning of a week: where replays open.
///
/// A replay that opens in that week opens with just these units. One that opens in another week opens with the same number of weeks of
/// demand: the units times the level of demand before it over that before the recorded week, at most ten times as many. Levels are means
/// of the last 13 known weeks, drawn a little (three weeks' worth) to those of the last 52. Our own formulation.
///
/// ```
/// use hindsight_exo_idp::panel::Columns;
/// use hindsight_exo_idp::{Panel, replay::Opening};
/// let columns = Columns {
///     demand: (0..60).map(|week| if week < 30 { 2.0 } else { 4.0 }).collect(),
///     price: vec![10.0; 60],
///     cost: vec![6.0; 60],
///     present: vec![true; 60],
///     covariates: vec![],
/// };
/// let panel = Panel::new(vec!["tea".into()], 60, columns)?;
/// // After the last week: nine units on hand, three due in the next week and none in the one after.
/// let opening = Opening::new(&panel, 60, vec![9.0], vec![vec![3.0], vec![0.0]])?;
/// assert_eq!(opening.at(&panel, 60).on_hand(), [9.0]);
/// let earlier = opening.at(&panel, 30).on_hand()[0];
/// assert!((4.5..5.5).contains(&earlier));
/// # Ok::<(), hindsight_exo_idp::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Opening {
    week: usize,
    on_hand: Vec<f64>,
    /// `[week][product]`
    due: Vec<Vec<f64>>,
    /// Level of demand before the week, by product.
    level: Vec<f64>,
}

/// Weeks of the level of demand, and of the longer one that it is drawn to, with this weight.
const SHORT: usize = 13;
const LONG: usize = 52;
const DRAWN: f64 = 3.0;
/// At most so many times the recorded units are there in another week.
const MOST: f64 = 10.0;

impl Opening {
    /// The units on hand at the beginning of `week`, by product, and those that arrive in that week, in the next, and so on, `[week][product]`.
    ///
    /// # Errors
    /// When `week` is past the week after the panel's last, there is not one number for every product, or one is negative or not finite.
    pub fn new(
        panel: &Panel,
        week: usize,
        on_hand: Vec<f64>,
        due: Vec<Vec<f64>>,
    ) -> Result<Self, Error> {
        if week > panel.weeks() {
            return Err(Error::Weeks {
                what: "the opening comes after the record",
                start: week,
                end: week,
                weeks: panel.weeks(),
            });
        }
        for units in std::iter::once(&on_hand).chain(&due) {
            if units.len() != panel.products() {
                return Err(Error::Length {
                    array: "units at the opening".into(),
                    expected: panel.products(),
                    found: units.len(),
                });
            }
            for &units in units {
                let domain = "a finite number, at least zero";
                within("units at the opening", units, 0.0, f64::MAX, domain)?;
            }
        }
        let level = (0..panel.products()).map(|product| level(panel, product, week));
        Ok(Opening {
            week,
            on_hand,
            due,
            level: level.collect(),
        })
    }

    /// The week at whose beginning these units are there.
    #[must_use]
    pub fn week(&self) -> usize {
        self.week
    }

    /// Units on hand, by product.
    #[must_use]
    pub fn on_hand(&self) -> &[f64] {
        &self.on_hand
    }

    /// Units that arrive in the week, in the next, and so on, `[week][product]`.
    #[must_use]
    pub fn due(&self) -> &[Vec<f64>] {
        &self.due
    }

    /// The same for the beginning of another week.
    ///
    /// # Panics
    /// Like an index into an array, when it comes after the week after the panel's last, or the panel has fewer products.
    #[must_use]
    pub fn at(&self, panel: &Panel, week: usize) -> Opening {
        if week == self.week {
            return self.clone();
        }
        let now: Vec<f64> = (0..panel.products())
            .map(|product| level(panel, product, week))
            .collect();
        let scale = |units: &Vec<f64>| -> Vec<f64> {
            let ratio = |product: usize| match self.level[product] {
                before if before > 0.0 => (now[product] / before).min(MOST),
                _ => 1.0,
            };
            let units = units.iter().enumerate();
            units.map(|(p, units)| units * ratio(p)).collect()
        };
        Opening {
            week,
            on_hand: scale(&self.on_hand),
            due: self.due.iter().map(scale).collect(),
            level: now,
        }
    }

    /// Some of the products, in the given order.
    pub(crate) fn select(&self, products: &[usize]) -> Opening {
        let pick = |units: &Vec<f64>| products.iter().map(|&p| units[p]).collect();
        Opening {
            week: self.week,
            on_hand: pick(&self.on_hand),
            due: self.due.iter().map(pick).collect(),
            level: pick(&self.level),
        }
    }

    /// The states of all lanes at the beginning of a week, valued at the costs of that week.
    ///
    /// # Errors
    /// When something is due later than the longest lead time.
    pub(crate) fn states(
        &self,
        paths: &Paths<'_>,
        week: usize,
        whole_units: bool,
    ) -> Result<States, Error> {
        let (panel, longest) = (paths.panel(), paths.max_lead_time());
        let late = self.due.iter().skip(longest).flatten();
        if late.copied().any(|units| units > 0.0) {
            let name = "weeks until a delivery at the opening";
            let domain = "less than the longest lead time";
            let weeks = count(self.due.len() - 1);
            within(name, weeks, 0.0, count(longest) - 1.0, domain)?;
        }
        let mut opening = self.at(panel, week);
        if whole_units {
            let all = std::iter::once(&mut opening.on_hand).chain(&mut opening.due);
            all.flatten().for_each(|units| *units = units.round());
        }
        opening.due.resize(longest, vec![0.0; panel.products()]);
        let lanes = |units: &Vec<f64>| -> Vec<f64> {
            let products = (0..paths.lanes()).map(|lane| paths.product(lane));
            products.map(|product| units[product]).collect()
        };
        let on_hand = lanes(&opening.on_hand);
        let due: Vec<Vec<f64>> = opening.due.iter().map(lanes).collect();
        let book = (0..paths.lanes()).map(|lane| {
            let units = on_hand[lane] + due.iter().map(|units| units[lane]).sum::<f64>();
            units * panel.cost(paths.product(lane), week)
        });
        let book = book.collect();
        // Where orders take the longest time anyway, they need no schedule of their own.
        let as_placed = |lane: usize, weeks: usize| {
            due[weeks][lane] <= 0.0 || paths.before(week, longest - weeks, longest)[lane] >= 1.0
        };
        if (0..paths.lanes()).all(|lane| (0..longest).all(|weeks| as_placed(lane, weeks))) {
            return States::new(on_hand, due.into_iter().rev().collect(), book);
        }
        States::with_deliveries(on_hand, &due, book)
    }
}

/// Mean demand of the last 13 known weeks before a week, drawn to that of the last 52; zero where none is known.
fn level(panel: &Panel, product: usize, week: usize) -> f64 {
    let mean = |weeks: usize| {
        let known = (week.saturating_sub(weeks)..week).filter(|&w| panel.present(product, w));
        let (sum, n) = known.fold((0.0, 0), |(sum, n), w| {
            (sum + panel.demand(product, w), n + 1)
        });
        (sum / count(n.max(1)), count(n))
    };
    let ((short, n), (long, _)) = (mean(SHORT), mean(LONG));
    (n * short + DRAWN * long) / (n + DRAWN)
}
