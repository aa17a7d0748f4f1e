//! Times this crate on the work of `bench/llm_peers.py`, on the same data.
//!
//!     llm_bench [N]                  all work on N records in memory (10^7 unless given)
//!     llm_bench work NAME N          one piece of it
//!     llm_bench make FILE BYTES [SHAPE]   writes a log: with text, or short, probs, logits, harness
//!     llm_bench jsonl FILE           calibration of a log, with its rate and the peak memory
//!
//! Build it without the feature `rayon`, so that one thread works. Each figure is the least CPU time of five runs, in seconds, with the
//! value found, so that both programs can be compared line by line.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small counts in a bench"
)]

use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::path::Path;

use cpu_time::ProcessTime;
use hindsight_llm_metrics::io::{CalibrationReader, Fields, open};
use hindsight_llm_metrics::{
    calibration::{
        Accumulator, ConfidenceHistogram, EdgeRule, Edges, Norm, Reliability, calibration_interval,
        cluster_ece_bootstrap, ece_bootstrap, log_loss,
    },
    recalibrate::Isotonic,
};

/// Uniforms of 24 bits, a pure function of (stream, index): the recipe of `bench/llm_common.py`.
fn unit(stream: u64, i: u64) -> f64 {
    let mut z = (i + 1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(stream.wrapping_mul(0xD1B5_4A32_D192_ED03));
    z ^= z >> 30;
    z = z.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z ^= z >> 27;
    z = z.wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 40) as f64 / f64::from(1 << 24)
}

fn record(i: u64) -> (f64, bool) {
    let p = (unit(1, i) + unit(3, i) / f64::from(1 << 24)).clamp(1e-9, 1.0 - 1e-9);
    (p, unit(2, i) < p.powf(1.2))
}

/// The work asked for: all of it for an empty name.
struct Work<'a>(&'a str);

impl Work<'_> {
    /// Prints the least CPU time of five runs, if this is the work asked for.
    fn time<T: std::fmt::Debug>(&self, name: &str, n: usize, mut f: impl FnMut() -> T) {
        if !self.0.is_empty() && self.0 != name {
            return;
        }
        let mut best = f64::INFINITY;
        let mut value = String::new();
        for _ in 0..5 {
            let start = ProcessTime::now();
            let result = black_box(f());
            best = best.min(start.elapsed().as_secs_f64());
            value = format!("{result:?}");
        }
        println!("{name:10} n={n:>9} {best:9.4} s  value {value}");
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["make", file, bytes] => make(Path::new(file), bytes.parse()?, "text"),
        ["make", file, bytes, shape] => make(Path::new(file), bytes.parse()?, shape),
        ["jsonl", file] => jsonl(Path::new(file)),
        [] => memory("", 10_000_000),
        ["work", name, n] => memory(name, n.parse()?),
        [n] => memory("", n.parse()?),
        _ => {
            Err("usage: llm_bench [N] | work NAME N | jsonl FILE | make FILE BYTES [SHAPE]".into())
        }
    }
}

/// Writes a log of about `bytes` bytes: with a question and an answer of a few hundred characters, of short lines, with arrays of
/// probabilities or logits over four classes, or of samples of lm-evaluation-harness.
fn make(path: &Path, bytes: u64, shape: &str) -> Result<(), Box<dyn Error>> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let words = "Janet's ducks lay sixteen eggs per day; she eats three for breakfast and bakes \\\"muffins\\\" with four. ";
    let (mut written, mut i) = (0u64, 0u64);
    while written < bytes {
        let (p, y) = record(i);
        let repeat = 1 + (unit(4, i) * 6.0) as usize;
        let line = match shape {
            "text" => format!(
                "{{\"id\": {i}, \"question\": \"{}\", \"answer\": \"{}\", \"conf\": {p:.6}, \"correct\": {y}, \"tokens\": [1, 2, 3]}}\n",
                words.repeat(repeat),
                &words[..40]
            ),
            "short" => format!("{{\"conf\": {p:.6}, \"correct\": {}}}\n", u8::from(y)),
            "probs" | "logits" => {
                let (z, label) = choices(i);
                let z = if shape == "probs" { softmax(z) } else { z };
                format!(
                    "{{\"id\": {i}, \"{shape}\": [{:.6}, {:.6}, {:.6}, {:.6}], \"label\": {label}}}\n",
                    z[0], z[1], z[2], z[3]
                )
            }
            "harness" => harness(i, &words.repeat(repeat)),
            other => return Err(format!("no shape {other}").into()),
        };
        out.write_all(line.as_bytes())?;
        written += line.len() as u64;
        i += 1;
    }
    out.flush()?;
    println!("{i} records, {written} bytes");
    Ok(())
}

/// Logits over four classes, and a label drawn from a softer distribution than theirs.
fn choices(i: u64) -> ([f64; 4], usize) {
    let z = [10, 11, 12, 13].map(|stream| -6.0 * unit(stream, i));
    let soft = softmax(z.map(|v| 0.7 * v));
    let u = unit(14, i);
    let mut total = 0.0;
    let label = soft.iter().take_while(|q| {
        total += *q;
        total < u
    });
    (z, label.count().min(3))
}

