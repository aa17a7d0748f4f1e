//! The comparisons that every program goes through.

use hindsight_gpu::numbers::Dual;
use hindsight_gpu::{Batch, Cpu, Executor, Program, Real, Scalar, exec::Gradient};

use hindsight_gpu::laws::random::{Arrays, Case, Outcome, distance};

/// Parameters, the lane's own inputs, and the inputs of each period: the lane's and the shared ones.
type LaneArrays<S> = (Vec<S>, Vec<S>, Vec<Vec<S>>, Vec<Vec<S>>);

/// The arrays of one lane as scalars: `value` makes a scalar of a number and its place (array, index).
pub(crate) fn lane_arrays<S: Scalar>(
    case: &Case,
    data: &Arrays<f64>,
    lane: usize,
    value: &dyn Fn(Input, f64) -> S,
) -> LaneArrays<S> {
    let params = data.params.iter().enumerate();
    let params = params.map(|(i, &x)| value(Input::Param(i), x)).collect();
    let lanes = case.lanes;
    let own = (0..case.lane)
        .map(|k| value(Input::Lane(k), data.lane[k * lanes + lane]))
        .collect();
    let exo = |t: usize| {
        let at = move |k| (t * case.exo + k) * lanes + lane;
        (0..case.exo)
            .map(|k| value(Input::Exo(t, k), data.exo[at(k)]))
            .collect()
    };
    let shared = |t: usize| {
        let row = &data.shared[t * case.shared..][..case.shared];
        row.iter().map(|&x| value(Input::Shared, x)).collect()
    };
    (
        params,
        own,
        (0..case.periods).map(exo).collect(),
        (0..case.periods).map(shared).collect(),
    )
}

/// A number that a lane reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    Param(usize),
    Lane(usize),
    Exo(usize, usize),
    Shared,
}

/// One lane, evaluated directly.
pub(crate) fn direct<S: Scalar>(
    case: &Case,
    data: &Arrays<f64>,
    lane: usize,
    value: &dyn Fn(Input, f64) -> S,
) -> Outcome<S> {
    let (params, own, exo, shared) = lane_arrays(case, data, lane, value);
    case.evaluate(&params, &own, &exo, &shared)
}

/// The distance of a recorded run in `f64` from the direct evaluation of the same code.
pub(crate) fn forward_distance(case: &Case, executor: &dyn Executor<f64>) -> f64 {
    let data = Arrays::<f64>::of(case);
    let arrays = &data;
    let program = case.program();
    let batch = arrays
        .batch(&program, case.lanes, case.periods)
        .expect("arrays that fit");
    let run = executor
        .forward(&program, &arrays.params, &batch)
        .expect("a run");
    let mut worst = 0.0_f64;
    for lane in 0..case.lanes {
        let one = direct(case, &data, lane, &|_, x| x);
        let of_lane = |rows: &[f64]| -> Vec<f64> {
            rows.iter()
                .skip(lane)
                .step_by(case.lanes)
                .copied()
                .collect()
        };
        worst = worst
            .max(distance(&[run.objective[lane]], &[one.objective]))
            .max(distance(&of_lane(&run.traces), &one.traces))
            .max(distance(&of_lane(&run.state), &one.state));
    }
    worst
}

/// The weighted objective and all its derivatives by forward duals, one input at a time.
pub(crate) fn by_duals(case: &Case, data: &Arrays<f64>) -> Gradient<f64> {
    let lanes = case.lanes;
    let slope = |lane: usize, of: Input| {
        let seed = |input: Input, x: f64| {
            if input == of {
                Dual::variable(x)
            } else {
                Dual::constant(x)
            }
        };
        data.weights[lane] * direct(case, data, lane, &seed).objective.derivative()
    };
    let params = (0..data.params.len())
        .map(|i| (0..lanes).map(|lane| slope(lane, Input::Param(i))).sum())
        .collect();
    let rows = |n: usize, input: &dyn Fn(usize) -> Input| -> Vec<f64> {
        (0..n * lanes)
            .map(|at| slope(at % lanes, input(at / lanes)))
            .collect()
    };
    let objective = |lane| data.weights[lane] * direct(case, data, lane, &|_, x| x).objective;
    Gradient {
        objective: (0..lanes).map(objective).sum(),
        params,
        lane: rows(case.lane, &Input::Lane),
        exo: rows(case.periods * case.exo, &|r| {
            Input::Exo(r / case.exo, r % case.exo)
        }),
    }
}

/// The weighted objective and its derivatives by the engine.
pub(crate) fn by_engine<F: Real>(
    case: &Case,
    program: &Program,
    executor: &dyn Executor<F>,
) -> Gradient<F> {
    let arrays = Arrays::<F>::of(case);
    let batch = arrays
        .batch(program, case.lanes, case.periods)
        .and_then(|batch| batch.weights(&arrays.weights))
        .expect("weights of the right length");
    let run = |batch: &Batch<'_, F>| {
        executor
            .gradient(program, &arrays.params, batch)
            .expect("a run")
    };
    // Without the inputs' derivatives some adjoints are not computed: none that the parameters need.
    let alone = run(&batch);
    let with_inputs = run(&batch.differentiate_inputs());
    let bits = |values: &[F]| -> Vec<u64> { values.iter().map(|x| x.to_f64().to_bits()).collect() };
    assert_eq!(bits(&alone.params), bits(&with_inputs.params));
    with_inputs
}

/// The distance of reverse mode from forward duals.
pub(crate) fn reverse_distance(
    case: &Case,
    program: &Program,
    executor: &dyn Executor<f64>,
) -> f64 {
    let data = Arrays::<f64>::of(case);
    let (reverse, forward) = (
        by_engine::<f64>(case, program, executor),
        by_duals(case, &data),
    );
    distance(&[reverse.objective], &[forward.objective])
        .max(distance(&reverse.params, &forward.params))
        .max(distance(&reverse.lane, &forward.lane))
        .max(distance(&reverse.exo, &forward.exo))
}

/// The derivatives of the weighted objective with respect to the parameters, by central differences with two steps, extrapolated.
pub(crate) fn by_differences(
    program: &Program,
    arrays: &Arrays<f64>,
    batch: &Batch<'_, f64>,
) -> Vec<f64> {
    let h = 1e-4;
    let value = |params: &[f64]| -> f64 {
        let run = Cpu::new(1).forward(program, params, batch).expect("a run");
        let weighted = run.objective.iter().zip(&arrays.weights);
        weighted.map(|(o, w)| o * w).sum()
    };
    let moved = |i: usize, by: f64| {
        let mut params = arrays.params.clone();
        params[i] += by;
        value(&params)
    };
    (0..arrays.params.len())
        .map(|i| {
            let slope = |h: f64| (moved(i, h) - moved(i, -h)) / (2.0 * h);
            (4.0 * slope(h / 2.0) - slope(h)) / 3.0
        })
        .collect()
}
