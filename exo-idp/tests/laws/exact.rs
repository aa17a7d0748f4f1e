//! The exact solvers against published values, a second algorithm and the laws of the lost-sales problem.

use hindsight_exo_idp::exact::{
    ChainOptions, DemandLaw, LostSales, Myopic, SolveOptions, backorder_base_stock, base_stock,
    capped_base_stock, constant_order,
};
use proptest::prelude::*;

const PENALTIES: [f64; 4] = [4.0, 9.0, 19.0, 39.0];

fn problem(demand: DemandLaw, lead_time: usize, penalty: f64) -> LostSales {
    LostSales::new(demand, lead_time, 1.0, penalty).unwrap()
}

fn optimum(problem: &LostSales) -> f64 {
    problem.solve(&SolveOptions::default()).unwrap().cost()
}

/// Published optimal costs of the test bed of Zipkin (2008), mean 5, h = 1: rows by penalty, columns by lead time 1 to 4.
#[test]
fn published_cells_of_the_test_bed() {
    let poisson = [
        [4.041, 4.395, 4.599, 4.729],
        [5.438, 6.094, 6.531, 6.836],
        [6.676, 7.664, 8.363, 8.887],
        [7.836, 9.106, 10.038, 10.794],
    ];
    let geometric = [
        [9.82, 10.24, 10.47, 10.61],
        [14.51, 15.50, 16.14, 16.58],
        [19.22, 20.89, 22.06, 22.95],
        [23.87, 26.21, 27.96, 29.36],
    ];
    for (law, table, tolerance) in [
        (DemandLaw::poisson(5.0), poisson, 6e-4),
        (DemandLaw::geometric(5.0), geometric, 0.005),
    ] {
        let law = law.unwrap();
        for (row, penalty) in table.iter().zip(PENALTIES) {
            for (cell, lead_time) in row.iter().zip(1..) {
                let cost = optimum(&problem(law.clone(), lead_time, penalty));
                assert!(
                    (cost - cell).abs() <= tolerance,
                    "p {penalty}, L {lead_time}: {cost}, published {cell}"
                );
            }
        }
    }
}

/// Best base stock, best capped base stock and myopic policy for Poisson demand of mean 5, rows by penalty, columns by lead time.
#[test]
fn heuristics_of_the_test_bed() {
    let plain = [
        [4.16, 4.64, 4.975, 5.20],
        [5.55, 6.32, 6.86, 7.27],
        [6.73, 7.84, 8.60, 9.23],
        [7.86, 9.19, 10.22, 11.06],
    ];
    let capped = [
        [4.07, 4.41, 4.63, 4.80],
        [5.48, 6.12, 6.62, 6.91],
        [6.69, 7.72, 8.40, 8.95],
        [7.84, 9.13, 10.09, 10.89],
    ];
    let myopic = [
        [4.11, 4.56, 4.84, 5.06],
        [5.45, 6.22, 6.80, 7.20],
        [6.69, 7.77, 8.56, 9.18],
        [7.88, 9.16, 10.17, 11.04],
    ];
    let levels = [
        [12, 0, 0, 25],
        [13, 0, 0, 28],
        [15, 0, 0, 31],
        [16, 0, 0, 33],
    ];
    let mut worst = [0.0_f64; 3];
    for (i, penalty) in PENALTIES.into_iter().enumerate() {
        for lead_time in 1..=4 {
            let problem = problem(DemandLaw::poisson(5.0).unwrap(), lead_time, penalty);
            let table = problem
                .compare(&SolveOptions::default(), &ChainOptions::default(), |_| ())
                .unwrap();
            let plain_best = table.base_stock.unwrap();
            let level = levels[i][lead_time - 1];
            assert!(level == 0 || level == plain_best.parameters);
            // Four units a period: one lost on average, and 0.27 left.
            let constant = table.constant_order.unwrap();
            assert_eq!(constant.parameters, 4);
            assert!((constant.figures.cost - (penalty + 1.27)).abs() < 0.0051);
            let capped_best = table.capped_base_stock.unwrap();
            for (k, figures, published) in [
                (0, plain_best.figures, &plain),
                (1, capped_best.figures, &capped),
                (2, table.myopic.unwrap(), &myopic),
            ] {
                assert!(
                    (figures.cost - published[i][lead_time - 1]).abs() <= 0.0051,
                    "p {penalty}, L {lead_time}: {figures:?}"
                );
                // Cost is made of its two parts: h * left over + p * lost.
                let lost = (1.0 - figures.fill_rate) * 5.0;
                assert!((figures.left_over + penalty * lost - figures.cost).abs() < 1e-5);
                worst[k] = worst[k].max(figures.gap.unwrap());
            }
        }
    }
    // The largest gaps of base stock and of the myopic policy on the whole test bed, at penalty 4 and lead time 4.
    assert!(
        (worst[0] - 0.099).abs() < 6e-4 && (worst[2] - 0.071).abs() < 6e-4,
        "{worst:?}"
    );
}

