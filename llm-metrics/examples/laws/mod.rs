//! The sixteen cases of the coverage studies: four kinds of confidences, each with four laws of the outcomes.

use hindsight_llm_metrics::stats::Interval;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

pub(crate) const LEVELS: [f64; 2] = [0.9, 0.95];

type Law = fn(f64) -> f64;
/// The chance of a right answer at a stated confidence: calibrated, of the power 1.5, five points below, shrunk towards one half.
pub(crate) const LAWS: [Law; 4] = [
    |c| c,
    |c| c.powf(1.5),
    |c| (c - 0.05).max(0.0),
    |c| 0.5 + (c - 0.5) * 0.7,
];
/// A confidence from a uniform: uniform, near one, a few values with half of them at 1, all at 0.99.
pub(crate) const KINDS: [Law; 4] = [
    |u| u,
    |u| 1.0 - 0.15 * u.powi(4),
    |u| [0.5, 0.9, 1.0, 1.0][usize::from(u >= 0.25) + usize::from(u >= 0.5)],
    |_| 0.99,
];

/// A log with what is true of it.
pub(crate) struct Sample {
    pub(crate) confidence: Vec<f64>,
    /// The chance of each right answer.
    pub(crate) chance: Vec<f64>,
    pub(crate) right: Vec<bool>,
}

impl Sample {
    /// The log number `set` of `n` records; every case and every set has draws of its own.
    pub(crate) fn new(n: usize, kind: usize, law: usize, set: u64) -> Self {
        let case = (n * 16 + 4 * kind + law) as u64;
        let mut rng = Pcg64::seed_from_u64(case << 32 | set);
        let mut draw = || rng.random::<f64>();
        let confidence: Vec<f64> = (0..n).map(|_| KINDS[kind](draw())).collect();
        let chance: Vec<f64> = confidence.iter().map(|c| LAWS[law](*c)).collect();
        let right = chance.iter().map(|p| draw() < *p).collect();
        Self {
            confidence,
            chance,
            right,
        }
    }
}

/// The number of sets and the numbers of records that the command line names.
pub(crate) fn arguments() -> (u64, Vec<usize>) {
    let mut numbers = std::env::args().skip(1).filter_map(|a| a.parse().ok());
    let sets = numbers.next().unwrap_or(200) as u64;
    let records: Vec<usize> = numbers.collect();
    if records.is_empty() {
        return (sets, vec![5, 20, 100, 300, 2_000, 20_000, 100_000]);
    }
    (sets, records)
}

/// Whether an interval contains the truth, up to rounding.
pub(crate) fn contains(interval: &Interval, truth: f64) -> bool {
    interval.lower - 1e-9 <= truth && truth <= interval.upper + 1e-9
}

/// The least share of hits, in per cent.
pub(crate) fn least(cases: impl Iterator<Item = (u64, u64)>) -> String {
    let share = |(hits, of): (u64, u64)| 100.0 * hits as f64 / of as f64;
    let least = cases.map(share).fold(f64::NAN, f64::min);
    format!("{least:.1}")
}
