//! The protocol from logs to a placement that holds outside the model: log, fit, optimise inside, let the referee judge, refit, repeat.
//!
//! [`World`] is a referee with a law of demand, [`Study`] the settings, [`Study::run`] does it all and returns [`Findings`]: errors where the model was trained and by distance from
//! there, the ranking of placements, what the referee says of a placement that the model was pushed to like, before and after it has learnt from such states.
//!
//! The steps are those that the paper asks for (arXiv 2507.10890: validation on the states that a new policy visits, with the real system as referee); their form is our own
//! formulation.

mod distance;
mod layout;
mod rank;
mod study;
#[cfg(test)]
mod tests;
mod world;

pub use distance::{DistanceBin, by_distance};
pub use layout::Layout;
pub use rank::spearman;
pub use study::{Findings, Judged, Round, Study};
pub use world::World;
