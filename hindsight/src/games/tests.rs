//! The subcommands through their own types: flags, files, errors, figures.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::case::{Answer, Run};
use super::problem::Problem;
use super::{bertrand, equilibrium, map, marketplace, play, regret};
use crate::error::CliError;
use crate::inputs::Inputs;

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
    let (a, b) = (
        a.answer(&Inputs::default()).unwrap(),
        b.answer(&Inputs::default()).unwrap(),
    );
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
        a.answer(&Inputs::default()).unwrap()["outcome"]["outcome"],
        "seller_at_own_price"
    );
}

#[test]
fn equilibria_of_chicken() {
    let chicken = json!([[[6, 2], [7, 0]], [[6, 7], [2, 0]]]);
    let ask = |concept: &str| {
        object::<equilibrium::Case>(
            json!({ "payoffs": chicken, "concept": concept, "ranges": concept == "correlated" }),
        )
        .answer(&Inputs::default())
        .unwrap()
    };
    assert!((ask("correlated")["value"].as_f64().unwrap() - 10.5).abs() < 1e-9);
    assert_eq!(ask("nash")["equilibria"].as_array().unwrap().len(), 3);
    assert!((ask("stackelberg")["value"].as_f64().unwrap() - 7.0).abs() < 1e-9);
    let played: play::Case =
        object(json!({ "payoffs": chicken, "learners": "blum-mansour,hedge", "rounds": 3000 }));
    assert!(
        played.answer(&Inputs::default()).unwrap()["coarse_gap"]
            .as_f64()
            .unwrap()
            < 0.2
    );
}

#[test]
fn problems_name_the_flag_and_the_value() {
    let ask = |value: Value| {
        text(
            object::<equilibrium::Case>(value)
                .answer(&Inputs::default())
                .unwrap_err(),
        )
    };
    assert_eq!(ask(json!({})), "--payoffs: is missing");
    assert_eq!(
        ask(json!({ "payoffs": [[[1, 2], [3]], [[1, 2], [3, 4]]] })),
        "--payoffs: player 0 at [1]: 1 entries, expected 2"
    );
    assert_eq!(
        ask(json!({ "payoffs": [[[1], [2]], [[3], [4]], [[5], [6]]] })),
        "--payoffs: player 0: nested 2 deep, but there are 3 players"
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
        text(market.answer(&Inputs::default()).unwrap_err()),
        "--seller-cost: seller_cost must lie in [0, inf), got -0.5"
    );
    let log: regret::Case = object(json!({ "plays": [0, 5], "rewards": [[1, 0], [0, 1]] }));
    assert_eq!(
        text(log.answer(&Inputs::default()).unwrap_err()),
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

/// The objects that come out of lines.
fn lines(input: &Path, output: &Path, text: &[u8]) -> (Vec<Value>, Result<(), CliError>) {
    std::fs::write(input, text).unwrap();
    let outcome = many(input, output);
    let written = std::fs::read_to_string(output).unwrap();
    let objects = written.lines().map(|l| serde_json::from_str(l).unwrap());
    (objects.collect(), outcome)
}

#[test]
fn a_file_of_cases_comes_out_in_order_and_a_bad_line_spoils_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (
        folder.path().join("in.jsonl"),
        folder.path().join("out.jsonl"),
    );
    let good =
        |cost: f64| format!("{{\"operator_cost\":{cost},\"seller_cost\":0.2,\"fee\":0.1}}\n");
    // A byte order mark and a blank line are skipped; its own file may be replaced.
    for _ in 0..2 {
        let text = "\u{feff}".to_owned() + &good(0.1) + "\n" + &good(0.6);
        let (all, outcome) = lines(&input, &output, text.as_bytes());
        outcome.unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0]["parameters"]["operator_cost"], 0.1);
        assert_eq!(all[1]["parameters"]["operator_cost"], 0.6);
    }
    for (bad, field, words) in [
        (
            "{\"operator_cost\":0.1,\"seller_cost\":0.2,\"fee\":1.0}",
            json!("fee"),
            "fee must lie in [0, 1), got 1",
        ),
        (
            "{\"operator_cost\":0.1,\"cost\":0.2}",
            json!(null),
            "unknown field `cost`",
        ),
        (
            "{\"operator_cost\":\"0.1\"}",
            json!(null),
            "invalid type: string \"0.1\", expected f64 (character 22)",
        ),
        ("nonsense", json!(null), "expected ident (character 2)"),
    ] {
        let text = good(0.1) + bad + "\n" + &good(0.6);
        let (all, outcome) = lines(&input, &output, text.as_bytes());
        let error = outcome.unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("1 of 3 lines"), "{error}");
        assert_eq!(all[2]["parameters"]["operator_cost"], 0.6);
        assert_eq!((&all[1]["line"], &all[1]["field"]), (&json!(2), &field));
        assert!(all[1]["error"].as_str().unwrap().contains(words), "{all:?}");
    }
    let (all, _) = lines(&input, &output, b"{\"fee\":\xff}\n{}\n");
    assert!(all[0]["error"].as_str().unwrap().contains("UTF-8"));
    assert_eq!(all[1]["error"], "is missing");
    std::fs::remove_file(&input).unwrap();
    let error = many(&input, &output).unwrap_err().to_string();
    assert!(error.contains("in.jsonl"), "{error}");
}

