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
fn main() {
    for n in [4, 6, 8, 9, 10, 11, 12] {
        for whole in [false, true] {
            let f = |v: Vec<f64>| -> Vec<f64> { if whole { v.iter().map(|x| (x * 5.0).floor()).collect() } else { v } };
            let g = Game::new(vec![n, n], vec![f(uniform(1, n * n)), f(uniform(2, n * n))]).unwrap();
            let t = cpu(); let r = nash_equilibria(&g).map(|a| a.len());
            println!("{n} whole {whole}: {r:?} {:.4}", cpu() - t);
        }
    }
    for n in [10, 20, 30, 60, 100, 200] {
        let g = Game::new(vec![n, n], vec![uniform(1, n * n), uniform(2, n * n)]).unwrap();
        let t = cpu(); let r = lemke_howson(&g, 0).map(|e| nash_conv(&g, &[e.row, e.column]).unwrap());
        println!("LH {n}: {r:?} {:.4}", cpu() - t);
    }
}
