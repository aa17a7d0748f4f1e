//! `hindsight drain` as a user runs it.

use std::path::Path;
use std::process::{Command, Output};

fn run(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hindsight"));
    command
        .current_dir(folder)
        .arg("drain")
        .args(line.split(' '))
        .output()
        .unwrap()
}

fn document(output: &Output) -> serde_json::Value {
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn programmes_are_solved_and_where_there_is_no_plan_the_cut_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let lines = r#"{"stock": [60, 40], "demand": [30, 50, 30], "cost": [[4, 6, 9], [8, 7, 3]], "lost_penalty": 20}
{"stock": [60, 40], "demand": [30, 50, 30], "cost": [[4, 6, null], [8, 7, 3]]}
"#;
    std::fs::write(folder.path().join("in.jsonl"), lines).unwrap();
    let found = document(&run(folder.path(), "solve --input in.jsonl --json"));
    assert_eq!(found["programmes"][0]["optimal"]["cost"], 660.0);
    let cut = &found["programmes"][1]["infeasible"];
    assert_eq!(cut["shortfall"], 10.0);
    let shown = run(folder.path(), "solve --input in.jsonl");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        shown.contains("infeasible") && shown.contains("10.00"),
        "{shown}"
    );
}

#[test]
fn what_is_wrong_with_an_input_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    for (command, line, words) in [
        (
            "solve",
            r#"{"stock": [-1], "demand": [3], "cost": [[1]]}"#,
            "in.jsonl:1: stock[0] must not be negative",
        ),
        (
            "solve",
            r#"{"stock": [1], "demand": [3], "cost": [[NaN]]}"#,
            "in.jsonl:1: cost: ",
        ),
        (
            "solve",
            r#"{"stock": [1], "demand": [3, 4], "cost": [[1]]}"#,
            "in.jsonl:1: cost has length 1, expected 2",
        ),
        (
            "solve",
            r#"{"stock": [1], "demand": [3], "cost": [[1]], "capacity": [[-1]]}"#,
            "in.jsonl:1: capacity[0] must not be negative",
        ),
        (
            "score",
            r#"{"members": [1.0], "outcome": 2.0}"#,
            "members has 1 entries, 2 are needed",
        ),
        (
            "score",
            r#"{"members": [[1.0, 2.0], [1.0]], "outcome": [2.0, 1.0]}"#,
            "in.jsonl:1: members: part 1 has length 1, expected 2",
        ),
        (
            "fit",
            r#"{"price": [[[1.0]]], "low": [-1.0]}"#,
            "in.jsonl:1: lower end[0] must not be negative",
        ),
    ] {
        std::fs::write(folder.path().join("in.jsonl"), format!("{line}\n")).unwrap();
        let output = run(folder.path(), &format!("{command} --input in.jsonl"));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.code() == Some(2) && told.contains(words),
            "{told}"
        );
    }
}

/// A network of two warehouses, and periods in which each ships what the other cannot.
fn log() -> String {
    let mut text = r#"{"price": [[[1, 3], [3, 1]]]}"#.to_owned() + "\n";
    for k in 0..60 {
        let (here, there) = (k % 8, 12);
        let own = here.min(5);
        text += &format!(
            "{{\"stock\": [{here}, {there}], \"demand\": [5, 5], \"units\": [{own}, {}], \"cost\": [{own}, {}]}}\n",
            10 - own,
            5 + 3 * (5 - own)
        );
    }
    text
}

#[test]
fn a_fitted_model_is_saved_and_judged_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("log.jsonl"), log()).unwrap();
    let fit = "fit --input log.jsonl --steps 200 --save model.txt --json";
    let fitted = document(&run(folder.path(), fit));
    assert!(fitted["wape"].as_f64().unwrap() < 0.1, "{fitted}");
    let judge = "evaluate --input log.jsonl --model model.txt --json - --report page.html";
    let judged = document(&run(folder.path(), judge));
    assert!(judged["wape"].as_f64().unwrap() < 0.1, "{judged}");
    let page = std::fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains("Calibration"));
}

#[test]
fn each_subcommand_does_something_sensible_without_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let solved = document(&run(folder.path(), "solve --json"));
    assert_eq!(solved["programmes"].as_array().unwrap().len(), 8);
    let scored = document(&run(folder.path(), "score --json"));
    assert!(scored["crps"].as_f64().unwrap() > scored["crps_fair"].as_f64().unwrap());
    // The same with less work.
    let little = "evaluate --states 100 --steps 20 --report page.html --json";
    let found = document(&run(folder.path(), little));
    assert_eq!(found["rounds"].as_array().unwrap().len(), 2);
    let page = std::fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(
        [
            "Maps of flows",
            "Placement before and after",
            "in and out of distribution"
        ]
        .iter()
        .all(|w| page.contains(w))
    );
}
