//! How good a model of arrivals is: five criteria, and tests of the joint law.
//!
//! The five criteria are those that reviewers of the paper (arXiv:2310.17168) list: scores of what has arrived by each period, calibration of cumulative receipts, of "nothing
//! comes", of the first arrival, and of arrival times by bins of probability. Their exact form, the intervals and the joint tests are our own formulation.
//!
//! Slopes are of what happened on what was predicted, so that a slope above one says that too little was predicted. The prediction is a mean of finitely many samples; half of
//! the samples serve as the instrument of the other half, so that their noise does not flatten the slope.

use gpu::Stream;
use rand::RngExt;

use crate::error::{Argument, ArrivalsError, length};
use crate::log::Order;
use crate::sampler::{ArrivalModel, Path};

/// An estimate with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Half the width of the interval: 1.96 standard errors.
    pub margin: f64,
}

/// Arrivals by bin of predicted probability.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Bin {
    /// Pairs of an order and a period.
    pub count: usize,
    /// The mean predicted probability that a piece arrives in the period.
    pub predicted: f64,
    /// How often one did.
    pub observed: f64,
}

/// What the criteria say of a model on closed orders.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Evaluation {
    /// The model.
    pub model: String,
    /// Orders judged.
    pub orders: usize,
    /// The mean over orders and periods of the CRPS of the share that has arrived.
    pub crps: Estimate,
    /// The mean quantile loss of the same at 0.1, 0.5, 0.7 and 0.9.
    pub quantile_losses: [f64; 4],
    /// The slope of observed on predicted shares that have arrived by period 1, 2, …
    pub cumulative_slopes: Vec<Estimate>,
    /// The slope of "nothing came" on its predicted probability, over ten bins of it.
    pub nothing_slope: Estimate,
    /// The mean of the first arrival's period, predicted less observed, where something came.
    pub first_bias: Estimate,
    /// Arrivals by predicted probability: [0, 0.1), [0.1, 0.2), …
    pub bins: Vec<Bin>,
    /// p-values of the uniformity (Kolmogorov-Smirnov) of the randomised PIT of first arrival, last arrival, total share, and the first piece's share of the total.
    pub pit: [f64; 4],
    /// p-value of the joint two-sample test.
    pub joint: f64,
}

const LEVELS: [f64; 4] = [0.1, 0.5, 0.7, 0.9];
/// Numbers that differ by less are the same: samples may be of single precision.
const SAME: f64 = 1e-5;
/// Swaps of the joint test.
const SWAPS: usize = 199;
/// Orders that the joint test takes: its work grows with their square.
const JOINT: usize = 700;

impl Evaluation {
    /// Orders by which a model is judged at the least.
    pub const FEWEST: usize = 10;

    /// Judges a model on closed orders with `samples` paths of each, an even number, by periods 1 to `periods`.
    ///
    /// # Errors
    /// Fewer than ten orders, an order that is open, an odd number of samples or fewer than ten, what the model refuses.
    pub fn new(
        model: &dyn ArrivalModel,
        orders: &[Order],
        periods: u32,
        samples: u32,
        seed: u64,
    ) -> Result<Self, ArrivalsError> {
        let few = |argument| ArrivalsError::Empty { argument };
        if orders.len() < Self::FEWEST || orders.iter().any(|order| order.seen_until.is_some()) {
            return Err(few(Argument::Orders));
        }
        if samples < 10 || samples % 2 == 1 || periods == 0 {
            return Err(few(Argument::Samples));
        }
        let requests: Vec<_> = orders.iter().map(|order| order.request.clone()).collect();
        let drawn = model.samples(&requests, samples, seed)?;
        let truth: Vec<Path> = orders.iter().map(Path::of).collect();
        Evaluation::of(
            model.name(),
            &requests_ratio(orders),
            &truth,
            &drawn,
            periods,
            seed,
        )
    }

