//! Groups of lanes: what is one number for a group, what joins its lanes, and groups in lots.

use hindsight_gpu::laws::random::distance;
use hindsight_gpu::nn::{Activation, Layout};
use hindsight_gpu::{Batch, Cpu, DelayLine, Executor, Part, Program, Scalar, Shape, Start, Step};

use crate::{device, market, same, wide};

/// Groups of unequal sizes whose shared inputs go through a network, a state and a delay of their own, which the lanes read; no lanes are joined. As
/// on the processor, for all groups and for some that are picked.
#[test]
fn groups_on_a_device() {
    let Some(gpu) = device() else { return };
    let mut layout = Layout::new();
    let (calendar, own) = (layout.dense(2, 12), layout.dense(14, 3));
    let shape = Shape {
        params: layout.params() + 1,
        lane: 1,
        exo: 1,
        shared: 2,
    };
    let scale = layout.params();
    let program = Program::record(
        shape,
        |_, inputs| Start {
            state: vec![Scalar::constant(0.5), inputs.lane[0]],
            carry: vec![],
        },
        |_, inputs| {
            let mut season = vec![];
            calendar.apply(
                inputs.params,
                &[inputs.shared],
                Activation::Tanh,
                &mut season,
            );
            let memory = inputs.state[0] * inputs.params[scale] + season[0];
            let mut line = DelayLine::new();
            let late = memory.delay(2, &mut line);
            let mut out = vec![];
            let x = [&season[..], &[late, inputs.exo[0] + inputs.state[1]]];
            own.apply(inputs.params, &x, Activation::Silu, &mut out);
            Step {
                state: vec![memory, out[1].tanh()],
                objective: out[0] * out[2] + memory,
                traces: vec![out[0], memory],
            }
        },
    );
    let (sizes, periods) = ([1_usize, 40, 7, 33, 64], 6);
    let lanes: usize = sizes.iter().sum();
    let wave = |count: usize, by: usize| -> Vec<f32> {
        (0..count)
            .map(|i| (i * by % 53) as f32 / 26.0 - 1.0)
            .collect()
    };
    let params: Vec<f32> = wave(shape.params, 17).iter().map(|x| x * 0.4).collect();
    let (lane, exo, shared) = (
        wave(lanes, 5),
        wave(lanes * periods, 11),
        wave(2 * periods * sizes.len(), 19),
    );
    let run = |executor: &dyn Executor<f32>, part: &Part<'_>| {
        let batch = Batch::new(&program, lanes, periods)
            .lane(&lane)
            .and_then(|b| b.exo(&exo))
            .and_then(|b| b.groups(&sizes))
            .and_then(|b| b.shared_by_group(&shared))
            .expect("arrays of the right lengths");
        let mut session = executor.open(&program, batch).expect("a session");
        session.load(&params).expect("parameters");
        let rolled = session.forward(part).expect("a run");
        (rolled, session.gradient(part).expect("a run"))
    };
    for part in [Part::all(), Part::groups(&[3, 1, 3]).periods(1..5)] {
        let (right, found) = (run(&Cpu::new(1), &part), run(gpu, &part));
        assert!(distance(&found.0.objective, &right.0.objective) < 1e-5);
        assert!(distance(&wide(&found.0.traces), &wide(&right.0.traces)) < 1e-5);
        assert!(distance(&wide(&found.0.state), &wide(&right.0.state)) < 1e-5);
        let off = distance(&wide(&found.1.params), &wide(&right.1.params));
        assert!(off < 1e-4, "{off}");
        assert!((found.1.objective - right.1.objective).abs() < 1e-5);
    }
}

/// The same in groups, whose lanes stay together.
#[test]
fn groups_larger_than_the_device() {
    let Some(gpu) = device() else { return };
    let program = market();
    let sizes = [3_usize, 40, 1, 70, 8];
    let lanes: usize = sizes.iter().sum();
    let exo: Vec<f32> = (0..lanes * 6).map(|i| (i * 7 % 23) as f32 / 11.0).collect();
    let run = |executor: &dyn Executor<f32>| {
        let batch = Batch::new(&program, lanes, 6)
            .exo(&exo)
            .and_then(|b| b.groups(&sizes));
        let batch = batch.expect("arrays that fit").differentiate_inputs();
        let mut session = executor.open(&program, batch).expect("a session");
        session.load(&[0.3, 0.8]).expect("parameters");
        let part = Part::groups(&[3, 1, 4, 0, 2]);
        let rolled = session.forward(&part).expect("a run");
        (rolled, session.gradient(&part).expect("a run"))
    };
    let right = run(&Cpu::new(1));
    for executor in [gpu.clone(), gpu.clone().with_memory(20_000)] {
        let found = run(&executor);
        same(&found.0, &found.1, &right.0, &right.1);
    }
}
