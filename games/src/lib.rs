#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]
// Formulas are KaTeX, which the lint takes for identifiers.
#![allow(clippy::doc_markdown)]
// Tests count in floating point and compare exact results.
#![cfg_attr(test, allow(clippy::float_cmp, clippy::cast_precision_loss))]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod bertrand;
pub mod debate;
pub mod equilibrium;
mod error;
mod game;
pub mod grid;
#[cfg(feature = "io")]
#[cfg_attr(docsrs, doc(cfg(feature = "io")))]
pub mod io;
#[cfg(feature = "proptest")]
#[cfg_attr(docsrs, doc(cfg(feature = "proptest")))]
pub mod laws;
pub mod marketplace;
mod mixed;
mod pure;
pub mod repeated;

pub use error::{Argument, GamesError, Method};
pub use game::Game;