    fn of(
        model: &str,
        ratios: &[f64],
        truth: &[Path],
        drawn: &[Vec<Path>],
        periods: u32,
        seed: u64,
    ) -> Result<Self, ArrivalsError> {
        length(Argument::Samples, truth.len(), drawn.len())?;
        let (crps, quantile_losses) = scores(truth, drawn, periods);
        let cumulative =
            (1..=i64::from(periods)).map(|period| slope(truth, drawn, &|path| path.by(period)));
        let nothing = |path: &Path| f64::from(u8::from(path.pieces.is_empty()));
        let first = |path: &Path| {
            path.pieces
                .first()
                .map_or(f64::NAN, |piece| float(piece.time))
        };
        let biases: Vec<f64> = truth
            .iter()
            .zip(drawn)
            .filter(|(truth, _)| !truth.pieces.is_empty())
            .filter_map(|(truth, drawn)| {
                let came: Vec<f64> = drawn.iter().map(first).filter(|t| t.is_finite()).collect();
                let mean = came.iter().sum::<f64>() / count(came.len());
                (!came.is_empty()).then(|| mean - first(truth))
            })
            .collect();
        let stream = Stream::new(seed, "evaluation");
        let pit = |number: u32, of: &dyn Fn(&Path) -> f64| {
            let mut rng = stream.at(0, number);
            let mut values: Vec<f64> = truth
                .iter()
                .zip(drawn)
                .map(|(truth, drawn)| {
                    let x = of(truth);
                    let below = drawn.iter().filter(|path| of(path) < x - SAME).count();
                    let same = drawn
                        .iter()
                        .filter(|path| (of(path) - x).abs() <= SAME)
                        .count();
                    let u: f64 = rng.random();
                    (count(below) + u * count(same + 1)) / count(drawn.len() + 1)
                })
                .collect();
            uniformity(&mut values)
        };
        let [late, last, total] = [
            &first as &dyn Fn(&Path) -> f64,
            &|path| {
                path.pieces
                    .last()
                    .map_or(f64::NAN, |piece| float(piece.time))
            },
            &Path::total,
        ];
        let or_never = |of: &dyn Fn(&Path) -> f64, path: &Path| {
            if path.pieces.is_empty() {
                1e6
            } else {
                of(path)
            }
        };
        Ok(Evaluation {
            model: model.to_owned(),
            orders: truth.len(),
            crps,
            quantile_losses,
            cumulative_slopes: cumulative.collect(),
            nothing_slope: slope(truth, drawn, &nothing),
            first_bias: mean(&biases),
            bins: bins(truth, drawn, periods),
            pit: [
                pit(1, &|path| or_never(late, path)),
                pit(2, &|path| or_never(last, path)),
                pit(3, total),
                pit(4, &first_share),
            ],
            joint: joint(ratios, truth, drawn, seed),
        })
    }
}

/// The share of all that arrives which the first piece is; zero where nothing does.
fn first_share(path: &Path) -> f64 {
    let first = path.pieces.first().map_or(0.0, |piece| piece.share);
    first / path.total().max(f64::MIN_POSITIVE)
}

fn requests_ratio(orders: &[Order]) -> Vec<f64> {
    let ratio = |order: &Order| (order.request.units / order.request.usual).ln();
    orders.iter().map(ratio).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn count(n: usize) -> f64 {
    n as f64
}

#[expect(clippy::cast_precision_loss, reason = "periods far below 2^52")]
fn float(n: i64) -> f64 {
    n as f64
}

/// A mean with its interval.
fn mean(values: &[f64]) -> Estimate {
    let n = count(values.len().max(1));
    let value = values.iter().sum::<f64>() / n;
    let square = values.iter().map(|x| (x - value).powi(2)).sum::<f64>();
    Estimate {
        value,
        margin: 1.96 * (square / (n * (n - 1.0).max(1.0))).sqrt(),
    }
}

/// CRPS and quantile losses of the share that has arrived by each period.
fn scores(truth: &[Path], drawn: &[Vec<Path>], periods: u32) -> (Estimate, [f64; 4]) {
    let mut losses = [0.0; 4];
    let mut crps = Vec::with_capacity(truth.len());
    for (truth, drawn) in truth.iter().zip(drawn) {
        let mut own = 0.0;
        for period in 1..=i64::from(periods) {
            let x = truth.by(period);
            let mut shares: Vec<f64> = drawn.iter().map(|path| path.by(period)).collect();
            shares.sort_by(f64::total_cmp);
            let n = count(shares.len());
            let apart: f64 = shares.iter().map(|share| (share - x).abs()).sum();
            // Fair: pairs of different samples.
            let weight = |rank: usize| 2.0 * count(rank) + 1.0 - n;
            let spread: f64 = shares.iter().enumerate().map(|(k, s)| weight(k) * s).sum();
            own += apart / n - spread / (n * (n - 1.0));
            for (loss, level) in losses.iter_mut().zip(LEVELS) {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a rank inside the list"
                )]
                let rank = ((level * n) as usize).min(shares.len() - 1);
                let gap = x - shares[rank];
                *loss += (level * gap).max((level - 1.0) * gap);
            }
        }
        crps.push(own / f64::from(periods));
    }
    let all = count(truth.len()) * f64::from(periods);
    (mean(&crps), losses.map(|loss| loss / all))
}

/// The slope of a number on its mean over the samples, one half of the samples the instrument of the other. Not a number where all predictions are the same.
fn slope(truth: &[Path], drawn: &[Vec<Path>], of: &dyn Fn(&Path) -> f64) -> Estimate {
    let halves = drawn.iter().map(|drawn| {
        let (a, b) = drawn.split_at(drawn.len() / 2);
        [a, b].map(|half| half.iter().map(of).sum::<f64>() / count(half.len()))
    });
    let halves: Vec<[f64; 2]> = halves.collect();
    let y: Vec<f64> = truth.iter().map(of).collect();
    let n = count(y.len());
    let centre = |list: &dyn Fn(usize) -> f64| (0..y.len()).map(list).sum::<f64>() / n;
    let [ma, mb, my] = [
        centre(&|i| halves[i][0]),
        centre(&|i| halves[i][1]),
        centre(&|i| y[i]),
    ];
    let (mut up, mut down) = (0.0, 0.0);
    for (half, y) in halves.iter().zip(&y) {
        let [a, b] = [half[0] - ma, half[1] - mb];
        up += 0.5 * (a + b) * (y - my);
        down += a * b;
    }
    let value = up / down;
    let noise: f64 = halves
        .iter()
        .zip(&y)
        .map(|(half, y)| {
            let x = 0.5 * (half[0] - ma + half[1] - mb);
            (x * (y - my - value * x)).powi(2)
        })
        .sum();
    Estimate {
        value,
        margin: 1.96 * noise.sqrt() / down.abs(),
    }
}

