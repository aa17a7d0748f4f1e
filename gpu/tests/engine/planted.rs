//! Faults planted on purpose, which the same checks must catch.

use std::sync::Arc;

use hindsight_gpu::{Cpu, record::CustomOp};

use crate::check::{forward_distance, reverse_distance};
use hindsight_gpu::laws::{
    self,
    random::{Arrays, Case, Instruction, Kind, Next, Pair},
};

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

/// A state and a value of the pool through the operation, three periods.
fn through_the_operation(second: usize) -> Case {
    let instruction = Instruction {
        kind: Kind::Custom,
        a: 0,
        b: second,
        c: 0,
        n: 1,
    };
    Case {
        lane: 1,
        exo: 1,
        shared: 0,
        start: vec![],
        period: vec![instruction],
        next: vec![Next::Bounded(7)],
        lanes: 2,
        periods: 3,
        seed: 11,
        groups: vec![],
    }
}

#[test]
fn a_wrong_derivative_is_caught() {
    let (case, cpu) = (through_the_operation(2), Cpu::new(1));
    assert!(forward_distance(&case, &cpu) < 1e-12);
    assert!(reverse_distance(&case, &case.program(), &cpu) < 1e-10);
    let planted = case.program_with(Arc::new(WrongDerivative));
    assert!(reverse_distance(&case, &planted, &cpu) > 1e-6);
}

/// The same faults, by the laws that dependants call.
#[test]
fn laws_catch_a_wrong_derivative() {
    let x = [0.7, -1.3];
    laws::derivative_is_right(&Pair, &x).expect("the right product");
    let caught = laws::derivative_is_right(&WrongDerivative, &x).expect_err("a wrong product");
    assert!(caught.to_string().contains("input 1"), "{caught}");
    // The second operand is a parameter.
    let case = through_the_operation(7);
    let arrays = Arrays::<f64>::of(&case);
    let law = |operation: Arc<dyn CustomOp>| {
        let program = case.program_with(operation);
        let batch = arrays.batch(&program, case.lanes, case.periods)?;
        laws::gradient_is_right(&Cpu::new(1), &program, &arrays.params, &batch, 3)
    };
    law(Arc::new(Pair)).expect("the right gradient");
    law(Arc::new(WrongDerivative)).expect_err("a wrong gradient");
}
