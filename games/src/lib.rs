#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]
//! # Where to begin
//!
//! `cargo add hindsight-games`, then:
//!
//! | I want to | begin with |
//! |---|---|
//! | the best correlated equilibrium | [`equilibrium::correlated_equilibrium`] |
//! | all Nash equilibria, or one of a large game | [`equilibrium::nash_equilibria`], [`equilibrium::lemke_howson`] |
//! | the value of a zero-sum game, of commitment | [`equilibrium::solve_zero_sum`], [`equilibrium::stackelberg`] |
//! | how far play is from equilibrium | [`equilibrium::correlated_gap`], [`equilibrium::nash_conv`] |
//! | let learners play | [`repeated::self_play`], [`repeated::Hedge`], [`repeated::BlumMansour`] |
//! | account for regret in one pass | [`repeated::RegretAccount`] |
//! | an operator that leads on its own platform | [`marketplace::Marketplace`] |
//! | a fee on a seller's revenue | [`bertrand::SharedRevenue`] |
//! | price competition on a grid | [`grid`] |
//!
//! # Features
//!
//! - `io`: games from CSV, JSON and gambit's files.
//! - `proptest`: random games, markets and adversaries, and laws for learners of your own.
//! - `serde`: results are serialised.
//!
//! # What to take instead
//!
//! Extensive-form games and counterfactual regret: [OpenSpiel](https://github.com/google-deepmind/open_spiel). Exact rational equilibria of small games with many players: [gambit](https://www.gambit-project.org).
//!
//! # To cite
//!
//! - [`marketplace`]: Ding, Perrault-Joncas, Ronen, Jordan, Bergemann, Foster, Gottesman: *Marketplace Operators Can Induce Competitive Pricing*
//!   (first as *The Role of the Marketplace Operator in Inducing Competition*), 2025, arXiv:2503.06582.
//! - [`bertrand`]: Pabari, Ghai, Perrault-Joncas, Torkkola, Ronen, Madeka, Foster, Gottesman and others, February 2025, arXiv:2502.07952.
//! - [`repeated`] and [`debate`]: *Playing Large Games with Oracles and AI Debate* (first as *AI safety by debate via regret minimization*), December 2023,
//!   arXiv:2312.04792.
//!
//! What is theirs and what is ours stands above.
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
