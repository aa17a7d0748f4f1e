//! Steps of an optimiser where the parameters live.

use hindsight_gpu::laws::random::distance;
use hindsight_gpu::optim::Rule;
use hindsight_gpu::{Cpu, Executor, Part};

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "small sizes, and data that are rounded to single precision once"
)]
#[path = "../../examples/support/lost_sales.rs"]
mod lost_sales;

use crate::{LANES, PERIODS, batch, device, inputs, network, wide};

/// Steps of an optimiser on parts of a batch, as on the processor; the same bits when it is done again.
#[test]
fn training_on_a_device() {
    let Some(gpu) = device() else { return };
    let (program, params) = network();
    let arrays = inputs(LANES, PERIODS);
    let rule = Rule {
        clip: 0.5,
        averaging: 0.9,
        ..Rule::default()
    };
    let picked: Vec<usize> = (0..70).map(|i| i * 61 % LANES).collect();
    let train = |executor: &dyn Executor<f32>| {
        let mut session = executor
            .open(&program, batch(&program, &arrays))
            .expect("a session");
        session.load(&params).expect("parameters");
        let mut objectives = Vec::new();
        for step in 0..12 {
            let part = if step % 2 == 0 {
                Part::all()
            } else {
                Part::lanes(&picked).periods(2..8)
            };
            objectives.push(session.step(&part, &rule, 0.01).expect("a step"));
        }
        (
            objectives,
            session.params().expect("parameters"),
            session.average().expect("an average"),
        )
    };
    let (right, once, again) = (train(&Cpu::new(1)), train(gpu), train(gpu));
    assert!(
        distance(&once.0, &right.0) < 1e-5,
        "{:?} {:?}",
        once.0,
        right.0
    );
    assert!(distance(&wide(&once.1), &wide(&right.1)) < 1e-4);
    assert!(distance(&wide(&once.2), &wide(&right.2)) < 1e-4);
    let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(
        (bits(&once.1), bits(&once.2)),
        (bits(&again.1), bits(&again.2))
    );
}

/// The training step of the comparison: losses of the first steps follow the processor's within one in ten thousand.
#[test]
fn the_reference_task_on_a_device() {
    let Some(gpu) = device() else { return };
    let task = lost_sales::Task::new(256);
    let train = |executor: &dyn Executor<f32>| -> Vec<f64> {
        let batch = task.batch().expect("arrays of the right lengths");
        let mut session = executor.open(&task.program, batch).expect("a session");
        session.load(&task.params).expect("parameters");
        let mut step = || session.step(&Part::all(), &Rule::default(), 1e-3);
        (0..8).map(|_| step().expect("a step")).collect()
    };
    let (right, once, again) = (train(&Cpu::new(1)), train(gpu), train(gpu));
    for (found, right) in once.iter().zip(&right) {
        assert!((found / right - 1.0).abs() < 1e-4, "{once:?} {right:?}");
    }
    assert!(right[7] > right[0], "nothing was learnt: {right:?}");
    assert_eq!(once, again);
}
