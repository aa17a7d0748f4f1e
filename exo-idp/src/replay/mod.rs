//! One replay of a policy on recorded paths.

mod program;
mod run;

use std::ops::Range;

use crate::conventions::Conventions;
use crate::error::Error;
use crate::paths::Paths;

pub(crate) use program::{ByLane, Inputs};
pub use run::Bundle;

/// Which weeks are scored, and how many before them a policy sees.
///
/// In the weeks of warm-up the record flows into the policy's memory, but nothing is ordered or sold: every policy meets the
/// first scored week with the same stock and the same outstanding orders. A policy that ordered before it is watched could
/// be paid for stock that it bought in a cheap week.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Window {
    /// Weeks whose reward counts.
    pub scored: Range<usize>,
    /// Weeks seen before them; fewer where the panel begins later.
    pub warm_up: usize,
}

impl Window {
    /// All weeks that are seen.
    #[must_use]
    pub fn seen(&self) -> Range<usize> {
        self.scored.start.saturating_sub(self.warm_up)..self.scored.end
    }
}

/// A replay: paths, conventions, a window of weeks and the opening inventory, the same for every policy that is run in it.
#[derive(Debug, Clone)]
pub struct Replay<'p> {
    paths: &'p Paths<'p>,
    conventions: Conventions,
    window: Window,
    /// Opening stock and each opening order, in units, by product.
    opening: Vec<f64>,
}

impl<'p> Replay<'p> {
    /// A replay that opens with a week's reference demand on hand and as much in every outstanding order: `reference` is in units per
    /// week, one number per product.
    ///
    /// # Errors
    /// When the conventions are not valid, the window is empty or ends after the panel, or a reference is negative or not finite.
    pub fn new(
        paths: &'p Paths<'p>,
        conventions: Conventions,
        window: Window,
        reference: &[f64],
    ) -> Result<Self, Error> {
        conventions.validate()?;
        let weeks = paths.panel().weeks();
        if window.scored.is_empty() || window.scored.end > weeks {
            let Range { start, end } = window.scored;
            return Err(Error::Weeks {
                what: "the scored weeks are empty or outside the panel",
                start,
                end,
                weeks,
            });
        }
        if reference.len() != paths.panel().products() {
            let expected = paths.panel().products();
            return Err(Error::Length {
                array: "reference demand".into(),
                expected,
                found: reference.len(),
            });
        }
        for &units in reference {
            crate::error::within(
                "reference demand",
                units,
                0.0,
                f64::MAX,
                "a finite number, at least zero",
            )?;
        }
        Ok(Replay {
            paths,
            conventions,
            window,
            opening: reference.to_vec(),
        })
    }

    /// The paths.
    #[must_use]
    pub fn paths(&self) -> &'p Paths<'p> {
        self.paths
    }

    /// The conventions.
    #[must_use]
    pub fn conventions(&self) -> &Conventions {
        &self.conventions
    }

    /// The window of weeks.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// The weight of a week's reward, and that of the value of the stock at its end.
    #[must_use]
    pub fn weights(&self, week: usize) -> (f64, f64) {
        let Range { start, end } = self.window.scored;
        let power = |n: usize| {
            self.conventions
                .discount
                .powi(i32::try_from(n).unwrap_or(i32::MAX))
        };
        let weight = if week >= start {
            power(week - start)
        } else {
            0.0
        };
        let last = week + 1 == end;
        let terminal = if last {
            power(end - start) * self.conventions.salvage()
        } else {
            0.0
        };
        (weight, terminal)
    }

    /// Units of a product, on hand and outstanding, with which the replay opens.
    #[must_use]
    pub fn opening_units(&self, product: usize) -> f64 {
        self.opening[product] * crate::outcomes::count(self.paths.longest() + 1)
    }

    /// What the opening stock of a lane is charged: its units at the cost of the first scored week, the same for every policy.
    #[must_use]
    pub fn opening_charge(&self, lane: usize) -> f64 {
        let product = self.paths.product(lane);
        self.opening_units(product) * self.paths.panel().cost(product, self.window.scored.start)
    }
}