/// Arrivals by bins of predicted probability.
fn bins(truth: &[Path], drawn: &[Vec<Path>], periods: u32) -> Vec<Bin> {
    let mut sums = [(0_usize, 0.0, 0.0); 10];
    let here = |path: &Path, period: i64| path.pieces.iter().any(|piece| piece.time == period);
    for (truth, drawn) in truth.iter().zip(drawn) {
        for period in 0..=i64::from(periods) {
            let hits = drawn.iter().filter(|path| here(path, period)).count();
            let sum = &mut sums[(10 * hits / drawn.len()).min(9)];
            sum.0 += 1;
            sum.1 += count(hits) / count(drawn.len());
            sum.2 += f64::from(u8::from(here(truth, period)));
        }
    }
    let bin = |(n, predicted, observed): (usize, f64, f64)| Bin {
        count: n,
        predicted: predicted / count(n.max(1)),
        observed: observed / count(n.max(1)),
    };
    sums.map(bin).to_vec()
}

/// The p-value of the Kolmogorov-Smirnov test that values are uniform on [0, 1].
pub(crate) fn uniformity(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = count(values.len());
    let gap = |(k, &x): (usize, &f64)| (count(k + 1) / n - x).max(x - count(k) / n);
    let distance = values.iter().enumerate().map(gap).fold(0.0, f64::max);
    // Stephens' form of the limit law.
    let z = (n.sqrt() + 0.12 + 0.11 / n.sqrt()) * distance;
    let term = |k: i32| {
        let sign = if k % 2 == 1 { 1.0 } else { -1.0 };
        sign * (-2.0 * f64::from(k * k) * z * z).exp()
    };
    let tail: f64 = 2.0 * (1..=100).map(term).sum::<f64>();
    if z < 0.2 { 1.0 } else { tail.clamp(0.0, 1.0) }
}

/// Number of pieces, first, last, total, the first piece's share of it, and the size of the order: standardised by what happened.
fn joint(ratios: &[f64], truth: &[Path], drawn: &[Vec<Path>], seed: u64) -> f64 {
    let n = truth.len().min(JOINT);
    let numbers = |path: &Path, ratio: f64| -> [f64; 6] {
        let first = path.pieces.first().map_or(-1.0, |piece| float(piece.time));
        let last = path.pieces.last().map_or(-1.0, |piece| float(piece.time));
        let pieces = count(path.pieces.len());
        [pieces, first, last, path.total(), first_share(path), ratio]
    };
    let mut points: Vec<[f64; 6]> = (0..n).map(|i| numbers(&truth[i], ratios[i])).collect();
    points.extend((0..n).map(|i| numbers(&drawn[i][0], ratios[i])));
    for k in 0..6 {
        let own: Vec<f64> = points[..n].iter().map(|point| point[k]).collect();
        let m = own.iter().sum::<f64>() / count(n);
        let sd = (own.iter().map(|x| (x - m).powi(2)).sum::<f64>() / count(n)).sqrt();
        points.iter_mut().for_each(|point| point[k] /= sd.max(1e-9));
    }
    let distance = |i: usize, j: usize| {
        let square = points[i]
            .iter()
            .zip(&points[j])
            .map(|(a, b)| (a - b).powi(2));
        square.sum::<f64>().sqrt()
    };
    // What a swap of two pairs changes: with signs +1 and -1 the energy statistic is the quadratic form of these numbers.
    let mut kernel = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..n {
            kernel[i * n + j] =
                distance(i, n + j) + distance(n + i, j) - distance(i, j) - distance(n + i, n + j);
        }
    }
    let statistic = |signs: &[f64]| -> f64 {
        let row = |i: usize| {
            let inner: f64 = kernel[i * n..(i + 1) * n]
                .iter()
                .zip(signs)
                .map(|(k, s)| k * s)
                .sum();
            signs[i] * inner
        };
        (0..n).map(row).sum()
    };
    let found = statistic(&vec![1.0; n]);
    let stream = Stream::new(seed, "swaps");
    let as_large = (0..SWAPS).filter(|&swap| {
        let mut rng = stream.at(swap as u64, 0);
        let signs: Vec<f64> = (0..n)
            .map(|_| if rng.random() { 1.0 } else { -1.0 })
            .collect();
        statistic(&signs) >= found
    });
    count(as_large.count() + 1) / count(SWAPS + 1)
}
