//! What the shader of the comparison's training step takes of a card: the figures of `docs/device.md`, held as they are there.

use super::frame::{Frame, Mode};
use super::kernels::Shader;
use super::layers_back::Blocks;
use super::measure::measured;
use super::shape::{REGISTERS, VECTORS};
use crate::nn::{Activation, Layout};
use crate::record::{Keep, Plan, Program, Shape, Start, Step, plan};
use crate::scalar::Scalar;

/// Lost sales with five outstanding orders, four features and two hidden layers of 64.
fn reference() -> Plan {
    let mut layout = Layout::new();
    let layers = [
        layout.dense(10, 64),
        layout.dense(64, 64),
        layout.dense(64, 1),
    ];
    let shape = Shape {
        params: layout.params(),
        lane: 9,
        exo: 5,
        shared: 1,
    };
    let program = Program::record(
        shape,
        |_, i| Start {
            state: i.lane[3..].to_vec(),
            carry: vec![],
        },
        |_, i| {
            let scaled: Vec<_> = i.state.iter().map(|&x| x * Scalar::constant(0.1)).collect();
            let (mut one, mut two, mut order) = (vec![], vec![], vec![]);
            layers[0].apply(
                i.params,
                &[&scaled, &i.exo[1..]],
                Activation::Silu,
                &mut one,
            );
            layers[1].apply(i.params, &[&one], Activation::Silu, &mut two);
            layers[2].apply(i.params, &[&two], Activation::Softplus, &mut order);
            let available = i.state[0] + i.state[1];
            let sales = i.exo[0].min(available);
            let left = available - sales;
            Step {
                state: [&[left], &i.state[2..], &[order[0]]].concat(),
                objective: (i.lane[0] * sales - i.lane[1] * order[0] - i.lane[2] * left)
                    * i.shared[0],
                traces: vec![],
            }
        },
    );
    plan(&program, false, Keep::All)
}

#[test]
fn what_the_reference_step_takes_of_a_card() {
    let plan = reference();
    let mode = Mode {
        reverse: true,
        inputs: false,
        joined: false,
    };
    // As many rows as fit 32 KiB, the least that desktop cards have.
    let rows = 32 * 1024 / (VECTORS * 16);
    let frame = Frame::new(&plan, false, mode, rows);
    let held: Vec<usize> = plan
        .dense_ops()
        .map(|(_, dense)| Blocks::of(dense).registers())
        .collect();
    let found = (
        frame.shared * 16,
        held.clone(),
        frame.vectors(64) * 16,
        held.iter().sum::<usize>() <= REGISTERS,
    );
    assert_eq!(found, (19_840, vec![8, 32, 1], 1_211_648, true));
    let shader = Shader::tile_major(&plan, mode, rows).unwrap();
    // What naga makes of it: the same memory; two vectors loaded for each four products of vectors in layers, twelve for 32 in gradients.
    let found = measured(&shader.text, "lanes");
    assert_eq!((found.workgroup, found.variables), (19_840, 925));
    let of = |own: [usize; 2]| found.loops.iter().filter(|&&l| l == own).count();
    let (layers, gradients) = (of([8, 16]), of([12, 32]));
    assert_eq!((layers, gradients), (4, 1), "{:?}", found.loops);
}
