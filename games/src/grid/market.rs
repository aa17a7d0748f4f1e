//! Oligopolies on a price grid: homogeneous Bertrand, differentiated linear demand, logit demand.

use crate::error::{Argument, GamesError, finite, length, non_negative, positive, real};
use crate::game::Game;

/// Who sells when several firms post the lowest price of a homogeneous good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum GridTie {
    /// They share demand equally.
    Split,
    /// The one with the lowest number serves all.
    LowestNumber,
}

/// How prices become quantities.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "model", rename_all = "snake_case")
)]
pub enum MarketModel {
    /// One good, one buyer of one unit who pays at most `value`; the lowest price sells.
    UnitBertrand {
        /// What the buyer pays at most.
        value: f64,
        /// Who sells at a tie.
        tie: GridTie,
    },
    /// One good, demand $\max(\theta-p,0)$; the lowest price sells.
    LinearBertrand {
        /// The choke price $\theta$.
        choke_price: f64,
        /// Who sells at a tie.
        tie: GridTie,
    },
    /// $q_i=\max(a-b\thinspace p_i+d\thinspace\bar p_{-i},0)$ with $\bar p_{-i}$ the mean of the others' prices. A firm that sells nothing still counts in the others' mean:
    /// choose grids on which all quantities are positive.
    DifferentiatedLinear {
        /// Intercept $a>0$.
        intercept: f64,
        /// Own slope $b>0$.
        own: f64,
        /// Cross slope $d\in[0,b)$.
        cross: f64,
    },
    /// $q_i=\exp((a_i-p_i)/\mu)\thinspace/\thinspace[\exp(a_0/\mu)+\sum_j\exp((a_j-p_j)/\mu)]$.
    Logit {
        /// Quality $a_i$ of each firm.
        quality: Vec<f64>,
        /// Value $a_0$ of buying nothing.
        outside: f64,
        /// Taste dispersion $\mu>0$.
        dispersion: f64,
    },
}

/// Firms with constant costs that choose prices from a common grid.
///
/// ```
/// use hindsight_games::grid::{GridTie, MarketModel, PriceMarket};
/// let prices: Vec<f64> = (1..=20).map(|i| f64::from(i) / 20.0).collect();
/// let market = PriceMarket::new(MarketModel::UnitBertrand { value: 1.0, tie: GridTie::Split }, vec![0.0, 0.0], prices)?;
/// let bounds = market.collusion_bounds()?;
/// assert!((bounds.coarse_share.unwrap() - 0.7355).abs() < 1e-4); // coarse correlated equilibria reach most of the monopoly profit
/// assert!((bounds.correlated_share.unwrap() - 0.1).abs() < 1e-6); // correlated ones hardly any
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PriceMarket {
    pub(super) model: MarketModel,
    pub(super) costs: Vec<f64>,
    prices: Vec<f64>,
}

impl PriceMarket {
    /// A market with one cost for each firm and a grid of prices.
    ///
    /// # Errors
    /// [`GamesError::Empty`] for no firms or prices; [`GamesError::OutOfRange`], [`GamesError::NotFinite`] or [`GamesError::Length`] with the name of the number.
    pub fn new(model: MarketModel, costs: Vec<f64>, prices: Vec<f64>) -> Result<Self, GamesError> {
        if costs.is_empty() {
            return Err(GamesError::Empty {
                argument: Argument::Costs,
            });
        }
        if prices.is_empty() {
            return Err(GamesError::Empty {
                argument: Argument::Prices,
            });
        }
        for &c in &costs {
            non_negative(Argument::Cost, c)?;
        }
        for &p in &prices {
            non_negative(Argument::Price, p)?;
        }
        match &model {
            MarketModel::UnitBertrand { value, .. } => {
                positive(Argument::Value, *value)?;
            }
            MarketModel::LinearBertrand { choke_price, .. } => {
                positive(Argument::ChokePrice, *choke_price)?;
            }
            MarketModel::DifferentiatedLinear {
                intercept,
                own,
                cross,
            } => {
                positive(Argument::Intercept, *intercept)?;
                positive(Argument::Own, *own)?;
                if non_negative(Argument::Cross, *cross)? >= *own {
                    return Err(GamesError::OutOfRange {
                        argument: Argument::Cross,
                        interval: "[0, own)",
                        value: *cross,
                    });
                }
            }
            MarketModel::Logit {
                quality,
                outside,
                dispersion,
            } => {
                length(Argument::Quality, costs.len(), quality.len())?;
                for &a in quality {
                    finite(Argument::Quality, a)?;
                }
                finite(Argument::Outside, *outside)?;
                positive(Argument::Dispersion, *dispersion)?;
            }
        }
        Ok(Self {
            model,
            costs,
            prices,
        })
    }

    /// The grid of prices.
    #[must_use]
    pub fn prices(&self) -> &[f64] {
        &self.prices
    }

    /// Units sold by each firm at any prices, on the grid or not.
    ///
    /// # Errors
    /// [`GamesError::Length`] when there is not one price a firm.
    pub fn quantities(&self, prices: &[f64]) -> Result<Vec<f64>, GamesError> {
        length(Argument::Prices, self.costs.len(), prices.len())?;
        Ok(self.sold(prices))
    }

