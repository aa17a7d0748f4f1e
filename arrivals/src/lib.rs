#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]
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
