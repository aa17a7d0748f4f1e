//! The four experiments: where the learnability bounds hold, and where they must fail.

#![allow(clippy::cast_precision_loss, reason = "counts far below 2^53")]

// Named, since a test takes this file in too.
#[path = "simulator.rs"]
mod simulator;

use hindsight_gpu::Stream;
use rand::{Rng, RngExt};

pub(crate) use simulator::*;

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
