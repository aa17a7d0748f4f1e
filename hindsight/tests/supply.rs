//! Kinds of record that have fooled other programs, each in a small file of our own: what is read, what is refused and why, what is noticed,
//! and what the policies then earn.

use std::fmt::Write as _;
use std::process::Command;

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

fn policy<'a>(results: &'a Value, name: &str) -> &'a Value {
    let policies = results["policies"].as_array().unwrap();
    policies.iter().find(|own| own["name"] == name).unwrap()
}

fn mean(results: &Value, name: &str) -> f64 {
    policy(results, name)["mean"].as_f64().unwrap()
}

fn notices(results: &Value, words: &str) -> bool {
    let notices = results["notices"].as_array().unwrap();
    notices
        .iter()
        .any(|notice| notice.as_str().unwrap().contains(words))
}

const UNTUNED: [&str; 2] = [
    "target position, untuned",
    "target position, mean lead time",
];

fn file(
    name: &'static str,
    file: String,
    arguments: &'static [&'static str],
    expected: Expected,
) -> Kind {
    Kind {
        name,
        file,
        arguments,
        expected,
    }
}

fn tested(
    name: &'static str,
    file: String,
    arguments: &'static [&'static str],
    law: fn(&Value) -> bool,
) -> Kind {
    Kind {
        name,
        file,
        arguments,
        expected: Results(law),
    }
}

fn all_policies(results: &Value, law: impl Fn(&Value) -> bool) -> bool {
    results["policies"].as_array().unwrap().iter().all(law)
}

fn constant() -> String {
    plain(|_, _| Some(10))
}

/// How weeks are written.
fn names_of_weeks() -> Vec<Kind> {
    vec![
        file(
            "dates of a year with 53 weeks",
            named(|w| date(7 * w)),
            &["--check"],
            Said("weeks 2020-01-13 to 2021-03-01\n0 weeks"),
        ),
        file(
            "ISO weeks",
            named(|w| {
                if w <= 53 {
                    format!("2020-W{w:02}")
                } else {
                    format!("2021-W{:02}", w - 53)
                }
            }),
            &["--check"],
            Said("weeks 2020-W01 to 2021-W07\n0 weeks"),
        ),
        file(
            "year and week in one number",
            named(|w| {
                if w <= 53 {
                    format!("2020{w:02}")
                } else {
                    format!("2021{:02}", w - 53)
                }
            }),
            &[],
            Refused("numbers made of year and week are not consecutive"),
        ),
        file("days", daily(), &[], Refused("--daily sums days to weeks")),
        file(
            "days that are summed",
            daily(),
            &["--daily", "--check"],
            Said("weeks 2020-01-06 to 2020-07-13"),
        ),
        file(
            "months",
            named(|w| format!("{}-{:02}-01", 2020 + w / 12, w % 12 + 1)),
            &[],
            Refused("months are no weeks"),
        ),
        file(
            "two weekdays",
            named(|w| date(7 * w + w / 40)),
            &[],
            Refused("is no whole number of weeks from"),
        ),
    ]
}

/// How numbers are written.
fn numbers() -> Vec<Kind> {
    let plain_text = plain(|p, w| Some(units(p, w)));
    let semicolons = plain_text.replace(',', ";");
    vec![
        file(
            "thousands in quotes",
            plain(|p, w| Some(units(p, w))).replacen(",10,6", ",\"1,000\",6", 1),
            &[],
            Refused("is not a number"),
        ),
        file(
            "a decimal comma",
            semicolons.replace(";10;6\n", ";10,5;6\n"),
            &["--delimiter", ";"],
            Refused("give --decimal-comma"),
        ),
        file(
            "a decimal comma that is said",
            semicolons.replace(";10;6\n", ";10,5;6\n"),
            &["--decimal-comma", "--check"],
            Said("10.50  10.50    10.50"),
        ),
        file(
            "points between thousands",
            semicolons.replace(";10;6\n", ";1.000,5;6\n"),
            &["--decimal-comma"],
            Refused("a point has no meaning"),
        ),
        file(
            "three decimals everywhere",
            record(1, "demand,price,cost", |p, w| {
                Some((w.to_string(), format!("{}.250,10,6", units(p, w))))
            }),
            &["--check"],
            Said("has three digits behind it"),
        ),
        file(
            "a byte order mark and returns",
            format!("\u{feff}{}", plain_text.replace('\n', "\r\n")),
            &["--check"],
            Said("180 rows, 3 products"),
        ),
        file(
            "returned goods",
            plain_text.replace("p1,7,", "p1,7,-"),
            &[],
            Refused("is negative"),
        ),
        file(
            "an empty price",
            plain_text.replacen(",10,6", ",,6", 1),
            &[],
            Refused("is empty (leave the whole row out"),
        ),
        file(
            "a price of zero",
            plain_text.replacen(",10,6", ",0,6", 1),
            &[],
            Refused("must be above zero"),
        ),
    ]
}

