use super::super::reply::tests::market;
use super::*;
use proptest::prelude::*;

/// The operator's supremum by search over prices and stocks against the seller's reply: zooms on the best cell.
fn brute(market: &Marketplace, rationing: Rationing) -> f64 {
    let value = |price: f64, stock: f64| {
        market
            .best_reply(rationing, Posting { price, stock })
            .unwrap()
            .trade
            .operator_payoff
    };
    let theta = market.theta;
    let mut best = 0.0;
    let mut starts = Vec::new();
    let n = 60;
    for i in 0..=n {
        for j in 0..=n {
            let (p, q) = (
                theta * f64::from(i) / f64::from(n),
                1.05 * theta * f64::from(j) / f64::from(n),
            );
            starts.push((value(p, q), p, q));
        }
    }
    starts.sort_by(|a, b| b.0.total_cmp(&a.0));
    // The threshold is a jump along which the supremum lies: search along it too, from both sides.
    for i in 0..=4000 {
        let p = theta * f64::from(i) / 4000.0;
        let q = market.threshold(rationing, p);
        for stock in [0.0, q, q * (1.0 - 1e-10), market.demand(p)] {
            starts.push((value(p, stock), p, stock));
        }
    }
    // The same, finer, over the prices at which the seller competes: they may be a narrow range. Also by squares: the threshold falls from the break-even
    // price on like a square root.
    let (low, high) = (market.break_even_price(), market.sole_seller_price());
    for i in 0..=2000 {
        let share = f64::from(i) / 2000.0;
        for p in [share, share * share].map(|share| low + (high - low) * share) {
            let q = market.threshold(rationing, p);
            for stock in [q, q * (1.0 - 1e-10)] {
                starts.push((value(p, stock), p, stock));
            }
        }
    }
    // Limit pricing: just below the seller's break-even price.
    let limit = market.break_even_price() * (1.0 - 1e-10);
    starts.push((
        value(limit, market.demand(limit)),
        limit,
        market.demand(limit),
    ));
    for s in &starts {
        best = f64::max(best, s.0);
    }
    for &(_, p, q) in starts.iter().take(6) {
        let (mut p, mut q, mut h) = (p, q, theta / f64::from(n));
        for _ in 0..14 {
            let mut found = (value(p, q), p, q);
            for i in -4..=4 {
                for j in -4..=4 {
                    let (x, y) = (
                        (p + h * f64::from(i) / 4.0).max(0.0),
                        (q + h * f64::from(j) / 4.0).max(0.0),
                    );
                    let v = value(x, y);
                    if v > found.0 {
                        found = (v, x, y);
                    }
                }
            }
            best = f64::max(best, found.0);
            (p, q) = (found.1, found.2);
            h *= 0.4;
        }
    }
    best
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]
    #[test]
    fn the_commitment_equals_brute_force(market in market(), proportional in any::<bool>()) {
        let rationing = if proportional { Rationing::Proportional } else { Rationing::Intensity };
        let spne = market.equilibrium(rationing);
        let brute = brute(&market, rationing);
        let scale = market.theta * market.theta;
        prop_assert!((spne.trade.operator_payoff - brute).abs() < 1e-6 * scale, "{} {} {:?} {:?}", spne.trade.operator_payoff, brute, spne, market);
    }
}

/// The best price lies 2e-5 above the break-even price, between the points of an even grid.
#[test]
fn a_price_close_to_break_even_equals_brute_force() {
    let market = Marketplace {
        theta: 0.5,
        c_m: 0.001_357_882_946_967_651,
        c_i: 0.0,
        alpha: 0.0,
        k: 0.223_495_432_582_137_64,
    };
    let best = market.equilibrium(Rationing::Intensity);
    let brute = brute(&market, Rationing::Intensity);
    assert!((best.trade.operator_payoff - brute).abs() < 1e-6 * 0.25);
}

