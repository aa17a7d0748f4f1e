//! The seller's best reply in closed form.

use super::model::{Marketplace, Posting, Rationing, Trade, check_posting};
use crate::error::{Argument, GamesError, finite};

/// What happens in the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Regime {
    /// The operator's price does not bind: the seller sells at its own price, the operator sells nothing.
    SellerAlone,
    /// The seller matches the operator's price and serves everyone; the operator's stock is a threat only.
    Compete,
    /// The seller lets the operator sell out and serves what is left at a higher price.
    Wait,
    /// The seller stays out; the operator sells.
    Abstain,
    /// The seller could never trade at a profit: the operator is alone.
    OperatorAlone,
    /// Nobody can trade at a profit.
    NoTrade,
}

impl Regime {
    /// All regimes; those of the first four can occur wherever the seller could trade alone.
    pub const ALL: [Regime; 6] = [
        Regime::Compete,
        Regime::Wait,
        Regime::Abstain,
        Regime::SellerAlone,
        Regime::OperatorAlone,
        Regime::NoTrade,
    ];

    /// The regime in a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Regime::Compete => "the seller matches the price",
            Regime::Wait => "the operator sells out first",
            Regime::Abstain => "the seller stays out",
            Regime::SellerAlone => "the seller alone",
            Regime::OperatorAlone => "the operator alone",
            Regime::NoTrade => "no trade",
        }
    }
}

/// The seller's best reply to a posting, and what follows.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Reply {
    /// Which case applies.
    pub regime: Regime,
    /// The seller's price and stock; stock 0 when it stays out (the price is then its break-even price).
    pub posting: Posting,
    /// Sales and payoffs.
    pub trade: Trade,
}

impl Marketplace {
    /// The least stock at the operator's price that makes the seller compete rather than wait (abstain rather than wait below $p_0$).
    ///
    /// Intensity: $q^\dagger(p)=\theta-p_0-2\sqrt{(p-p_0)(\theta-p)}$ on $[p_0,p^\ast)$, $\theta-p_0$ below $p_0$. Proportional:
    /// $q^\ddagger(p)=(\theta-p)\left[1-(p-p_0)(\theta-p)/L^2\right]$, $\theta-p$ below $p_0$. Zero from $p^\ast$ on, and everywhere when the seller is not viable. The intensity form on $[p_0,p^\ast)$ is the
    /// paper's, the rest is derived from the payoffs.
    #[must_use]
    pub fn threshold(&self, rationing: Rationing, price: f64) -> f64 {
        let p0 = self.break_even_price();
        if price >= self.sole_seller_price() || !self.seller_is_viable() {
            return 0.0;
        }
        let below = price < p0;
        let product = ((price - p0) * (self.theta - price)).max(0.0);
        match rationing {
            Rationing::Intensity if below => self.theta - p0,
            Rationing::Intensity => (self.theta - p0 - 2.0 * product.sqrt()).max(0.0),
            Rationing::Proportional if below => self.theta - price,
            Rationing::Proportional => {
                let l = self.half_width();
                (self.theta - price) * (1.0 - product / (l * l)).max(0.0)
            }
        }
    }

    /// The seller's best reply to the operator's price and stock. The seller always stocks exactly what it will sell.
    ///
    /// | case | reply |
    /// |---|---|
    /// | $p_M\ge p^\ast$ | $p_I=p^\ast$, whatever the stock |
    /// | $p_0\le p_M<p^\ast$, $q_M\ge$ threshold | compete: $p_I=p_M$, $q_I=Q(p_M)$ |
    /// | $q_M<$ threshold | wait: $p_I=(\theta+p_0-q_M)/2=q_I+p_0$ (intensity), $p_I=p^\ast$ (proportional) |
    /// | $p_M<p_0$, $q_M\ge$ threshold | abstain |
    ///
    /// At the threshold the seller competes, as in the paper; at $p_M=p_0$ it earns nothing either way and competes.
    ///
    /// # Errors
    /// [`GamesError::OutOfRange`] or [`GamesError::NotFinite`] for a negative price or stock.
    pub fn best_reply(&self, rationing: Rationing, operator: Posting) -> Result<Reply, GamesError> {
        check_posting(operator)?;
        Ok(self.reply(
            rationing,
            operator,
            self.threshold(rationing, operator.price),
            1.0,
        ))
    }