/// Sensitivities of the optimal order for L = 3, penalty 9: -1 <= newest <= older <= on hand <= 0 (arXiv 2507.22040).
#[test]
fn order_falls_most_with_the_newest_outstanding_order() {
    let problem = problem(DemandLaw::poisson(5.0).unwrap(), 3, 9.0);
    // Bounds widened, so that the neighbours of every state examined lie within them.
    let options = SolveOptions {
        extra_position: 12,
        extra_order: 8,
        ..SolveOptions::default()
    };
    let best = problem.solve(&options).unwrap();
    assert!((best.cost() - optimum(&problem)).abs() < 1e-6);
    let order = |state: [u32; 3]| i64::from(best.order(&state).unwrap());
    let (mut states, mut sums) = (0_u32, [0_i64; 3]);
    for on_hand in 0..14 {
        for older in 0..10 {
            for newest in 0..10 {
                let here = order([on_hand, older, newest]);
                if here == 0 {
                    continue;
                }
                let steps = [
                    order([on_hand + 1, older, newest]) - here,
                    order([on_hand, older + 1, newest]) - here,
                    order([on_hand, older, newest + 1]) - here,
                ];
                assert!(
                    -1 <= steps[2] && steps[2] <= steps[1] && steps[1] <= steps[0] && steps[0] <= 0
                );
                states += 1;
                for (sum, step) in sums.iter_mut().zip(steps) {
                    *sum += step;
                }
            }
        }
    }
    assert_eq!(states, 1291);
    for (sum, mean) in sums.into_iter().zip([-0.28, -0.40, -0.57]) {
        let got = f64::from(i32::try_from(sum).unwrap()) / f64::from(states);
        assert!((got - mean).abs() < 0.005, "{got} {mean}");
    }
    // The same check must fail for a base-stock policy, which moves by one unit for every component.
    let plain = base_stock(23);
    assert_eq!(plain(&[5, 5, 5]) - plain(&[6, 5, 5]), 1);
}

#[test]
fn wider_bounds_change_no_optimum() {
    for (penalty, lead_time) in [(4.0, 1), (4.0, 3), (19.0, 2), (39.0, 3)] {
        let problem = problem(DemandLaw::poisson(5.0).unwrap(), lead_time, penalty);
        let wide = SolveOptions {
            extra_position: 12,
            extra_order: 8,
            ..SolveOptions::default()
        };
        let gap = problem.solve(&wide).unwrap().cost() - optimum(&problem);
        assert!(gap.abs() < 1e-6, "{gap}");
    }
}

#[test]
fn no_lead_time_is_the_newsvendor() {
    let law = DemandLaw::negative_binomial(5.0, 2.0).unwrap();
    let problem = problem(law.clone(), 0, 9.0);
    let best = problem.solve(&SolveOptions::default()).unwrap();
    let news = backorder_base_stock(&law, 0, 1.0, 9.0).unwrap();
    assert!((best.cost() - news.cost).abs() < 1e-6);
    assert_eq!(best.order(&[0]), Some(news.quantity));
    assert_eq!(best.order(&[2]), Some(news.quantity - 2));
    let (level, cost) = problem.best_base_stock(&ChainOptions::default()).unwrap();
    assert_eq!(level, news.quantity);
    assert!((cost - news.cost).abs() < 1e-6);
}

