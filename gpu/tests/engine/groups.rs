//! Lanes in groups: each group is a run of its own, wherever it stands and whoever runs it.

use hindsight_gpu::{Batch, Cpu, Executor, Part, Program, Scalar, Shape, Start, Step};
use proptest::prelude::*;

use crate::check::by_differences;
use crate::executors::executors;
use crate::invariance::{bits, same_gradient, same_rollout};
use hindsight_gpu::laws::random::{Arrays, Case, Kinds, distance, programs};

/// Few lanes, one, a tile and a tile and a half of either width, and what lies between.
fn sizes() -> impl Strategy<Value = Vec<usize>> {
    let tiles = prop::sample::select(vec![64_usize, 96, 128, 192]);
    let size = prop_oneof![3 => 1..9_usize, 1 => Just(1_usize), 2 => tiles, 1 => 60..300_usize];
    prop::collection::vec(size, 1..7)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// A batch in groups is its groups, one after another: values, parameters' and inputs' derivatives.
    #[test]
    fn a_group_is_a_run_of_its_own(case in programs(Kinds::Any, true, 1..2), sizes in sizes()) {
        let case = of_groups(case, &sizes);
        let arrays = Arrays::<f64>::of(&case);
        let program = case.program();
        let batch = || arrays.batch(&program, case.lanes, case.periods).expect("arrays that fit").weights(&arrays.weights).expect("weights").differentiate_inputs();
        let cpu = Cpu::new(2);
        let grouped = batch().groups(&sizes).expect("sizes that add up");
        let run = cpu.forward(&program, &arrays.params, &grouped).expect("a run");
        let gradient = cpu.gradient(&program, &arrays.params, &grouped).expect("a run");
        let mut sum = vec![0.0; arrays.params.len()];
        let mut first = 0;
        for &size in &sizes {
            let lanes: Vec<usize> = (first..first + size).collect();
            let mut session = cpu.open(&program, batch()).expect("a session");
            session.load(&arrays.params).expect("as many parameters");
            let alone = session.forward(&Part::lanes(&lanes)).expect("a run");
            let own = |rows: &[f64]| -> Vec<f64> {
                rows.chunks_exact(case.lanes).flat_map(|row| row[first..first + size].to_vec()).collect()
            };
            prop_assert!(distance(&own(&run.objective), &alone.objective) < 1e-11);
            prop_assert!(distance(&own(&run.traces), &alone.traces) < 1e-11);
            prop_assert!(distance(&own(&run.state), &alone.state) < 1e-11);
            let alone = session.gradient(&Part::lanes(&lanes)).expect("a run");
            sum.iter_mut().zip(&alone.params).for_each(|(s, g)| *s += g);
            prop_assert!(distance(&own(&gradient.lane), &alone.lane) < 1e-10);
            prop_assert!(distance(&own(&gradient.exo), &alone.exo) < 1e-10);
            first += size;
        }
        prop_assert!(distance(&gradient.params, &sum) < 1e-10);
    }
}

