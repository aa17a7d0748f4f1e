//! Scores of probabilistic forecasts, and whether forecasts are calibrated.
//!
//! Scores are losses: lower is better. A score is proper if no forecaster can expect to better it by saying something else than what is believed.
//!
//! | question | function | about what |
//! |---|---|---|
//! | how good is an ensemble, number by number? | [`crps`] | members and outcome, in the unit of the data |
//! | how good is it jointly? | [`energy_score`]; [`variogram_score`] for how components move together | vectors |
//! | how good is its mean and covariance? | [`dawid_sebastiani`] | vectors, more members than components |
//! | how good is a law? | [`log_score`], [`crps_normal`], [`log_score_normal`] | a density, a normal law |
//! | how good is an interval, a quantile? | [`interval_score`], [`quantile_loss`], [`weighted_quantile_loss`] | |
//! | is it calibrated? | [`coverage`], [`rank_histogram`], [`band_depth_histogram`], [`randomised_pit`], [`ensemble_pit`] | |
//! | all of this at once? | [`Summary`] | an ensemble |
//! | is it better than another? | [`skill`], [`diebold_mariano`] | two lists of scores of the same forecasts |
//!
//! Ensembles are [`Forecasts`]: members and outcomes, their shapes and numbers checked once.
//!
//! ```
//! use hindsight_drain::scores::{Estimator, Forecasts, crps, energy_score, skill};
//! // Two forecasts of three members each, and what happened.
//! let sharp = Forecasts::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[2.0, 5.0])?;
//! let blunt = Forecasts::new(&[0.0, 2.0, 9.0, 0.0, 5.0, 9.0], &[2.0, 5.0])?;
//! let (ours, theirs) = (crps(&sharp, Estimator::Plain)?, crps(&blunt, Estimator::Plain)?);
//! assert!((ours[0] - 2.0 / 9.0).abs() < 1e-15);
//! let skill = skill(&ours, &theirs, 0)?;
//! assert!(skill.skill > 0.7);
//! // The same numbers as forecasts of one component.
//! assert!((energy_score(&sharp, Estimator::Plain)?[0] - ours[0]).abs() < 1e-15);
//! # Ok::<(), hindsight_drain::DrainError>(())
//! ```
//!
//! ## Plain or fair
//!
//! An ensemble is either the forecast itself, a law with equal weights ([`Estimator::Plain`]), or a sample of a law that is to be scored
//! ([`Estimator::Fair`]). The plain score of a sample depends on its size; the fair one has the law's score as its expectation at any size
//! from two members on. Compare ensembles of different sizes by fair scores alone.
//!
//! ## Before you score vectors
//!
//! The energy score weighs components by their units: bring units and money to one scale first. It sees errors of location well and errors of correlation
//! hardly; the variogram score is the other way round. Report both.
//!
//! ## Sources
//!
//! CRPS, energy score and propriety: Gneiting and Raftery (2007). Fair scores: Ferro (2014). Variogram score: Scheuerer and Hamill (2015), over ordered
//! pairs. Dawid and Sebastiani (1999). Band depth: López-Pintado and Romo (2009), as a histogram Thorarinsdottir, Scheuerer and Heinz (2016). Diebold and Mariano (1995) with
//! the covariance of Newey and West (1987). Quantiles are type 7 of Hyndman and Fan (1996). The formulas stand at the functions; no code of others was used.

mod calibration;
mod crps;
mod energy;
mod forecasts;
mod gaussian;
mod histogram;
mod quantiles;
mod skill;
mod sort;
mod summary;
#[cfg(test)]
mod tests;
mod variogram;

pub use calibration::{Coverage, coverage, ensemble_pit, randomised_pit};
pub use crps::crps;
pub use energy::energy_score;
pub use forecasts::{Estimator, Forecasts};
pub use gaussian::{crps_normal, dawid_sebastiani, log_score, log_score_normal};
pub use histogram::{Histogram, band_depth_histogram, rank_histogram};
pub use quantiles::{interval_score, quantile_loss, weighted_quantile_loss};
pub use skill::{DieboldMariano, Skill, diebold_mariano, newey_west_lags, skill};
pub use summary::Summary;
pub(crate) use summary::ranked;
pub use variogram::variogram_score;
