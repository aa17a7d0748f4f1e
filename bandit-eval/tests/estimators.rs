//! Estimators against their formulas, laws that any of them must obey, and what is refused.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts"
)]

#[path = "common/laws.rs"]
mod laws;

use hindsight_bandit_eval::{
    Bootstrap, Error, Estimate, Estimator, Evaluation, Range, Round, Table, Weighted,
    comparison::Comparison,
    error::Whose,
    verdict::{Limits, Reason},
};
use laws::{Drawn, LAWS, Law};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_pcg::Pcg64;

const ALL: [Estimator; 11] = [
    Estimator::Ips,
    Estimator::Clipped(1.7),
    Estimator::Snips,
    Estimator::ControlVariate,
    Estimator::Dm,
    Estimator::Dr,
    Estimator::Sndr,
    Estimator::SwitchDr(1.5),
    Estimator::DrOs(2.5),
    Estimator::SubGaussianIps(0.1),
    Estimator::SubGaussianDr(0.2),
];

fn log(law: Law, seed: u64, rounds: usize) -> Vec<Drawn> {
    let mut rng = Pcg64::seed_from_u64(seed);
    (0..rounds).map(|_| law.draw(&mut rng)).collect()
}

/// Limits that let everything through.
fn none() -> Limits {
    Limits {
        effective: 0.0,
        largest_share: 1.0,
        uncovered: 1e9,
        significance: 1e-300,
    }
}

fn value(evaluation: &Evaluation, estimator: Estimator) -> Estimate {
    evaluation.estimate(estimator, &none()).unwrap().unwrap()
}

/// The estimate and the influence of each round, written down as the definitions have them.
fn definition(estimator: Estimator, rounds: &[Drawn]) -> (f64, Vec<f64>) {
    let n = rounds.len() as f64;
    let mean = |f: &dyn Fn(&Drawn) -> f64| rounds.iter().map(f).sum::<f64>() / n;
    let w = |d: &Drawn| d.target[d.action] / d.logging[d.action];
    let r = |d: &Drawn| d.reward;
    let e = |d: &Drawn| d.reward - d.predicted[d.action];
    let v = |d: &Drawn| {
        d.target
            .iter()
            .zip(&d.predicted)
            .map(|(p, q)| p * q)
            .sum::<f64>()
    };
    let linear = |f: &dyn Fn(&Drawn) -> f64| {
        let m = mean(f);
        (m, rounds.iter().map(|d| f(d) - m).collect::<Vec<f64>>())
    };
    let mw = mean(&w);
    match estimator {
        Estimator::Ips => linear(&|d| w(d) * r(d)),
        Estimator::Clipped(m) => linear(&|d| w(d).min(m) * r(d)),
        Estimator::Snips => {
            let s = mean(&|d| w(d) * r(d)) / mw;
            (s, rounds.iter().map(|d| w(d) * (r(d) - s) / mw).collect())
        }
        Estimator::ControlVariate => {
            let mwr = mean(&|d| w(d) * r(d));
            let b = mean(&|d| (w(d) - mw) * w(d) * r(d)) / mean(&|d| (w(d) - mw).powi(2));
            let influence = rounds.iter().map(|d| w(d) * r(d) - mwr - b * (w(d) - mw));
            (mwr - b * (mw - 1.0), influence.collect())
        }
        Estimator::Dm => linear(&v),
        Estimator::Dr => linear(&|d| v(d) + w(d) * e(d)),
        Estimator::Sndr => {
            let (s, m) = (mean(&|d| w(d) * e(d)) / mw, mean(&v));
            (
                m + s,
                rounds
                    .iter()
                    .map(|d| v(d) - m + w(d) * (e(d) - s) / mw)
                    .collect(),
            )
        }
        Estimator::SwitchDr(t) => linear(&|d| v(d) + if w(d) <= t { w(d) * e(d) } else { 0.0 }),
        Estimator::DrOs(l) => linear(&|d| v(d) + l * w(d) / (w(d).powi(2) + l) * e(d)),
        Estimator::SubGaussianIps(l) => linear(&|d| w(d) / (1.0 - l + l * w(d)) * r(d)),
        Estimator::SubGaussianDr(l) => linear(&|d| v(d) + w(d) / (1.0 - l + l * w(d)) * e(d)),
        _ => unreachable!(),
    }
}

