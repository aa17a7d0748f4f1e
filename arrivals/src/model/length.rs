//! How long to train: as long as orders that are held out become more likely.

use gpu::{Device, Stream};
use rand::RngExt;

use super::fit::shuffled;
use super::{GenQot, Training};
use crate::baselines::Empirical;
use crate::error::ArrivalsError;
use crate::evaluate::Evaluation;
use crate::grid::Grid;
use crate::log::{Log, Order};

/// Orders from which on a length is chosen: of fewer, a held-out fifth says nothing.
const FEWEST: usize = 50;
/// One order of so many is held out.
const FIFTH: usize = 5;
/// Orders that the longest training may read, all epochs together, where it is longer than the first.
const READ: usize = 400_000;
/// Lengths in a row without an improvement after which no longer one is tried.
const PATIENCE: usize = 2;

/// A generator, and how the length of its training was chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Validated {
    /// The generator, trained on all orders.
    pub model: GenQot,
    /// Times that its training read every order.
    pub epochs: usize,
    /// What was tried; none where there were too few orders, or so many that the first length is the longest allowed.
    pub trial: Option<Trial>,
}

/// Trainings of several lengths on four fifths of the orders, judged by the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The orders that were learned from.
    pub learned: Log,
    /// Those that were held out, drawn by lot.
    pub held_out: Log,
    /// Each length in epochs, and the mean log-likelihood of the held-out orders, in nats an order.
    pub lengths: Vec<(usize, f64)>,
    /// The generator of the chosen length, which has not seen the held-out orders.
    pub model: GenQot,
}

impl GenQot {
    /// A generator trained as long as held-out orders become more likely: trainings of `training.epochs`, of twice, four times as many and so on,
    /// each from the start, on four fifths of the orders, until two in a row do not improve on the best; then one of the best length on all
    /// orders. A short log needs more epochs than a long one for as many steps, and too many learn it by heart.
    ///
    /// Fewer than 50 orders, or so many that twice the first length would read more than 400,000, are trained by [`GenQot::fit`] alone.
    ///
    /// ```
    /// use hindsight_arrivals::Grid;
    /// use hindsight_arrivals::model::{GenQot, Training};
    /// use hindsight_arrivals::world::VendorWorld;
    /// use hindsight_gpu::Device;
    /// let world = VendorWorld::new(2, 7)?;
    /// let grid = Grid::weekly(world.longest())?;
    /// let found = GenQot::fit_validated(&world.log(120, 60, 1)?, &grid, &Training::default(), &Device::cpu(1))?;
    /// let tried = found.trial.expect("as many orders as are needed").lengths;
    /// assert!(tried.iter().any(|&(epochs, _)| epochs == found.epochs));
    /// # Ok::<(), hindsight_arrivals::ArrivalsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`GenQot::fit`].
    pub fn fit_validated(
        log: &Log,
        grid: &Grid,
        training: &Training,
        device: &Device,
    ) -> Result<Validated, ArrivalsError> {
        let orders = log.orders().len();
        let longer = orders >= FEWEST && affordable(2 * training.epochs, orders);
        let (epochs, trial) = if longer {
            let (epochs, trial) = try_lengths(log, grid, training, device)?;
            (epochs, Some(trial))
        } else {
            (training.epochs, None)
        };
        let model = GenQot::fit(
            log,
            grid,
            &Training {
                epochs,
                ..*training
            },
            device,
        )?;
        Ok(Validated {
            model,
            epochs,
            trial,
        })
    }
}

impl Trial {
    /// The generator, and [`Empirical`] resampling fitted to the same orders, judged by the held-out orders that are closed, with so many paths
    /// drawn of each, an even number from ten; none where there are fewer than ten.
    ///
    /// # Errors
    /// As [`Evaluation::new`].
    pub fn judge(
        &self,
        grid: &Grid,
        device: &Device,
        samples: u32,
        seed: u64,
    ) -> Result<Option<[Evaluation; 2]>, ArrivalsError> {
        let closed = |order: &&Order| order.seen_until.is_none();
        let orders: Vec<Order> = self
            .held_out
            .orders()
            .iter()
            .filter(closed)
            .cloned()
            .collect();
        if orders.len() < Evaluation::FEWEST {
            return Ok(None);
        }
        let periods = u32::try_from(grid.last().max(1)).unwrap_or(u32::MAX);
        let resampling = Empirical::fit(&self.learned, grid)?;
        Ok(Some([
            Evaluation::new(&self.model.on(device), &orders, periods, samples, seed)?,
            Evaluation::new(&resampling, &orders, periods, samples, seed)?,
        ]))
    }
}

fn affordable(epochs: usize, orders: usize) -> bool {
    epochs.saturating_mul(orders) <= READ
}

/// The best length in epochs, and what was tried.
fn try_lengths(
    log: &Log,
    grid: &Grid,
    training: &Training,
    device: &Device,
) -> Result<(usize, Trial), ArrivalsError> {
    let orders = log.orders().len();
    let mut rng = Stream::new(training.seed, "held-out orders").at(0, 0);
    let mut held = vec![false; orders];
    for &order in &shuffled(orders, &mut |n| rng.random_range(0..n))[..orders / FIFTH] {
        held[order] = true;
    }
    let (learned, held_out) = (log.filter(|i, _| !held[i]), log.filter(|i, _| held[i]));
    let fit = |epochs| {
        let training = Training {
            epochs,
            ..*training
        };
        let model = GenQot::fit(&learned, grid, &training, device)?;
        let likelihood = model.log_likelihood(held_out.orders(), device)?;
        #[expect(clippy::cast_precision_loss, reason = "a number of orders")]
        let mean = likelihood.iter().sum::<f64>() / likelihood.len() as f64;
        Ok::<_, ArrivalsError>((model, mean))
    };
    let mut best = (training.epochs, fit(training.epochs)?);
    let mut lengths = vec![(best.0, best.1.1)];
    let (mut epochs, mut since) = (2 * training.epochs, 0);
    while since < PATIENCE && affordable(epochs, orders) {
        let found = fit(epochs)?;
        lengths.push((epochs, found.1));
        since += 1;
        if found.1 > best.1.1 {
            (best, since) = ((epochs, found), 0);
        }
        epochs *= 2;
    }
    let (epochs, (model, _)) = best;
    Ok((
        epochs,
        Trial {
            learned,
            held_out,
            lengths,
            model,
        },
    ))
}