    /// The best reply when a unit of the operator's stock takes only $\gamma\in(0,1]$ units of demand from the seller, under
    /// intensity rationing: threshold $q^\dagger/\gamma$, waiting price $(\theta+p_0-\gamma q_M)/2$ (the factor $\gamma$ is the paper's, the
    /// formulas are derived).
    ///
    /// # Errors
    /// [`GamesError::ThresholdAboveDemand`] where $q^\dagger(p)/\gamma>Q(p)$: how the paper treats such points is unknown, so no answer is given there.
    /// [`GamesError::OutOfRange`] for $\gamma$ outside $(0,1]$ or a negative price or stock.
    pub fn best_reply_imperfect(&self, gamma: f64, operator: Posting) -> Result<Reply, GamesError> {
        check_posting(operator)?;
        if !(finite(Argument::Substitutability, gamma)? > 0.0 && gamma <= 1.0) {
            return Err(GamesError::OutOfRange {
                argument: Argument::Substitutability,
                interval: "(0, 1]",
                value: gamma,
            });
        }
        let threshold = self.threshold(Rationing::Intensity, operator.price) / gamma;
        let demand = self.demand(operator.price);
        if threshold > demand * (1.0 + 1e-12) {
            return Err(GamesError::ThresholdAboveDemand {
                gamma,
                price: operator.price,
                threshold,
                demand,
            });
        }
        Ok(self.reply(Rationing::Intensity, operator, threshold, gamma))
    }

