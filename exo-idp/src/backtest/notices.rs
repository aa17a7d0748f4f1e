//! What a reader of the results must know of the record: shapes of data that fool a back-test.

use std::fmt;
use std::ops::Range;

use super::origins::Split;
use crate::count::count;
use crate::panel::Panel;

/// What a reader of the results must know of the record. In words, a notice names at most five products.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Notice {
    /// Products without a recorded training week, or without one to be scored on, were left out.
    LeftOut {
        /// Their names.
        products: Vec<String>,
    },
    /// Products recorded in fewer weeks than can be used were left out.
    Short {
        /// Weeks that a product needs.
        least: usize,
        /// Their names.
        products: Vec<String>,
    },
    /// Products whose demand is known in no week were left out.
    NeverKnown {
        /// Their names.
        products: Vec<String>,
    },
    /// Products recorded years before or after all others were left out.
    FarAway {
        /// Their names.
        products: Vec<String>,
    },
    /// Products whose last row comes weeks before the record's end, where missing weeks count as weeks without demand: after it they are not
    /// scored.
    EarlyEnds {
        /// Their names.
        products: Vec<String>,
    },
    /// Every number of a column that has a mark has three digits behind it: perhaps it marks thousands.
    ThreeDecimals {
        /// The column.
        column: String,
        /// A value as the file writes it.
        example: String,
    },
    /// A year has 53 ISO weeks, and no product has a row of the last: perhaps the file numbers the weeks of a year in another way.
    NoWeek53 {
        /// The week.
        week: String,
    },
    /// Days were summed to weeks.
    Daily {
        /// The first day of the first week.
        first: String,
        /// The first and last days that are parts of weeks, at the beginning and the end, and were dropped.
        dropped: Vec<(String, String)>,
        /// Weeks of products that were left out: they have fewer than seven days.
        incomplete: usize,
    },
    /// The grid of a heuristic's factors was widened as far as it goes, and its largest factor still was the best.
    FactorLimit {
        /// The heuristic.
        policy: String,
        /// The largest factor tried.
        factor: f64,
    },
    /// More than a fifth of the weeks between products' first and last are not recorded.
    Gaps {
        /// Their share.
        share: f64,
    },
    /// Products begin with eight weeks or more without demand: perhaps they were not sold yet.
    LeadingZeros {
        /// Their names.
        products: Vec<String>,
    },
    /// Demand of the last week, over all products, is below half of that of any other recent week: perhaps the week is incomplete.
    LowLastWeek,
    /// A planned covariate equals demand: the policies that see it know the future.
    PlannedDemand {
        /// The covariate's name.
        covariate: String,
    },
    /// Mean demand of the held-out weeks is less than half, or more than twice, that of the training weeks.
    LevelShift {
        /// Held-out mean over training mean.
        ratio: f64,
    },
    /// Half of the last sixth of the training weeks or more have no demand at all: they tell little of the weeks that follow.
    EmptyLastWeeks {
        /// Those weeks without demand.
        weeks: usize,
    },
    /// The longest lead time is not shorter than the held-out weeks: some orders placed there do not arrive there.
    LongLeadTime {
        /// The longest lead time, in weeks.
        lead_time: usize,
        /// Held-out weeks.
        held_out: usize,
    },
    /// The record is so large that the job was done once: nobody said how many origins there are to be.
    OneOrigin {
        /// Products times weeks.
        cells: usize,
    },
    /// The record is so long that windows are learnt from the weeks just before them, not from all.
    LongRecord {
        /// Weeks before a window that are learnt from.
        learnt_from: usize,
        /// Weeks of the record.
        weeks: usize,
    },
    /// A week of a product has a hundred times the demand of any other of its weeks.
    Outliers {
        /// The products' names.
        products: Vec<String>,
    },
}

/// Says how many products were left out, why, and which.
fn left_out(
    f: &mut fmt::Formatter<'_>,
    products: &[String],
    why: &str,
    asked: &str,
) -> fmt::Result {
    let (s, were) = plural(products.len(), "was", "were");
    let (all, names) = (products.len(), Names(products));
    write!(f, "{all} product{s} {why} {were} left out{asked}: {names}")
}

