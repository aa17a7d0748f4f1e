//! The four experiments: where the learnability bounds hold, and where they must fail.
//!
//! One small simulator carries all four: a product is a path of demand and lead times with a price and a cost, and a whole
//! class of base-stock levels is replayed on it at once.

#![allow(clippy::cast_precision_loss, reason = "counts far below 2^53")]

use gpu::Stream;
use hindsight_exo_idp::exact::DemandLaw;
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

    fn draw(&self, mean: f64, uniform: f64) -> f64 {
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

fn lead_time<R: Rng>(rng: &mut R, range: std::ops::Range<usize>) -> usize {
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

/// Sums of returns by blocks of 100 products: `sums[block][level]`.
pub(crate) fn block_sums(
    seed: u64,
    blocks: usize,
    weeks: usize,
    discount: f64,
    reacts: bool,
) -> Vec<Vec<f64>> {
    let demands = Demands::new();
    let stream = Stream::new(seed, "learnability");
    let mut simulator = Simulator::new(levels());
    let mut path = Path::default();
    (0..blocks)
        .map(|block| {
            let mut sums = vec![0.0; LEVELS];
            for i in 0..100 {
                product(
                    &demands,
                    &stream,
                    (block * 100 + i) as u64,
                    weeks,
                    &mut path,
                );
                simulator.replay(&path, discount, reacts, &mut sums);
            }
            sums
        })
        .collect()
}

/// Mean return per product of each level.
pub(crate) fn mean(blocks: &[Vec<f64>]) -> Vec<f64> {
    let mut total = vec![0.0; LEVELS];
    for block in blocks {
        for (t, b) in total.iter_mut().zip(block) {
            *t += b;
        }
    }
    total
        .iter()
        .map(|t| t / (100.0 * real(blocks.len())))
        .collect()
}

/// Largest difference over the class.
pub(crate) fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(x, y)| (x - y).abs())
        .fold(0.0, f64::max)
}

/// Least-squares slope of log y on log x.
pub(crate) fn log_slope(points: &[(f64, f64)]) -> f64 {
    let n = real(points.len());
    let (mx, my) = points.iter().fold((0.0, 0.0), |(a, b), (x, y)| {
        (a + x.ln() / n, b + y.ln() / n)
    });
    let (sxy, sxx) = points.iter().fold((0.0, 0.0), |(a, b), (x, y)| {
        let dx = x.ln() - mx;
        (a + dx * (y.ln() - my), b + dx * dx)
    });
    sxy / sxx
}

/// One row of experiment 1: `products`, the mean over repeats of the largest error over the class, the worst, and repeats.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ErrorRow {
    pub(crate) products: usize,
    pub(crate) mean_error: f64,
    pub(crate) worst_error: f64,
    pub(crate) repeats: usize,
}

/// Largest error over the class against `truth`, for growing numbers of products taken from the pool without overlap.
pub(crate) fn errors_by_size(
    truth: &[f64],
    pool: &[Vec<f64>],
    sizes: &[usize],
    most_repeats: usize,
) -> Vec<ErrorRow> {
    sizes
        .iter()
        .map(|&size| {
            let errors: Vec<f64> = pool
                .chunks_exact(size)
                .take(most_repeats)
                .map(|chunk| largest_difference(&mean(chunk), truth))
                .collect();
            ErrorRow {
                products: 100 * size,
                mean_error: errors.iter().sum::<f64>() / real(errors.len()),
                worst_error: errors.iter().copied().fold(0.0, f64::max),
                repeats: errors.len(),
            }
        })
        .collect()
}

/// The vendor who delivers in the same week or never: demand of one unit a week, one unit of stock, `weeks` weeks. With probability
/// `loss` per draw the order never comes; one draw for the whole path, or one each week. Returns the mean return over `products`.
pub(crate) fn fragile(
    seed: u64,
    products: u64,
    weeks: usize,
    discount: f64,
    loss: f64,
    weekly: bool,
) -> f64 {
    let stream = Stream::new(seed, "fragile");
    let mut simulator = Simulator::new(vec![1.0]);
    let mut path = Path {
        price: 2.0,
        cost: 1.0,
        demand: vec![1.0; weeks],
        discouraged: vec![1.0; weeks],
        lead_time: vec![0; weeks],
    };
    let mut total = [0.0];
    for id in 0..products {
        let mut rng = stream.at(id, 0);
        let whole = rng.random::<f64>() < loss;
        for lead in &mut path.lead_time {
            let lost = if weekly {
                rng.random::<f64>() < loss
            } else {
                whole
            };
            *lead = if lost { weeks } else { 0 };
        }
        simulator.replay(&path, discount, false, &mut total);
    }
    total[0] / products as f64
}

