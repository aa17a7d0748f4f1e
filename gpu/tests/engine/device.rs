//! A graphics processor against the processor in double precision. Where there is none, every law says that it is skipped.

#![allow(clippy::cast_precision_loss, reason = "small whole numbers")]

use std::sync::{Arc, OnceLock};

use hindsight_gpu::exec::{Gpu, Traffic};
use hindsight_gpu::optim::Rule;
use hindsight_gpu::{
    Batch, Cpu, Error, Executor, Part, Program, Scalar, Shape, Start, Step, record::CustomOp,
};
use proptest::prelude::*;

use hindsight_gpu::laws::{
    self,
    random::{Case, Kinds, distance, programs},
};

/// The graphics processor of this machine.
fn device() -> Option<&'static Gpu> {
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

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(x)).collect()
}

/// Each case compiles shaders of its own, which takes seconds where the device is software; `PROPTEST_CASES` asks for more.
fn cases() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    ProptestConfig {
        max_shrink_iters: 40,
        ..ProptestConfig::with_cases(asked.unwrap_or(6))
    }
}

/// Random programs of a size that bounds the time of a compiler: half of the others' instructions, in half as many cases more.
fn small(kinds: Kinds, joined: bool, lanes: std::ops::Range<usize>) -> impl Strategy<Value = Case> {
    programs(kinds, joined, lanes).prop_map(|mut case| {
        case.start.truncate(2);
        case.period.truncate(7);
        case
    })
}

proptest! {
    #![proptest_config(cases())]

    /// Roundings may fall the other way where a number is within an ulp of a half; the tolerance is that of single precision over a few
    /// hundred operations.
    #[test]
    fn values_on_a_device(case in small(Kinds::Continuous, false, 1..80)) {
        if let Some(gpu) = device() {
            laws::values_agree(gpu, &case)?;
        }
    }

    #[test]
    fn gradients_on_a_device(case in small(Kinds::Smooth, false, 1..80)) {
        if let Some(gpu) = device() {
            laws::gradients_agree(gpu, &case)?;
        }
    }
}

/// Groups of a lane, of a few, of a workgroup, and of more than one.
fn sizes() -> impl Strategy<Value = Vec<usize>> {
    let size = prop_oneof![3 => 1..9_usize, 1 => Just(32_usize), 1 => 33..90_usize];
    prop::collection::vec(size, 1..6)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn values_of_groups_on_a_device(case in small(Kinds::Continuous, true, 1..2), sizes in sizes()) {
        if let Some(gpu) = device() {
            laws::values_agree(gpu, &case.in_groups(sizes))?;
        }
    }

    #[test]
    fn gradients_of_groups_on_a_device(case in small(Kinds::Smooth, true, 1..2), sizes in sizes()) {
        if let Some(gpu) = device() {
            laws::gradients_agree(gpu, &case.in_groups(sizes))?;
        }
    }
}

/// Stock, a delay, a network of two layers and a head, wide enough for every way in which threads share a layer.
fn network() -> (Program, Vec<f32>) {
    use hindsight_gpu::nn::{Activation, Layout};
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
fn inputs(lanes: usize, periods: usize) -> [Vec<f32>; 3] {
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

const LANES: usize = 150;
const PERIODS: usize = 9;

fn batch<'a>(program: &Program, [lane, exo, shared]: &'a [Vec<f32>; 3]) -> Batch<'a, f32> {
    Batch::new(program, LANES, PERIODS)
        .lane(lane)
        .and_then(|b| b.exo(exo))
        .and_then(|b| b.shared(shared))
        .expect("arrays of the right lengths")
}

/// Steps of an optimiser on parts of a batch, as on the processor; the same bits when it is done again.
#[test]
fn training_on_a_device() {
    let Some(gpu) = device() else { return };
    let (program, params) = network();
    let arrays = inputs(LANES, PERIODS);
    let rule = Rule {
        clip: 0.5,
        averaging: 0.9,
        ..Rule::default()
    };
    let picked: Vec<usize> = (0..70).map(|i| i * 61 % LANES).collect();
    let train = |executor: &dyn Executor<f32>| {
        let mut session = executor
            .open(&program, batch(&program, &arrays))
            .expect("a session");
        session.load(&params).expect("parameters");
        let mut objectives = Vec::new();
        for step in 0..12 {
            let part = if step % 2 == 0 {
                Part::all()
            } else {
                Part::lanes(&picked).periods(2..8)
            };
            objectives.push(session.step(&part, &rule, 0.01).expect("a step"));
        }
        (
            objectives,
            session.params().expect("parameters"),
            session.average().expect("an average"),
        )
    };
    let (right, once, again) = (train(&Cpu::new(1)), train(gpu), train(gpu));
    assert!(
        distance(&once.0, &right.0) < 1e-5,
        "{:?} {:?}",
        once.0,
        right.0
    );
    assert!(distance(&wide(&once.1), &wide(&right.1)) < 1e-4);
    assert!(distance(&wide(&once.2), &wide(&right.2)) < 1e-4);
    let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(
        (bits(&once.1), bits(&once.2)),
        (bits(&again.1), bits(&again.2))
    );
}

