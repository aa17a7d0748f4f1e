//! A panic in an operation of the caller's reaches the caller: tile by tile and period by period, on any number of threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use hindsight_gpu::{Batch, Cpu, Executor, Program, Scalar, Shape, Start, Step, record::CustomOp};

#[derive(Debug)]
struct Refuses {
    forward: f64,
    reverse: f64,
}

impl CustomOp for Refuses {
    fn outputs(&self) -> usize {
        1
    }
    fn forward(&self, x: &[f64], y: &mut [f64]) {
        assert!(x[0] < self.forward, "no such lane");
        y[0] = x[0];
    }
    fn vjp(&self, x: &[f64], _: &[f64], dy: &[f64], dx: &mut [f64]) {
        assert!(x[0] < self.reverse, "no such lane");
        dx[0] = dy[0];
    }
}

fn panics(op: Refuses, joined: bool, threads: usize) -> bool {
    let shape = Shape {
        lane: 1,
        params: 1,
        ..Shape::default()
    };
    let op = Arc::new(op);
    let program = Program::record(
        shape,
        |_, _| Start::default(),
        |recorder, inputs| {
            let y = recorder.custom(op, &[inputs.lane[0] * inputs.params[0]])[0];
            Step {
                objective: if joined { y.lane_sum() } else { y },
                ..Step::new()
            }
        },
    );
    let lane: Vec<f32> = (0..200_u16).map(f32::from).collect();
    let batch = Batch::new(&program, 200, 3).lane(&lane).expect("200 lanes");
    let run = || {
        Cpu::new(threads)
            .gradient(&program, &[1.0], &batch)
            .map(|_| ())
    };
    let panic = catch_unwind(AssertUnwindSafe(run)).err();
    panic.is_some_and(|panic| panic.downcast_ref::<&str>() == Some(&"no such lane"))
}

#[test]
fn a_panic_is_resumed_in_the_caller() {
    let (done, wait) = channel();
    std::thread::spawn(move || {
        for (forward, reverse) in [(195.0, 300.0), (300.0, 195.0), (10.0, 300.0)] {
            for joined in [false, true] {
                for threads in 1..4 {
                    let caught = panics(Refuses { forward, reverse }, joined, threads);
                    done.send((caught, joined, threads)).expect("a listener");
                }
            }
        }
    });
    for _ in 0..18 {
        let all = wait.recv_timeout(Duration::from_secs(60));
        let (caught, joined, threads) = all.expect("threads that do not wait for ever");
        assert!(caught, "joined {joined}, {threads} threads");
    }
}
