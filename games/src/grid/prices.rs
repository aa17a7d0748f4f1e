//! Nash and monopoly prices of a market when any real price may be posted.

use super::market::{MarketModel, PriceMarket};
use crate::error::{GamesError, Method, real};

impl PriceMarket {
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
                    let share = self.sold(&trial)[i];
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
                    let inside: f64 = self.sold(&at(m)).iter().sum();
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
    use crate::grid::collusion_index;
    use proptest::prelude::*;

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
    }
}
