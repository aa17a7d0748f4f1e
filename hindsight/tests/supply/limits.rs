//! Limits that products share: faults in the files are named, limits that cannot be kept are reported.

use std::fmt::Write as _;
use std::process::Command;

use serde_json::Value;

use super::units;

fn hindsight(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hindsight"))
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Limits of a number of weeks, one of them written otherwise.
fn limits(weeks: usize, storage: &str, inbound: &str) -> String {
    let mut text = "week,storage,inbound\n".to_owned();
    for week in 1..=weeks {
        let storage = if week == 3 { storage } else { "400" };
        writeln!(text, "{week},{storage},{inbound}").unwrap();
    }
    text
}

/// Three products over 90 weeks.
fn sales() -> String {
    let mut text = "product,week,demand,price,cost\n".to_owned();
    for product in 0..3 {
        for week in 1..=90 {
            writeln!(text, "p{product},{week},{},10,6", units(product, week)).unwrap();
        }
    }
    text
}

#[test]
fn faults_in_limits_and_volumes_are_named_with_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (sales, good) = (
        file("sales.csv", &sales()),
        file("good.csv", &limits(36, "5", "5")),
    );
    let even = "product,volume\np0,1\np1,1\np2,1\n";
    for (limits, volumes, words) in [
        (
            limits(36, "-5", "5"),
            even,
            "limits.csv:4: column \"storage\": \"-5\" is negative",
        ),
        (
            limits(36, "NaN", "5"),
            even,
            "limits.csv:4: column \"storage\": \"NaN\" is not",
        ),
        (
            limits(20, "5", "5"),
            even,
            "limits.csv:21: limits of 20 weeks, and 36 are needed",
        ),
        (
            limits(110, "5", "5"),
            even,
            "limits.csv:111: limits of 110 weeks, and 36 are needed",
        ),
        (
            std::fs::read_to_string(&good).unwrap(),
            "product,volume\np0,1\nsalt,1\n",
            "volumes.csv:3: column \"product\": there is no product \"salt\"",
        ),
        (
            std::fs::read_to_string(&good).unwrap(),
            "product,volume\np0,0\n",
            "volumes.csv:2: column \"volume\": \"0\" is zero",
        ),
    ] {
        let (limits, volumes) = (file("limits.csv", &limits), file("volumes.csv", volumes));
        let (code, _, error) = hindsight(&[
            "backtest",
            "--data",
            &sales,
            "--limits",
            &limits,
            "--volumes",
            &volumes,
            "--no-report",
        ]);
        assert_eq!(code, Some(2), "{error}");
        assert!(error.contains(words), "{error}");
    }
}

/// A back-test of these sales under these limits, without a page.
fn back_test(sales: &str, limits: &str, more: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let [sales, limits] = [("s.csv", sales), ("l.csv", limits)].map(|(name, text)| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    });
    let always = ["backtest", "--data", &sales, "--limits", &limits];
    hindsight(&[&always[..], &["--no-report"], more].concat())
}

/// A fault on the fourth line is found there, with its column, only by who reads the file as it is written.
#[test]
fn every_file_is_read_as_it_is_written() {
    let german = |text: &str| {
        format!(
            "\u{feff}{}",
            text.replace(',', ";").replace(";10;6", ";12,5;6,0")
        )
    };
    let (plain_sales, faulty) = (sales(), limits(36, "-5", "5"));
    for (sales, limits, arguments) in [
        (german(&plain_sales), faulty.clone(), &[][..]),
        (german(&plain_sales), faulty.clone(), &["--decimal-comma"]),
        (
            german(&plain_sales),
            german(&faulty).replace(";5\n", ";5,5\n"),
            &[],
        ),
        (plain_sales.clone(), german(&faulty), &[]),
        (
            plain_sales.clone(),
            faulty.replace(',', "\t"),
            &["--delimiter", ","],
        ),
    ] {
        let (code, _, error) = back_test(&sales, &limits, arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {error}");
        let words = "l.csv:4: column \"storage\": \"-5\" is negative";
        assert!(error.contains(words), "{arguments:?}: {error}");
    }
}

/// Half of a record is for training: one of 80 weeks is too short for roll-outs of 36 with their history.
#[test]
fn a_record_too_short_for_the_horizon_is_named() {
    let short: Vec<String> = sales()
        .lines()
        .filter(|line| {
            let week = line.split(',').nth(1).and_then(|week| week.parse().ok());
            week.is_none_or(|week: usize| week <= 80)
        })
        .map(str::to_owned)
        .collect();
    let (code, _, error) = back_test(&short.join("\n"), &limits(36, "400", "30"), &[]);
    assert_eq!(code, Some(2), "{error}");
    let words = "the record has 80 weeks, and 88 are needed";
    assert!(error.contains(words), "{error}");
}

/// Every method is tried on the file's own products and a gate holds the limits. One week has less room than what is there on opening takes: no order helps.
#[test]
fn a_back_test_under_limits_tries_every_method() {
    let (code, out, error) = back_test(&sales(), &limits(36, "1", "30"), &["--json"]);
    assert_eq!(code, Some(0), "{error}");
    let results: Value = serde_json::from_str(&out).unwrap();
    let methods = results["methods"].as_array().unwrap();
    assert_eq!(methods.len(), 9);
    let violation = |k: usize| methods[k]["scores"][0]["violation"].as_f64().unwrap();
    assert!(violation(3) <= violation(0));
    let first = &results["infeasible"][0];
    assert!(first["week"].as_u64().unwrap() <= 2, "{first}");
    assert!(first["excess"].as_f64().unwrap() > 0.0, "{first}");
}
