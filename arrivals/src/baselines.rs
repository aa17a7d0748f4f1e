//! Models of arrivals that need no training: what a generator must better.

use std::collections::HashMap;

use gpu::Stream;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma};

use crate::error::{Argument, ArrivalsError};
use crate::grid::Grid;
use crate::log::{Log, Request};
use crate::sampler::{ArrivalModel, Path, Piece, Samples};

/// Size bins of an order, by its ratio to the usual one.
const SIZES: [f64; 3] = [0.6, 1.0, 1.6];
/// Fewer orders than these are too few to draw from; the vendor's, then all, take their place.
const FEW: usize = 20;

/// Closed orders by vendor and size, with wider groups behind.
#[derive(Debug, Clone, PartialEq)]
struct Groups {
    vendors: usize,
    paths: Vec<Path>,
    cells: HashMap<(usize, usize), Vec<usize>>,
    by_vendor: Vec<Vec<usize>>,
}

fn size_bin(request: &Request) -> usize {
    let ratio = request.units / request.usual;
    SIZES.iter().filter(|&&limit| ratio > limit).count()
}

impl Groups {
    /// Orders that are closed, or old enough that nothing more can come: an open order says too little here, and is left out.
    fn new(log: &Log, grid: &Grid) -> Result<Self, ArrivalsError> {
        let mut groups = Groups {
            vendors: log.vendors(),
            paths: Vec::new(),
            cells: HashMap::new(),
            by_vendor: vec![Vec::new(); log.vendors()],
        };
        for order in log.orders() {
            if grid.open_until(order).is_some() {
                continue;
            }
            let (vendor, at) = (order.request.vendor, groups.paths.len());
            let cell = (vendor, size_bin(&order.request));
            groups.cells.entry(cell).or_default().push(at);
            groups.by_vendor[vendor].push(at);
            let tokens = grid.tokens(order).into_iter();
            let pieces = tokens.map(|token| token.piece).collect();
            groups.paths.push(Path { pieces });
        }
        if groups.paths.is_empty() {
            let argument = Argument::Orders;
            return Err(ArrivalsError::Empty { argument });
        }
        Ok(groups)
    }

    /// One of the orders like a request; `pick` chooses among so many.
    fn path(&self, request: &Request, pick: impl FnOnce(usize) -> usize) -> &Path {
        let cell = self.cells.get(&(request.vendor, size_bin(request)));
        let vendor = &self.by_vendor[request.vendor];
        match cell.filter(|cell| cell.len() >= FEW) {
            Some(cell) => &self.paths[cell[pick(cell.len())]],
            None if vendor.len() >= FEW => &self.paths[vendor[pick(vendor.len())]],
            None => &self.paths[pick(self.paths.len())],
        }
    }

    /// The orders of a vendor and size, or of a wider group.
    fn like(&self, cell: (usize, usize)) -> Vec<&Path> {
        let own = self.cells.get(&cell).filter(|own| own.len() >= FEW);
        let vendor = &self.by_vendor[cell.0];
        match own {
            Some(own) => own.iter().map(|&at| &self.paths[at]).collect(),
            None if vendor.len() >= FEW => vendor.iter().map(|&at| &self.paths[at]).collect(),
            None => self.paths.iter().collect(),
        }
    }

    fn each(
        &self,
        requests: &[Request],
        samples: Samples,
        purpose: &str,
        mut path: impl FnMut(&Request, &mut ChaCha8Rng) -> Path,
    ) -> Result<Vec<Path>, ArrivalsError> {
        let stream = Stream::new(samples.seed, purpose);
        let one = |(index, request): (usize, &Request)| {
            request.check(index, self.vendors, request.covariates.len())?;
            Ok(path(request, &mut stream.at(index as u64, samples.sample)))
        };
        requests.iter().enumerate().map(one).collect()
    }
}

/// Orders drawn again from the log: those of the same vendor and a like size.
#[derive(Debug, Clone, PartialEq)]
pub struct Empirical(Groups);

impl Empirical {
    /// The model of a log.
    ///
    /// # Errors
    /// A log without a closed order.
    pub fn fit(log: &Log, grid: &Grid) -> Result<Self, ArrivalsError> {
        Ok(Empirical(Groups::new(log, grid)?))
    }
}

impl ArrivalModel for Empirical {
    fn name(&self) -> &'static str {
        "empirical resampling"
    }

    fn sample(&self, requests: &[Request], samples: Samples) -> Result<Vec<Path>, ArrivalsError> {
        self.0
            .each(requests, samples, "resampling", |request, rng| {
                let pick = |count: usize| rng.random_range(0..count);
                self.0.path(request, pick).clone()
            })
    }
}

