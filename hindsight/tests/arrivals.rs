//! `hindsight arrivals` as a user runs it.

mod command;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Runs `hindsight arrivals SUBCOMMAND` with options, `{}` in them the folder.
fn run(folder: &Path, line: &str) -> Result<String, (i32, String)> {
    let place = folder.display().to_string();
    let words = line.split(' ').map(|word| word.replace("{}", &place));
    command::run(std::iter::once("arrivals".to_owned()).chain(words))
}

fn document(folder: &Path, line: &str) -> Value {
    let text = run(folder, line).unwrap_or_else(|(_, words)| panic!("{words}"));
    serde_json::from_str(&text).unwrap()
}

fn written(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("in.csv");
    std::fs::write(&path, text).unwrap();
    path
}

const HEADER: &str =
    "order,product,vendor,ordered,received,order_date,promised_date,receipt_date,status\n";

/// A day of 2023 or later as a date.
fn date(day: i64) -> String {
    let (mut year, mut day) = (2023, day);
    loop {
        let february = if year % 4 == 0 { 29 } else { 28 };
        for (month, length) in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            .into_iter()
            .enumerate()
        {
            if day < length {
                return format!("{year}-{:02}-{:02}", month + 1, day + 1);
            }
            day -= length;
        }
        year += 1;
    }
}

/// Receipts of two vendors until day 699: the prompt one delivers all in the next week, the other 40 % after two weeks and the rest after four, but for
/// about every sixth order, of which nothing ever comes and which is marked as cancelled.
fn receipts() -> String {
    let mut text = HEADER.to_owned();
    for number in 0..600_i64 {
        let (day, units) = (number * 7 / 6, 10 + 10 * (number / 7 % 3));
        let placed = date(day);
        let vendor = if number % 2 == 0 { "prompt" } else { "slow" };
        let pieces = match (vendor, number * 7919 % 101) {
            ("prompt", _) => vec![(7, units)],
            (_, ..17) => vec![],
            _ => vec![(14, units * 2 / 5), (28, units * 3 / 5)],
        };
        let product = format!("P{}", number % 5);
        let seen: Vec<_> = pieces
            .iter()
            .filter(|(after, _)| day + after < 700)
            .collect();
        for (after, units_received) in &seen {
            let _ = writeln!(
                text,
                "A{number},{product},{vendor},{units},{units_received},{placed},,{},",
                date(day + after)
            );
        }
        if seen.is_empty() {
            let status = if pieces.is_empty() && day < 660 {
                "cancelled"
            } else {
                ""
            };
            let _ = writeln!(
                text,
                "A{number},{product},{vendor},{units},,{placed},,,{status}"
            );
        }
    }
    text
}

