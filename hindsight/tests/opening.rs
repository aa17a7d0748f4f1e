//! A record of sales with stock-outs, an opening stock, the user's own orders and plain costs: what the command says is what a simulation
//! of the rules by hand says.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const PRODUCTS: usize = 5;
const WEEKS: usize = 60;
const HELD_OUT: usize = 8;
const HOLDING: f64 = 0.2;
const PENALTY: f64 = 1.0;

/// Units sold, or `None` where the product was out of stock.
fn demand(product: usize, week: usize) -> Option<f64> {
    let noise = (7 * week + 13 * product + week * week % 11) % 9;
    (!(week + product).is_multiple_of(17))
        .then(|| f64::from(u32::try_from(noise * product).unwrap()))
}

fn order(product: usize, week: usize) -> f64 {
    f64::from(u32::try_from((week + 2 * product) % 5).unwrap()) * 1.3
}

fn stock(product: usize) -> [f64; 3] {
    [3, product, 2 * product].map(|units| f64::from(u32::try_from(units).unwrap()))
}

fn write(folder: &Path) {
    let mut sales = String::from("shop,item,week,sold,full,ordered\n");
    let mut opening = String::from("Shop,Item,Left,Next,After\n");
    for product in 0..PRODUCTS {
        for week in 0..WEEKS {
            let (sold, full) = demand(product, week).map_or((0.0, 0), |units| (units, 1));
            let ordered = order(product, week);
            writeln!(sales, "s,p{product},{week},{sold},{full},{ordered}").unwrap();
        }
        let [left, next, after] = stock(product);
        writeln!(opening, "s,p{product},{left},{next},{after}").unwrap();
    }
    std::fs::write(folder.join("sales.csv"), sales).unwrap();
    std::fs::write(folder.join("opening.csv"), opening).unwrap();
}

const COSTS: [&str; 15] = [
    "--sales",
    "sold",
    "--in-stock",
    "full",
    "--orders",
    "ordered",
    "--price",
    "1",
    "--cost",
    "1",
    "--product",
    "shop,item",
    "--discount",
    "1",
    "--whole-units",
];
const RULES: [&str; 10] = [
    "--holding",
    "0.2",
    "--holding-share",
    "0",
    "--penalty",
    "1",
    "--held-out",
    "8",
    "--opening",
    "opening.csv",
];
const COLUMNS: [&str; 6] = [
    "--opening-product",
    "Shop,Item",
    "--opening-on-hand",
    "Left",
    "--opening-due",
    "Next,After",
];

fn run(folder: &Path, more: &[&str]) -> Output {
    let lead_time: &[&str] = match more {
        ["--lead-time", ..] => &[],
        _ => &["--lead-time", "2"],
    };
    Command::new(env!("CARGO_BIN_EXE_hindsight"))
        .current_dir(folder)
        .args([
            "backtest",
            "--data",
            "sales.csv",
            "--members",
            "1",
            "--steps",
            "2",
        ])
        .args(["--no-report", "--json", "-"])
        .args(COSTS)
        .args(RULES)
        .args(COLUMNS)
        .args(lead_time)
        .args(more)
        .output()
        .unwrap()
}

fn results(folder: &Path, more: &[&str]) -> Value {
    let output = run(folder, more);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Cost of the user's orders over the held-out weeks: an order of the beginning of a week arrives two weeks later.
fn by_hand() -> f64 {
    let mut cost = 0.0;
    for product in 0..PRODUCTS {
        let [mut on_hand, next, after] = stock(product);
        let mut due = [next, after];
        for week in WEEKS - HELD_OUT..WEEKS {
            on_hand += due[0];
            due = [due[1], order(product, week).round_ties_even()];
            // Where demand is not known nothing is sold or charged.
            if let Some(wanted) = demand(product, week) {
                let sold = on_hand.min(wanted);
                on_hand -= sold;
                cost += HOLDING * on_hand + PENALTY * (wanted - sold);
            }
        }
    }
    cost
}

fn total(results: &Value, policy: &str) -> f64 {
    let policies = results["policies"].as_array().unwrap();
    let own = policies.iter().find(|own| own["name"] == policy);
    own.unwrap()["total"].as_f64().unwrap()
}

#[test]
fn own_orders_cost_what_a_simulation_by_hand_says() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let results = results(folder.path(), &[]);
    let (found, expected) = (total(&results, "own orders"), -by_hand());
    assert!(
        (found - expected).abs() < 1e-3 * expected.abs(),
        "{found} {expected}"
    );
    // Nothing can be earned by these rules: no share of the optimum is given, and every pair has an interval.
    assert!(results["bound"].as_f64().unwrap() < 0.0);
    for policy in results["policies"].as_array().unwrap() {
        assert!(policy["share_of_bound"].is_null() && policy["share_by_product"].is_null());
    }
    let with_own = |pair: &&Value| pair["policy"] == "own orders" || pair["minus"] == "own orders";
    let others = results["policies"].as_array().unwrap().len() - 1;
    let pairs = results["pairs"].as_array().unwrap();
    assert_eq!(pairs.iter().filter(with_own).count(), others);
    // Every policy orders whole units.
    for track in results["samples"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|s| s["tracks"].as_array().unwrap())
    {
        for units in track["orders"].as_array().unwrap() {
            assert!(units.as_f64().unwrap().fract().abs() < 1e-9, "{units}");
        }
    }
}

#[test]
fn a_stock_of_another_week_opens_with_as_many_weeks_of_demand() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let (now, later) = (
        results(folder.path(), &[]),
        results(folder.path(), &["--opening-week", "60"]),
    );
    assert!((total(&now, "own orders") - total(&later, "own orders")).abs() > 1e-3);
    let words = later["run"]["conventions"].to_string();
    assert!(words.contains("opening.csv after the last week"), "{words}");
}

#[test]
fn what_is_wrong_with_an_opening_stock_is_said() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let good = std::fs::read_to_string(folder.path().join("opening.csv")).unwrap();
    let refused = |text: &str, more: &[&str], words: &str| {
        std::fs::write(folder.path().join("opening.csv"), text).unwrap();
        let output = run(folder.path(), more);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{said}");
    };
    refused(
        &good.replace("s,p3,", "s,p9,"),
        &[],
        "has no row of product \"s/p3\" (1 of 5 products are missing)",
    );
    refused(
        &good.replace("s,p3,", "s,p2,"),
        &[],
        "opening.csv:5: column \"Shop\": product \"s/p2\" is already on line 4",
    );
    refused(
        &good.replace("s,p1,3", "s,p1,-3"),
        &[],
        "opening.csv:3: column \"Left\": \"-3\" is negative",
    );
    refused(
        &good.replace("Left", "Right"),
        &[],
        "no column \"Left\" for --opening-on-hand",
    );
    refused(
        &good,
        &["--opening-week", "61"],
        "--opening-week \"61\": is outside the record",
    );
    refused(&good, &["--lead-time", "1"], "weeks until a delivery");
}
