//! The crate's work of fixed size, timed: prints a name, CPU seconds and a check value a line. The peers' script `bench/games_peers.py` prints the same lines for `SciPy`, `NumPy`
//! and numba; `bench/games_compare.py` runs both and prints ratios.
//!
//! Run with `cargo run --release -p hindsight-games --example bench`.

#![allow(clippy::cast_precision_loss)]

use std::time::Instant;

use hindsight_games::Game;
use hindsight_games::equilibrium::{
    Concept, FollowerTies, Objective, correlated_equilibrium, nash_equilibria, solve_zero_sum,
    stackelberg,
};
use hindsight_games::repeated::{
    BlumMansour, Hedge, Learner, RegretAccount, RegretMatching, average_self_play,
};

/// Uniform numbers in [0, 1): the outputs of `SplitMix64` from a seed.
fn uniform(seed: u64, count: usize) -> Vec<f64> {
    (1..=count as u64)
        .map(|i| {
            let mut z = i.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(seed);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ (z >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
        })
        .collect()
}

/// Seconds this thread has run on a processor, where the system tells; wall seconds elsewhere.
fn cpu(start: Instant) -> f64 {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| {
            text.split_whitespace()
                .next()
                .and_then(|ns| ns.parse::<f64>().ok())
        })
        .map_or_else(|| start.elapsed().as_secs_f64(), |ns| ns * 1e-9)
}

/// The best of three batches, each repeated until it fills a quarter of a second or `repeats` runs, since the system's clock ticks.
fn clock(name: &str, repeats: u32, mut work: impl FnMut() -> f64) {
    let origin = Instant::now();
    let mut best = f64::INFINITY;
    let mut check = f64::NAN;
    for _ in 0..3 {
        let before = cpu(origin);
        let mut runs = 0;
        while runs < repeats && (runs == 0 || cpu(origin) - before < 0.25) {
            check = work();
            runs += 1;
        }
        best = best.min((cpu(origin) - before) / f64::from(runs));
    }
    println!("{name}\t{best:.7}\t{check:.9}");
}

/// Independent standard normal numbers: Box and Muller's cosine of uniform pairs.
fn normal(seed: u64, count: usize) -> Vec<f64> {
    uniform(seed, 2 * count)
        .chunks_exact(2)
        .map(|u| (-2.0 * (1.0 - u[0]).ln()).sqrt() * (2.0 * std::f64::consts::PI * u[1]).cos())
        .collect()
}

