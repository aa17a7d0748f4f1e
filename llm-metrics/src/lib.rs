#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(
    clippy::doc_markdown,
    reason = "formulas are KaTeX: the names in them are not code"
)]
#![allow(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "a comparison that NaN must fail is written negated"
)]
#![cfg_attr(
    test,
    allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        clippy::float_cmp,
        reason = "tests cast small counts and compare values that are exact"
    )
)]

mod accumulate;
mod bins;
mod cbs;
mod distributions;
mod ece_bootstrap;
mod ece_interval;
mod error;
mod fixed;
mod gap;
mod histogram;
mod interval;
#[cfg(feature = "io")]
#[cfg_attr(docsrs, doc(cfg(feature = "io")))]
pub mod io;
mod labels;
mod log_loss;
mod logits;
mod par;
mod probabilities;
mod protocol;
mod recalibrate;
mod regress;
mod reliability;
mod scaling;
mod selective;
mod smooth;
mod stream;
#[cfg(test)]
mod testing;

pub use accumulate::{Accumulator, Summary};
pub use bins::{EdgeRule, Edges};
pub use cbs::{
    BatchFit, BatchFitOptions, BatchSteps, Crossing, FitLoss, GradientNoise, LossCurve, NoiseScale,
    PowerLaw, Resampling, lsq_risk, predicted_batch_exponent, steps_to_risk, steps_to_target,
};
pub use distributions::{DistributionAccumulator, DistributionSummary};
pub use ece_bootstrap::{cluster_ece_bootstrap, ece_bootstrap};
pub use ece_interval::{Norm, calibration_interval};
pub use error::{Error, Result};
pub use gap::{
    EmptyFilter, Game, GapEstimate, GapOptions, GapReplicates, PairedDifference, PassSummary,
    Perfect, PromptGap, QuantileRule, Responses, Round, RoundSummary, ScalingTrend, Stages,
    SweepPoint, Weighting, choice_score, cross_matrix, ensemble, gap, gap_bootstrap,
    gap_with_weights, judge_rounds, paired_difference, pass_at_k, pass_hat_k, pass_summary,
    recorded_tournament, scaling_trend, score_correlation, threshold_sweep, tournament,
    tournament_rounds, training_flops, weights,
};
pub use histogram::ConfidenceHistogram;
pub use interval::{
    BootstrapInterval, Interval, acceleration, bootstrap_interval, bootstrap_standard_error,
    clopper_pearson, wilson,
};
pub use labels::Verbalisers;
pub use log_loss::log_loss;
pub use logits::{Logits, log_sum_exp};
pub use probabilities::{Binning, ClassWise, Probabilities, TopLabel};
pub use protocol::{OverSeeds, PromptRun, Regime, ShotSummary, in_context_protocol};
pub use recalibrate::{
    BetaCalibration, Calibrator, ClassCalibrators, FitStatus, HistogramBinning, Isotonic, Method,
    Platt, PlattTargets, ScalingBinning, Temperature, assign_folds, cross_fit,
    cross_fit_temperature,
};
pub use regress::{Coefficient, Kendall, Ols, kendall};
pub use reliability::{Bin, Reliability};
pub use scaling::{
    Chinchilla, ChinchillaOptions, IsoFlop, IsoFlopMinimum, fit_chinchilla, fit_isoflop,
};
pub use selective::{CoveragePoint, Selective};
pub use smooth::SmoothEce;
pub use stream::{poisson_weight, text_key};
