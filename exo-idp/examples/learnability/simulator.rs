//! One small simulator: a product is a path of demand and lead times with a price and a cost, and a whole class of base-stock
//! levels is replayed on it at once.

use hindsight_exo_idp::exact::DemandLaw;
use hindsight_gpu::Stream;
use rand::{Rng, RngExt};

/// Number of base-stock levels in the class.
pub(crate) const LEVELS: usize = 200;
/// Upper limits of price, demand, cost and order: they give the width of the returns.
pub(crate) const PRICE: f64 = 12.0;
pub(crate) const COST: f64 = 8.0;
pub(crate) const DEMAND: f64 = 60.0;
pub(crate) const ORDER: f64 = 49.75;
/// Share of demand that is left in the week after a stock-out, in the experiment that breaks exogeneity.
pub(crate) const AFTER_STOCK_OUT: f64 = 0.4;

/// The levels 0, 0.25, ..., 49.75.
pub(crate) fn levels() -> Vec<f64> {
    (0..LEVELS).map(|k| 0.25 * real(k)).collect()
}

/// One product's exogenous path.
#[derive(Debug, Clone, Default)]
pub(crate) struct Path {
    pub(crate) price: f64,
    pub(crate) cost: f64,
    pub(crate) demand: Vec<f64>,
    /// Demand in a week that follows a stock-out, where demand reacts to stock-outs.
    pub(crate) discouraged: Vec<f64>,
    pub(crate) lead_time: Vec<usize>,
}

/// Poisson quantile functions for a grid of means: demand by inversion, so that one uniform number drives both demand
/// and discouraged demand.
#[derive(Debug)]
pub(crate) struct Demands {
    laws: Vec<DemandLaw>,
}

impl Demands {
    /// Laws of mean 0.25, 0.5, ..., 24.
    pub(crate) fn new() -> Self {
        Self {
            laws: (1..=96)
                .map(|k| DemandLaw::poisson(0.25 * real(k)).expect("a valid mean"))
                .collect(),
        }
    }

    pub(super) fn draw(&self, mean: f64, uniform: f64) -> f64 {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to the grid"
        )]
        let k = (4.0 * mean - 1.0).round().clamp(0.0, 95.0) as usize;
        f64::from(self.laws[k].quantile(uniform).unwrap_or(0)).min(DEMAND)
    }
}

/// A product: mean demand from 1 to 12, price from 8 to 12, cost from 3 to 8, lead times that stay with probability 0.6 and are
/// otherwise drawn anew from 0 to 3 weeks, so that orders cross.
pub(crate) fn product(demands: &Demands, stream: &Stream, id: u64, weeks: usize, path: &mut Path) {
    let mut rng = stream.at(id, 0);
    let mean = 1.0 + 11.0 * rng.random::<f64>();
    path.price = 8.0 + 4.0 * rng.random::<f64>();
    path.cost = 3.0 + 5.0 * rng.random::<f64>();
    path.demand.clear();
    path.discouraged.clear();
    path.lead_time.clear();
    let mut lead = 0;
    for t in 0..weeks {
        let u: f64 = rng.random();
        path.demand.push(demands.draw(mean, u));
        path.discouraged
            .push(demands.draw(mean * AFTER_STOCK_OUT, u));
        let fresh = lead_time(&mut rng, 0..4);
        if t == 0 || rng.random::<f64>() >= 0.6 {
            lead = fresh;
        }
        path.lead_time.push(lead);
    }
}

pub(super) fn lead_time<R: Rng>(rng: &mut R, range: std::ops::Range<usize>) -> usize {
    rng.random_range(range)
}

/// Replays every level on a path; adds the discounted returns to `totals`.
#[derive(Debug)]
pub(crate) struct Simulator {
    levels: Vec<f64>,
    on_hand: Vec<f64>,
    on_order: Vec<f64>,
    short: Vec<f64>,
    arrivals: Vec<f64>,
}

impl Simulator {
    pub(crate) fn new(levels: Vec<f64>) -> Self {
        let n = levels.len();
        Self {
            levels,
            on_hand: vec![0.0; n],
            on_order: vec![0.0; n],
            short: vec![0.0; n],
            arrivals: Vec::new(),
        }
    }

    /// With `reacts`, demand in a week after a stock-out is the discouraged one.
    pub(crate) fn replay(&mut self, path: &Path, discount: f64, reacts: bool, totals: &mut [f64]) {
        if reacts {
            self.run::<true>(path, discount, totals);
        } else {
            self.run::<false>(path, discount, totals);
        }
    }

    fn run<const REACTS: bool>(&mut self, path: &Path, discount: f64, totals: &mut [f64]) {
        let (n, weeks) = (self.levels.len(), path.demand.len());
        self.arrivals.clear();
        self.arrivals.resize(n * weeks, 0.0);
        self.on_hand.fill(0.0);
        self.on_order.fill(0.0);
        self.short.fill(0.0);
        let (levels, on_hand, on_order) = (
            &self.levels[..n],
            &mut self.on_hand[..n],
            &mut self.on_order[..n],
        );
        let (short, totals) = (&mut self.short[..n], &mut totals[..n]);
        let mut weight = 1.0;
        for t in 0..weeks {
            let due = t + path.lead_time[t];
            let (demand, less) = (path.demand[t], path.demand[t] - path.discouraged[t]);
            let (price, cost) = (weight * path.price, weight * path.cost);
            if due < weeks {
                let arrivals = &mut self.arrivals[due * n..][..n];
                for k in 0..n {
                    let order = (levels[k] - on_hand[k] - on_order[k]).max(0.0);
                    on_order[k] += order;
                    totals[k] -= cost * order;
                    arrivals[k] += order;
                }
            } else {
                for k in 0..n {
                    let order = (levels[k] - on_hand[k] - on_order[k]).max(0.0);
                    on_order[k] += order;
                    totals[k] -= cost * order;
                }
            }
            let arriving = &self.arrivals[t * n..][..n];
            for k in 0..n {
                let wanted = if REACTS {
                    demand - short[k] * less
                } else {
                    demand
                };
                let available = on_hand[k] + arriving[k];
                on_order[k] -= arriving[k];
                let sold = available.min(wanted);
                if REACTS {
                    short[k] = f64::from(u8::from(sold < wanted));
                }
                on_hand[k] = available - sold;
                totals[k] += price * sold;
            }
            weight *= discount;
        }
    }
}

pub(crate) fn real(n: usize) -> f64 {
    n as f64
}