#[derive(Debug, clap::Parser)]
struct Equilibria {
    #[command(flatten)]
    run: Run<equilibrium::Case>,
}

#[test]
fn flags_hold_for_lines_that_say_nothing() {
    use clap::Parser;
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (
        folder.path().join("in.jsonl"),
        folder.path().join("out.jsonl"),
    );
    let chicken = "\"payoffs\":[[[6,2],[7,0]],[[6,7],[2,0]]]";
    std::fs::write(
        &input,
        format!("{{{chicken}}}\n{{{chicken},\"concept\":\"pure_nash\"}}\n"),
    )
    .unwrap();
    Equilibria::parse_from([
        "equilibria",
        "--concept",
        "nash",
        "--input",
        input.to_str().unwrap(),
        "--json",
        output.to_str().unwrap(),
    ])
    .run
    .run()
    .unwrap();
    let text = std::fs::read_to_string(&output).unwrap();
    let all: Vec<Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(all[0]["equilibria"].as_array().unwrap().len(), 3);
    assert_eq!(all[1]["profiles"], json!([[0, 1], [1, 0]]));
}

#[test]
fn games_are_read_as_people_have_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| -> String {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        format!("@{}", path.display())
    };
    let ask = |arguments: &[&str]| -> Value {
        flags::<equilibrium::Case>(arguments)
            .answer(&Inputs::default())
            .unwrap()
    };
    // A zero-sum matrix with names, from CSV and as plain arrays.
    let matrix = file(
        "pennies.csv",
        "\u{feff},heads,tails\nheads,1,-1\ntails,-1,1\n",
    );
    let named = ask(&["--payoffs", &matrix, "--concept", "zero_sum"]);
    assert_eq!(named["value"], 0.0);
    assert_eq!(named["actions"][1], json!(["heads", "tails"]));
    let plain = ask(&["--payoffs", "[[1,-1],[-1,1]]", "--concept", "zero_sum"]);
    assert_eq!(
        (&plain["value"], &plain["row"]),
        (&named["value"], &named["row"])
    );
    // A matrix a player, and the same game of gambit.
    let row = file("row.csv", "6;2\n7;0\n");
    let column = file("column.csv", "6;7\n2;0\n");
    let two = ask(&["--payoffs", &row, "--payoffs", &column, "--concept", "nash"]);
    let gambit = file(
        "chicken.nfg",
        "NFG 1 R \"chicken\" { \"Ann\" \"Bob\" } { 2 2 }\n6 6 7 2 2 7 0 0\n",
    );
    let one = ask(&["--payoffs", &gambit, "--concept", "nash"]);
    assert_eq!(one["equilibria"], two["equilibria"]);
    assert_eq!(one["players"], json!(["Ann", "Bob"]));
    // Names of one's own stand in the sentence.
    let lead = ask(&[
        "--payoffs",
        &gambit,
        "--actions",
        "[[\"yield\",\"go\"],[\"yield\",\"go\"]]",
        "--concept",
        "stackelberg",
        "--leader",
        "1",
    ]);
    assert_eq!(
        lead["sentence"],
        "Bob commits to go and gets 7; Ann replies yield and gets 2."
    );
    // Three players' pure equilibria.
    let three = "[[[[1,0],[0,0]],[[0,0],[0,1]]],[[[1,0],[0,0]],[[0,0],[0,1]]],[[[1,0],[0,0]],[[0,0],[0,1]]]]";
    let pure = ask(&["--payoffs", three, "--concept", "pure-nash"]);
    assert!(
        pure["profiles"]
            .as_array()
            .unwrap()
            .contains(&json!([1, 1, 1]))
    );
}

#[test]
fn senseless_flags_are_refused_and_near_distributions_mended() {
    let chicken = json!([[[6, 2], [7, 0]], [[6, 7], [2, 0]]]);
    let ask = |more: Value| {
        let mut case = json!({ "payoffs": chicken });
        case.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        object::<equilibrium::Case>(case).answer(&Inputs::default())
    };
    for (field, value) in [
        ("objective", json!("welfare")),
        ("ranges", json!(true)),
        ("leader", json!(1)),
        ("label", json!(0)),
    ] {
        let problem = ask(json!({ "concept": "nash", field: value })).unwrap_err();
        assert_eq!(
            text(problem),
            format!("--{field}: has no meaning for the concept nash")
        );
    }
    let near = ask(json!({ "joint": [0.3333333, 0.3333333, 0.3333333, 0.0] })).unwrap();
    assert_eq!(near["renormalised"], json!(["joint"]));
    let log: regret::Case = object(
        json!({ "plays": [[0.333333, 0.666667], [0.3333335, 0.6666670]], "rewards": [[1, 0], [0, 1]] }),
    );
    assert_eq!(log.answer(&Inputs::default()).unwrap()["renormalised"], 1);
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
            "--json",
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
