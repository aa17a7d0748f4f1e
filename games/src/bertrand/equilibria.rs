//! All pure equilibria, and both refinements.

use super::demand::Demand;
use super::model::{Firm, KeyPrices, Sale, SharedRevenue, TieRule};

/// A closed interval of prices.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    fn new(low: f64, high: f64) -> Option<Self> {
        (low <= high).then_some(Self { low, high })
    }

    fn meet(self, low: f64, high: f64) -> Option<Self> {
        Self::new(self.low.max(low), self.high.min(high))
    }

    /// Whether a price lies in the interval, within a tolerance.
    #[must_use]
    pub fn contains(&self, price: f64, tolerance: f64) -> bool {
        (self.low - tolerance..=self.high + tolerance).contains(&price)
    }
}

/// What the firm that does not sell posts.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum RivalPrice {
    /// The same price, or just above it where the tie rule would give it the sale.
    Same,
    /// Anything at least this high.
    AtLeast(f64),
}

/// A family of pure equilibria: one for each selling price in the interval.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EquilibriumSet {
    /// Who sells.
    pub firm: Firm,
    /// At which prices.
    pub prices: Interval,
    /// What the other posts.
    pub rival: RivalPrice,
    /// Whether these are equilibria exactly under the tie rule, or only the limit of equilibria on ever finer price grids (a firm would like to undercut by
    /// an infinitesimal).
    pub attained: bool,
}

/// The refined outcome: one of the four kinds the paper heads, or the limit price that appears when the seller's cost is the higher one.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "outcome", rename_all = "snake_case")
)]
pub enum Outcome {
    /// The retailer sells at its single-agent price $r^*$.
    RetailerAtOwnPrice {
        /// $r^*$.
        price: f64,
    },
    /// The retailer sells at the seller's break-even price $s_0$: a limit price, not among the paper's four headings, reported separately.
    RetailerAtLimitPrice {
        /// $s_0$.
        price: f64,
    },
    /// The seller sells at the retailer's indifference price $r_0$.
    SellerAtIndifferencePrice {
        /// $r_0$.
        price: f64,
    },
    /// The seller sells at its single-agent price $s^*$.
    SellerAtOwnPrice {
        /// $s^*$.
        price: f64,
    },
    /// The seller sells at some price of an interval above the retailer's single-agent price; none of them Pareto-dominates another, so no single one is
    /// "the" equilibrium.
    SellerInInterval {
        /// The prices.
        prices: Interval,
    },
}

impl Outcome {
    /// Who sells.
    #[must_use]
    pub fn firm(&self) -> Firm {
        match self {
            Self::RetailerAtOwnPrice { .. } | Self::RetailerAtLimitPrice { .. } => Firm::Retailer,
            _ => Firm::Seller,
        }
    }

    /// The prices, an interval of length 0 where the outcome is one price.
    #[must_use]
    pub fn prices(&self) -> Interval {
        match *self {
            Self::RetailerAtOwnPrice { price }
            | Self::RetailerAtLimitPrice { price }
            | Self::SellerAtIndifferencePrice { price }
            | Self::SellerAtOwnPrice { price } => Interval {
                low: price,
                high: price,
            },
            Self::SellerInInterval { prices } => prices,
        }
    }
}

impl<D: Demand> SharedRevenue<D> {
    /// All pure equilibria by selling firm and price.
    ///
    /// The seller sells at $p\in[s_0,\min(s^*,b)]$ with the retailer at the same price, and at $s^*\le b$ with the retailer anywhere above; the retailer sells at
    /// $p\in[r_0,\min(s_0,r^*)]$ with the seller just above, and at $r^*$ when $s_0\ge r^*$ with the seller at least there (at least
    /// $\bar p$ when $r_0>r^*$, since otherwise the retailer would rather let it sell). Splitting ties evenly is a different game and not offered.
    #[must_use]
    pub fn equilibria(&self, tie: TieRule) -> Vec<EquilibriumSet> {
        let KeyPrices {
            retailer_alone: r,
            retailer_indifferent: r0,
            seller_break_even: s0,
            seller_alone: s,
            undercut_bound: b,
            ..
        } = self.key_prices();
        let mut sets = Vec::new();
        let to_seller = tie == TieRule::ToSeller;
        // A seller whose break-even price is above the choke price sells nothing.
        if s0 < self.demand.choke_price() {
            if let Some(prices) = Interval::new(s0, s.min(b)) {
                sets.push(EquilibriumSet {
                    firm: Firm::Seller,
                    prices,
                    rival: RivalPrice::Same,
                    attained: to_seller,
                });
            }
            if s <= b {
                sets.push(EquilibriumSet {
                    firm: Firm::Seller,
                    prices: Interval { low: s, high: s },
                    rival: RivalPrice::AtLeast(s),
                    attained: true,
                });
            }
        }
        if let Some(prices) = Interval::new(r0, s0.min(r)) {
            sets.push(EquilibriumSet {
                firm: Firm::Retailer,
                prices,
                rival: RivalPrice::Same,
                attained: !to_seller,
            });
        }
        if s0 >= r {
            let floor = if r0 > r { b } else { r };
            sets.push(EquilibriumSet {
                firm: Firm::Retailer,
                prices: Interval { low: r, high: r },
                rival: RivalPrice::AtLeast(floor),
                attained: true,
            });
        }
        sets
    }

