//! Scratch.
#![allow(clippy::cast_precision_loss)]
use hindsight_games::Game;
use hindsight_games::equilibrium::*;
fn cpu() -> f64 { std::fs::read_to_string("/proc/thread-self/schedstat").unwrap().split_whitespace().next().unwrap().parse::<f64>().unwrap()*1e-9 }
fn uniform(seed: u64, count: usize) -> Vec<f64> {
    (1..=count as u64).map(|i| {
        let mut z = i.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(seed);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
    }).collect()
}
fn time(name: &str, g: &Game, c: Concept, o: &Objective) {
    let t = cpu();
    match correlated_equilibrium(g, c, o) {
        Ok(e) => println!("{name}\t{:.4}s\tpivots {}\tvalue {:.9}\tgap {:e}\tinf {:e} support {}", cpu()-t, e.pivots, e.value, e.gap, e.infeasibility, e.joint.iter().filter(|p| **p > 0.0).count()),
        Err(e) => println!("{name}\t{:.4}s\tERR {e}", cpu()-t),
    }
}
fn gauss(seed: u64, n: usize) -> Vec<f64> {
    let u = uniform(seed, 2 * n);
    (0..n).map(|i| (-2.0 * (1.0 - u[2 * i]).ln()).sqrt() * (2.0 * std::f64::consts::PI * u[2 * i + 1]).cos()).collect()
}
fn covariant(n: usize, r: f64, seed: u64) -> Game {
    let (a, e) = (gauss(seed, n * n), gauss(seed + 1000, n * n));
    let b = a.iter().zip(&e).map(|(a, e)| r * a + (1.0 - r * r).sqrt() * e).collect();
    Game::new(vec![n, n], vec![a, b]).unwrap()
}
fn main() {
    let which = std::env::args().nth(1).unwrap_or_default();
    let want = |s: &str| which.is_empty() || s.contains(&which);
    use Concept::*;
    let uni = |n: usize| Game::new(vec![n, n], vec![uniform(1, n * n), uniform(2, n * n)]).unwrap();
    if want("easy") {
        for n in [10, 30] { for c in [Correlated, CoarseCorrelated] { time(&format!("uniform {n} welfare {c:?}"), &uni(n), c, &Objective::Welfare); } }
    }
    if want("travel") {
        let g = Game::from_fn(&[40, 40], |i, p| { let (a, b) = (p[i] as f64 + 2.0, p[1 - i] as f64 + 2.0); if a < b { a + 2.0 } else if a > b { b - 2.0 } else { a } }).unwrap();
        time("travel 40 welfare", &g, Correlated, &Objective::Welfare);
    }
    if want("cov") {
        time("cov-0.9 30 welfare", &covariant(30, -0.9, 11), Correlated, &Objective::Welfare);
        time("cov-0.9 30 against0", &covariant(30, -0.9, 11), Correlated, &Objective::AgainstPlayer(0));
    }
    if want("minwelfare") {
        let g = uni(30);
        let c: Vec<f64> = (0..900).map(|s| -g.payoffs(0).unwrap()[s] - g.payoffs(1).unwrap()[s]).collect();
        time("uniform 30 min welfare", &g, Correlated, &Objective::Linear(c));
    }
    if want("zerosum") {
        for n in [20, 30, 35, 40] {
            let a = uniform(1, n * n);
            let g = Game::new(vec![n, n], vec![a.clone(), a.iter().map(|v| -v).collect()]).unwrap();
            time(&format!("zero-sum {n} CE player0"), &g, Correlated, &Objective::Player(0));
            time(&format!("zero-sum {n} CE welfare"), &g, Correlated, &Objective::Welfare);
            time(&format!("zero-sum {n} CE random"), &g, Correlated, &Objective::Linear(uniform(77, n * n)));
        }
    }
}
