//! The comparisons that every program goes through.

use hindsight_gpu::numbers::Dual;
use hindsight_gpu::{Batch, Cpu, Executor, Program, Real, Scalar, exec::Gradient};

use crate::interpret::Outcome;
use crate::spec::{Data, Spec};

/// The largest difference of two arrays, relative to the largest number in them or to one.
pub(crate) fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "arrays of different lengths");
    let both = a.iter().zip(b);
    let largest = a.iter().chain(b).fold(1.0, |m: f64, x| m.max(x.abs()));
    // A number that is not finite on either side is at an infinite distance, unless the two are the same.
    let gap = |(x, y): (&f64, &f64)| match (x - y).abs() {
        _ if x.to_bits() == y.to_bits() => 0.0,
        gap if gap.is_finite() => gap,
        _ => f64::INFINITY,
    };
    both.map(gap).fold(0.0, f64::max) / largest
}

/// The numbers of an array in another type.
pub(crate) fn cast<F: Real>(values: &[f64]) -> Vec<F> {
    values.iter().map(|&x| F::from_f64(x)).collect()
}

/// The arrays of a run in the number type of the run.
#[derive(Debug)]
pub(crate) struct Arrays<F> {
    pub(crate) params: Vec<F>,
    pub(crate) lane: Vec<F>,
    pub(crate) exo: Vec<F>,
    pub(crate) shared: Vec<F>,
    pub(crate) weights: Vec<F>,
}

impl<F: Real> Arrays<F> {
    pub(crate) fn of(data: &Data) -> Self {
        Arrays {
            params: cast(&data.params),
            lane: cast(&data.lane),
            exo: cast(&data.exo),
            shared: cast(&data.shared),
            weights: cast(&data.weights),
        }
    }

    pub(crate) fn batch(&self, program: &Program, lanes: usize, periods: usize) -> Batch<'_, F> {
        Batch::new(program, lanes, periods)
            .lane(&self.lane)
            .and_then(|b| b.exo(&self.exo))
            .and_then(|b| b.shared(&self.shared))
            .expect("arrays of the right lengths")
    }
}

/// Parameters, the lane's own inputs, and the inputs of each period: the lane's and the shared ones.
type LaneArrays<S> = (Vec<S>, Vec<S>, Vec<Vec<S>>, Vec<Vec<S>>);

/// The arrays of one lane as scalars: `value` makes a scalar of a number and its place (array, index).
pub(crate) fn lane_arrays<S: Scalar>(
    spec: &Spec,
    data: &Data,
    lane: usize,
    value: &dyn Fn(Input, f64) -> S,
) -> LaneArrays<S> {
    let params = data.params.iter().enumerate();
    let params = params.map(|(i, &x)| value(Input::Param(i), x)).collect();
    let lanes = spec.lanes;
    let own = (0..spec.lane)
        .map(|k| value(Input::Lane(k), data.lane[k * lanes + lane]))
        .collect();
    let exo = |t: usize| {
        let at = move |k| (t * spec.exo + k) * lanes + lane;
        (0..spec.exo)
            .map(|k| value(Input::Exo(t, k), data.exo[at(k)]))
            .collect()
    };
    let shared = |t: usize| {
        let row = &data.shared[t * spec.shared..][..spec.shared];
        row.iter().map(|&x| value(Input::Shared, x)).collect()
    };
    (
        params,
        own,
        (0..spec.periods).map(exo).collect(),
        (0..spec.periods).map(shared).collect(),
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
    spec: &Spec,
    data: &Data,
    lane: usize,
    value: &dyn Fn(Input, f64) -> S,
) -> Outcome<S> {
    let (params, own, exo, shared) = lane_arrays(spec, data, lane, value);
    spec.evaluate(&params, &own, &exo, &shared)
}

/// The distance of a recorded run in `f64` from the direct evaluation of the same code.
pub(crate) fn forward_distance(spec: &Spec, executor: &dyn Executor<f64>) -> f64 {
    let data = Data::of(spec);
    let arrays = Arrays::<f64>::of(&data);
    let program = spec.program();
    let batch = arrays.batch(&program, spec.lanes, spec.periods);
    let run = executor
        .forward(&program, &arrays.params, &batch)
        .expect("a run");
    let mut worst = 0.0_f64;
    for lane in 0..spec.lanes {
        let one = direct(spec, &data, lane, &|_, x| x);
        let of_lane = |rows: &[f64]| -> Vec<f64> {
            rows.iter()
                .skip(lane)
                .step_by(spec.lanes)
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
pub(crate) fn by_duals(spec: &Spec, data: &Data) -> Gradient<f64> {
    let lanes = spec.lanes;
    let slope = |lane: usize, of: Input| {
        let seed = |input: Input, x: f64| {
            if input == of {
                Dual::variable(x)
            } else {
                Dual::constant(x)
            }
        };
        data.weights[lane] * direct(spec, data, lane, &seed).objective.derivative()
    };
    let params = (0..data.params.len())
        .map(|i| (0..lanes).map(|lane| slope(lane, Input::Param(i))).sum())
        .collect();
    let rows = |n: usize, input: &dyn Fn(usize) -> Input| -> Vec<f64> {
        (0..n * lanes)
            .map(|at| slope(at % lanes, input(at / lanes)))
            .collect()
    };
    let objective = |lane| data.weights[lane] * direct(spec, data, lane, &|_, x| x).objective;
    Gradient {
        objective: (0..lanes).map(objective).sum(),
        params,
        lane: rows(spec.lane, &Input::Lane),
        exo: rows(spec.periods * spec.exo, &|r| {
            Input::Exo(r / spec.exo, r % spec.exo)
        }),
    }
}

/// The weighted objective and its derivatives by the engine.
pub(crate) fn by_engine<F: Real>(
    spec: &Spec,
    program: &Program,
    data: &Data,
    executor: &dyn Executor<F>,
) -> Gradient<F> {
    let arrays = Arrays::<F>::of(data);
    let batch = arrays
        .batch(program, spec.lanes, spec.periods)
        .weights(&arrays.weights)
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
    spec: &Spec,
    program: &Program,
    executor: &dyn Executor<f64>,
) -> f64 {
    let data = Data::of(spec);
    let (reverse, forward) = (
        by_engine::<f64>(spec, program, &data, executor),
        by_duals(spec, &data),
    );
    distance(&[reverse.objective], &[forward.objective])
        .max(distance(&reverse.params, &forward.params))
        .max(distance(&reverse.lane, &forward.lane))
        .max(distance(&reverse.exo, &forward.exo))
}

/// The derivatives of the weighted objective with respect to the parameters, by central differences.
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
        .map(|i| (moved(i, h) - moved(i, -h)) / (2.0 * h))
        .collect()
}