/// How products are named, and which are there.
fn products() -> Vec<Kind> {
    let plain_text = plain(|p, w| Some(units(p, w)));
    vec![
        file(
            "two shops in one file",
            format!("{plain_text}{}", &plain_text[30..]),
            &[],
            Refused("already on line 2: a duplicated row"),
        ),
        file(
            "two shops by their names",
            record(3, "demand,price,cost,shop", |p, w| {
                Some((w.to_string(), format!("{},10,6,s{p}", units(p, w))))
            }),
            &["--product", "shop,product", "--check"],
            Said("3 products"),
        ),
        file(
            "blanks behind a name",
            plain_text.replace("p2,", "p2 ,").replacen("p2 ,", "p2,", 9),
            &["--check"],
            Said("180 rows, 3 products"),
        ),
        file(
            "one product in one week",
            format!("{plain_text}p9,60,3,10,6\n"),
            &["--check"],
            Said("1 product with fewer than 2 weeks was left out: p9"),
        ),
        file(
            "one product only",
            record(1, "demand,price,cost", |p, w| {
                Some((w.to_string(), format!("{},10,6", units(p, w))))
            }),
            &["--check"],
            Said("60 rows, 1 product, weeks"),
        ),
        file(
            "a product ten years late",
            format!("{plain_text}p9,620,3,10,6\np9,621,3,10,6\n"),
            &["--check"],
            Said(
                "1 product recorded years apart from all others was left out (is the date right?): p9",
            ),
        ),
    ]
}

/// What is known beside demand.
fn covariates_and_stock() -> Vec<Kind> {
    let covariate = |value: fn(usize, usize) -> usize| {
        record(3, "demand,price,cost,extra", move |p, w| {
            Some((
                w.to_string(),
                format!("{},10,6,{}", units(p, w), value(p, w)),
            ))
        })
    };
    let stock = |sold_out: fn(usize, usize) -> bool| {
        record(3, "sold,in_stock,price,cost", move |p, w| {
            let share = if sold_out(p, w) { 0.5 } else { 1.0 };
            Some((w.to_string(), format!("{},{share},10,6", units(p, w))))
        })
    };
    vec![
        tested(
            "a covariate that is demand",
            covariate(units),
            &["--covariate", "extra"],
            |r| !notices(r, "know the future"),
        ),
        tested(
            "a plan that is demand",
            covariate(units),
            &["--planned", "extra"],
            |r| notices(r, "covariate \"extra\" equals demand"),
        ),
        tested(
            "never in stock throughout",
            stock(|p, _| p == 0),
            &["--sales", "sold", "--in-stock", "in_stock"],
            |r| {
                notices(
                    r,
                    "1 product whose demand is known in no week (never in stock throughout one) was left out: p0",
                )
            },
        ),
        tested(
            "one week in six sold out, a long lead time",
            stock(|p, w| (w + p).is_multiple_of(6)),
            &[
                "--sales",
                "sold",
                "--in-stock",
                "in_stock",
                "--lead-time",
                "6",
            ],
            |r| mean(r, UNTUNED[0]) > 0.8 * mean(r, "constant order"),
        ),
        tested(
            "closed weeks known ahead",
            record(3, "demand,price,cost,open", |p, w| {
                let open = usize::from(!w.is_multiple_of(3));
                Some((w.to_string(), format!("{},10,6,{open}", open * units(p, w))))
            }),
            &[
                "--planned",
                "open",
                "--lead-time",
                "1",
                "--holding-share",
                "0.15",
            ],
            |r| mean(r, "promotion-aware newsvendor") > mean(r, "base stock"),
        ),
    ]
}

