//! One Direct Backprop training step on a fixed lost-sales problem: 8192 paths, 64 periods, 5 outstanding orders, a network
//! of 4,929 parameters. Prints the losses, which are known, and the times, for the comparison in `bench/`.
//!
//! `cargo run --release -p hindsight-gpu --example dbp_lost_sales -- [THREADS] [STEPS]`

use std::error::Error;
use std::time::Instant;

use cpu_time::ProcessTime;
use hindsight_gpu::nn::Layout;
use hindsight_gpu::optim::{Adam, AdamConfig};
use hindsight_gpu::{Activation, Batch, Cpu, Executor, Program, Scalar, Shape, Start, Step};

const PATHS: usize = 8192;
const PERIODS: usize = 64;
const LEAD: usize = 5;
const FEATURES: usize = 4;
const HIDDEN: usize = 64;

/// The uniform number `index` of a stream: SplitMix64, so that any language rebuilds the same data.
fn unit(stream: u64, index: usize) -> f64 {
    let mut z = (index as u64 + 1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(stream.wrapping_mul(0xD1B5_4A32_D192_ED03));
    z ^= z >> 30;
    z = z.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z ^= z >> 27;
    z = z.wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 40) as f64 / f64::from(1 << 24)
}

fn program(layers: &[hindsight_gpu::nn::Dense; 3], params: usize) -> Program {
    let layers = *layers;
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
            let scaled: Vec<_> = inputs
                .state
                .iter()
                .map(|&x| x * Scalar::constant(0.1))
                .collect();
            let mut h = Vec::new();
            layers[0].apply(
                inputs.params,
                &[&scaled, &inputs.exo[1..]],
                Activation::Silu,
                &mut h,
            );
            let mut h2 = Vec::new();
            layers[1].apply(inputs.params, &[&h], Activation::Silu, &mut h2);
            let mut q = Vec::new();
            layers[2].apply(inputs.params, &[&h2], Activation::Softplus, &mut q);
            let available = stock + pipeline[0];
            let sales = inputs.exo[0].min(available);
            let left = available - sales;
            let reward = price * sales - cost * q[0] - hold * left;
            let state = [&[left], &pipeline[1..], &[q[0]]].concat();
            Step {
                state,
                objective: reward * inputs.shared[0],
                traces: vec![],
            }
        },
    )
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let threads: usize = args.next().map_or(Ok(1), |a| a.parse())?;
    let steps: usize = args.next().map_or(Ok(9), |a| a.parse())?;
    let mut layout = Layout::new();
    let layers = [
        layout.dense(1 + LEAD + FEATURES, HIDDEN),
        layout.dense(HIDDEN, HIDDEN),
        layout.dense(HIDDEN, 1),
    ];
    let program = program(&layers, layout.params());
    let mut params = vec![0.0_f32; layout.params()];
    for (layer, stream) in layers.iter().zip([11, 13, 15]) {
        let (inputs, outputs) = (layer.inputs(), layer.outputs());
        let scale = (inputs as f64).sqrt();
        let weights = layer.weights_mut(&mut params);
        for i in 0..inputs {
            for o in 0..outputs {
                weights[o * inputs + i] =
                    ((2.0 * unit(stream, i * outputs + o) - 1.0) / scale) as f32;
            }
        }
    }
    let mut lane: Vec<f32> = Vec::new();
    lane.extend((0..PATHS).map(|n| (8.0 + 4.0 * unit(3, n)) as f32));
    lane.extend((0..PATHS).map(|n| (3.0 + 2.0 * unit(4, n)) as f32));
    lane.extend((0..PATHS).map(|n| (0.5 + unit(5, n)) as f32));
    lane.extend((0..PATHS).map(|n| (10.0 * unit(6, n)) as f32));
    for l in 0..LEAD {
        lane.extend((0..PATHS).map(|n| (10.0 * unit(7, n * LEAD + l)) as f32));
    }
    let mut exo: Vec<f32> = Vec::new();
    for t in 0..PERIODS {
        exo.extend((0..PATHS).map(|n| (15.0 * unit(1, t * PATHS + n).powi(2)) as f32));
        for k in 0..FEATURES {
            exo.extend(
                (0..PATHS).map(|n| (2.0 * unit(2, (t * PATHS + n) * FEATURES + k) - 1.0) as f32),
            );
        }
    }
    let shared: Vec<f32> = (0..PERIODS as i32)
        .map(|t| 0.99_f64.powi(t) as f32)
        .collect();
    let batch = Batch::new(&program, PATHS, PERIODS)
        .lane(&lane)?
        .exo(&exo)?
        .shared(&shared)?;
    let cpu = Cpu::new(threads);

    let (mut forward_cpu, mut forward_wall) = (Vec::new(), Vec::new());
    for _ in 0..steps + 2 {
        let (begun, used) = (Instant::now(), ProcessTime::now());
        cpu.forward(&program, &params, &batch)?;
        forward_wall.push(begun.elapsed().as_secs_f64());
        forward_cpu.push(used.elapsed().as_secs_f64());
    }
    let mut adam = Adam::new(AdamConfig::default(), params.len());
    let (mut losses, mut step_cpu, mut step_wall) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..steps + 2 {
        let (begun, used) = (Instant::now(), ProcessTime::now());
        let gradient = cpu.gradient(&program, &params, &batch)?;
        adam.ascend(&mut params, &gradient.params, 1e-3);
        step_wall.push(begun.elapsed().as_secs_f64());
        step_cpu.push(used.elapsed().as_secs_f64());
        losses.push(-gradient.objective);
    }
    let median = |times: &[f64]| {
        let mut times = times[2..].to_vec();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let least = |times: &[f64]| times[2..].iter().copied().fold(f64::INFINITY, f64::min);
    println!(
        "{{\"threads\": {threads}, \"step_wall_median\": {:.4}, \"step_wall_min\": {:.4}, \"step_cpu_median\": {:.4}, \"step_cpu_min\": {:.4}, \
         \"forward_wall_median\": {:.4}, \"forward_wall_min\": {:.4}, \"forward_cpu_median\": {:.4}, \"forward_cpu_min\": {:.4}, \"losses\": {losses:?}}}",
        median(&step_wall),
        least(&step_wall),
        median(&step_cpu),
        least(&step_cpu),
        median(&forward_wall),
        least(&forward_wall),
        median(&forward_cpu),
        least(&forward_cpu),
    );
    Ok(())
}
