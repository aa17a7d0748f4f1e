//! The network simplex against microlp and Clarabel, and laws that need no other solver.

use std::num::NonZeroUsize;

use good_lp::solvers::clarabel::ClarabelProblem;
use good_lp::variable::UnsolvedProblem;
use proptest::prelude::*;

use super::reference;
use super::{Fulfilment, NetworkSimplex, Plan, Scenario, Solver, solve_all, solve_scenarios};
use crate::error::{Argument, DrainError};

/// The money that a plan moves: what its cost is compared with, since costs of both signs may cancel.
fn turnover(problem: &Fulfilment, plan: &Plan) -> f64 {
    let penalties = problem.lost_penalty().iter().zip(&plan.lost);
    let arcs = problem.cost().iter().zip(&plan.flow);
    arcs.chain(penalties)
        .filter(|(_, units)| **units > 0.0)
        .map(|(cost, units)| (cost * units).abs())
        .sum()
}

fn close(a: f64, b: f64, scale: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * scale + f64::MIN_POSITIVE
}

/// Numbers of one kind: any, few different integers (degenerate), mostly zero.
fn numbers(kind: u8, length: usize) -> BoxedStrategy<Vec<f64>> {
    match kind {
        0 => prop::collection::vec(0.0..1.0, length).boxed(),
        1 => prop::collection::vec((0u8..4).prop_map(f64::from), length).boxed(),
        _ => prop::collection::vec(prop_oneof![3 => Just(0.0), 1 => 0.0..2.0], length).boxed(),
    }
}

fn scale() -> impl Strategy<Value = f64> {
    (-6i32..=9).prop_map(|e| 10f64.powi(e))
}

prop_compose! {
    /// Problems of all kinds: slack and short, with and without capacities, bans and losses, degenerate, costs of both signs, empty rows, one by one.
    fn problems()(
        (warehouses, regions) in (1usize..7, 1usize..9),
        kinds in [0u8..3, 0u8..3, 0u8..2, 0u8..3],
        (units, money) in (scale(), scale()),
    )(
        stock in numbers(kinds[0], warehouses),
        demand in numbers(kinds[1], regions),
        cost in numbers(kinds[2], warehouses * regions),
        capacity in prop::option::of(numbers(kinds[3], warehouses * regions)),
        limited in prop::collection::vec(any::<bool>(), warehouses * regions),
        banned in prop::collection::vec(prop::bool::weighted(0.15), warehouses * regions),
        bans in any::<bool>(),
        lower in prop_oneof![3 => Just(0.0), 1 => Just(1.5)],
        penalty in numbers(kinds[2], regions),
        losses in 0u8..4,
        kept in prop::collection::vec(prop::bool::weighted(0.2), regions),
        abundance in prop_oneof![Just(0.5), Just(1.0), Just(3.0)],
        (units, money) in (Just(units), Just(money)),
    ) -> Fulfilment {
        let cost = cost
            .iter()
            .zip(&banned)
            .map(|(c, b)| if *b && bans { f64::INFINITY } else { (c - lower) * money })
            .collect();
        let stock = stock.iter().map(|s| s * units * abundance).collect();
        let demand = demand.iter().map(|d| d * units).collect();
        let mut problem = Fulfilment::new(stock, demand, cost).unwrap();
        if let Some(capacity) = capacity {
            let capacity = capacity
                .iter()
                .zip(&limited)
                .map(|(c, l)| if *l { c * units } else { f64::INFINITY })
                .collect();
            problem = problem.with_capacity(capacity).unwrap();
        }
        if losses > 0 {
            let penalty = penalty
                .iter()
                .zip(&kept)
                .map(|(p, k)| match losses {
                    1 => p * money, // some loss is cheaper than shipping
                    2 if *k => f64::INFINITY,
                    _ => (p + 5.0) * money,
                })
                .collect();
            problem = problem.with_lost_penalty(penalty).unwrap();
        }
        problem
    }
}