/// Says from when on days were summed to weeks, and what was left out.
fn daily(
    f: &mut fmt::Formatter<'_>,
    first: &str,
    dropped: &[(String, String)],
    incomplete: usize,
) -> fmt::Result {
    write!(
        f,
        "days were summed to weeks, the first of which begins on {first}"
    )?;
    for (from, to) in dropped {
        write!(f, "; {from} to {to} are no whole week and were dropped")?;
    }
    match incomplete {
        0 => Ok(()),
        weeks => write!(
            f,
            "; {weeks} weeks of products with fewer than seven days were left out"
        ),
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::OneOrigin { cells } => write!(
                f,
                "the record has {cells} products times weeks: one window is held out, not several; ask for more origins to see how windows differ"
            ),
            Notice::LongRecord { learnt_from, weeks } => write!(
                f,
                "the record has {weeks} weeks: a window is learnt from the {learnt_from} weeks before it, not from all"
            ),
            Notice::LeftOut { products } => {
                let why = "without a row in the held-out weeks, or before them,";
                left_out(f, products, why, "")
            }
            Notice::Short { least, products } => {
                left_out(f, products, &format!("with fewer than {least} weeks"), "")
            }
            Notice::NeverKnown { products } => {
                let why = "whose demand is known in no week (never in stock throughout one)";
                left_out(f, products, why, "")
            }
            Notice::FarAway { products } => {
                let why = "recorded years apart from all others";
                left_out(f, products, why, " (is the date right?)")
            }
            Notice::EarlyEnds { products } => {
                let (s, end) = plural(products.len(), "ends", "end");
                let all = products.len();
                let names = Names(products);
                write!(
                    f,
                    "{all} product{s} {end} weeks before the record does, and missing weeks count as weeks without demand only up to a product's last row: {names}"
                )
            }
            Notice::ThreeDecimals { column, example } => write!(
                f,
                "every number of column {column:?} with a mark in it has three digits behind it, such as {example}: if it marks thousands, the numbers are a thousand times too small"
            ),
            Notice::NoWeek53 { week } => write!(
                f,
                "no row is of {week}, which that ISO year has: it counts as a week without a row; where weeks are numbered in another way, give dates"
            ),
            Notice::Daily {
                first,
                dropped,
                incomplete,
            } => daily(f, first, dropped, *incomplete),
            Notice::FactorLimit { policy, factor } => write!(
                f,
                "the factor of {policy:?} was tuned up to {factor:.0}, and more might earn more"
            ),
            Notice::Gaps { share } => write!(
                f,
                "{:.0} % of the weeks between products' first and last are not recorded; a file of monthly or four-weekly sums is not weekly",
                100.0 * share
            ),
            Notice::LeadingZeros { products } => write!(
                f,
                "leading weeks without demand count as weeks in which nothing was wanted; if a product was not sold yet, leave its rows out: {}",
                Names(products)
            ),
            Notice::LowLastWeek => f.write_str(
                "demand of the last week is far below that of all recent weeks: is it complete?",
            ),
            Notice::PlannedDemand { covariate } => {
                write!(
                    f,
                    "the planned covariate {covariate:?} equals demand: policies that see it know the future"
                )
            }
            Notice::LevelShift { ratio } => write!(
                f,
                "mean demand of the held-out weeks is {ratio:.2} times that of the training weeks"
            ),
            Notice::EmptyLastWeeks { weeks } => {
                let (s, have) = plural(*weeks, "has", "have");
                write!(
                    f,
                    "{weeks} week{s} just before those held out {have} no demand: what follows is hardly known"
                )
            }
            Notice::LongLeadTime {
                lead_time,
                held_out,
            } => write!(
                f,
                "lead times of up to {lead_time} weeks are not shorter than the {held_out} weeks scored: orders placed there may not arrive there"
            ),
            Notice::Outliers { products } => write!(
                f,
                "one week has a hundred times the demand of all others of its product: {}",
                Names(products)
            ),
        }
    }
}

fn plural<'a>(number: usize, one: &'a str, more: &'a str) -> (&'a str, &'a str) {
    if number == 1 { ("", one) } else { ("s", more) }
}

