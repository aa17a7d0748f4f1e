//! The laws hold for this crate's intervals, scores and metrics, and catch planted faults.

use hindsight_llm_metrics::Result;
use hindsight_llm_metrics::calibration::{EdgeRule, Edges, Reliability};
use hindsight_llm_metrics::laws::{
    Log, is_calibrated_interval, is_proper, logs, order_does_not_matter,
};
use hindsight_llm_metrics::stats::{Interval, clopper_pearson, wilson};
use proptest::prelude::*;

fn bins(confidence: &[f64], correct: &[bool]) -> Result<Reliability> {
    let edges = Edges::equal_mass(confidence, 10, EdgeRule::default())?;
    Reliability::new(confidence, correct, edges)
}

proptest! {
    #[test]
    fn metrics_do_not_depend_on_the_order(log in logs(120), seed in any::<u64>()) {
        order_does_not_matter(&log, seed, |p, y| Ok(bins(p, y)?.l1()))?;
        order_does_not_matter(&log, seed, |p, y| Ok(bins(p, y)?.signed()))?;
    }
}

/// Right answers in a log of 300 whose records are right with probability 0.8.
fn right(seed: u64) -> u64 {
    let log = Log::distorted(300, seed, |_| 0.8);
    log.correct.iter().map(|&y| u64::from(y)).sum()
}

#[test]
fn intervals_of_a_rate_hold_it_and_narrow_ones_are_caught() {
    is_calibrated_interval(0.95, 0.8, 1_000, |seed| wilson(right(seed), 300, 0.95)).unwrap();
    is_calibrated_interval(0.95, 0.8, 1_000, |seed| {
        clopper_pearson(right(seed), 300, 0.95)
    })
    .unwrap();
    for actual in [0.70, 0.90] {
        let caught = is_calibrated_interval(0.95, 0.8, 1_000, |seed| {
            wilson(right(seed), 300, actual).map(|i| Interval { level: 0.95, ..i })
        });
        assert!(
            caught.is_err(),
            "an interval of {actual} passes for one of 0.95"
        );
    }
}

#[test]
fn proper_scores_are_and_the_absolute_error_is_caught() {
    let outcome = |correct: bool| f64::from(u8::from(correct));
    is_proper(|p, y| (p - outcome(y)).powi(2)).unwrap();
    is_proper(|p, y| if y { -p.ln() } else { -(1.0 - p).ln() }).unwrap();
    assert!(is_proper(|p, y| (p - outcome(y)).abs()).is_err());
    assert!(is_proper(|_, _| 1.0).is_err());
}

#[test]
fn a_metric_that_looks_at_the_order_is_caught() {
    let log = Log::calibrated(50, 1);
    let first = |p: &[f64], _: &[bool]| Ok(p[0]);
    assert!(order_does_not_matter(&log, 3, first).is_err());
}
