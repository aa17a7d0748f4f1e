//! The subcommands through their own types: flags, files, errors, figures.

use std::io::Write;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::case::{Answer, Problem, Run};
use super::{bertrand, equilibrium, map, marketplace, play, regret};
use crate::error::CliError;

/// A case from flags.
fn flags<C: Answer>(arguments: &[&str]) -> C {
    let command = C::augment_args(clap::Command::new("case"));
    let matches =
        command.get_matches_from(std::iter::once("case").chain(arguments.iter().copied()));
    C::from_arg_matches(&matches).expect("the flags are known")
}

/// A case from JSON.
fn object<C: DeserializeOwned>(value: Value) -> C {
    serde_json::from_value(value).expect("the fields are known")
}

fn text(problem: Problem) -> String {
    problem.of_flags().to_string()
}

#[test]
fn flags_and_fields_give_the_same_answer() {
    let a: marketplace::Case = flags(&[
        "--operator-cost",
        "0.6",
        "--seller-cost",
        "0.2",
        "--fee",
        "0.1",
        "--experience",
        "0.1",
        "--price",
        "0.4",
        "--stock",
        "0.3",
    ]);
    let b: marketplace::Case = object(
        json!({ "operator_cost": 0.6, "seller_cost": 0.2, "fee": 0.1, "experience": 0.1, "price": 0.4, "stock": 0.3 }),
    );
    let (a, b) = (a.answer().unwrap(), b.answer().unwrap());
    assert_eq!(a, b);
    assert_eq!(a["equilibrium"]["regime"], "compete");
    assert_eq!(a["reply"]["regime"], "compete");
    let a: bertrand::Case = flags(&[
        "--retailer-cost",
        "0.6",
        "--seller-cost",
        "0.1",
        "--fee",
        "0.2",
    ]);
    assert_eq!(
        a.answer().unwrap()["outcome"]["outcome"],
        "seller_at_own_price"
    );
}

#[test]
fn equilibria_of_chicken() {
    let chicken = json!([[[6, 2], [7, 0]], [[6, 7], [2, 0]]]);
    let ask = |concept: &str| {
        object::<equilibrium::Case>(
            json!({ "payoffs": chicken, "concept": concept, "ranges": true }),
        )
        .answer()
        .unwrap()
    };
    assert!((ask("correlated")["value"].as_f64().unwrap() - 10.5).abs() < 1e-9);
    assert_eq!(ask("nash")["equilibria"].as_array().unwrap().len(), 3);
    assert!((ask("stackelberg")["value"].as_f64().unwrap() - 7.0).abs() < 1e-9);
    let played: play::Case =
        object(json!({ "payoffs": chicken, "learners": "blum-mansour,hedge", "rounds": 3000 }));
    assert!(played.answer().unwrap()["coarse_gap"].as_f64().unwrap() < 0.2);
}

#[test]
fn problems_name_the_flag_and_the_value() {
    let ask = |value: Value| text(object::<equilibrium::Case>(value).answer().unwrap_err());
    assert_eq!(ask(json!({})), "--payoffs: is missing");
    assert_eq!(
        ask(json!({ "payoffs": [[[1, 2], [3]], [[1, 2], [3, 4]]] })),
        "--payoffs: player 0 at [1]: 1 entries, expected 2"
    );
    assert_eq!(
        ask(json!({ "payoffs": [[1, 2], [3, 4]] })),
        "--payoffs: player 0: nested 1 deep, but there are 2 players"
    );
    assert_eq!(
        ask(json!({ "payoffs": [[["x"]], [[1]]] })),
        "--payoffs: player 0 at [0, 0]: expected a number, got \"x\""
    );
    assert!(
        ask(json!({ "payoffs": [[[1]], [[1]]], "joint": [0.5] }))
            .starts_with("--joint: joint must sum to one, got 0.5")
    );
    assert!(
        ask(json!({ "payoffs": [[[1]], [[1]]], "concept": "best" }))
            .starts_with("--concept: \"best\" is not one of")
    );
    let market: marketplace::Case =
        object(json!({ "operator_cost": 0.1, "seller_cost": -0.5, "fee": 0.1 }));
    assert_eq!(
        text(market.answer().unwrap_err()),
        "--seller-cost: seller_cost must lie in [0, inf), got -0.5"
    );
    let log: regret::Case = object(json!({ "plays": [0, 5], "rewards": [[1, 0], [0, 1]] }));
    assert_eq!(
        text(log.answer().unwrap_err()),
        "--play: round 1: action is 5, but there are 2 actions"
    );
}