/// A program with as many lanes as the groups have.
fn of_groups(mut case: Case, sizes: &[usize]) -> Case {
    case.lanes = sizes.iter().sum();
    case
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(25))]

    /// One lane, a few, a tile, a tile and a half: against central differences, with every executor.
    #[test]
    fn reverse_equals_central_differences(case in programs(Kinds::Smooth, true, 1..2), sizes in sizes()) {
        let case = of_groups(case, &sizes);
        let arrays = Arrays::<f64>::of(&case);
        let program = case.program();
        let batch = arrays.batch(&program, case.lanes, case.periods).expect("arrays that fit");
        let batch = batch.weights(&arrays.weights).and_then(|b| b.groups(&sizes)).expect("arrays that fit");
        let differences = by_differences(&program, &arrays, &batch);
        for (name, executor) in executors::<f64>() {
            let gradient = executor.gradient(&program, &arrays.params, &batch).expect("a run");
            let gap = distance(&gradient.params, &differences);
            prop_assert!(gap < 1e-5, "{name}: distance {gap}");
        }
    }

    /// The same bits for any number of threads, for a horizon cut into segments, and in a session that has done other things before.
    #[test]
    fn who_runs_a_group_changes_no_bit(case in programs(Kinds::Any, true, 1..2), sizes in sizes(), longer in 1_usize..5) {
        let mut case = of_groups(case, &sizes);
        case.periods *= longer;
        let arrays = Arrays::<f32>::of(&case);
        let program = case.program();
        let batch = || arrays.batch(&program, case.lanes, case.periods).expect("arrays that fit").groups(&sizes).expect("sizes").differentiate_inputs();
        let one = Cpu::new(1);
        let run = one.forward(&program, &arrays.params, &batch()).expect("a run");
        let gradient = one.gradient(&program, &arrays.params, &batch()).expect("a run");
        for cpu in [Cpu::new(2), Cpu::new(5), Cpu::new(1).with_tape(1), Cpu::new(3).with_tape(100_000)] {
            let mut session = cpu.open(&program, batch()).expect("a session");
            session.load(&arrays.params).expect("as many parameters");
            for _ in 0..2 {
                prop_assert!(same_gradient(&gradient, &session.gradient(&Part::all()).expect("a run")), "{cpu:?}");
                prop_assert!(same_rollout(&run, &session.forward(&Part::all()).expect("a run")), "{cpu:?}");
                session.gradient(&Part::groups(&[sizes.len() - 1, 0]).periods(0..1)).expect("a run");
            }
        }
    }

    /// In another order, a group's lanes have the same bits, and so have the derivatives of their inputs.
    #[test]
    fn where_a_group_stands_changes_no_bit(case in programs(Kinds::Any, true, 1..2), sizes in sizes(), turn in 0_usize..6) {
        let case = of_groups(case, &sizes);
        let arrays = Arrays::<f32>::of(&case);
        let program = case.program();
        let batch = arrays.batch(&program, case.lanes, case.periods).expect("arrays that fit");
        let batch = batch.weights(&arrays.weights).and_then(|b| b.groups(&sizes)).expect("arrays that fit").differentiate_inputs();
        let starts: Vec<usize> = (0..sizes.len()).map(|g| sizes[..g].iter().sum()).collect();
        let mut order: Vec<usize> = (0..sizes.len()).rev().collect();
        order.rotate_left(turn % sizes.len());
        let lanes: Vec<usize> = order.iter().flat_map(|&g| starts[g]..starts[g] + sizes[g]).collect();
        let turned = |rows: &[f32]| -> Vec<f32> {
            rows.chunks_exact(case.lanes).flat_map(|row| lanes.iter().map(|&lane| row[lane])).collect()
        };
        let cpu = Cpu::new(2);
        let mut session = cpu.open(&program, batch).expect("a session");
        session.load(&arrays.params).expect("as many parameters");
        let (run, gradient) = (session.forward(&Part::all()), session.gradient(&Part::all()));
        let part = Part::groups(&order);
        let (moved, moved_gradient) = (session.forward(&part), session.gradient(&part));
        let (run, gradient) = (run.expect("a run"), gradient.expect("a run"));
        let (moved, moved_gradient) = (moved.expect("a run"), moved_gradient.expect("a run"));
        prop_assert_eq!(bits(&turned(&run.traces)), bits(&moved.traces));
        prop_assert_eq!(bits(&turned(&run.state)), bits(&moved.state));
        prop_assert_eq!(bits(&turned(&gradient.lane)), bits(&moved_gradient.lane));
        prop_assert_eq!(bits(&turned(&gradient.exo)), bits(&moved_gradient.exo));
    }

    /// Shared inputs of each group are those that lanes would have had as inputs of their own.
    #[test]
    fn inputs_of_a_group_are_inputs_of_its_lanes(sizes in sizes(), seed in prop::collection::vec(-1.0..1.0_f64, 14)) {
        let lanes: usize = sizes.iter().sum();
        let group: Vec<usize> = sizes.iter().enumerate().flat_map(|(g, &n)| vec![g; n]).collect();
        let by_group: Vec<f64> = (0..2 * sizes.len()).map(|i| seed[i % 14]).collect();
        let by_lane: Vec<f64> = (0..2 * lanes).map(|i| by_group[i / lanes * sizes.len() + group[i % lanes]]).collect();
        let shared = Program::record(
            Shape { params: 1, shared: 1, ..Shape::default() },
            |_, _| Start::default(),
            |_, i| Step { objective: (i.params[0] * i.shared[0]).tanh().lane_sum() * i.shared[0], ..Step::new() },
        );
        let own = Program::record(
            Shape { params: 1, exo: 1, ..Shape::default() },
            |_, _| Start::default(),
            |_, i| Step { objective: (i.params[0] * i.exo[0]).tanh().lane_sum() * i.exo[0], ..Step::new() },
        );
        let cpu = Cpu::new(2);
        let grouped = |program: &Program| Batch::new(program, lanes, 2).groups(&sizes).expect("sizes");
        let shared = cpu.gradient(&shared, &[0.8], &grouped(&shared).shared_by_group(&by_group).expect("as many")).expect("a run");
        let own = cpu.gradient(&own, &[0.8], &grouped(&own).exo(&by_lane).expect("as many")).expect("a run");
        prop_assert!(distance(&[shared.objective, shared.params[0]], &[own.objective, own.params[0]]) < 1e-12);
    }
}