#[test]
fn constant_demand_is_a_periodic_chain_and_still_converges() {
    // Three units every period: hold nothing, lose nothing.
    let law = DemandLaw::from_counts(&[0, 0, 0, 1]).unwrap();
    let problem = problem(law, 2, 9.0);
    assert!(optimum(&problem).abs() < 1e-6);
    let cost = problem
        .evaluate(base_stock(9), &ChainOptions::default())
        .unwrap()
        .cost;
    assert!(cost.abs() < 1e-6, "{cost}");
}

#[test]
fn extreme_costs_still_converge() {
    for (penalty, lead_time) in [(1e9, 1), (1e9, 2), (1e-6, 2), (1e-3, 0)] {
        let problem = problem(DemandLaw::poisson(5.0).unwrap(), lead_time, penalty);
        let table = problem
            .compare(&SolveOptions::default(), &ChainOptions::default(), |_| ())
            .unwrap();
        let best = table.optimum.cost();
        let costs = [
            table.optimal.unwrap().cost,
            table.capped_base_stock.unwrap().figures.cost,
            table.base_stock.unwrap().figures.cost,
            table.myopic.unwrap().cost,
            table.constant_order.unwrap().figures.cost,
        ];
        assert!(
            costs
                .iter()
                .all(|cost| cost.is_finite() && *cost >= best * (1.0 - 1e-5)),
            "{costs:?}"
        );
    }
}

#[test]
fn a_policy_is_asked_only_where_it_goes() {
    let problem = problem(DemandLaw::poisson(5.0).unwrap(), 3, 9.0);
    let asked = std::cell::RefCell::new(std::collections::HashSet::new());
    let policy = |state: &[u32]| {
        assert!(
            asked.borrow_mut().insert(state.to_vec()),
            "asked twice for {state:?}"
        );
        capped_base_stock(24, 6)(state)
    };
    let result = problem.evaluate(policy, &ChainOptions::default()).unwrap();
    assert_eq!(asked.borrow().len(), result.states);
    assert!(
        asked
            .borrow()
            .iter()
            .all(|s| s.iter().sum::<u32>() <= 24 && s[1] <= 6 && s[2] <= 6)
    );
}

#[test]
fn runaway_policies_are_refused() {
    let problem = problem(DemandLaw::poisson(5.0).unwrap(), 2, 9.0);
    let few = ChainOptions {
        max_states: 100_000,
        ..ChainOptions::default()
    };
    assert!(problem.evaluate(constant_order(6), &few).is_err());
    assert!(problem.evaluate(constant_order(u32::MAX), &few).is_err());
    assert!(problem.constant_order_cost(5).is_err());
    assert!(
        problem
            .solve(&SolveOptions {
                max_states: 10,
                ..SolveOptions::default()
            })
            .is_err()
    );
}

/// A cut-off constant order must agree with the elimination on the unbounded chain.
#[test]
fn constant_order_agrees_with_the_chain() {
    let problem = problem(DemandLaw::negative_binomial(5.0, 3.0).unwrap(), 1, 9.0);
    for order in 0..4 {
        let policy = move |state: &[u32]| if state[0] > 400 { 0 } else { order };
        let chain = problem
            .evaluate(
                policy,
                &ChainOptions {
                    tolerance: 1e-9,
                    ..ChainOptions::default()
                },
            )
            .unwrap();
        let direct = problem.constant_order_cost(order).unwrap();
        assert!(
            (chain.cost - direct).abs() < 1e-7,
            "{order}: {} {direct}",
            chain.cost
        );
    }
    // Known in closed form: geometric demand of mean 5 and three units a period cost 11 with h = 1, p = 4.
    let (order, cost) = self::problem(DemandLaw::geometric(5.0).unwrap(), 4, 4.0)
        .best_constant_order()
        .unwrap();
    assert_eq!(order, 3);
    assert!((cost - 11.0).abs() < 1e-9);
}

