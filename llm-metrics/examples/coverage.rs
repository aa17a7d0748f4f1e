//! Coverage of the intervals of the calibration error over a grid of bins, records, confidences and laws.
//!
//! `cargo run --release -p hindsight-llm-metrics --example coverage --features rayon -- [SETS]` prints the table of the README: for each number of
//! records and bins the least coverage over the laws, for l1, l2 and the largest bin error, at 90 and 95 %.

#![allow(clippy::cast_precision_loss, reason = "counts of sets and records")]

use hindsight_llm_metrics::calibration::{
    EdgeRule, Edges, Norm, Reliability, calibration_interval,
};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

const RECORDS: [usize; 6] = [5, 20, 100, 300, 2_000, 20_000];
const BINS: [usize; 5] = [1, 5, 15, 100, 200];
const NORMS: [Norm; 3] = [Norm::L1, Norm::L2, Norm::Max];
const LEVELS: [f64; 2] = [0.9, 0.95];

type Law = fn(f64) -> f64;
/// What is true of a stated confidence.
const LAWS: [(&str, Law); 4] = [
    ("calibrated", |c| c),
    ("power 1.5", |c| c.powf(1.5)),
    ("5 points over", |c| (c - 0.05).max(0.0)),
    ("shrunk", |c| 0.5 + (c - 0.5) * 0.7),
];
/// How confidences are drawn from a uniform.
const KINDS: [(&str, Law); 4] = [
    ("uniform", |u| u),
    ("near one", |u| 1.0 - 0.15 * u.powi(4)),
    ("a few values", |u| {
        if u < 0.25 {
            0.5
        } else if u < 0.5 {
            0.9
        } else {
            1.0
        }
    }),
    ("all at 0.99", |_| 0.99),
];

fn main() -> Result<(), hindsight_llm_metrics::Error> {
    let sets: u64 = std::env::args()
        .nth(1)
        .and_then(|s| s.parse().ok())
        .unwrap_or(200);
    println!(
        "| records | bins | l1, 90 % | 95 % | l2, 90 % | 95 % | largest, 90 % | 95 % | no interval |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for n in RECORDS {
        for bins in BINS {
            cell(n, bins, sets)?;
        }
    }
    Ok(())
}

/// One row: the least coverage over kinds and laws, and the share of sets for which no interval can be given.
fn cell(n: usize, bins: usize, sets: u64) -> Result<(), hindsight_llm_metrics::Error> {
    let edges = Edges::equal_width(bins, EdgeRule::UpperClosed)?;
    let sets = if bins >= 100 { sets.div_ceil(4) } else { sets };
    let mut least = [[(1.0f64, ""); 2]; 3];
    let (mut refused, mut asked) = (0u64, 0u64);
    for (kind, confidence) in KINDS {
        for (_, law) in LAWS {
            let mut hits = [[0u64; 2]; 3];
            let mut given = 0u64;
            for seed in 0..sets {
                let mut rng = Pcg64::seed_from_u64(seed);
                let conf: Vec<f64> = (0..n).map(|_| confidence(rng.random())).collect();
                let right: Vec<bool> = conf.iter().map(|c| rng.random::<f64>() < law(*c)).collect();
                let table = Reliability::new(&conf, &right, edges.clone())?;
                asked += 1;
                if calibration_interval(&table, Norm::Max, 0.9, 100, 0).is_err() {
                    refused += 1;
                    continue;
                }
                given += 1;
                let truth = truths(&conf, law, &edges);
                for (i, norm) in NORMS.into_iter().enumerate() {
                    for (j, level) in LEVELS.into_iter().enumerate() {
                        let interval = calibration_interval(&table, norm, level, 400, seed)?;
                        let theta = truth[i];
                        hits[i][j] += u64::from(
                            interval.lower - 1e-9 <= theta && theta <= interval.upper + 1e-9,
                        );
                    }
                }
            }
            for i in 0..3 {
                for j in 0..2 {
                    let share = hits[i][j] as f64 / given.max(1) as f64;
                    if given >= sets / 2 && share < least[i][j].0 {
                        least[i][j] = (share, kind);
                    }
                }
            }
        }
    }
    let shown: Vec<String> = least
        .iter()
        .flatten()
        .map(|(share, _)| format!("{:.1}", 100.0 * share))
        .collect();
    println!(
        "| {n} | {bins} | {} | {:.0} % |",
        shown.join(" | "),
        100.0 * refused as f64 / asked as f64
    );
    Ok(())
}

/// The three errors at the true accuracies.
fn truths(conf: &[f64], law: Law, edges: &Edges) -> [f64; 3] {
    let mut gaps = vec![(0.0, 0.0); edges.len()];
    for &c in conf {
        let g = &mut gaps[edges.bin_of(c)];
        g.0 += 1.0;
        g.1 += law(c) - c;
    }
    let n = conf.len() as f64;
    let (mut l1, mut l2, mut max) = (0.0, 0.0, 0.0f64);
    for (count, sum) in gaps.into_iter().filter(|g| g.0 > 0.0) {
        let d: f64 = sum / count;
        l1 += count / n * d.abs();
        l2 += count / n * d * d;
        max = max.max(d.abs());
    }
    [l1, l2.sqrt(), max]
}