/// What rounds of much leverage add to the squared influences.
fn leverage(estimator: Estimator, rounds: &[Drawn], influence: &[f64]) -> f64 {
    let n = rounds.len() as f64;
    let weight: Vec<f64> = rounds
        .iter()
        .map(|d| d.target[d.action] / d.logging[d.action])
        .collect();
    let total: f64 = weight.iter().sum();
    let spread: f64 = weight.iter().map(|w| (w - total / n).powi(2)).sum();
    let values: Vec<f64> = rounds
        .iter()
        .map(|d| d.target.iter().zip(&d.predicted).map(|(p, q)| p * q).sum())
        .collect();
    let mean = values.iter().sum::<f64>() / n;
    let pairs = influence.iter().zip(&weight).zip(&values);
    pairs
        .map(|((e, w), v)| match estimator {
            Estimator::Snips => e * e * w / total,
            Estimator::Sndr => e * (e - (v - mean)) * w / total,
            Estimator::ControlVariate if spread > 0.0 => {
                2.0 * e * e * (1.0 / n + (w - total / n).powi(2) / spread)
            }
            _ => 0.0,
        })
        .sum()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
}

/// Whether some round has weight: without, there is rightly no answer.
fn overlaps(log: &[Drawn]) -> bool {
    log.iter().any(|d| d.target[d.action] > 0.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn one_pass_equals_the_definition(law in prop::sample::select(LAWS.to_vec()), seed in 0..1_000_u64, rounds in 150..700_usize, cut in 0.0..1.0_f64) {
        let log = log(law, seed, rounds);
        prop_assume!(overlaps(&log));
        let at = (cut * rounds as f64) as usize;
        let mut whole = Evaluation::new(&ALL).unwrap();
        let mut parts = [whole.clone(), whole.clone()];
        for (i, d) in log.iter().enumerate() {
            whole.push(&d.round()).unwrap();
            parts[usize::from(i >= at)].push(&d.round()).unwrap();
        }
        let [mut merged, second] = parts;
        merged.merge(&second).unwrap();
        for estimator in ALL {
            let (expected, influence) = definition(estimator, &log);
            let n = rounds as f64;
            let squares = influence.iter().map(|x| x * x).sum::<f64>() + leverage(estimator, &log, &influence);
            let se = (squares / (n - 1.0) / n).sqrt();
            for evaluation in [&whole, &merged] {
                let estimate = value(evaluation, estimator);
                prop_assert!(close(estimate.value, expected), "{estimator}: {} {expected}", estimate.value);
                prop_assert!(close(estimate.standard_error.powi(2), se * se), "{estimator}: {} {se}", estimate.standard_error);
            }
        }
    }

    /// Columns and rounds, and columns of single precision.
    #[test]
    fn columns_equal_rounds(law in prop::sample::select(LAWS.to_vec()), seed in 0..1_000_u64, rounds in 150..700_usize) {
        let log = log(law, seed, rounds);
        prop_assume!(overlaps(&log));
        let actions = log[0].target.len();
        let flat = |f: &dyn Fn(&Drawn) -> Vec<f64>| log.iter().flat_map(f).collect::<Vec<f64>>();
        let target = flat(&|d| d.target.clone());
        let predicted = flat(&|d| d.predicted.clone());
        let propensity = flat(&|d| vec![d.logging[d.action]]);
        let reward = flat(&|d| vec![d.reward]);
        let action: Vec<u32> = log.iter().map(|d| d.action as u32).collect();
        let mut by_round = Evaluation::new(&ALL).unwrap();
        for d in &log {
            by_round.push(&Round { logging: None, ..d.round() }).unwrap();
        }
        let mut by_column = Evaluation::new(&ALL).unwrap();
        by_column.extend(&Table { actions, action: &action, reward: &reward, propensity: &propensity, target: &target, predicted: Some(&predicted) }).unwrap();
        let single = |column: &[f64]| column.iter().map(|v| *v as f32).collect::<Vec<f32>>();
        let mut narrow = Evaluation::new(&ALL).unwrap();
        narrow.extend(&Table { actions, action: &action, reward: &single(&reward), propensity: &single(&propensity), target: &single(&target), predicted: Some(&single(&predicted)) }).unwrap();
        for estimator in ALL {
            let one = value(&by_round, estimator);
            prop_assert!(close(one.value, value(&by_column, estimator).value));
            prop_assert!(close(one.standard_error, value(&by_column, estimator).standard_error));
            prop_assert!((one.value - value(&narrow, estimator).value).abs() < 1e-3 * (1.0 + one.value.abs()));
        }
        let (a, b) = (by_round.diagnostics(), by_column.diagnostics());
        prop_assert!(close(a.effective, b.effective) && close(a.zero_weights, b.zero_weights));
        for (a, b) in a.actions.iter().zip(&b.actions) {
            prop_assert!(a.logged == b.logged && close(a.target, b.target) && close(a.inverse_propensity, b.inverse_propensity));
        }
    }

    /// Rewards in other units: a shift moves SNIPS, the direct method and SNDR with it, a factor moves all.
    #[test]
    fn units_of_the_reward(law in prop::sample::select(LAWS.to_vec()), seed in 0..1_000_u64, shift in -50.0..50.0_f64, factor in 0.01..100.0_f64) {
        let log = log(law, seed, 300);
        prop_assume!(overlaps(&log));
        let mut plain = Evaluation::new(&ALL).unwrap();
        let mut moved = plain.clone();
        let mut scaled = plain.clone();
        for d in &log {
            plain.push(&d.round()).unwrap();
            let other: Vec<f64> = d.predicted.iter().map(|q| q + shift).collect();
            moved.push(&Round { reward: d.reward + shift, predicted: Some(&other), ..d.round() }).unwrap();
            let other: Vec<f64> = d.predicted.iter().map(|q| q * factor).collect();
            scaled.push(&Round { reward: d.reward * factor, predicted: Some(&other), ..d.round() }).unwrap();
        }
        for estimator in ALL {
            let (a, b) = (value(&plain, estimator), value(&scaled, estimator));
            prop_assert!(close(a.value * factor, b.value) && close(a.standard_error * factor, b.standard_error));
        }
        for estimator in [Estimator::Snips, Estimator::Dm, Estimator::Dr, Estimator::Sndr, Estimator::SwitchDr(1.5), Estimator::ControlVariate] {
            let (a, b) = (value(&plain, estimator), value(&moved, estimator));
            prop_assert!((a.value + shift - b.value).abs() < 1e-7, "{estimator}");
            prop_assert!((a.standard_error - b.standard_error).abs() < 1e-7, "{estimator}");
        }
    }

    /// A target that is the logging policy earns the mean of the log by every estimator with weights.
    #[test]
    fn on_policy_is_the_mean(law in prop::sample::select(LAWS.to_vec()), seed in 0..1_000_u64) {
        let log = log(law, seed, 400);
        let mut evaluation = Evaluation::new(&ALL).unwrap();
        for d in &log {
            evaluation.push(&Round { target: &d.logging, ..d.round() }).unwrap();
        }
        let mean = log.iter().map(|d| d.reward).sum::<f64>() / 400.0;
        for estimator in [Estimator::Ips, Estimator::Snips, Estimator::ControlVariate, Estimator::Clipped(1.7)] {
            prop_assert!(close(value(&evaluation, estimator).value, mean));
        }
        prop_assert!(close(evaluation.diagnostics().effective, 400.0));
    }

    /// A paired difference: its value is that of the two estimates, its error that of the influences, never more than the sum of errors.
    #[test]
    fn differences_are_paired(law in prop::sample::select(LAWS.to_vec()), seed in 0..1_000_u64, rounds in 30..600_usize) {
        let log = log(law, seed, rounds);
        prop_assume!(overlaps(&log));
        let mut comparison = Comparison::new(2, &ALL).unwrap();
        let uniform = |d: &Drawn| vec![1.0 / d.target.len() as f64; d.target.len()];
        for d in &log {
            comparison.push(&d.round(), &[&d.target, &uniform(d)]).unwrap();
        }
        for estimator in ALL {
            let other: Vec<Drawn> = log.iter().map(|d| Drawn { target: uniform(d), logging: d.logging.clone(), mean: d.mean.clone(), predicted: d.predicted.clone(), ..*d }).collect();
            let ((a, x), (b, y)) = (definition(estimator, &log), definition(estimator, &other));
            let n = rounds as f64;
            let se = (x.iter().zip(&y).map(|(x, y)| (x - y).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
            let difference = comparison.difference(0, 1, estimator, &none()).unwrap().unwrap();
            prop_assert!(close(difference.value, a - b), "{estimator}");
            prop_assert!(close(difference.standard_error.powi(2), se * se), "{estimator} {} {se}", difference.standard_error);
        }
        let same = comparison.difference(1, 1, Estimator::Dr, &none()).unwrap().unwrap();
        prop_assert!(same.value == 0.0 && same.standard_error < 1e-9);
    }
}

#[test]
fn the_bootstrap_agrees_with_the_influence_function() {
    for (law, estimator) in [
        (Law::Clicks, Estimator::Dr),
        (Law::Offset, Estimator::Snips),
        (Law::Skewed, Estimator::Sndr),
    ] {
        let mut evaluation = Evaluation::new(&[estimator]).unwrap();
        let mut bootstrap = Bootstrap::new(estimator, 2_000, 5).unwrap();
        let mut twin = Bootstrap::new(estimator, 2_000, 5).unwrap();
        for d in log(law, 8, 5_000) {
            evaluation.push(&d.round()).unwrap();
            let weighted = d.round().weighted(0).unwrap();
            bootstrap.push(&weighted).unwrap();
            twin.push(&weighted).unwrap();
        }
        assert_eq!(bootstrap.estimates(), twin.estimates());
        let estimate = value(&evaluation, estimator);
        let ratio = bootstrap.standard_error() / estimate.standard_error;
        assert!((ratio - 1.0).abs() < 0.06, "{estimator}: {ratio}");
        let interval = bootstrap.interval(0.95).unwrap();
        assert!((interval.width() / estimate.interval(0.95).unwrap().width() - 1.0).abs() < 0.1);
    }
}

#[test]
fn replay_is_the_mean_of_the_matching_rounds() {
    let mut evaluation = Evaluation::new(&[Estimator::Replay]).unwrap();
    for i in 0..900_usize {
        let target = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]][i % 2];
        evaluation
            .push(&Round {
                action: i % 3,
                reward: (i % 7) as f64,
                propensity: 1.0 / 3.0,
                target: &target,
                predicted: None,
                logging: None,
            })
            .unwrap();
    }
    let matching: Vec<f64> = (0..900)
        .filter(|i| i % 3 == i % 2)
        .map(|i| (i % 7) as f64)
        .collect();
    let mean = matching.iter().sum::<f64>() / matching.len() as f64;
    let estimate = evaluation
        .estimate(Estimator::Replay, &Limits::default())
        .unwrap()
        .unwrap();
    assert!(close(estimate.value, mean));
    let mut leaning = Evaluation::new(&[Estimator::Replay]).unwrap();
    for d in log(Law::Clicks, 1, 500) {
        leaning.push(&d.round()).unwrap();
    }
    let refusal = leaning
        .estimate(Estimator::Replay, &Limits::default())
        .unwrap()
        .unwrap_err();
    assert!(refusal.reasons.contains(&Reason::NotReplayable));
}

type Named = fn(&Error) -> bool;

/// A round without fault.
const GOOD: Round<'_> = Round {
    action: 0,
    reward: 1.0,
    propensity: 0.5,
    target: &[0.5, 0.5],
    predicted: Some(&[0.0, 0.0]),
    logging: Some(&[0.5, 0.5]),
};

