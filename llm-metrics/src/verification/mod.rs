//! The generation-verification gap of arXiv:2412.02674: what a verifier's filter adds to a generator's utility.

mod bootstrap;
mod compare;
mod estimate;
mod filter;
mod passk;
mod responses;
mod rounds;
mod sweep;
mod tournament;
mod trend;

pub use bootstrap::{GapReplicates, Stages, gap_bootstrap};
pub use compare::{PairedDifference, cross_matrix, paired_difference};
pub use estimate::{
    EmptyFilter, GapEstimate, GapOptions, Perfect, PromptGap, gap, gap_with_weights,
};
pub use filter::{QuantileRule, Weighting, choice_score, ensemble, score_correlation, weights};
pub use passk::{PassSummary, pass_at_k, pass_hat_k, pass_summary};
pub use responses::Responses;
pub use rounds::{Round, RoundSummary, judge_rounds};
pub use sweep::{SweepPoint, threshold_sweep};
pub use tournament::{Game, recorded_tournament, tournament, tournament_rounds};
pub use trend::{ScalingTrend, scaling_trend, training_flops};
