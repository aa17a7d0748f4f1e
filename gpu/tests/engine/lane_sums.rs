//! Programs that sum over lanes, against a hand loop over all lanes at once.

use hindsight_gpu::numbers::Dual;
use hindsight_gpu::{
    Batch, Cpu, DelayLine, Executor, Program, Scalar, Shape, Start, Step, Var, nn::Activation,
};
use proptest::prelude::*;

use crate::check::by_engine;
use crate::many::Many;
use hindsight_gpu::laws::random::{Arrays, Case, Instruction, Kind, Kinds, distance, programs};

/// One more than a tile.
const LANES: usize = 129;

/// All lanes at once; `value` makes a scalar of a number and its place among the parameters, `lane` inputs or `exo` inputs.
fn all_lanes<S: Scalar>(
    case: &Case,
    data: &Arrays<f64>,
    value: &dyn Fn(Place, f64) -> S,
) -> hindsight_gpu::laws::random::Outcome<Many<S, LANES>> {
    let rows =
        |values: &[f64], count: usize, place: &dyn Fn(usize) -> Place| -> Vec<Many<S, LANES>> {
            let row = |r: usize| {
                Many(std::array::from_fn(|i| {
                    value(place(r * LANES + i), values[r * LANES + i])
                }))
            };
            (0..count).map(row).collect()
        };
    let params: Vec<Many<S, LANES>> = data
        .params
        .iter()
        .enumerate()
        .map(|(i, &x)| Many([value(Place::Param(i), x); LANES]))
        .collect();
    let lane = rows(&data.lane, case.lane, &Place::Lane);
    let exo: Vec<Vec<_>> = (0..case.periods)
        .map(|t| {
            let first = t * case.exo * LANES;
            rows(&data.exo[first..], case.exo, &|i| Place::Exo(first + i))
        })
        .collect();
    let shared: Vec<Vec<_>> = (0..case.periods)
        .map(|t| {
            data.shared[t * case.shared..][..case.shared]
                .iter()
                .map(|&x| Many::constant(x))
                .collect()
        })
        .collect();
    case.evaluate(&params, &lane, &exo, &shared)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Param(usize),
    Lane(usize),
    Exo(usize),
}

fn slope(case: &Case, data: &Arrays<f64>, of: Place) -> f64 {
    let seed = |place: Place, x: f64| {
        if place == of {
            Dual::variable(x)
        } else {
            Dual::constant(x)
        }
    };
    let outcome = all_lanes(case, data, &seed);
    let both = outcome.objective.0.iter().zip(&data.weights);
    both.map(|(o, w)| o.derivative() * w).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn recorded_equals_the_hand_loop(case in programs(Kinds::Continuous, true, LANES..LANES + 1)) {
        let data = Arrays::<f64>::of(&case);
        let program = case.program();
        let arrays = &data;
        let batch = arrays.batch(&program, LANES, case.periods).expect("arrays that fit");
        let run = Cpu::new(2).forward(&program, &arrays.params, &batch).expect("a run");
        let hand = all_lanes(&case, &data, &|_, x| x);
        let flat = |rows: &[Many<f64, LANES>]| rows.iter().flat_map(|r| r.0).collect::<Vec<_>>();
        let gap = distance(&run.objective, &hand.objective.0)
            .max(distance(&run.traces, &flat(&hand.traces)))
            .max(distance(&run.state, &flat(&hand.state)));
        // The sums over lanes are taken tile by tile.
        prop_assert!(gap < 1e-11, "distance {gap}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(25))]

    #[test]
    fn reverse_equals_the_hand_loop(case in programs(Kinds::Continuous, true, LANES..LANES + 1)) {
        let data = Arrays::<f64>::of(&case);
        let reverse = by_engine::<f64>(&case, &case.program(), &Cpu::new(2));
        let params: Vec<f64> = (0..data.params.len()).map(|i| slope(&case, &data, Place::Param(i))).collect();
        let gap = distance(&reverse.params, &params);
        prop_assert!(gap < 1e-10, "distance {gap}");
        // Of the inputs, the first and the last lane of every row.
        let ends = |rows: usize| (0..rows).flat_map(|r| [r * LANES, (r + 1) * LANES - 1]).collect::<Vec<_>>();
        let check = |found: &[f64], rows: usize, place: &dyn Fn(usize) -> Place| {
            let ends = ends(rows);
            let found: Vec<f64> = ends.iter().map(|&i| found[i]).collect();
            let expected: Vec<f64> = ends.iter().map(|&i| slope(&case, &data, place(i))).collect();
            distance(&found, &expected)
        };
        let gap = check(&reverse.lane, case.lane, &Place::Lane)
            .max(check(&reverse.exo, case.exo * case.periods, &Place::Exo));
        prop_assert!(gap < 1e-10, "distance {gap}");
    }
}

/// The number of lanes is the sum of one, and a mean is a sum divided by it: constants are summed like everything else.
#[test]
fn a_constant_can_be_summed_and_delayed() {
    let program = Program::record(
        Shape {
            lane: 1,
            ..Shape::default()
        },
        |_, inputs| Start {
            state: vec![],
            carry: vec![inputs.lane[0].lane_sum() / Var::constant(1.0).lane_sum()],
        },
        |_, inputs| Step {
            objective: inputs.carry[0],
            traces: vec![
                Var::constant(3.0).delay(2, &mut DelayLine::default()),
                inputs.lane[0].delay(1, &mut DelayLine::default()),
            ],
            ..Step::new()
        },
    );
    let batch = Batch::new(&program, 3, 4)
        .lane(&[1.0_f64, 2.0, 6.0])
        .expect("three lanes");
    let run = Cpu::new(2).forward(&program, &[], &batch).expect("a run");
    assert_eq!(run.objective, [12.0; 3]);
    let constants: Vec<f64> = run.traces.iter().copied().skip(2).step_by(6).collect();
    assert_eq!(constants, [0.0, 0.0, 3.0, 3.0]);
    let delayed: Vec<f64> = run.traces.iter().copied().skip(5).step_by(6).collect();
    assert_eq!(delayed, [0.0, 6.0, 6.0, 6.0]);
}

/// A price that clears a market the period before feeds a network in the next: the gradient flows through the sum, the past
/// and the layer, though the layer runs in a phase before the sum.
#[test]
fn the_past_of_a_sum_reaches_the_parameters() {
    let case = Case {
        lane: 1,
        exo: 1,
        shared: 0,
        start: vec![],
        // The pool: input, lane's input, two carried, two constants, three parameters, then the results.
        period: [
            (Kind::Mul, 6, 0),
            (Kind::LaneSum, 9, 0),
            (Kind::Delay, 10, 1),
            (Kind::Neg, 11, 0),
            (Kind::Dense(Activation::Tanh, true), 0, 12),
        ]
        .map(|(kind, a, b)| Instruction {
            kind,
            a,
            b,
            c: 0,
            n: 1,
        })
        .to_vec(),
        next: vec![],
        lanes: LANES,
        periods: 3,
        seed: 5,
        groups: vec![],
    };
    let data = Arrays::<f64>::of(&case);
    let reverse = by_engine::<f64>(&case, &case.program(), &Cpu::new(1));
    let params: Vec<f64> = (0..data.params.len())
        .map(|i| slope(&case, &data, Place::Param(i)))
        .collect();
    assert!(params[0].abs() > 1e-6, "the parameter matters: {params:?}");
    assert!(
        distance(&reverse.params, &params) < 1e-10,
        "{:?} {params:?}",
        reverse.params
    );
}
