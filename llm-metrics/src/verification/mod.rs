//! The generation-verification gap of arXiv:2412.02674: what a verifier's filter adds to a generator's utility.

mod bootstrap;
mod compare;
#[cfg(feature = "io")]
mod contest;
mod estimate;
mod filter;
#[cfg(feature = "io")]
mod log;
mod passk;
mod responses;
mod rounds;
mod study;
mod sweep;
mod tournament;
mod trend;

pub use bootstrap::{GapReplicates, Stages, gap_bootstrap};
pub use compare::{PairedDifference, cross_matrix, paired_difference};
#[cfg(feature = "io")]
#[cfg_attr(docsrs, doc(cfg(feature = "io")))]
pub use contest::{Comparisons, Contestants};
pub use estimate::{
    EmptyFilter, GapEstimate, GapOptions, Perfect, PromptGap, gap, gap_with_weights,
};
pub use filter::{QuantileRule, Weighting, choice_score, ensemble, score_correlation, weights};
#[cfg(feature = "io")]
#[cfg_attr(docsrs, doc(cfg(feature = "io")))]
pub use log::{GapLog, GapPart, Problems};
pub use passk::{PassSummary, pass_at_k, pass_hat_k, pass_summary};
pub use responses::Responses;
pub use rounds::{Round, RoundSummary, judge_rounds};
pub use study::{GapStudy, GapStudySettings, GapSweep, Generator, VerifierGap, VerifierPair};
pub use sweep::{SweepPoint, threshold_sweep};
pub use tournament::{Game, recorded_tournament, tournament, tournament_rounds};
pub use trend::{ScalingTrend, scaling_trend, training_flops};