#[test]
fn competing_without_cost_of_stock_has_its_closed_form() {
    for (alpha, k, c_i) in [
        (0.3, 0.05, 0.1),
        (0.3, 0.4, 0.1),
        (0.0, 0.2, 0.1),
        (0.5, 0.0, 0.0),
        (0.9, 0.3, 0.02),
    ] {
        let market = Marketplace {
            theta: 1.0,
            c_m: 0.0,
            c_i,
            alpha,
            k,
        };
        let (p0, star) = (market.break_even_price(), market.sole_seller_price());
        let expected = if alpha > 0.0 {
            (0.5 - k / (2.0 * alpha)).clamp(p0, star)
        } else {
            p0
        };
        let angle = market.best_angle(Rationing::Intensity, Branch::Compete);
        let price = branch(
            market.lifted(),
            Rationing::Intensity,
            Branch::Compete,
            angle,
        )
        .price;
        if alpha > 0.0 || k > 0.0 {
            assert!(
                (price - expected).abs() < 1e-12,
                "{alpha} {k}: {price} {expected}"
            );
        }
        // The general search agrees with the closed first-order condition.
        let value =
            |phi: f64| branch(market.lifted(), Rationing::Intensity, Branch::Compete, phi).value;
        let best = (0..=10_000)
            .map(|i| value(HALF_PI * f64::from(i) / 10_000.0))
            .fold(f64::NEG_INFINITY, f64::max);
        assert!(value(angle) >= best - 1e-12);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn the_first_order_condition_beats_every_angle(market in market(), x in 0.0f64..1.0) {
        if market.seller_is_viable() {
            let value = |phi: f64| branch(market.lifted(), Rationing::Intensity, Branch::Compete, phi).value;
            let angle = market.best_angle(Rationing::Intensity, Branch::Compete);
            prop_assert!(value(angle) >= value(x * HALF_PI) - 1e-12 * market.theta * market.theta);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn the_stated_outcome_is_the_reply_or_its_limit(market in market(), proportional in any::<bool>()) {
        let rationing = if proportional { Rationing::Proportional } else { Rationing::Intensity };
        let spne = market.equilibrium(rationing);
        let near = if spne.attained { spne.operator } else if spne.regime == Regime::Wait {
            Posting { stock: spne.operator.stock * (1.0 - 1e-9), ..spne.operator }
        } else {
            Posting { price: spne.operator.price * (1.0 - 1e-9), stock: spne.operator.stock * (1.0 + 1e-9) }
        };
        let reply = market.best_reply(rationing, near).unwrap();
        let tol = 1e-6 * market.theta * market.theta;
        prop_assert!((reply.trade.operator_payoff - spne.trade.operator_payoff).abs() < tol, "{:?} {:?} {:?}", spne, reply, market);
        prop_assert!((reply.trade.seller_payoff - spne.trade.seller_payoff).abs() < tol);
        // Better than staying out; the operator never stays out when stock costs something and sales are worth something.
        if market.seller_is_viable() {
            let star = market.sole_seller_price();
            let out = (market.alpha * star + market.k) * (market.theta - star);
            prop_assert!(spne.trade.operator_payoff >= out - tol);
            if market.c_m > 0.01 && market.k + market.alpha * market.break_even_price() > 0.01 {
                prop_assert!(spne.trade.operator_payoff > out);
                prop_assert!(spne.regime != Regime::SellerAlone);
            }
        }
    }

    #[test]
    fn scaling_money_scales_everything(market in market(), t in 0.1f64..10.0, proportional in any::<bool>()) {
        let rationing = if proportional { Rationing::Proportional } else { Rationing::Intensity };
        let large = Marketplace { theta: t * market.theta, c_m: t * market.c_m, c_i: t * market.c_i, k: t * market.k, ..market };
        let (a, b) = (market.equilibrium(rationing), large.equilibrium(rationing));
        let tol = 1e-9 * t * t * market.theta * market.theta;
        prop_assert!((b.trade.operator_payoff - t * t * a.trade.operator_payoff).abs() < tol.max(1e-12));
    }
}
