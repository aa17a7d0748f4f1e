//! A synthetic world of vendors whose law of arrivals is known.
//!
//! No public data hold orders in pieces, the sizes that were asked for, and the truth. This world does: every parameter is public, every
//! path can be drawn, and its likelihood computed. All of it is this project's own formulation.
//!
//! An order of $a$ units, $r = a / \text{usual}$, from vendor $v$ in a period of congestion $k \in \lbrace0, 1, 2 \rbrace$ (a Markov chain
//! that all products of the vendor share, and that the promised date reveals), in a peak or not:
//!
//! - **Cancelled**, nothing ever comes: with probability $\sigma(c_v + 0.5 k)$.
//! - **In excess**: with probability $e_v$ the total is uniform between 1 and 1.3 of the order.
//! - **Filled as far as there is room**: else the total is $\min(1, U / a)$, $\ln U = \ln(\kappa_v \cdot \text{usual} \cdot \pi) + \tau_v z$, where
//!   $\pi$ is 0.6 in a peak, else 1: large orders and orders in peaks are filled in part.
//! - **In pieces**: as long as fewer than two pieces have come, with probability $\sigma(s_v + \ln r)$ a piece of 0.3 to 0.7 of what is left (uniform)
//!   comes first, else the rest at once.
//! - **When**: the first piece after $b_v + k + x$ periods, $x \in \lbrace0, 1, 2 \rbrace$ with the vendor's probabilities; further pieces one or two
//!   periods after the one before.

mod market;

pub use market::WorldMarket;

use gpu::Stream;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use statrs::distribution::{ContinuousCDF, Normal};

use crate::error::{Argument, ArrivalsError, within};
use crate::log::{AGES, Log, Order, Receipt, Request};
use crate::sampler::{ArrivalModel, Path, Piece, Samples};

/// The pieces that an order has at most.
const PIECES: usize = 3;
/// Room of a vendor in a peak, as a share of that in other periods.
const PEAK: f64 = 0.6;
/// The largest delivery in excess, as a share of the order.
const EXCESS: f64 = 1.3;
/// The least and the largest share of what is left that a first piece takes.
const PART: [f64; 2] = [0.3, 0.7];

/// A vendor's parameters.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Vendor {
    /// Log-odds $c$ of a cancelled order.
    pub cancelled: f64,
    /// Probability $e$ of a delivery in excess.
    pub excess: f64,
    /// Median room $\kappa$ for an order, in usual orders of its product.
    pub room: f64,
    /// Standard deviation $\tau$ of the logarithm of room, above zero.
    pub spread: f64,
    /// Log-odds $s$ of a further piece for an order of usual size.
    pub split: f64,
    /// Periods $b$ that the first piece takes at least.
    pub base: i64,
    /// Probabilities of 0, 1 and 2 further periods.
    pub extra: [f64; 3],
    /// Probability that a further piece comes one period after the one before, not two.
    pub soon: f64,
    /// Probability that congestion stays as it is from one period to the next.
    pub persistence: f64,
}

/// Vendors, and how often orders are placed with them.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct VendorWorld {
    /// The vendors.
    pub vendors: Vec<Vendor>,
    /// Periods of a year.
    pub year: usize,
    /// Periods of a year's peak, its last ones.
    pub peak: usize,
    /// Seed of congestion and of logs.
    pub seed: u64,
}

impl VendorWorld {
    /// A world of so many vendors, whose parameters are drawn from a seed.
    ///
    /// # Errors
    /// No vendor.
    pub fn new(vendors: usize, seed: u64) -> Result<Self, ArrivalsError> {
        if vendors == 0 {
            let argument = Argument::World;
            return Err(ArrivalsError::Empty { argument });
        }
        let stream = Stream::new(seed, "vendors");
        let vendor = |v: usize| {
            let mut rng = stream.at(v as u64, 0);
            let mut between = |low: f64, high: f64| rng.random_range(low..high);
            let weights = [between(0.3, 1.0), between(0.1, 0.6), between(0.05, 0.4)];
            let all: f64 = weights.iter().sum();
            Vendor {
                cancelled: between(-4.0, -2.0),
                excess: between(0.0, 0.1),
                room: between(0.9, 2.5),
                spread: between(0.3, 0.7),
                split: between(-2.0, 0.5),
                base: i64::from(between(0.0, 2.0) > 1.0) + 1,
                extra: weights.map(|w| w / all),
                soon: between(0.4, 0.9),
                persistence: between(0.6, 0.9),
            }
        };
        Ok(VendorWorld {
            vendors: (0..vendors).map(vendor).collect(),
            year: 52,
            peak: 8,
            seed,
        })
    }

