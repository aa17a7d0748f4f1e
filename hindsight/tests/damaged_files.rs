//! Every kind of damage to a good file ends in exit code 2, a message that names file, line and column, and no report.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

const GOOD: &str = "product,week,demand,price,cost,deal,brand\n\
    a,1,3,2.5,1,0,x\n\
    a,2,0,2.5,1,1,x\n\
    a,3,4,2,1.5,0,x\n\
    b,2,7,1,0.5,0,y\n\
    b,3,1,1,0.5,0,y\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn backtest(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hindsight"))
        .current_dir(folder)
        .arg("backtest")
        .args(arguments)
        .output()
        .unwrap()
}

const MAPPING: [&str; 6] = [
    "--planned",
    "deal",
    "--group",
    "brand",
    "--json",
    "out.json",
];

/// Runs on the file and returns what it said, after checking the exit code and that no file appeared.
fn refused(name: &str, bytes: &[u8], more: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), bytes).unwrap();
    let arguments: Vec<&str> = ["--data", name]
        .into_iter()
        .chain(MAPPING)
        .chain(more.iter().copied())
        .collect();
    let output = backtest(folder.path(), &arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        output.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    let files: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(files, [name], "{said}");
    said
}

fn expect(damaged: impl AsRef<[u8]>, message: &str) {
    let damaged = damaged.as_ref();
    for (name, bytes) in [("s.csv", damaged.to_vec()), ("s.csv.gz", gzip(damaged))] {
        let said = refused(name, &bytes, &[]);
        let wanted = format!("hindsight: {name}{message}");
        assert!(
            said.starts_with(&wanted),
            "wanted: {wanted}\nsaid:   {said}"
        );
    }
}

#[test]
fn the_good_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s.csv"), GOOD).unwrap();
    let output = backtest(
        folder.path(),
        &[
            "--data",
            "s.csv",
            "--planned",
            "deal",
            "--group",
            "brand",
            "--check",
        ],
    );
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("5 rows, 2 products, weeks 1 to 3"), "{said}");
}

#[test]
fn a_missing_column_is_named() {
    for (at, (column, argument)) in [
        ("product", "--product"),
        ("week", "--week"),
        ("demand", "--demand"),
        ("price", "--price"),
        ("cost", "--cost"),
        ("deal", "--planned"),
        ("brand", "--group"),
    ]
    .into_iter()
    .enumerate()
    {
        let without: String = GOOD
            .lines()
            .map(|line| {
                line.split(',')
                    .enumerate()
                    .filter(|(place, _)| *place != at)
                    .map(|(_, field)| field)
                    .collect::<Vec<_>>()
                    .join(",")
                    + "\n"
            })
            .collect();
        expect(
            without,
            &format!(":1: no column {column:?} for {argument} (the header has"),
        );
    }
}

#[test]
fn every_number_is_checked_in_place() {
    // The row of line 3 is a,2,0,2.5,1,1,x.
    let fields = ["a", "2", "0", "2.5", "1", "1", "x"];
    let damage = |at: usize, text: &str| {
        let mut row = fields;
        row[at] = text;
        GOOD.replace("a,2,0,2.5,1,1,x", &row.join(","))
    };
    for (at, column, wrong) in [
        (
            1,
            "week",
            vec!["x", "1.5", "", "NaN", "2024-13-01", "99999999999999999999"],
        ),
        (
            2,
            "demand",
            vec!["-1", "NaN", "inf", "", "x", "1,5", "1e300"],
        ),
        (3, "price", vec!["-2.5", "0", "nan", "-inf", "", "2.5 USD"]),
        (4, "cost", vec!["-1", "0", "NA", "", "--"]),
        (5, "deal", vec!["yes", "", "NaN", "inf"]),
    ] {
        for text in wrong {
            if text.contains(',') {
                expect(damage(at, text), ":3: has 8 fields where the header has 7");
            } else {
                expect(damage(at, text), &format!(":3: column {column:?}: "));
            }
        }
    }
    expect(damage(0, ""), ":3: column \"product\": is empty");
    expect(
        damage(6, "y"),
        ":3: column \"brand\": \"y\", but product \"a\" had \"x\" on line 2",
    );
}

#[test]
fn the_order_of_rows_is_checked() {
    expect(
        GOOD.replace("a,3,", "a,2,"),
        ":4: column \"week\": product \"a\" has week 2 already on line 3: a duplicated row",
    );
    // Weeks may run backwards, but not turn round.
    expect(
        GOOD.replace("a,2,", "a,0,"),
        ":4: column \"week\": week 3 of product \"a\" comes after week 0 on line 3: sort",
    );
    expect(
        format!("{GOOD}a,1,3,2.5,1,0,x\n"),
        ":7: column \"week\": product \"a\" has week 1 already on line 2",
    );
    expect(
        GOOD.replace("a,3,", "a,2024-01-08,"),
        ":4: column \"week\": \"2024-01-08\" is a date, but the weeks before are numbers",
    );
    expect(
        GOOD.replace("a,3,", "a,90000,"),
        ":4: column \"week\": week 90000 of product \"a\" comes 89997 weeks after week 2 on line 3",
    );
}

