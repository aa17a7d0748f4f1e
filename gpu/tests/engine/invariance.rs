//! What must not change the results: threads, the rest of the batch, the place in it, the way a window is given, and the
//! lanes that fill up the last tile.

use hindsight_gpu::{
    Batch, Cpu, Executor, Part, Program, Real, Scalar, Shape, Start, Step,
    exec::{Gradient, Rollout},
};
use proptest::prelude::*;

use hindsight_gpu::laws::random::{Arrays, Case, Kinds, programs};

fn roll<F: Real>(
    program: &Program,
    arrays: &Arrays<F>,
    batch: &Batch<'_, F>,
    threads: usize,
) -> Rollout<F>
where
    Cpu: Executor<F>,
{
    roll_part(program, arrays, batch, &Part::all(), threads)
}

fn roll_part<F: Real>(
    program: &Program,
    arrays: &Arrays<F>,
    batch: &Batch<'_, F>,
    part: &Part<'_>,
    threads: usize,
) -> Rollout<F>
where
    Cpu: Executor<F>,
{
    let cpu = Cpu::new(threads);
    let mut session = cpu.open(program, batch.clone()).expect("a session");
    session.load(&arrays.params).expect("as many parameters");
    session.forward(part).expect("a run")
}

fn differentiate<F: Real>(
    program: &Program,
    arrays: &Arrays<F>,
    batch: &Batch<'_, F>,
    threads: usize,
) -> Gradient<F>
where
    Cpu: Executor<F>,
{
    differentiate_part(program, arrays, batch, &Part::all(), threads)
}

fn differentiate_part<F: Real>(
    program: &Program,
    arrays: &Arrays<F>,
    batch: &Batch<'_, F>,
    part: &Part<'_>,
    threads: usize,
) -> Gradient<F>
where
    Cpu: Executor<F>,
{
    let cpu = Cpu::new(threads);
    let mut session = cpu.open(program, batch.clone()).expect("a session");
    session.load(&arrays.params).expect("as many parameters");
    session.gradient(part).expect("a run")
}

/// The bits of an array, so that the comparison is exact and takes NaN for what it is.
pub(crate) fn bits<F: Real>(values: &[F]) -> Vec<u64> {
    values.iter().map(|x| x.to_f64().to_bits()).collect()
}

pub(crate) fn same_rollout<F: Real>(a: &Rollout<F>, b: &Rollout<F>) -> bool {
    bits(&a.objective) == bits(&b.objective)
        && bits(&a.traces) == bits(&b.traces)
        && bits(&a.state) == bits(&b.state)
}

pub(crate) fn same_gradient<F: Real>(a: &Gradient<F>, b: &Gradient<F>) -> bool {
    a.objective.to_bits() == b.objective.to_bits()
        && bits(&a.params) == bits(&b.params)
        && bits(&a.lane) == bits(&b.lane)
        && bits(&a.exo) == bits(&b.exo)
}

/// The lanes of a roll-out picked by number: `[row][lane]` arrays of `lanes` lanes.
fn lanes_of<F: Real>(run: &Rollout<F>, lanes: usize, picked: &[usize]) -> Vec<u64> {
    let rows = |values: &[F]| -> Vec<u64> {
        let rows = values.chunks_exact(lanes);
        rows.flat_map(|row| picked.iter().map(|&i| row[i].to_f64().to_bits()))
            .collect()
    };
    let objective = picked.iter().map(|&i| run.objective[i].to_bits());
    [objective.collect(), rows(&run.traces), rows(&run.state)].concat()
}