    /// Checks the ranges of all parameters.
    ///
    /// # Errors
    /// That of the first parameter outside its range.
    pub fn validate(&self) -> Result<(), ArrivalsError> {
        let argument = Argument::World;
        if self.vendors.is_empty() || self.year == 0 {
            return Err(ArrivalsError::Empty { argument });
        }
        for (index, vendor) in self.vendors.iter().enumerate() {
            let finite = [-50.0, 50.0];
            within(argument, index, vendor.cancelled, finite)?;
            within(argument, index, vendor.split, finite)?;
            for p in [vendor.excess, vendor.soon, vendor.persistence] {
                within(argument, index, p, [0.0, 1.0])?;
            }
            for p in [vendor.room, vendor.spread] {
                within(argument, index, p, [1e-6, 1e6])?;
            }
            for p in vendor.extra {
                within(argument, index, p, [0.0, 1.0])?;
            }
            let all = vendor.extra.iter().sum();
            within(argument, index, all, [1.0 - 1e-9, 1.0 + 1e-9])?;
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            within(argument, index, vendor.base as f64, [0.0, 100.0])?;
        }
        Ok(())
    }

    /// The longest time that any part of an order takes, in periods.
    #[must_use]
    pub fn longest(&self) -> usize {
        let base = self.vendors.iter().map(|vendor| vendor.base).max();
        let longest = base.unwrap_or(0) + 2 + 2 + 2 * 2;
        usize::try_from(longest).unwrap_or(0)
    }

    /// Whether a period is in a peak.
    #[must_use]
    pub fn is_peak(&self, period: usize) -> bool {
        period % self.year >= self.year.saturating_sub(self.peak)
    }

    /// The time of the year of a period, as a share of it.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "periods of a year")]
    pub fn season(&self, period: usize) -> f64 {
        (period % self.year) as f64 / self.year as f64
    }

    /// The congestion of a vendor in each of `periods` periods, 0 to 2.
    #[must_use]
    pub fn congestion(&self, vendor: usize, periods: usize) -> Vec<u8> {
        let stream = Stream::new(self.seed, "congestion");
        let mut now = 0;
        let step = |period: usize| {
            let mut rng = stream.at(vendor as u64, u32::try_from(period).unwrap_or(u32::MAX));
            let stays: f64 = rng.random();
            if period == 0 || stays >= self.vendors[vendor].persistence {
                now = [0, 0, 0, 1, 1, 2][rng.random_range(0..6)];
            }
            now
        };
        (0..periods).map(step).collect()
    }

    /// A request to a vendor in a period, of which nothing earlier is known: what the law reads is in it.
    #[must_use]
    pub fn request(
        &self,
        vendor: usize,
        units: f64,
        usual: f64,
        period: usize,
        congestion: u8,
    ) -> Request {
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let base = self.vendors[vendor].base as f64;
        Request {
            usual,
            season: self.season(period),
            promised: Some(base + f64::from(congestion)),
            covariates: vec![f64::from(u8::from(self.is_peak(period)))],
            ..Request::new(vendor, units)
        }
    }

    /// A log of `orders` orders over `periods` periods, placed product by product with sizes that do not depend on anything else; those
    /// that are open after the last period are seen until then.
    ///
    /// # Errors
    /// No order, no period, parameters outside their range.
    pub fn log(&self, orders: usize, periods: usize, seed: u64) -> Result<Log, ArrivalsError> {
        self.log_of(orders, periods, seed, &|_, z| (0.6 * z).exp())
    }

