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

/// What was learnt best.
fn winner(document: &serde_json::Value) -> &serde_json::Value {
    let place = document["best"].as_u64().unwrap();
    &document["learnt"][usize::try_from(place).unwrap()]
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
        let reward = f64::from(i.wrapping_mul(2_654_435) % 101) / 100.0
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

#[test]
fn learners_are_run_on_the_made_up_log_and_on_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let json = |line: &str| -> serde_json::Value {
        let output = run(folder.path(), line);
        assert!(output.status.success(), "{}", words(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let document = json("learn --json - --report learnt.html");
    assert_eq!(document["learnt"].as_array().unwrap().len(), 5);
    let best = winner(&document);
    // The best policy earns 1.577 more than that of the log.
    assert!(
        best["improvement"]["lower"].as_f64().unwrap() > 1.2
            && best["improvement"]["gain"].as_f64().unwrap() < 2.0
    );
    let replay = document["learnt"][0]["replay"]["reward"].as_f64().unwrap();
    assert!(replay > document["logged"].as_f64().unwrap());
    assert_eq!(
        document,
        json("learn --json - --report learnt.html --force")
    );
    assert_ne!(
        document["learnt"],
        json("learn --json - --seed 8")["learnt"]
    );
    assert!(folder.path().join("learnt.html").exists());
    // Actions by lot, of which nothing but c is worth taking.
    let mut text = "what,pay,p,x_one\n".to_owned();
    for i in 0..2_000_u32 {
        let what = ["a", "b", "c"][(i * 7_919 % 101 % 3) as usize];
        text += &format!("{what},{},0.3333,{}\n", u8::from(what == "c"), i * 31 % 17);
    }
    std::fs::write(folder.path().join("own.csv"), text).unwrap();
    let document =
        json("learn own.csv --action what --reward pay --propensity p --context x_ --json -");
    let best = &winner(&document)["improvement"];
    assert!(
        (best["gain"].as_f64().unwrap() - 0.667).abs() < 0.05,
        "{best}"
    );
    for (line, fault) in [
        ("learn own.csv", "column \"context_...\""),
        ("learn own.csv --context x_", "column \"action\""),
        (
            "learn own.csv --action what --reward pay --propensity p --context x_ --share 1",
            "share of rounds",
        ),
        (
            "learn own.csv --action what --reward pay --propensity p --context x_ --epsilon 2",
            "epsilon",
        ),
        ("learn none.csv", "none.csv"),
    ] {
        let output = run(folder.path(), line);
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(
            words(&output.stderr).contains(fault),
            "{line}: {}",
            words(&output.stderr)
        );
    }
}

#[test]
fn the_made_up_log_is_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), "evaluate --segment deal --json");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = &document["estimates"][4];
    assert_eq!(found["estimator"], "DR");
    let end = |name: &str| found["interval"][name].as_f64().unwrap();
    assert!(end("lower") < 10.26 && 10.26 < end("upper"), "{found}"); // 0.7 * 9.6 + 0.3 * 11.8
    let deal = &document["segments"]["yes"][4]["value"];
    assert!((deal.as_f64().unwrap() - 11.8).abs() < 0.5, "{deal}");
}

/// A constant order in a record whose demand moves with a deal is far from an equilibrium; what follows the deals is nearer.
#[test]
fn the_policies_of_a_back_test_have_gaps() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "product,week,demand,price,cost,deal\n".to_owned();
    for product in 0..24_u32 {
        for week in 0..80_u32 {
            let deal = u32::from(week * 7 % 11 < 3);
            let demand = 4 + deal * 12 + (product * 7_919 + week * 104_729) % 5;
            text += &format!("p{product},{week},{demand},10,6,{deal}\n");
        }
    }
    std::fs::write(folder.path().join("sales.csv"), text).unwrap();
    let line = "equilibrium --data sales.csv --planned deal --members 1 --steps 10 --origins 2 --json - --report gaps.html";
    let output = run(folder.path(), line);
    assert!(output.status.success(), "{}", words(&output.stderr));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let gap = |name: &str| {
        let all = document["gaps"].as_array().unwrap();
        all.iter().find(|gap| gap["policy"] == name).unwrap()["gap"]
            .as_f64()
            .unwrap()
    };
    assert!(gap("constant order") > 1.0, "{document}");
    assert!(gap("promotion-aware newsvendor") < 0.5 * gap("constant order"));
    assert_eq!(document["gaps"][0]["windows"].as_array().unwrap().len(), 2);
    let page = std::fs::read_to_string(folder.path().join("gaps.html")).unwrap();
    assert!(page.contains("an equilibrium: no change found"));
    let output = run(folder.path(), "equilibrium log.csv --data sales.csv");
    assert_eq!(output.status.code(), Some(2));
}
