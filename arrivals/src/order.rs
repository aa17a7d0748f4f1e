//! Gradients of what becomes of an order.

use exo_idp::market::{Market, MarketInputs, OrderRule, PostProcess, Rounding};
use exo_idp::policy::Signals;
use gpu::{RoundGradient, Scalar};

use crate::error::{Argument, ArrivalsError, within};

/// The derivative that the map from an order to what is placed is given: its true one is zero almost everywhere, and it jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Estimator {
    /// One where something is placed, else zero. Unbiased for what is linear in a dithered order; blind to the jump at the threshold.
    StraightThrough,
    /// That of the mean over a uniform dither $u$ of half width $w$: $\bigl(f(a + w) - f(a - w)\bigr) / 2 w$. It sees the jump.
    #[default]
    Smoothed,
    /// That of $\sigma\bigl((a - \tau M) / w\bigr)\thinspace s(a)$, the two branches weighed: place nothing, or a size $s$ that is differentiated straight
    /// through. It sees the jump.
    Mixed,
}

/// Minimum, batch and cap of every product's orders ([`PostProcess`]), with a chosen gradient.
///
/// What is placed is the same for every [`Estimator`]; only the derivative differs. The three are our own formulation; what the paper
/// (arXiv:2310.17168) does with an explicit map was not found. `examples/order_gradients` measures their bias.
///
/// ```
/// use hindsight_arrivals::exo_idp::market::OrderRule;
/// use hindsight_arrivals::{Estimator, OrderGradient};
/// let rule = OrderRule { minimum: 24.0, batch: 12.0, ..OrderRule::default() };
/// let market = OrderGradient::new(30, &[rule], Estimator::Smoothed, &[6.0])?;
/// assert_eq!([5.0, 13.0, 31.0].map(|units| market.apply(0, units)), [0.0, 24.0, 36.0]);
/// # Ok::<(), hindsight_arrivals::ArrivalsError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct OrderGradient {
    rule: PostProcess,
    estimator: Estimator,
    /// Half width of the dither, threshold.
    own: Signals,
}

const OWN: usize = 2;

impl OrderGradient {
    /// The market of one rule per product, the same in each of `weeks` weeks; `dither` is the half width $w$ of a product in units, of the
    /// order of its mean demand.
    ///
    /// # Errors
    /// A rule that cannot be kept, a dither that is not above zero.
    pub fn new(
        weeks: usize,
        rules: &[OrderRule],
        estimator: Estimator,
        dither: &[f64],
    ) -> Result<Self, ArrivalsError> {
        crate::error::length(Argument::Dither, rules.len(), dither.len())?;
        for (index, &width) in dither.iter().enumerate() {
            within(
                Argument::Dither,
                index,
                width,
                [f64::MIN_POSITIVE, f64::MAX],
            )?;
        }
        let rule = PostProcess::new(weeks, rules)?;
        let own = |row: usize, product: usize| match row {
            0 => dither[product],
            _ => rules[product].skip_below * rules[product].minimum,
        };
        Ok(OrderGradient {
            rule: rule.rounded(Rounding::Nearest, RoundGradient::StraightThrough),
            estimator,
            own: Signals::constant(weeks, OWN, rules.len(), own),
        })
    }

    /// The same with another rounding of batches.
    #[must_use]
    pub fn rounded(self, rounding: Rounding) -> Self {
        OrderGradient {
            rule: self.rule.rounded(rounding, RoundGradient::StraightThrough),
            ..self
        }
    }

    /// What becomes of an order of a product.
    ///
    /// # Panics
    /// Like an index into an array, when there is no such product.
    #[must_use]
    pub fn apply(&self, product: usize, order: f64) -> f64 {
        self.rule.apply(product, order)
    }
}

impl Market for OrderGradient {
    fn signals(&self) -> Vec<&Signals> {
        std::iter::once(&self.own)
            .chain(self.rule.signals())
            .collect()
    }

    fn rows(&self) -> usize {
        OWN + self.rule.rows()
    }

    #[inline(always)]
    fn order<S: Scalar>(&self, inputs: &MarketInputs<'_, S>, order: S) -> S {
        let (own, rows) = inputs.rows.split_at(OWN);
        let [width, threshold] = [own[0], own[1]];
        let inner = MarketInputs { rows, ..*inputs };
        let apply = |order: S| self.rule.order(&inner, order);
        let placed = apply(order).detach();
        // A value of zero with a derivative.
        let change = order - order.detach();
        match self.estimator {
            Estimator::StraightThrough => placed + placed.positive() * change,
            Estimator::Smoothed => {
                let rise = apply(order + width) - apply((order - width).relu());
                let slope = rise / (width + width);
                placed + slope.detach() * change
            }
            Estimator::Mixed => {
                let size = apply(order.max(threshold));
                let branches = ((order - threshold) / width).sigmoid() * size;
                placed + (branches - branches.detach())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gpu::numbers::Dual;

    use super::*;

    fn slope(estimator: Estimator, order: f64) -> (f64, f64) {
        let rule = OrderRule {
            minimum: 20.0,
            batch: 4.0,
            ..OrderRule::default()
        };
        let market = OrderGradient::new(1, &[rule], estimator, &[3.0]).unwrap();
        let rows: Vec<Dual> = market
            .signals()
            .iter()
            .flat_map(|s| (0..s.rows()).map(|row| Dual::constant(s.row(0, row)[0])))
            .collect();
        let inputs = MarketInputs {
            theta: &[],
            rows: &rows,
            state: &[],
        };
        let placed = market.order(&inputs, Dual::variable(order));
        assert_eq!(placed.value(), market.apply(0, order));
        (placed.value(), placed.derivative())
    }

    #[test]
    fn only_two_estimators_see_the_jump() {
        // The threshold is at 10 units, where the order jumps from 0 to 20.
        assert_eq!(slope(Estimator::StraightThrough, 9.0), (0.0, 0.0));
        let (placed, smoothed) = slope(Estimator::Smoothed, 9.0);
        assert_eq!((placed, smoothed), (0.0, 20.0 / 6.0));
        let (placed, mixed) = slope(Estimator::Mixed, 9.0);
        assert!(placed == 0.0 && mixed > 1.0);
        for estimator in [
            Estimator::StraightThrough,
            Estimator::Smoothed,
            Estimator::Mixed,
        ] {
            let (_, far) = slope(estimator, 62.0);
            assert!((0.6..1.5).contains(&far), "{estimator:?}: {far}");
        }
    }
}
