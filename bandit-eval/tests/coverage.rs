//! Intervals cover as often as they say, over 2,000 seeded logs of six laws.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts"
)]

#[path = "common/laws.rs"]
mod laws;

use hindsight_bandit_eval::{Estimator, Evaluation, Interval, verdict::Limits};
use laws::{LAWS, Law};
use rand::SeedableRng;
use rand_pcg::Pcg64;

const REPEATS: u64 = 2_000;
const KEPT: [Estimator; 5] = [
    Estimator::Ips,
    Estimator::Snips,
    Estimator::Dr,
    Estimator::Sndr,
    Estimator::ControlVariate,
];

/// Shares of logs whose 95 % interval covers the truth, by estimator; the last two are those of the SNIPS interval made a sixth narrower, and of the peer's way of an interval for
/// SNIPS, which takes the spread of the rounds' weighted rewards over the mean weight.
fn coverage(law: Law, rounds: usize) -> [f64; KEPT.len() + 2] {
    let truth = law.truth(&mut Pcg64::seed_from_u64(99));
    let mut hits = [0.0; KEPT.len() + 2];
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
        if let Ok(e) = evaluation
            .estimate(Estimator::Snips, &Limits::default())
            .unwrap()
        {
            let Interval { lower, upper, .. } = e.interval(0.95).unwrap();
            let trimmed = (upper - lower) / 12.0;
            let within = (lower + trimmed..=upper - trimmed).contains(&truth);
            hits[KEPT.len()] += f64::from(u8::from(within));
        }
        let n = rounds as f64;
        let mean = rows.iter().map(|r| r.0).sum::<f64>() / n;
        let peer: Vec<f64> = rows.iter().map(|(w, r)| w * r / mean).collect();
        let value = peer.iter().sum::<f64>() / n;
        let spread = peer.iter().map(|v| (v - value).powi(2)).sum::<f64>() / (n - 1.0);
        let half = 1.96 * (spread / n).sqrt();
        hits[KEPT.len() + 1] += f64::from(u8::from((value - truth).abs() <= half));
    }
    hits.map(|h| h / REPEATS as f64)
}

/// Within one and a half points of 95 %, which is three standard errors of the share of 2,000 logs; the planted fault, an interval a sixth narrower, is outside.
fn check(rounds: usize) {
    let (mut peer_fails, mut narrow_fails) = (0, 0);
    let outside = |share: f64| (share - 0.95).abs() > 0.015 + 1e-9;
    for law in LAWS {
        let shares = coverage(law, rounds);
        println!(
            "{rounds} {law:?}: {:?} {shares:?}",
            KEPT.map(|e| e.to_string())
        );
        for (estimator, share) in KEPT.iter().zip(shares) {
            assert!(!outside(share), "{rounds} {law:?} {estimator}: {share}");
        }
        narrow_fails += u32::from(outside(shares[KEPT.len()]));
        peer_fails += u32::from(outside(shares[KEPT.len() + 1]));
    }
    assert!(
        peer_fails >= 3,
        "the peer's interval fails in {peer_fails} laws only"
    );
    assert!(
        narrow_fails >= 5,
        "a narrow interval fails in {narrow_fails} laws only"
    );
}

#[test]
fn intervals_cover_in_six_laws_where_the_peers_does_not() {
    check(4_000);
}

/// Half as many rounds: down to 120 effective ones.
#[test]
fn intervals_cover_where_few_rounds_carry_the_weight() {
    check(2_000);
}
