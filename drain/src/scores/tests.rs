//! Laws of the scores.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::*;
use crate::error::{Argument, DrainError};

type Score = fn(&Forecasts<'_>) -> Vec<f64>;

fn plain_crps(f: &Forecasts<'_>) -> Vec<f64> {
    crps(f, Estimator::Plain).unwrap()
}

fn plain_energy(f: &Forecasts<'_>) -> Vec<f64> {
    energy_score(f, Estimator::Plain).unwrap()
}

fn variogram_half(f: &Forecasts<'_>) -> Vec<f64> {
    variogram_score(f, 0.5).unwrap()
}

fn variogram_odd(f: &Forecasts<'_>) -> Vec<f64> {
    variogram_score(f, 1.3).unwrap()
}

fn dawid(f: &Forecasts<'_>) -> Vec<f64> {
    dawid_sebastiani(f).unwrap()
}

fn intervals(f: &Forecasts<'_>) -> Vec<f64> {
    vec![coverage(f, &[0.8]).unwrap()[0].interval_score]
}

/// Every score of ensembles, and whether it is one of vectors.
const SCORES: [(&str, Score, bool); 6] = [
    ("CRPS", plain_crps, false),
    ("energy", plain_energy, true),
    ("variogram 0.5", variogram_half, true),
    ("variogram 1.3", variogram_odd, true),
    ("Dawid-Sebastiani", dawid, true),
    ("interval", intervals, false),
];

fn close(a: f64, b: f64, scale: f64) -> bool {
    (a - b).abs() <= 1e-11 * scale
}

/// The definition, pair by pair.
fn energy_by_pairs(x: &[f64], y: &[f64], estimator: Estimator) -> f64 {
    let d = y.len();
    let distance = |a: &[f64], b: &[f64]| {
        a.iter()
            .zip(b)
            .map(|(a, b)| (a - b) * (a - b))
            .sum::<f64>()
            .sqrt()
    };
    let rows: Vec<&[f64]> = x.chunks_exact(d).collect();
    let m = rows.len() as f64;
    let apart: f64 = rows.iter().map(|row| distance(row, y)).sum();
    let spread: f64 = rows
        .iter()
        .flat_map(|a| rows.iter().map(move |b| distance(a, b)))
        .sum();
    let pairs = match estimator {
        Estimator::Plain => m * m,
        Estimator::Fair => m * (m - 1.0),
    };
    apart / m - spread / (2.0 * pairs)
}

fn variogram_by_pairs(x: &[f64], y: &[f64], p: f64) -> f64 {
    let d = y.len();
    let m = (x.len() / d) as f64;
    let mut total = 0.0;
    for i in 0..d {
        for j in 0..d {
            let mean: f64 = x
                .chunks_exact(d)
                .map(|row| (row[i] - row[j]).abs().powf(p))
                .sum::<f64>()
                / m;
            total += ((y[i] - y[j]).abs().powf(p) - mean).powi(2);
        }
    }
    total
}

/// Ensembles of random shape: members, outcomes, components; few distinct numbers now and then, so that there are ties.
fn cases(least: usize) -> impl Strategy<Value = (Vec<f64>, Vec<f64>, usize)> {
    let shape = (
        1..5_usize,
        least..40_usize,
        1..6_usize,
        prop_oneof![Just(0.0), Just(1.0)],
    );
    shape.prop_flat_map(|(n, m, d, coarse)| {
        let number = (-9.0..9.0_f64).prop_map(move |v| if coarse > 0.0 { v.round() } else { v });
        let members = prop::collection::vec(number.clone(), n * m * d);
        (members, prop::collection::vec(number, n * d), Just(d))
    })
}

proptest! {
    #[test]
    fn scores_are_their_definitions((x, y, d) in cases(2)) {
        let f = Forecasts::joint(&x, &y, d).unwrap();
        let size = f.members() * d;
        for estimator in [Estimator::Plain, Estimator::Fair] {
            let energy = energy_score(&f, estimator).unwrap();
            let single = crps(&f, estimator).unwrap();
            for (k, outcome) in y.chunks_exact(d).enumerate() {
                let members = &x[k * size..][..size];
                prop_assert!(close(energy[k], energy_by_pairs(members, outcome, estimator), 20.0 * d as f64));
                for (c, value) in outcome.iter().enumerate() {
                    let column: Vec<f64> = members.iter().skip(c).step_by(d).copied().collect();
                    let expected = energy_by_pairs(&column, &[*value], estimator);
                    prop_assert!(close(single[k * d + c], expected, 20.0));
                }
            }
        }
        for p in [0.5, 1.0, 2.0, 0.7] {
            let found = variogram_score(&f, p).unwrap();
            for (k, outcome) in y.chunks_exact(d).enumerate() {
                let expected = variogram_by_pairs(&x[k * size..][..size], outcome, p);
                prop_assert!(close(found[k], expected, 1.0 + expected));
            }
        }
    }

    /// Members in another order, all numbers shifted, all numbers multiplied, components in another order.
    #[test]
    fn scores_do_not_depend_on_order_origin_and_unit((x, y, d) in cases(8), shift in -50.0..50.0_f64, power in -20..20_i32) {
        let f = Forecasts::joint(&x, &y, d).unwrap();
        let unit = 2.0_f64.powi(power);
        let changed = |list: &[f64], by: f64, unit: f64| -> Vec<f64> { list.iter().map(|v| unit * (v + by)).collect() };
        let reversed = |list: &[f64], of: usize| -> Vec<f64> { list.chunks_exact(of).flat_map(|part| part.iter().rev().copied()).collect() };
        let shuffled: Vec<f64> = x.chunks_exact(f.members() * d).flat_map(|e| e.chunks_exact(d).rev().flatten().copied()).collect();
        for (name, score, _) in SCORES {
            if name == "Dawid-Sebastiani" && dawid_sebastiani(&f).is_err() { continue; }
            let at = score(&f);
            let same = |members: &[f64], outcomes: &[f64], factor: f64, add: f64| {
                let other = score(&Forecasts::joint(members, outcomes, d).unwrap());
                let sorted = |list: &[f64]| { let mut l = list.to_vec(); l.sort_by(f64::total_cmp); l };
                let pairs = sorted(&other).into_iter().zip(sorted(&at));
                pairs.for_each(|(b, a)| assert!((b / factor - add - a).abs() < 1e-6 * (1.0 + a.abs()), "{name}: {a} became {b}"));
            };
            same(&shuffled, &y, 1.0, 0.0);
            same(&changed(&x, shift, 1.0), &changed(&y, shift, 1.0), 1.0, 0.0);
            same(&reversed(&x, d), &reversed(&y, d), 1.0, 0.0);
            let scaled = (changed(&x, 0.0, unit), changed(&y, 0.0, unit));
            let degree = match name { "variogram 0.5" => 1.0, "variogram 1.3" => 2.6, _ => 1.0 };
            if name == "Dawid-Sebastiani" {
                same(&scaled.0, &scaled.1, 1.0, 2.0 * d as f64 * unit.ln());
            } else {
                same(&scaled.0, &scaled.1, unit.powf(degree), 0.0);
            }
        }
    }

    /// Whoever believes in a law of a few equally likely points expects no better score by forecasting another one.
    #[test]
    fn scores_are_proper(
        (truth, other, d) in (1..4_usize, 4..9_usize).prop_flat_map(|(d, m)| {
            let law = prop::collection::vec((-5.0..5.0_f64).prop_map(f64::round), m * d);
            (law.clone(), law, Just(d))
        })
    ) {
        let points = truth.len() / d;
        let expected = |score: Score, forecast: &[f64], d: usize, outcomes: &[f64]| {
            let n = outcomes.len() / d;
            let scores = score(&Forecasts::joint(&forecast.repeat(n), outcomes, d).unwrap());
            scores.iter().sum::<f64>() / scores.len() as f64
        };
        for (name, score, joint) in SCORES {
            // The interval of type 7 is not the central interval of the law itself, so its score is tested below; covariances have M - 1.
            if matches!(name, "interval" | "Dawid-Sebastiani") { continue; }
            let (t, o, d) = if joint { (&truth[..], &other[..], d) } else { (&truth[..points], &other[..points], 1) };
            let (own, foreign) = (expected(score, t, d, t), expected(score, o, d, t));
            prop_assert!(own <= foreign + 1e-9, "{name}: {own} of the truth, {foreign} of another law");
        }
        // Quantiles and intervals: the law's own against any other numbers.
        let mut sorted = truth[..points].to_vec();
        sorted.sort_by(f64::total_cmp);
        let level = |tau: f64| sorted[((tau * points as f64).ceil() as usize).clamp(1, points) - 1];
        let mean = |f: &dyn Fn(f64) -> f64| sorted.iter().map(|y| f(*y)).sum::<f64>() / points as f64;
        let (low, high) = (other[0].min(other[1]), other[0].max(other[1]));
        for tau in [0.1, 0.5, 0.83] {
            let loss = |q: f64| mean(&|y| quantile_loss(y, q, tau).unwrap());
            prop_assert!(loss(level(tau)) <= loss(other[0]) + 1e-12);
        }
        let score = |l: f64, u: f64| mean(&|y| interval_score(l, u, y, 0.7).unwrap());
        prop_assert!(score(level(0.15), level(0.85)) <= score(low, high) + 1e-12);
    }

    /// The mean fair score over all samples of a law is the law's own, whatever the size: what fair means. The plain one is not.
    #[test]
    fn fair_scores_are_unbiased(law in prop::collection::vec(-5.0..5.0_f64, 3), size in 2..5_usize, y in -6.0..6.0_f64) {
        let samples: Vec<f64> = (0..3_usize.pow(size as u32))
            .flat_map(|s| (0..size).map(move |i| s / 3_usize.pow(i as u32) % 3))
            .map(|k| law[k])
            .collect();
        let count = samples.len() / size;
        let outcomes = vec![y; count];
        let f = Forecasts::new(&samples, &outcomes).unwrap();
        let own = plain_crps(&Forecasts::new(&law, &[y]).unwrap())[0];
        let mean = |e| crps(&f, e).unwrap().iter().sum::<f64>() / count as f64;
        prop_assert!(close(mean(Estimator::Fair), own, 10.0));
        let spread: f64 = law.iter().flat_map(|a| law.iter().map(move |b| (a - b).abs())).sum::<f64>() / 9.0;
        prop_assert!(close(mean(Estimator::Plain), own + spread / (2.0 * size as f64), 10.0));
    }

    /// The energy score does not change when all vectors are turned.
    #[test]
    fn energy_does_not_depend_on_direction(x in prop::collection::vec(-5.0..5.0_f64, 12), angle in 0.0..6.3_f64) {
        let (s, c) = angle.sin_cos();
        let turned: Vec<f64> = x.chunks_exact(2).flat_map(|v| [c * v[0] - s * v[1], s * v[0] + c * v[1]]).collect();
        let score = |list: &[f64]| plain_energy(&Forecasts::joint(&list[2..], &list[..2], 2).unwrap())[0];
        prop_assert!(close(score(&x), score(&turned), 10.0));
    }
}

/// Quantiles of the standard normal law at the middles of so many equal parts.
fn normal_sample(parts: usize) -> Vec<f64> {
    use statrs::distribution::{ContinuousCDF, Normal};
    let law = Normal::standard();
    (0..parts)
        .map(|i| law.inverse_cdf((i as f64 + 0.5) / parts as f64))
        .collect()
}

#[test]
fn closed_forms_are_the_limits_of_ensembles() {
    let members = normal_sample(4000);
    for y in [-2.5, 0.0, 0.3, 4.0] {
        let scaled: Vec<f64> = members.iter().map(|z| 7.0 + 3.0 * z).collect();
        let outcome = [7.0 + 3.0 * y];
        let f = Forecasts::new(&scaled, &outcome).unwrap();
        let law = crps_normal(7.0, 3.0, outcome[0]).unwrap();
        assert!((plain_crps(&f)[0] - law).abs() < 1e-3, "{y}");
        let log = log_score_normal(7.0, 3.0, outcome[0]).unwrap();
        let twice = 2.0 * log - (2.0 * std::f64::consts::PI).ln();
        assert!((dawid(&f)[0] - twice).abs() < 2e-2, "{y}");
        // The integral of quantile losses is the CRPS.
        let levels: Vec<f64> = (0..999).map(|i| (f64::from(i) + 0.5) / 999.0).collect();
        let loss = weighted_quantile_loss(&f, &levels).unwrap();
        let mean = loss.iter().sum::<f64>() / levels.len() as f64 * outcome[0].abs();
        assert!((mean - law).abs() < 3e-3, "{y}: {mean} {law}");
    }
    // Uniform on [0, 1]: 1/3 - y + y^2.
    let members: Vec<f64> = (0..2000).map(|i| (f64::from(i) + 0.5) / 2000.0).collect();
    let score = plain_crps(&Forecasts::new(&members, &[0.3]).unwrap())[0];
    assert!((score - (1.0 / 3.0 - 0.3 + 0.09)).abs() < 1e-3);
}

#[test]
fn dawid_sebastiani_is_the_normal_law_of_mean_and_covariance() {
    // Two correlated components: the score by hand.
    let x = [1.0, 2.0, 3.0, 1.0, 2.0, 6.0, 6.0, 7.0];
    let score = dawid(&Forecasts::joint(&x, &[4.0, 2.0], 2).unwrap())[0];
    let (a, b, c) = (14.0 / 3.0, 11.0 / 3.0, 26.0 / 3.0); // about the mean (3, 4)
    let determinant: f64 = a * c - b * b;
    let (u, v) = (1.0, -2.0);
    let expected = determinant.ln() + (c * u * u - 2.0 * b * u * v + a * v * v) / determinant;
    assert!((score - expected).abs() < 1e-12, "{score} {expected}");
    let flat = Forecasts::joint(&[1.0, 2.0, 2.0, 4.0, 3.0, 6.0], &[0.0, 0.0], 2).unwrap();
    assert_eq!(
        dawid_sebastiani(&flat),
        Err(DrainError::Singular { index: 0 })
    );
    let few = Forecasts::joint(&[1.0, 2.0, 2.0, 4.0], &[0.0, 0.0], 2).unwrap();
    assert!(matches!(
        dawid_sebastiani(&few),
        Err(DrainError::TooFew {
            needed: 3,
            found: 2,
            ..
        })
    ));
}

/// Forecasts whose outcome comes from the members' law times `wide`, in so many components that share a part of their noise.
fn simulated(
    n: usize,
    m: usize,
    d: usize,
    (wide, bias, shared): (f64, f64, f64),
    counts: bool,
) -> (Vec<f64>, Vec<f64>) {
    let mut rng = Pcg64::seed_from_u64(5);
    let mut normal = move || {
        let u: [f64; 12] = rng.random();
        u.iter().sum::<f64>() - 6.0
    };
    let mut vector = |wide: f64, bias: f64, shared: f64| -> Vec<f64> {
        let common = normal();
        let value = |own: f64| bias + wide * (shared.sqrt() * common + (1.0 - shared).sqrt() * own);
        (0..d)
            .map(|_| value(normal()))
            .map(|v| if counts { v.max(-0.5).round() } else { v })
            .collect()
    };
    let members = (0..n * m).flat_map(|_| vector(1.0, 0.0, 0.5)).collect();
    let outcomes = (0..n).flat_map(|_| vector(wide, bias, shared)).collect();
    (members, outcomes)
}

#[test]
fn histograms_are_flat_exactly_where_forecasts_are_calibrated() {
    let p = |setting, counts| {
        let (x, y) = simulated(4000, 19, 3, setting, counts);
        let f = Forecasts::joint(&x, &y, 3).unwrap();
        let mut rng = Pcg64::seed_from_u64(1);
        // Components of a forecast are not independent: one of them.
        let column = |list: &[f64]| -> Vec<f64> { list.iter().step_by(3).copied().collect() };
        let (first, outcome) = (column(&x), column(&y));
        let single = Forecasts::new(&first, &outcome).unwrap();
        let pit = ensemble_pit(&single, &mut rng);
        let mut bins = vec![0; 20];
        pit.iter().for_each(|v| bins[(20.0 * v) as usize] += 1);
        [
            rank_histogram(&single, &mut rng).flatness().1,
            Histogram { counts: bins }.flatness().1,
            band_depth_histogram(&f, &mut rng).coarser(10).flatness().1,
        ]
    };
    // Three tests of each of two settings: a false alarm once in 1,600.
    for counts in [false, true] {
        assert!(
            p((1.0, 0.0, 0.5), counts).iter().all(|p| *p > 1e-4),
            "{:?}",
            p((1.0, 0.0, 0.5), counts)
        );
        for fault in [(1.4, 0.0, 0.5), (0.6, 0.0, 0.5), (1.0, 0.4, 0.5)] {
            assert!(
                p(fault, counts).iter().all(|p| *p < 1e-6),
                "{fault:?}: {:?}",
                p(fault, counts)
            );
        }
    }
    // Right in each component, wrong together: only the joint histogram tells.
    let [rank, pit, joint] = p((1.0, 0.0, 0.98), false);
    assert!(
        rank > 1e-4 && pit > 1e-4 && joint < 1e-6,
        "{rank} {pit} {joint}"
    );
}

#[test]
fn pit_of_a_law_with_atoms_is_uniform() {
    // Demand capped by stock: 0 with probability 0.3, 1 with 0.2, uniform between.
    let mut rng = Pcg64::seed_from_u64(3);
    let mut bins = vec![0; 25];
    let mut plain = vec![0; 25];
    for _ in 0..20_000 {
        let u: f64 = rng.random();
        let y = ((u - 0.3) / 0.5).clamp(0.0, 1.0);
        let at = if y >= 1.0 { 1.0 } else { 0.3 + 0.5 * y };
        let below = if y <= 0.0 { 0.0 } else { 0.3 + 0.5 * y };
        let pit = randomised_pit(below.min(at), at, &mut rng).unwrap();
        bins[(25.0 * pit).min(24.0) as usize] += 1;
        plain[(25.0 * at).min(24.0) as usize] += 1;
    }
    let flatness = |counts: Vec<u64>| Histogram { counts }.flatness().1;
    assert!(flatness(bins) > 1e-4);
    assert!(flatness(plain) < 1e-12); // without randomising, the atoms break it
    assert!(
        randomised_pit(0.5, 0.4, &mut rng).is_err() && randomised_pit(-0.1, 0.4, &mut rng).is_err()
    );
}

#[test]
fn intervals_cover_what_exchangeable_members_say() {
    let (x, y) = simulated(20_000, 9, 1, (1.0, 0.0, 0.5), false);
    let f = Forecasts::new(&x, &y).unwrap();
    // Between the second and the eighth of nine members: six of ten gaps.
    let found = coverage(&f, &[0.75]).unwrap()[0];
    assert!(
        (found.share - 0.6).abs() < 4.0 * found.standard_error,
        "{found:?}"
    );
    let (x, y) = simulated(20_000, 9, 1, (1.5, 0.0, 0.5), false);
    let narrow = coverage(&Forecasts::new(&x, &y).unwrap(), &[0.75]).unwrap()[0];
    assert!(narrow.share < 0.6 - 10.0 * found.standard_error);
}

#[test]
fn diebold_mariano_keeps_its_size_under_autocorrelation() {
    let mut rng = Pcg64::seed_from_u64(11);
    let (mut robust, mut naive, mut power) = (0, 0, 0);
    let runs = 600;
    for _ in 0..runs {
        let mut state = 0.0;
        let scores: Vec<f64> = (0..400)
            .map(|_| {
                state = 0.6 * state + rng.random_range(-1.0..1.0);
                state
            })
            .collect();
        let other = vec![0.0; 400];
        let test = |lags| diebold_mariano(&scores, &other, lags).unwrap().p_value < 0.05;
        robust += usize::from(test(15));
        naive += usize::from(test(0));
        let better: Vec<f64> = scores.iter().map(|s| s - 0.5).collect();
        power += usize::from(diebold_mariano(&better, &other, 15).unwrap().p_value < 0.05);
    }
    // At most a tenth instead of a twentieth with a few lags; nearly a third without any.
    assert!(robust < 60, "{robust}");
    assert!(naive > 120, "{naive}");
    assert!(power > 570, "{power}");
    assert_eq!(newey_west_lags(100), 4);
}

#[test]
fn skill_has_the_error_that_repeats_show() {
    let mut rng = Pcg64::seed_from_u64(2);
    let mut estimates = Vec::new();
    let mut covered = 0;
    for _ in 0..2000 {
        let pairs: Vec<(f64, f64)> = (0..100)
            .map(|_| {
                let b: f64 = rng.random_range(0.5..1.5);
                (0.7 * b + rng.random_range(-0.3..0.3), b)
            })
            .collect();
        let (s, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let found = skill(&s, &b, 0).unwrap();
        let (low, high) = found.interval(1.96);
        covered += usize::from((low..high).contains(&0.3));
        estimates.push(found.skill);
    }
    let mean = estimates.iter().sum::<f64>() / 2000.0;
    assert!((mean - 0.3).abs() < 2e-3, "{mean}");
    // 0.95 with four standard errors of the count.
    assert!((1850..1940).contains(&covered), "{covered}");
}

#[test]
fn wrong_input_is_named() {
    let error = |x: &[f64], y: &[f64], d| Forecasts::joint(x, y, d).unwrap_err();
    assert_eq!(
        error(&[], &[1.0], 1),
        DrainError::Empty {
            argument: Argument::Members
        }
    );
    assert_eq!(
        error(&[1.0], &[], 1),
        DrainError::Empty {
            argument: Argument::Outcome
        }
    );
    assert_eq!(
        error(&[1.0], &[1.0], 0),
        DrainError::Empty {
            argument: Argument::Outcome
        }
    );
    assert_eq!(
        error(&[1.0; 5], &[1.0; 2], 1),
        DrainError::Length {
            argument: Argument::Members,
            expected: 6,
            found: 5
        }
    );
    assert_eq!(
        error(&[1.0; 6], &[1.0; 3], 2),
        DrainError::Length {
            argument: Argument::Outcome,
            expected: 4,
            found: 3
        }
    );
    let one = Forecasts::new(&[1.0], &[1.0]).unwrap();
    let few = DrainError::TooFew {
        argument: Argument::Members,
        needed: 2,
        found: 1,
    };
    assert_eq!(crps(&one, Estimator::Fair), Err(few.clone()));
    assert_eq!(energy_score(&one, Estimator::Fair), Err(few));
    let level = |value| DrainError::NotBetween {
        argument: Argument::Level,
        low: 0.0,
        high: 1.0,
        value,
    };
    assert_eq!(coverage(&one, &[1.0]), Err(level(1.0)));
    assert_eq!(quantile_loss(1.0, 1.0, 0.0), Err(level(0.0)));
    assert!(matches!(
        variogram_score(&one, -1.0),
        Err(DrainError::NotBetween {
            argument: Argument::Order,
            ..
        })
    ));
    assert!(matches!(
        interval_score(2.0, 1.0, 0.0, 0.5),
        Err(DrainError::NotAscending {
            argument: Argument::Upper,
            ..
        })
    ));
    assert!(matches!(
        crps_normal(0.0, 0.0, 1.0),
        Err(DrainError::NotBetween {
            argument: Argument::StandardDeviation,
            ..
        })
    ));
    assert!(matches!(
        log_score(-0.1),
        Err(DrainError::Negative {
            argument: Argument::Density,
            ..
        })
    ));
    assert_eq!(
        weighted_quantile_loss(&Forecasts::new(&[1.0], &[0.0]).unwrap(), &[0.5]),
        Err(DrainError::NoScale {
            argument: Argument::Outcome
        })
    );
    assert!(matches!(
        skill(&[1.0, 2.0], &[1.0], 0),
        Err(DrainError::Length {
            argument: Argument::Baseline,
            ..
        })
    ));
    assert!(matches!(
        skill(&[1.0, 2.0], &[1.0, -1.0], 0),
        Err(DrainError::NoScale {
            argument: Argument::Baseline
        })
    ));
    assert!(matches!(
        diebold_mariano(&[1.0, 2.0], &[1.0, 2.0], 2),
        Err(DrainError::OutOfBounds {
            argument: Argument::Lags,
            index: 2,
            count: 2
        })
    ));
    // Beyond all numbers: not returned in silence.
    let huge = Forecasts::new(&[-f64::MAX, f64::MAX], &[f64::MAX]).unwrap();
    assert!(matches!(
        crps(&huge, Estimator::Plain),
        Err(DrainError::NotFinite {
            argument: Argument::Score,
            ..
        })
    ));
    // Squares alone are beyond all numbers.
    let large = Forecasts::joint(&[1e200, 2e200, 3e200, -1e200], &[1e200, 1e200], 2).unwrap();
    let small: Vec<f64> = vec![1.0, 2.0, 3.0, -1.0];
    let expected = plain_energy(&Forecasts::joint(&small, &[1.0, 1.0], 2).unwrap())[0];
    assert!((plain_energy(&large)[0] / 1e200 - expected).abs() < 1e-12);
}
