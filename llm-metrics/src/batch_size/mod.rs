//! The critical batch size of arXiv:2410.21676: how far a batch can grow before it stops saving steps in proportion.

mod curves;
mod fit;
mod intervals;
mod law;
#[cfg(feature = "io")]
mod log;
mod noise;
mod options;
mod profile;
#[cfg(test)]
mod published;
mod solve;
mod study;
mod theory;

pub use curves::{BatchSteps, Crossing, LossCurve, steps_to_target};
pub use fit::BatchFit;
pub use intervals::Resampling;
pub use law::PowerLaw;
#[cfg(feature = "io")]
#[cfg_attr(docsrs, doc(cfg(feature = "io")))]
pub use log::BatchLog;
pub use noise::{GradientNoise, NoiseScale};
pub use options::{BatchFitOptions, FitLoss};
pub use study::{BatchStudy, BatchStudySettings, ModelBatch, ModelSteps};
pub use theory::{lsq_risk, lsq_risk_averaged, predicted_batch_exponent, steps_to_risk};
