//! Laws of arrivals, checked from outside the crate.
#![allow(
    clippy::float_cmp,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

mod generator;
#[cfg(feature = "io")]
mod io;
mod off_policy;
mod quantity;
mod support;
mod trial;
mod world;
