//! Coverage of the intervals of accuracy, signed error, Brier score, log loss, AURC and the accuracy of the most confident tenth.
//!
//! `cargo run --release -p hindsight-llm-metrics --features studies --example score_coverage -- SETS RECORDS...` prints rows of the table of the README: for each number of records
//! the least coverage over sixteen cases, at 90 and 95 %.

#![allow(clippy::cast_precision_loss, reason = "counts of sets and records")]

use hindsight_llm_metrics::calibration::{Binning, Score, ScoreAccumulator, ScoreSettings, Scores};

mod laws;

use laws::{KINDS, LAWS, LEVELS, Sample, arguments, contains, least};

type Of = fn(&Scores) -> Score;
const SCORES: [(&str, Of); 6] = [
    ("accuracy", |s| s.accuracy),
    ("signed error", |s| s.signed),
    ("Brier score", |s| s.brier),
    ("log loss", |s| s.log_loss),
    ("AURC", |s| s.aurc),
    ("top tenth", |s| s.accuracy_top_tenth),
];

fn main() -> Result<(), hindsight_llm_metrics::Error> {
    let (sets, records) = arguments();
    let names: Vec<String> = SCORES
        .iter()
        .map(|(name, _)| format!("{name}, 90 % | 95 %"))
        .collect();
    println!("| records | sets | {} |", names.join(" | "));
    println!("|---|---|{}", "---|".repeat(12));
    for n in records {
        // By case, score and level: intervals that contain the truth, of so many.
        let mut hits = vec![[[(0u64, 0u64); 2]; 6]; KINDS.len() * LAWS.len()];
        for (case, hits) in hits.iter_mut().enumerate() {
            for set in 0..sets {
                let sample = Sample::new(n, case / LAWS.len(), case % LAWS.len(), set);
                judge(&sample, set, hits)?;
            }
        }
        let shown: Vec<String> = (0..12)
            .map(|k| least(hits.iter().map(|h| h[k / 2][k % 2])))
            .collect();
        println!("| {n} | {sets} | {} |", shown.join(" | "));
    }
    Ok(())
}

fn judge(
    sample: &Sample,
    seed: u64,
    hits: &mut [[(u64, u64); 2]; 6],
) -> Result<(), hindsight_llm_metrics::Error> {
    let truths = truths(sample);
    for (j, level) in LEVELS.into_iter().enumerate() {
        let mut log = ScoreAccumulator::new(ScoreSettings {
            binning: Binning::EqualWidth(1),
            level,
            draws: 400,
            seed,
            ..ScoreSettings::default()
        })?;
        for (c, y) in sample.confidence.iter().zip(&sample.right) {
            log.push(*c, *y)?;
        }
        let scores = log.scores()?;
        for ((hits, (_, score)), truth) in hits.iter_mut().zip(SCORES).zip(truths) {
            if let Some(interval) = score(&scores).interval {
                hits[j].0 += u64::from(contains(&interval, truth));
                hits[j].1 += 1;
            }
        }
    }
    Ok(())
}

/// The expected scores, given the confidences.
fn truths(sample: &Sample) -> [f64; 6] {
    let n = sample.confidence.len() as f64;
    let pairs = || sample.confidence.iter().zip(&sample.chance);
    let mean = |f: fn(f64, f64) -> f64| pairs().map(|(c, p)| f(*c, *p)).sum::<f64>() / n;
    // A chance of 0 costs nothing, whatever its logarithm.
    let log_loss = |c: f64, p: f64| {
        let cost = |chance: f64, q: f64| if chance > 0.0 { -chance * q.ln() } else { 0.0 };
        cost(p, c) + cost(1.0 - p, 1.0 - c)
    };
    let mut order: Vec<(f64, f64)> = pairs().map(|(c, p)| (*c, 1.0 - p)).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut wrong, mut answered, mut risks, mut top) = (0.0, 0.0, 0.0, 0.0);
    let tenth = (0.1 * n).ceil();
    // Records of one cell of the histogram come in random order.
    let cell = |c: f64| (c * 16384.0).floor().min(16383.0);
    for tied in order.chunk_by(|a, b| cell(a.0).total_cmp(&cell(b.0)).is_eq()) {
        let share = tied.iter().map(|t| t.1).sum::<f64>() / tied.len() as f64;
        for _ in tied {
            wrong += share;
            answered += 1.0;
            risks += wrong / answered;
            if answered <= tenth {
                top = wrong / answered;
            }
        }
    }
    [
        mean(|_, p| p),
        mean(|c, p| p - c),
        mean(|c, p| p * (1.0 - c).powi(2) + (1.0 - p) * c * c),
        mean(log_loss),
        risks / n,
        1.0 - top,
    ]
}
