//! Random small programs: a list of instructions over a growing pool of values, the same for every number type.

use hindsight_gpu::{RoundGradient, Stream, nn::Activation};
use proptest::prelude::*;
use rand::RngExt;

/// What one instruction does to values that it finds in the pool by number, modulo the size of the pool.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Add,
    Sub,
    Mul,
    Div,
    Neg,
    Exp,
    Ln,
    Sqrt,
    Tanh,
    Sigmoid,
    Softplus,
    Silu,
    Erf,
    Detach,
    /// A dense layer on parameters, with or without bias.
    Dense(Activation, bool),
    /// A dense layer whose weights are values.
    DenseOfValues(Activation),
    Softmax,
    LogSoftmax,
    /// The value that an input names.
    Pick,
    /// A row of a table of parameters, and of values.
    Lookup,
    LookupOfValues,
    /// The logarithm of the share of a class, of a dense layer.
    Likelihood,
    Gru,
    Conv(Activation),
    Delay,
    Custom,
    // With kinks.
    Min,
    Max,
    Abs,
    Relu,
    Clip,
    // With jumps.
    Positive,
    Select,
    Round(RoundGradient),
    /// The value that a computed number names.
    PickByValue,
    // Over all lanes.
    LaneSum,
    LaneMax,
}

/// An instruction: the kind, three places in the pool, and a size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instruction {
    pub(crate) kind: Kind,
    pub(crate) a: usize,
    pub(crate) b: usize,
    pub(crate) c: usize,
    pub(crate) n: usize,
}

/// Where the next value of a state comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Next {
    /// Anything of the pool, squashed.
    Bounded(usize),
    /// One of the period's inputs as it is.
    Input(usize),
    /// One of the period's inputs, some periods ago.
    Late(usize, usize),
}

/// A random program with the size of its run.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) lane: usize,
    pub(crate) exo: usize,
    pub(crate) shared: usize,
    pub(crate) start: Vec<Instruction>,
    pub(crate) period: Vec<Instruction>,
    pub(crate) next: Vec<Next>,
    pub(crate) lanes: usize,
    pub(crate) periods: usize,
    pub(crate) seed: u64,
}

/// Which kinds of instruction a random program has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Smooth,
    Continuous,
    Any,
}

/// Parameters that instructions read as plain values.
pub(crate) const SINGLE: usize = 3;

fn activation() -> impl Strategy<Value = Activation> {
    use Activation::{Identity, Sigmoid, Silu, Softplus, Tanh};
    prop::sample::select(vec![Identity, Silu, Softplus, Sigmoid, Tanh])
}

fn kind(class: Class, lane_sums: bool) -> BoxedStrategy<Kind> {
    use Kind as K;
    let mut plain = vec![
        K::Add,
        K::Sub,
        K::Mul,
        K::Div,
        K::Neg,
        K::Exp,
        K::Ln,
        K::Sqrt,
        K::Tanh,
        K::Sigmoid,
        K::Softplus,
        K::Silu,
        K::Erf,
        K::Softmax,
        K::LogSoftmax,
        K::Pick,
        K::Lookup,
        K::LookupOfValues,
        K::Likelihood,
        K::Gru,
        K::Delay,
        K::Custom,
    ];
    if class >= Class::Continuous {
        plain.extend([K::Min, K::Max, K::Abs, K::Relu, K::Clip]);
    }
    if class >= Class::Any {
        // Those whose derivative is not that of the value are here, out of the way of differences.
        plain.extend([
            K::Positive,
            K::Select,
            K::Detach,
            K::Round(RoundGradient::StraightThrough),
            K::Round(RoundGradient::Zero),
            K::PickByValue,
        ]);
    }
    if lane_sums {
        plain.extend([K::LaneSum, K::LaneSum]);
        if class >= Class::Continuous {
            // No derivative: out of the way of differences.
            plain.push(K::LaneMax);
        }
    }
    let act = if class >= Class::Continuous {
        prop_oneof![4 => activation(), 1 => Just(Activation::Relu)].boxed()
    } else {
        activation().boxed()
    };
    prop_oneof![
        6 => prop::sample::select(plain),
        2 => (act.clone(), any::<bool>()).prop_map(|(f, bias)| K::Dense(f, bias)),
        1 => act.clone().prop_map(K::DenseOfValues),
        1 => act.prop_map(K::Conv),
    ]
    .boxed()
}

fn instruction(class: Class, lane_sums: bool) -> impl Strategy<Value = Instruction> {
    let place = 0..1000_usize;
    (
        kind(class, lane_sums),
        place.clone(),
        place.clone(),
        place,
        1..7_usize,
    )
        .prop_map(|(kind, a, b, c, n)| Instruction { kind, a, b, c, n })
}

fn next() -> impl Strategy<Value = Next> {
    prop_oneof![
        4 => (0..1000_usize).prop_map(Next::Bounded),
        1 => (0..1000_usize).prop_map(Next::Input),
        1 => (0..1000_usize, 1..4_usize).prop_map(|(i, lag)| Next::Late(i, lag)),
    ]
}

/// Random programs of a class.
pub(crate) fn specs(
    class: Class,
    lane_sums: bool,
    lanes: std::ops::Range<usize>,
) -> BoxedStrategy<Spec> {
    let block = |n| prop::collection::vec(instruction(class, lane_sums), 0..n);
    let sizes = (0..4_usize, 0..4_usize, 0..3_usize, lanes, 1..7_usize);
    (
        sizes,
        block(5),
        block(14),
        prop::collection::vec(next(), 0..7),
        any::<u64>(),
    )
        .prop_map(
            |((lane, exo, shared, lanes, periods), start, period, next, seed)| Spec {
                lane,
                exo,
                shared,
                start,
                period,
                next,
                lanes,
                periods,
                seed,
            },
        )
        .boxed()
}

/// Random numbers for a program's arrays.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    pub(crate) params: Vec<f64>,
    pub(crate) lane: Vec<f64>,
    pub(crate) exo: Vec<f64>,
    pub(crate) shared: Vec<f64>,
    pub(crate) weights: Vec<f64>,
}

impl Data {
    pub(crate) fn of(spec: &Spec) -> Data {
        let shape = spec.shape();
        let draw = |purpose: &str, n: usize, size: f64| -> Vec<f64> {
            let mut rng = Stream::new(spec.seed, purpose).at(0, 0);
            let one = |_| size * (2.0 * rng.random::<f64>() - 1.0);
            (0..n).map(one).collect()
        };
        Data {
            params: draw("params", shape.params, 0.7),
            lane: draw("lane", shape.lane * spec.lanes, 2.0),
            exo: draw("exo", shape.exo * spec.lanes * spec.periods, 2.0),
            shared: draw("shared", shape.shared * spec.periods, 1.0),
            weights: draw("weights", spec.lanes, 1.0),
        }
    }
}
