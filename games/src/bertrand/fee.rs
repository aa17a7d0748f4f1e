//! The fee as the retailer's action, with and without an outside option for the seller.

use super::demand::{Demand, LinearDemand};
use super::model::{Sale, SharedRevenue};
use crate::error::{Argument, GamesError, non_negative, real};

/// Which price of an interval is played. A fee can only be chosen once this is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Selection {
    /// The highest: best for the seller.
    HighestPrice,
    /// The lowest: best for the retailer and the consumers.
    LowestPrice,
}

/// Whether the seller joins at what it would earn. Implement it for other models of the alternative.
pub trait OutsideOption {
    /// True when the seller joins a game in which it would make the given sale.
    fn joins(&self, sale: &Sale) -> bool;
}

/// The seller always joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoOption;

impl OutsideOption for NoOption {
    fn joins(&self, _sale: &Sale) -> bool {
        true
    }
}

/// A lump sum $\omega\ge0$: the seller joins when its payoff is at least that. Our formulation of the paper's outside option.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LumpSum(f64);

impl LumpSum {
    /// An option worth $\omega$.
    ///
    /// # Errors
    /// [`GamesError::OutOfRange`] or [`GamesError::NotFinite`] for a negative value.
    pub fn new(value: f64) -> Result<Self, GamesError> {
        Ok(Self(non_negative(Argument::OutsideOption, value)?))
    }
}

impl OutsideOption for LumpSum {
    fn joins(&self, sale: &Sale) -> bool {
        // A seller just held to its option stays.
        sale.seller >= self.0 - 1e-12 * (1.0 + self.0)
    }
}

/// The retailer's best fee.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BestFee {
    /// The fee; `None` when the retailer does best without the seller (any fee at which it would not join or sell).
    pub fee: Option<f64>,
    /// The retailer's payoff: a maximum, or a supremum when `attained` is false.
    pub value: f64,
    /// Whether the value is reached at the fee.
    pub attained: bool,
    /// The retailer's payoff alone, for comparison.
    pub alone: f64,
}

impl BestFee {
    /// The answer as a sentence without its stop.
    #[must_use]
    pub fn words(&self) -> String {
        match self.fee {
            Some(fee) => format!(
                "the retailer earns most, {:.4}, at a fee of {:.1} %; alone {:.4}",
                self.value,
                100.0 * fee,
                self.alone
            ),
            None => format!(
                "no fee earns the retailer more than selling alone, {:.4}",
                self.alone
            ),
        }
    }
}

impl<D: Demand + Clone> SharedRevenue<D> {
    /// The sale under a selection rule.
    #[must_use]
    pub fn selected_sale(&self, selection: Selection) -> Sale {
        let [low, high] = self.outcome_sales();
        match selection {
            Selection::HighestPrice => high,
            Selection::LowestPrice => low,
        }
    }

    /// The retailer's payoff at a fee (this game's own fee is not used), the seller joining or not.
    ///
    /// # Errors
    /// [`GamesError::OutOfRange`] or [`GamesError::NotFinite`] for a fee outside $[0,1)$.
    pub fn payoff_at_fee(
        &self,
        fee: f64,
        selection: Selection,
        option: &impl OutsideOption,
    ) -> Result<f64, GamesError> {
        let game = self.with_fee(fee)?;
        let sale = game.selected_sale(selection);
        // A seller with a better option leaves, also when it would only be a threat: the retailer is alone.
        Ok(if option.joins(&sale) {
            sale.retailer
        } else {
            self.retailer_alone().retailer
        })
    }

    /// The best fee by search: a grid of `steps` fees, then golden section around the best. Works for any demand, selection and option; the payoff may jump, so the value is a
    /// supremum to within the search.
    ///
    /// # Errors
    /// [`GamesError::Empty`] for no steps.
    pub fn search_fee(
        &self,
        selection: Selection,
        option: &impl OutsideOption,
        steps: usize,
    ) -> Result<BestFee, GamesError> {
        if steps == 0 {
            return Err(GamesError::Empty {
                argument: Argument::Steps,
            });
        }
        let alone = self.retailer_alone().retailer;
        let at = |fee: f64| {
            self.payoff_at_fee(fee, selection, option)
                .unwrap_or(f64::NEG_INFINITY)
        };
        let mut best = (alone, None);
        for i in 0..steps {
            let fee = real(i) / real(steps);
            let value = at(fee);
            if value > best.0 {
                best = (value, Some(fee));
            }
        }
        if let Some(start) = best.1 {
            // Zoom: keeps the best point seen, so a jump cannot lose it.
            let mut width = 1.0 / real(steps);
            let mut centre = start;
            for _ in 0..40 {
                for i in -8i32..=8 {
                    let fee = (centre + width * f64::from(i) / 8.0).clamp(0.0, 1.0 - 1e-15);
                    let value = at(fee);
                    if value > best.0 {
                        best = (value, Some(fee));
                    }
                }
                centre = best.1.unwrap_or(centre);
                width *= 0.5;
            }
        }
        Ok(BestFee {
            fee: best.1,
            value: best.0,
            attained: true,
            alone,
        })
    }
}