/// Whether the cut's own numbers prove that the problem has no answer.
fn proves(problem: &Fulfilment, error: &DrainError) -> bool {
    let DrainError::Infeasible(cut) = error else {
        return false;
    };
    let demand: f64 = cut.regions.iter().map(|&r| problem.demand()[r]).sum();
    let stock: f64 = cut.warehouses.iter().map(|&w| problem.stock()[w]).sum();
    let carried: f64 = (0..problem.warehouses())
        .filter(|w| !cut.warehouses.contains(w))
        .flat_map(|w| cut.regions.iter().map(move |r| w * problem.regions() + r))
        .filter(|&a| problem.cost()[a].is_finite())
        .map(|a| problem.arc_capacity(a))
        .sum();
    let must = cut
        .regions
        .iter()
        .all(|&r| problem.lost_penalty()[r].is_infinite());
    let shortfall = demand - stock - carried;
    must && shortfall > 0.0 && close(shortfall, cut.shortfall, demand, 1e-12)
}

fn cold(problem: &Fulfilment) -> Result<Plan, DrainError> {
    NetworkSimplex::new().solve(problem)
}

/// Costs agree to 1e-7 of `scale`, given the money that moves and the most that all demand could cost; cases are rejected in which the
/// other's answer passes our check only with a residual above `exactness`.
fn agrees_with<S: good_lp::Solver>(
    problem: &Fulfilment,
    solver: S,
    exactness: f64,
    scale: impl Fn(f64, f64) -> f64,
) -> Result<(), TestCaseError> {
    match (cold(problem), reference::solve(problem, solver)) {
        (Ok(_), Ok(theirs)) if theirs.certificate.residual() > exactness => {
            return Err(TestCaseError::reject(
                "the other's answer is not exact enough",
            ));
        }
        (Ok(ours), Ok(theirs)) => {
            let moved = turnover(problem, &ours).max(turnover(problem, &theirs));
            let dearest = problem.cost().iter().chain(problem.lost_penalty());
            let dearest = dearest
                .filter(|v| v.is_finite())
                .fold(0.0f64, |m, v| m.max(v.abs()));
            let scale = scale(moved, dearest * problem.demand().iter().sum::<f64>());
            prop_assert!(
                close(ours.cost, theirs.cost, scale, 1e-7),
                "{} against {}",
                ours.cost,
                theirs.cost
            );
        }
        (Err(error), Err(_)) => prop_assert!(proves(problem, &error), "{error:?}"),
        (Ok(_), Err(DrainError::Reference { message })) if message.contains("No progress") => {
            return Err(TestCaseError::reject(message));
        }
        // The other's answer does not pass our check: ours did.
        (Ok(_), Err(DrainError::Unproven { .. })) => {}
        (ours, theirs) => prop_assert!(false, "{ours:?} against {theirs:?}"),
    }
    Ok(())
}

/// Clarabel with tolerances far below what is tested, which also gives up where it cannot keep them.
fn tight_clarabel(problem: UnsolvedProblem) -> ClarabelProblem {
    let mut model = good_lp::clarabel(problem);
    let settings = model.settings();
    settings
        .tol_feas(1e-11)
        .tol_gap_abs(1e-11)
        .tol_gap_rel(1e-11);
    settings
        .reduced_tol_feas(1e-9)
        .reduced_tol_gap_abs(1e-9)
        .reduced_tol_gap_rel(1e-9);
    model
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn costs_are_those_of_microlp(problem in problems()) {
        // Where nothing moves, the other moves its rounding: 1e-14 of what all demand could cost.
        agrees_with(&problem, good_lp::microlp, f64::INFINITY, |moved, most| moved + 1e-7 * most)?;
    }

    #[test]
    fn answers_pass_their_check_and_degenerate_data_do_not_cycle(problem in problems()) {
        match cold(&problem) {
            Ok(plan) => {
                prop_assert!(plan.certificate.residual() <= 1e-10, "{:?}", plan.certificate);
                let all = problem.demand().iter().sum::<f64>();
                let served = plan.drain.iter().chain(&plan.lost).sum::<f64>();
                prop_assert!(close(served, all, all, 1e-12));
            }
            Err(error) => prop_assert!(proves(&problem, &error), "{error:?}"),
        }
    }
}