    /// Units sold at one price a firm.
    pub(super) fn sold(&self, prices: &[f64]) -> Vec<f64> {
        let n = prices.len();
        match &self.model {
            MarketModel::UnitBertrand { value, tie } => {
                lowest(prices, *tie, |p| if p <= *value { 1.0 } else { 0.0 })
            }
            MarketModel::LinearBertrand { choke_price, tie } => {
                lowest(prices, *tie, |p| (choke_price - p).max(0.0))
            }
            MarketModel::DifferentiatedLinear {
                intercept,
                own,
                cross,
            } => {
                let sum: f64 = prices.iter().sum();
                let others = |p: f64| if n > 1 { (sum - p) / real(n - 1) } else { 0.0 };
                prices
                    .iter()
                    .map(|&p| (intercept - own * p + cross * others(p)).max(0.0))
                    .collect()
            }
            MarketModel::Logit {
                quality,
                outside,
                dispersion,
            } => {
                let utility: Vec<f64> = quality
                    .iter()
                    .zip(prices)
                    .map(|(a, p)| (a - p) / dispersion)
                    .collect();
                let top = utility.iter().copied().fold(outside / dispersion, f64::max);
                let total: f64 = (outside / dispersion - top).exp()
                    + utility.iter().map(|u| (u - top).exp()).sum::<f64>();
                utility.iter().map(|u| (u - top).exp() / total).collect()
            }
        }
    }

    /// Profit of each firm at any prices.
    ///
    /// # Errors
    /// As [`PriceMarket::quantities`].
    pub fn profits(&self, prices: &[f64]) -> Result<Vec<f64>, GamesError> {
        length(Argument::Prices, self.costs.len(), prices.len())?;
        Ok(self.earned(prices))
    }

    /// Profit of each firm at one price a firm.
    fn earned(&self, prices: &[f64]) -> Vec<f64> {
        self.sold(prices)
            .iter()
            .zip(prices)
            .zip(&self.costs)
            .map(|((q, p), c)| (p - c) * q)
            .collect()
    }

    /// The game in which each firm chooses a price of the grid.
    ///
    /// # Errors
    /// [`GamesError::TooLarge`] for too many profiles.
    pub fn game(&self) -> Result<Game, GamesError> {
        let shape = vec![self.prices.len(); self.costs.len()];
        let mut last: (Vec<usize>, Vec<f64>) = (Vec::new(), Vec::new());
        Game::from_fn(&shape, |firm, profile| {
            if last.0 != profile {
                let prices: Vec<f64> = profile.iter().map(|&a| self.prices[a]).collect();
                last = (profile.to_vec(), self.earned(&prices));
            }
            last.1[firm]
        })
    }
}

fn lowest(prices: &[f64], tie: GridTie, demand: impl Fn(f64) -> f64) -> Vec<f64> {
    let low = prices.iter().copied().fold(f64::INFINITY, f64::min);
    let at = |p: f64| p <= low;
    let count = prices.iter().filter(|p| at(**p)).count();
    let mut served = false;
    prices
        .iter()
        .map(|&p| {
            if !at(p) || (tie == GridTie::LowestNumber && served) {
                return 0.0;
            }
            served = true;
            demand(p)
                / if tie == GridTie::Split {
                    real(count)
                } else {
                    1.0
                }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn bertrand_quantities_add_up(p in proptest::collection::vec(0usize..4, 1..4), split in any::<bool>()) {
            let prices: Vec<f64> = p.iter().map(|&i| 0.2 * real(i)).collect();
            let tie = if split { GridTie::Split } else { GridTie::LowestNumber };
            let market = PriceMarket::new(MarketModel::LinearBertrand { choke_price: 0.5, tie }, vec![0.0; prices.len()], vec![0.1]).unwrap();
            let q = market.quantities(&prices).unwrap();
            let low = prices.iter().copied().fold(f64::INFINITY, f64::min);
            prop_assert!((q.iter().sum::<f64>() - (0.5 - low).max(0.0)).abs() < 1e-12);
        }
    }

    #[test]
    fn bad_markets_are_refused() {
        let logit = MarketModel::Logit {
            quality: vec![1.0],
            outside: 0.0,
            dispersion: 0.5,
        };
        assert!(matches!(
            PriceMarket::new(logit, vec![0.1, 0.1], vec![1.0]),
            Err(GamesError::Length {
                argument: Argument::Quality,
                ..
            })
        ));
        let linear = MarketModel::DifferentiatedLinear {
            intercept: 1.0,
            own: 0.5,
            cross: 0.5,
        };
        assert!(matches!(
            PriceMarket::new(linear.clone(), vec![0.1], vec![1.0]),
            Err(GamesError::OutOfRange {
                argument: Argument::Cross,
                ..
            })
        ));
        assert!(matches!(
            PriceMarket::new(linear, vec![-0.1], vec![1.0]),
            Err(GamesError::OutOfRange {
                argument: Argument::Cost,
                ..
            })
        ));
    }
}