/// At most five names, and how many more there are.
struct Names<'a>(&'a [String]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.len().min(5);
        f.write_str(&self.0[..shown].join(", "))?;
        match self.0.len() - shown {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// Weeks without demand at a product's beginning that are pointed out.
const LEADING: usize = 8;

/// The notices of a record that ends with the held-out weeks.
pub(super) fn notices(panel: &Panel, split: &Split, lead_time: usize) -> Vec<Notice> {
    let mut notices = Vec::new();
    let held_out = split.held_out.len();
    if lead_time >= held_out {
        notices.push(Notice::LongLeadTime {
            lead_time,
            held_out,
        });
    }
    let share = gaps(panel);
    if share > 0.2 {
        notices.push(Notice::Gaps { share });
    }
    let named = |of: fn(&[f64]) -> bool| -> Vec<String> {
        let products = (0..panel.products()).filter(|&p| of(&recorded(panel, p)));
        products.map(|p| panel.names()[p].clone()).collect()
    };
    let products = named(begins_with_zeros);
    if !products.is_empty() {
        notices.push(Notice::LeadingZeros { products });
    }
    let products = named(has_outlier);
    if !products.is_empty() {
        notices.push(Notice::Outliers { products });
    }
    if low_last_week(panel) {
        notices.push(Notice::LowLastWeek);
    }
    for (at, covariate) in panel.covariates().iter().enumerate() {
        if covariate.planned && equals_demand(panel, at) {
            let covariate = covariate.name.clone();
            notices.push(Notice::PlannedDemand { covariate });
        }
    }
    let ratio = mean(panel, &split.held_out) / mean(panel, &split.training);
    if ratio.is_finite() && !(0.5..=2.0).contains(&ratio) {
        notices.push(Notice::LevelShift { ratio });
    }
    let end = split.training.end;
    let last = end - (split.training.len() / 6).max(1).min(end)..end;
    let half = last.len().div_ceil(2);
    let recorded = |week: &usize| (0..panel.products()).any(|p| panel.present(p, *week));
    let empty = last.filter(|week| recorded(week) && total(panel, *week) <= 0.0);
    let weeks = empty.count();
    if weeks >= half {
        notices.push(Notice::EmptyLastWeeks { weeks });
    }
    notices
}

/// Recorded demand of a product, week by week.
fn recorded(panel: &Panel, product: usize) -> Vec<f64> {
    let weeks = (0..panel.weeks()).filter(|&week| panel.present(product, week));
    weeks.map(|week| panel.demand(product, week)).collect()
}

fn total(panel: &Panel, week: usize) -> f64 {
    let products = (0..panel.products()).filter(|&product| panel.present(product, week));
    products.map(|product| panel.demand(product, week)).sum()
}

/// Mean demand of the recorded cells of some weeks; NaN without any.
fn mean(panel: &Panel, weeks: &Range<usize>) -> f64 {
    let cells = weeks
        .clone()
        .flat_map(|week| (0..panel.products()).map(move |p| (p, week)));
    let cells = cells.filter(|&(product, week)| panel.present(product, week));
    let (sum, n) = cells.fold((0.0, 0), |(sum, n), (p, w)| {
        (sum + panel.demand(p, w), n + 1)
    });
    sum / count(n)
}

/// The share of weeks between products' first and last that are not recorded.
fn gaps(panel: &Panel) -> f64 {
    let (mut missing, mut all) = (0, 0);
    for product in 0..panel.products() {
        let mut weeks = (0..panel.weeks()).filter(|&week| panel.present(product, week));
        let Some(first) = weeks.next() else { continue };
        let last = weeks.next_back().unwrap_or(first);
        all += last - first + 1;
        missing += (first..=last)
            .filter(|&week| !panel.present(product, week))
            .count();
    }
    count(missing) / count(all.max(1))
}

fn begins_with_zeros(demand: &[f64]) -> bool {
    let zeros = demand.iter().take_while(|&&units| units <= 0.0).count();
    (LEADING..demand.len()).contains(&zeros)
}

fn has_outlier(demand: &[f64]) -> bool {
    let mut sorted = demand.to_vec();
    sorted.sort_by(f64::total_cmp);
    matches!(sorted[..], [.., next, most] if next > 0.0 && most >= 100.0 * next)
}

/// Whether the last week is below half of each of the twelve before it.
fn low_last_week(panel: &Panel) -> bool {
    let weeks = panel.weeks();
    if weeks < 13 {
        return false;
    }
    let least = (weeks - 13..weeks - 1)
        .map(|week| total(panel, week))
        .fold(f64::INFINITY, f64::min);
    total(panel, weeks - 1) < 0.5 * least
}

fn equals_demand(panel: &Panel, covariate: usize) -> bool {
    let cells = (0..panel.products()).flat_map(|p| (0..panel.weeks()).map(move |week| (p, week)));
    let mut cells = cells.filter(|&(p, week)| panel.present(p, week));
    cells.all(|(p, week)| {
        let (units, value) = (panel.demand(p, week), panel.covariate(covariate, p, week));
        (units - value).abs() <= 1e-9 * units.abs()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::{Columns, Covariate};

    /// Two products over 60 weeks with a demand of 5 to 9, changed by `change(product, week, units, present)`.
    fn found(change: impl Fn(usize, usize, &mut f64, &mut bool), leak: bool) -> Vec<Notice> {
        let (mut demand, mut present) = (Vec::new(), Vec::new());
        for product in 0..2 {
            for week in 0..60 {
                let (mut units, mut there) = (5.0 + count((week + product) % 5), true);
                change(product, week, &mut units, &mut there);
                demand.push(if there { units } else { 0.0 });
                present.push(there);
            }
        }
        let covariate = Covariate {
            name: "promotion".into(),
            planned: true,
            values: if leak { demand.clone() } else { vec![0.0; 120] },
        };
        let columns = Columns {
            price: vec![10.0; 120],
            cost: vec![6.0; 120],
            covariates: vec![covariate],
            demand,
            present,
        };
        let panel = Panel::new(vec!["tea".into(), "coffee".into()], 60, columns).unwrap();
        notices(&panel, &Split::all(60, None, Some(1)).unwrap()[0], 3)
    }

    #[test]
    fn a_plain_record_has_none_and_each_trap_has_its_own() {
        assert_eq!(found(|_, _, _, _| {}, false), []);
        assert!(matches!(
            &found(|_, _, _, _| {}, true)[..],
            [Notice::PlannedDemand { .. }]
        ));
        let gaps = found(|_, week, _, there| *there = week % 4 == 0, false);
        assert!(matches!(gaps[..], [Notice::Gaps { share }] if (share - 0.74).abs() < 0.01));
        let padded = found(
            |p, week, units, _| *units *= f64::from(u8::from(p == 0 || week >= 10)),
            false,
        );
        assert_eq!(
            padded,
            [Notice::LeadingZeros {
                products: vec!["coffee".into()]
            }]
        );
        let low = found(
            |_, week, units, _| *units *= if week == 59 { 0.1 } else { 1.0 },
            false,
        );
        assert_eq!(low, [Notice::LowLastWeek]);
        let outliers = found(
            |p, week, units, _| {
                if p == 0 && week == 20 {
                    *units = 900.0
                }
            },
            false,
        );
        // It raises the mean of the training weeks, too.
        let products = vec!["tea".to_owned()];
        assert!(outliers.contains(&Notice::Outliers { products }));
        let shift = found(
            |_, week, units, _| *units *= if week >= 45 { 3.0 } else { 1.0 },
            false,
        );
        assert!(matches!(shift[..], [Notice::LevelShift { ratio }] if ratio > 2.5));
        let closed = found(
            |_, week, units, _| {
                if (39..45).contains(&week) {
                    *units = 0.0
                }
            },
            false,
        );
        assert_eq!(closed, [Notice::EmptyLastWeeks { weeks: 6 }]);
    }

    #[test]
    fn notices_name_a_handful() {
        let products: Vec<String> = (0..8).map(|p| format!("p{p}")).collect();
        let words = Notice::LeadingZeros { products }.to_string();
        assert!(words.ends_with("p0, p1, p2, p3, p4 and 3 more"), "{words}");
        let one = Notice::LeftOut {
            products: vec!["tea".into()],
        }
        .to_string();
        assert!(
            one.starts_with("1 product without") && one.ends_with("was left out: tea"),
            "{one}"
        );
    }
}