proptest! {
    // It gives up on some, or ends with a residual of 1e-7: at most one in three is drawn again. With one of 1e-9 the cost can be wrong by that times the number of nodes.
    #![proptest_config(ProptestConfig { cases: 10_000, max_global_rejects: 5_000, ..ProptestConfig::default() })]

    #[test]
    fn costs_are_those_of_clarabel(problem in problems()) {
        // An interior-point method is exact relative to its data, not to the answer.
        agrees_with(&problem, tight_clarabel, 1e-9, |_, most| most)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn warm_answers_are_cold_answers(first in problems(), problem in problems()) {
        // Shapes are made to agree: the first problem is cut from the data of the second.
        let (w, r) = (problem.warehouses(), problem.regions());
        let cycle = |list: &[f64], n: usize| -> Vec<f64> { list.iter().copied().cycle().take(n).collect() };
        let mut before = Fulfilment::new(
            cycle(first.stock(), w), cycle(first.demand(), r), cycle(first.cost(), w * r),
        ).unwrap().with_lost_penalty(cycle(&[3.0, 9.0], r)).unwrap();
        if let Some(capacity) = first.capacity() {
            before = before.with_capacity(cycle(capacity, w * r)).unwrap();
        }
        let mut solver = NetworkSimplex::new();
        let _ = solver.solve(&before);
        match (solver.resolve(&problem), cold(&problem)) {
            (Ok(warm), Ok(cold)) => {
                prop_assert!(close(warm.cost, cold.cost, turnover(&problem, &cold), 1e-11));
                let units = problem.demand().iter().sum();
                for (a, b) in warm.drain.iter().chain(&warm.lost).zip(cold.drain.iter().chain(&cold.lost)) {
                    prop_assert!(close(*a, *b, units, 1e-10), "{warm:?} against {cold:?}");
                }
                prop_assert_eq!(&warm.prices.stock_unique, &cold.prices.stock_unique);
                prop_assert_eq!(&warm.prices.delivered_unique, &cold.prices.delivered_unique);
            }
            (Err(error), Err(_)) => prop_assert!(proves(&problem, &error), "{error:?}"),
            (warm, cold) => prop_assert!(false, "{warm:?} against {cold:?}"),
        }
    }

    #[test]
    fn integers_stay_whole(
        (stock, demand) in (prop::collection::vec(0u8..9, 1..6), prop::collection::vec(0u8..9, 1..6)),
        numbers in prop::collection::vec((0u8..5, 0u8..6), 36),
    ) {
        let floats = |list: &[u8]| list.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        let arcs = stock.len() * demand.len();
        let problem = Fulfilment::new(floats(&stock), floats(&demand), numbers[..arcs].iter().map(|n| f64::from(n.0)).collect())
            .unwrap()
            .with_capacity(numbers[..arcs].iter().map(|n| f64::from(n.1)).collect())
            .unwrap()
            .with_lost_penalty(vec![7.0; demand.len()])
            .unwrap();
        let plan = cold(&problem).unwrap();
        prop_assert!(plan.flow.iter().chain(&plan.lost).all(|v| v.fract() == 0.0));
        prop_assert_eq!(plan.certificate.residual(), 0.0);
    }

    #[test]
    fn unique_prices_are_derivatives_and_others_lie_between(problem in problems()) {
        let Ok(plan) = cold(&problem) else { return Ok(()) };
        let units = problem.demand().iter().chain(problem.stock()).fold(0.0f64, |m, v| m.max(*v));
        let money = problem.cost().iter().chain(problem.lost_penalty()).filter(|v| v.is_finite()).fold(0.0f64, |m, v| m.max(v.abs()));
        prop_assume!(units > 0.0);
        let step = units * 1e-7;
        let slope = |w: Option<usize>, r: usize, step: f64| {
            let mut moved = problem.clone();
            let (mut stock, mut demand) = (problem.stock().to_vec(), problem.demand().to_vec());
            match w {
                Some(w) => stock[w] += step,
                None => demand[r] += step,
            }
            moved.set_stock(&stock).ok()?;
            moved.set_demand(&demand).ok()?;
            Some((cold(&moved).ok()?.cost - plan.cost) / step)
        };
        let tolerance = 1e-6 * money * 10.0;
        for (w, (price, unique)) in plan.prices.stock.iter().zip(&plan.prices.stock_unique).enumerate() {
            let (right, left) = (slope(Some(w), 0, step), slope(Some(w), 0, -step));
            if let Some(right) = right {
                prop_assert!(-price <= right + tolerance);
                prop_assert!(!unique || (right + price).abs() <= tolerance, "{right} {price}");
            }
            if let Some(left) = left {
                prop_assert!(left <= -price + tolerance);
                prop_assert!(!unique || (left + price).abs() <= tolerance);
            }
        }
        for (r, (price, unique)) in plan.prices.delivered.iter().zip(&plan.prices.delivered_unique).enumerate() {
            let (right, left) = (slope(None, r, step), slope(None, r, -step));
            if let Some(right) = right {
                prop_assert!(*price <= right + tolerance);
                prop_assert!(!unique || (right - price).abs() <= tolerance);
            }
            if let Some(left) = left {
                prop_assert!(left <= price + tolerance);
                prop_assert!(!unique || (left - price).abs() <= tolerance);
            }
        }
    }

    #[test]
    fn the_same_bits_on_any_number_of_threads(base in problems(), factors in prop::collection::vec(0.0..2.0, 9)) {
        let scenarios: Vec<Scenario> = factors
            .iter()
            .map(|f| Scenario::demand(base.demand().iter().map(|d| d * f).collect()))
            .collect();
        let one = solve_scenarios(&base, &scenarios, NonZeroUsize::MIN);
        for threads in [2, 3, 20] {
            let threads = NonZeroUsize::new(threads).unwrap();
            prop_assert_eq!(&one, &solve_scenarios(&base, &scenarios, threads));
            let problems = [base.clone(), base.clone(), base.clone()];
            prop_assert_eq!(solve_all(&problems, threads), solve_all(&problems, NonZeroUsize::MIN));
        }
    }
}

/// The tie rule by brute force: all whole plans of tiny problems.
#[test]
fn ties_fall_as_documented() {
    let cost = [1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0, 2.0, 1.0];
    for code in 0..729usize {
        let digit = |k: u32| code / 3usize.pow(k) % 3;
        let problem = Fulfilment::new(
            (0..3).map(|k| digit(k) as f64).collect(),
            (3..6).map(|k| digit(k) as f64).collect(),
            cost.to_vec(),
        )
        .unwrap()
        .with_lost_penalty(vec![2.0, 2.0, 3.0])
        .unwrap();
        let mut best: Option<((f64, f64), [usize; 6])> = None;
        let mut flow = [0usize; 9];
        whole_plans(&problem, &mut flow, 0, &mut best);
        let (value, expected) = best.unwrap();
        let plan = cold(&problem).unwrap();
        assert_eq!(plan.cost, value.0, "{problem:?}");
        let found: Vec<f64> = plan.drain.iter().chain(&plan.lost).copied().collect();
        let expected = expected.map(|units| units as f64);
        assert_eq!(found, expected, "{problem:?}");
    }
}

fn whole_plans(
    problem: &Fulfilment,
    flow: &mut [usize; 9],
    arc: usize,
    best: &mut Option<((f64, f64), [usize; 6])>,
) {
    if arc == 9 {
        let drain = [0, 1, 2].map(|w| flow[3 * w..][..3].iter().sum::<usize>());
        let lost =
            [0, 1, 2].map(|r| problem.demand()[r] as usize - flow[r] - flow[3 + r] - flow[6 + r]);
        let shipping = flow.iter().zip(problem.cost()).map(|(f, c)| *f as f64 * c);
        let losing = lost
            .iter()
            .zip(problem.lost_penalty())
            .map(|(l, p)| *l as f64 * p);
        let rank = (0..3)
            .map(|k| (problem.stock()[k] - drain[k] as f64 + lost[k] as f64) * (3 - k) as f64);
        let value = (shipping.chain(losing).sum::<f64>(), rank.sum::<f64>());
        if best.is_none_or(|b| value < b.0) {
            *best = Some((
                value,
                [drain[0], drain[1], drain[2], lost[0], lost[1], lost[2]],
            ));
        }
        return;
    }
    let (w, r) = (arc / 3, arc % 3);
    let sent: usize = flow[3 * w..arc].iter().sum();
    let served: usize = (0..w).map(|v| flow[3 * v + r]).sum();
    let most = (problem.stock()[w] as usize - sent).min(problem.demand()[r] as usize - served);
    for units in 0..=most {
        flow[arc] = units;
        whole_plans(problem, flow, arc + 1, best);
    }
    flow[arc] = 0;
}

#[test]
fn the_cut_names_who_is_short() {
    let problem = Fulfilment::new(vec![2.0, 9.0], vec![3.0, 1.0], vec![1.0; 4])
        .unwrap()
        .with_capacity(vec![f64::INFINITY, f64::INFINITY, 0.5, f64::INFINITY])
        .unwrap();
    let error = cold(&problem).unwrap_err();
    let DrainError::Infeasible(cut) = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (cut.regions, cut.warehouses, cut.shortfall),
        (vec![0], vec![0], 0.5)
    );
}

