//! Are stated confidences true? Binned, debiased and smooth calibration errors with intervals, proper scores, selective prediction.
//!
//! | at hand | start with |
//! |---|---|
//! | a log, for everything in one call | [`ScoreAccumulator`] |
//! | confidences and outcomes in memory | [`Reliability`], [`calibration_interval`], [`Selective`] |
//! | a stream of them | [`Accumulator`], [`ConfidenceHistogram`] |
//! | distributions over classes, or logits | [`Probabilities`], [`Logits`], [`DistributionAccumulator`] |

mod accumulate;
mod bins;
mod bootstrap;
mod distributions;
#[cfg(feature = "serde")]
mod document;
mod histogram;
mod interval;
mod labels;
mod largest;
mod log_loss;
mod logits;
mod mean_interval;
mod probabilities;
mod reliability;
mod score_intervals;
mod scores;
mod selective;
mod smooth;
mod supposed;
mod weighted;

pub use accumulate::{Accumulator, Summary};
pub use bins::{EdgeRule, Edges};
pub use bootstrap::{cluster_ece_bootstrap, ece_bootstrap};
pub use distributions::{DistributionAccumulator, DistributionSummary};
pub use histogram::ConfidenceHistogram;
pub use interval::{Norm, calibration_interval};
pub use labels::Verbalisers;
pub use log_loss::log_loss;
pub use logits::{Logits, log_sum_exp};
pub use probabilities::{Binning, ClassWise, Probabilities, TopLabel};
pub use reliability::{Bin, Reliability};
pub use scores::{Score, ScoreAccumulator, ScoreSettings, Scores};
pub use selective::{CoveragePoint, Selective};
pub use smooth::SmoothEce;
pub use weighted::{WeightedBin, WeightedScores, weighted_scores};

#[cfg(feature = "io")]
pub(crate) use logits::check_logits;
#[cfg(feature = "io")]
pub(crate) use probabilities::{check_probabilities, largest};
pub(crate) use selective::sorted_keys;