#[test]
fn what_is_wrong_with_a_receipt_is_told_with_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let good = "A,P,V,10,4,2024-01-01,2024-01-15,2024-01-08,\n";
    for (row, words) in [
        (
            "B,P,V,10,10,2024-02-30,,2024-03-01,",
            "in.csv:3: column \"order_date\": \"2024-02-30\" is no date",
        ),
        (
            "B,P,V,10,10,2024-02-01,soon,2024-03-01,",
            "in.csv:3: column \"promised_date\": \"soon\" is no date",
        ),
        (
            "B,P,V,10,10,2024-02-01,,3/1/2024,",
            "in.csv:3: column \"receipt_date\": \"3/1/2024\" is no date",
        ),
        (
            "B,P,V,10,10,2024-02-01,,2024-01-31,",
            "in.csv:3: column \"receipt_date\": \"2024-01-31\" is before the order, \"2024-02-01\"",
        ),
        (
            "B,P,V,10,10,17,,2024-01-31,",
            "in.csv:3: column \"order_date\": \"17\" is not written as the dates before it are",
        ),
        (
            "B,P,V,-10,10,2024-02-01,,2024-03-01,",
            "in.csv:3: column \"ordered\": \"-10\" is negative",
        ),
        (
            "B,P,V,0,10,2024-02-01,,2024-03-01,",
            "in.csv:3: column \"ordered\": \"0\" is zero",
        ),
        (
            "B,P,V,10,-3,2024-02-01,,2024-03-01,",
            "in.csv:3: column \"received\": \"-3\" is negative: a return needs a status",
        ),
        (
            "B,P,V,10,x,2024-02-01,,2024-03-01,",
            "in.csv:3: column \"received\": \"x\" is not a number",
        ),
        (
            "B,P,V,10,3,2024-02-01,,,",
            "in.csv:3: column \"receipt_date\": is empty, but units were received",
        ),
        (
            "B,P,V,10,,2024-02-01,,2024-03-01,",
            "in.csv:3: column \"received\": is empty, but the receipt has a date",
        ),
        (
            "B,P,V,10,3,2024-02-01,,2024-03-01,lost",
            "in.csv:3: column \"status\": \"lost\" is none of open",
        ),
        (
            "B,P,V,,3,2024-02-01,,2024-03-01,",
            "in.csv:3: column \"ordered\": is empty",
        ),
        (
            "B,P,,10,3,2024-02-01,,2024-03-01,",
            "in.csv:3: column \"vendor\": is empty",
        ),
        (
            ",P,V,10,3,2024-02-01,,2024-03-01,",
            "in.csv:3: column \"order\": is empty",
        ),
        (
            "A,P,V,10,4,2024-01-01,,2024-01-08,",
            "in.csv:3: column \"order\": \"A\" stands in row 2 already",
        ),
        (
            "A,P,V,10,,2024-01-01,,,",
            "in.csv:3: column \"order\": \"A\" stands in row 2 already",
        ),
        (
            "A,P,W,10,6,2024-01-01,,2024-01-18,",
            "in.csv:3: column \"vendor\": \"W\" differs from row 2",
        ),
        (
            "A,P,V,12,6,2024-01-01,,2024-01-18,",
            "in.csv:3: column \"ordered\": \"12\" differs from row 2",
        ),
        (
            "A,P,V,10,6,2024-01-09,,2024-01-18,",
            "in.csv:3: column \"order_date\": \"2024-01-09\" differs from row 2",
        ),
        ("B,P,V,10", "in.csv:3: has 4 fields where the header has 9"),
    ] {
        written(folder.path(), &format!("{HEADER}{good}{row}\n"));
        let (code, told) = run(folder.path(), "fit --input {}/in.csv").unwrap_err();
        assert!(code == 2 && told.contains(words), "{row}\n{told}");
    }
    written(folder.path(), &format!("{HEADER}{good}"));
    for (options, words) in [
        (
            "--end 2024-01-07",
            "in.csv:2: column \"receipt_date\": \"2024-01-08\" is after the end of the data, 2024-01-07",
        ),
        ("--end soon", "--end soon: \"soon\" is no date"),
        ("--vendor supplier", "no column \"supplier\" for vendor"),
        ("--received got", "no column \"got\" for received"),
    ] {
        let line = format!("fit --input {{}}/in.csv {options}");
        let (code, told) = run(folder.path(), &line).unwrap_err();
        assert!(code == 2 && told.contains(words), "{options}\n{told}");
    }
    written(folder.path(), HEADER);
    let (code, told) = run(folder.path(), "fit --input {}/in.csv").unwrap_err();
    assert!(code == 2 && told.contains("in.csv"), "{told}");
}

#[test]
fn a_log_without_received_units_has_each_order_once() {
    let folder = tempfile::tempdir().unwrap();
    let header = "number,supplier,qty,ordered on,delivered\n";
    let columns = "--order number --vendor supplier --ordered qty --order-date ordered_on --receipt-date delivered";
    let text = format!("{header}1,V,10,2024-01-01,2024-01-08\n1,V,10,2024-01-01,2024-01-09\n")
        .replace("ordered on", "ordered_on");
    written(folder.path(), &text);
    let (code, told) =
        run(folder.path(), &format!("fit --input {{}}/in.csv {columns}")).unwrap_err();
    assert!(
        code == 2 && told.contains("in.csv:3: column \"number\": \"1\" stands in row 2 already"),
        "{told}"
    );
    let days = "1,V,10,2024-01-01,2024-01-03\n2,V,10,2024-01-02,2024-01-01\n";
    written(
        folder.path(),
        &format!("number,supplier,qty,promised_date,delivered\n{days}"),
    );
    let columns = "--order number --vendor supplier --ordered qty --receipt-date delivered --days --from-promise --epochs 1";
    let found = document(
        folder.path(),
        &format!("fit --input {{}}/in.csv {columns} --json -"),
    );
    // Two days late, and one early.
    assert_eq!(found["orders"], 2);
    assert_eq!(found["curves"][0]["curve"]["first"], -1);
}