    /// The equilibria that survive the first refinement: no firm plays a weakly dominated price. Undominated are prices between $r_0$ and $r^*$ for the
    /// retailer and in $(s_0,s^*]$ for the seller (its closure is used where the seller posts just above $s_0$).
    #[must_use]
    pub fn admissible(&self, tie: TieRule) -> Vec<EquilibriumSet> {
        let KeyPrices {
            retailer_alone: r,
            retailer_indifferent: r0,
            seller_break_even: s0,
            seller_alone: s,
            undercut_bound: b,
            ..
        } = self.key_prices();
        let (low, high) = (r0.min(r), r0.max(r));
        self.equilibria(tie)
            .into_iter()
            .filter_map(|set| {
                let prices = match (set.firm, set.rival) {
                    (Firm::Seller, RivalPrice::Same) => {
                        set.prices.meet(low.max(s0), high.min(s))?
                    }
                    // The retailer must have an undominated price at or above s*.
                    (Firm::Seller, RivalPrice::AtLeast(_)) => {
                        if s <= high {
                            set.prices
                        } else {
                            return None;
                        }
                    }
                    (Firm::Retailer, RivalPrice::Same) => {
                        set.prices.meet(low.max(s0), high.min(s))?
                    }
                    // The seller must have an undominated price high enough.
                    (Firm::Retailer, RivalPrice::AtLeast(_)) => {
                        let floor = if r0 > r { b } else { r };
                        if s >= floor || s0 >= self.demand.choke_price() {
                            set.prices
                        } else {
                            return None;
                        }
                    }
                };
                Some(EquilibriumSet { prices, ..set })
            })
            .collect()
    }

