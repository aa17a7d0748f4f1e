//! Oligopolies on a price grid: homogeneous Bertrand, differentiated linear demand, logit demand.

use crate::error::{Argument, GamesError, Method, finite, non_negative, positive, real};
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
    /// $q_i=\max(a-b\,p_i+d\,\bar p_{-i},0)$ with $\bar p_{-i}$ the mean of the others' prices. A firm that sells nothing still counts in the others' mean:
    /// choose grids on which all quantities are positive.
    DifferentiatedLinear {
        /// Intercept $a>0$.
        intercept: f64,
        /// Own slope $b>0$.
        own: f64,
        /// Cross slope $d\in[0,b)$.
        cross: f64,
    },
    /// $q_i=\exp((a_i-p_i)/\mu)\,/\,[\exp(a_0/\mu)+\sum_j\exp((a_j-p_j)/\mu)]$.
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
/// assert!((bounds.coarse_share - 0.7355).abs() < 1e-4); // coarse correlated equilibria reach most of the monopoly profit
/// assert!((bounds.correlated_share - 0.1).abs() < 1e-6); // correlated ones hardly any
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PriceMarket {
    model: MarketModel,
    costs: Vec<f64>,
    prices: Vec<f64>,
}

/// Joint profits that equilibria of the grid game allow.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CollusionBounds {
    /// Highest joint profit at any pure profile of the grid.
    pub monopoly_profit: f64,
    /// Least and greatest joint profit over correlated equilibria.
    pub correlated: (f64, f64),
    /// Least and greatest joint profit over coarse correlated equilibria.
    pub coarse: (f64, f64),
    /// Greatest correlated joint profit over the monopoly profit.
    pub correlated_share: f64,
    /// Greatest coarse correlated joint profit over the monopoly profit.
    pub coarse_share: f64,
}

impl PriceMarket {
    /// A market with one cost for each firm and a grid of prices.
    ///
    /// # Errors
    /// [`GamesError::Empty`] for no firms or prices; [`GamesError::OutOfRange`], [`GamesError::NotFinite`] or [`GamesError::Length`] with the name of the number.
    pub fn new(model: MarketModel, costs: Vec<f64>, prices: Vec<f64>) -> Result<Self, GamesError> {
        if costs.is_empty() {
            return Err(GamesError::Empty { argument: Argument::Costs });
        }
        if prices.is_empty() {
            return Err(GamesError::Empty { argument: Argument::Prices });
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
                crate::error::length(Argument::Quality, costs.len(), quality.len())?;
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
        crate::error::length(Argument::Prices, self.costs.len(), prices.len())?;
        let n = prices.len();
        Ok(match &self.model {
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
        })
    }

    /// Profit of each firm at any prices.
    ///
    /// # Errors
    /// As [`PriceMarket::quantities`].
    pub fn profits(&self, prices: &[f64]) -> Result<Vec<f64>, GamesError> {
        let quantities = self.quantities(prices)?;
        Ok(quantities
            .iter()
            .zip(prices)
            .zip(&self.costs)
            .map(|((q, p), c)| (p - c) * q)
            .collect())
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
                last = (
                    profile.to_vec(),
                    self.profits(&prices)
                        .unwrap_or_else(|_| vec![f64::NAN; prices.len()]),
                );
            }
            last.1[firm]
        })
    }

    /// Nash prices of the game with any real prices. Homogeneous goods: the second-lowest cost, capped by the price of a monopolist with the lowest
    /// cost. Differentiated linear and logit demand: the fixed point of the first-order conditions (interior quantities assumed).
    ///
    /// # Errors
    /// [`GamesError::NotConverged`] when the iteration does not settle.
    pub fn nash_prices(&self) -> Result<Vec<f64>, GamesError> {
        let n = self.costs.len();
        match &self.model {
            MarketModel::UnitBertrand { .. } | MarketModel::LinearBertrand { .. } => {
                let mut sorted = self.costs.clone();
                sorted.sort_by(f64::total_cmp);
                let monopoly = self.monopoly_prices()?[0];
                let price = if n > 1 {
                    sorted[1].min(monopoly).max(sorted[0])
                } else {
                    monopoly
                };
                Ok(vec![price; n])
            }
            MarketModel::DifferentiatedLinear {
                intercept,
                own,
                cross,
            } => self.iterate(|i, p| {
                let others = mean_of_others(p, i);
                (intercept + own * self.costs[i] + cross * others) / (2.0 * own)
            }),
            MarketModel::Logit { dispersion, .. } => self.iterate(|i, p| {
                // The best reply solves p - c = mu / (1 - s(p)): the left side rises in p, the right side falls.
                let mut trial = p.to_vec();
                let mut short = |m: f64| {
                    trial[i] = self.costs[i] + m;
                    let share = self.quantities(&trial).map_or(0.0, |q| q[i]);
                    m * (1.0 - share) < *dispersion
                };
                let (mut low, mut high) = (*dispersion, 2.0 * dispersion);
                while short(high) && high < 1e12 {
                    high *= 2.0;
                }
                for _ in 0..70 {
                    let middle = 0.5 * (low + high);
                    if short(middle) {
                        low = middle
                    } else {
                        high = middle
                    }
                }
                self.costs[i] + 0.5 * (low + high)
            }),
        }
    }

    /// Prices that maximise joint profit, any real prices. A homogeneous good is sold by the firm with the lowest cost.
    ///
    /// # Errors
    /// [`GamesError::NotConverged`] when the iteration does not settle.
    pub fn monopoly_prices(&self) -> Result<Vec<f64>, GamesError> {
        let n = self.costs.len();
        let cheapest = self.costs.iter().copied().fold(f64::INFINITY, f64::min);
        match &self.model {
            MarketModel::UnitBertrand { value, .. } => Ok(vec![value.max(cheapest); n]),
            MarketModel::LinearBertrand { choke_price, .. } => {
                Ok(vec![0.5 * (choke_price + cheapest).max(2.0 * cheapest); n])
            }
            MarketModel::DifferentiatedLinear {
                intercept,
                own,
                cross,
            } => self.iterate(|i, p| {
                let others = mean_of_others(p, i);
                let costs = mean_of_others(&self.costs, i);
                (intercept + own * self.costs[i] + 2.0 * cross * others - cross * costs)
                    / (2.0 * own)
            }),
            MarketModel::Logit { dispersion, .. } => {
                // One markup for all: m = mu / s_0(m), and s_0 rises with m.
                let at = |m: f64| -> Vec<f64> { self.costs.iter().map(|c| c + m).collect() };
                let excess = |m: f64| {
                    let inside: f64 = self.quantities(&at(m)).map_or(1.0, |q| q.iter().sum());
                    dispersion - m * (1.0 - inside)
                };
                let mut high = *dispersion;
                while excess(high) > 0.0 && high < 1e12 {
                    high *= 2.0;
                }
                let mut low = 0.0;
                for _ in 0..100 {
                    let middle = 0.5 * (low + high);
                    if excess(middle) > 0.0 {
                        low = middle
                    } else {
                        high = middle
                    }
                }
                Ok(at(0.5 * (low + high)))
            }
        }
    }

    fn iterate(&self, next: impl Fn(usize, &[f64]) -> f64) -> Result<Vec<f64>, GamesError> {
        let mut prices: Vec<f64> = self.costs.iter().map(|c| c + 1e-3).collect();
        let mut change = f64::INFINITY;
        for _ in 0..100_000 {
            change = 0.0;
            for i in 0..prices.len() {
                let p = next(i, &prices);
                change = change.max((p - prices[i]).abs() / (1.0 + p.abs()));
                prices[i] = p;
            }
            if change < 1e-13 {
                return Ok(prices);
            }
        }
        Err(GamesError::NotConverged {
            method: Method::PriceIteration,
            residual: change,
            iterations: 100_000,
        })
    }

    /// Least and greatest joint profit over the correlated and the coarse correlated equilibria of the grid game: what play without swap regret, and without
    /// external regret, can sustain.
    ///
    /// # Errors
    /// As [`PriceMarket::game`] and [`crate::equilibrium::correlated_equilibrium`].
    pub fn collusion_bounds(&self) -> Result<CollusionBounds, GamesError> {
        use crate::equilibrium::{Concept, Objective, correlated_equilibrium};
        let game = self.game()?;
        let joint: Vec<f64> = (0..game.profiles())
            .map(|s| {
                (0..game.players())
                    .filter_map(|i| game.payoffs(i))
                    .map(|u| u[s])
                    .sum()
            })
            .collect();
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
            correlated_share: correlated.1 / monopoly_profit,
            coarse_share: coarse.1 / monopoly_profit,
        })
    }
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

