//! Random small programs: a list of instructions over a growing pool of values, the same for every number type.

use crate::{RoundGradient, nn::Activation};
use proptest::prelude::*;

/// What one instruction does to values that it finds in the pool by number, modulo the size of the pool.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
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
pub struct Instruction {
    pub kind: Kind,
    pub a: usize,
    pub b: usize,
    pub c: usize,
    pub n: usize,
}

/// Where the next value of a state comes from.
#[derive(Debug, Clone, Copy)]
pub enum Next {
    /// Anything of the pool, squashed.
    Bounded(usize),
    /// One of the period's inputs as it is.
    Input(usize),
    /// One of the period's inputs, some periods ago.
    Late(usize, usize),
}

/// A random program with the size of its run.
#[derive(Debug, Clone)]
pub struct Case {
    #[doc(hidden)]
    pub lane: usize,
    #[doc(hidden)]
    pub exo: usize,
    #[doc(hidden)]
    pub shared: usize,
    #[doc(hidden)]
    pub start: Vec<Instruction>,
    #[doc(hidden)]
    pub period: Vec<Instruction>,
    #[doc(hidden)]
    pub next: Vec<Next>,
    /// The number of lanes.
    pub lanes: usize,
    /// The number of periods.
    pub periods: usize,
    /// What the numbers are drawn from.
    pub seed: u64,
    /// The sizes of its groups; empty where all lanes are one.
    #[doc(hidden)]
    pub groups: Vec<usize>,
}

impl Case {
    /// The same program over groups of lanes of these sizes, which the laws of an executor run as such.
    #[must_use]
    pub fn in_groups(mut self, sizes: Vec<usize>) -> Self {
        self.lanes = sizes.iter().sum();
        self.groups = sizes;
        self
    }
}

/// Which kinds of operation a random program has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kinds {
    /// Those with a derivative everywhere, sums over a group's lanes included where lanes are joined.
    Smooth,
    /// Those with kinks too: minima, maxima, absolute values, clips; the maximum over a group's lanes.
    Continuous,
    /// All: signs, choices, rounding, values cut from the derivative.
    Any,
}

/// Parameters that instructions read as plain values.
pub(super) const SINGLE: usize = 3;

fn activation() -> impl Strategy<Value = Activation> {
    use Activation::{Identity, Sigmoid, Silu, Softplus, Tanh};
    prop::sample::select(vec![Identity, Silu, Softplus, Sigmoid, Tanh])
}

fn kind(kinds: Kinds, joined: bool) -> BoxedStrategy<Kind> {
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
    if kinds >= Kinds::Continuous {
        plain.extend([K::Min, K::Max, K::Abs, K::Relu, K::Clip]);
    }
    if kinds >= Kinds::Any {
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
    if joined {
        plain.extend([K::LaneSum, K::LaneSum]);
        if kinds >= Kinds::Continuous {
            // No derivative: out of the way of differences.
            plain.push(K::LaneMax);
        }
    }
    let act = if kinds >= Kinds::Continuous {
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

fn instruction(kinds: Kinds, joined: bool) -> impl Strategy<Value = Instruction> {
    let place = 0..1000_usize;
    (
        kind(kinds, joined),
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

/// Random programs of up to four instructions at the start and thirteen in a period, of as many lanes as the range says and one to six periods;
/// with `joined`, some join the lanes of a group by sums.
///
/// # Panics
///
/// When the range of lanes is empty.
pub fn programs(kinds: Kinds, joined: bool, lanes: std::ops::Range<usize>) -> BoxedStrategy<Case> {
    let block = |n| prop::collection::vec(instruction(kinds, joined), 0..n);
    let sizes = (0..4_usize, 0..4_usize, 0..3_usize, lanes, 1..7_usize);
    (
        sizes,
        block(5),
        block(14),
        prop::collection::vec(next(), 0..7),
        any::<u64>(),
    )
        .prop_map(
            |((lane, exo, shared, lanes, periods), start, period, next, seed)| Case {
                lane,
                exo,
                shared,
                start,
                period,
                next,
                lanes,
                periods,
                seed,
                groups: Vec::new(),
            },
        )
        .boxed()
}
