//! Loss as a function of model and data size: the parametric fit and the compute-optimal line.

mod chinchilla;
mod descent;
mod isoflop;
mod profile;

pub use chinchilla::{
    Chinchilla, ChinchillaFit, ChinchillaIntervals, ChinchillaOptions, fit_chinchilla,
};
pub use isoflop::{IsoFlop, IsoFlopMinimum, fit_isoflop};
