//! The world's vendors in a replay.

use exo_idp::market::{Market, MarketInputs};
use exo_idp::period::Position;
use exo_idp::policy::Signals;
use gpu::{DelayLine, Scalar, Stream};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::{EXCESS, PART, VendorWorld};
use crate::error::{Argument, ArrivalsError, length};
use crate::model::OrderContext;

/// Whether anything comes, the least total, room in units, sizes above which a first and a second piece come before the rest, their shares of what is left, the
/// times of the pieces.
const ROWS: usize = 10;

/// Deliveries by the world's own law: the truth that policies are judged in.
///
/// The numbers of an order belong to product, sample and week; policies are compared under common random numbers. The gradient is that
/// of a path between its jumps: of what exceeds the vendor's room nothing more arrives.
#[derive(Debug, Clone, PartialEq)]
pub struct WorldMarket {
    rows: Signals,
}

impl VendorWorld {
    /// The market of the orders of all products on `samples` sample paths.
    ///
    /// # Errors
    /// No product, no week, no sample, a vendor that the world does not have.
    pub fn market(
        &self,
        orders: &dyn OrderContext,
        samples: usize,
        seed: u64,
    ) -> Result<WorldMarket, ArrivalsError> {
        let (products, weeks) = (orders.products(), orders.weeks());
        if products == 0 || weeks == 0 || samples == 0 {
            let argument = Argument::Samples;
            return Err(ArrivalsError::Empty { argument });
        }
        let (lanes, stream) = (products * samples, Stream::new(seed, "deliveries"));
        let mut values = Vec::with_capacity(weeks * lanes * ROWS);
        for week in 0..weeks {
            for lane in 0..lanes {
                let request = orders.request(lane % products, week);
                request.check(
                    lane % products,
                    self.vendors.len(),
                    request.covariates.len(),
                )?;
                let key = ((lane / products) as u64) << 32 | (lane % products) as u64;
                let mut rng = stream.at(key, u32::try_from(week).unwrap_or(u32::MAX));
                // A usual order's law; what depends on the size is kept as limits of it.
                let usual = crate::log::Request {
                    units: request.usual,
                    ..request.clone()
                };
                let (vendor, law) = self.law(&usual);
                let [cancel, kind, over]: [f64; 3] = rng.random();
                let z: f64 = StandardNormal.sample(&mut rng);
                let splits: [[f64; 3]; 2] = rng.random();
                let first: f64 = rng.random();
                let excess = kind < vendor.excess;
                let least = if excess {
                    1.0 + (EXCESS - 1.0) * over
                } else {
                    0.0
                };
                let room = request.usual * (law.room + vendor.spread * z).exp();
                let above =
                    |u: f64| request.usual * (u / (1.0 - u) / vendor.split.exp()).max(1e-12);
                let part = |u: f64| PART[0] + (PART[1] - PART[0]) * u;
                let extra = i64::from(first >= vendor.extra[0])
                    + i64::from(first >= vendor.extra[0] + vendor.extra[1]);
                #[expect(clippy::cast_precision_loss, reason = "a few weeks")]
                let time = (law.earliest + extra) as f64;
                let gap = |u: f64| if u < vendor.soon { 1.0 } else { 2.0 };
                let second = time + gap(splits[0][2]);
                values.extend([
                    f64::from(u8::from(cancel >= law.cancelled)),
                    least,
                    room,
                    above(splits[0][0]),
                    above(splits[1][0]),
                    part(splits[0][1]),
                    part(splits[1][1]),
                    time,
                    second,
                    second + gap(splits[1][2]),
                ]);
            }
        }
        length(Argument::Weeks, weeks * lanes * ROWS, values.len())?;
        Ok(WorldMarket {
            rows: Signals::from_fn(weeks, ROWS, lanes, |week, row, lane| {
                values[(week * lanes + lane) * ROWS + row]
            }),
        })
    }
}

impl Market for WorldMarket {
    fn signals(&self) -> Vec<&Signals> {
        vec![&self.rows]
    }

    fn delivers(&self) -> bool {
        true
    }

    #[expect(clippy::cast_precision_loss, reason = "weeks")]
    fn deliver<S: Scalar>(
        &self,
        inputs: &MarketInputs<'_, S>,
        _: &Position<S>,
        order: S,
        _: &mut [DelayLine<S>],
        shares: &mut [S],
    ) {
        let one = S::constant(1.0);
        let rows = inputs.rows;
        let units = order.max(S::constant(1e-9));
        let filled = (rows[2] / units).min(one);
        let total = rows[0] * S::select(rows[1].positive(), rows[1], filled);
        let first = (units - rows[3]).positive();
        let second = first * (units - rows[4]).positive();
        // Shares of the first, the second and the third piece: the last one takes what is left.
        let a = total * S::select(first, rows[5], one);
        let b = first * (total - a) * S::select(second, rows[6], one);
        let c = (total - a - b) * second;
        for (week, share) in shares.iter_mut().enumerate() {
            let here =
                |time: S| (S::constant(0.5) - (time - S::constant(week as f64)).abs()).positive();
            *share = here(rows[7]) * a + here(rows[8]) * b + here(rows[9]) * c;
        }
    }
}
