//! Surplus and welfare, compared with the seller alone; the search for markets in which welfare falls.

use rand::{Rng, RngExt};

use super::leader::MarketEquilibrium;
use super::model::{MarketParameters, Marketplace, Posting, Rationing, Trade};
use super::reply::{Regime, Reply};
use crate::error::{Argument, GamesError, real};

/// Surplus, payoffs and welfare of an outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Welfare {
    /// Consumer surplus.
    pub consumers: f64,
    /// The operator's payoff (fee and experience value included).
    pub operator: f64,
    /// The seller's payoff.
    pub seller: f64,
    /// The sum of the three; the fee is a transfer, the experience value counts.
    pub total: f64,
    /// The total without the experience value.
    pub total_without_experience: f64,
}

impl Welfare {
    fn new(consumers: f64, trade: &Trade, k: f64) -> Self {
        let total = consumers + trade.operator_payoff + trade.seller_payoff;
        Self {
            consumers,
            operator: trade.operator_payoff,
            seller: trade.seller_payoff,
            total,
            total_without_experience: total - k * (trade.operator_sales + trade.seller_sales),
        }
    }
}

/// What a search for falling welfare found. Lower welfare than under the seller's monopoly is a finding, not an error: it happens in part of
/// the wait region when the fee and the experience value are small, because the operator displaces cheaper units of the seller.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct WelfareSearch {
    /// Markets examined: those in which the seller can trade at a profit.
    pub markets: usize,
    /// Those in which welfare falls by more than rounding.
    pub violations: usize,
    /// Violations by regime: wait, and all others (none is known).
    pub violations_in_wait: usize,
    /// The lowest welfare difference relative to the squared choke price, and the market where it occurs.
    pub worst: Option<(f64, MarketParameters)>,
}

impl WelfareSearch {
    /// Share of markets in which welfare falls.
    #[must_use]
    pub fn share(&self) -> f64 {
        real(self.violations) / real(self.markets.max(1))
    }

    fn add(&mut self, market: &Marketplace, rationing: Rationing) {
        if !market.seller_is_viable() {
            return;
        }
        let spne = market.equilibrium(rationing);
        let difference = (market.welfare(&spne).total - market.benchmark().total)
            / (market.theta * market.theta);
        self.markets += 1;
        if difference < -1e-9 {
            self.violations += 1;
            self.violations_in_wait += usize::from(spne.regime == Regime::Wait);
        }
        if self.worst.is_none_or(|(w, _)| difference < w) {
            self.worst = Some((difference, market.parameters()));
        }
    }
}

impl Marketplace {
    /// Consumer surplus of a regime's outcome. The dearer player's buyers are those left over: the lowest values under intensity rationing, a random share under
    /// proportional rationing.
    pub(super) fn surplus(
        &self,
        rationing: Rationing,
        operator: Posting,
        seller: Posting,
        operator_sales: f64,
        regime: Regime,
    ) -> f64 {
        let demand = self.demand(operator.price);
        let first = |sold: f64| match rationing {
            Rationing::Intensity => sold * demand - 0.5 * sold * sold,
            Rationing::Proportional => 0.5 * sold * demand,
        };
        match regime {
            Regime::SellerAlone | Regime::Compete => 0.5 * self.demand(seller.price).powi(2),
            Regime::Abstain | Regime::OperatorAlone => first(operator_sales),
            Regime::Wait => {
                first(operator_sales)
                    + match rationing {
                        Rationing::Intensity => 0.5 * seller.stock * seller.stock,
                        Rationing::Proportional => 0.5 * seller.stock * self.demand(seller.price),
                    }
            }
            Regime::NoTrade => 0.0,
        }
    }

    /// Consumer surplus after a best reply.
    #[must_use]
    pub fn reply_surplus(&self, rationing: Rationing, operator: Posting, reply: &Reply) -> f64 {
        self.surplus(
            rationing,
            operator,
            reply.posting,
            reply.trade.operator_sales,
            reply.regime,
        )
    }

    /// Surplus, payoffs and welfare of an equilibrium.
    #[must_use]
    pub fn welfare(&self, equilibrium: &MarketEquilibrium) -> Welfare {
        Welfare::new(equilibrium.consumer_surplus, &equilibrium.trade, self.k)
    }

