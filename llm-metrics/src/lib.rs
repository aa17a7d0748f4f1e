#![doc = include_str!("../README.md")]
//! # Where to begin
//!
//! `cargo add hindsight-llm-metrics`, then:
//!
//! | I want to | begin with |
//! |---|---|
//! | how calibrated stated confidences are | [`calibration::Scores`], [`calibration::ScoreAccumulator`] |
//! | an interval of a calibration error | [`calibration::calibration_interval`] |
//! | a better map from confidences | [`recalibrate::Method`], [`recalibrate::cross_fit`] |
//! | what filtering by a verifier gains | [`verification::GapStudy`] |
//! | pass@k without bias | [`verification::pass_at_k`] |
//! | the critical batch size | [`batch_size::BatchFit`], [`batch_size::GradientNoise`] |
//! | a scaling law with intervals | [`scaling::fit_chinchilla`] |
//!
//! # Features
//!
//! - `io`: the logs of known tools.
//! - `proptest`: random logs, and laws for intervals and scores of your own.
//! - `rayon`: replicates on all cores.
//! - `serde`: results are serialised.
//!
//! # What to take instead
//!
//! Running the model, prompts and graders: an evaluation harness. Nothing here calls a model.
//!
//! # To cite
//!
//! - [`calibration`] and [`recalibrate`]: arXiv:2312.04021 (NAACL 2024), on the calibration of in-context learning.
//! - [`verification`]: *Mind the Gap*, arXiv:2412.02674 (ICLR 2025).
//! - [`batch_size`]: arXiv:2410.21676 (ICLR 2025), on the critical batch size.
//!
//! What is theirs and what is ours stands above.
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
