#![doc = include_str!("../README.md")]
//! # Where to begin
//!
//! `cargo add hindsight-gpu`, then:
//!
//! | I want to | begin with |
//! |---|---|
//! | write a simulation once and differentiate it | [`Program::record`], and [`guide::write_your_own_dynamics`] |
//! | run it on all cores, or train on parts of a batch | [`Device`], [`Executor`], [`Session::step`] |
//! | join lanes that share a limit | [`Batch::groups`], [`guide::lanes_in_groups`] |
//! | predict classes, look vectors up, attend | [`guide::classes_and_attention`] |
//! | layers | [`nn`]: dense, recurrent, convolutional, embeddings |
//! | an operation that is not there | [`record::CustomOp`] |
//! | draw the same numbers on any number of threads | [`Stream`] |
//!
//! # Features
//!
//! - `wgpu`: the executor on graphics processors.
//! - `proptest`: random programs, and laws for executors and operations of your own.
//! - `serde`: results, layers and configurations are serialised.
//!
//! # What to take instead
//!
//! Networks over images or text: [burn](https://docs.rs/burn) or [candle](https://docs.rs/candle-core). Derivatives of one function at one point: [autodiff](https://docs.rs/autodiff). This engine is for the same
//! small program over thousands of lanes and tens to hundreds of periods.
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

    #[doc = include_str!("../docs/device.md")]
    pub mod on_a_graphics_processor {}
}
