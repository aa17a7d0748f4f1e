//! The intervals of the scores that are means over records.

use super::accumulate::Summary;
use super::histogram::{CELLS, ConfidenceHistogram, OFFSET_SCALE};
use super::mean_interval::{Block, LossCells, weighted_errors};
use super::scores::{Score, ScoreSettings};
use super::selective::Selective;
use crate::error::Result;

/// A mean loss with its standard deviation over records, and its interval unless it is infinite.
pub(super) fn mean_loss(
    cells: &LossCells,
    (mean, deviation): (f64, f64),
    s: &ScoreSettings,
) -> Score {
    let finite = mean.is_finite();
    Score {
        value: mean,
        interval: finite.then(|| cells.interval((mean, deviation), s.level, s.draws, s.seed)),
    }
}

/// Cells at either end of the histogram in which losses are counted one by one: within them the logarithm is far from straight.
const EXTREME: usize = 64;

/// Whether a confidence lies in one of the outer cells.
#[allow(clippy::cast_precision_loss)] // Small powers of two.
pub(super) fn is_extreme(confidence: f64) -> bool {
    const EDGE: f64 = EXTREME as f64 / CELLS as f64;
    !(EDGE..1.0 - EDGE).contains(&confidence)
}

/// Counts the log loss of such an answer; a certain mistake is counted elsewhere.
pub(super) fn add_extreme(cells: &mut LossCells, confidence: f64, correct: bool) {
    let range = [
        confidence.max(1.0 - confidence),
        confidence.min(1.0 - confidence),
    ];
    let q = if correct {
        confidence
    } else {
        1.0 - confidence
    };
    if q > 0.0 {
        cells.add(-q.ln(), range.map(|q| -q.ln()), 1);
    }
}

/// Brier score and log loss of answers with their confidences.
#[allow(clippy::cast_precision_loss)] // Counts.
pub(super) fn proper(
    summary: &Summary,
    histogram: &ConfidenceHistogram,
    extremes: &LossCells,
    s: &ScoreSettings,
) -> [Score; 2] {
    let means = [summary.brier, summary.nll];
    let mut cells = [LossCells::default(), extremes.clone()];
    let mut squares = [0.0, extremes.squares(means[1])];
    for (k, pair) in histogram.cells.chunks_exact(2).enumerate() {
        let inner = (EXTREME..CELLS - EXTREME).contains(&k);
        for (y, [n, offsets, _]) in pair.iter().enumerate().filter(|c| c.1[0] > 0) {
            let c = (k as f64 + *offsets as f64 / OFFSET_SCALE / *n as f64) / CELLS as f64;
            let (q, other) = if y == 1 { (c, 1.0 - c) } else { (1.0 - c, c) };
            let losses = [(1.0 - q).powi(2), -q.ln()];
            let (high, low) = (q.max(other), q.min(other));
            let ranges = [[low.powi(2), high.powi(2)], [-high.ln(), -low.ln()]];
            for i in 0..=usize::from(inner) {
                cells[i].add(losses[i], ranges[i], *n);
                squares[i] += *n as f64 * (losses[i] - means[i]).powi(2);
            }
        }
    }
    let deviation = |sum: f64| (sum / (histogram.n() as f64 - 1.0)).sqrt();
    [0, 1].map(|i| mean_loss(&cells[i], (means[i], deviation(squares[i])), s))
}

/// Area under the risk-coverage curve and accuracy of the most confident tenth.
pub(super) fn selective(curve: &Selective, s: &ScoreSettings) -> Result<[Score; 2]> {
    let aurc = curve.aurc();
    let interval = weighted_errors(&curve.blocks(), aurc, s.level, s.draws, s.seed)?;
    let accuracy = curve.accuracy_at_coverage(TENTH)?;
    let errors = weighted_errors(
        &curve.first(TENTH),
        1.0 - accuracy,
        s.level,
        s.draws,
        s.seed,
    )?;
    let tenth = crate::stats::Interval {
        lower: 1.0 - errors.upper,
        upper: 1.0 - errors.lower,
        level: s.level,
    };
    Ok([
        Score {
            value: aurc,
            interval: Some(interval),
        },
        Score {
            value: accuracy,
            interval: Some(tenth),
        },
    ])
}

/// The coverage at which the accuracy is reported.
const TENTH: f64 = 0.1;

impl Selective {
    /// The records in blocks that grow with the position: half as many records as lie before a block make it up, and records of one confidence stay together.
    #[allow(clippy::cast_precision_loss)] // Counts.
    fn blocks(&self) -> Vec<Block> {
        let (n, _) = self.totals();
        let mut blocks = Vec::new();
        let (mut from, mut wrong_before) = (0, 0);
        for &(_, upto, wrong) in &self.steps {
            if 2 * (upto - from) >= from || upto == n {
                let (weight, unevenness) = running_mean_weight(from, upto, n);
                blocks.push(Block {
                    weight,
                    count: upto - from,
                    wrong: wrong - wrong_before,
                    unevenness,
                });
                (from, wrong_before) = (upto, wrong);
            }
        }
        blocks
    }

    /// The blocks that make up the first share of the records: those above the last confidence, and of that as much as is needed.
    #[allow(clippy::cast_precision_loss)] // Counts.
    fn first(&self, coverage: f64) -> Vec<Block> {
        let wanted = self.answered(coverage);
        let at = self.steps.partition_point(|s| s.1 < wanted);
        let block = |(count, wrong): (u64, u64), taken: u64| Block {
            weight: taken as f64 / wanted as f64,
            count,
            wrong,
            unevenness: 1.0,
        };
        let before = at
            .checked_sub(1)
            .map_or((0, 0), |i| (self.steps[i].1, self.steps[i].2));
        let (_, upto, wrong) = self.steps[at];
        let tied = (upto - before.0, wrong - before.1);
        if wanted == upto {
            return vec![block((upto, wrong), wanted)];
        }
        let mut blocks = vec![block(tied, wanted - before.0)];
        if before.0 > 0 {
            blocks.push(block(before, before.0));
        }
        blocks
    }
}

/// What a share of 1 of wrong answers at the positions from + 1 to upto adds to the mean running risk of n records, and how uneven the positions' own weights are.
/// The answer at position i counts for the sum of 1/k over k from i to n, over n.
#[allow(clippy::cast_precision_loss)] // Counts.
fn running_mean_weight(from: u64, upto: u64, n: u64) -> (f64, f64) {
    use super::selective::harmonic_between;
    let (a, m) = (from as f64, (upto - from) as f64);
    let later = harmonic_between(upto, n);
    let sum = m - a * harmonic_between(from, upto) + m * later;
    // The second moment, at up to 64 of the positions.
    let sampled = (upto - from).min(64);
    let at = |j: u64| from + (2 * j + 1) * (upto - from) / (2 * sampled);
    let square = |i: u64| (harmonic_between(i.max(1) - 1, upto) + later).powi(2);
    let second = (0..sampled).map(|j| square(at(j) + 1)).sum::<f64>() / sampled as f64;
    let first = sum / m;
    (sum / n as f64, (second.sqrt() / first).max(1.0))
}
