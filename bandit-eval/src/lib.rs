#![doc = include_str!("../README.md")]
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
