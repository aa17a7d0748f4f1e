#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]
//! # Where to begin
//!
//! `cargo add hindsight-arrivals`, then:
//!
//! | I want to | begin with |
//! |---|---|
//! | read a log of receipts | [`Book`], [`Log`], and `io` with the feature of that name |
//! | learn how orders arrive | [`model::GenQot`] |
//! | a simpler model beside it | [`Empirical`], [`DirichletMultinomial`], [`QuantileForecaster`], [`LeadTimeOnly`] |
//! | judge a model | [`evaluate::Evaluation`] |
//! | replay orders that arrive in pieces | [`QuantityOverTime`] |
//! | minimum orders and batches in the gradient | [`OrderGradient`], [`Estimator`] |
//! | vendors whose law is known | [`world`] |
//!
//! # Features
//!
//! - `io`: receipt logs from tables, saved models.
//! - `serde`: logs, settings and reports are serialised.
//!
//! # What to take instead
//!
//! Times to a single event with censoring, and no quantities: a survival package. Transit times of parcels by lane: quantile regression is enough.
//!
//! # To cite
//!
//! Andaz, Eisenach, Madeka, Torkkola, Jia, Foster, Kakade: *General Inventory Arrival Dynamics*, arXiv:2310.17168; what is theirs and what is ours stands
//! above.
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

pub extern crate hindsight_exo_idp as exo_idp;
pub extern crate hindsight_gpu as gpu;

mod baselines;
mod book;
mod curve;
mod error;
pub mod evaluate;
mod gather;
mod grid;
#[cfg(feature = "io")]
#[cfg_attr(docsrs, doc(cfg(feature = "io")))]
pub mod io;
mod log;
pub mod model;
mod order;
mod quantity;
mod sampler;
mod study;
pub mod trial;
pub mod world;

pub use baselines::{DirichletMultinomial, Empirical, LeadTimeOnly, QuantileForecaster};
pub use book::{Book, Line};
pub use curve::Curve;
pub use error::{Argument, ArrivalsError};
pub use gather::{Clash, Gathering};
pub use grid::{Grid, Token};
pub use log::{AGES, Log, Order, Receipt, Request};
pub use order::{Estimator, OrderGradient};
pub use quantity::{QuantityOverTime, in_transit};
pub use sampler::{ArrivalModel, Path, Piece, Samples};
pub use study::{Forecast, NamedCurve, Study};
