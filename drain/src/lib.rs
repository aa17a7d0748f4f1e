#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]
//! # Where to begin
//!
//! `cargo add hindsight-drain`, then:
//!
//! | I want to | begin with |
//! |---|---|
//! | the cheapest fulfilment, with prices of stock | [`fulfilment`] |
//! | simulate orders one by one | [`orders`] |
//! | forecast jointly which warehouse ships | [`model`] |
//! | place stock and check it | [`protocol`] |
//! | score probabilistic forecasts | [`scores`] |
//!
//! # Features
//!
//! - `exo-idp`: regional policies of that crate.
//! - `io`: programmes and ensembles from JSON lines.
//! - `microlp`: the reference solver.
//! - `serde`: results are serialised.
//!
//! # What to take instead
//!
//! General linear programmes: [good_lp](https://docs.rs/good_lp). Optimal transport between large clouds of points: an entropic solver.
//!
//! # To cite
//!
//! Savorgnan, Ghai, Eisenach, Foster: *Outbound Modeling*, July 2025, arXiv:2507.10890; what is theirs and what is ours stands above.
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
