//! Frozen parameters: what is trained is differentiated as if nothing were frozen, and what is frozen stays.

use hindsight_gpu::nn::{Dense, Layout};
use hindsight_gpu::optim::{AdamConfig, Rule};
use hindsight_gpu::{
    Batch, Cpu, Executor, Part, Program, Scalar, Shape, Start, Step, nn::Activation,
};
use proptest::prelude::*;

use crate::executors::executors;
use crate::invariance::bits;
use hindsight_gpu::laws::random::{Arrays, Kinds, cast, distance, programs};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever ranges are trained: theirs are the derivatives that they have when all are, and the others are zero.
    #[test]
    fn freezing_changes_no_other_derivative(
        case in prop_oneof![programs(Kinds::Any, false, 1..70), programs(Kinds::Any, true, 1..150)],
        cuts in prop::collection::vec(0..1000_usize, 4),
        inputs: bool,
    ) {
        let arrays = Arrays::<f64>::of(&case);
        let program = case.program();
        let n = arrays.params.len();
        let mut cuts: Vec<usize> = cuts.iter().map(|c| c % (n + 1)).collect();
        cuts.sort_unstable();
        let ranges = [cuts[0]..cuts[1], cuts[2]..cuts[3]];
        let some = program.clone().train(&ranges).expect("ranges that exist");
        let batch = |program: &Program| {
            let batch = arrays.batch(program, case.lanes, case.periods).expect("arrays that fit");
            if inputs { batch.differentiate_inputs() } else { batch }
        };
        for (name, executor) in executors::<f64>() {
            let all = executor.gradient(&program, &arrays.params, &batch(&program)).expect("a run");
            let part = executor.gradient(&some, &arrays.params, &batch(&some)).expect("a run");
            let expected: Vec<f64> = (0..n)
                .map(|i| if ranges.iter().any(|r| r.contains(&i)) { all.params[i] } else { 0.0 })
                .collect();
            prop_assert!(distance(&part.params, &expected) < 1e-12, "{name}");
            prop_assert!(distance(&part.lane, &all.lane) < 1e-12 && distance(&part.exo, &all.exo) < 1e-12, "{name}");
        }
    }
}

/// A buyer of three layers, alone or beside a network of its own parameters that shifts the demand.
fn program(buyer: &[Dense; 3], beside: Option<&Dense>, params: usize) -> Program {
    let shape = Shape {
        params,
        lane: 1,
        exo: 3,
        shared: 1,
    };
    Program::record(
        shape,
        |_, _| Start {
            state: vec![Scalar::constant(1.0)],
            carry: vec![],
        },
        |_, i| {
            let mut x = vec![i.state[0], i.exo[0], i.exo[1], i.shared[0]];
            for (k, layer) in buyer.iter().enumerate() {
                let mut y = vec![];
                let f = [Activation::Silu, Activation::Silu, Activation::Softplus][k];
                layer.apply(i.params, &[&x], f, &mut y);
                x = y;
            }
            let mut noise = vec![Scalar::constant(0.0)];
            if let Some(layer) = beside {
                noise.clear();
                layer.apply(
                    i.params,
                    &[&[i.state[0], i.exo[2]]],
                    Activation::Tanh,
                    &mut noise,
                );
            }
            let (order, demand) = (x[0], i.exo[2] + noise[0].detach());
            let stock = i.state[0] + order;
            let sold = stock.min(demand);
            Step {
                state: vec![stock - sold],
                objective: sold * i.lane[0] - order,
                traces: vec![],
            }
        },
    )
}

/// The buyer's gradient has the same bits beside a frozen network whose draws are held constant, given the same demands.
#[test]
fn a_frozen_network_beside_it_changes_no_bit_of_the_buyer() {
    let mut layout = Layout::new();
    let buyer = [(4, 16), (16, 16), (16, 1)].map(|(n, m)| layout.dense(n, m));
    let own = layout.params();
    let beside = layout.dense(2, 1);
    let mut params: Vec<f32> = cast(&layout.initial(3));
    // Weights of zero: the network is there, and what it says is nothing.
    params[own..].fill(0.0);
    let (alone, both) = (
        program(&buyer, None, own),
        program(&buyer, Some(&beside), layout.params()),
    );
    let frozen_from = own..own;
    let both = both
        .train(&[0..own, frozen_from])
        .expect("parameters that exist");
    let numbers = |n: u16, scale: f32| {
        (0..n)
            .map(|i| scale * f32::from(i * 7 % 13) / 13.0)
            .collect::<Vec<_>>()
    };
    let (lane, exo, shared) = (
        numbers(100, 3.0),
        numbers(100 * 3 * 5, 2.0),
        numbers(5, 1.0),
    );
    let gradient = |program: &Program, params: &[f32]| {
        let batch = Batch::new(program, 100, 5)
            .lane(&lane)
            .and_then(|b| b.exo(&exo))
            .and_then(|b| b.shared(&shared));
        Cpu::new(1)
            .gradient(program, params, &batch.expect("arrays that fit"))
            .expect("a run")
    };
    let (alone, both) = (gradient(&alone, &params[..own]), gradient(&both, &params));
    assert_eq!(bits(&alone.params), bits(&both.params[..own]));
    assert!(both.params[own..].iter().all(|&g| g == 0.0));
}

/// Steps of a session are those of an optimiser by hand, and leave frozen parameters as they are, whatever the decay.
#[test]
fn steps_move_what_is_trained() {
    let shape = Shape {
        params: 3,
        lane: 1,
        ..Shape::default()
    };
    let program = Program::record(
        shape,
        |_, _| Start::default(),
        |_, i| {
            let gap = i.params[0] * i.params[1] - i.lane[0] + i.params[2];
            Step {
                objective: -(gap * gap),
                ..Step::new()
            }
        },
    );
    let program = program.train(&[0..1, 2..3]).expect("parameters that exist");
    let batch = Batch::new(&program, 2, 1)
        .lane(&[1.0_f64, 3.0])
        .expect("two lanes");
    let rule = Rule {
        clip: 0.5,
        adam: AdamConfig {
            weight_decay: 0.1,
            ..AdamConfig::default()
        },
        averaging: 0.5,
    };
    for (name, executor) in executors::<f64>() {
        let mut session = executor.open(&program, batch.clone()).expect("a session");
        let begin = [0.3, 0.7, -0.2];
        session.load(&begin).expect("three parameters");
        let mut by_hand = hindsight_gpu::optim::Optimizer::new(vec![begin[0], begin[2]]);
        for _ in 0..4 {
            let at = [by_hand.params()[0], begin[1], by_hand.params()[1]];
            let gradient = executor.gradient(&program, &at, &batch).expect("a run");
            let objective = session.step(&Part::all(), &rule, 0.05).expect("a step");
            assert_eq!(objective, gradient.objective, "{name}");
            by_hand.ascend(&rule, &mut [gradient.params[0], gradient.params[2]], 0.05);
        }
        let params = session.params().expect("parameters");
        assert_eq!(
            params,
            [by_hand.params()[0], begin[1], by_hand.params()[1]],
            "{name}"
        );
        let average = session.average().expect("parameters");
        assert_eq!(
            average,
            [by_hand.average()[0], begin[1], by_hand.average()[1]],
            "{name}"
        );
    }
}
