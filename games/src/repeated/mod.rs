//! Repeated play without regret: learners, regret accounts, self-play.
//!
//! | learner | feedback | keeps small | time a round |
//! |---|---|---|---|
//! | [`Hedge`] (fixed, anytime, optimistic) | all rewards | external regret | $K$ |
//! | [`RegretMatching`] (plain, plus) | all rewards | external regret | $K$ |
//! | [`Ftpl`] over an [`OptimisationOracle`] | reward vector | external regret | one oracle call |
//! | [`StoltzLugosi`] | all rewards | internal regret | $K^3$ |
//! | [`BlumMansour`] over any learner | all rewards | swap regret | $K$ copies and $K^3$ |
//! | [`TreeSwap`] over any learner | all rewards | swap regret, slowly, for large $K$ | depth times the learner |
//! | [`SampledModifications`] over a [`SmoothOracle`] | reward vector | external and internal regret | polynomial in $T$, free of $N$ |
//! | [`Exp3`] (plain, implicit exploration) | reward of the action drawn | external regret | $K$ |
//!
//! All follow one protocol, [`Learner`]; [`BanditLearner`] is its variant that is told one reward a round, [`OracleLearner`] that for actions which cannot be
//! listed, and [`FromBandit`] and [`FromOracle`] seat both where a [`Learner`] is asked for.
//!
//! Internal and swap regret are different things: internal regret counts one replacement, swap regret all of them at once. Small external regret of all
//! players means a nearly coarse correlated equilibrium, small swap regret a nearly correlated one.

mod account;
mod adversary;
#[cfg(test)]
mod curves;
mod exp3;
mod fixed_point;
mod ftpl;
mod hedge;
mod kinds;
mod learner;
mod play;
mod regret_matching;
mod sampled;
mod smooth;
mod stationary;
mod study;
mod swap;

pub use account::{RegretAccount, Regrets};
pub use adversary::{ManyActions, adaptive_regret, many_actions};
pub use exp3::Exp3;
pub use ftpl::{Ftpl, Noise, OptimisationOracle, SingleActions, Subsets, sample_action};
pub use hedge::Hedge;
pub use kinds::LearnerKind;
pub use learner::{BanditLearner, FromBandit, FromOracle, Learner, OracleLearner};
pub use play::{Checkpoint, PlayRecord, average_self_play, self_play};
pub use regret_matching::RegretMatching;
pub use sampled::SampledModifications;
pub use smooth::{ProductActions, SmoothOracle};
pub use study::{PlayStudy, checkpoints};
pub use swap::{BlumMansour, StoltzLugosi, TreeSwap};

pub(crate) use ftpl::draw;
pub(crate) use hedge::softmax;
