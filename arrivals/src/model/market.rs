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
/// What arrives $j$ weeks later is $o_j = a\thinspace r_j(a)$, the order times a share that is drawn. Its derivative is one of two:
///
/// - **Constant shares**, $\partial o_j / \partial a = r_j(a)$: each unit more arrives as the others do. That is right along one path as far as the law of shares does not
///   depend on the size of the order. Where a larger order is filled to a smaller share it is too large: with $r = \min(1, U / a)$ nothing more arrives
///   above $U$, while every unit counts as if it came in part. A policy trained by it orders too much; the README has what that costs.
/// - **A margin** $0 < h < 1$ ([`with_margin`](Self::with_margin)): the same uniform numbers say what would arrive of a smaller order as well, and
///   $$ \frac{\partial o_j}{\partial a} = \frac{a\thinspace r_j(a) - (1 - h)\thinspace a\thinspace r_j((1 - h)\thinspace a)}{h\thinspace a}. $$
///   On average over the draws that is the slope between the two sizes of what arrives, jumps of draws from cell to cell included, which the derivative
///   of a path does not see. As $h$ falls it comes nearer to the slope at $a$, and its variance grows; at one it is that of constant shares. It costs a second draw.
///
/// How the draws of later orders depend on this one, through the history that the generator reads, is left out by both.
#[derive(Debug, Clone)]
pub struct GeneratedArrivals<'m> {
    model: &'m GenQot,
    network: Network,
    /// Rows of the order but for its size and history, one column a product; then uniform numbers, one column a lane.
    known: Signals,
    uniform: Signals,
    scale: f64,
    margin: f64,
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
            margin: 1.0,
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

    /// The same with the gradient of a margin: see [above](Self#the-gradient). At 1, the default, shares are constant. What arrives is the same to the bit.
    ///
    /// # Errors
    /// A margin outside 0 (excluded) to 1.
    pub fn with_margin(self, margin: f64) -> Result<Self, ArrivalsError> {
        crate::error::within(Argument::Margin, 0, margin, [f64::MIN_POSITIVE, 1.0])?;
        Ok(GeneratedArrivals { margin, ..self })
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

    fn deliver<S: Scalar>(
        &self,
        inputs: &MarketInputs<'_, S>,
        seen: &Position<S>,
        order: S,
        memory: &mut [DelayLine<S>],
        shares: &mut [S],
    ) {
        let number = S::constant;
        let (known, uniform) = inputs.rows.split_at(self.known.rows());
        let placed = order.detach();
        let mut rows = vec![placed];
        rows.extend_from_slice(known);
        for (age, line) in memory.iter_mut().enumerate() {
            let open = seen
                .pipeline
                .get(age)
                .map_or(number(0.0), |open| open.detach());
            rows.extend([placed.delay(age + 1, line), open]);
        }
        self.draw(inputs.theta, &rows, uniform, shares);
        if self.margin < 1.0 {
            let smaller = number(1.0 - self.margin);
            let mut fewer = vec![number(0.0); shares.len()];
            rows[0] = placed * smaller;
            self.draw(inputs.theta, &rows, uniform, &mut fewer);
            // Of value zero, with the derivative that makes that of the order times its share the slope.
            let change = (order - placed) / placed.max(number(LEAST));
            for (share, fewer) in shares.iter_mut().zip(fewer) {
                let slope = (*share - smaller * fewer) * number(1.0 / self.margin);
                *share = *share + (slope - *share) * change;
            }
        }
    }
}

/// Keeps 0 / 0 away, in units.
const LEAST: f64 = 1e-6;

impl GeneratedArrivals<'_> {
    /// The shares of an order by week, without a derivative.
    #[expect(clippy::cast_precision_loss, reason = "weeks")]
    fn draw<S: Scalar>(&self, theta: &[S], rows: &[S], uniform: &[S], shares: &mut [S]) {
        let (context, mut decoder) = self.network.begin(theta, rows);
        shares.fill(S::constant(0.0));
        let mut open = S::constant(1.0);
        for uniform in uniform.chunks_exact(UNIFORM) {
            let drawn = self
                .network
                .draw(theta, &context, &mut decoder, open, uniform);
            open = drawn.some;
            let share = (drawn.share * S::constant(self.scale)).detach();
            for (week, arriving) in shares.iter_mut().enumerate() {
                let here = (drawn.time - S::constant(week as f64)).abs();
                *arriving = *arriving + (S::constant(0.5) - here).positive() * share;
            }
        }
    }
}