impl SharedRevenue<LinearDemand> {
    /// The best fee in closed form, for linear demand and the selection of the highest price, with an outside option worth $\omega$.
    ///
    /// Either "share nothing" ($\pi^\ast$) or $\alpha^\ast=\min(\alpha_u,\bar\alpha)$: $\alpha_u$ is the only root of $\theta^2(1-\alpha)^3=c_S^2(1+\alpha)$, independent of $c_R$, and
    /// $\bar\alpha=1-[\theta c_S+2\omega+2\sqrt{\omega(\theta c_S+\omega)}]/\theta^2$ holds the seller to its option. With $c_S=\omega=0$ the fee tends to 1: a supremum that is not attained.
    ///
    /// # Errors
    /// [`GamesError::OutOfRange`] or [`GamesError::NotFinite`] for a negative option.
    pub fn best_fee(&self, outside_option: f64) -> Result<BestFee, GamesError> {
        let omega = non_negative(Argument::OutsideOption, outside_option)?;
        let theta = self.demand.choke_price();
        let alone = self.retailer_alone().retailer;
        let unconstrained = self.unconstrained_fee();
        let held = 1.0
            - (theta * self.c_s + 2.0 * omega + 2.0 * (omega * (theta * self.c_s + omega)).sqrt())
                / (theta * theta);
        let fee = unconstrained.min(held);
        if fee < 0.0 {
            return Ok(BestFee {
                fee: None,
                value: alone,
                attained: true,
                alone,
            });
        }
        let keep = 1.0 - fee;
        let s0 = if keep > 0.0 { self.c_s / keep } else { 0.0 };
        let value = 0.25 * fee * (theta * theta - s0 * s0);
        Ok(if value > alone {
            BestFee {
                fee: Some(fee),
                value,
                attained: fee < 1.0,
                alone,
            }
        } else {
            BestFee {
                fee: None,
                value: alone,
                attained: true,
                alone,
            }
        })
    }

    /// $\alpha_u$: the fee that maximises $\alpha s^\ast Q(s^\ast)$; negative when even a fee of 0 leaves the seller no sale.
    fn unconstrained_fee(&self) -> f64 {
        let (theta, c) = (self.demand.choke_price(), self.c_s);
        if c >= theta {
            return -1.0;
        }
        let excess = |a: f64| theta * theta * (1.0 - a).powi(3) - c * c * (1.0 + a);
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..80 {
            let middle = 0.5 * (low + high);
            if excess(middle) > 0.0 {
                low = middle
            } else {
                high = middle
            }
        }
        if c > 0.0 { low } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::super::equilibria::tests::game;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]
        #[test]
        fn the_closed_form_equals_search(game in game(), w in prop_oneof![Just(0.0), 0.0f64..0.3]) {
            let theta = game.demand.choke_price();
            let omega = w * theta * theta;
            let closed = game.best_fee(omega).unwrap();
            let searched = game.search_fee(Selection::HighestPrice, &LumpSum::new(omega).unwrap(), 2000).unwrap();
            let tol = if closed.attained { 1e-6 } else { 1e-3 };
            prop_assert!((closed.value - searched.value).abs() < tol * theta * theta, "{:?} {:?} {:?}", closed, searched, game);
            prop_assert!(closed.value >= closed.alone);
            if let Some(fee) = closed.fee.filter(|f| *f < 1.0 - 1e-9) {
                // At that fee the seller sells at its own price and takes at least its option.
                let sale = game.with_fee(fee).unwrap().selected_sale(Selection::HighestPrice);
                prop_assert!((sale.retailer - closed.value).abs() < 1e-7 * theta * theta, "{:?} {:?}", sale, closed);
                prop_assert!(sale.seller >= omega - 1e-7 * theta * theta);
            }
        }

        #[test]
        fn the_fee_falls_in_the_sellers_cost_and_in_its_option(game in game(), w in 0.0f64..0.2) {
            let theta = game.demand.choke_price();
            let dearer = SharedRevenue { c_s: game.c_s + 0.01 * theta, ..game };
            prop_assert!(dearer.unconstrained_fee() <= game.unconstrained_fee() + 1e-12);
            let (free, held) = (game.best_fee(0.0).unwrap(), game.best_fee(w * theta * theta).unwrap());
            prop_assert!(held.value <= free.value + 1e-12);
            if let (Some(a), Some(b)) = (free.fee, held.fee) {
                prop_assert!(b <= a + 1e-12);
            }
        }
    }

    #[test]
    fn a_free_seller_is_taxed_to_the_limit_and_the_selection_matters() {
        let game = SharedRevenue::new(LinearDemand::new(1.0).unwrap(), 0.5, 0.0, 0.1).unwrap();
        let best = game.best_fee(0.0).unwrap();
        assert!(!best.attained && (best.value - 0.25).abs() < 1e-12);
        // With the lowest price the retailer can take (r* - c_S) Q(r*), leaving the seller nothing.
        let game = SharedRevenue::new(LinearDemand::new(1.0).unwrap(), 0.5, 0.2, 0.1).unwrap();
        let low = game
            .search_fee(Selection::LowestPrice, &NoOption, 4000)
            .unwrap();
        let high = game
            .search_fee(Selection::HighestPrice, &NoOption, 4000)
            .unwrap();
        assert!((low.value - (0.75 - 0.2) * 0.25).abs() < 1e-4, "{low:?}");
        assert!(low.value > high.value);
        assert!(matches!(
            LumpSum::new(-1.0),
            Err(GamesError::OutOfRange {
                argument: Argument::OutsideOption,
                ..
            })
        ));
    }
}