fn softmax(z: [f64; 4]) -> [f64; 4] {
    let sum: f64 = z.iter().map(|v| v.exp()).sum();
    z.map(|v| v.exp() / sum)
}

/// A multiple-choice sample as lm-evaluation-harness logs it: log-likelihoods as texts, twice.
fn harness(i: u64, question: &str) -> String {
    let (z, label) = choices(i);
    let best = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let pair = |v: f64| {
        format!(
            "[\"{v}\", \"{}\"]",
            if v >= best { "True" } else { "False" }
        )
    };
    let join = |f: &dyn Fn(f64) -> String| z.map(f).join(", ");
    let acc = f64::from(u8::from(z[label] >= best));
    format!(
        "{{\"doc_id\": {i}, \"doc\": {{\"question\": \"{question}\", \"choices\": [\"three\", \"four\", \"nine\", \"sixteen\"], \"gold\": {label}}}, \
         \"target\": \"{label}\", \"arguments\": {{\"gen_args_0\": {{\"arg_0\": \"{question}\", \"arg_1\": \" three\"}}}}, \"resps\": [{}], \
         \"filtered_resps\": [{}], \"filter\": \"none\", \"metrics\": [\"acc\"], \"doc_hash\": \"{i:064x}\", \"acc\": {acc:.1}}}\n",
        join(&|v| format!("[{}]", pair(v))),
        join(&pair)
    )
}

/// Calibration of a log in one pass, with the rate and the peak memory.
fn jsonl(path: &Path) -> Result<(), Box<dyn Error>> {
    let start = ProcessTime::now();
    let mut reader = CalibrationReader::new(open(path)?, &Fields::default())?;
    let mut acc = Accumulator::new(Edges::equal_width(15, EdgeRule::UpperClosed)?);
    let (mut conf, mut right) = (Vec::with_capacity(4096), Vec::with_capacity(4096));
    loop {
        let more = reader.next_record(|r, _| {
            let top = r.top_label();
            conf.push(top.0);
            right.push(top.1);
        })?;
        if conf.len() == 4096 || !more {
            acc.extend(&conf, &right)?;
            conf.clear();
            right.clear();
        }
        if !more {
            break;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(path)?.len() as f64;
    let s = acc.summary()?;
    let peak = std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|t| {
            t.lines()
                .find(|l| l.starts_with("VmHWM"))
                .map(|l| l.split_whitespace().nth(1).unwrap_or("?").to_owned())
        });
    println!(
        "{} records, {:.0} MB in {seconds:.2} CPU s: {:.0} MB/s; ECE {:.9}, Brier {:.9}, NLL {:.9}; peak memory {} kB",
        s.n,
        bytes / 1e6,
        bytes / 1e6 / seconds,
        s.reliability.l1(),
        s.brier,
        s.nll,
        peak.unwrap_or_default()
    );
    Ok(())
}

fn memory(name: &str, n: usize) -> Result<(), Box<dyn Error>> {
    let (p, y): (Vec<f64>, Vec<bool>) = (0..n as u64).map(record).unzip();
    let edges = Edges::equal_width(15, EdgeRule::UpperClosed)?;
    let work = Work(name);
    // Expected calibration error, Brier score and log loss in one pass.
    work.time("scores", n, || {
        let mut acc = Accumulator::new(edges.clone());
        acc.extend(&p, &y)
            .and_then(|()| acc.summary())
            .map(|s| [s.reliability.l1(), s.brier, s.nll])
    });
    work.time("logloss", n, || log_loss(&p, &y));
    // Exact equal-mass bins, with their sort.
    work.time("equalmass", n, || {
        Edges::equal_mass(&p, 15, EdgeRule::UpperClosed)
            .and_then(|e| Reliability::new(&p, &y, e))
            .map(|t| t.l1())
    });
    work.time("smooth", n, || {
        let mut h = ConfidenceHistogram::new();
        h.extend(&p, &y)
            .and_then(|()| h.smooth_ece())
            .map(|v| v.value)
    });
    work.time("isotonic", n, || {
        Isotonic::fit(&p, &y).map(|m| m.knots().len())
    });
    let k = n / 10;
    let (pk, yk) = (&p[..k], &y[..k]);
    let mean = |v: Vec<f64>| v.iter().sum::<f64>() / v.len() as f64;
    // A thousand replicates, drawn cell by cell.
    work.time("bootstrap", k, || {
        ece_bootstrap(pk, yk, &edges, 1000, 1).map(mean)
    });
    let table = Reliability::new(pk, yk, edges.clone())?;
    work.time("interval", k, || {
        calibration_interval(&table, Norm::L1, 0.95, 1000, 1).map(|i| [i.lower, i.upper])
    });
    // A hundred replicates, drawn record by record.
    let small = k.min(100_000);
    let keys: Vec<u64> = (0..small as u64).collect();
    work.time("clustered", small, || {
        cluster_ece_bootstrap(&pk[..small], &yk[..small], &keys, &edges, 100, 1).map(mean)
    });
    Ok(())
}