#[test]
fn wrong_input_is_named() {
    let new = |stock: &[f64], demand: &[f64], cost: &[f64]| {
        Fulfilment::new(stock.to_vec(), demand.to_vec(), cost.to_vec())
    };
    let negative = DrainError::Negative {
        argument: Argument::Stock,
        index: 1,
        value: -1.0,
    };
    assert_eq!(new(&[1.0, -1.0], &[1.0], &[1.0, 1.0]), Err(negative));
    assert!(matches!(
        new(&[1.0], &[1.0], &[f64::NAN]),
        Err(DrainError::NotFinite {
            argument: Argument::Cost,
            index: 0,
            ..
        })
    ));
    assert!(matches!(
        new(&[1.0], &[f64::INFINITY], &[1.0]),
        Err(DrainError::NotFinite {
            argument: Argument::Demand,
            ..
        })
    ));
    let length = DrainError::Length {
        argument: Argument::Cost,
        expected: 2,
        found: 3,
    };
    assert_eq!(new(&[1.0], &[1.0, 1.0], &[1.0; 3]), Err(length));
    assert_eq!(
        new(&[], &[1.0], &[]),
        Err(DrainError::Empty {
            argument: Argument::Stock
        })
    );
    let one = new(&[1.0], &[1.0], &[1.0]).unwrap();
    let below = DrainError::Negative {
        argument: Argument::Capacity,
        index: 0,
        value: -0.5,
    };
    assert_eq!(one.clone().with_capacity(vec![-0.5]), Err(below));
    let beyond = DrainError::OutOfBounds {
        argument: Argument::Region,
        index: 4,
        count: 1,
    };
    assert_eq!(one.with_ban(0, 4), Err(beyond));
}

