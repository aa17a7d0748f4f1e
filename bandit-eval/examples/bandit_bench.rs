//! Times this crate on the work of `bench/bandit_peers.py`, on the same data.
//!
//!     bandit_bench [NAME [N]]          one piece of work, or all of them
//!     bandit_bench make FILE BYTES     writes a log
//!     bandit_bench log FILE            evaluates it, with the rate of reading and the peak memory
//!
//! Each figure is the least CPU time of several runs on one thread, in seconds, with the value found, so that both programs can be compared
//! line by line.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small counts in a bench"
)]

use std::fs::File;
use std::hint::black_box;
use std::io::{BufReader, BufWriter, Write};

use cpu_time::ProcessTime;
use hindsight_bandit_eval::io::{Columns, LogReader};
use hindsight_bandit_eval::learn::{Learner, LinUcb};
use hindsight_bandit_eval::model::{Features, Regressor, Ridge};
use hindsight_bandit_eval::{Bootstrap, Error, Estimator, Evaluation, Table, verdict::Limits};
use rand::SeedableRng;

/// Uniforms of 53 bits: output number `i` of SplitMix64.
fn uniform(seed: u64, i: u64) -> f64 {
    let mut z = (i + 1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(seed);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

fn uniforms(seed: u64, n: usize) -> Vec<f64> {
    (0..n as u64).map(|i| uniform(seed, i)).collect()
}

/// A log of a uniform policy with five actions; the target's rows are normalised uniforms.
struct Log<T> {
    target: Vec<T>,
    predicted: Vec<T>,
    action: Vec<u32>,
    reward: Vec<T>,
    propensity: Vec<T>,
}

const ACTIONS: usize = 5;

impl Log<f64> {
    fn new(n: usize) -> Self {
        let mut target = uniforms(21, n * ACTIONS);
        for row in target.chunks_exact_mut(ACTIONS) {
            let sum: f64 = row.iter().sum();
            row.iter_mut().for_each(|p| *p /= sum);
        }
        let action = (0..n as u64).map(|i| (uniform(23, i) * ACTIONS as f64) as u32);
        let reward = (0..n as u64).map(|i| f64::from(u8::from(uniform(24, i) < 0.3)));
        Log {
            target,
            predicted: uniforms(22, n * ACTIONS),
            action: action.collect(),
            reward: reward.collect(),
            propensity: vec![1.0 / ACTIONS as f64; n],
        }
    }

    /// The same in numbers of 32 bits.
    #[allow(clippy::cast_possible_truncation, reason = "rounded on purpose")]
    fn single(&self) -> Log<f32> {
        let column = |numbers: &[f64]| numbers.iter().map(|x| *x as f32).collect();
        Log {
            target: column(&self.target),
            predicted: column(&self.predicted),
            action: self.action.clone(),
            reward: column(&self.reward),
            propensity: column(&self.propensity),
        }
    }
}

impl<T> Log<T> {
    fn table(&self) -> Table<'_, T> {
        Table {
            actions: ACTIONS,
            action: &self.action,
            reward: &self.reward,
            propensity: &self.propensity,
            target: &self.target,
            predicted: Some(&self.predicted),
        }
    }
}

fn time(
    name: &str,
    runs: usize,
    mut work: impl FnMut() -> Result<Vec<f64>, Error>,
) -> Result<(), Error> {
    let (mut best, mut value) = (f64::INFINITY, Vec::new());
    for _ in 0..runs {
        let start = ProcessTime::now();
        value = black_box(work()?);
        best = best.min(start.elapsed().as_secs_f64());
    }
    let value: Vec<String> = value.iter().map(|v| format!("{v:.9}")).collect();
    println!("{name} {best:.6} {}", value.join(" "));
    Ok(())
}

fn estimators<T: Copy + Into<f64>>(name: &str, log: &Log<T>) -> Result<(), Error> {
    let n = log.action.len();
    let asked = [
        Estimator::Ips,
        Estimator::Snips,
        Estimator::Dm,
        Estimator::Dr,
        Estimator::SwitchDr(1.5),
    ];
    time(name, (20_000_000 / n).clamp(5, 2_000), || {
        let mut evaluation = Evaluation::new(&asked)?;
        evaluation.extend(&log.table())?;
        let limits = Limits::default();
        let one = |e: &Estimator| {
            Ok(evaluation
                .estimate(*e, &limits)?
                .map_or(f64::NAN, |e| e.value))
        };
        asked.iter().map(one).collect()
    })
}

fn bootstrap(n: usize) -> Result<(), Error> {
    let log = Log::new(n);
    time("bootstrap", 5, || {
        let mut bootstrap = Bootstrap::new(Estimator::Dr, 1_000, 1)?;
        bootstrap.extend(&log.table())?;
        let interval = bootstrap.interval(0.95)?;
        Ok(vec![interval.lower, interval.upper])
    })
}

fn ridge(n: usize) -> Result<(), Error> {
    const COLUMNS: usize = 20;
    let x = uniforms(31, n * COLUMNS);
    let noise = uniforms(32, n);
    let y: Vec<f64> = x
        .chunks_exact(COLUMNS)
        .zip(noise)
        .map(|(row, noise)| {
            let products = row.iter().enumerate().map(|(j, x)| x * (j + 1) as f64);
            products.sum::<f64>() / COLUMNS as f64 + noise
        })
        .collect();
    let features = Features::new(COLUMNS, &x)?;
    time("ridge", 5, || {
        let model = Ridge::new(1.0)?.through_origin().fit(features, &y, None)?;
        Ok(vec![model.coefficients.iter().sum()])
    })
}

fn linucb(rounds: usize) -> Result<(), Error> {
    const ACTIONS: usize = 10;
    const COLUMNS: usize = 20;
    let x = uniforms(41, rounds * COLUMNS);
    let z = uniforms(42, rounds);
    time("linucb", 3, || {
        let mut rng = rand_pcg::Pcg64::seed_from_u64(1);
        let mut learner = LinUcb::new(ACTIONS, COLUMNS, 1.0, 1.0)?;
        let mut total = 0.0;
        for (x, z) in x.chunks_exact(COLUMNS).zip(&z) {
            let action = learner.choose(x, &mut rng)?.action;
            let reward = f64::from(u8::from(*z < x[action]));
            total += reward;
            learner.learn(x, action, reward)?;
        }
        Ok(vec![total])
    })
}

/// A log of `bytes` bytes or a little more.
fn make(path: &str, bytes: u64) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(
        out,
        "action,reward,propensity,target_0,target_1,target_2,target_3,target_4"
    )?;
    let (mut i, mut written) = (0, 0);
    while written < bytes {
        let row: Vec<f64> = (0..5).map(|k| uniform(21, 5 * i + k)).collect();
        let sum: f64 = row.iter().sum();
        let mut shares: Vec<f64> = row.iter().map(|p| (p / sum * 1e8).floor() / 1e8).collect();
        shares[4] = 1.0 - shares[..4].iter().sum::<f64>();
        let shares: Vec<String> = shares.iter().map(|p| format!("{p:.8}")).collect();
        let action = (uniform(23, i) * 5.0) as u32;
        let reward = u8::from(uniform(24, i) < 0.3);
        let line = format!("{action},{reward},0.2,{}\n", shares.join(","));
        written += line.len() as u64;
        out.write_all(line.as_bytes())?;
        i += 1;
    }
    out.flush()
}

