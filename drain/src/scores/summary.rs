//! All that is usually asked of ensembles.

use rand::Rng;

use super::{
    Coverage, Estimator, Forecasts, coverage, crps, energy_score, ensemble_pit, variogram_score,
};
use crate::error::DrainError;

/// Means of the usual scores, and calibration.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Summary {
    /// Forecasts.
    pub forecasts: usize,
    /// Members of each.
    pub members: usize,
    /// Components of each.
    pub components: usize,
    /// The mean CRPS over forecasts and components, the ensemble being the forecast.
    pub crps: f64,
    /// The same, the ensemble being a sample of the forecast.
    pub crps_fair: f64,
    /// The mean energy score.
    pub energy: f64,
    /// The fair one.
    pub energy_fair: f64,
    /// The mean variogram score of order 0.5.
    pub variogram: f64,
    /// Coverage at 50, 80 and 95 per cent.
    pub coverage: Vec<Coverage>,
    /// [`ensemble_pit`] counted in twenty equal bins.
    pub pit: Vec<u64>,
    /// For each of the levels 0.05, 0.1, ... 0.95, the share of those ranks below it.
    pub reliability: Vec<(f64, f64)>,
}

impl Summary {
    /// Scores ensembles.
    ///
    /// # Errors
    /// Fewer than two members; scores too large for a number.
    ///
    /// ```
    /// use hindsight_drain::scores::{Forecasts, Summary};
    /// let mut rng = hindsight_drain::gpu::Stream::new(1, "ranks").at(0, 0);
    /// let forecasts = Forecasts::new(&[1.0, 2.0, 3.0], &[2.0])?;
    /// assert!((Summary::of(&forecasts, &mut rng)?.crps - 2.0 / 9.0).abs() < 1e-15);
    /// assert!(Summary::of(&Forecasts::new(&[1.0], &[2.0])?, &mut rng).is_err());
    /// # Ok::<(), hindsight_drain::DrainError>(())
    /// ```
    pub fn of<R: Rng + ?Sized>(forecasts: &Forecasts<'_>, rng: &mut R) -> Result<Self, DrainError> {
        let (pit, reliability) = ranked(forecasts, rng);
        Ok(Self {
            forecasts: forecasts.len(),
            members: forecasts.members(),
            components: forecasts.components(),
            crps: mean(&crps(forecasts, Estimator::Plain)?),
            crps_fair: mean(&crps(forecasts, Estimator::Fair)?),
            energy: mean(&energy_score(forecasts, Estimator::Plain)?),
            energy_fair: mean(&energy_score(forecasts, Estimator::Fair)?),
            variogram: mean(&variogram_score(forecasts, 0.5)?),
            coverage: coverage(forecasts, &[0.5, 0.8, 0.95])?,
            pit,
            reliability,
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of forecasts")]
fn mean(list: &[f64]) -> f64 {
    list.iter().sum::<f64>() / list.len() as f64
}

/// Bins of ranks.
const BINS: u32 = 20;

/// The number of randomised ranks in each of twenty equal bins, and the share below each end between bins.
pub(crate) fn ranked<R: Rng + ?Sized>(
    forecasts: &Forecasts<'_>,
    rng: &mut R,
) -> (Vec<u64>, Vec<(f64, f64)>) {
    let mut ranks = ensemble_pit(forecasts, rng);
    ranks.sort_by(f64::total_cmp);
    let level = |bin: u32| f64::from(bin) / f64::from(BINS);
    let below = |bin: u32| match bin {
        BINS => ranks.len(),
        bin => ranks.partition_point(|rank| *rank < level(bin)),
    };
    #[expect(clippy::cast_precision_loss, reason = "numbers of ranks")]
    let share = |bin: u32| (level(bin), below(bin) as f64 / ranks.len() as f64);
    (
        (0..BINS)
            .map(|bin| (below(bin + 1) - below(bin)) as u64)
            .collect(),
        (1..BINS).map(share).collect(),
    )
}