#[test]
fn a_wrong_answer_fails_its_check() {
    let problem = Fulfilment::new(vec![4.0, 4.0], vec![3.0], vec![1.0, 2.0]).unwrap();
    let plan = cold(&problem).unwrap();
    let check = |flow: &[f64], stock: &[f64], delivered: &[f64]| {
        super::Certificate::of(&problem, flow, &plan.lost, stock, delivered).residual()
    };
    let (stock, delivered) = (&plan.prices.stock, &plan.prices.delivered);
    assert_eq!(check(&plan.flow, stock, delivered), 0.0);
    assert!(check(&[2.0, 1.0], stock, delivered) > 0.1); // dearer than need be
    assert!(check(&[3.0, 1.0], stock, delivered) > 0.1); // too much
    assert!(check(&plan.flow, stock, &[1.5]) > 0.1); // a price that the data do not bear
    assert!(check(&[f64::NAN, 0.0], stock, delivered) > 0.1);
}

/// Assignments are the most degenerate of transport problems: every basis has as many arcs at zero as arcs in use.
#[test]
fn large_assignments_end_with_few_pivots() {
    for (size, values) in [(200u32, 3u32), (200, 1), (300, 1000)] {
        let n = size as usize;
        let mut seed = 1u32;
        let cost = (0..n * n)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f64::from((seed >> 8) % values)
            })
            .collect();
        let problem = Fulfilment::new(vec![1.0; n], vec![1.0; n], cost).unwrap();
        let plan = cold(&problem).unwrap();
        assert_eq!(plan.certificate.residual(), 0.0);
        assert!(plan.flow.iter().all(|v| *v == 0.0 || *v == 1.0));
        assert!(plan.pivots < 30 * n, "{} pivots", plan.pivots);
        assert!(!plan.prices.unique()); // all prices may rise together
    }
}
