//! The training task of the comparison: lost sales, five outstanding orders, a network of 4,929 parameters that orders.

#[path = "unit.rs"]
mod unit;

use hindsight_gpu::nn::{Dense, Layout};
use hindsight_gpu::{Batch, Error, Program, Scalar, Shape, Start, Step, nn::Activation};
use unit::unit;

pub(crate) const PERIODS: usize = 64;
const LEAD: usize = 5;
const FEATURES: usize = 4;
const HIDDEN: usize = 64;

/// The program, its first parameters and its inputs.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) program: Program,
    pub(crate) params: Vec<f32>,
    paths: usize,
    lane: Vec<f32>,
    exo: Vec<f32>,
    shared: Vec<f32>,
}

fn program(layers: [Dense; 3], params: usize) -> Program {
    let shape = Shape {
        params,
        lane: 3 + 1 + LEAD,
        exo: 1 + FEATURES,
        shared: 1,
    };
    Program::record(
        shape,
        |_, inputs| Start {
            state: inputs.lane[3..].to_vec(),
            carry: vec![],
        },
        |_, inputs| {
            let (price, cost, hold) = (inputs.lane[0], inputs.lane[1], inputs.lane[2]);
            let (stock, pipeline) = (inputs.state[0], &inputs.state[1..]);
            let small = |&x: &_| x * Scalar::constant(0.1);
            let scaled: Vec<_> = inputs.state.iter().map(small).collect();
            let (mut h1, mut h2, mut q) = (vec![], vec![], vec![]);
            let x = [&scaled, &inputs.exo[1..]];
            layers[0].apply(inputs.params, &x, Activation::Silu, &mut h1);
            layers[1].apply(inputs.params, &[&h1], Activation::Silu, &mut h2);
            layers[2].apply(inputs.params, &[&h2], Activation::Softplus, &mut q);
            let available = stock + pipeline[0];
            let sales = inputs.exo[0].min(available);
            let left = available - sales;
            let reward = price * sales - cost * q[0] - hold * left;
            Step {
                state: [&[left], &pipeline[1..], &[q[0]]].concat(),
                objective: reward * inputs.shared[0],
                traces: vec![],
            }
        },
    )
}

impl Task {
    pub(crate) fn new(paths: usize) -> Self {
        let mut layout = Layout::new();
        let layers = [
            layout.dense(1 + LEAD + FEATURES, HIDDEN),
            layout.dense(HIDDEN, HIDDEN),
            layout.dense(HIDDEN, 1),
        ];
        let mut params = vec![0.0_f32; layout.params()];
        for (layer, stream) in layers.iter().zip([11, 13, 15]) {
            let (inputs, outputs) = (layer.inputs(), layer.outputs());
            let scale = (inputs as f64).sqrt();
            let weights = layer.weights_mut(&mut params);
            for i in 0..inputs {
                for o in 0..outputs {
                    let u = unit(stream, i * outputs + o);
                    weights[o * inputs + i] = ((2.0 * u - 1.0) / scale) as f32;
                }
            }
        }
        let mut lane: Vec<f32> = Vec::new();
        lane.extend((0..paths).map(|n| (8.0 + 4.0 * unit(3, n)) as f32));
        lane.extend((0..paths).map(|n| (3.0 + 2.0 * unit(4, n)) as f32));
        lane.extend((0..paths).map(|n| (0.5 + unit(5, n)) as f32));
        lane.extend((0..paths).map(|n| (10.0 * unit(6, n)) as f32));
        for l in 0..LEAD {
            lane.extend((0..paths).map(|n| (10.0 * unit(7, n * LEAD + l)) as f32));
        }
        let mut exo: Vec<f32> = Vec::new();
        for t in 0..PERIODS {
            exo.extend((0..paths).map(|n| (15.0 * unit(1, t * paths + n).powi(2)) as f32));
            for k in 0..FEATURES {
                let u = |n| unit(2, (t * paths + n) * FEATURES + k);
                exo.extend((0..paths).map(|n| (2.0 * u(n) - 1.0) as f32));
            }
        }
        let discount = |t| 0.99_f64.powi(t) as f32;
        Task {
            program: program(layers, layout.params()),
            params,
            paths,
            lane,
            exo,
            shared: (0..PERIODS as i32).map(discount).collect(),
        }
    }

    pub(crate) fn batch(&self) -> Result<Batch<'_, f32>, Error> {
        Batch::new(&self.program, self.paths, PERIODS)
            .lane(&self.lane)?
            .exo(&self.exo)?
            .shared(&self.shared)
    }
}