/// Policy iteration with dense linear equations: nothing shared with the solver but the period's cost.
fn policy_iteration(problem: &LostSales, bound: u32, largest: u32) -> Option<f64> {
    let len = problem.state_len();
    let mut states: Vec<Vec<u32>> = vec![Vec::new()];
    for i in 0..len {
        states = states
            .iter()
            .flat_map(|s| {
                (0..=if i == 0 { bound } else { largest })
                    .map(move |x| [s.as_slice(), &[x]].concat())
            })
            .filter(|s| s.iter().sum::<u32>() <= bound)
            .collect();
    }
    let place = |s: &[u32]| states.iter().position(|t| t == s).unwrap();
    let step = |s: &[u32], z: u32, d: u32| -> usize {
        let next: Vec<u32> = match problem.lead_time() {
            0 => vec![(s[0] + z).saturating_sub(d)],
            1 => vec![s[0].saturating_sub(d) + z],
            _ => {
                let mut next = vec![s[0].saturating_sub(d) + s[1]];
                next.extend_from_slice(&s[2..]);
                next.push(z);
                next
            }
        };
        place(&next)
    };
    let cost = |s: &[u32], z: u32| {
        problem.period_cost(if problem.lead_time() == 0 {
            s[0] + z
        } else {
            s[0]
        })
    };
    let demand = problem.demand();
    let n = states.len();
    let mut orders = vec![0_u32; n];
    for _ in 0..100 {
        // Unknowns: v[1..n] and the gain in place of v[0].
        let mut a = vec![vec![0.0; n + 1]; n];
        for (i, s) in states.iter().enumerate() {
            a[i][0] = 1.0;
            if i > 0 {
                a[i][i] += 1.0;
            }
            for d in 0..=demand.largest() {
                let j = step(s, orders[i], d);
                if j > 0 {
                    a[i][j] -= demand.pmf(d);
                }
            }
            a[i][n] = cost(s, orders[i]);
        }
        let mut v = solve_dense(a)?;
        let gain = std::mem::replace(&mut v[0], 0.0);
        let mut changed = false;
        for (i, s) in states.iter().enumerate() {
            let room = bound - s.iter().sum::<u32>();
            let q = |z: u32| -> f64 {
                cost(s, z)
                    + (0..=demand.largest())
                        .map(|d| demand.pmf(d) * v[step(s, z, d)])
                        .sum::<f64>()
            };
            let now = q(orders[i]);
            for z in 0..=room.min(largest) {
                if q(z) < now - 1e-9 && q(z) < q(orders[i]) {
                    orders[i] = z;
                    changed = true;
                }
            }
        }
        if !changed {
            return Some(gain);
        }
    }
    None
}

fn solve_dense(mut a: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let n = a.len();
    for k in 0..n {
        let pivot = (k..n).max_by(|&i, &j| a[i][k].abs().total_cmp(&a[j][k].abs()))?;
        if a[pivot][k].abs() < 1e-10 {
            return None;
        }
        a.swap(k, pivot);
        let top = a[k].clone();
        for (i, row) in a.iter_mut().enumerate() {
            if i != k {
                let f = row[k] / top[k];
                for (x, t) in row[k..].iter_mut().zip(&top[k..]) {
                    *x -= f * t;
                }
            }
        }
    }
    Some((0..n).map(|k| a[k][n] / a[k][k]).collect())
}