/// Rounds with one fault each, and the error that names it.
fn faulty() -> [(Round<'static>, Named); 13] {
    const NAN: f64 = f64::NAN;
    let good = GOOD;
    [
        (
            Round {
                propensity: 0.0,
                ..good
            },
            |e| matches!(e, Error::Propensity { round: 1, .. }),
        ),
        (
            Round {
                propensity: 1.5,
                ..good
            },
            |e| matches!(e, Error::Propensity { .. }),
        ),
        (
            Round {
                propensity: NAN,
                ..good
            },
            |e| matches!(e, Error::Propensity { .. }),
        ),
        (
            Round {
                target: &[0.5, 0.4],
                ..good
            },
            |e| {
                matches!(
                    e,
                    Error::Sum {
                        whose: Whose::Target,
                        ..
                    }
                )
            },
        ),
        (
            Round {
                target: &[1.5, -0.5],
                ..good
            },
            |e| matches!(e, Error::Probability { .. }),
        ),
        (
            Round {
                target: &[NAN, 0.5],
                ..good
            },
            |e| matches!(e, Error::Probability { .. }),
        ),
        (Round { action: 2, ..good }, |e| {
            matches!(
                e,
                Error::Action {
                    round: 1,
                    action: 2,
                    actions: 2
                }
            )
        }),
        (
            Round {
                reward: NAN,
                ..good
            },
            |e| matches!(e, Error::Reward { .. }),
        ),
        (
            Round {
                reward: 2.5,
                ..good
            },
            |e| matches!(e, Error::RewardRange { .. }),
        ),
        (
            Round {
                propensity: 0.1,
                logging: None,
                ..good
            },
            |e| matches!(e, Error::WeightBound { .. }),
        ),
        (
            Round {
                predicted: Some(&[NAN, 0.0]),
                ..good
            },
            |e| matches!(e, Error::Prediction { .. }),
        ),
        (
            Round {
                predicted: None,
                ..good
            },
            |e| matches!(e, Error::NoPrediction { .. }),
        ),
        (
            Round {
                logging: Some(&[0.9, 0.1]),
                ..good
            },
            |e| matches!(e, Error::Disagreement { .. }),
        ),
    ]
}

/// Every fault of a round is named, with the round, and leaves the accumulator as it was.
#[test]
fn faults_are_named() {
    let mut evaluation = Evaluation::new(&[Estimator::Dr])
        .unwrap()
        .with_range(Range {
            min: 0.0,
            max: 2.0,
            weight: Some(3.0),
        })
        .unwrap();
    evaluation.push(&GOOD).unwrap();
    let before = evaluation.clone();
    for (i, (round, is_named)) in faulty().iter().enumerate() {
        let error = evaluation.push(round).unwrap_err();
        assert!(is_named(&error), "case {i}: {error}");
        assert_eq!(evaluation, before);
    }
    let columns = Table {
        actions: 2,
        action: &[0, 7],
        reward: &[1.0, 1.0],
        propensity: &[0.5, 0.5],
        target: &[0.5; 4],
        predicted: Some(&[0.0; 4]),
    };
    assert!(matches!(
        evaluation.extend(&columns),
        Err(Error::Action { round: 2, .. })
    ));
    assert_eq!(evaluation, before);
    assert!(Evaluation::new(&[]).is_err() && Evaluation::new(&[Estimator::Clipped(0.0)]).is_err());
}

/// Logs that cannot answer are refused with the reason, each planted.
#[test]
fn logs_that_cannot_answer_are_refused() {
    let judge = |rounds: &mut dyn FnMut(usize) -> (usize, f64, Vec<f64>)| {
        let mut evaluation = Evaluation::new(&[Estimator::Ips, Estimator::Clipped(5.0)]).unwrap();
        for i in 0..5_000 {
            let (action, propensity, target) = rounds(i);
            evaluation
                .push(&Round {
                    action,
                    reward: (i % 3) as f64,
                    propensity,
                    target: &target,
                    predicted: None,
                    logging: None,
                })
                .unwrap();
        }
        evaluation
            .estimate(Estimator::Ips, &Limits::default())
            .unwrap()
    };
    // A fair log answers.
    assert!(judge(&mut |i| (i % 2, 0.5, vec![0.3, 0.7])).is_ok());
    // Two rounds carry all: a mixture is offered, and the clip.
    let refusal = judge(&mut |i| {
        if i % 2_500 == 7 {
            (1, 4e-4, vec![0.0, 1.0])
        } else {
            (0, 0.9996, vec![0.0, 1.0])
        }
    })
    .unwrap_err();
    assert!(
        matches!(refusal.reasons[0], Reason::Effective { found, .. } if found < 3.0),
        "{refusal}"
    );
    assert!(refusal.mixture.is_some());
    // Propensities that are twice as large as they should be.
    let refusal = judge(&mut |i| (i % 4, 0.5, vec![0.25; 4])).unwrap_err();
    assert!(
        refusal
            .reasons
            .iter()
            .any(|r| matches!(r, Reason::MeanWeight { mean, .. } if *mean < 0.6))
            && refusal.mixture.is_none()
    );
    // And half as large: one action's rounds alone show it.
    let refusal =
        judge(&mut |i| (i % 2, if i % 2 == 0 { 0.25 } else { 0.5 }, vec![0.0, 1.0])).unwrap_err();
    assert!(
        refusal
            .reasons
            .iter()
            .any(|r| matches!(r, Reason::Propensity { action: 0, .. })),
        "{refusal}"
    );
    // An action that was never logged.
    let refusal = judge(&mut |i| (i % 2, 0.5, vec![0.4, 0.4, 0.2])).unwrap_err();
    assert!(
        refusal
            .reasons
            .iter()
            .any(|r| matches!(r, Reason::Unsupported { mass, .. } if (*mass - 0.2).abs() < 1e-9))
    );
    // A log that left nothing to chance.
    let refusal = judge(&mut |i| (i % 2, 1.0, vec![0.5, 0.5])).unwrap_err();
    assert!(refusal.reasons.iter().any(
        |r| matches!(r, Reason::Deterministic { elsewhere } if (*elsewhere - 0.5).abs() < 1e-9)
    ));
    // Nothing in common.
    let refusal = judge(&mut |_| (0, 1.0, vec![0.0, 1.0])).unwrap_err();
    assert_eq!(refusal.reasons, [Reason::NoOverlap]);
}

/// Limits on the spread of weights: a shrinking estimator may answer, and says how much it keeps.
#[test]
fn shrinking_says_what_it_keeps() {
    let mut evaluation = Evaluation::new(&[Estimator::Ips, Estimator::Clipped(2.0)]).unwrap();
    for i in 0..1_000 {
        let weight = if i % 100 == 0 { 50.5 } else { 0.5 };
        evaluation
            .push_weighted(&Weighted {
                weight,
                propensity: 0.01,
                reward: 1.0,
                model: None,
            })
            .unwrap();
    }
    let refusal = evaluation
        .estimate(Estimator::Ips, &Limits::default())
        .unwrap()
        .unwrap_err();
    assert_eq!(refusal.shrunk, Some(Estimator::Clipped(2.0)));
    let clipped = evaluation
        .estimate(Estimator::Clipped(2.0), &Limits::default())
        .unwrap()
        .unwrap();
    assert!((clipped.kept - 0.515).abs() < 1e-9 && (clipped.value - 0.515).abs() < 1e-9);
}