fn threads_agree<F: Real>(case: &Case) -> bool
where
    Cpu: Executor<F>,
{
    let arrays = Arrays::<F>::of(case);
    let program = case.program();
    let batch = arrays
        .batch(&program, case.lanes, case.periods)
        .expect("arrays that fit")
        .differentiate_inputs();
    let (run, gradient) = (
        roll(&program, &arrays, &batch, 1),
        differentiate(&program, &arrays, &batch, 1),
    );
    [2, 3].iter().all(|&threads| {
        same_rollout(&run, &roll(&program, &arrays, &batch, threads))
            && same_gradient(
                &gradient,
                &differentiate(&program, &arrays, &batch, threads),
            )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn threads_change_no_bit(case in programs(Kinds::Any, false, 1..400)) {
        prop_assert!(threads_agree::<f32>(&case));
        prop_assert!(threads_agree::<f64>(&case));
    }

    #[test]
    fn threads_change_no_bit_of_a_program_with_lane_sums(case in programs(Kinds::Any, true, 1..400)) {
        prop_assert!(threads_agree::<f32>(&case));
    }

    /// A horizon cut into segments because memory is short gives the same bits: tile by tile and period by period.
    #[test]
    fn memory_changes_no_bit(
        mut case in prop_oneof![programs(Kinds::Any, false, 1..150), programs(Kinds::Any, true, 1..150)],
        longer in 1_usize..8,
        tape in prop_oneof![Just(0), 0..3_000_000_usize],
    ) {
        case.periods *= longer;
        let arrays = Arrays::<f32>::of(&case);
        let program = case.program();
        let batch = arrays.batch(&program, case.lanes, case.periods).expect("arrays that fit").differentiate_inputs();
        let whole = differentiate(&program, &arrays, &batch, 1);
        let cut = Cpu::new(2).with_tape(tape).gradient(&program, &arrays.params, &batch).expect("a run");
        prop_assert!(same_gradient(&whole, &cut));
    }

    /// A lane's numbers depend on its own inputs only: not on the batch size, its tile, or the order of a selection.
    #[test]
    fn a_lane_does_not_see_the_batch(
        case in programs(Kinds::Any, false, 2..200),
        picks in prop::collection::vec(0..10_000_usize, 1..150),
    ) {
        let arrays = Arrays::<f32>::of(&case);
        let program = case.program();
        let whole = arrays.batch(&program, case.lanes, case.periods).expect("arrays that fit");
        let all = roll(&program, &arrays, &whole, 1);
        let picked: Vec<usize> = picks.iter().map(|i| i % case.lanes).collect();
        let part = roll_part(&program, &arrays, &whole, &Part::lanes(&picked), 2);
        let every: Vec<usize> = (0..picked.len()).collect();
        prop_assert_eq!(lanes_of(&all, case.lanes, &picked), lanes_of(&part, picked.len(), &every));
    }

    /// A window of periods is the same as arrays that hold those periods alone.
    #[test]
    fn a_window_is_a_slice(case in programs(Kinds::Any, false, 1..70), from in 0..6_usize, length in 1..6_usize) {
        let arrays = Arrays::<f32>::of(&case);
        let program = case.program();
        let from = from % case.periods;
        let window = from..(from + length).min(case.periods);
        let whole = arrays.batch(&program, case.lanes, case.periods).expect("arrays that fit");
        let (whole, seen) = (whole.differentiate_inputs(), Part::all().periods(window.clone()));
        let exo = &arrays.exo[window.start * case.exo * case.lanes..window.end * case.exo * case.lanes];
        let shared = &arrays.shared[window.start * case.shared..window.end * case.shared];
        let sliced = Batch::new(&program, case.lanes, window.len())
            .lane(&arrays.lane)
            .and_then(|b| b.exo(exo))
            .and_then(|b| b.shared(shared))
            .expect("arrays of the right lengths")
            .differentiate_inputs();
        prop_assert!(same_rollout(&roll_part(&program, &arrays, &whole, &seen, 1), &roll(&program, &arrays, &sliced, 1)));
        prop_assert!(same_gradient(
            &differentiate_part(&program, &arrays, &whole, &seen, 1),
            &differentiate(&program, &arrays, &sliced, 1)
        ));
    }

    /// Inputs side by side by lane are the same inputs, for all lanes, a selection and a window.
    #[test]
    fn the_order_of_inputs_changes_no_bit(
        case in programs(Kinds::Any, false, 2..150),
        picks in prop::option::of(prop::collection::vec(0..10_000_usize, 1..150)),
        from in 0..6_usize,
    ) {
        let arrays = Arrays::<f32>::of(&case);
        let program = case.program();
        let (lanes, inputs) = (case.lanes, case.exo);
        let by_lane: Vec<f32> = (0..arrays.exo.len())
            .map(|at| {
                let (period, lane, k) = (at / (lanes * inputs), at / inputs % lanes, at % inputs);
                arrays.exo[(period * inputs + k) * lanes + lane]
            })
            .collect();
        let own = arrays.lane.len() / lanes;
        let lane: Vec<f32> = (0..arrays.lane.len()).map(|at| arrays.lane[at % own * lanes + at / own]).collect();
        let window = from % case.periods..case.periods;
        let picked = picks.map(|p| p.iter().map(|i| i % lanes).collect::<Vec<_>>());
        let part = |batch: Batch<'_, f32>| {
            let batch = batch.differentiate_inputs();
            let part = picked.as_deref().map_or(Part::all(), Part::lanes).periods(window.clone());
            (roll_part(&program, &arrays, &batch, &part, 1), differentiate_part(&program, &arrays, &batch, &part, 1))
        };
        let plain = part(arrays.batch(&program, lanes, case.periods).expect("arrays that fit"));
        let turned = arrays.batch(&program, lanes, case.periods).expect("arrays that fit").exo_by_lane(&by_lane).expect("as many");
        let turned = part(turned.lane_by_lane(&lane).expect("as many"));
        prop_assert!(same_rollout(&plain.0, &turned.0) && same_gradient(&plain.1, &turned.1));
    }

    /// A selection differentiates as the arrays of the selected lanes would, and equal lanes count as often as they appear.
    #[test]
    fn a_selection_is_a_copy(
        case in programs(Kinds::Any, false, 2..90),
        picks in prop::collection::vec(0..10_000_usize, 1..150),
    ) {
        let arrays = Arrays::<f32>::of(&case);
        let program = case.program();
        let picked: Vec<usize> = picks.iter().map(|i| i % case.lanes).collect();
        let copy = |rows: &[f32]| -> Vec<f32> {
            let rows = rows.chunks_exact(case.lanes);
            rows.flat_map(|row| picked.iter().map(|&i| row[i])).collect()
        };
        let copied = Arrays {
            params: arrays.params.clone(),
            lane: copy(&arrays.lane),
            exo: copy(&arrays.exo),
            shared: arrays.shared.clone(),
            weights: copy(&arrays.weights),
        };
        let selected = arrays
            .batch(&program, case.lanes, case.periods).expect("arrays that fit")
            .weights(&arrays.weights)
            .expect("weights of the right length")
            .differentiate_inputs();
        let of_copies = copied
            .batch(&program, picked.len(), case.periods).expect("arrays that fit")
            .weights(&copied.weights)
            .expect("weights of the right length")
            .differentiate_inputs();
        prop_assert!(same_gradient(
            &differentiate_part(&program, &arrays, &selected, &Part::lanes(&picked), 1),
            &differentiate(&program, &copied, &of_copies, 1)
        ));
    }

    /// Lanes of weight zero change no parameter's gradient: what fills up the last tile does not count.
    #[test]
    fn filling_lanes_count_for_nothing(case in programs(Kinds::Any, false, 1..64)) {
        let data = Arrays::<f64>::of(&case);
        let arrays = &data;
        let program = case.program();
        let batch = arrays
            .batch(&program, case.lanes, case.periods).expect("arrays that fit")
            .weights(&arrays.weights)
            .expect("weights of the right length");
        let alone = differentiate(&program, arrays, &batch, 1);
        // The same lanes, then the first one up to a full tile, with weight zero.
        let filled: Vec<usize> = (0..64).map(|i| if i < case.lanes { i } else { 0 }).collect();
        let pad = |row: &[f64], fill: Option<f64>| -> Vec<f64> {
            let value = |i: usize| if i < case.lanes { row[i] } else { fill.unwrap_or(row[filled[i]]) };
            (0..64).map(value).collect()
        };
        let rows = |rows: &[f64]| -> Vec<f64> {
            rows.chunks_exact(case.lanes).flat_map(|row| pad(row, None)).collect()
        };
        let full = Arrays {
            params: arrays.params.clone(),
            lane: rows(&arrays.lane),
            exo: rows(&arrays.exo),
            shared: arrays.shared.clone(),
            weights: pad(&arrays.weights, Some(0.0)),
        };
        let batch = full.batch(&program, 64, case.periods).expect("arrays that fit").weights(&full.weights).expect("64 weights");
        let together = differentiate(&program, &full, &batch, 1);
        // Only the sign of a zero may differ: adding zero to minus zero.
        prop_assert_eq!(alone.objective + 0.0, together.objective + 0.0);
        let near = hindsight_gpu::laws::random::distance(&alone.params, &together.params);
        prop_assert!(near < 1e-14, "distance {}", near);
    }
}

/// One lane whose derivative is infinite: the lanes that repeat it with weight zero would turn it into NaN.
#[test]
fn an_infinite_derivative_stays_infinite() {
    let shape = Shape {
        params: 1,
        lane: 1,
        ..Shape::default()
    };
    let program = Program::record(
        shape,
        |_, _| Start::default(),
        |_, inputs| Step {
            objective: (inputs.params[0] * inputs.lane[0]).sqrt(),
            ..Step::new()
        },
    );
    let batch = Batch::new(&program, 2, 1)
        .lane(&[4.0, 1.0])
        .expect("two lanes");
    let at_zero = Cpu::new(1)
        .gradient(&program, &[0.0_f64], &batch)
        .expect("a run");
    assert_eq!(at_zero.params, [f64::INFINITY]);
    let at_one = Cpu::new(1)
        .gradient(&program, &[1.0_f64], &batch)
        .expect("a run");
    assert_eq!(at_one.params, [0.5 * (1.0 + 0.5)]);
}

/// The same through a dense layer, wide enough for the matrix kernels: one lane's input is infinite, and its derivative with
/// respect to the weights is infinite and not NaN.
#[test]
fn an_infinite_input_of_a_dense_layer_stays_infinite() {
    const OUTPUTS: usize = 7;
    let shape = Shape {
        params: OUTPUTS,
        lane: 1,
        ..Shape::default()
    };
    let program = Program::record(
        shape,
        |_, _| Start::default(),
        |_, inputs| {
            let mut out = Vec::new();
            let identity = hindsight_gpu::nn::Activation::Identity;
            Scalar::dense(inputs.params, &[], &[&inputs.lane[..1]], identity, &mut out);
            let objective = out.into_iter().fold(Scalar::constant(0.0), |s, x| s + x);
            Step {
                objective,
                ..Step::new()
            }
        },
    );
    let batch = Batch::new(&program, 3, 1)
        .lane(&[1.0, 2.0, f32::INFINITY])
        .expect("three lanes");
    let gradient = Cpu::new(1)
        .gradient(&program, &[1.0_f32; OUTPUTS], &batch)
        .expect("a run");
    assert_eq!(gradient.params, [f32::INFINITY; OUTPUTS]);
}
