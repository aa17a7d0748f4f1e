//! What a device refuses, a device that is too small, and one that is lost: errors, after which the processor runs on.

use std::sync::Arc;

use hindsight_gpu::exec::Gpu;
use hindsight_gpu::optim::Rule;
use hindsight_gpu::{
    Batch, Cpu, Error, Executor, Part, Program, Shape, Start, Step, record::CustomOp,
};

use crate::{LANES, PERIODS, batch, device, inputs, network};

/// An operation without a shader.
#[derive(Debug)]
struct Opaque;

impl CustomOp for Opaque {
    fn outputs(&self) -> usize {
        1
    }
    fn forward(&self, x: &[f64], y: &mut [f64]) {
        y[0] = x[0];
    }
    fn vjp(&self, _: &[f64], _: &[f64], dy: &[f64], dx: &mut [f64]) {
        dx[0] = dy[0];
    }
}

/// What a device cannot run is refused by name when it is opened, and the processor still runs it.
#[test]
fn what_a_device_refuses() {
    let Some(gpu) = device() else { return };
    let shape = Shape {
        lane: 1,
        ..Shape::default()
    };
    let opaque = Program::record(
        shape,
        |_, _| Start::default(),
        |recorder, inputs| Step {
            objective: recorder.custom(Arc::new(Opaque), inputs.lane)[0],
            ..Step::new()
        },
    );
    let open = |program: &Program| gpu.open(program, Batch::<f32>::new(program, 3, 2)).err();
    assert_eq!(
        open(&opaque),
        Some(Error::NoShader {
            operation: "Opaque".to_owned()
        })
    );
    Cpu::new(1)
        .forward(&opaque, &[], &Batch::<f32>::new(&opaque, 3, 2))
        .expect("a run");
}

/// A device that is gone is an error in sessions that were open and in new ones, and never a panic; the processor and another device run on.
#[test]
fn a_device_that_is_lost() {
    if device().is_none() {
        return;
    }
    let gpu = Gpu::new().expect("a graphics processor");
    let (program, params) = network();
    let arrays = inputs(LANES, PERIODS);
    let mut session = gpu
        .open(&program, batch(&program, &arrays))
        .expect("a session");
    session.load(&params).expect("parameters");
    session.forward(&Part::all()).expect("a run");
    gpu.close();
    let rule = Rule::default();
    let failures = [
        session.forward(&Part::all()).err(),
        session.gradient(&Part::all()).err(),
        session.step(&Part::all(), &rule, 0.1).err(),
        session.load(&params).err(),
        session.params().err(),
        gpu.open(&program, batch(&program, &arrays)).err(),
        gpu.gradient(&program, &params, &batch(&program, &arrays))
            .err(),
    ];
    for failure in failures {
        assert!(matches!(failure, Some(Error::Device(_))), "{failure:?}");
    }
    let own = batch(&program, &arrays);
    Cpu::new(1)
        .forward(&program, &params, &own)
        .expect("a run on the processor");
    let other = device().expect("a graphics processor");
    other
        .forward(&program, &params, &own)
        .expect("a run on another");
}

/// A horizon that no device has memory for is an error, and the device runs other things after it.
#[test]
fn a_device_that_is_too_small_says_so() {
    let Some(gpu) = device() else { return };
    let (program, params) = network();
    let huge = Batch::<f32>::new(&program, 1, 60_000_000 / 18);
    let run = gpu.gradient(&program, &params, &huge);
    assert!(matches!(run, Err(Error::DeviceLimit { .. })), "{run:?}");
    let arrays = inputs(LANES, PERIODS);
    gpu.forward(&program, &params, &batch(&program, &arrays))
        .expect("a run after it");
}