#[test]
fn a_model_is_fitted_saved_judged_and_drawn_from() {
    let folder = tempfile::tempdir().unwrap();
    let returned = "R1,P0,slow,10,-4,2024-01-01,,2024-02-01,return\n";
    written(folder.path(), &(receipts() + returned));
    let fit = "fit --input {}/in.csv --epochs 40 --save {}/model.json --report {}/fit.html";
    let text = run(folder.path(), fit).unwrap();
    assert!(
        text.contains("600 orders of 2 vendors") && text.contains("1 rows of returns left out"),
        "{text}"
    );
    let page = std::fs::read_to_string(folder.path().join("fit.html")).unwrap();
    assert!(page.contains("Receipts") && page.contains("what was received"));

    let sample =
        "sample --input {}/in.csv --model {}/model.json --most 2 --json - --report {}/sample.html";
    let drawn = document(folder.path(), sample);
    let [slow, prompt] = [1, 0].map(|at| &drawn["orders"][at]);
    assert_eq!(
        (&slow["vendor"], &prompt["vendor"]),
        (&"slow".into(), &"prompt".into())
    );
    let by = |one: &Value, week: usize| one["curve"]["mean"][week].as_f64().unwrap();
    assert!(
        by(prompt, 1) > 0.9 && by(prompt, 0) < 0.05,
        "{}",
        prompt["curve"]
    );
    assert!(
        by(slow, 1) < 0.1 && (0.2..0.5).contains(&by(slow, 3)) && by(slow, 4) > 0.6,
        "{}",
        slow["curve"]
    );
    assert!(
        (0.05..0.35).contains(&slow["nothing"].as_f64().unwrap()),
        "{}",
        slow["nothing"]
    );
    assert_eq!(drawn["orders"][0]["paths"].as_array().unwrap().len(), 200);
    let page = std::fs::read_to_string(folder.path().join("sample.html")).unwrap();
    assert!(page.contains("Example orders") && page.contains("units from slow"));
    // The same seed gives the same draws, another other ones.
    assert_eq!(document(folder.path(), sample), drawn);
    let other = document(folder.path(), &format!("{sample} --seed 8"));
    assert_ne!(other["orders"], drawn["orders"]);

    let judge = "evaluate --input {}/in.csv --model {}/model.json --json -";
    let judged = document(folder.path(), judge);
    assert_eq!(judged["evaluations"].as_array().unwrap().len(), 1);
    assert_eq!(judged["evaluations"][0]["model"], "Gen-QOT");

    // A vendor that the model does not know, and a model that was tampered with.
    let mut text = receipts();
    text.push_str("X,P0,stranger,10,,2024-11-01,,,\n");
    written(folder.path(), &text);
    let (code, told) = run(folder.path(), sample).unwrap_err();
    let line = text.lines().count();
    let words = format!("in.csv:{line}: column \"vendor\": the model knows no vendor \"stranger\"");
    assert!(code == 2 && told.contains(&words), "{told}");
    let model = folder.path().join("model.json");
    let spoiled = std::fs::read_to_string(&model)
        .unwrap()
        .replacen("e-1", "e-2", 1);
    std::fs::write(&model, spoiled).unwrap();
    written(folder.path(), &receipts());
    let (code, told) = run(folder.path(), sample).unwrap_err();
    assert!(
        code == 2 && told.contains("model.json: the model is damaged"),
        "{told}"
    );
    std::fs::write(&model, "{}").unwrap();
    let (code, told) = run(folder.path(), sample).unwrap_err();
    assert!(
        code == 2 && told.contains("model.json: is no saved model"),
        "{told}"
    );
}

