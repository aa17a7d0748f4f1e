#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]
// Formulas are KaTeX, which the lint takes for identifiers.
#![allow(clippy::doc_markdown)]
// Tests count in floating point and compare exact results.
#![cfg_attr(
    test,
    allow(
        clippy::float_cmp,
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation
    )
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub extern crate hindsight_gpu as gpu;

mod error;
pub mod fulfilment;
#[cfg(feature = "io")]
pub mod io;
pub mod model;
pub mod orders;
pub mod protocol;
pub mod scores;

pub use error::{Argument, Cut, DrainError};
