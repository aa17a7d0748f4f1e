//! What becomes of an order on its way to the vendor.

use gpu::{RoundGradient, Scalar};

use super::interface::{Market, MarketInputs};
use crate::error::{Error, within};
use crate::signals::Signals;

/// The rule by which a product's orders are changed.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OrderRule {
    /// The smallest order, in units; 0 for none.
    pub minimum: f64,
    /// Orders below this share of the minimum are not placed; others are raised to it.
    pub skip_below: f64,
    /// Units of a batch: 1 for whole units, 0 for orders of any size.
    pub batch: f64,
    /// The largest order, in units; infinite for none. Orders are cut to the most batches that fit.
    pub cap: f64,
}

impl Default for OrderRule {
    /// No rule: orders stay as they are.
    fn default() -> Self {
        OrderRule {
            minimum: 0.0,
            skip_below: 0.5,
            batch: 0.0,
            cap: f64::INFINITY,
        }
    }
}

/// To which number of batches an order is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Rounding {
    /// To the nearest, halves to even.
    #[default]
    Nearest,
    /// Up.
    Up,
}

/// Minimum, batch and cap of every product's orders, and what the vendor has.
///
/// With minimum $M$, threshold $\tau$, batch $B$, cap $C$ and the vendor's limit $U$, all by product:
/// $$ f(a) = \min\bigl( B \lceil \max(a, M) / B \rceil, C, U \bigr) \text{ where } a > 0 \text{ and } a \ge \tau M, \text{ else } 0. $$
///
/// Its true derivative is zero almost everywhere. With [`RoundGradient::StraightThrough`] rounding passes the gradient as if it had
/// not been there; the jump at the threshold has no gradient at all, and an order above $U$ is free and has none either. What the
/// vendor supplies is paid, what was asked for is kept in [`Quantity::Order`](crate::replay::Quantity). The form of $f$ is our own
/// formulation; the paper on arrivals ([arXiv:2310.17168](https://arxiv.org/abs/2310.17168)) allows any known map.
///
/// ```
/// use hindsight_exo_idp::market::{OrderRule, PostProcess};
/// // Cases of twelve, at least two of them.
/// let rule = OrderRule { minimum: 24.0, batch: 12.0, ..OrderRule::default() };
/// let market = PostProcess::new(30, &[rule])?;
/// assert_eq!([5.0, 13.0, 31.0].map(|units| market.apply(0, units)), [0.0, 24.0, 36.0]);
/// # Ok::<(), hindsight_exo_idp::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PostProcess {
    rounding: Rounding,
    gradient: RoundGradient,
    parts: Parts,
    /// Rows: minimum, threshold, batch (1 where there is none), whether there is a batch, cap.
    rules: Signals,
    limit: Option<Signals>,
}

/// What of the map there is for some product: the rest is not computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parts {
    minimum: bool,
    batch: bool,
    cap: bool,
}

const RULES: usize = 5;

impl PostProcess {
    /// A market of one rule per product, the same in each of `weeks` weeks.
    ///
    /// # Errors
    /// When there is no rule, a number is negative or not a number, the threshold is above one, or the cap is below the minimum or a
    /// batch.
    pub fn new(weeks: usize, rules: &[OrderRule]) -> Result<Self, Error> {
        if rules.is_empty() {
            return Err(Error::Empty("the list of order rules"));
        }
        for rule in rules {
            within(
                "smallest order",
                rule.minimum,
                0.0,
                f64::MAX,
                "a finite number, at least zero",
            )?;
            within(
                "batch",
                rule.batch,
                0.0,
                f64::MAX,
                "a finite number, at least zero",
            )?;
            within(
                "share of the smallest order",
                rule.skip_below,
                0.0,
                1.0,
                "a share in [0, 1]",
            )?;
            let least = rule.round_up(rule.minimum).max(rule.batch);
            within(
                "largest order",
                rule.cap,
                least,
                f64::INFINITY,
                "at least the smallest order and a batch",
            )?;
        }
        let value = |_: usize, row: usize, product: usize| {
            let rule = &rules[product];
            match row {
                0 => rule.minimum,
                1 => rule.skip_below * rule.minimum,
                2 if rule.batch > 0.0 => rule.batch,
                2 => 1.0,
                3 => f64::from(u8::from(rule.batch > 0.0)),
                _ if rule.batch > 0.0 && rule.cap.is_finite() => {
                    (rule.cap / rule.batch).floor() * rule.batch
                }
                _ => rule.cap,
            }
        };
        Ok(PostProcess {
            rounding: Rounding::default(),
            gradient: RoundGradient::StraightThrough,
            parts: Parts {
                minimum: rules.iter().any(|r| r.minimum > 0.0),
                batch: rules.iter().any(|r| r.batch > 0.0),
                cap: rules.iter().any(|r| r.cap.is_finite()),
            },
            rules: Signals::from_fn(weeks, RULES, rules.len(), value),
            limit: None,
        })
    }

    /// Whole units of `products` products: batches of one.
    ///
    /// # Errors
    /// When there is no product.
    pub fn whole_units(weeks: usize, products: usize) -> Result<Self, Error> {
        let rule = OrderRule {
            batch: 1.0,
            ..OrderRule::default()
        };
        PostProcess::new(weeks, &vec![rule; products])
    }

    /// The same with another rounding and another derivative of it.
    #[must_use]
    pub fn rounded(self, rounding: Rounding, gradient: RoundGradient) -> Self {
        PostProcess {
            rounding,
            gradient,
            ..self
        }
    }

