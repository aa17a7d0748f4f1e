#![doc = include_str!("../README.md")]
//! # Where to begin
//!
//! `cargo add hindsight-bandit-eval`, then:
//!
//! | I want to | begin with |
//! |---|---|
//! | value another policy from a log | [`Evaluation`], [`Estimator`] |
//! | know whether the log can tell | [`verdict`] |
//! | compare two policies on one log | [`comparison`] |
//! | look again and again | [`sequence`]: intervals that hold at any time |
//! | tune a bandwidth or a threshold | [`tuning`] |
//! | ask whether a policy could be bettered | [`equilibrium`] |
//! | learn a policy from a log | [`learn`] |
//! | use lost sales, where lower levels are known | [`one_sided`] |
//!
//! # Features
//!
//! - `exo-idp`: equilibrium gaps of replays.
//! - `io`: logs from CSV and JSON lines.
//! - `serde`: results are serialised.
//!
//! # What to take instead
//!
//! Actions that move later contexts (sequential problems): an estimator for Markov decision processes; these here take rounds as independent.
//!
//! # To cite
//!
//! For the equilibrium gap: Foster, Jia, Madeka: *Contextual Bandits for Evaluating and Improving Inventory Control Policies*, October 2023,
//! arXiv:2310.16096. The estimators' sources stand above.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "a comparison that NaN must fail is written negated"
)]
#![cfg_attr(
    test,
    allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::float_cmp,
        reason = "tests cast small counts and compare values that are exact"
    )
)]

mod bootstrap;
mod columns;
pub mod comparison;
pub mod equilibrium;
pub mod error;
mod estimator;
mod evaluation;
mod interval;
#[cfg(feature = "io")]
#[cfg_attr(docsrs, doc(cfg(feature = "io")))]
pub mod io;
mod kernel;
pub mod learn;
mod marginal;
pub mod model;
mod moments;
pub mod one_sided;
mod products;
mod round;
pub mod sequence;
mod support;
pub mod synthetic;
pub mod tuning;
mod vectorize;
pub mod verdict;

pub use bootstrap::Bootstrap;
pub use error::{Error, Result};
pub use estimator::Estimator;
pub use evaluation::{Estimate, Evaluation, Range};
pub use interval::{Interval, empirical_bernstein};
pub use kernel::Kernel;
pub use marginal::marginal;
pub use round::{Prediction, Round, Table, Weighted};