fn small_law() -> impl Strategy<Value = DemandLaw> {
    proptest::collection::vec(0_u64..6, 2..7).prop_filter_map("some demand", |mut counts| {
        counts[0] += 1;
        (counts[1..].iter().sum::<u64>() > 0).then(|| DemandLaw::from_counts(&counts).unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn optimum_agrees_with_policy_iteration(law in small_law(), lead in 0_usize..3, penalty in 0.5_f64..20.0) {
        let problem = problem(law, lead, penalty);
        // The bounds of the second algorithm are its own: wider than the solver's.
        let bound = problem.position_bound().unwrap() + 1;
        let brute = policy_iteration(&problem, bound, problem.order_bound() + 1);
        prop_assume!(brute.is_some());
        let cost = optimum(&problem);
        prop_assert!((brute.unwrap() - cost).abs() < 1e-6, "{brute:?} {cost}");
    }

    #[test]
    fn optimum_is_the_cost_of_its_own_policy(law in small_law(), lead in 0_usize..4, penalty in 0.5_f64..20.0) {
        let problem = problem(law, lead, penalty);
        let best = problem.solve(&SolveOptions::default()).unwrap();
        let chain = problem.chain(|s| best.order(s).unwrap(), &ChainOptions::default()).unwrap();
        let options = ChainOptions { tolerance: 1e-10, ..ChainOptions::default() };
        let evaluated = chain.evaluate(&options).unwrap();
        prop_assert!((evaluated.cost - best.cost()).abs() < 1e-6);
        // The stationary distribution is a second way to the same cost, and units are conserved.
        let averages = chain.stationary(&options).unwrap();
        prop_assert!((averages.cost - best.cost()).abs() < 1e-6);
        prop_assert!((averages.ordered + averages.lost - problem.demand().mean()).abs() < 1e-6);
        prop_assert!((averages.cost - averages.left - penalty * averages.lost).abs() < 1e-9);
    }

    #[test]
    fn policies_are_ordered(law in small_law(), lead in 0_usize..4, penalty in 0.5_f64..20.0) {
        let problem = problem(law.clone(), lead, penalty);
        let options = ChainOptions::default();
        let best = optimum(&problem);
        let (_, capped) = problem.best_capped_base_stock(&options).unwrap();
        let (level, plain) = problem.best_base_stock(&options).unwrap();
        let myopic = Myopic::new(&problem);
        let myopic = problem.evaluate(|s| myopic.order(s), &options).unwrap().cost;
        let (_, constant) = problem.best_constant_order().unwrap();
        prop_assert!(best <= capped + 1e-6 && capped <= plain + 1e-6, "{best} {capped} {plain}");
        prop_assert!(best <= myopic + 1e-6 && best <= constant + 1e-6);
        // Losing demand is never dearer than back-ordering it at the same penalty per unit and period.
        prop_assert!(best <= backorder_base_stock(&law, lead, 1.0, penalty).unwrap().cost + 1e-6);
        // The downhill walk finds the least of all levels.
        for other in 0..=level + 6 {
            let cost = problem.evaluate(base_stock(other), &options).unwrap().cost;
            prop_assert!(cost >= plain - 1e-6, "level {other} costs {cost}, best {level} costs {plain}");
        }
    }

    #[test]
    fn cost_rises_with_penalty_and_lead_time(law in small_law(), lead in 0_usize..3, penalty in 0.5_f64..20.0) {
        let here = optimum(&problem(law.clone(), lead, penalty));
        prop_assert!(here <= optimum(&problem(law.clone(), lead, penalty * 1.3)) + 1e-6);
        prop_assert!(here <= optimum(&problem(law, lead + 1, penalty)) + 1e-6);
    }

    #[test]
    fn capped_search_finds_the_least_of_a_grid(law in small_law(), lead in 1_usize..4, penalty in 0.5_f64..20.0) {
        let problem = problem(law, lead, penalty);
        let options = ChainOptions::default();
        let (_, found) = problem.best_capped_base_stock(&options).unwrap();
        let top = problem.position_bound().unwrap();
        for cap in 1..=problem.order_bound() + 1 {
            if 2.0 * f64::from(cap) < problem.demand().mean() {
                continue;
            }
            for level in 0..=2 * top {
                let cost = problem.evaluate(capped_base_stock(level, cap), &options).unwrap().cost;
                prop_assert!(cost >= found - 1e-6, "({level}, {cap}) costs {cost}, found {found}");
            }
        }
    }

    #[test]
    fn sensitivities_of_the_optimal_order(law in small_law(), lead in 1_usize..4, penalty in 0.5_f64..20.0) {
        // L-natural convexity (Zipkin 2008): one more unit lowers the order by at most one, newer units by at least as much.
        // With ties the smallest minimiser keeps the property.
        let problem = problem(law, lead, penalty);
        let options = SolveOptions { extra_position: 6, extra_order: 4, ..SolveOptions::default() };
        let best = problem.solve(&options).unwrap();
        let reached = problem.chain(|s| best.order(s).unwrap(), &ChainOptions::default()).unwrap();
        for (state, order) in reached.states() {
            let mut last = 0_i64;
            for i in 0..state.len() {
                let mut more = state.clone();
                more[i] += 1;
                let Some(there) = best.order(&more) else { continue };
                let step = i64::from(there) - i64::from(order);
                prop_assert!(-1 <= step && step <= last, "{state:?} {i} {step}");
                last = step;
            }
        }
    }
}