    /// The same with a limit of what the vendor has for an order: one row of units, by week and product or lane.
    ///
    /// # Errors
    /// When the signals have not one row, or a limit is negative or not a number.
    pub fn limited(self, limit: Signals) -> Result<Self, Error> {
        if limit.rows() != 1 {
            return Err(Error::Length {
                array: "rows of the vendor's limit".into(),
                expected: 1,
                found: limit.rows(),
            });
        }
        for week in 0..limit.weeks() {
            for &units in limit.row(week, 0) {
                within(
                    "vendor's limit",
                    units,
                    0.0,
                    f64::INFINITY,
                    "units, at least zero",
                )?;
            }
        }
        Ok(PostProcess {
            limit: Some(limit),
            ..self
        })
    }

    /// What becomes of an order of a product, the vendor's limit aside.
    ///
    /// # Panics
    /// Like an index into an array, when there is no such product.
    #[must_use]
    pub fn apply(&self, product: usize, order: f64) -> f64 {
        let rows: [f64; RULES] = std::array::from_fn(|row| self.rules.row(0, row)[product]);
        self.rule(&rows, order)
    }

    #[inline(always)]
    fn rule<S: Scalar>(&self, rows: &[S], order: S) -> S {
        let [minimum, threshold, batch, batched, cap] =
            [rows[0], rows[1], rows[2], rows[3], rows[4]];
        let mut placed = order;
        if self.parts.minimum {
            placed = placed.max(minimum);
        }
        if self.parts.batch {
            let batches = placed / batch;
            let nearest = batches.round(self.gradient);
            let rounded = match self.rounding {
                Rounding::Nearest => nearest,
                Rounding::Up => nearest + (batches - nearest - S::constant(SLACK)).positive(),
            };
            placed = S::select(batched, rounded * batch, placed);
        }
        if self.parts.cap {
            placed = placed.min(cap);
        }
        if self.parts.minimum {
            let skipped = (threshold - order).positive();
            // An order of nothing is not raised to the minimum.
            let some = order.positive();
            placed = S::select(
                some,
                S::select(skipped, S::constant(0.0), placed),
                S::constant(0.0),
            );
        }
        placed
    }
}

/// What an order may exceed a whole number of batches by before another is taken, in batches: arithmetic in single precision.
const SLACK: f64 = 1e-5;

impl OrderRule {
    /// The least number of batches that reach so many units, in units.
    fn round_up(&self, units: f64) -> f64 {
        if self.batch > 0.0 {
            (units / self.batch).ceil() * self.batch
        } else {
            units
        }
    }
}

impl Market for PostProcess {
    fn signals(&self) -> Vec<&Signals> {
        std::iter::once(&self.rules).chain(&self.limit).collect()
    }

    fn rows(&self) -> usize {
        RULES + usize::from(self.limit.is_some())
    }

    #[inline(always)]
    fn order<S: Scalar>(&self, inputs: &MarketInputs<'_, S>, order: S) -> S {
        let (rules, limit) = inputs.rows.split_at(RULES);
        let placed = self.rule(rules, order);
        limit
            .iter()
            .fold(placed, |placed, &limit| placed.min(limit))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule() -> impl Strategy<Value = OrderRule> {
        (
            0.0_f64..20.0,
            0.0_f64..1.0,
            prop_oneof![Just(0.0), Just(1.0), 0.5_f64..9.0],
            30.0_f64..90.0,
        )
            .prop_map(|(minimum, skip_below, batch, cap)| OrderRule {
                minimum,
                skip_below,
                batch,
                cap,
            })
    }

    proptest! {
        /// Nothing or at least the minimum, in whole batches, never above the cap, larger for a larger order; doing it twice changes
        /// nothing.
        #[test]
        fn orders_keep_the_rule(rule in rule(), a in 0.0_f64..120.0, more in 0.0_f64..30.0, up in any::<bool>()) {
            let rounding = if up { Rounding::Up } else { Rounding::Nearest };
            let market = PostProcess::new(2, &[rule]).unwrap().rounded(rounding, RoundGradient::Zero);
            let placed = market.apply(0, a);
            if rule.batch > 0.0 {
                let batches = placed / rule.batch;
                prop_assert!((batches - batches.round()).abs() < 1e-9, "{batches} batches");
            }
            // The nearest number of batches may lie below the minimum by half a batch.
            let least = if up { rule.minimum } else { rule.minimum - 0.5 * rule.batch };
            prop_assert!(placed == 0.0 || placed >= least - 1e-4 * rule.batch);
            prop_assert!(placed <= rule.cap);
            prop_assert!(a < rule.skip_below * rule.minimum || a == 0.0 || placed > 0.0 || rule.batch > 2.0 * a.max(rule.minimum) - 1e-9);
            prop_assert!(market.apply(0, a + more) >= placed - 1e-9);
            if up || rule.minimum == 0.0 {
                prop_assert!((market.apply(0, placed) - placed).abs() < 1e-9);
            }
        }

        /// Without a rule the order is the same number.
        #[test]
        fn no_rule_changes_nothing(a in 0.0_f64..1e6) {
            let market = PostProcess::new(2, &[OrderRule::default()]).unwrap();
            prop_assert_eq!(market.apply(0, a).to_bits(), a.to_bits());
        }
    }

    #[test]
    fn rules_that_cannot_be_kept_are_refused() {
        let rules = [
            OrderRule {
                minimum: -1.0,
                ..OrderRule::default()
            },
            OrderRule {
                batch: f64::NAN,
                ..OrderRule::default()
            },
            OrderRule {
                minimum: 10.0,
                batch: 8.0,
                cap: 12.0,
                ..OrderRule::default()
            },
            OrderRule {
                skip_below: 1.5,
                ..OrderRule::default()
            },
        ];
        for rule in rules {
            assert!(PostProcess::new(2, &[rule]).is_err(), "{rule:?}");
        }
        assert!(PostProcess::new(2, &[]).is_err());
    }
}
