//! How much collusion the equilibria of a market on a grid allow, and how it is measured.

use super::market::PriceMarket;
use crate::equilibrium::{Concept, Objective, correlated_equilibrium};
use crate::error::{Argument, GamesError, finite, non_negative, positive};

/// Joint profits that equilibria of the grid game allow.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CollusionBounds {
    /// Highest joint profit at any pure profile of the grid.
    pub monopoly_profit: f64,
    /// Least and greatest joint profit over correlated equilibria.
    pub correlated: (f64, f64),
    /// Least and greatest joint profit over coarse correlated equilibria.
    pub coarse: (f64, f64),
    /// Greatest correlated joint profit over the monopoly profit; `None` when the monopoly profit is not positive, where a share has no meaning.
    pub correlated_share: Option<f64>,
    /// Greatest coarse correlated joint profit over the monopoly profit; `None` as above.
    pub coarse_share: Option<f64>,
}

impl PriceMarket {
    /// Least and greatest joint profit over the correlated and the coarse correlated equilibria of the grid game: what play without swap regret, and without
    /// external regret, can sustain.
    ///
    /// # Errors
    /// As [`PriceMarket::game`] and [`crate::equilibrium::correlated_equilibrium`].
    pub fn collusion_bounds(&self) -> Result<CollusionBounds, GamesError> {
        let game = self.game()?;
        let joint: Vec<f64> = (0..game.profiles()).map(|s| game.welfare(s)).collect();
        let monopoly_profit = joint.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let against = Objective::Linear(joint.iter().map(|u| -u).collect());
        let range = |concept| -> Result<(f64, f64), GamesError> {
            let low = correlated_equilibrium(&game, concept, &against)?;
            let high = correlated_equilibrium(&game, concept, &Objective::Welfare)?;
            Ok((-low.value, high.value))
        };
        let (correlated, coarse) = (
            range(Concept::Correlated)?,
            range(Concept::CoarseCorrelated)?,
        );
        Ok(CollusionBounds {
            monopoly_profit,
            correlated,
            coarse,
            correlated_share: share(correlated.1, monopoly_profit),
            coarse_share: share(coarse.1, monopoly_profit),
        })
    }
}

/// `part` of `whole`, where there is a whole.
fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// The collusion index $(p-p_N)/(p_M-p_N)$: 0 at the Nash price, 1 at the monopoly price. Works for profits as well.
///
/// # Errors
/// [`GamesError::OutOfRange`] when the monopoly price is not above the Nash price.
pub fn collusion_index(observed: f64, nash: f64, monopoly: f64) -> Result<f64, GamesError> {
    finite(Argument::Observed, observed)?;
    if finite(Argument::Monopoly, monopoly)? <= finite(Argument::Nash, nash)? {
        return Err(GamesError::OutOfRange {
            argument: Argument::Monopoly,
            interval: "(nash, inf)",
            value: monopoly,
        });
    }
    Ok((observed - nash) / (monopoly - nash))
}

/// The Lerner index $(p-c)/p$.
///
/// # Errors
/// [`GamesError::OutOfRange`] or [`GamesError::NotFinite`] unless the price is positive and the cost non-negative.
pub fn lerner_index(price: f64, cost: f64) -> Result<f64, GamesError> {
    Ok((positive(Argument::Price, price)? - non_negative(Argument::Cost, cost)?) / price)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::equilibrium::{FollowerTies, stackelberg};
    use crate::grid::{GridTie, MarketModel};

    fn unit_grid(k: u32) -> PriceMarket {
        let prices = (1..=k).map(|i| f64::from(i) / f64::from(k)).collect();
        PriceMarket::new(
            MarketModel::UnitBertrand {
                value: 1.0,
                tie: GridTie::Split,
            },
            vec![0.0; 2],
            prices,
        )
        .unwrap()
    }

    #[test]
    fn coarse_equilibria_sustain_most_of_the_monopoly_profit_and_correlated_ones_do_not() {
        // Values found independently with another solver.
        for (k, coarse) in [(10u32, 0.7326), (20, 0.7355)] {
            let bounds = unit_grid(k).collusion_bounds().unwrap();
            assert!(
                (bounds.coarse_share.unwrap() - coarse).abs() < 1e-4,
                "{bounds:?}"
            );
            assert!(
                (bounds.correlated_share.unwrap() - 2.0 / f64::from(k)).abs() < 1e-7,
                "{bounds:?}"
            );
            assert!(bounds.coarse.0 <= bounds.correlated.0 + 1e-9);
        }
    }

    #[test]
    fn without_monopoly_profit_there_is_no_share() {
        // The only price covers half of the cost: every sale loses.
        let model = MarketModel::UnitBertrand {
            value: 1.0,
            tie: GridTie::Split,
        };
        let market = PriceMarket::new(model, vec![1.0; 2], vec![0.5]).unwrap();
        let bounds = market.collusion_bounds().unwrap();
        assert!((bounds.monopoly_profit + 0.5).abs() < 1e-12);
        assert_eq!((bounds.correlated_share, bounds.coarse_share), (None, None));
        // Nor where nothing is sold.
        let model = MarketModel::LinearBertrand {
            choke_price: 1.0,
            tie: GridTie::Split,
        };
        let market = PriceMarket::new(model, vec![0.0; 2], vec![2.0]).unwrap();
        assert_eq!(market.collusion_bounds().unwrap().coarse_share, None);
    }

    #[test]
    fn indices_refuse_what_has_no_meaning() {
        assert!(collusion_index(1.0, 1.0, 1.0).is_err() && lerner_index(0.0, 0.0).is_err());
    }

    #[test]
    fn a_price_leader_gains_in_differentiated_demand() {
        let prices: Vec<f64> = (0..40).map(|i| 0.8 + 0.03 * f64::from(i)).collect();
        let market = PriceMarket::new(
            MarketModel::DifferentiatedLinear {
                intercept: 1.0,
                own: 1.0,
                cross: 0.7,
            },
            vec![0.2; 2],
            prices,
        )
        .unwrap();
        let game = market.game().unwrap();
        let nash = market.profits(&market.nash_prices().unwrap()).unwrap()[0];
        assert!(
            stackelberg(&game, 0, FollowerTies::ForLeader)
                .unwrap()
                .value
                > nash
        );
    }
}
