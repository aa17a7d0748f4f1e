//! Loss as a function of model and data size: the parametric fit and the compute-optimal line.

mod chinchilla;
mod descent;
mod isoflop;
#[cfg(feature = "io")]
mod log;
mod profile;
mod study;

pub use chinchilla::{
    Chinchilla, ChinchillaFit, ChinchillaIntervals, ChinchillaOptions, fit_chinchilla,
};
pub use isoflop::{IsoFlop, IsoFlopMinimum, fit_isoflop};
#[cfg(feature = "io")]
#[cfg_attr(docsrs, doc(cfg(feature = "io")))]
pub use log::{ScalingLog, TrainingRuns};
pub use study::{OptimalSize, ScalingStudy};
