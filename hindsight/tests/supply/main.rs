//! Kinds of record that have fooled other programs, each in a small file of our own: what is read, what is refused and why, what is noticed,
//! and what the policies then earn.

mod files;
mod limits;
mod records;

use std::fmt::Write as _;
use std::process::{Command, Output};

use serde_json::Value;

/// One kind: its file, the arguments, and what must be.
struct Kind {
    name: &'static str,
    file: String,
    arguments: &'static [&'static str],
    expected: Expected,
}

enum Expected {
    /// Exit code 2, and these words.
    Refused(&'static str),
    /// `--check` says these words.
    Said(&'static str),
    /// Results of which a law holds.
    Results(fn(&Value) -> bool),
}
use Expected::{Refused, Results, Said};

const WEEKS: usize = 60;

/// Demand that varies around ten.
fn units(product: usize, week: usize) -> usize {
    4 + (5 * week + 7 * product + week * week % 13) % 13
}

/// Products p0, p1, ... with a price of 10 and a cost of 6; `row` gives the week's name, and demand with what follows it, or none.
fn record(
    products: usize,
    header: &str,
    row: impl Fn(usize, usize) -> Option<(String, String)>,
) -> String {
    let mut text = format!("product,week,{header}\n");
    for product in 0..products {
        for week in 1..=WEEKS {
            if let Some((week, rest)) = row(product, week) {
                writeln!(text, "p{product},{week},{rest}").unwrap();
            }
        }
    }
    text
}

/// The plain form of a record with another demand.
fn plain(demand: impl Fn(usize, usize) -> Option<usize>) -> String {
    record(3, "demand,price,cost", |p, w| {
        Some((w.to_string(), format!("{},10,6", demand(p, w)?)))
    })
}

/// The same with other names of weeks.
fn named(name: impl Fn(usize) -> String) -> String {
    record(2, "demand,price,cost", |p, w| {
        Some((name(w), format!("{},10,6", units(p, w))))
    })
}

/// A date so many days after 2020-01-06.
fn date(days: usize) -> String {
    let lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let lengths = lengths
        .into_iter()
        .chain([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);
    let (mut month, mut day) = (0, days + 6);
    for length in lengths.chain(std::iter::repeat(30)) {
        if day <= length {
            break;
        }
        day -= length;
        month += 1;
    }
    format!("{}-{:02}-{day:02}", 2020 + month / 12, month % 12 + 1)
}

fn daily() -> String {
    let mut text = String::from("product,week,demand,price,cost\n");
    for day in 0..200 {
        writeln!(text, "p0,{},{},10,6", date(day), units(0, day)).unwrap();
    }
    text
}

/// A quick back-test of a record at one origin.
fn backtest(record: &str, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s.csv"), record).unwrap();
    let quick = "backtest --data s.csv --origins 1 --members 1 --steps 2 --no-report --json -";
    Command::new(env!("CARGO_BIN_EXE_hindsight"))
        .current_dir(folder.path())
        .args(quick.split(' '))
        .args(arguments)
        .output()
        .unwrap()
}

fn run(kind: &Kind) -> Result<(), String> {
    let output = backtest(&kind.file, kind.arguments);
    let (out, said) = (output.stdout, String::from_utf8(output.stderr).unwrap());
    let holds = match (&kind.expected, output.status.code()) {
        (Refused(words), Some(2)) => said.contains(words) && said.contains("s.csv"),
        (Said(words), Some(0)) => String::from_utf8_lossy(&out).contains(words),
        (Results(law), Some(0)) => law(&serde_json::from_slice(&out).unwrap()),
        _ => false,
    };
    let shown = String::from_utf8_lossy(&out[..out.len().min(3000)]).into_owned();
    if holds {
        return Ok(());
    }
    Err(format!("{}: {said}{shown}", kind.name))
}

#[test]
fn every_kind_is_as_expected() {
    let kinds = [
        files::names_of_weeks(),
        files::numbers(),
        files::products(),
        records::covariates_and_stock(),
        records::terms(),
        records::courses_of_demand(),
    ];
    let wrong: Vec<String> = kinds
        .iter()
        .flatten()
        .filter_map(|kind| run(kind).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Prices of coming weeks that are not known ahead move no order before them.
#[test]
fn an_unplanned_price_is_not_seen_ahead() {
    let orders = |price: usize| {
        let file = record(3, "demand,price,cost,promo", |p, w| {
            let price = if w == WEEKS { price } else { 10 };
            Some((
                w.to_string(),
                format!("{},{price},6,{}", units(p, w), w % 5 / 4),
            ))
        });
        let terms = [
            "--planned",
            "promo",
            "--price-unplanned",
            "--lead-time",
            "2",
        ];
        let output = backtest(&file, &terms);
        let results: Value = serde_json::from_slice(&output.stdout).unwrap();
        let samples = results["samples"].as_array().unwrap().clone();
        let tracks = samples
            .iter()
            .flat_map(|s| s["tracks"].as_array().unwrap().clone());
        let early = |track: Value| {
            let mut orders = track["orders"].as_array().unwrap().clone();
            orders.pop();
            (track["policy"].to_string(), orders)
        };
        tracks.map(early).collect::<Vec<_>>()
    };
    assert_eq!(orders(10), orders(9));
}
