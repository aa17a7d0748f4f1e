//! What a step asks of a device: dispatches, and bytes one way and the other.

use hindsight_gpu::exec::{Gpu, Traffic};
use hindsight_gpu::optim::Rule;
use hindsight_gpu::{Batch, Executor, Part, Program, Scalar, Shape, Start, Step};

use crate::{LANES, PERIODS, batch, device, inputs, market, network};

/// A step of a program that joins lanes is a dispatch for each joining and for each side of each phase, and nothing but the loss comes back.
#[test]
fn what_a_joined_step_asks_of_a_device() {
    if device().is_none() {
        return;
    }
    let gpu = Gpu::new().expect("a graphics processor");
    let program = market();
    let exo = [0.5_f32; 24];
    let asked = |periods: usize| {
        let batch = Batch::new(&program, 4, periods).exo(&exo[..4 * periods]);
        let mut session = gpu
            .open(&program, batch.expect("arrays that fit"))
            .expect("a session");
        let mut step = || {
            let loss = session.step(&Part::all(), &Rule::default(), 0.01);
            loss.expect("a step");
            gpu.traffic()
        };
        let (before, after) = (step(), step());
        let dispatches = after.dispatches - before.dispatches;
        (
            dispatches,
            after.sent - before.sent,
            after.received - before.received,
        )
    };
    let (few, many) = (asked(2), asked(6));
    assert_eq!((few.1, few.2, many.1, many.2), (80, 4, 80, 4));
    assert_eq!((few.0, (many.0 - few.0) / 4), (27, 9), "{few:?} {many:?}");
}

/// A step of a program that stays within a lane is a few dispatches, and nothing but the loss comes back. A change that doubles them fails.
#[test]
fn what_a_step_asks_of_a_device() {
    if device().is_none() {
        return;
    }
    // A device of its own, so that no other test counts.
    let gpu = Gpu::new().expect("a graphics processor");
    let (program, params) = network();
    let arrays = inputs(LANES, PERIODS);
    let mut session = gpu
        .open(&program, batch(&program, &arrays))
        .expect("a session");
    session.load(&params).expect("parameters");
    let step = |session: &mut dyn hindsight_gpu::Session<f32>| {
        session
            .step(&Part::all(), &Rule::default(), 0.01)
            .expect("a step");
    };
    step(&mut *session);
    let before = gpu.traffic();
    step(&mut *session);
    let after = gpu.traffic();
    let used = Traffic {
        dispatches: after.dispatches - before.dispatches,
        sent: after.sent - before.sent,
        received: after.received - before.received,
    };
    assert_eq!(
        used,
        Traffic {
            dispatches: 3,
            sent: 80,
            received: 4
        }
    );
}

/// What groups have of their own is a dispatch more each way: five, one below what a step within a lane may take.
#[test]
fn what_a_step_of_groups_asks_of_a_device() {
    if device().is_none() {
        return;
    }
    let gpu = Gpu::new().expect("a graphics processor");
    let shape = Shape {
        params: 2,
        exo: 1,
        shared: 1,
        ..Shape::default()
    };
    let program = Program::record(
        shape,
        |_, _| Start {
            state: vec![Scalar::constant(0.5)],
            carry: vec![],
        },
        |_, i| {
            let price = (i.params[0] * i.shared[0]).exp();
            let next = (i.state[0] * i.params[1] + i.exo[0] * price).tanh();
            Step {
                state: vec![next],
                objective: next - price,
                traces: vec![],
            }
        },
    );
    let (exo, shared) = ([0.5_f32; 7 * 3], [0.25; 2 * 3]);
    let batch = Batch::new(&program, 7, 3)
        .exo(&exo)
        .and_then(|b| b.groups(&[3, 4]))
        .and_then(|b| b.shared_by_group(&shared));
    let mut session = gpu
        .open(&program, batch.expect("arrays that fit"))
        .expect("a session");
    let mut step = || {
        let loss = session.step(&Part::all(), &Rule::default(), 0.01);
        loss.expect("a step");
        gpu.traffic()
    };
    let (before, after) = (step(), step());
    let used = [
        after.dispatches - before.dispatches,
        after.sent - before.sent,
        after.received - before.received,
    ];
    assert_eq!(used, [5, 80, 4]);
}
