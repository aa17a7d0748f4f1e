//! The back-test at several origins: what comes after a window cannot reach it, and the windows add up.

use std::fmt::Write as _;
use std::process::Command;

use serde_json::Value;

const PRODUCTS: u32 = 6;
const WEEKS: u32 = 64;

/// A made-up record; the weeks from `altered` on have other demand, prices and costs. Product 5 is there from week 50 on only.
fn record(altered: u32) -> String {
    let mut text = "product,week,demand,price,cost,deal\n".to_owned();
    for product in 0..PRODUCTS {
        for week in 0..WEEKS {
            if product == 5 && week < 50 || (product + week) % 17 == 3 {
                continue;
            }
            let deal = u32::from((week + product) % 5 == 0);
            let other = u32::from(week >= altered);
            let demand = 4 + (week * 7 + product * 5) % 9 + 12 * deal + 30 * other;
            let price = 9 - 2 * deal + 3 * other;
            let cost = 4 + (week / 9 + product) % 2 + 2 * other;
            writeln!(text, "p{product},{week},{demand},{price},{cost},{deal}").unwrap();
        }
    }
    text
}

fn backtest(record: &str, more: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sales.csv"), record).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_hindsight"))
        .current_dir(folder.path())
        .args(["backtest", "--data", "sales.csv", "--planned", "deal"])
        .args(["--members", "1", "--steps", "30", "--held-out", "8"])
        .args(["--no-report", "--json", "-"])
        .args(more)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Weeks 40-47, 48-55 and 56-63 are held out. Whatever happens after a window, its numbers are the same to the last digit, and
/// they are those of a record that ends with it.
#[test]
fn nothing_later_reaches_a_window() {
    let plain = backtest(&record(WEEKS), &["--origins", "3"]);
    let altered = backtest(&record(56), &["--origins", "3"]);
    let (plain, altered) = (&plain["origins"]["origins"], &altered["origins"]["origins"]);
    for at in 0..2 {
        assert_eq!(plain[at], altered[at], "origin {at}");
    }
    assert_ne!(plain[2]["scores"], altered[2]["scores"]);

    let ended = backtest(&record(WEEKS), &["--until", "55", "--origins", "1"]);
    assert_eq!(ended["pairs"], plain[1]["scores"]["pairs"]);
    assert_eq!(
        ended["best_heuristic"],
        plain[1]["scores"]["best_heuristic"]
    );
}

#[test]
fn windows_add_up_and_late_products_join_late() {
    let results = backtest(&record(WEEKS), &["--origins", "3"]);
    let origins = results["origins"]["origins"].as_array().unwrap();
    let spans: Vec<[&str; 4]> = origins
        .iter()
        .map(|origin| {
            let of = |name: &str, at: usize| origin[name][at].as_str().unwrap();
            [
                of("training", 0),
                of("training", 1),
                of("held_out", 0),
                of("held_out", 1),
            ]
        })
        .collect();
    assert_eq!(
        spans,
        [
            ["0", "39", "40", "47"],
            ["0", "47", "48", "55"],
            ["0", "55", "56", "63"]
        ]
    );
    let products: Vec<u64> = origins
        .iter()
        .map(|origin| origin["scores"]["products"].as_u64().unwrap())
        .collect();
    // Product 5 has its first row in week 50: nothing to learn from before the second window.
    assert_eq!(products, [5, 5, 6]);

    let pooled = &results["origins"]["pooled"];
    let cells =
        |scores: &Value| scores["products"].as_f64().unwrap() * scores["weeks"].as_f64().unwrap();
    for policy in pooled["policies"].as_array().unwrap() {
        let in_window = |origin: &Value| {
            let scores = &origin["scores"];
            let own = scores["policies"].as_array().unwrap().iter();
            let own = own
                .into_iter()
                .find(|p| p["name"] == policy["name"])
                .unwrap();
            (own["mean"].as_f64().unwrap() * cells(scores), cells(scores))
        };
        let (sum, all) = origins
            .iter()
            .map(in_window)
            .fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        let mean = policy["mean"].as_f64().unwrap();
        assert!((mean - sum / all).abs() < 1e-9, "{policy}: {}", sum / all);
    }
}

#[test]
fn threads_do_not_matter() {
    let run = |threads: &str| backtest(&record(WEEKS), &["--origins", "2", "--threads", threads]);
    assert_eq!(run("1"), run("3"));
}
