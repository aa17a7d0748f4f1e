//! Equilibria of normal-form games and how far a play is from one.
//!
//! | question | function |
//! |---|---|
//! | the best correlated or coarse correlated equilibrium, and which deviation binds | [`correlated_equilibrium`] |
//! | what a player can earn in any of them | [`payoff_range`] |
//! | is this joint play an equilibrium, and by how much not | [`correlated_gap`], [`coarse_correlated_gap`], [`pairwise_correlated_gap`] |
//! | is this mixed profile a Nash equilibrium | [`nash_conv`], [`exploitability`] |
//! | what each player could gain by deviating | [`deviation_gains`], [`best_reply_gains`] |
//! | all Nash equilibria of a small bimatrix game | [`nash_equilibria`] (pure ones of any game: [`crate::Game::pure_nash`]) |
//! | one Nash equilibrium of a large bimatrix game | [`lemke_howson`] |
//! | which actions no belief supports | [`undominated_by_mixtures`] (pure dominance: [`crate::Game::undominated`]) |
//! | the value of a zero-sum game | [`solve_zero_sum`] of a matrix, [`ZeroSum::of`] a game |
//! | the value of commitment | [`stackelberg`] |

mod constant_sum;
mod correlated;
mod dominance;
mod gap;
mod incentives;
mod lp;
mod nash;
mod stackelberg;
mod zero_sum;

pub use correlated::{
    Concept, CorrelatedEquilibrium, Deviation, Objective, correlated_equilibrium, payoff_range,
};
pub use dominance::undominated_by_mixtures;
pub use gap::{
    DeviationGains, best_reply_gains, coarse_correlated_gap, correlated_gap, deviation_gains,
    exploitability, nash_conv, pairwise_correlated_gap,
};
pub use nash::{NashEquilibrium, lemke_howson, nash_equilibria};
pub use stackelberg::{Commitment, FollowerTies, stackelberg};
pub use zero_sum::{ZeroSum, solve_zero_sum};
