//! How a batch gets there: in either order, and in lots where there is no room for all of it.

use hindsight_gpu::exec::Gpu;
use hindsight_gpu::laws::random::distance;
use hindsight_gpu::optim::Rule;
use hindsight_gpu::{Batch, Executor, Part};

use crate::{LANES, PERIODS, batch, device, inputs, network, same, wide};

/// Inputs with those of a lane side by side give the same bits.
#[test]
fn either_order_of_inputs_on_a_device() {
    let Some(gpu) = device() else { return };
    let (program, params) = network();
    let arrays = inputs(LANES, PERIODS);
    let [lane, exo, shared] = &arrays;
    let by_lane: Vec<f32> = (0..PERIODS * LANES * 18)
        .map(|at| {
            let (t, n, k) = (at / (LANES * 18), at / 18 % LANES, at % 18);
            exo[(t * 18 + k) * LANES + n]
        })
        .collect();
    let other = Batch::new(&program, LANES, PERIODS)
        .lane(lane)
        .and_then(|b| b.exo_by_lane(&by_lane))
        .and_then(|b| b.shared(shared))
        .expect("arrays of the right lengths");
    let one = gpu.gradient(&program, &params, &batch(&program, &arrays));
    assert_eq!(
        one.expect("a run"),
        gpu.gradient(&program, &params, &other).expect("a run")
    );
}

/// A batch that may not be on the device as a whole goes there in lots: the same results but for the order of sums, whether lanes, groups or joined
/// groups are split, and the same steps.
#[test]
fn batches_larger_than_the_device() {
    let Some(gpu) = device() else { return };
    let (program, params) = network();
    let arrays = inputs(LANES, PERIODS);
    let picked: Vec<usize> = (0..LANES).map(|i| i * 61 % LANES).collect();
    let small = gpu.clone().with_memory(300_000);
    let run = |executor: &Gpu| {
        let batch = batch(&program, &arrays).differentiate_inputs();
        let mut session = executor.open(&program, batch).expect("a session");
        session.load(&params).expect("parameters");
        let part = Part::lanes(&picked).periods(1..8);
        let rolled = session.forward(&part).expect("a run");
        let gradient = session.gradient(&part).expect("a run");
        let loss = session.step(&Part::all(), &Rule::default(), 0.01);
        let loss = loss.expect("a step");
        (
            rolled,
            gradient,
            loss,
            session.params().expect("parameters"),
        )
    };
    let before = small.traffic().dispatches;
    let split = run(&small);
    let dispatches = small.traffic().dispatches - before;
    let whole = run(gpu);
    // A whole run of each kind is one, two and three dispatches.
    assert!(dispatches > 6, "{dispatches} dispatches are no lots");
    same(&split.0, &split.1, &whole.0, &whole.1);
    assert!((split.2 - whole.2).abs() < 1e-5 * whole.2.abs());
    assert!(distance(&wide(&split.3), &wide(&whole.3)) < 1e-5);
}
