//! A graphics processor against the processor in double precision. Where there is none, every law says that it is skipped.

#![allow(clippy::cast_precision_loss, reason = "small whole numbers")]
#![allow(
    clippy::float_cmp,
    reason = "whole numbers and equal operations are exact"
)]

mod batches;
mod groups;
mod refusals;
mod traffic;
mod training;
mod values;

use std::sync::OnceLock;

use hindsight_gpu::exec::{Gpu, Gradient, Rollout};
use hindsight_gpu::laws::random::distance;
use hindsight_gpu::nn::{Activation, Layout};
use hindsight_gpu::{Batch, Program, Scalar, Shape, Start, Step};

/// The graphics processor of this machine.
pub(crate) fn device() -> Option<&'static Gpu> {
    static DEVICE: OnceLock<Option<Gpu>> = OnceLock::new();
    let found = DEVICE.get_or_init(|| match Gpu::new() {
        Ok(gpu) => {
            eprintln!("graphics processor: {}", gpu.name());
            Some(gpu)
        }
        Err(error) => {
            eprintln!("SKIPPED, the laws of a graphics processor: {error}");
            None
        }
    });
    found.as_ref()
}

pub(crate) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(x)).collect()
}

/// Stock, a delay, a network of two layers and a head, wide enough for every way in which threads share a layer.
pub(crate) fn network() -> (Program, Vec<f32>) {
    let mut layout = Layout::new();
    let layers = [
        layout.dense(20, 36),
        layout.dense(36, 20),
        layout.dense(20, 1),
    ];
    let shape = Shape {
        params: layout.params(),
        lane: 1,
        exo: 18,
        shared: 1,
    };
    let program = Program::record(
        shape,
        |_, inputs| Start {
            state: vec![inputs.lane[0]; 2],
            carry: vec![],
        },
        |_, inputs| {
            let (mut one, mut two, mut order) = (vec![], vec![], vec![]);
            layers[0].apply(
                inputs.params,
                &[inputs.state, inputs.exo],
                Activation::Silu,
                &mut one,
            );
            layers[1].apply(inputs.params, &[&one], Activation::Tanh, &mut two);
            layers[2].apply(inputs.params, &[&two], Activation::Softplus, &mut order);
            let stock = inputs.state[0] + inputs.state[1];
            let sold = stock.min(inputs.exo[0].abs());
            Step {
                state: vec![stock - sold, order[0]],
                objective: (sold * Scalar::constant(3.0) - order[0]) * inputs.shared[0],
                traces: vec![sold],
            }
        },
    );
    let params = (0..shape.params)
        .map(|i| ((i * 37 % 101) as f32 / 101.0 - 0.5) * 0.3)
        .collect();
    (program, params)
}

/// Inputs of some lanes and periods of the network.
pub(crate) fn inputs(lanes: usize, periods: usize) -> [Vec<f32>; 3] {
    let wave = |count: usize, by: usize| {
        (0..count)
            .map(|i| (i * by % 89) as f32 / 44.0 - 1.0)
            .collect()
    };
    [
        wave(lanes, 7),
        wave(18 * lanes * periods, 31),
        vec![0.9; periods],
    ]
}

pub(crate) const LANES: usize = 150;
pub(crate) const PERIODS: usize = 9;

pub(crate) fn batch<'a>(
    program: &Program,
    [lane, exo, shared]: &'a [Vec<f32>; 3],
) -> Batch<'a, f32> {
    Batch::new(program, LANES, PERIODS)
        .lane(lane)
        .and_then(|b| b.exo(exo))
        .and_then(|b| b.shared(shared))
        .expect("arrays of the right lengths")
}

/// Stock whose price follows the use of all lanes of a group.
pub(crate) fn market() -> Program {
    let shape = Shape {
        params: 2,
        exo: 1,
        ..Shape::default()
    };
    Program::record(
        shape,
        |_, _| Start {
            state: vec![Scalar::constant(1.0)],
            carry: vec![Scalar::lane_sum(Scalar::constant(1.0))],
        },
        |_, i| {
            let used = i.state[0].lane_sum() / i.carry[0];
            let price = (i.params[0] * used).softplus();
            let top = i.exo[0].lane_max();
            let order = (i.params[1] * i.exo[0] - price).softplus();
            Step {
                state: vec![order * Scalar::constant(0.5)],
                objective: order * i.exo[0] - price * order + top,
                traces: vec![order, price],
            }
        },
    )
}

/// Two results of the same run, to single precision.
pub(crate) fn same(
    rolled: &Rollout<f32>,
    gradient: &Gradient<f32>,
    right: &Rollout<f32>,
    slope: &Gradient<f32>,
) {
    assert!(distance(&rolled.objective, &right.objective) < 1e-5);
    assert!(distance(&wide(&rolled.traces), &wide(&right.traces)) < 1e-5);
    assert!(distance(&wide(&rolled.state), &wide(&right.state)) < 1e-5);
    assert!((gradient.objective - slope.objective).abs() < 1e-5 * slope.objective.abs().max(1.0));
    for (found, right) in [
        (&gradient.params, &slope.params),
        (&gradient.lane, &slope.lane),
        (&gradient.exo, &slope.exo),
    ] {
        let off = distance(&wide(found), &wide(right));
        assert!(off < 1e-4, "{off}");
    }
}
