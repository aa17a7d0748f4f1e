//! `hindsight bandit` as a user runs it.

use std::path::Path;
use std::process::{Command, Output};

fn run(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hindsight"));
    command
        .current_dir(folder)
        .arg("bandit")
        .args(line.split(' '))
        .output()
        .unwrap()
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// 3,000 rounds of three actions by lot, of which the third pays most; the target prefers it.
fn log(propensity: &str) -> String {
    let mut text = "action,reward,propensity,target_a,target_b,target_c,wanted,shop\n".to_owned();
    for i in 0..3_000 {
        let name = ["a", "b", "c"][i % 3];
        let shop = ["north", "south"][i / 3 % 2];
        text += &format!("{name},{},{propensity},0.1,0.3,0.6,c,{shop}\n", i % 3);
    }
    text
}

#[test]
fn a_log_is_evaluated_and_one_that_cannot_answer_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("log.csv"), log("0.33333333333")).unwrap();
    let output = run(
        folder.path(),
        "evaluate log.csv --range 0,2,3 --segment shop --json",
    );
    assert!(output.status.success(), "{}", words(&output.stderr));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let snips = &document["estimates"][1];
    assert_eq!(snips["estimator"], "SNIPS");
    assert!((snips["value"].as_f64().unwrap() - 1.5).abs() < 1e-6);
    assert!(
        document["estimates"][0]["bernstein"]["lower"]
            .as_f64()
            .unwrap()
            > 1.0
    );
    assert!(document["segments"]["south"][1]["value"].is_number());
    let output = run(folder.path(), "evaluate log.csv --target-action wanted");
    assert!(
        words(&output.stdout).contains("2.000"),
        "{}",
        words(&output.stdout)
    );
    // Propensities of something else: no number but the reason.
    std::fs::write(folder.path().join("wrong.csv"), log("0.9")).unwrap();
    let output = run(folder.path(), "evaluate wrong.csv --json");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["estimates"][1]["value"].is_null());
    assert!(
        document["estimates"][1]["refusal"]
            .as_str()
            .unwrap()
            .contains("mean weight")
    );
}

#[test]
fn faults_are_told_with_file_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to, place) in [
        ("a,0,0.3", "a,0,1.3", "log.csv:2: column \"propensity\""),
        (
            "a,0,0.3,0.1",
            "a,0,0.3,0.2",
            "log.csv:2: column \"target_a\"",
        ),
        ("a,0,0.3", "a,nan,0.3", "log.csv:2: column \"reward\""),
        ("a,0,0.3", "d,0,0.3", "log.csv:2: column \"action\""),
        ("propensity", "prop", "log.csv: column \"propensity\""),
    ] {
        std::fs::write(
            folder.path().join("log.csv"),
            log("0.3").replacen(from, to, 1),
        )
        .unwrap();
        let output = run(folder.path(), "evaluate log.csv");
        assert_eq!(output.status.code(), Some(2));
        assert!(
            words(&output.stderr).contains(place),
            "{}",
            words(&output.stderr)
        );
    }
    let output = run(folder.path(), "evaluate none.csv");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_log_of_exploration_gives_gaps() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "product,arm,propensity,reward,context_season\n".to_owned();
    for i in 0..6_000_u32 {
        let (arm, season) = (["keep", "more"][(i * 7_919 % 13 % 2) as usize], i / 3 % 2);
        let reward = f64::from(i * 2_654_435 % 101) / 100.0
            + f64::from(u8::from(arm == "more" && season == 1));
        text += &format!("p{},{arm},0.5,{reward},{season}\n", i / 20);
    }
    std::fs::write(folder.path().join("arms.csv"), text).unwrap();
    let output = run(folder.path(), "equilibrium arms.csv --json");
    assert!(output.status.success(), "{}", words(&output.stderr));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let tabular = &document["gaps"][1][1];
    assert!(
        tabular["lower"].as_f64().unwrap() > 0.2 && tabular["upper"].as_f64().unwrap() < 0.8,
        "{tabular}"
    );
}