    /// The outcome after both refinements: admissibility, then removal of equilibria that another Pareto-dominates.
    ///
    /// | condition | outcome | price |
    /// |---|---|---|
    /// | $r_0\le r^*$, $s_0\ge r^*$ | retailer | $r^*$ |
    /// | $r_0\le r^*$, $r_0\le s_0<r^*$ | retailer | $s_0$ |
    /// | $r_0\le r^*$, $s_0<r_0\le s^*$ | seller | $r_0$ |
    /// | $r_0\le r^*$, $s^*<r_0$ | seller | $s^*$ |
    /// | $r_0>r^*$, $s_0\ge\bar p$ | retailer | $r^*$ |
    /// | $r_0>r^*$, $s_0<\bar p$, $s^*>r^*$ | seller | $\[\max(r^*,s_0),\min(s^*,\bar p)\]$ |
    /// | $r_0>r^*$, $s^*\le r^*$ | seller | $s^*$ |
    ///
    /// At $s_0=r_0$ the second and third rows meet at one price and either firm may sell; the second is returned.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let KeyPrices {
            retailer_alone: r,
            retailer_indifferent: r0,
            seller_break_even: s0,
            seller_alone: s,
            undercut_bound: b,
            ..
        } = self.key_prices();
        if r0 <= r {
            if s0 >= r {
                Outcome::RetailerAtOwnPrice { price: r }
            } else if s0 >= r0 {
                Outcome::RetailerAtLimitPrice { price: s0 }
            } else if s >= r0 {
                Outcome::SellerAtIndifferencePrice { price: r0 }
            } else {
                Outcome::SellerAtOwnPrice { price: s }
            }
        } else if s <= r {
            Outcome::SellerAtOwnPrice { price: s }
        } else if s0 >= b {
            Outcome::RetailerAtOwnPrice { price: r }
        } else {
            Outcome::SellerInInterval {
                prices: Interval {
                    low: r.max(s0),
                    high: s.min(b),
                },
            }
        }
    }

    /// Payoffs at both ends of the outcome's prices (equal unless it is an interval). Inside an interval the seller's payoff rises with the price and the retailer's falls.
    #[must_use]
    pub fn outcome_sales(&self) -> [Sale; 2] {
        let outcome = self.outcome();
        let prices = outcome.prices();
        [
            self.sale(outcome.firm(), prices.low),
            self.sale(outcome.firm(), prices.high),
        ]
    }

    /// Whether the retailer and the consumers both gain strictly against the retailer alone, at every price of the outcome.
    ///
    /// With linear demand: exactly when $c_S<(1-\alpha)c_R$ and $\alpha(\theta^2-s_0^2)>(\theta-c_R)^2$.
    #[must_use]
    pub fn both_gain(&self) -> bool {
        let alone = self.retailer_alone();
        self.outcome_sales().iter().all(|sale| {
            let edge = 1e-12 * (alone.retailer.abs() + alone.consumers.abs());
            sale.retailer > alone.retailer + edge && sale.consumers > alone.consumers + edge
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::demand::{LinearDemand, Numerical, PowerDemand};
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn game() -> impl Strategy<Value = SharedRevenue> {
        (
            0.5f64..3.0,
            0.0f64..0.99,
            prop_oneof![4 => 0.0f64..1.1, 1 => Just(0.0)],
            prop_oneof![5 => 0.0f64..0.97, 1 => Just(0.0)],
        )
            .prop_map(|(theta, r, s, fee)| {
                SharedRevenue::new(
                    LinearDemand::new(theta).unwrap(),
                    r * theta,
                    s * theta * (1.0 - 0.5 * fee),
                    fee,
                )
                .unwrap()
            })
    }

    /// Selling prices of all pure equilibria of the game on the price lattice `h, 2h, ...`, by enumeration of all cells.
    fn lattice<D: Demand>(game: &SharedRevenue<D>, tie: TieRule, n: usize) -> Vec<(Firm, f64)> {
        let h = game.demand.choke_price() / n as f64;
        let price = |i: usize| h * i as f64;
        let cell: Vec<Vec<(f64, f64)>> = (0..=n)
            .map(|i| {
                (0..=n)
                    .map(|j| {
                        let s = game.posted(tie, price(i), price(j)).unwrap();
                        (s.retailer, s.seller)
                    })
                    .collect()
            })
            .collect();
        let best_r: Vec<f64> = (0..=n)
            .map(|j| {
                (0..=n)
                    .map(|i| cell[i][j].0)
                    .fold(f64::NEG_INFINITY, f64::max)
            })
            .collect();
        let best_s: Vec<f64> = (0..=n)
            .map(|i| {
                (0..=n)
                    .map(|j| cell[i][j].1)
                    .fold(f64::NEG_INFINITY, f64::max)
            })
            .collect();
        let mut found = Vec::new();
        for i in 0..=n {
            for j in 0..=n {
                if cell[i][j].0 >= best_r[j] && cell[i][j].1 >= best_s[i] {
                    let sale = game.posted(tie, price(i), price(j)).unwrap();
                    found.push((sale.firm, sale.price));
                }
            }
        }
        found
    }

    /// How far lattice equilibria may lie from their limit: undercutting costs the retailer a whole step, which it accepts up to
    /// $h/(1-\alpha)$ beyond its indifference price; two steps more for rounding at both firms.
    fn blur<D: Demand>(game: &SharedRevenue<D>, n: usize) -> f64 {
        game.demand.choke_price() / n as f64 * (2.0 + 1.0 / (1.0 - game.alpha))
    }

    fn agree<D: Demand>(
        game: &SharedRevenue<D>,
        tie: TieRule,
        n: usize,
    ) -> Result<(), TestCaseError> {
        let tol = blur(game, n);
        let sets = game.equilibria(tie);
        let lattice = lattice(game, tie, n);
        for (firm, price) in &lattice {
            prop_assert!(
                sets.iter()
                    .any(|s| s.firm == *firm && s.prices.contains(*price, tol)),
                "lattice equilibrium {:?} at {} not in {:?}",
                firm,
                price,
                sets
            );
        }
        for set in &sets {
            // Longer than the lattice can blur: each end and the middle are matched by a lattice equilibrium.
            let wide = set.prices.high - set.prices.low > 2.0 * tol
                || matches!(set.rival, RivalPrice::AtLeast(_));
            for price in [
                set.prices.low,
                0.5 * (set.prices.low + set.prices.high),
                set.prices.high,
            ] {
                prop_assert!(
                    !wide
                        || lattice
                            .iter()
                            .any(|(f, p)| *f == set.firm && (p - price).abs() <= tol),
                    "{:?} has no lattice equilibrium at {}",
                    set,
                    price
                );
            }
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(120))]
        #[test]
        fn all_equilibria_equal_lattice_enumeration(game in game(), to_retailer in any::<bool>()) {
            // Within a lattice step of a boundary between cases the lattice cannot decide.
            let k = game.key_prices();
            let n = 90;
            let h = game.demand.choke_price() / f64::from(n);
            let far = blur(&game, n as usize);
            prop_assume!(game.alpha <= 0.8);
            let near = |a: f64, b: f64| (a - b).abs() < 1.5 * far;
            prop_assume!(!near(k.retailer_alone, k.retailer_indifferent) && !near(k.seller_break_even, k.retailer_alone) && !near(k.seller_break_even, k.retailer_indifferent));
            prop_assume!(!near(k.seller_alone, k.undercut_bound) && !near(k.seller_break_even, k.undercut_bound) && k.seller_break_even < game.demand.choke_price() - 4.0 * h);
            prop_assume!(k.retailer_alone < game.demand.choke_price() - 4.0 * h);
            agree(&game, if to_retailer { TieRule::ToRetailer } else { TieRule::ToSeller }, n as usize)?;
        }

        #[test]
        fn numerical_demand_gives_the_same_outcome(game in game()) {
            let numerical = SharedRevenue { demand: Numerical(game.demand), c_r: game.c_r, c_s: game.c_s, alpha: game.alpha };
            let (a, b) = (game.key_prices(), numerical.key_prices());
            let theta = game.demand.choke_price();
            for (x, y) in [(a.retailer_alone, b.retailer_alone), (a.seller_alone, b.seller_alone), (a.retailer_profit, b.retailer_profit)] {
                prop_assert!((x - y).abs() < 1e-6 * theta * theta.max(1.0));
            }
            let close = |p: f64, q: f64| (p - q).abs() < 1e-4 * theta;
            prop_assume!(!close(a.retailer_alone, a.retailer_indifferent) && !close(a.seller_break_even, a.undercut_bound) && !close(a.seller_alone, a.retailer_alone) && !close(a.seller_alone, a.retailer_indifferent));
            let (p, q) = (game.outcome(), numerical.outcome());
            prop_assert_eq!(std::mem::discriminant(&p), std::mem::discriminant(&q));
            prop_assert!((p.prices().low - q.prices().low).abs() < 1e-5 * theta && (p.prices().high - q.prices().high).abs() < 1e-5 * theta);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn curved_demand_agrees_with_its_lattice(b in 0.5f64..2.5, r in 0.05f64..0.8, s in 0.0f64..0.8, fee in 0.02f64..0.6) {
            let game = SharedRevenue::new(PowerDemand::new(1.0, b).unwrap(), r, s, fee).unwrap();
            let k = game.key_prices();
            let far = blur(&game, 60);
            let near = |a: f64, b: f64| (a - b).abs() < 1.5 * far;
            prop_assume!(!near(k.retailer_alone, k.retailer_indifferent) && !near(k.seller_break_even, k.retailer_alone) && !near(k.seller_break_even, k.retailer_indifferent));
            prop_assume!(!near(k.seller_alone, k.undercut_bound) && !near(k.seller_break_even, k.undercut_bound) && k.seller_break_even < 0.9);
            agree(&game, TieRule::ToSeller, 60)?;
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn the_refined_outcome_survives_both_refinements(game in game()) {
            let outcome = game.outcome();
            let prices = outcome.prices();
            prop_assert!(prices.low <= prices.high + 1e-12);
            let theta = game.demand.choke_price();
            let admissible = game.admissible(TieRule::ToSeller);
            for price in [prices.low, prices.high] {
                prop_assert!(admissible.iter().any(|s| s.firm == outcome.firm() && s.prices.contains(price, 1e-9 * theta)), "{:?} {:?} {:?}", outcome, admissible, game);
            }
            // Nothing admissible Pareto-dominates it, and every other admissible equilibrium is dominated by it or shares its price.
            for set in &admissible {
                for price in [set.prices.low, set.prices.high] {
                    if outcome.firm() == set.firm && prices.contains(price, 1e-9 * theta) {
                        continue;
                    }
                    let other = game.sale(set.firm, price);
                    let ours = game.outcome_sales();
                    let edge = 1e-9 * theta * theta;
                    let dominated = ours.iter().any(|o| o.retailer >= other.retailer - edge && o.seller >= other.seller - edge);
                    prop_assert!(dominated, "{:?} {:?} {:?}", outcome, set, game);
                }
            }
        }

        #[test]
        fn gains_and_losses_follow_the_table(game in game()) {
            let alone = game.retailer_alone();
            let theta = game.demand.choke_price();
            let edge = 1e-9 * theta * theta;
            for sale in game.outcome_sales() {
                prop_assert!((sale.consumers - alone.consumers).abs() < edge || (sale.consumers > alone.consumers) == (sale.price < alone.price));
                prop_assert!(sale.seller >= -edge);
                if sale.price >= alone.price - 1e-12 {
                    prop_assert!(sale.retailer >= alone.retailer - edge);
                }
                let k = game.key_prices();
                match game.outcome() {
                    Outcome::RetailerAtOwnPrice { .. } => prop_assert!((sale.retailer - alone.retailer).abs() < edge),
                    Outcome::RetailerAtLimitPrice { .. } | Outcome::SellerAtIndifferencePrice { .. } => prop_assert!(sale.retailer <= alone.retailer + edge),
                    Outcome::SellerAtOwnPrice { .. } if k.retailer_indifferent > k.retailer_alone => {
                        prop_assert!(sale.retailer >= alone.retailer - edge && sale.consumers >= alone.consumers - edge);
                    }
                    _ => {}
                }
            }
            // The win-win test in closed form.
            let s0 = game.c_s / (1.0 - game.alpha);
            let margin = (game.alpha * (theta * theta - s0 * s0) - (theta - game.c_r).powi(2)).min((1.0 - game.alpha) * game.c_r - game.c_s);
            if margin.abs() > 1e-9 {
                prop_assert_eq!(game.both_gain(), margin > 0.0, "{:?} {:?}", game, game.outcome());
            }
        }

        #[test]
        fn no_firm_gains_by_another_price(game in game(), deviation in 0.0f64..1.0) {
            // Exact equilibria under ties to the seller: R posts p, S posts p.
            let theta = game.demand.choke_price();
            for set in game.equilibria(TieRule::ToSeller).iter().filter(|s| s.attained) {
                for p in [set.prices.low, set.prices.high] {
                    let (r, s) = match (set.firm, set.rival) {
                        (Firm::Seller, RivalPrice::Same) => (p, p),
                        (Firm::Seller, RivalPrice::AtLeast(x)) => (x.max(p), p),
                        (Firm::Retailer, RivalPrice::AtLeast(x)) => (p, x.max(p) * (1.0 + 1e-9) + 1e-12),
                        (Firm::Retailer, RivalPrice::Same) => unreachable!("not attained"),
                    };
                    let here = game.posted(TieRule::ToSeller, r, s).unwrap();
                    for d in [deviation * theta, p, p * (1.0 - 1e-9)] {
                        prop_assert!(game.posted(TieRule::ToSeller, d, s).unwrap().retailer <= here.retailer + 1e-7 * theta * theta);
                        prop_assert!(game.posted(TieRule::ToSeller, r, d).unwrap().seller <= here.seller + 1e-7 * theta * theta);
                    }
                }
            }
        }

        #[test]
        fn scaling_money_scales_prices(game in game(), t in 0.1f64..10.0) {
            let large = SharedRevenue::new(LinearDemand::new(t * game.demand.choke_price()).unwrap(), t * game.c_r, t * game.c_s, game.alpha).unwrap();
            let (a, b) = (game.outcome_sales(), large.outcome_sales());
            for (x, y) in a.iter().zip(&b) {
                if game.outcome().firm() == large.outcome().firm() {
                    prop_assert!((y.price - t * x.price).abs() < 1e-9 * t * game.demand.choke_price());
                }
            }
        }
    }

    #[test]
    fn bad_arguments_are_named() {
        let demand = LinearDemand::new(1.0).unwrap();
        assert_eq!(
            SharedRevenue::new(demand, 0.5, 0.1, 1.0)
                .unwrap_err()
                .to_string(),
            "fee must lie in [0, 1), got 1"
        );
        assert_eq!(
            SharedRevenue::new(demand, 1.5, 0.1, 0.1)
                .unwrap_err()
                .to_string(),
            "retailer_cost must lie in [0, choke price), got 1.5"
        );
        assert!(SharedRevenue::new(demand, 0.5, f64::NAN, 0.1).is_err());
    }
}