/// The exact mean return of [`fragile`].
pub(crate) fn fragile_exact(weeks: usize, discount: f64, loss: f64, weekly: bool) -> f64 {
    let (mut alive, mut weight, mut total) = (1.0, 1.0, 0.0);
    for t in 0..weeks {
        let lost = if weekly || t == 0 { loss } else { 0.0 };
        // Price 2, cost 1: the order is paid while orders still come, the sale is made if it came.
        total += weight * alive * ((1.0 - lost) * 2.0 - 1.0);
        alive *= 1.0 - lost;
        weight *= discount;
    }
    total
}

/// Experiment 2: mean returns with lead times true, all from the wrong law, wrong at path level or wrong week by week.
#[derive(Debug, Clone)]
pub(crate) struct Corruption {
    pub(crate) share: f64,
    /// Mean over products of (corrupted - true), by level, and its standard error about the straight line.
    pub(crate) by_path: Vec<f64>,
    pub(crate) line_error: Vec<f64>,
    pub(crate) by_week: Vec<f64>,
}

/// The wrong law says three weeks, always. All variants share demand, prices and random numbers.
pub(crate) fn corruption(
    seed: u64,
    products: u64,
    weeks: usize,
    discount: f64,
    shares: &[f64],
) -> (Vec<f64>, Vec<Corruption>) {
    let demands = Demands::new();
    let stream = Stream::new(seed, "corruption");
    let mut simulator = Simulator::new(levels());
    let (mut path, mut other) = (Path::default(), Path::default());
    let mut full = vec![0.0; LEVELS];
    let mut square = vec![0.0; LEVELS];
    let mut by_path = vec![vec![0.0; LEVELS]; shares.len()];
    let mut by_week = by_path.clone();
    let (mut right, mut wrong, mut mixed) =
        (vec![0.0; LEVELS], vec![0.0; LEVELS], vec![0.0; LEVELS]);
    for id in 0..products {
        product(&demands, &stream, id, weeks, &mut path);
        right.fill(0.0);
        wrong.fill(0.0);
        simulator.replay(&path, discount, false, &mut right);
        other.clone_from(&path);
        other.lead_time.fill(3);
        simulator.replay(&other, discount, false, &mut wrong);
        for k in 0..LEVELS {
            let change = wrong[k] - right[k];
            full[k] += change;
            square[k] += change * change;
        }
        let mut rng = stream.at(id, 1);
        let whole: f64 = rng.random();
        let weekly: Vec<f64> = (0..weeks).map(|_| rng.random()).collect();
        for (i, &share) in shares.iter().enumerate() {
            if whole < share {
                for k in 0..LEVELS {
                    by_path[i][k] += wrong[k] - right[k];
                }
            }
            if share > 0.0 {
                for ((lead, u), right) in
                    other.lead_time.iter_mut().zip(&weekly).zip(&path.lead_time)
                {
                    *lead = if *u < share { 3 } else { *right };
                }
                mixed.fill(0.0);
                simulator.replay(&other, discount, false, &mut mixed);
                for k in 0..LEVELS {
                    by_week[i][k] += mixed[k] - right[k];
                }
            }
        }
    }
    let n = products as f64;
    let scale = |sums: &[f64]| -> Vec<f64> { sums.iter().map(|x| x / n).collect() };
    let rows = shares
        .iter()
        .zip(by_path.iter().zip(&by_week))
        .map(|(&share, (path, week))| Corruption {
            share,
            by_path: scale(path),
            line_error: square
                .iter()
                .map(|s| (share * (1.0 - share) * s / n / n).sqrt())
                .collect(),
            by_week: scale(week),
        })
        .collect();
    (scale(&full), rows)
}

/// Experiment 4: weekly mean rewards of `products` under one level when all share a weekly shock, as `rewards[product][week]`.
pub(crate) fn shocked_rewards(
    seed: u64,
    world: u64,
    products: usize,
    weeks: usize,
    shock: f64,
    persistence: f64,
) -> Vec<Vec<f64>> {
    let demands = Demands::new();
    let mut rng = Stream::new(seed, "shocks").at(world, 0);
    let mut level = normal(&mut rng);
    let innovation = (1.0 - persistence * persistence).sqrt();
    let factors: Vec<f64> = (0..weeks)
        .map(|_| {
            level = persistence * level + innovation * normal(&mut rng);
            (shock * level - 0.5 * shock * shock).exp()
        })
        .collect();
    (0..products)
        .map(|_| {
            let mean = 3.0 + 6.0 * rng.random::<f64>();
            let mut on_hand = 0.0_f64;
            factors
                .iter()
                .map(|factor| {
                    // Base stock of 8, no lead time, price 10, cost 7.
                    let order = (8.0 - on_hand).max(0.0);
                    let sold = (on_hand + order).min(demands.draw(mean * factor, rng.random()));
                    on_hand += order - sold;
                    10.0 * sold - 7.0 * order
                })
                .collect()
        })
        .collect()
}

