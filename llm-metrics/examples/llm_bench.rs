//! Times this crate on the work of `bench/llm_peers.py`, on the same data: `llm_bench [n]`, `llm_bench jsonl FILE`, `llm_bench make FILE BYTES [short]`.
//!
//! Build it without the feature `rayon`, so that one thread works. Each figure is the least CPU time of five runs, in seconds, with the value found, so that both programs can be compared line by line.

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
use hindsight_llm_metrics::io::{CalibrationReader, Fields, Record, open};
use hindsight_llm_metrics::{
    Accumulator, ConfidenceHistogram, EdgeRule, Edges, Isotonic, Norm, Reliability,
    calibration_interval, cluster_ece_bootstrap, ece_bootstrap, log_loss,
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

/// Prints the least CPU time of five runs.
fn time<T>(name: &str, n: usize, mut f: impl FnMut() -> T, show: impl Fn(&T) -> String) {
    let mut best = f64::INFINITY;
    let mut value = String::new();
    for _ in 0..5 {
        let start = ProcessTime::now();
        let result = black_box(f());
        best = best.min(start.elapsed().as_secs_f64());
        value = show(&result);
    }
    println!("{name:46} n={n:>9} {best:9.4} s  value {value}");
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["make", file, bytes] => make(Path::new(file), bytes.parse()?, false),
        ["make", file, bytes, "short"] => make(Path::new(file), bytes.parse()?, true),
        ["jsonl", file] => jsonl(Path::new(file)),
        [] => memory(10_000_000),
        [n] => memory(n.parse()?),
        _ => Err("usage: llm_bench [n] | jsonl FILE | make FILE BYTES [short]".into()),
    }
}

/// Writes a log of about `bytes` bytes: with a question and an answer of a few hundred characters, or short.
fn make(path: &Path, bytes: u64, short: bool) -> Result<(), Box<dyn Error>> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let words = "Janet's ducks lay sixteen eggs per day; she eats three for breakfast and bakes \\\"muffins\\\" with four. ";
    let (mut written, mut i) = (0u64, 0u64);
    while written < bytes {
        let (p, y) = record(i);
        let line = if short {
            format!("{{\"conf\": {p:.6}, \"correct\": {}}}\n", u8::from(y))
        } else {
            let repeat = 1 + (unit(4, i) * 6.0) as usize;
            format!(
                "{{\"id\": {i}, \"question\": \"{}\", \"answer\": \"{}\", \"conf\": {p:.6}, \"correct\": {y}, \"tokens\": [1, 2, 3]}}\n",
                words.repeat(repeat),
                &words[..40]
            )
        };
        out.write_all(line.as_bytes())?;
        written += line.len() as u64;
        i += 1;
    }
    out.flush()?;
    println!("{i} records, {written} bytes");
    Ok(())
}

/// Calibration of a log in one pass, with the rate and the peak memory.
fn jsonl(path: &Path) -> Result<(), Box<dyn Error>> {
    let start = ProcessTime::now();
    let mut reader = CalibrationReader::new(open(path)?, &Fields::default())?;
    let mut acc = Accumulator::new(Edges::equal_width(15, EdgeRule::UpperClosed)?);
    let (mut conf, mut right) = (Vec::with_capacity(4096), Vec::with_capacity(4096));
    loop {
        let more = reader.next_record(|r, _| {
            if let Record::Binary(c, y) = r {
                conf.push(*c);
                right.push(*y);
            }
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

fn memory(n: usize) -> Result<(), Box<dyn Error>> {
    let (p, y): (Vec<f64>, Vec<bool>) = (0..n as u64).map(record).unzip();
    let edges = Edges::equal_width(15, EdgeRule::UpperClosed)?;
    let all = |edges: &Edges| {
        let mut acc = Accumulator::new(edges.clone());
        acc.extend(&p, &y).and_then(|()| acc.summary())
    };
    let show = |v: f64| format!("{v:.9}");
    time(
        "ECE, Brier and log loss together",
        n,
        || all(&edges),
        |s| {
            s.as_ref().map_or_else(ToString::to_string, |s| {
                format!("{:.9} {:.9} {:.9}", s.reliability.l1(), s.brier, s.nll)
            })
        },
    );
    time(
        "log loss",
        n,
        || log_loss(&p, &y),
        |v| v.as_ref().map_or_else(ToString::to_string, |v| show(*v)),
    );
    let quantile = || {
        Edges::equal_mass(&p, 15, EdgeRule::UpperClosed)
            .and_then(|e| Reliability::new(&p, &y, e))
            .map(|t| t.l1())
    };
    time("ECE, equal mass (exact, with its sort)", n, quantile, |v| {
        format!("{v:?}")
    });
    let smooth = || {
        let mut h = ConfidenceHistogram::new();
        h.extend(&p, &y).and_then(|()| h.smooth_ece())
    };
    time("smooth ECE", n, smooth, |v| {
        v.as_ref()
            .map_or_else(ToString::to_string, |v| show(v.value))
    });
    time(
        "isotonic regression",
        n,
        || Isotonic::fit(&p, &y).map(|m| m.knots().len()),
        |v| format!("{v:?}"),
    );
    let k = n / 10;
    let (pk, yk) = (&p[..k], &y[..k]);
    let ten = Edges::equal_width(15, EdgeRule::UpperClosed)?;
    let mean = |v: &Vec<f64>| show(v.iter().sum::<f64>() / v.len() as f64);
    let text = |v: &Result<Vec<f64>, _>| {
        v.as_ref()
            .map_or_else(|e: &hindsight_llm_metrics::Error| e.to_string(), mean)
    };
    time(
        "bootstrap of ECE, 1000 replicates, by cell",
        k,
        || ece_bootstrap(pk, yk, &ten, 1000, 1),
        text,
    );
    let table = Reliability::new(pk, yk, ten.clone())?;
    time(
        "interval of ECE (hybrid, 1000 draws)",
        k,
        || calibration_interval(&table, Norm::L1, 0.95, 1000, 1),
        |v| format!("{v:?}"),
    );
    let keys: Vec<u64> = (0..k as u64).collect();
    let small = k.min(100_000);
    let clustered =
        || cluster_ece_bootstrap(&pk[..small], &yk[..small], &keys[..small], &ten, 100, 1);
    time(
        "bootstrap of ECE, 100 replicates, by record",
        small,
        clustered,
        text,
    );
    Ok(())
}
