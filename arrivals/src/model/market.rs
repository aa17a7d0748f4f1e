//! The generator in the replay.

use std::ops::Range;

use exo_idp::market::{Market, MarketInputs};
use exo_idp::period::Position;
use exo_idp::policy::Signals;
use gpu::{DelayLine, Scalar, Stream};
use rand::RngExt;

use super::network::{Network, PLAIN};
use super::sample::UNIFORM;
use super::{GenQot, arrays};
use crate::error::{Argument, ArrivalsError, length};
use crate::log::{AGES, Request};

/// What is known of orders before they are placed: by product what does not change, by product and week what does.
pub trait OrderContext {
    /// The number of products.
    fn products(&self) -> usize;

    /// The number of weeks.
    fn weeks(&self) -> usize;

    /// What is known of an order of a product in a week, but for its size and the history.
    fn request(&self, product: usize, week: usize) -> Request;
}

/// The deliveries of a replay by a trained generator.
///
/// Every order is read as the policy places it, with the product's own simulated orders and receipts before it, and its pieces are drawn by
/// inverse distribution functions of uniform numbers that belong to product, sample and week: policies are compared under common random
/// numbers.
///
/// # The gradient
///
/// What arrives is $o_j = a\thinspace r_j$, the order times shares that are drawn. The shares are held constant: $\partial o_j / \partial a = r_j$.
/// That is the right gradient of the replay's reward along one path as far as the law of shares does not depend on the size of the
/// order: each unit more arrives as the others do. It leaves out how the law itself changes with the size (a larger order that is filled to a smaller
/// share, where $r = \min(1, U / a)$ would give zero above $U$): there training sees more of a unit arrive than does, at fixed shares, and learns
/// of the limit only through the shares that later roll-outs draw. The draws change in cells, so that a path's reward jumps in the order; its derivative
/// between the jumps is the one used.
#[derive(Debug, Clone)]
pub struct GeneratedArrivals<'m> {
    model: &'m GenQot,
    network: Network,
    /// Rows of the order but for its size and history, one column a product; then uniform numbers, one column a lane.
    known: Signals,
    uniform: Signals,
    scale: f64,
}

impl<'m> GeneratedArrivals<'m> {
    /// The market of the orders of all products on `samples` sample paths.
    ///
    /// # Errors
    /// No product, no week, no sample, a request that the model does not know how to read.
    pub fn new(
        model: &'m GenQot,
        orders: &dyn OrderContext,
        samples: usize,
        seed: u64,
    ) -> Result<Self, ArrivalsError> {
        let (products, weeks) = (orders.products(), orders.weeks());
        for (argument, found) in [
            (Argument::Products, products),
            (Argument::Weeks, weeks),
            (Argument::Samples, samples),
        ] {
            if found == 0 {
                return Err(ArrivalsError::Empty { argument });
            }
        }
        let network = model.network();
        let width = PLAIN - 1 + model.covariates;
        let mut known = vec![0.0; weeks * products * width];
        for week in 0..weeks {
            for product in 0..products {
                let request = orders.request(product, week);
                request.check(product, model.vendors, model.covariates)?;
                let rows = arrays::rows(&request);
                let at = (week * products + product) * width;
                known[at..at + width].copy_from_slice(&rows[1..=width]);
            }
        }
        let known = Signals::from_fn(weeks, width, products, |week, row, product| {
            known[(week * products + product) * width + row]
        });
        let (numbers, lanes) = (model.grid.pieces() * UNIFORM, products * samples);
        let stream = Stream::new(seed, "pieces");
        let mut drawn = vec![0.0; weeks * lanes * numbers];
        for (cell, own) in drawn.chunks_exact_mut(numbers).enumerate() {
            let (week, lane) = (cell / lanes, cell % lanes);
            let key = ((lane / products) as u64) << 32 | (lane % products) as u64;
            let mut rng = stream.at(key, u32::try_from(week).unwrap_or(u32::MAX));
            own.fill_with(|| rng.random::<f64>());
        }
        let uniform = Signals::from_fn(weeks, numbers, lanes, |week, row, lane| {
            drawn[(week * lanes + lane) * numbers + row]
        });
        Ok(GeneratedArrivals {
            model,
            network,
            known,
            uniform,
            scale: 1.0,
        })
    }

    /// The same with all shares multiplied by a factor: a model that is wrong on purpose.
    ///
    /// # Errors
    /// A factor outside 0 to 10.
    pub fn biased(self, scale: f64) -> Result<Self, ArrivalsError> {
        crate::error::within(Argument::Share, 0, scale, [0.0, 10.0])?;
        Ok(GeneratedArrivals { scale, ..self })
    }

    /// An error unless the paths are as long as the model's: none of it would be cut off.
    ///
    /// # Errors
    /// When the paths' longest lead time is another than the last period of the model's grid.
    pub fn check(&self, longest: usize) -> Result<(), ArrivalsError> {
        let last = usize::try_from(self.model.grid.last()).unwrap_or(0);
        length(Argument::Weeks, last, longest)
    }
}

impl Market for GeneratedArrivals<'_> {
    fn theta(&self) -> Vec<f64> {
        self.network.with_constants(&self.model.params)
    }

    fn trained(&self) -> Vec<Range<usize>> {
        Vec::new()
    }

    fn signals(&self) -> Vec<&Signals> {
        vec![&self.known, &self.uniform]
    }

    fn rows(&self) -> usize {
        self.known.rows() + self.uniform.rows()
    }

    fn delay_lines(&self) -> usize {
        AGES
    }

    fn is_network(&self) -> bool {
        true
    }

    fn delivers(&self) -> bool {
        true
    }

    #[expect(clippy::cast_precision_loss, reason = "weeks")]
    fn deliver<S: Scalar>(
        &self,
        inputs: &MarketInputs<'_, S>,
        seen: &Position<S>,
        order: S,
        memory: &mut [DelayLine<S>],
        shares: &mut [S],
    ) {
        let zero = S::constant(0.0);
        let (known, uniform) = inputs.rows.split_at(self.known.rows());
        let order = order.detach();
        let mut rows = vec![order];
        rows.extend_from_slice(known);
        for (age, line) in memory.iter_mut().enumerate() {
            let open = seen.pipeline.get(age).map_or(zero, |open| open.detach());
            rows.extend([order.delay(age + 1, line), open]);
        }
        let (context, mut decoder) = self.network.begin(inputs.theta, &rows);
        shares.fill(zero);
        let mut open = S::constant(1.0);
        for uniform in uniform.chunks_exact(UNIFORM) {
            let drawn = self
                .network
                .draw(inputs.theta, &context, &mut decoder, open, uniform);
            open = drawn.some;
            let share = (drawn.share * S::constant(self.scale)).detach();
            for (week, arriving) in shares.iter_mut().enumerate() {
                let here = (drawn.time - S::constant(week as f64)).abs();
                *arriving = *arriving + (S::constant(0.5) - here).positive() * share;
            }
        }
    }
}