#[test]
fn empty_files_are_said_to_be_empty() {
    expect(
        "product,week,demand,price,cost,deal,brand\n",
        ": has a header and no rows",
    );
    expect("", ": is empty");
    expect("\n\n", ": is empty");
    assert!(refused("s.csv", b"", &[]).starts_with("hindsight: s.csv: is empty"));
}

#[test]
fn wrong_encodings_are_told() {
    let mut latin: Vec<u8> = GOOD.replace("a,2,0,", "a\u{1},2,0,").into_bytes();
    let at = latin.iter().position(|byte| *byte == 1).unwrap();
    latin[at] = 0xe9;
    expect(
        &latin,
        ":3: column \"product\": is not UTF-8 text (byte 2 of the field)",
    );
    let wide: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(GOOD.bytes().flat_map(|byte| [byte, 0]))
        .collect();
    assert!(refused("s.csv", &wide, &[]).contains("s.csv:1: is in UTF-16"));
    let mut header = GOOD.as_bytes().to_vec();
    header[0] = 0xff;
    expect(&header, ":1: ");
}

#[test]
fn cut_and_damaged_files_are_told() {
    let packed = gzip(GOOD.as_bytes());
    for cut in [packed.len() - 1, packed.len() - 9, packed.len() / 2, 11, 3] {
        let said = refused("s.csv.gz", &packed[..cut], &[]);
        assert!(
            said.starts_with("hindsight: s.csv.gz:") && said.contains("cut off"),
            "{cut}: {said}"
        );
    }
    let mut flipped = packed.clone();
    let end = flipped.len() - 6;
    flipped[end] ^= 0xff;
    let said = refused("s.csv.gz", &flipped, &[]);
    assert!(
        said.starts_with("hindsight: s.csv.gz:") && said.contains("damaged"),
        "{said}"
    );
    // Plain text that ends inside a row.
    let short = &GOOD[..GOOD.len() - 10];
    assert!(refused("s.csv", short.as_bytes(), &[]).starts_with("hindsight: s.csv:6: has "));
    // A quote that never closes.
    assert!(
        refused("s.csv", GOOD.replace("a,2", "\"a,2").as_bytes(), &[])
            .starts_with("hindsight: s.csv:3: a quotation mark that opens here is never closed")
    );
}

#[test]
fn other_separators_are_hinted_at() {
    let semicolons = GOOD.replace(',', ";");
    let said = refused("s.csv", semicolons.as_bytes(), &["--delimiter", ","]);
    assert!(said.contains("--delimiter ';'"), "{said}");
    let said = refused("s.csv", GOOD.as_bytes(), &["--delimiter", "ab"]);
    assert!(said.contains("--delimiter \"ab\""), "{said}");
}

#[test]
fn places_that_are_wrong_are_told_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s.csv"), GOOD).unwrap();
    for (arguments, word) in [
        (vec!["--data", "no.csv"], "no.csv"),
        (vec!["--data", "."], "is a folder"),
        (
            vec!["--data", "s.csv", "--report", "no/r.html"],
            "no/r.html: its folder does not exist",
        ),
        (
            vec!["--data", "s.csv", "--report", "s.csv"],
            "s.csv: exists and was not written by hindsight",
        ),
        (
            vec!["--data", "s.csv", "--report", "s.csv", "--force"],
            "s.csv: is the input",
        ),
        (
            vec!["--data", "s.csv", "--lead-time", "3-1"],
            "--lead-time \"3-1\"",
        ),
        (
            vec!["--data", "s.csv", "--discount", "1.5"],
            "--discount 1.5",
        ),
        (vec!["--planned", "deal"], "give --data FILE"),
        (vec!["--data", "s.csv", "--threads", "0"], "--threads"),
    ] {
        let output = backtest(folder.path(), &arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(word), "{arguments:?}: {said}");
    }
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 1);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_with_130_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_hindsight"))
        .current_dir(folder.path())
        .args(["backtest", "--data", "-", "--json", "out.json"])
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // The program waits for rows that never end; the header shows that it has begun to read.
    let mut input = child.stdin.take().unwrap();
    input.write_all(GOOD.as_bytes()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    drop(input);
    assert_eq!(
        output.status.code(),
        Some(130),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
