//! Recalibration: maps from a confidence, or from logits, to a better probability.

mod binning;
mod class_wise;
mod crossfit;
mod in_context;
mod isotonic;
mod logistic;
mod method;
mod platt;
#[cfg(feature = "io")]
mod protocol_log;
mod records;
mod status;
mod temperature;

pub use binning::{HistogramBinning, ScalingBinning};
pub use class_wise::ClassCalibrators;
pub use crossfit::{assign_folds, cross_fit, cross_fit_temperature};
pub use in_context::{OverSeeds, PromptRun, Regime, ShotSummary, in_context_protocol};
pub use isotonic::Isotonic;
pub use method::{Calibrator, Method};
pub use platt::{BetaCalibration, Platt, PlattTargets};
#[cfg(feature = "io")]
#[cfg_attr(docsrs, doc(cfg(feature = "io")))]
pub use protocol_log::ProtocolLog;
pub use records::{FittedMap, MapMethod, Mapped, Records};
pub use status::FitStatus;
pub use temperature::Temperature;
