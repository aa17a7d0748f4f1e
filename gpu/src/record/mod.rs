//! Recording a period once, as a list of operations over rows of lanes.

mod compile;
mod custom;
mod fuse;
mod op;
mod program;
mod tape;
mod var;

pub use custom::CustomOp;
pub(crate) use op::{Arg, Binary, Dense, NORMALISER, Op, Reduce, Row, Space, Unary};
pub use program::{Inputs, Program, Shape, Start, Step};
pub use tape::Recorder;
pub use var::Var;

/// The most segments of inputs that a dense layer has; the recorder copies rows together beyond it.
pub(crate) const MAX_SEGMENTS: usize = 16;
