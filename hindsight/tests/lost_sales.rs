//! `hindsight lost-sales` as a user runs it: laws, files of demand, the table, errors.

mod command;

use command::run;
use serde_json::Value;

/// The standard output, or the words of the error, whose exit code is 2.
fn lost_sales(line: &str) -> Result<String, String> {
    run(std::iter::once("lost-sales").chain(line.split(' '))).map_err(|(code, words)| {
        assert_eq!(code, 2, "{words}");
        words
    })
}

/// The JSON document of a quick problem: nothing is trained.
fn document(demand: &str) -> Value {
    let line = format!("--demand {demand} --lead-time 0 --penalty 4 --steps 0 --json");
    serde_json::from_str(&lost_sales(&line).unwrap()).unwrap()
}

fn refusal(line: &str) -> String {
    lost_sales(line).unwrap_err()
}

#[test]
fn the_table_shows_the_published_optimum() {
    let text = lost_sales("--demand poisson:5 --lead-time 2 --penalty 4 --steps 0").unwrap();
    assert!(
        text.contains("capped base stock") && text.contains("4.3953"),
        "{text}"
    );
}

#[test]
fn json_holds_every_policy() {
    let line = "--demand geometric:2 --lead-time 1 --penalty 9 --holding 0.5 --steps 40 --json";
    let document: Value = serde_json::from_str(&lost_sales(line).unwrap()).unwrap();
    let policies = document["policies"].as_array().unwrap();
    assert_eq!(policies.len(), 6);
    assert_eq!(policies[1]["policy"], "Direct Backprop");
    assert!(document["optimum"]["cost"].as_f64().unwrap() > 0.0);
}

#[test]
fn laws_by_name_and_files_of_demand() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.csv");
    std::fs::write(&path, "demand\r\n3\r\n\r\n0\r\n5\r\n").unwrap();
    for (demand, mean, deviation) in [
        ("poisson:5", 5.0, 5.0_f64.sqrt()),
        ("geometric:5", 5.0, 30.0_f64.sqrt()),
        ("negbin:5,2", 5.0, 17.5_f64.sqrt()),
        (path.to_str().unwrap(), 8.0 / 3.0, (38.0_f64 / 9.0).sqrt()),
    ] {
        let problem = &document(demand)["problem"];
        for (field, expected) in [("mean", mean), ("standard_deviation", deviation)] {
            let found = problem[field].as_f64().unwrap();
            assert!((found - expected).abs() < 1e-7, "{demand} {field}: {found}");
        }
    }
}

#[test]
fn wrong_laws_are_named() {
    for (demand, words) in [
        ("poisson:-1", "--demand poisson:-1: mean"),
        ("poisson:five", "\"five\" is not a number"),
        ("negbin:5", "negbin:MEAN,DISPERSION"),
        ("negbin:5,0", "dispersion"),
        ("normal:5", "\"normal\""),
        ("poisson:NaN", "NaN"),
        ("no/such/file", "no/such/file"),
    ] {
        let error = refusal(&format!("--demand {demand} --lead-time 1 --penalty 4"));
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn wrong_files_are_named_with_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.csv");
    for (content, words) in [
        (&b""[..], "/d.csv: is empty"),
        (b"demand\n3\n-2\n", "/d.csv:3: \"-2\""),
        (b"3\n2.5\n", "/d.csv:2: \"2.5\""),
        (b"3,4\n", "/d.csv:1: has 2 fields"),
        (b"3\n\xff\xfe\n", "/d.csv:2: column \"3\": is not UTF-8"),
        (b"3\n4000000000\n", "4000000000"),
    ] {
        std::fs::write(&path, content).unwrap();
        let demand = path.to_str().unwrap();
        let error = refusal(&format!("--demand {demand} --lead-time 1 --penalty 4"));
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn wrong_arguments_are_named_with_their_value() {
    for (line, start) in [
        (
            "--demand poisson:5 --lead-time 2 --penalty -4",
            "--penalty -4: ",
        ),
        (
            "--demand poisson:5 --lead-time 2 --penalty 4 --holding 0",
            "--holding 0: ",
        ),
        (
            "--demand poisson:5 --lead-time 2 --penalty nan",
            "--penalty NaN: ",
        ),
        (
            "--demand poisson:5 --lead-time 9 --penalty 4",
            "--lead-time 9: ",
        ),
        (
            "--demand poisson:500 --lead-time 6 --penalty 4 --steps 0",
            "--demand poisson:500 --lead-time 6: ",
        ),
        (
            "--demand poisson:x --lead-time 1 --penalty 4",
            "--demand poisson:x: ",
        ),
    ] {
        let error = refusal(line);
        assert!(error.starts_with(start), "{line}: {error}");
    }
}

/// Where a device is asked for the document names it; nothing is said of it otherwise, unless this build knows graphics processors.
#[test]
fn a_device_that_is_asked_for_is_named() {
    let line = "--demand poisson:2 --lead-time 0 --penalty 4 --steps 2";
    let asked = |device: &str| lost_sales(&format!("{line} --device {device} --json"));
    let cpu: Value = serde_json::from_str(&asked("cpu").unwrap()).unwrap();
    assert_eq!(cpu["device"]["name"], "processor");
    assert_eq!(cpu["device"]["remarks"], serde_json::json!([]));
    let auto: Value = serde_json::from_str(&asked("auto").unwrap()).unwrap();
    let remarks = auto["device"]["remarks"].as_array().unwrap();
    if auto["device"]["name"] == "processor" {
        // The fall-back says what was looked for, in both places.
        let why = remarks[0].as_str().unwrap();
        assert!(why.contains("looked for"), "{why}");
        let text = lost_sales(&format!("{line} --device auto")).unwrap();
        assert!(
            text.contains(&format!("Device: processor; {why}.")),
            "{text}"
        );
    }
    let silent: Value =
        serde_json::from_str(&lost_sales(&format!("{line} --json")).unwrap()).unwrap();
    assert_eq!(silent["device"].is_null(), !cfg!(feature = "wgpu"));
    match asked("gpu") {
        Ok(text) => assert!(text.contains("\"device\"")),
        Err(words) => {
            eprintln!("SKIPPED, training on a graphics processor: {words}");
            assert!(
                words.starts_with("--device gpu: no graphics processor: looked for"),
                "{words}"
            );
        }
    }
    assert!(refusal(&format!("{line} --device cuda")).contains("cpu, gpu or auto"));
}

#[test]
fn the_version_says_which_devices_there_are() {
    let text = run(["--version", "--verbose"]).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("hindsight ") && lines[1].starts_with("processor, "),
        "{text}"
    );
    assert_eq!(
        lines[2].contains("feature wgpu"),
        !cfg!(feature = "wgpu"),
        "{text}"
    );
}
