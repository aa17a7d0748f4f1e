//! Faults planted on purpose, which the same checks must catch.

use std::sync::Arc;

use hindsight_gpu::{Cpu, record::CustomOp};

use crate::check::{forward_distance, reverse_distance};
use crate::interpret::Pair;
use crate::spec::{Instruction, Kind, Next, Spec};

/// The right value with a wrong derivative: the second operand's, a few per mille too large.
#[derive(Debug)]
struct WrongDerivative;

impl CustomOp for WrongDerivative {
    fn outputs(&self) -> usize {
        Pair.outputs()
    }
    fn forward(&self, x: &[f64], y: &mut [f64]) {
        Pair.forward(x, y);
    }
    fn vjp(&self, x: &[f64], y: &[f64], dy: &[f64], dx: &mut [f64]) {
        Pair.vjp(x, y, dy, dx);
        dx[1] *= 1.003;
    }
}

/// A state and a parameter through the operation, three periods.
fn through_the_operation() -> Spec {
    let instruction = Instruction {
        kind: Kind::Custom,
        a: 0,
        b: 2,
        c: 0,
        n: 1,
    };
    Spec {
        lane: 1,
        exo: 1,
        shared: 0,
        start: vec![],
        period: vec![instruction],
        next: vec![Next::Bounded(7)],
        lanes: 2,
        periods: 3,
        seed: 11,
    }
}

#[test]
fn a_wrong_derivative_is_caught() {
    let (spec, cpu) = (through_the_operation(), Cpu::new(1));
    assert!(forward_distance(&spec, &cpu) < 1e-12);
    assert!(reverse_distance(&spec, &spec.program(), &cpu) < 1e-10);
    let planted = spec.program_with(Arc::new(WrongDerivative));
    assert!(reverse_distance(&spec, &planted, &cpu) > 1e-6);
}
