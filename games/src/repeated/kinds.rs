//! The learners that are told all rewards, by name.

use std::fmt;

use super::{BlumMansour, Hedge, Learner, RegretMatching, StoltzLugosi, TreeSwap};
use crate::error::{GamesError, real};

/// A learner that is told all rewards, at its usual rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum LearnerKind {
    /// [`Hedge::fixed`].
    Hedge,
    /// [`Hedge::anytime`].
    Anytime,
    /// [`Hedge::optimistic`] with rate 1/4.
    Optimistic,
    /// [`RegretMatching::new`].
    Rm,
    /// [`RegretMatching::plus`].
    RmPlus,
    /// [`StoltzLugosi::fixed`].
    StoltzLugosi,
    /// [`BlumMansour::tuned`].
    BlumMansour,
    /// [`TreeSwap`] of depth 3 over [`Hedge`], with the least branching whose cube covers the rounds.
    TreeSwap,
}

impl LearnerKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Hedge,
        Self::Anytime,
        Self::Optimistic,
        Self::Rm,
        Self::RmPlus,
        Self::StoltzLugosi,
        Self::BlumMansour,
        Self::TreeSwap,
    ];

    /// The name, as [`fmt::Display`] writes it: lower case with underscores.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hedge => "hedge",
            Self::Anytime => "anytime",
            Self::Optimistic => "optimistic",
            Self::Rm => "rm",
            Self::RmPlus => "rm_plus",
            Self::StoltzLugosi => "stoltz_lugosi",
            Self::BlumMansour => "blum_mansour",
            Self::TreeSwap => "tree_swap",
        }
    }

    /// The kind with a name, hyphens taken for underscores.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let name = name.replace('-', "_");
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// A learner of this kind over `actions` actions, for `rounds` rounds.
    ///
    /// # Errors
    /// [`GamesError::Empty`] without actions or rounds.
    ///
    /// ```
    /// use hindsight_games::repeated::{Learner, LearnerKind};
    /// for kind in LearnerKind::ALL {
    ///     let mut learner = kind.learner(3, 100)?;
    ///     learner.observe(&[0.0, 1.0, 0.5])?;
    ///     assert_eq!(learner.play().len(), 3, "{kind}");
    /// }
    /// # Ok::<(), hindsight_games::GamesError>(())
    /// ```
    pub fn learner(self, actions: usize, rounds: usize) -> Result<Box<dyn Learner>, GamesError> {
        Ok(match self {
            // The rate for a single action is zero.
            Self::Hedge if actions > 1 => Box::new(Hedge::fixed(actions, rounds)?),
            Self::Hedge | Self::Anytime => Box::new(Hedge::anytime(actions)?),
            Self::Optimistic => Box::new(Hedge::optimistic(actions, 0.25)?),
            Self::Rm => Box::new(RegretMatching::new(actions)?),
            Self::RmPlus => Box::new(RegretMatching::plus(actions)?),
            Self::StoltzLugosi => Box::new(StoltzLugosi::fixed(actions, rounds)?),
            Self::BlumMansour => Box::new(BlumMansour::tuned(actions, rounds)?),
            Self::TreeSwap => {
                let mut branching = 1;
                while real(branching).powi(3) < real(rounds) {
                    branching += 1;
                }
                let first = Hedge::fixed(actions, branching)?;
                Box::new(TreeSwap::new(branching, 3, move || first.clone())?)
            }
        })
    }
}

impl fmt::Display for LearnerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
