//! Marketplace games and repeated play without regret: closed forms, equilibria, regret learners.

mod error;
mod game;
pub mod bertrand;
pub mod debate;
pub mod equilibrium;
pub mod grid;
pub mod marketplace;
pub mod repeated;

pub use error::GamesError;
pub use game::Game;
