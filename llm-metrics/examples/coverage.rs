//! Coverage of the intervals of the calibration error over a grid of records, bins, confidences and laws.
//!
//! `cargo run --release -p hindsight-llm-metrics --features studies --example coverage -- SETS RECORDS...` prints rows of the table of the README: for each number of records
//! and bins the least coverage over sixteen cases, for l1, l2 and the largest bin error, at 90 and 95 %.

#![allow(clippy::cast_precision_loss, reason = "counts of sets and records")]

use hindsight_llm_metrics::calibration::{
    EdgeRule, Edges, Norm, Reliability, calibration_interval,
};

mod laws;

use laws::{KINDS, LAWS, LEVELS, Sample, arguments, least};

const BINS: [usize; 5] = [1, 5, 15, 100, 200];
const NORMS: [Norm; 3] = [Norm::L1, Norm::L2, Norm::Max];
/// Draws of each test.
const DRAWS: usize = 400;

/// What one case with one number of bins adds up.
#[derive(Clone, Copy, Default)]
struct Count {
    given: u64,
    hits: [[u64; 2]; 3],
}

fn main() -> Result<(), hindsight_llm_metrics::Error> {
    let (sets, records) = arguments();
    println!(
        "| records | bins | sets | l1, 90 % | 95 % | l2, 90 % | 95 % | largest, 90 % | 95 % | no interval |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for n in records {
        let mut counts = [[Count::default(); 16]; BINS.len()];
        for kind in 0..KINDS.len() {
            for law in 0..LAWS.len() {
                for set in 0..sets {
                    let sample = Sample::new(n, kind, law, set);
                    for (counts, bins) in counts.iter_mut().zip(BINS) {
                        judge(&sample, bins, set, &mut counts[4 * kind + law])?;
                    }
                }
            }
        }
        for (counts, bins) in counts.iter().zip(BINS) {
            row(n, bins, sets, counts);
        }
    }
    Ok(())
}

/// Counts which intervals of one log contain the truth.
fn judge(
    sample: &Sample,
    bins: usize,
    seed: u64,
    count: &mut Count,
) -> Result<(), hindsight_llm_metrics::Error> {
    let edges = Edges::equal_width(bins, EdgeRule::UpperClosed)?;
    let truth = truths(sample, &edges);
    let table = Reliability::new(&sample.confidence, &sample.right, edges)?;
    if calibration_interval(&table, Norm::Max, 0.9, DRAWS, 0).is_err() {
        return Ok(());
    }
    count.given += 1;
    for (i, norm) in NORMS.into_iter().enumerate() {
        for (j, level) in LEVELS.into_iter().enumerate() {
            let interval = calibration_interval(&table, norm, level, DRAWS, seed)?;
            count.hits[i][j] += u64::from(laws::contains(&interval, truth[i]));
        }
    }
    Ok(())
}

/// Prints the least coverage over the cases in which at least half of the sets have an interval.
fn row(n: usize, bins: usize, sets: u64, counts: &[Count; 16]) {
    let shown: Vec<String> = (0..6)
        .map(|k| {
            let cases = counts.iter().filter(|c| 2 * c.given >= sets);
            least(cases.map(|c| (c.hits[k / 2][k % 2], c.given)))
        })
        .collect();
    let given: u64 = counts.iter().map(|c| c.given).sum();
    println!(
        "| {n} | {bins} | {sets} | {} | {:.0} % |",
        shown.join(" | "),
        100.0 * (1.0 - given as f64 / (16 * sets) as f64)
    );
}

/// The three errors at the true accuracies.
fn truths(sample: &Sample, edges: &Edges) -> [f64; 3] {
    let mut gaps = vec![(0.0, 0.0); edges.len()];
    for (&c, &p) in sample.confidence.iter().zip(&sample.chance) {
        let g = &mut gaps[edges.bin_of(c)];
        g.0 += 1.0;
        g.1 += p - c;
    }
    let n = sample.confidence.len() as f64;
    let (mut l1, mut l2, mut max) = (0.0, 0.0, 0.0f64);
    for (count, sum) in gaps.into_iter().filter(|g| g.0 > 0.0) {
        let d: f64 = sum / count;
        l1 += count / n * d.abs();
        l2 += count / n * d * d;
        max = max.max(d.abs());
    }
    [l1, l2.sqrt(), max]
}