    /// A [`log`](Self::log) whose orders are `size(request, z)` usual orders, with $z$ standard normal and what was known of an order of usual size: a policy that sees
    /// congestion or the peak confounds its sizes with what vendors can supply.
    ///
    /// # Errors
    /// As [`log`](Self::log), sizes that are not above zero.
    pub fn log_of(
        &self,
        orders: usize,
        periods: usize,
        seed: u64,
        size: &dyn Fn(&Request, f64) -> f64,
    ) -> Result<Log, ArrivalsError> {
        self.validate()?;
        for (argument, found) in [(Argument::Orders, orders), (Argument::Weeks, periods)] {
            if found == 0 {
                return Err(ArrivalsError::Empty { argument });
            }
        }
        let states: Vec<Vec<u8>> = (0..self.vendors.len())
            .map(|vendor| self.congestion(vendor, periods))
            .collect();
        let stream = Stream::new(seed, "orders");
        let mut log = Log::new(self.vendors.len(), 1, 0);
        let mut product = 0;
        while log.orders().len() < orders {
            let mut rng = stream.at(product, 0);
            let vendor = rng.random_range(0..self.vendors.len());
            let z: f64 = StandardNormal.sample(&mut rng);
            let usual = 20.0 * z.exp();
            // Orders of the last periods, newest first: period, units, receipts.
            let mut past: Vec<(usize, f64, Path)> = Vec::new();
            let mut period = rng.random_range(0..4);
            while period < periods && log.orders().len() < orders {
                let z: f64 = StandardNormal.sample(&mut rng);
                let congestion = states[vendor][period];
                let mut request = self.request(vendor, usual, usual, period, congestion);
                request.history = history(&past, period);
                let units = usual * size(&request, z);
                request.units = units;
                let path = self.draw(&request, &mut rng);
                let ends = i64::try_from(periods - 1 - period).unwrap_or(i64::MAX);
                let seen = path.pieces.iter().filter(|piece| piece.time <= ends);
                let receipts = seen.map(|piece| Receipt {
                    time: piece.time,
                    units: units * piece.share,
                });
                let open = usize::try_from(ends).is_ok_and(|ends| ends < self.longest());
                log.push(Order {
                    request,
                    receipts: receipts.collect(),
                    seen_until: open.then_some(ends),
                })?;
                past.insert(0, (period, units, path));
                past.truncate(AGES);
                period += rng.random_range(1..7);
            }
            product += 1;
        }
        Ok(log)
    }

    /// One path of an order.
    fn draw(&self, request: &Request, rng: &mut impl rand::Rng) -> Path {
        let (vendor, law) = self.law(request);
        // The same numbers are drawn whatever the request: paths of two sizes share them.
        let [cancel, kind, over]: [f64; 3] = rng.random();
        let z: f64 = StandardNormal.sample(rng);
        let splits: [[f64; 3]; PIECES - 1] = rng.random();
        let first: f64 = rng.random();
        let mut path = Path::default();
        if cancel < law.cancelled {
            return path;
        }
        let total = if kind < vendor.excess {
            1.0 + (EXCESS - 1.0) * over
        } else {
            (law.room + vendor.spread * z).exp().min(1.0)
        };
        let extra = i64::from(first >= vendor.extra[0])
            + i64::from(first >= vendor.extra[0] + vendor.extra[1]);
        let (mut time, mut left) = (law.earliest + extra, total);
        for [further, part, gap] in splits {
            if further >= law.split {
                break;
            }
            let share = left * (PART[0] + (PART[1] - PART[0]) * part);
            path.push(Piece { time, share });
            left -= share;
            time += if gap < vendor.soon { 1 } else { 2 };
        }
        // What completes an order completes it exactly.
        let share = if (total - 1.0).abs() > 0.0 {
            left
        } else {
            1.0 - path.total()
        };
        path.push(Piece { time, share });
        path
    }

    fn law(&self, request: &Request) -> (&Vendor, Law) {
        let vendor = &self.vendors[request.vendor];
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let base = vendor.base as f64;
        let promised = request.promised.unwrap_or(base);
        let congestion = (promised - base).clamp(0.0, 2.0);
        let ratio = (request.units.max(1e-9) / request.usual).ln();
        let peak = request.covariates.first().is_some_and(|&peak| peak > 0.5);
        let squeezed = if peak { PEAK.ln() } else { 0.0 };
        #[expect(clippy::cast_possible_truncation, reason = "a small whole number")]
        let law = Law {
            cancelled: sigmoid(vendor.cancelled + 0.5 * congestion),
            room: vendor.room.ln() + squeezed - ratio,
            split: sigmoid(vendor.split + ratio),
            earliest: vendor.base + congestion as i64,
        };
        (vendor, law)
    }