    /// The benchmark: the seller alone at $p^\ast$, $CS=L^2/2$, $u_I=(1-\alpha)L^2$, $u_M=(\alpha p^\ast+k)L$; all zero when the seller cannot trade.
    #[must_use]
    pub fn benchmark(&self) -> Welfare {
        let l = self.half_width().max(0.0);
        let star = self.sole_seller_price();
        let trade = Trade {
            operator_sales: 0.0,
            seller_sales: l,
            operator_payoff: (self.alpha * star + self.k) * l,
            seller_payoff: (1.0 - self.alpha) * l * l,
        };
        Welfare::new(0.5 * l * l, &trade, self.k)
    }

    /// Welfare against the benchmark on the `cells` by `cells` grid of both costs over $[0,\theta)$ (cell centres), with choke price 1.
    ///
    /// # Errors
    /// [`GamesError::OutOfRange`] for the fee or experience value, [`GamesError::Empty`] for no cells.
    pub fn welfare_grid(
        fee: f64,
        experience: f64,
        rationing: Rationing,
        cells: usize,
    ) -> Result<WelfareSearch, GamesError> {
        if cells == 0 {
            return Err(GamesError::Empty {
                argument: Argument::Cells,
            });
        }
        let mut search = WelfareSearch {
            markets: 0,
            violations: 0,
            violations_in_wait: 0,
            worst: None,
        };
        for i in 0..cells {
            for j in 0..cells {
                let cost = |n: usize| (real(n) + 0.5) / real(cells);
                let market = Marketplace::new(MarketParameters {
                    choke_price: 1.0,
                    operator_cost: cost(j),
                    seller_cost: cost(i),
                    fee,
                    experience,
                })?;
                search.add(&market, rationing);
            }
        }
        Ok(search)
    }

    /// Welfare against the benchmark in `draws` random markets: costs uniform in $\[0,1\]$, fee in $\[0,0.5\]$, experience value in $\[0,0.3\]$, choke price 1.
    pub fn welfare_search<R: Rng + ?Sized>(
        rationing: Rationing,
        draws: usize,
        rng: &mut R,
    ) -> WelfareSearch {
        let mut search = WelfareSearch {
            markets: 0,
            violations: 0,
            violations_in_wait: 0,
            worst: None,
        };
        for _ in 0..draws {
            let market = Marketplace {
                theta: 1.0,
                c_m: rng.random::<f64>(),
                c_i: rng.random::<f64>(),
                alpha: 0.5 * rng.random::<f64>(),
                k: 0.3 * rng.random::<f64>(),
            };
            search.add(&market, rationing);
        }
        search
    }
}

#[cfg(test)]
mod tests {
    use super::super::reply::tests::market;
    use super::*;
    use proptest::prelude::*;

