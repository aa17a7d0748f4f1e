#![doc = include_str!("../README.md")]
//! # Where to begin
//!
//! `cargo add hindsight-capacity`, then:
//!
//! | I want to | begin with |
//! |---|---|
//! | sample limits, or read my own | [`limits`] |
//! | a buyer that answers prices | [`Buyer`] |
//! | a coordinator that forecasts prices | [`Coordinator`], [`Model`] |
//! | compare ways of keeping limits | [`backtest`], [`control`] |
//! | prices between my own policy and its week | [`market`] |
//!
//! # Features
//!
//! - `io`: limits and volumes from tables.
//! - `serde`: settings and results are serialised.
//!
//! # What to take instead
//!
//! A handful of products and a known demand: a linear programme, by [good_lp](https://docs.rs/good_lp).
//!
//! # To cite
//!
//! - Eisenach, Ghai, Madeka, Torkkola, Foster, Kakade: *Neural Coordination and Capacity Control*, arXiv:2410.02817.
//! - Maps that know who is in the cohort: Wang, Perrault-Joncas, Maggiar and others: *Ready from Day 1*, arXiv:2605.13900.
//!
//! What is theirs and what is ours stands above.
#![cfg_attr(docsrs, feature(doc_cfg))]

/// The engine that buyers and coordinators are run with, as this crate was built with it.
pub extern crate hindsight_gpu as gpu;

mod announced;
pub mod backtest;
mod buyer;
mod cases;
mod constant;
mod constraint_paths;
pub mod control;
mod coordinator;
mod draw;
mod dual;
mod error;
mod excess;
mod fit;
mod forecaster;
mod gate;
mod hindsight;
mod iterates;
mod joint;
mod lift;
pub mod limits;
mod maps;
pub mod market;
mod model;
mod network;
mod predictive;
mod programme;
#[cfg(feature = "io")]
mod read;
mod record;
mod roll;
mod score;
mod shape;
mod study;
mod train;
mod world;

pub use buyer::Buyer;
pub use cases::{Cases, Cohort, Course};
pub use coordinator::Coordinator;
pub use draw::Draw;
pub use error::{Argument, Error};
pub use joint::{Form, Loss};
pub use model::Model;
pub use record::{HISTORY, Record};
pub use roll::Roll;
pub use shape::{HORIZON, Shape};
pub use train::Training;
pub use world::World;