/// A price that follows the use of all, and orders that follow the price: `cut` leaves out the way through the use.
fn market(cut: bool) -> Program {
    let shape = Shape {
        params: 2,
        lane: 1,
        ..Shape::default()
    };
    Program::record(
        shape,
        |_, _| Start {
            state: vec![Scalar::constant(0.5)],
            carry: vec![],
        },
        |_, i| {
            let used = (i.state[0] * i.lane[0]).lane_sum();
            let used = if cut { used.detach() } else { used };
            let price = (used * i.params[0]).softplus();
            let order = (i.params[1] - price).sigmoid();
            Step {
                state: vec![order],
                objective: order * i.lane[0] - price * order,
                traces: vec![],
            }
        },
    )
}

/// Planted: without the way from the use through the price to later orders the gradient is wrong, and differences tell.
#[test]
fn a_missing_way_through_the_sum_is_caught() {
    let sizes = [3, 1, 70];
    let lane: Vec<f64> = (0..74_u8).map(|n| 0.3 + f64::from(n % 7) / 7.0).collect();
    let arrays = Arrays {
        params: vec![0.4, 0.9],
        lane: lane.clone(),
        exo: vec![],
        shared: vec![],
        weights: vec![1.0; 74],
    };
    for (cut, caught) in [(false, false), (true, true)] {
        let (whole, tried) = (market(false), market(cut));
        let batch = |program| {
            let batch = Batch::new(program, 74, 6).lane(&lane);
            batch.and_then(|b| b.groups(&sizes)).expect("74 lanes")
        };
        let mut differences = by_differences(&whole, &arrays, &batch(&whole));
        differences.iter_mut().for_each(|d| *d /= 74.0);
        let gradient = Cpu::new(1).gradient(&tried, &arrays.params, &batch(&tried));
        let gap = distance(&gradient.expect("a run").params, &differences);
        assert_eq!(gap > 1e-3, caught, "distance {gap}");
    }
}

#[test]
fn sums_and_maxima_are_over_the_group() {
    let shape = Shape {
        lane: 1,
        ..Shape::default()
    };
    let program = Program::record(
        shape,
        |_, _| Start::default(),
        |_, inputs| {
            let x = inputs.lane[0];
            Step {
                objective: x.lane_max(),
                traces: vec![x.lane_sum()],
                ..Step::new()
            }
        },
    );
    let batch = Batch::new(&program, 5, 1)
        .lane(&[1.0_f64, -4.0, 3.0, -2.0, -7.0])
        .and_then(|batch| batch.groups(&[1, 2, 2]))
        .expect("five lanes");
    let cpu = Cpu::new(1);
    let mut session = cpu
        .open(&program, batch.differentiate_inputs())
        .expect("a session");
    let run = session.forward(&Part::all()).expect("a run");
    assert_eq!(run.objective, [1.0, 3.0, 3.0, -2.0, -2.0]);
    assert_eq!(run.traces, [1.0, -1.0, -1.0, -9.0, -9.0]);
    let part = session.forward(&Part::groups(&[2, 0])).expect("a run");
    assert_eq!(part.objective, [-2.0, -2.0, 1.0]);
    // The maximum has no derivative.
    let gradient = session.gradient(&Part::all()).expect("a run");
    assert_eq!(gradient.lane, [0.0; 5]);
}