    /// Consumer surplus by following consumers one by one.
    fn follow(
        market: &Marketplace,
        rationing: Rationing,
        operator: Posting,
        seller: Posting,
    ) -> f64 {
        let n = 4000;
        let theta = market.theta;
        let seller_first = seller.price <= operator.price;
        let (first, second) = if seller_first {
            (seller, operator)
        } else {
            (operator, seller)
        };
        let mass = theta / f64::from(n);
        let willing = market.demand(first.price);
        let (mut one, mut two, mut surplus) = (first.stock, second.stock, 0.0);
        let share = if willing > 0.0 {
            (first.stock / willing).min(1.0)
        } else {
            0.0
        };
        for i in 0..n {
            let value = theta * (1.0 - (f64::from(i) + 0.5) / f64::from(n)); // highest values first
            let served = match rationing {
                Rationing::Intensity => {
                    if value >= first.price {
                        one.min(mass)
                    } else {
                        0.0
                    }
                }
                Rationing::Proportional => {
                    if value >= first.price {
                        mass * share
                    } else {
                        0.0
                    }
                }
            };
            one -= served;
            surplus += served * (value - first.price);
            if value >= second.price {
                let rest = (mass - served).min(two);
                two -= rest;
                surplus += rest * (value - second.price);
            }
        }
        surplus
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn consumers_never_lose_and_the_formula_follows_them(market in market(), x in 0.0f64..1.1, y in 0.0f64..1.1, proportional in any::<bool>()) {
            let rationing = if proportional { Rationing::Proportional } else { Rationing::Intensity };
            let operator = Posting { price: x * market.theta, stock: y * market.theta };
            let reply = market.best_reply(rationing, operator).unwrap();
            let surplus = market.reply_surplus(rationing, operator, &reply);
            let scale = market.theta * market.theta;
            let followed = follow(&market, rationing, operator, reply.posting);
            prop_assert!((surplus - followed).abs() < 2e-3 * scale, "{} {} {:?} {:?}", surplus, followed, reply, market);
            let benchmark = market.benchmark();
            prop_assert!(surplus >= benchmark.consumers - 1e-12 * scale);
            if operator.price < market.sole_seller_price() - 1e-3 && operator.stock > 1e-3 {
                prop_assert!(surplus > benchmark.consumers);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn equilibrium_against_the_sellers_monopoly(market in market(), proportional in any::<bool>()) {
            let rationing = if proportional { Rationing::Proportional } else { Rationing::Intensity };
            let spne = market.equilibrium(rationing);
            let (now, before) = (market.welfare(&spne), market.benchmark());
            let slack = 1e-9 * market.theta * market.theta;
            prop_assert!(now.consumers >= before.consumers - slack);
            prop_assert!(now.operator >= before.operator - slack);
            prop_assert!(now.seller <= before.seller + slack);
            prop_assert!(!market.seller_is_viable() || spne.seller.price <= market.sole_seller_price() + 1e-12);
            if spne.regime != Regime::Wait {
                // Compete or abstain: the price falls and the operator gains. Not claimed for wait, where it fails.
                prop_assert!(now.consumers + now.seller >= before.consumers + before.seller - slack || !market.seller_is_viable());
                prop_assert!(now.total >= before.total - slack);
            }
        }
    }

    #[test]
    fn welfare_falls_in_part_of_the_wait_region() {
        let market = Marketplace::new(MarketParameters {
            choke_price: 1.0,
            operator_cost: 0.32,
            seller_cost: 0.01,
            fee: 0.05,
            experience: 0.0,
        })
        .unwrap();
        let spne = market.equilibrium(Rationing::Intensity);
        assert_eq!(spne.regime, Regime::Wait);
        assert!(
            (market.welfare(&spne).total - 0.365_858).abs() < 1e-6,
            "{}",
            market.welfare(&spne).total
        );
        assert!((market.benchmark().total - 0.367_407).abs() < 1e-6);
        // Shares on grids, as found by brute force independently of this code.
        for (fee, k, share) in [
            (0.05, 0.0, 0.082),
            (0.05, 0.05, 0.029),
            (0.1, 0.0, 0.051),
            (0.2, 0.0, 0.017),
            (0.3, 0.0, 0.005),
        ] {
            let found = Marketplace::welfare_grid(fee, k, Rationing::Intensity, 60).unwrap();
            assert!(
                (found.share() - share).abs() < 0.004,
                "fee {fee} k {k}: {} against {share}",
                found.share()
            );
            assert_eq!(found.violations, found.violations_in_wait);
        }
        for (fee, k) in [(0.05, 0.1), (0.1, 0.1), (0.5, 0.0)] {
            assert_eq!(
                Marketplace::welfare_grid(fee, k, Rationing::Intensity, 60)
                    .unwrap()
                    .violations,
                0
            );
        }
        let worst = Marketplace::welfare_grid(0.05, 0.0, Rationing::Proportional, 60).unwrap();
        assert!(worst.share() > 0.082);
    }

    #[test]
    fn the_seeded_search_reports_violations_and_only_in_wait() {
        use rand::SeedableRng;
        let mut rng = rand_pcg::Pcg64::seed_from_u64(2503);
        for rationing in [Rationing::Intensity, Rationing::Proportional] {
            let found = Marketplace::welfare_search(rationing, 20_000, &mut rng);
            assert!(found.violations > 0 && found.violations == found.violations_in_wait);
            assert!(found.worst.is_some_and(|(d, _)| d < 0.0));
        }
    }
}
