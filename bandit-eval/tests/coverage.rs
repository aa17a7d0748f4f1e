//! Intervals cover as often as they say, over 2,000 seeded logs of six laws.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts"
)]

#[path = "common/laws.rs"]
mod laws;

use hindsight_bandit_eval::{Estimator, Evaluation, verdict::Limits};
use laws::{LAWS, Law};
use rand::SeedableRng;
use rand_pcg::Pcg64;

const REPEATS: u64 = 2_000;
const ROUNDS: usize = 4_000;
const KEPT: [Estimator; 5] = [
    Estimator::Ips,
    Estimator::Snips,
    Estimator::Dr,
    Estimator::Sndr,
    Estimator::ControlVariate,
];

/// Shares of logs whose 95 % interval covers the truth, by estimator; the last is the peer's way of an interval for SNIPS, which
/// takes the spread of the rounds' weighted rewards over the mean weight.
fn coverage(law: Law, rounds: usize) -> [f64; KEPT.len() + 1] {
    let truth = law.truth(&mut Pcg64::seed_from_u64(99));
    let mut hits = [0.0; KEPT.len() + 1];
    for seed in 0..REPEATS {
        let mut rng = Pcg64::seed_from_u64(1_000 + seed);
        let mut evaluation = Evaluation::new(&KEPT).unwrap();
        let mut rows = Vec::with_capacity(rounds);
        for _ in 0..rounds {
            let drawn = law.draw(&mut rng);
            let round = drawn.round();
            rows.push((round.target[round.action] / round.propensity, round.reward));
            evaluation.push(&round).unwrap();
        }
        for (estimator, hits) in KEPT.iter().zip(&mut hits) {
            let estimate = evaluation.estimate(*estimator, &Limits::default()).unwrap();
            match estimate {
                Ok(e) => *hits += f64::from(u8::from(e.interval(0.95).unwrap().contains(truth))),
                Err(refusal) => println!("{law:?} {seed}: {refusal}"),
            }
        }
        let n = rounds as f64;
        let mean = rows.iter().map(|r| r.0).sum::<f64>() / n;
        let peer: Vec<f64> = rows.iter().map(|(w, r)| w * r / mean).collect();
        let value = peer.iter().sum::<f64>() / n;
        let spread = peer.iter().map(|v| (v - value).powi(2)).sum::<f64>() / (n - 1.0);
        let half = 1.96 * (spread / n).sqrt();
        hits[KEPT.len()] += f64::from(u8::from((value - truth).abs() <= half));
    }
    hits.map(|h| h / REPEATS as f64)
}

#[test]
fn intervals_cover_in_six_laws_where_the_peers_does_not() {
    let mut peer_fails = 0;
    for law in LAWS {
        let shares = coverage(law, ROUNDS);
        println!("{law:?}: {:?} {shares:?}", KEPT.map(|e| e.to_string()));
        for (estimator, share) in KEPT.iter().zip(shares) {
            assert!(
                (share - 0.95).abs() <= 0.015,
                "{law:?} {estimator}: {share}"
            );
        }
        peer_fails += u32::from((shares[KEPT.len()] - 0.95).abs() > 0.015);
    }
    assert!(
        peer_fails >= 3,
        "the peer's interval fails in {peer_fails} laws only"
    );
}
