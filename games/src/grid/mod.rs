//! Oligopolies on a price grid, with collusion indices and the profits that equilibria allow.
//!
//! The difference between play without external regret (coarse correlated equilibria) and without swap regret (correlated equilibria) is the difference between
//! high prices and competition; [`PriceMarket::collusion_bounds`] shows both.

mod collusion;
mod market;
mod prices;

pub use collusion::{CollusionBounds, collusion_index, lerner_index};
pub use market::{GridTie, MarketModel, PriceMarket};