fn mean_of_others(values: &[f64], i: usize) -> f64 {
    if values.len() < 2 {
        0.0
    } else {
        (values.iter().sum::<f64>() - values[i]) / real(values.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::equilibrium::{FollowerTies, stackelberg};
    use proptest::prelude::*;

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
            assert!((bounds.coarse_share - coarse).abs() < 1e-4, "{bounds:?}");
            assert!(
                (bounds.correlated_share - 2.0 / f64::from(k)).abs() < 1e-7,
                "{bounds:?}"
            );
            assert!(bounds.coarse.0 <= bounds.correlated.0 + 1e-9);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn nash_and_monopoly_prices_are_what_they_say(n in 1usize..4, c in 0.0f64..0.5, d in 0.0f64..0.9, mu in 0.1f64..1.0, logit in any::<bool>()) {
            let costs: Vec<f64> = (0..n).map(|i| c + 0.1 * real(i)).collect();
            let model = if logit {
                MarketModel::Logit { quality: (0..n).map(|i| 1.0 + 0.2 * real(i)).collect(), outside: 0.0, dispersion: mu }
            } else {
                MarketModel::DifferentiatedLinear { intercept: 2.0, own: 1.0, cross: d }
            };
            let market = PriceMarket::new(model, costs, vec![1.0]).unwrap();
            let nash = market.nash_prices().unwrap();
            let monopoly = market.monopoly_prices().unwrap();
            let here = market.profits(&nash).unwrap();
            let joint: f64 = market.profits(&monopoly).unwrap().iter().sum();
            for i in 0..n {
                for step in -40i32..=40 {
                    let mut p = nash.clone();
                    p[i] = (p[i] + 0.05 * f64::from(step)).max(0.0);
                    prop_assert!(market.profits(&p).unwrap()[i] <= here[i] + 1e-9);
                    let mut p = monopoly.clone();
                    p[i] = (p[i] + 0.05 * f64::from(step)).max(0.0);
                    if market.quantities(&p).unwrap().iter().all(|q| *q > 0.0) {
                        prop_assert!(market.profits(&p).unwrap().iter().sum::<f64>() <= joint + 1e-9);
                    }
                }
                prop_assert!(monopoly[i] >= nash[i] - 1e-9);
                prop_assert!((collusion_index(nash[i], nash[i], nash[i] + 1.0).unwrap()).abs() < 1e-12);
            }
        }

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
        assert!(stackelberg(&game, 0, FollowerTies::ForLeader).unwrap().value > nash);
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
        assert!(collusion_index(1.0, 1.0, 1.0).is_err() && lerner_index(0.0, 0.0).is_err());
    }
}
