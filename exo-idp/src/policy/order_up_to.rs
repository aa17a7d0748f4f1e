//! Order up to a level, with a limit on the single order.

use gpu::{DelayLine, Scalar};

use super::{Observation, Policy, Signals};
use crate::error::Error;

/// Orders `min(cap, max(level - position, 0))`, level and cap given in units for every product and week.
///
/// What a network of the order-up-to family decides can be worked out once and kept in this form, and levels of several policies can be
/// blended before anything is cut off or rounded.
///
/// ```
/// use hindsight_exo_idp::policy::{OrderUpTo, Signals};
/// let units = |units: f64| Signals::from_fn(10, 1, 2, move |_, _, _| units);
/// let high = OrderUpTo::new("high", units(40.0), units(30.0))?;
/// let low = OrderUpTo::new("low", units(20.0), units(10.0))?;
/// let blend = OrderUpTo::blend("both", &[(0.5, &high), (0.5, &low)])?;
/// assert_eq!((blend.level(3, 0), blend.cap(3, 0)), (30.0, 20.0));
/// # Ok::<(), hindsight_exo_idp::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct OrderUpTo {
    name: String,
    /// Level and cap, in units; without a limit on the order the level alone.
    signals: Signals,
}

impl OrderUpTo {
    /// A policy from one row of levels and one of caps, in units; a cap may be infinite.
    ///
    /// # Errors
    /// When either has not one row, or their weeks or columns differ.
    pub fn new(name: impl Into<String>, level: Signals, cap: Signals) -> Result<Self, Error> {
        for (array, found, expected) in [
            ("rows of the level", level.rows(), 1),
            ("rows of the cap", cap.rows(), 1),
            ("weeks of the cap", cap.weeks(), level.weeks()),
            ("columns of the cap", cap.columns(), level.columns()),
        ] {
            if found != expected {
                return Err(Error::Length {
                    array: array.into(),
                    expected,
                    found,
                });
            }
        }
        let rows = [&level, &cap];
        let signals = Signals::from_fn(level.weeks(), 2, level.columns(), |week, row, column| {
            rows[row].row(week, 0)[column]
        });
        Ok(OrderUpTo::from_rows(name, signals))
    }

    /// A policy from its rows: level and cap, or the level alone.
    pub(super) fn from_rows(name: impl Into<String>, signals: Signals) -> Self {
        OrderUpTo {
            name: name.into(),
            signals,
        }
    }

    /// A policy without a limit on the order.
    ///
    /// # Errors
    /// When the level has not one row.
    pub fn uncapped(name: impl Into<String>, level: Signals) -> Result<Self, Error> {
        if level.rows() != 1 {
            return Err(Error::Length {
                array: "rows of the level".into(),
                expected: 1,
                found: level.rows(),
            });
        }
        Ok(OrderUpTo::from_rows(name, level))
    }

    /// The policy whose level is the weighted sum of several policies' levels. Its cap is that of the policies that have one, by the same
    /// weights; one without a limit leaves it to the others.
    ///
    /// # Errors
    /// When there is none, or their weeks or columns differ.
    pub fn blend(name: impl Into<String>, parts: &[(f64, &OrderUpTo)]) -> Result<Self, Error> {
        let Some((_, first)) = parts.first() else {
            return Err(Error::Empty("the blend"));
        };
        let (weeks, columns) = (first.signals.weeks(), first.signals.columns());
        for (_, part) in parts {
            for (array, expected, found) in [
                ("weeks of a blended level", weeks, part.signals.weeks()),
                (
                    "columns of a blended level",
                    columns,
                    part.signals.columns(),
                ),
            ] {
                if expected != found {
                    return Err(Error::Length {
                        array: array.into(),
                        expected,
                        found,
                    });
                }
            }
        }
        let limited = parts.iter().any(|(_, part)| part.signals.rows() > 1);
        let rows = 1 + usize::from(limited);
        let signals = Signals::from_fn(weeks, rows, columns, |week, row, column| {
            if row == 0 {
                let level = |part: &OrderUpTo| part.level(week, column);
                return parts.iter().map(|(share, part)| share * level(part)).sum();
            }
            let cap = |part: &OrderUpTo| part.cap(week, column);
            let limited = parts.iter().filter(|(_, part)| cap(part) < f64::MAX);
            let (sum, share) = limited.fold((0.0, 0.0), |(sum, total), (share, part)| {
                (sum + share * cap(part), total + share)
            });
            if share > 0.0 { sum / share } else { f64::MAX }
        });
        Ok(OrderUpTo::from_rows(name, signals))
    }

    /// The same policy under another name.
    #[must_use]
    pub fn renamed(self, name: impl Into<String>) -> Self {
        OrderUpTo {
            name: name.into(),
            ..self
        }
    }

    /// The level of a week and product (or lane), in units.
    ///
    /// # Panics
    /// Like an index into an array, when there is no such week or column.
    #[must_use]
    pub fn level(&self, week: usize, column: usize) -> f64 {
        self.signals.row(week, 0)[column]
    }

    /// The largest order of a week and product (or lane), in units; [`f64::MAX`] where there is no limit.
    ///
    /// # Panics
    /// Like an index into an array, when there is no such week or column.
    #[must_use]
    pub fn cap(&self, week: usize, column: usize) -> f64 {
        if self.signals.rows() < 2 {
            return f64::MAX;
        }
        self.signals.row(week, 1)[column]
    }
}

impl Policy for OrderUpTo {
    fn name(&self) -> &str {
        &self.name
    }
    fn signals(&self) -> Option<&Signals> {
        Some(&self.signals)
    }
    #[inline(always)]
    fn order<S: Scalar>(&self, _: &[S], seen: &Observation<'_, S>, _: &mut [DelayLine<S>]) -> S {
        let wanted = (seen.signals[0] - seen.inventory.position).relu();
        match seen.signals.get(1) {
            Some(&cap) => wanted.min(cap),
            None => wanted,
        }
    }
}