    fn reply(&self, rationing: Rationing, operator: Posting, threshold: f64, gamma: f64) -> Reply {
        let (p0, star) = (self.break_even_price(), self.sole_seller_price());
        let demand = self.demand(operator.price);
        let done = |regime, price: f64, quantity: f64, operator_sales: f64| {
            let posting = Posting {
                price,
                stock: quantity,
            };
            Reply {
                regime,
                posting,
                trade: self.settle(operator, posting, operator_sales, quantity),
            }
        };
        if !self.seller_is_viable() {
            let regime = if demand > 0.0 && operator.stock > 0.0 {
                Regime::OperatorAlone
            } else {
                Regime::NoTrade
            };
            return done(regime, p0, 0.0, operator.stock.min(demand));
        }
        if operator.price >= star {
            done(Regime::SellerAlone, star, self.theta - star, 0.0)
        } else if operator.stock >= threshold {
            if operator.price >= p0 {
                done(Regime::Compete, operator.price, demand, 0.0)
            } else {
                done(Regime::Abstain, p0, 0.0, operator.stock.min(demand))
            }
        } else {
            let (price, quantity) = match rationing {
                Rationing::Intensity => {
                    let quantity = 0.5 * (self.theta - p0 - gamma * operator.stock);
                    (p0 + quantity, quantity)
                }
                Rationing::Proportional => {
                    (star, (self.theta - star) * (1.0 - operator.stock / demand))
                }
            };
            done(Regime::Wait, price, quantity, operator.stock.min(demand))
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::model::MarketParameters;
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn market() -> impl Strategy<Value = Marketplace> {
        let part = || prop_oneof![4 => 0.0f64..1.0, 1 => Just(0.0)];
        (
            0.5f64..3.0,
            part(),
            part(),
            prop_oneof![4 => 0.0f64..0.95, 1 => Just(0.0)],
            part(),
        )
            .prop_map(|(theta, c_m, c_i, fee, k)| {
                Marketplace::new(MarketParameters {
                    choke_price: theta,
                    operator_cost: 1.1 * c_m * theta,
                    seller_cost: 1.1 * c_i * theta * (1.0 - fee),
                    fee,
                    experience: 0.5 * k * theta,
                })
                .unwrap()
            })
    }

    /// The seller's best payoff by search over its prices and stocks, from the rules alone.
    pub(crate) fn brute(market: &Marketplace, rationing: Rationing, operator: Posting) -> f64 {
        let at = |price: f64| {
            // For a price, the payoff is linear in the stock up to the demand it faces, then falls: stock all or nothing.
            let facing = market
                .trade(
                    rationing,
                    operator,
                    Posting {
                        price,
                        stock: f64::MAX,
                    },
                )
                .seller_sales;
            market
                .trade(
                    rationing,
                    operator,
                    Posting {
                        price,
                        stock: facing,
                    },
                )
                .seller_payoff
                .max(0.0)
        };
        let theta = market.theta;
        let steps = 600;
        let mut best = at(operator.price);
        let mut centre = 0.0;
        for i in 0..=steps {
            let price = theta * f64::from(i) / f64::from(steps);
            if at(price) > best {
                best = at(price);
                centre = price;
            }
        }
        let h = theta / f64::from(steps);
        for i in -200..=200 {
            best = best.max(at((centre + h * f64::from(i) / 200.0).max(0.0)));
        }
        best
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]
        #[test]
        fn the_reply_equals_brute_force(market in market(), x in 0.0f64..1.2, y in 0.0f64..1.2, corner in 0usize..6, proportional in any::<bool>()) {
            let rationing = if proportional { Rationing::Proportional } else { Rationing::Intensity };
            let (p0, star, theta) = (market.break_even_price(), market.sole_seller_price(), market.theta);
            // Boundaries and ties: exactly break-even, sole-seller and choke prices, stocks at the threshold and at demand.
            let price = match corner { 0 => p0, 1 => star, 2 => theta, _ => x * theta };
            let stock = match corner { 3 => market.threshold(rationing, price), 4 => market.demand(price), 5 => 0.0, _ => y * theta };
            let operator = Posting { price, stock };
            let reply = market.best_reply(rationing, operator).unwrap();
            let scale = theta * theta;
            prop_assert!((reply.trade.seller_payoff - brute(&market, rationing, operator)).abs() < 1e-6 * scale);
            // The stated sales and payoffs are what the rules give.
            let played = market.payoffs(rationing, operator, reply.posting).unwrap();
            prop_assert!((played.seller_payoff - reply.trade.seller_payoff).abs() < 1e-9 * scale);
            prop_assert!((played.operator_payoff - reply.trade.operator_payoff).abs() < 1e-9 * scale, "{:?} {:?} {:?}", reply, played, market);
            // The seller never stocks what it does not sell, never prices above the sole price, and never gains from the operator's presence.
            prop_assert!((played.seller_sales - reply.posting.stock).abs() < 1e-9 * theta);
            prop_assert!(!market.seller_is_viable() || reply.posting.price <= star + 1e-12);
            prop_assert!(reply.trade.seller_payoff <= (1.0 - market.alpha) * market.half_width().max(0.0).powi(2) + 1e-12);
        }

        #[test]
        fn thresholds_fall_and_proportional_needs_more(market in market(), x in 0.0f64..1.0, y in 0.0f64..1.0) {
            let (low, high) = (x.min(y) * market.theta, x.max(y) * market.theta);
            for rationing in [Rationing::Intensity, Rationing::Proportional] {
                prop_assert!(market.threshold(rationing, low) >= market.threshold(rationing, high) - 1e-12);
            }
            let intensity = market.threshold(Rationing::Intensity, low);
            prop_assert!(intensity <= market.threshold(Rationing::Proportional, low) + 1e-12);
            if low >= market.break_even_price() {
                prop_assert!(intensity <= market.demand(low) + 1e-12);
            }
        }

        #[test]
        fn imperfect_substitutes_equal_brute_force_or_are_refused(market in market(), gamma in 0.05f64..1.0, x in 0.0f64..1.0, y in 0.0f64..1.0) {
            let price = x * market.theta;
            let operator = Posting { price, stock: y * market.demand(price) };
            match market.best_reply_imperfect(gamma, operator) {
                Ok(reply) => {
                    // Waiting against a stock that counts for less: the same as against the smaller stock, as long as it is below demand.
                    let waits = (0..=2000).map(|i| {
                        let p = price + (market.theta - price) * f64::from(i) / 2000.0;
                        ((1.0 - market.alpha) * p - market.c_i) * (market.demand(p) - gamma * operator.stock).max(0.0)
                    }).skip(1).fold(0.0, f64::max);
                    let undercuts = (0..=2000).map(|i| {
                        let p = price * f64::from(i) / 2000.0;
                        ((1.0 - market.alpha) * p - market.c_i) * market.demand(p)
                    }).fold(0.0, f64::max);
                    prop_assert!((reply.trade.seller_payoff - waits.max(undercuts)).abs() < 2e-6 * market.theta * market.theta);
                }
                Err(GamesError::ThresholdAboveDemand { threshold, demand, .. }) => prop_assert!(threshold > demand),
                Err(other) => prop_assert!(false, "{}", other),
            }
        }
    }

    #[test]
    fn bad_parameters_are_named() {
        let good = MarketParameters {
            choke_price: 1.0,
            operator_cost: 0.1,
            seller_cost: 0.1,
            fee: 0.2,
            experience: 0.0,
        };
        let bad = Marketplace::new(MarketParameters { fee: 1.0, ..good }).unwrap_err();
        assert_eq!(
            bad,
            GamesError::OutOfRange {
                argument: Argument::Fee,
                interval: "[0, 1)",
                value: 1.0
            }
        );
        assert_eq!(bad.to_string(), "fee must lie in [0, 1), got 1");
        assert!(matches!(
            Marketplace::new(MarketParameters {
                seller_cost: -0.1,
                ..good
            }),
            Err(GamesError::OutOfRange {
                argument: Argument::SellerCost,
                ..
            })
        ));
        assert!(matches!(
            Marketplace::new(MarketParameters {
                experience: f64::NAN,
                ..good
            }),
            Err(GamesError::NotFinite {
                argument: Argument::Experience,
                ..
            })
        ));
        let market = Marketplace::new(good).unwrap();
        assert!(matches!(
            market.best_reply(
                Rationing::Intensity,
                Posting {
                    price: -1.0,
                    stock: 0.0
                }
            ),
            Err(GamesError::OutOfRange {
                argument: Argument::Price,
                ..
            })
        ));
        assert!(matches!(
            market.best_reply_imperfect(
                0.0,
                Posting {
                    price: 0.2,
                    stock: 0.0
                }
            ),
            Err(GamesError::OutOfRange {
                argument: Argument::Substitutability,
                ..
            })
        ));
    }
}