/// A histogram of lags, among which an order in full is split by a Dirichlet-multinomial law: alike for all orders, with neither yield nor
/// size in it.
#[derive(Debug, Clone, PartialEq)]
pub struct DirichletMultinomial {
    first: i64,
    vendors: usize,
    /// Concentrations by period.
    concentration: Vec<f64>,
    /// The share of orders of which nothing comes.
    nothing: f64,
    /// The mean share of an order that comes, where something does.
    filled: f64,
}

impl DirichletMultinomial {
    /// The model of a log: mean shares by period, with the total concentration of their second moments.
    ///
    /// # Errors
    /// A log without a closed order.
    #[expect(clippy::cast_precision_loss, reason = "numbers of orders")]
    pub fn fit(log: &Log, grid: &Grid) -> Result<Self, ArrivalsError> {
        let groups = Groups::new(log, grid)?;
        let periods = usize::try_from(grid.last() - grid.first()).unwrap_or(0) + 1;
        let (mut mean, mut square) = (vec![0.0; periods], vec![0.0; periods]);
        let (mut some, mut filled) = (0.0, 0.0);
        for path in groups.paths.iter().filter(|path| path.total() > 0.0) {
            some += 1.0;
            filled += path.total();
            for piece in &path.pieces {
                let at = usize::try_from(piece.time - grid.first()).unwrap_or(0);
                let share = piece.share / path.total();
                mean[at] += share;
                square[at] += share * share;
            }
        }
        let count = f64::max(some, 1.0);
        let [mut spread, mut noise] = [0.0, 0.0];
        for (m, s) in mean.iter_mut().zip(&square) {
            *m /= count;
            spread += *m * (1.0 - *m);
            noise += (s / count - *m * *m).max(0.0);
        }
        // Var = m (1 - m) / (1 + alpha), summed over the periods.
        let total = (spread / noise.max(1e-12) - 1.0).clamp(1e-2, 1e4);
        Ok(DirichletMultinomial {
            first: grid.first(),
            vendors: log.vendors(),
            concentration: mean.iter().map(|m| m * total).collect(),
            nothing: 1.0 - some / groups.paths.len() as f64,
            filled: filled / count,
        })
    }
}

impl ArrivalModel for DirichletMultinomial {
    fn name(&self) -> &'static str {
        "Dirichlet-multinomial"
    }

    fn sample(&self, requests: &[Request], samples: Samples) -> Result<Vec<Path>, ArrivalsError> {
        let stream = Stream::new(samples.seed, "Dirichlet");
        let one = |(index, request): (usize, &Request)| {
            request.check(index, self.vendors, request.covariates.len())?;
            let mut rng = stream.at(index as u64, samples.sample);
            let mut path = Path::default();
            if rng.random::<f64>() < self.nothing {
                return Ok(path);
            }
            let weights: Vec<f64> = self
                .concentration
                .iter()
                .map(|&a| Gamma::new(a, 1.0).map_or(0.0, |law| law.sample(&mut rng)))
                .collect();
            let all: f64 = weights.iter().sum();
            for (time, weight) in (self.first..).zip(weights) {
                let share = self.filled * weight / all.max(f64::MIN_POSITIVE);
                if share > 1e-6 {
                    path.push(Piece { time, share });
                }
            }
            Ok(path)
        };
        requests.iter().enumerate().map(one).collect()
    }
}

/// A direct forecaster of the quantiles of what has arrived by each period, by vendor and size. Its paths follow one level through all
/// periods; what it says of one period is right, of two together it says nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantileForecaster {
    groups: Groups,
    first: i64,
    /// Shares that have arrived by each period, in rising order, by vendor and size: `[vendor * sizes + size][period]`.
    sorted: Vec<Vec<Vec<f64>>>,
}

impl QuantileForecaster {
    /// The model of a log.
    ///
    /// # Errors
    /// A log without a closed order.
    pub fn fit(log: &Log, grid: &Grid) -> Result<Self, ArrivalsError> {
        let groups = Groups::new(log, grid)?;
        let by = |paths: &[&Path], time: i64| {
            let mut shares: Vec<f64> = paths.iter().map(|path| path.by(time)).collect();
            shares.sort_by(f64::total_cmp);
            shares
        };
        let cells = (0..log.vendors()).flat_map(|v| (0..=SIZES.len()).map(move |size| (v, size)));
        let sorted = cells.map(|cell| {
            let paths = groups.like(cell);
            (grid.first()..=grid.last())
                .map(|time| by(&paths, time))
                .collect()
        });
        Ok(QuantileForecaster {
            sorted: sorted.collect(),
            first: grid.first(),
            groups,
        })
    }
}