    /// The logarithm of the likelihood of all that was received of a closed order: a probability for atoms and times, a density by
    /// shares of the order for each share that is not an atom. Minus infinity for what cannot happen.
    ///
    /// # Errors
    /// A vendor that the world does not have.
    pub fn log_likelihood(&self, request: &Request, path: &Path) -> Result<f64, ArrivalsError> {
        request.check(0, self.vendors.len(), request.covariates.len())?;
        let (vendor, law) = self.law(request);
        let Some(first) = path.pieces.first() else {
            return Ok(law.cancelled.ln());
        };
        let mut sum = (-law.cancelled).ln_1p();
        let extra = usize::try_from(first.time - law.earliest).ok();
        sum += extra
            .and_then(|extra| vendor.extra.get(extra))
            .map_or(f64::NEG_INFINITY, |p| p.ln());
        let total = path.total();
        let normal = Normal::standard();
        let full = (total - 1.0).abs() < 1e-9;
        sum += if full {
            let fits = normal.cdf(law.room / vendor.spread);
            (1.0 - vendor.excess).ln() + fits.ln()
        } else if total > 1.0 && total <= EXCESS {
            (vendor.excess / (EXCESS - 1.0)).ln()
        } else if total < 1.0 {
            let z = (total.ln() - law.room) / vendor.spread;
            let density = -0.5 * z * z - 0.5 * std::f64::consts::TAU.ln();
            (1.0 - vendor.excess).ln() + density - vendor.spread.ln() - total.ln()
        } else {
            f64::NEG_INFINITY
        };
        let mut left = total;
        for (number, pair) in path.pieces.windows(2).enumerate() {
            if number + 1 >= PIECES {
                return Ok(f64::NEG_INFINITY);
            }
            let part = pair[0].share / left;
            let range = PART[0] - 1e-9..PART[1] + 1e-9;
            if !range.contains(&part) {
                return Ok(f64::NEG_INFINITY);
            }
            sum += law.split.ln() - ((PART[1] - PART[0]) * left).ln();
            left -= pair[0].share;
            sum += match pair[1].time - pair[0].time {
                1 => vendor.soon.ln(),
                2 => (1.0 - vendor.soon).ln(),
                _ => f64::NEG_INFINITY,
            };
        }
        if path.pieces.len() < PIECES {
            sum += (1.0 - law.split).ln();
        }
        Ok(sum)
    }
}

/// What a request makes of a vendor's parameters.
struct Law {
    /// Probability that nothing comes.
    cancelled: f64,
    /// Median logarithm of room as a share of the order.
    room: f64,
    /// Probability of a further piece.
    split: f64,
    /// The earliest time of the first piece.
    earliest: i64,
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// What is known of earlier orders in a period.
fn history(past: &[(usize, f64, Path)], period: usize) -> [[f64; 2]; AGES] {
    let mut history = [[0.0; 2]; AGES];
    for (placed, units, path) in past {
        let age = period - placed;
        if (1..=AGES).contains(&age) {
            // What came before this period.
            let come = path.by(i64::try_from(age).unwrap_or(i64::MAX) - 1);
            history[age - 1] = [*units, (units * (1.0 - come)).max(0.0)];
        }
    }
    history
}

impl ArrivalModel for VendorWorld {
    fn name(&self) -> &'static str {
        "truth"
    }

    fn sample(&self, requests: &[Request], samples: Samples) -> Result<Vec<Path>, ArrivalsError> {
        let stream = Stream::new(samples.seed, "receipts");
        let path = |(index, request): (usize, &Request)| {
            request.check(index, self.vendors.len(), request.covariates.len())?;
            Ok(self.draw(request, &mut stream.at(index as u64, samples.sample)))
        };
        requests.iter().enumerate().map(path).collect()
    }
}