#[test]
fn the_last_fifth_judges_what_was_known_before() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path(), &receipts());
    let line = "evaluate --input {}/in.csv --epochs 30 --json - --report {}/page.html";
    let found = document(folder.path(), line);
    let evaluations = found["evaluations"].as_array().unwrap();
    let crps = |at: usize| evaluations[at]["crps"]["value"].as_f64().unwrap();
    assert_eq!(evaluations.len(), 5);
    assert_eq!(evaluations[3]["model"], "Dirichlet-multinomial");
    // Vendors differ, which the split law does not know.
    assert!(crps(0) < 0.7 * crps(3), "{} {}", crps(0), crps(3));
    let orders = evaluations[0]["orders"].as_u64().unwrap();
    assert!((60..120).contains(&orders), "{orders}");
    let page = std::fs::read_to_string(folder.path().join("page.html")).unwrap();
    for words in [
        "Receipts",
        "Calibration",
        "Example orders",
        "Slopes of what has arrived",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn open_orders_are_not_counted_as_never_filled() {
    let folder = tempfile::tempdir().unwrap();
    // All that is ordered arrives, after eight weeks; the newest third is open.
    let mut text = HEADER.to_owned();
    for number in 0..240_i64 {
        let day = number * 7 / 10;
        let receipt = if day + 56 < 168 {
            format!("10,{},,{}", date(day), date(day + 56))
        } else {
            format!(",{},,", date(day))
        };
        let _ = writeln!(text, "A{number},P,V,10,{receipt},");
    }
    written(folder.path(), &text);
    let line = "sample --input {}/in.csv --epochs 60 --most 1 --json -";
    let drawn = document(folder.path(), line);
    let nothing = drawn["orders"][0]["nothing"].as_f64().unwrap();
    assert!(nothing < 0.1, "{nothing}");
    // The same orders declared closed: a third of all never came.
    let closed = text.replace(",,\n", ",,closed\n");
    assert_ne!(closed, text);
    written(folder.path(), &closed);
    let drawn = document(folder.path(), line);
    let nothing = drawn["orders"][0]["nothing"].as_f64().unwrap();
    assert!(nothing > 0.2, "{nothing}");
}

#[test]
fn each_subcommand_works_without_arguments() {
    let folder = tempfile::tempdir().unwrap();
    // The same with less work.
    let fit = document(
        folder.path(),
        "fit --orders 2000 --epochs 3 --save {}/model.json --json -",
    );
    assert_eq!(fit["vendors"], 8);
    assert!(fit["nats"].as_f64().unwrap() < 8.0, "{fit}");
    let judged = document(
        folder.path(),
        "evaluate --orders 2000 --epochs 3 --most 300 --json -",
    );
    let evaluations = judged["evaluations"].as_array().unwrap();
    assert_eq!(evaluations[5]["model"], "truth");
    assert!(evaluations[5]["joint"].as_f64().unwrap() > 0.01);
    let line = "sample --model {}/model.json --most 3 --samples 50 --json -";
    let drawn = document(folder.path(), line);
    assert_eq!(drawn["orders"].as_array().unwrap().len(), 3);
    let (code, told) =
        run(folder.path(), "sample --orders 200 --epochs 1 --samples 0").unwrap_err();
    assert!(
        code == 2 && told.contains("--samples 0: is no even number"),
        "{told}"
    );
}

/// Policies where orders arrive in pieces: a model of the made-up world has its truth, one of a log its vendors' names.
#[test]
fn policies_are_judged_in_each_simulator() {
    let folder = tempfile::tempdir().unwrap();
    let mut sales = "product,week,demand,price,cost,supplier,moq\n".to_owned();
    for cell in 0..4 * 60 {
        let (product, week) = (cell / 60, cell % 60);
        let demand = 5 + (cell * 7919) % 11;
        let vendor = if product % 2 == 0 { "prompt" } else { "slow" };
        let _ = writeln!(
            sales,
            "P{product},{week},{demand},10,6,{vendor},{}",
            20 + product
        );
    }
    std::fs::write(folder.path().join("sales.csv"), &sales).unwrap();
    written(folder.path(), &receipts());
    let fits = [
        "--save {}/world.json",
        "--input {}/in.csv --save {}/model.json",
    ];
    for options in fits {
        let line = format!("fit --orders 300 --epochs 2 {options}");
        run(folder.path(), &line).unwrap();
    }
    let place = folder.path().display().to_string();
    let backtest = |options: &str| {
        let line = format!("backtest --data {{}}/sales.csv --steps 2 --no-report {options}");
        command::run(line.split(' ').map(|word| word.replace("{}", &place)))
    };
    let table = |options: &str| -> Value {
        let text = backtest(&format!("{options} --json -")).unwrap_or_else(|(_, e)| panic!("{e}"));
        serde_json::from_str(&text).unwrap()
    };
    let made_up = table("--arrivals {}/world.json --min-order 30 --batch 6");
    let names = |found: &Value| -> Vec<String> {
        let rows = found["rows"].as_array().unwrap().iter();
        rows.map(|row| row["simulator"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names(&made_up),
        ["truth", "quantity over time", "lead time"]
    );
    let own = table("--arrivals {}/model.json --vendor supplier --min-order moq --held-out 10");
    assert_eq!(names(&own), ["quantity over time", "lead time"]);
    assert_eq!(own["held_out"], 10);
    let plain = table("--arrivals {}/model.json --vendor supplier --held-out 10");
    let often = |found: &Value| found["rows"][1]["frequencies"][0].as_f64().unwrap();
    assert!(
        often(&own) < 0.8 * often(&plain),
        "{} {}",
        often(&own),
        often(&plain)
    );
    for (options, words) in [
        (
            "--arrivals {}/model.json",
            "model.json: knows 2 vendors: --vendor COLUMN says",
        ),
        (
            "--arrivals {}/model.json --vendor moq",
            "the model knows no vendor \"20\"",
        ),
        (
            "--arrivals {}/world.json --min-order least",
            "no column \"least\"",
        ),
        ("--arrivals {}/world.json --min-order -3", "-3"),
        ("--min-order 3", "--arrivals"),
    ] {
        let (code, told) = backtest(options).unwrap_err();
        assert!(code == 2 && told.contains(words), "{options}\n{told}");
    }
}
