#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(
    clippy::doc_markdown,
    reason = "formulas are KaTeX: the names in them are not code"
)]
#![allow(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "a comparison that NaN must fail is written negated"
)]
#![cfg_attr(
    test,
    allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        clippy::float_cmp,
        reason = "tests cast small counts and compare values that are exact"
    )
)]

pub mod batch_size;
pub mod calibration;
mod error;
#[cfg(feature = "io")]
#[cfg_attr(docsrs, doc(cfg(feature = "io")))]
pub mod io;
#[cfg(feature = "proptest")]
#[cfg_attr(docsrs, doc(cfg(feature = "proptest")))]
pub mod laws;
pub mod recalibrate;
pub mod scaling;
pub mod stats;
#[cfg(test)]
mod testing;
pub mod verification;

pub use error::{Allowed, Error, GameProblem, Result};