/// Correlated equilibria of games in conflict: their programmes are the most degenerate.
fn competitive() -> Result<(), hindsight_games::GamesError> {
    let clock = |name: String, game: &Game, objective: &Objective| {
        clock(&name, 100, || {
            correlated_equilibrium(game, Concept::Correlated, objective)
                .map_or(f64::NAN, |e| e.value)
        });
    };
    let n = 40;
    let dilemma = Game::from_fn(&[n, n], |player, claims| {
        let (own, other) = (claims[player] as f64 + 2.0, claims[1 - player] as f64 + 2.0);
        own.min(other) + if own < other { 2.0 } else { 0.0 } - if own > other { 2.0 } else { 0.0 }
    })?;
    clock(format!("traveller {n}x{n}"), &dilemma, &Objective::Welfare);
    let n = 30;
    for seed in [11, 13] {
        let a = normal(seed, n * n);
        let b = a
            .iter()
            .zip(normal(seed + 1000, n * n))
            .map(|(u, e)| 0.19f64.sqrt() * e - 0.9 * u)
            .collect();
        let game = Game::new(vec![n, n], vec![a, b])?;
        let name = format!("correlation -0.9 ({seed})");
        clock(format!("{name} welfare"), &game, &Objective::Welfare);
        clock(
            format!("{name} against"),
            &game,
            &Objective::AgainstPlayer(0),
        );
    }
    let (a, b) = (uniform(1, n * n), uniform(2, n * n));
    let least = Objective::Linear(a.iter().zip(&b).map(|(a, b)| -a - b).collect());
    let game = Game::new(vec![n, n], vec![a, b])?;
    clock(format!("CE least welfare {n}x{n}"), &game, &least);
    for n in [20, 35, 40] {
        let a = uniform(1, n * n);
        let b = a.iter().map(|u| -u).collect();
        let game = Game::new(vec![n, n], vec![a, b])?;
        clock(
            format!("zero-sum as CE {n}x{n}"),
            &game,
            &Objective::Player(0),
        );
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for n in [10, 30] {
        let game = Game::new(vec![n, n], vec![uniform(1, n * n), uniform(2, n * n)])?;
        for (concept, name) in [
            (Concept::Correlated, "CE"),
            (Concept::CoarseCorrelated, "CCE"),
        ] {
            clock(&format!("{name} welfare {n}x{n}"), 100_000, || {
                correlated_equilibrium(&game, concept, &Objective::Welfare)
                    .map_or(f64::NAN, |e| e.value)
            });
        }
    }
    competitive()?;
    for n in [100, 300] {
        let rows: Vec<Vec<f64>> = uniform(5, n * n).chunks(n).map(<[f64]>::to_vec).collect();
        clock(&format!("zero-sum {n}x{n}"), 100_000, || {
            solve_zero_sum(&rows).map_or(f64::NAN, |z| z.value)
        });
    }
    let (k, rounds) = (10, 1_000_000);
    let rewards = uniform(3, k * rounds);
    clock("Hedge K=10 T=1e6", 100_000, || {
        let Ok(mut hedge) = Hedge::fixed(k, rounds) else {
            return f64::NAN;
        };
        let mut total = vec![0.0; k];
        let mut got = 0.0;
        for g in rewards.chunks_exact(k) {
            got += hedge.play().iter().zip(g).map(|(x, g)| x * g).sum::<f64>();
            total.iter_mut().zip(g).for_each(|(t, g)| *t += g);
            if hedge.observe(g).is_err() {
                return f64::NAN;
            }
        }
        total.into_iter().fold(f64::NEG_INFINITY, f64::max) - got
    });
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // numbers in [0, 10)
    let actions: Vec<usize> = uniform(4, rounds)
        .iter()
        .map(|u| (u * k as f64) as usize)
        .collect();
    clock("swap regret K=10 T=1e6", 100_000, || {
        let Ok(mut account) = RegretAccount::new(k) else {
            return f64::NAN;
        };
        for (&action, g) in actions.iter().zip(rewards.chunks_exact(k)) {
            if account.record_pure(action, g).is_err() {
                return f64::NAN;
            }
        }
        account.swap()
    });
    clock("Blum-Mansour K=10 T=1e4", 100_000, || {
        let Ok(mut learner) = BlumMansour::with_rate(k, 0.05) else {
            return f64::NAN;
        };
        let mut got = 0.0;
        for g in rewards.chunks_exact(k).take(10_000) {
            got += learner
                .play()
                .iter()
                .zip(g)
                .map(|(x, g)| x * g)
                .sum::<f64>();
            if learner.observe(g).is_err() {
                return f64::NAN;
            }
        }
        got
    });
    let n = 30;
    let game = Game::new(vec![n, n], vec![uniform(1, n * n), uniform(2, n * n)])?;
    clock("RM+ self-play 30x30 T=1e5", 100_000, || {
        let (Ok(mut a), Ok(mut b)) = (RegretMatching::plus(n), RegretMatching::plus(n)) else {
            return f64::NAN;
        };
        average_self_play(&game, &mut [&mut a, &mut b], 100_000).map_or(f64::NAN, |averages| {
            averages[0].iter().copied().fold(0.0, f64::max)
        })
    });
    clock("Stackelberg 30x30", 100_000, || {
        stackelberg(&game, 0, FollowerTies::ForLeader).map_or(f64::NAN, |c| c.value)
    });
    let small = Game::new(vec![6, 6], vec![uniform(1, 36), uniform(2, 36)])?;
    clock("all Nash 6x6", 100_000, || {
        nash_equilibria(&small).map_or(f64::NAN, |all| all.len() as f64)
    });
    Ok(())
}