/// The quantile of numbers in rising order.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank inside the list"
)]
fn quantile(sorted: &[f64], level: f64) -> f64 {
    let rank = (level * sorted.len() as f64) as usize;
    sorted[rank.min(sorted.len() - 1)]
}

impl ArrivalModel for QuantileForecaster {
    fn name(&self) -> &'static str {
        "quantile forecaster"
    }

    fn sample(&self, requests: &[Request], samples: Samples) -> Result<Vec<Path>, ArrivalsError> {
        let groups = &self.groups;
        groups.each(requests, samples, "levels", |request, rng| {
            let level: f64 = rng.random();
            let (mut path, mut before) = (Path::default(), 0.0);
            let cell = request.vendor * (SIZES.len() + 1) + size_bin(request);
            for (time, shares) in (self.first..).zip(&self.sorted[cell]) {
                let by = quantile(shares, level);
                if by > before + 1e-12 {
                    let share = by - before;
                    path.push(Piece { time, share });
                    before = by;
                }
            }
            path
        })
    }
}

/// A law of lead times by vendor: every order in full, all at once. What a replay without quantity over time knows.
#[derive(Debug, Clone, PartialEq)]
pub struct LeadTimeOnly {
    first: i64,
    /// Probabilities by vendor and period.
    laws: Vec<Vec<f64>>,
}

impl LeadTimeOnly {
    /// The law of a log: when the units of a vendor's orders arrived, by unit as a share of its order.
    ///
    /// # Errors
    /// A log of which nothing was received.
    pub fn fit(log: &Log, grid: &Grid) -> Result<Self, ArrivalsError> {
        let periods = usize::try_from(grid.last() - grid.first()).unwrap_or(0) + 1;
        let mut laws = vec![vec![0.0; periods]; log.vendors()];
        let mut all = vec![0.0; periods];
        for order in log.orders() {
            if grid.open_until(order).is_some() {
                continue;
            }
            for token in grid.tokens(order) {
                let at = usize::try_from(token.piece.time - grid.first()).unwrap_or(0);
                laws[order.request.vendor][at] += token.piece.share;
                all[at] += token.piece.share;
            }
        }
        if all.iter().sum::<f64>() <= 0.0 {
            let argument = Argument::Orders;
            return Err(ArrivalsError::Empty { argument });
        }
        for law in &mut laws {
            if law.iter().sum::<f64>() <= 0.0 {
                law.clone_from(&all);
            }
            let sum: f64 = law.iter().sum();
            law.iter_mut().for_each(|p| *p /= sum);
        }
        Ok(LeadTimeOnly {
            first: grid.first(),
            laws,
        })
    }

    /// A vendor's probabilities of the grid's periods, from its first on.
    ///
    /// # Panics
    /// Like an index into an array, when there is no such vendor.
    #[must_use]
    pub fn probabilities(&self, vendor: usize) -> &[f64] {
        &self.laws[vendor]
    }

    /// The periods that have a probability.
    pub(crate) fn periods(&self) -> usize {
        self.laws.first().map_or(0, Vec::len)
    }

    /// An error unless there is a law for every vendor.
    pub(crate) fn check_vendors(&self, vendors: &[usize]) -> Result<(), ArrivalsError> {
        let known = self.laws.len();
        let unknown = vendors.iter().position(|&vendor| vendor >= known);
        unknown.map_or(Ok(()), |order| {
            Err(ArrivalsError::Vendor {
                order,
                vendor: vendors[order],
                vendors: known,
            })
        })
    }

    /// A vendor's lead time, counted from the first period, by the inverse of its distribution function.
    pub(crate) fn lead(&self, vendor: usize, mut uniform: f64) -> usize {
        let law = &self.laws[vendor];
        let last = law.iter().rposition(|&p| p > 0.0).unwrap_or(0);
        let lead = law[..last].iter().position(|&p| {
            uniform -= p;
            uniform < 0.0
        });
        lead.unwrap_or(last)
    }
}

impl ArrivalModel for LeadTimeOnly {
    fn name(&self) -> &'static str {
        "lead time only"
    }

    fn sample(&self, requests: &[Request], samples: Samples) -> Result<Vec<Path>, ArrivalsError> {
        let stream = Stream::new(samples.seed, "lead times");
        let one = |(index, request): (usize, &Request)| {
            request.check(index, self.laws.len(), request.covariates.len())?;
            let uniform: f64 = stream.at(index as u64, samples.sample).random();
            let lead = self.lead(request.vendor, uniform);
            let lead = i64::try_from(lead).unwrap_or(0);
            let piece = Piece {
                time: self.first + lead,
                share: 1.0,
            };
            Ok(Path {
                pieces: vec![piece],
            })
        };
        requests.iter().enumerate().map(one).collect()
    }
}
