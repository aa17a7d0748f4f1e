//! Marketplace games and repeated play without regret: closed forms, equilibria, regret learners.

mod error;
mod game;
pub mod equilibrium;
pub mod marketplace;
pub mod repeated;

pub use error::GamesError;
pub use game::Game;
