//! Coverage of the profile-likelihood intervals of a scaling law's constants, and of the intervals of the optimal sizes, at five designs.
//!
//! `cargo run --release -p hindsight-llm-metrics --features studies --example scaling_coverage -- SETS [REPLICATES [DESIGN]]` prints a table in per cent, at 90 and 95 %. Without replicates the
//! optimal sizes have no interval.

#![allow(clippy::cast_precision_loss, reason = "counts of sets and runs")]

use hindsight_llm_metrics::scaling::{ChinchillaOptions, ScalingStudy, fit_chinchilla};
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64;

/// Parameters and tokens of each run.
type Design = Vec<(f64, f64)>;
/// E, A, B, alpha, beta.
const TRUTH: [f64; 5] = [1.7, 400.0, 400.0, 0.34, 0.28];
/// Standard deviation of the log loss.
const NOISE: f64 = 0.002;
const LEVELS: [f64; 2] = [0.9, 0.95];
const BUDGET: f64 = 1e22;

fn designs() -> [(&'static str, Design); 5] {
    let grid = |ns: &[f64], ds: &[f64]| -> Design {
        let of = |n: &f64| ds.iter().map(|d| (*n, *d)).collect::<Design>();
        ns.iter().flat_map(of).collect()
    };
    let ratios = |rs: &[f64]| -> Design {
        let sizes = (0..6).map(|k| 1e8 * 3f64.powi(k));
        sizes
            .flat_map(|n| rs.iter().map(move |r| (n, r * n)).collect::<Design>())
            .collect()
    };
    let mut profiles = Design::new();
    for c in [1e18f64, 1e19, 1e20, 1e21] {
        for k in -3..=3 {
            let n = (c / 120.0).sqrt() * (0.5 * f64::from(k)).exp();
            profiles.push((n, c / 6.0 / n));
        }
    }
    let mut rng = Pcg64::seed_from_u64(77);
    let scattered = (0..60).map(|_| {
        let (u, v): (f64, f64) = (rng.random(), rng.random());
        (4e7 * 400f64.powf(u), 1e9 * 1000f64.powf(v))
    });
    [
        (
            "grid of 4 x 4",
            grid(&[1e8, 3e8, 1e9, 3e9], &[2e9, 1e10, 4e10, 1e11]),
        ),
        (
            "grid of 5 x 5",
            grid(
                &[5e7, 2e8, 8e8, 3.2e9, 1.28e10],
                &[1e9, 6e9, 3.6e10, 2e11, 1.2e12],
            ),
        ),
        (
            "five ratios of tokens to parameters",
            ratios(&[5.0, 10.0, 20.0, 40.0, 80.0]),
        ),
        ("four IsoFLOP profiles", profiles),
        ("60 scattered runs", scattered.collect()),
    ]
}

fn main() -> Result<(), hindsight_llm_metrics::Error> {
    let mut numbers = std::env::args().skip(1).filter_map(|a| a.parse().ok());
    let sets: u64 = numbers.next().unwrap_or(100) as u64;
    let replicates: usize = numbers.next().unwrap_or(0);
    let only: Option<usize> = numbers.next();
    println!("| design | level | sets | E | A | B | alpha | beta | optimal parameters | tokens |");
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for (index, (name, design)) in designs().into_iter().enumerate() {
        if only.is_some_and(|k| k != index) {
            continue;
        }
        for level in LEVELS {
            let mut hits = [0u64; 7];
            for seed in 0..sets {
                judge(&design, level, replicates, seed, &mut hits)?;
            }
            let share = |hits: &u64| format!("{:.1}", 100.0 * *hits as f64 / sets as f64);
            let shown: Vec<String> = hits.iter().map(share).collect();
            println!("| {name} | {level} | {sets} | {} |", shown.join(" | "));
        }
    }
    Ok(())
}

fn judge(
    design: &Design,
    level: f64,
    replicates: usize,
    seed: u64,
    hits: &mut [u64; 7],
) -> Result<(), hindsight_llm_metrics::Error> {
    let [e, a, b, alpha, beta] = TRUTH;
    let mut rng = Pcg64::seed_from_u64(seed);
    let (n, d): (Vec<f64>, Vec<f64>) = design.iter().copied().unzip();
    let loss: Vec<f64> = design
        .iter()
        .map(|(n, d)| {
            let z: f64 = StandardNormal.sample(&mut rng);
            (e + a * n.powf(-alpha) + b * d.powf(-beta)) * (NOISE * z).exp()
        })
        .collect();
    let options = ChinchillaOptions {
        level,
        replicates,
        seed,
        ..ChinchillaOptions::default()
    };
    let fit = fit_chinchilla(&n, &d, &loss, options)?;
    let study = ScalingStudy::new(&fit, &[BUDGET])?;
    if let Some(i) = &study.intervals {
        let all = [i.e, i.a, i.b, i.alpha, i.beta];
        for (hit, (interval, truth)) in hits.iter_mut().zip(all.iter().zip(TRUTH)) {
            *hit += u64::from(interval.contains(truth));
        }
    }
    // The optimum of the true law: alpha A / N^alpha = beta B / D^beta at N D = C / 6.
    let ratio = (alpha * a / (beta * b)).powf(1.0 / (alpha + beta));
    let parameters = ratio * (BUDGET / 6.0).powf(beta / (alpha + beta));
    if let Some(size) = study.optimal.first() {
        let ends = [size.parameters_interval, size.tokens_interval];
        for (hit, (interval, truth)) in hits[5..].iter_mut().zip(
            ends.into_iter()
                .zip([parameters, BUDGET / 6.0 / parameters]),
        ) {
            *hit += u64::from(interval.is_some_and(|i| i.contains(truth)));
        }
    }
    Ok(())
}