/// A standard normal number, by the polar method.
fn normal<R: Rng>(rng: &mut R) -> f64 {
    loop {
        let (a, b) = (
            2.0 * rng.random::<f64>() - 1.0,
            2.0 * rng.random::<f64>() - 1.0,
        );
        let s = a * a + b * b;
        if s > 0.0 && s < 1.0 {
            return a * (-2.0 * s.ln() / s).sqrt();
        }
    }
}

/// How often nominal 95 % bootstrap intervals hold the true mean, over worlds: products resampled alone, blocks of weeks
/// resampled alone, and both.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Coverage {
    pub(crate) products_only: f64,
    pub(crate) weeks_only: f64,
    pub(crate) both: f64,
    /// Mean pairwise correlation of product means over worlds.
    pub(crate) correlation: f64,
}

pub(crate) fn coverage(
    seed: u64,
    worlds: usize,
    products: usize,
    weeks: usize,
    block: usize,
    shock: f64,
) -> Coverage {
    let replicates = 200;
    let mut estimates = Vec::with_capacity(worlds);
    let mut intervals = Vec::with_capacity(worlds);
    let (mut within, mut between) = (0.0, Vec::with_capacity(worlds));
    for world in 0..worlds {
        let rewards = shocked_rewards(seed, world as u64, products, weeks, shock, 0.5);
        let by_product: Vec<f64> = rewards
            .iter()
            .map(|r| r.iter().sum::<f64>() / real(weeks))
            .collect();
        let blocks = weeks / block;
        // table[product][block]
        let table: Vec<Vec<f64>> = rewards
            .iter()
            .map(|r| {
                r.chunks_exact(block)
                    .map(|c| c.iter().sum::<f64>() / real(block))
                    .collect()
            })
            .collect();
        let by_block: Vec<f64> = (0..blocks)
            .map(|b| table.iter().map(|row| row[b]).sum::<f64>() / real(products))
            .collect();
        let center = by_product.iter().sum::<f64>() / real(products);
        let spread =
            by_product.iter().map(|x| (x - center).powi(2)).sum::<f64>() / real(products - 1);
        estimates.push(center);
        within += spread / real(worlds);
        between.push(center);
        let mut rng = Stream::new(seed, "bootstrap").at(world as u64, 0);
        let resample = |values: &[f64], rng: &mut rand_chacha::ChaCha8Rng| {
            (0..values.len())
                .map(|_| values[rng.random_range(0..values.len())])
                .sum::<f64>()
                / real(values.len())
        };
        let mut draws = [const { Vec::new() }; 3];
        for _ in 0..replicates {
            draws[0].push(resample(&by_product, &mut rng));
            draws[1].push(resample(&by_block, &mut rng));
            let picked: Vec<usize> = (0..blocks).map(|_| rng.random_range(0..blocks)).collect();
            let mut total = 0.0;
            for _ in 0..products {
                let row = &table[rng.random_range(0..products)];
                total += picked.iter().map(|&b| row[b]).sum::<f64>();
            }
            draws[2].push(total / real(products * blocks));
        }
        intervals.push(draws.map(|mut d| {
            d.sort_by(f64::total_cmp);
            (d[replicates / 40], d[replicates - 1 - replicates / 40])
        }));
    }
    let truth = estimates.iter().sum::<f64>() / real(worlds);
    let mut hits = [0.0; 3];
    for interval in &intervals {
        for (h, (low, high)) in hits.iter_mut().zip(interval) {
            if (*low..=*high).contains(&truth) {
                *h += 1.0 / real(worlds);
            }
        }
    }
    let variance = between.iter().map(|x| (x - truth).powi(2)).sum::<f64>() / real(worlds - 1);
    // Var(mean) = own/N + shared: the shared part over the whole is the pairwise correlation.
    let shared = (variance - within / real(products)).max(0.0);
    Coverage {
        products_only: hits[0],
        weeks_only: hits[1],
        both: hits[2],
        correlation: shared / (shared + within),
    }
}

pub(crate) fn real(n: usize) -> f64 {
    n as f64
}