/// Terms of the replay.
fn terms() -> Vec<Kind> {
    vec![
        tested("a long lead time", constant(), &["--lead-time", "8"], |r| {
            UNTUNED
                .iter()
                .all(|name| (8.0..=10.5).contains(&policy(r, name)["ordered"].as_f64().unwrap()))
        }),
        tested(
            "a lead time beyond the held-out weeks",
            constant(),
            &["--lead-time", "20", "--held-out", "10"],
            |r| notices(r, "are not shorter than the 10 weeks scored"),
        ),
        tested(
            "sums of four weeks",
            plain(|p, w| w.is_multiple_of(4).then(|| units(p, w))),
            &["--held-out", "16"],
            |r| notices(r, "not recorded; a file of monthly or four-weekly sums"),
        ),
        tested(
            "prices below cost",
            plain(|p, w| Some(units(p, w))).replace(",10,6\n", ",5,6\n"),
            &["--lead-time", "1"],
            |r| policy(r, UNTUNED[0])["ordered"].as_f64().unwrap() < 0.01,
        ),
        tested(
            "every cost and unit by hand",
            constant(),
            &[
                "--discount",
                "1",
                "--holding-share",
                "0",
                "--lead-time",
                "1-3",
            ],
            |r| {
                (r["bound"].as_f64().unwrap() - 40.0).abs() < 1e-6
                    && (mean(r, "constant order") - 40.0).abs() < 1e-4
            },
        ),
        tested(
            "every other week",
            plain(|p, w| w.is_multiple_of(2).then(|| units(p, w))),
            &["--lead-time", "1"],
            |r| mean(r, UNTUNED[0]) > 0.8 * mean(r, "base stock"),
        ),
    ]
}

/// How demand runs.
fn courses_of_demand() -> Vec<Kind> {
    vec![
        tested(
            "a product without demand",
            plain(|p, w| Some(if p == 0 { 0 } else { units(p, w) })),
            &[],
            |r| all_policies(r, |p| p["mean"].is_number()),
        ),
        tested("no demand at all", plain(|_, _| Some(0)), &[], |r| {
            all_policies(r, |p| p["share_of_bound"].is_null())
        }),
        tested(
            "a launch in the held-out weeks",
            plain(|p, w| (p < 2 || w > 50).then(|| units(p, w))),
            &[],
            |r| notices(r, "was left out: p2"),
        ),
        tested(
            "a launch padded with zeros",
            plain(|p, w| Some(if p < 2 || w > 30 { units(p, w) } else { 0 })),
            &[],
            |r| notices(r, "if a product was not sold yet, leave its rows out: p2"),
        ),
        tested(
            "empty weeks before the held-out ones",
            plain(|p, w| {
                Some(if (39..=45).contains(&w) {
                    0
                } else {
                    units(p, w)
                })
            }),
            &["--held-out", "15"],
            |r| notices(r, "have no demand"),
        ),
        tested(
            "one product a million times another",
            plain(|p, w| Some(if p == 0 { 1_000_000 } else { units(p, w) })),
            &[],
            |r| all_policies(r, |p| p["interval"]["hi"].is_number()),
        ),
        tested(
            "a record that stops early",
            plain(|p, w| (p < 2 || w < 50).then(|| units(p, w))),
            &["--missing-is-zero"],
            |r| notices(r, "1 product ends weeks before the record does"),
        ),
        tested(
            "an order a hundred times as large",
            plain(|p, w| Some(if (p, w) == (1, 20) { 5000 } else { units(p, w) })),
            &[],
            |r| {
                notices(
                    r,
                    "a hundred times the demand of all others of its product: p1",
                )
            },
        ),
        tested(
            "a last week that is not over",
            plain(|p, w| Some(if w == WEEKS { 1 } else { units(p, w) })),
            &[],
            |r| notices(r, "is it complete?"),
        ),
        tested(
            "another level in the held-out weeks",
            plain(|p, w| Some(if w > 45 { 3 * units(p, w) } else { units(p, w) })),
            &["--held-out", "15"],
            |r| notices(r, "times that of the training weeks"),
        ),
    ]
}

fn run(kind: &Kind) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s.csv"), &kind.file).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_hindsight"))
        .current_dir(folder.path())
        .args([
            "backtest",
            "--data",
            "s.csv",
            "--origins",
            "1",
            "--members",
            "1",
            "--steps",
            "2",
        ])
        .args(["--no-report", "--json", "-"])
        .args(kind.arguments)
        .output()
        .unwrap();
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
        names_of_weeks(),
        numbers(),
        products(),
        covariates_and_stock(),
        terms(),
        courses_of_demand(),
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
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("s.csv"), file).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_hindsight"))
            .current_dir(folder.path())
            .args([
                "backtest",
                "--data",
                "s.csv",
                "--origins",
                "1",
                "--members",
                "1",
                "--steps",
                "2",
            ])
            .args([
                "--planned",
                "promo",
                "--price-unplanned",
                "--lead-time",
                "2",
            ])
            .args(["--no-report", "--json", "-"])
            .output()
            .unwrap();
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
