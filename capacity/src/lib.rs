#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

/// The engine that buyers and coordinators are run with, as this crate was built with it.
pub extern crate hindsight_gpu as gpu;

mod baselines;
mod buyer;
mod cases;
mod constraint_paths;
mod control;
mod coordinator;
mod draw;
mod dual;
mod error;
mod joint;
mod limits;
mod model;
mod network;
mod predictive;
mod programme;
mod record;
mod roll;
mod score;
mod shape;
mod train;
mod world;

pub use buyer::Buyer;
pub use cases::{Cases, Cohort, Course};
pub use constraint_paths::{Family, Summary};
pub use control::Gate;
pub use coordinator::Coordinator;
pub use draw::Draw;
pub use dual::{Ascent, Settled, dual_ascent};
pub use error::{Argument, Error};
pub use joint::{Form, Loss};
pub use limits::{Infeasible, Kind, Limits, Resource};
pub use model::Model;
pub use predictive::{Forecaster, Predictive};
pub use record::{HISTORY, Record};
pub use roll::Roll;
pub use score::{AHEAD, Score};
pub use shape::{HORIZON, Shape};
pub use train::Training;
pub use world::World;
