#![doc = include_str!("../README.md")]
#![allow(
    clippy::doc_markdown,
    reason = "the lint takes the symbols of formulas for identifiers"
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
pub mod exec;
mod kernel;
#[cfg(feature = "proptest")]
#[cfg_attr(docsrs, doc(cfg(feature = "proptest")))]
pub mod laws;
mod math;
pub mod nn;
pub mod numbers;
pub mod optim;
pub mod record;
mod scalar;
mod stream;

pub use error::Error;
pub use exec::{Batch, Cpu, Device, Executor, Part, Session};
pub use kernel::real::Real;
pub use record::{Inputs, Program, Recorder, Shape, Start, Step, Var};
pub use scalar::{DelayLine, RoundGradient, Scalar};
pub use stream::Stream;

/// How to write programs of one's own.
pub mod guide {
    #[doc = include_str!("../docs/dynamics.md")]
    pub mod write_your_own_dynamics {}

    #[doc = include_str!("../docs/classes.md")]
    pub mod classes_and_attention {}

    #[doc = include_str!("../docs/groups.md")]
    pub mod lanes_in_groups {}
}