#[derive(Debug, clap::Parser)]
struct Many {
    #[command(flatten)]
    run: Run<marketplace::Case>,
}

fn many(input: &Path, output: &Path) -> Result<(), CliError> {
    use clap::Parser;
    Many::parse_from([
        "many",
        "--input",
        input.to_str().unwrap(),
        "--output",
        output.to_str().unwrap(),
    ])
    .run
    .run()
}

#[test]
fn a_file_of_cases_comes_out_in_order_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (
        folder.path().join("in.jsonl"),
        folder.path().join("out.jsonl"),
    );
    let good =
        |cost: f64| format!("{{\"operator_cost\":{cost},\"seller_cost\":0.2,\"fee\":0.1}}\n");
    std::fs::write(&input, good(0.1) + "\n" + &good(0.6)).unwrap();
    many(&input, &output).unwrap();
    many(&input, &output).unwrap(); // its own file may be replaced
    let lines: Vec<Value> = std::fs::read_to_string(&output)
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["parameters"]["operator_cost"], 0.1);
    assert_eq!(lines[1]["parameters"]["operator_cost"], 0.6);
    std::fs::remove_file(&output).unwrap();
    for (bad, words) in [
        (
            "{\"operator_cost\":0.1,\"seller_cost\":0.2,\"fee\":1.0}\n",
            ":4: column \"fee\": fee must lie in [0, 1), got 1",
        ),
        (
            "{\"operator_cost\":0.1,\"cost\":0.2}\n",
            ":4: unknown field `cost`",
        ),
        (
            "{\"operator_cost\":\"0.1\"}\n",
            ":4: invalid type: string \"0.1\", expected f64 (character 22)",
        ),
        ("nonsense\n", ":4: expected ident (character 2)"),
    ] {
        let mut file = std::fs::File::create(&input).unwrap();
        file.write_all((good(0.1) + "\n" + &good(0.6) + bad).as_bytes())
            .unwrap();
        let error = many(&input, &output).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains(words), "{error} | {words}");
        assert!(!output.exists());
    }
    assert!(
        many(&folder.path().join("absent.jsonl"), &output)
            .unwrap_err()
            .to_string()
            .contains("absent.jsonl")
    );
}

#[derive(Debug, clap::Parser)]
struct Draw {
    #[command(flatten)]
    run: map::Run,
}

#[test]
fn every_figure_is_drawn_with_its_data() {
    use clap::Parser;
    let folder = tempfile::tempdir().unwrap();
    for kind in [
        "regimes",
        "reply",
        "surplus",
        "welfare",
        "operator-fee",
        "outcomes",
        "outcomes-costs",
        "fee",
        "outside-option",
        "regret",
    ] {
        let (svg, data) = (
            folder.path().join(format!("{kind}.svg")),
            folder.path().join(format!("{kind}.json")),
        );
        Draw::parse_from([
            "draw",
            kind,
            "--cells",
            "12",
            "--rounds",
            "30",
            "--output",
            svg.to_str().unwrap(),
            "--data",
            data.to_str().unwrap(),
        ])
        .run
        .run()
        .unwrap();
        assert!(std::fs::read_to_string(&svg).unwrap().contains("<svg"));
        let data: Value = serde_json::from_str(&std::fs::read_to_string(&data).unwrap()).unwrap();
        assert!(data["figure"].is_object());
    }
    let wrong = Draw::parse_from([
        "draw",
        "regimes",
        "--fee",
        "1.5",
        "--output",
        folder.path().join("x.svg").to_str().unwrap(),
    ]);
    assert_eq!(
        wrong.run.run().unwrap_err().to_string(),
        "--fee: fee must lie in [0, 1), got 1.5"
    );
    assert!(!folder.path().join("x.svg").exists());
}
