//! The operations of a recorded program.
//!
//! A value of the program is a *row*: one number per lane. Rows live in one of two spaces: the start block's rows exist
//! once per lane, the period block's rows once per lane and period.

use std::sync::Arc;

use super::custom::CustomOp;
use crate::scalar::{Activation, RoundGradient, Scalar};

/// Where a row lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Space {
    /// Computed once, before the first period.
    Start,
    /// Computed in every period.
    Period,
}

/// A row, possibly that of an earlier period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub(crate) space: Space,
    pub(crate) index: usize,
    /// How many periods ago; 0 for rows of the start block.
    pub(crate) lag: usize,
}

impl Row {
    /// A row of this period, or of the start block.
    pub(crate) fn of(space: Space, index: usize) -> Row {
        Row {
            space,
            index,
            lag: 0,
        }
    }

    pub(crate) fn offset(self, by: usize) -> Row {
        Row {
            index: self.index + by,
            ..self
        }
    }
}

/// An operand: a row, or one number for all lanes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Arg {
    Row(Row),
    Const(f64),
    Param(usize),
    Shared(usize),
}

impl Arg {
    /// Whether it is the same row or number, to the bit: zero and minus zero divide differently.
    pub(crate) fn is(self, other: Arg) -> bool {
        match (self, other) {
            (Arg::Const(a), Arg::Const(b)) => a.to_bits() == b.to_bits(),
            (a, b) => a == b,
        }
    }
}

/// A function of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Unary {
    /// The value itself; also brings rows of other periods together.
    Copy,
    Neg,
    Exp,
    Ln,
    Sqrt,
    Tanh,
    Sigmoid,
    Softplus,
    Silu,
    Relu,
    Erf,
    Abs,
    Positive,
    Round(RoundGradient),
    Detach,
}

/// A function of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Min,
    Max,
}

/// How the lanes of a group become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Reduce {
    Sum,
    /// The largest, without derivative.
    Max,
}

impl Reduce {
    /// What nothing reduces to.
    pub(crate) fn nothing(self) -> f64 {
        match self {
            Reduce::Sum => 0.0,
            Reduce::Max => f64::NEG_INFINITY,
        }
    }

    /// Two results as one.
    pub(crate) fn join(self, a: f64, b: f64) -> f64 {
        match self {
            Reduce::Sum => a + b,
            Reduce::Max => Scalar::max(a, b),
        }
    }
}

/// A dense layer over segments of rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dense {
    /// First weight; the weights are outputs by inputs, row-major.
    pub(crate) weights: usize,
    /// First bias.
    pub(crate) bias: Option<usize>,
    /// The inputs: first row and number of rows of each segment.
    pub(crate) segments: Vec<(Row, usize)>,
    /// The number of inputs: the segments' rows together.
    pub(crate) width: usize,
    pub(crate) outputs: usize,
    /// First row of the results.
    pub(crate) out: usize,
    pub(crate) activation: Activation,
    /// Place of the saved derivatives of the activation among the rows that no other operation reads.
    pub(crate) saved: usize,
    /// Place among the program's dense layers, by which packed weights and gradients are found.
    pub(crate) id: usize,
    /// Whether any of its weights or biases is trained.
    pub(crate) trained: bool,
    /// For each segment, whether its adjoint is wanted.
    pub(crate) wanted: Vec<bool>,
    /// For each segment, whether in reverse this layer is the first, and so the only one at that time, to write its adjoint.
    pub(crate) fresh: Vec<bool>,
}

/// Rows that a likelihood saves for reverse mode: the largest logit, and the logarithm of the sum of the exponentials without it.
pub(crate) const NORMALISER: usize = 2;

/// One operation; `rows` consecutive rows are computed from consecutive rows of the operands.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Unary {
        f: Unary,
        x: Arg,
        out: usize,
        rows: usize,
    },
    Binary {
        f: Binary,
        a: Arg,
        b: Arg,
        /// For each operand, whether one row of it goes with all rows of the results.
        repeated: [bool; 2],
        out: usize,
        rows: usize,
    },
    Select {
        mask: Arg,
        yes: Arg,
        no: Arg,
        out: usize,
    },
    Dense(Dense),
    Softmax {
        x: Row,
        out: usize,
        rows: usize,
    },
    LogSoftmax {
        x: Row,
        out: usize,
        rows: usize,
    },
    /// Of `rows` rows, the one that each lane's index names.
    Pick {
        x: Row,
        rows: usize,
        index: Arg,
        out: usize,
    },
    /// The row of a table of parameters that each lane's index names.
    Lookup {
        /// The table's first parameter.
        table: usize,
        entries: usize,
        width: usize,
        index: Arg,
        out: usize,
    },
    /// The logarithm of the share of the class that each lane's index names, the classes' logits being the outputs of a dense layer: three
    /// operations in one (see [`fuse`](super::fuse)), which keeps no row a class.
    LogLikelihood {
        /// The layer; its outputs have no rows.
        logits: Dense,
        index: Arg,
        out: usize,
    },
    /// One number for all lanes of a group.
    Reduce {
        f: Reduce,
        x: Arg,
        out: usize,
    },
    Custom {
        op: Arc<dyn CustomOp>,
        inputs: Vec<Arg>,
        out: usize,
        outputs: usize,
    },
}

/// Operations as they were recorded, and the number of rows that they use, inputs included.
#[derive(Debug, Clone, Default)]
pub(crate) struct Block {
    pub(crate) ops: Vec<Op>,
    pub(crate) rows: usize,
}

impl Op {
    /// The dense layer that it is or holds.
    pub(crate) fn layer(&self) -> Option<&Dense> {
        match self {
            Op::Dense(dense) | Op::LogLikelihood { logits: dense, .. } => Some(dense),
            _ => None,
        }
    }

    /// Rows that it saves for its reverse.
    pub(crate) fn saved(&self) -> usize {
        match self {
            Op::LogLikelihood { .. } => NORMALISER,
            Op::Dense(dense) if dense.activation != Activation::Identity => dense.outputs,
            _ => 0,
        }
    }

    pub(crate) fn layer_mut(&mut self) -> Option<&mut Dense> {
        match self {
            Op::Dense(dense) | Op::LogLikelihood { logits: dense, .. } => Some(dense),
            _ => None,
        }
    }
}
