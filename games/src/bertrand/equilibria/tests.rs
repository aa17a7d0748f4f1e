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

fn agree<D: Demand>(game: &SharedRevenue<D>, tie: TieRule, n: usize) -> Result<(), TestCaseError> {
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