/// Inputs with those of a lane side by side give the same bits.
#[test]
fn either_order_of_inputs_on_a_device() {
    let Some(gpu) = device() else { return };
    let (program, params) = network();
    let arrays = inputs(LANES, PERIODS);
    let [lane, exo, shared] = &arrays;
    let by_lane: Vec<f32> = (0..PERIODS * LANES * 18)
        .map(|at| {
            let (t, n, k) = (at / (LANES * 18), at / 18 % LANES, at % 18);
            exo[(t * 18 + k) * LANES + n]
        })
        .collect();
    let other = Batch::new(&program, LANES, PERIODS)
        .lane(lane)
        .and_then(|b| b.exo_by_lane(&by_lane))
        .and_then(|b| b.shared(shared))
        .expect("arrays of the right lengths");
    let one = gpu.gradient(&program, &params, &batch(&program, &arrays));
    assert_eq!(
        one.expect("a run"),
        gpu.gradient(&program, &params, &other).expect("a run")
    );
}

/// A step of a program that joins lanes is a dispatch for each joining and for each side of each phase, and nothing but the loss comes back.
#[test]
fn what_a_joined_step_asks_of_a_device() {
    if device().is_none() {
        return;
    }
    let gpu = Gpu::new().expect("a graphics processor");
    let program = market();
    let exo = [0.5_f32; 24];
    let asked = |periods: usize| {
        let batch = Batch::new(&program, 4, periods).exo(&exo[..4 * periods]);
        let mut session = gpu
            .open(&program, batch.expect("arrays that fit"))
            .expect("a session");
        let mut step = || {
            let loss = session.step(&Part::all(), &Rule::default(), 0.01);
            loss.expect("a step");
            gpu.traffic()
        };
        let (before, after) = (step(), step());
        let dispatches = after.dispatches - before.dispatches;
        (
            dispatches,
            after.sent - before.sent,
            after.received - before.received,
        )
    };
    let (few, many) = (asked(2), asked(6));
    assert_eq!((few.1, few.2, many.1, many.2), (80, 4, 80, 4));
    assert_eq!((few.0, (many.0 - few.0) / 4), (27, 9), "{few:?} {many:?}");
}

/// A step of a program that stays within a lane is a few dispatches, and nothing but the loss comes back. A change that doubles them fails.
#[test]
fn what_a_step_asks_of_a_device() {
    if device().is_none() {
        return;
    }
    // A device of its own, so that no other test counts.
    let gpu = Gpu::new().expect("a graphics processor");
    let (program, params) = network();
    let arrays = inputs(LANES, PERIODS);
    let mut session = gpu
        .open(&program, batch(&program, &arrays))
        .expect("a session");
    session.load(&params).expect("parameters");
    let step = |session: &mut dyn hindsight_gpu::Session<f32>| {
        session
            .step(&Part::all(), &Rule::default(), 0.01)
            .expect("a step");
    };
    step(&mut *session);
    let before = gpu.traffic();
    step(&mut *session);
    let after = gpu.traffic();
    let used = Traffic {
        dispatches: after.dispatches - before.dispatches,
        sent: after.sent - before.sent,
        received: after.received - before.received,
    };
    assert_eq!(
        used,
        Traffic {
            dispatches: 3,
            sent: 80,
            received: 4
        }
    );
}

/// Groups of unequal sizes whose shared inputs go through a network, a state and a delay of their own, which the lanes read; no lanes are joined. As
/// on the processor, for all groups and for some that are picked.
#[test]
fn groups_on_a_device() {
    use hindsight_gpu::nn::{Activation, Layout};
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
            let mut line = hindsight_gpu::DelayLine::new();
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

/// A batch that may not be on the device as a whole goes there in lots: the same results but for the order of sums, whether lanes, groups or joined
/// groups are split, and the same steps.
#[test]
fn batches_larger_than_the_device() {
    let Some(gpu) = device() else { return };
    let (program, params) = network();
    let arrays = inputs(LANES, PERIODS);
    let picked: Vec<usize> = (0..LANES).map(|i| i * 61 % LANES).collect();
    let small = gpu.clone().with_memory(300_000);
    let run = |executor: &Gpu| {
        let batch = batch(&program, &arrays).differentiate_inputs();
        let mut session = executor.open(&program, batch).expect("a session");
        session.load(&params).expect("parameters");
        let part = Part::lanes(&picked).periods(1..8);
        let rolled = session.forward(&part).expect("a run");
        let gradient = session.gradient(&part).expect("a run");
        let loss = session.step(&Part::all(), &Rule::default(), 0.01);
        let loss = loss.expect("a step");
        (
            rolled,
            gradient,
            loss,
            session.params().expect("parameters"),
        )
    };
    let before = small.traffic().dispatches;
    let split = run(&small);
    let dispatches = small.traffic().dispatches - before;
    let whole = run(gpu);
    // A whole run of each kind is one, two and three dispatches.
    assert!(dispatches > 6, "{dispatches} dispatches are no lots");
    same(&split.0, &split.1, &whole.0, &whole.1);
    assert!((split.2 - whole.2).abs() < 1e-5 * whole.2.abs());
    assert!(distance(&wide(&split.3), &wide(&whole.3)) < 1e-5);
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

/// Stock whose price follows the use of all lanes of a group.
fn market() -> Program {
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

fn same(
    rolled: &hindsight_gpu::exec::Rollout<f32>,
    gradient: &hindsight_gpu::exec::Gradient<f32>,
    right: &hindsight_gpu::exec::Rollout<f32>,
    slope: &hindsight_gpu::exec::Gradient<f32>,
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