/// Evaluates a log, and says how fast it was read and how much memory that took.
fn log(path: &str) -> Result<(), Box<dyn std::error::Error>> {
    let start = ProcessTime::now();
    let file = BufReader::with_capacity(1 << 18, File::open(path)?);
    let mut reader = LogReader::new(file, &Columns::default())?;
    let mut evaluation = Evaluation::new(&[Estimator::Ips, Estimator::Snips])?;
    while reader.next_round()? {
        reader.push_to(&mut evaluation)?;
    }
    let seconds = start.elapsed().as_secs_f64();
    let rate = std::fs::metadata(path)?.len() as f64 / seconds / 1e6;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find(|l| l.starts_with("VmHWM"))
        .unwrap_or("VmHWM unknown");
    let rounds = evaluation.rounds();
    println!("log {seconds:.4} s {rate:.0} MB/s {rounds} rounds {peak}");
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", path, bytes] => return Ok(make(path, bytes.parse::<f64>()? as u64)?),
        ["log", path] => return log(path),
        _ => {}
    }
    let name = arguments.first().map_or("", String::as_str);
    let size = |usual: usize| {
        let given = arguments.get(1).and_then(|n| n.parse::<f64>().ok());
        given.map_or(usual, |n| n as usize)
    };
    let all = name.is_empty();
    if all || name == "estimators" {
        estimators("estimators", &Log::new(size(10_000_000)))?;
    }
    if all || name == "single" {
        estimators("single", &Log::new(size(10_000_000)).single())?;
    }
    if all || name == "bootstrap" {
        bootstrap(size(100_000))?;
    }
    if all || name == "ridge" {
        ridge(size(1_000_000))?;
    }
    if all || name == "linucb" {
        linucb(size(100_000))?;
    }
    Ok(())
}
