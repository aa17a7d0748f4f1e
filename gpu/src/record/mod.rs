//! Recording a period once, as a list of operations over rows of lanes.

mod activity;
mod again;
mod common;
mod compile;
mod copies;
mod custom;
mod fresh;
mod fuse;
mod gather;
mod late;
mod layout;
mod op;
mod operands;
mod plan;
mod prepare;
mod program;
mod size;
mod split;
mod tape;
mod var;

pub use custom::CustomOp;
#[cfg(feature = "wgpu")]
pub(crate) use layout::runs;
pub(crate) use op::{Arg, Binary, Dense, NORMALISER, Op, Reduce, Row, Space, Unary};
#[cfg(feature = "wgpu")]
pub(crate) use plan::Phase;
pub(crate) use plan::{Bridge, Code, Plan, Side};
pub(crate) use prepare::{Keep, plan};
pub use program::{Inputs, Program, Shape, Start, Step};
pub use size::Size;
pub use tape::Recorder;
pub use var::Var;

/// The most segments of inputs that a dense layer has; the recorder copies rows together beyond it.
pub(crate) const MAX_SEGMENTS: usize = 16;
