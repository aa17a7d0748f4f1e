//! `hindsight games` as a user runs it: flags, files, errors, figures.

mod command;

use std::ffi::OsStr;
use std::path::Path;

use command::run;
use serde_json::{Value, json};

const CHICKEN: &str = "[[[6,2],[7,0]],[[6,7],[2,0]]]";

/// What `hindsight games` prints, or the exit code and the words of its error.
fn games<S: AsRef<OsStr>>(arguments: &[S]) -> Result<String, (i32, String)> {
    let arguments = arguments.iter().map(AsRef::as_ref);
    run(std::iter::once(OsStr::new("games")).chain(arguments))
}

/// The JSON document of an answer.
fn answer(arguments: &[&str]) -> Value {
    let all: Vec<&str> = arguments.iter().chain(&["--json"]).copied().collect();
    serde_json::from_str(&games(&all).unwrap()).unwrap()
}

fn equilibrium(arguments: &[&str]) -> Value {
    answer(&[&["equilibrium"], arguments].concat())
}

/// What wrong input is answered with.
fn refusal(arguments: &[&str]) -> String {
    let (code, words) = games(arguments).unwrap_err();
    assert_eq!(code, 2, "{words}");
    words
}

#[test]
fn flags_and_fields_give_the_same_answer() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("case.jsonl");
    std::fs::write(
        &input,
        "{\"operator_cost\":0.6,\"seller_cost\":0.2,\"fee\":0.1,\"experience\":0.1,\"price\":0.4,\"stock\":0.3}\n",
    )
    .unwrap();
    let line = games(&["marketplace", "--input", input.to_str().unwrap()]).unwrap();
    let fields: Value = serde_json::from_str(&line).unwrap();
    let flags = "marketplace --operator-cost 0.6 --seller-cost 0.2 --fee 0.1 --experience 0.1 --price 0.4 --stock 0.3";
    let flags = answer(&flags.split(' ').collect::<Vec<_>>());
    for field in ["parameters", "equilibrium", "reply", "sentence"] {
        assert_eq!(fields[field], flags[field], "{field}");
    }
    assert_eq!(flags["equilibrium"]["regime"], "compete");
    assert_eq!(flags["reply"]["regime"], "compete");
    let shared = "bertrand --retailer-cost 0.6 --seller-cost 0.1 --fee 0.2";
    let shared = answer(&shared.split(' ').collect::<Vec<_>>());
    assert_eq!(shared["outcome"]["outcome"], "seller_at_own_price");
}

#[test]
fn equilibria_of_chicken() {
    let ask = |concept: &str| equilibrium(&["--payoffs", CHICKEN, "--concept", concept]);
    assert!((ask("correlated")["value"].as_f64().unwrap() - 10.5).abs() < 1e-9);
    assert_eq!(ask("nash")["equilibria"].as_array().unwrap().len(), 3);
    assert!((ask("stackelberg")["value"].as_f64().unwrap() - 7.0).abs() < 1e-9);
    let played = answer(&[
        "play",
        "--payoffs",
        CHICKEN,
        "--learners",
        "blum-mansour,hedge",
        "--rounds",
        "3000",
    ]);
    assert!(played["coarse_gap"].as_f64().unwrap() < 0.2);
}

/// Answers without payoffs say in a table what each player plays, or is left with; mixed strategies that are given are judged in the first sentence.
#[test]
fn every_concept_says_what_each_player_plays() {
    let dilemma = "[[[3,0],[5,1]],[[3,5],[0,1]]]";
    let commitment = "[[[2,4],[1,3]],[[1,0],[0,2]]]";
    for (payoffs, concept, leader, row) in [
        (dilemma, "pure_nash", None, ["action 1", "action 1"]),
        (dilemma, "dominance", None, ["action 1", "action 1"]),
        (commitment, "stackelberg", Some("0"), ["0.6667", "action 1"]),
    ] {
        let mut flags = vec!["equilibrium", "--payoffs", payoffs, "--concept", concept];
        flags.extend(leader.iter().flat_map(|own| ["--leader", own]));
        let text = games(&flags).unwrap();
        let table = text.split("player 0").last().unwrap();
        assert!(
            table.contains(row[0]) && table.contains(row[1]),
            "{concept}: {text}"
        );
    }
    let mixed = ["--payoffs", CHICKEN, "--mixed", "[[0.5,0.5],[0.5,0.5]]"];
    let sentence = equilibrium(&mixed)["sentence"].to_string();
    assert!(
        sentence.contains("best replies gain the players 0.5 in sum"),
        "{sentence}"
    );
}

#[test]
fn problems_name_the_flag_and_the_value() {
    let ask = |payoffs: &str, more: &[&str]| {
        refusal(&[&["equilibrium", "--payoffs", payoffs], more].concat())
    };
    assert_eq!(
        refusal(&["equilibrium"]),
        "--payoffs: is missing (--help has examples)"
    );
    assert_eq!(
        ask("[[[1,2],[3]],[[1,2],[3,4]]]", &[]),
        "--payoffs: player 0 at [1]: 1 entries, expected 2"
    );
    assert_eq!(
        ask("[[[1],[2]],[[3],[4]],[[5],[6]]]", &[]),
        "--payoffs: player 0: nested 2 deep, but there are 3 players"
    );
    assert_eq!(
        ask("[[[\"x\"]],[[1]]]", &[]),
        "--payoffs: player 0 at [0, 0]: expected a number, got \"x\""
    );
    let one = "[[[1]],[[1]]]";
    assert_eq!(
        ask(one, &["--joint", "[0.5]"]),
        "--joint: joint must sum to one, got 0.5"
    );
    assert!(ask(one, &["--concept", "best"]).starts_with("--concept: \"best\" is not one of"),);
    assert_eq!(
        refusal(&[
            "marketplace",
            "--operator-cost",
            "0.1",
            "--seller-cost=-0.5",
            "--fee",
            "0.1"
        ]),
        "--seller-cost: seller_cost must lie in [0, inf), got -0.5"
    );
    assert_eq!(
        refusal(&["regret", "--plays", "[0,5]", "--rewards", "[[1,0],[0,1]]"]),
        "--play: round 1: action is 5, but there are 2 actions"
    );
}

#[test]
fn a_file_of_cases_comes_out_in_order_and_a_bad_line_spoils_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (
        folder.path().join("in.jsonl"),
        folder.path().join("out.jsonl"),
    );
    let run = || {
        games(&[
            OsStr::new("marketplace"),
            OsStr::new("--input"),
            input.as_os_str(),
            OsStr::new("--output"),
            output.as_os_str(),
        ])
    };
    let lines = |text: &[u8]| -> (Vec<Value>, Result<String, (i32, String)>) {
        std::fs::write(&input, text).unwrap();
        let outcome = run();
        let written = std::fs::read_to_string(&output).unwrap();
        let objects = written.lines().map(|l| serde_json::from_str(l).unwrap());
        (objects.collect(), outcome)
    };
    let good =
        |cost: f64| format!("{{\"operator_cost\":{cost},\"seller_cost\":0.2,\"fee\":0.1}}\n");
    // A byte order mark and a blank line are skipped; its own file may be replaced.
    for _ in 0..2 {
        let text = "\u{feff}".to_owned() + &good(0.1) + "\n" + &good(0.6);
        let (all, outcome) = lines(text.as_bytes());
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
        let (all, outcome) = lines(text.as_bytes());
        let (code, error) = outcome.unwrap_err();
        assert_eq!(code, 2);
        assert!(error.contains("1 of 3 lines"), "{error}");
        assert_eq!(all[2]["parameters"]["operator_cost"], 0.6);
        assert_eq!((&all[1]["line"], &all[1]["field"]), (&json!(2), &field));
        assert!(all[1]["error"].as_str().unwrap().contains(words), "{all:?}");
    }
    let (all, _) = lines(b"{\"fee\":\xff}\n{}\n");
    assert!(all[0]["error"].as_str().unwrap().contains("UTF-8"));
    assert_eq!(all[1]["error"], "is missing");
    std::fs::remove_file(&input).unwrap();
    let (_, error) = run().unwrap_err();
    assert!(error.contains("in.jsonl"), "{error}");
}

#[test]
fn flags_hold_for_lines_that_say_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.jsonl");
    let chicken = format!("\"payoffs\":{CHICKEN}");
    std::fs::write(
        &input,
        format!("{{{chicken}}}\n{{{chicken},\"concept\":\"pure_nash\"}}\n"),
    )
    .unwrap();
    let text = games(&[
        "equilibrium",
        "--concept",
        "nash",
        "--input",
        input.to_str().unwrap(),
    ])
    .unwrap();
    let all: Vec<Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(all[0]["equilibria"].as_array().unwrap().len(), 3);
    assert_eq!(all[1]["profiles"], json!([[0, 1], [1, 0]]));
}

/// Writes a file and names it as the option takes it.
fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    format!("@{}", path.display())
}

#[test]
fn games_are_read_as_people_have_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| file(folder.path(), name, text);
    // A zero-sum matrix with names, from CSV and as plain arrays.
    let matrix = file(
        "pennies.csv",
        "\u{feff},heads,tails\nheads,1,-1\ntails,-1,1\n",
    );
    let named = equilibrium(&["--payoffs", &matrix, "--concept", "zero_sum"]);
    assert_eq!(named["value"], 0.0);
    assert_eq!(named["actions"][1], json!(["heads", "tails"]));
    let plain = equilibrium(&["--payoffs", "[[1,-1],[-1,1]]", "--concept", "zero_sum"]);
    assert_eq!(
        (&plain["value"], &plain["row"]),
        (&named["value"], &named["row"])
    );
    // A matrix a player, and the same game of gambit.
    let row = file("row.csv", "6;2\n7;0\n");
    let column = file("column.csv", "6;7\n2;0\n");
    let two = equilibrium(&["--payoffs", &row, "--payoffs", &column, "--concept", "nash"]);
    let gambit = file(
        "chicken.nfg",
        "NFG 1 R \"chicken\" { \"Ann\" \"Bob\" } { 2 2 }\n6 6 7 2 2 7 0 0\n",
    );
    let one = equilibrium(&["--payoffs", &gambit, "--concept", "nash"]);
    assert_eq!(one["equilibria"], two["equilibria"]);
    assert_eq!(one["players"], json!(["Ann", "Bob"]));
    // Names of one's own stand in the sentence.
    let lead = equilibrium(&[
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
        "By committing to go Bob gets 7; Ann replies with yield and gets 2."
    );
    // Three players' pure equilibria.
    let player = "[[[1,0],[0,0]],[[0,0],[0,1]]]";
    let three = format!("[{player},{player},{player}]");
    let pure = equilibrium(&["--payoffs", &three, "--concept", "pure-nash"]);
    let profiles = pure["profiles"].as_array().unwrap();
    assert!(profiles.contains(&json!([1, 1, 1])));
}

#[test]
fn wrong_files_are_named_with_the_line() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text, words) in [
        (
            "a.csv",
            "1,2\n3,x\n",
            "a.csv:2: column 2: \"x\" is not a number",
        ),
        (
            "b.csv",
            "1,2\n3\n",
            "b.csv:2: 1 numbers where the first row has 2",
        ),
        ("c.csv", "", "c.csv: is empty"),
        (
            "d.nfg",
            "NFG 1 R \"\" { \"a\" } { 2 }\n1\n",
            "d.nfg:2: expected a number",
        ),
        ("e.json", "[[1,2],\n[3,]]", "e.json:2: is not JSON"),
    ] {
        let source = file(folder.path(), name, text);
        let error = refusal(&["equilibrium", "--payoffs", &source]);
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn senseless_flags_are_refused_and_near_distributions_mended() {
    for (flag, value) in [
        ("objective", Some("welfare")),
        ("ranges", None),
        ("leader", Some("1")),
        ("label", Some("0")),
    ] {
        let flag_of = format!("--{flag}");
        let mut arguments = vec!["equilibrium", "--payoffs", CHICKEN, "--concept", "nash"];
        arguments.push(&flag_of);
        arguments.extend(value);
        assert_eq!(
            refusal(&arguments),
            format!("--{flag}: has no meaning for the concept nash")
        );
    }
    let joint = "[0.3333333,0.3333333,0.3333333,0.0]";
    let near = equilibrium(&["--payoffs", CHICKEN, "--joint", joint]);
    assert_eq!(near["renormalised"], json!(["joint"]));
    let [flat, nested] = ["[0.5,0.25,0.25,0.0]", "[[0.5,0.25],[0.25,0.0]]"]
        .map(|joint| equilibrium(&["--payoffs", CHICKEN, "--joint", joint]));
    assert!(flat["gaps"]["correlated"].is_number());
    assert_eq!(nested["gaps"], flat["gaps"]);
    let wrong = ["equilibrium", "--payoffs", CHICKEN, "--joint", "[[1],[0]]"];
    assert_eq!(
        refusal(&wrong),
        "--joint: at [0]: expected an array of 2, got an array of 1"
    );
    let log = answer(&[
        "regret",
        "--plays",
        "[[0.333333,0.666667],[0.3333335,0.6666670]]",
        "--rewards",
        "[[1,0],[0,1]]",
    ]);
    assert_eq!(log["renormalised"], 1);
}

#[test]
fn learners_that_tie_are_all_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (svg, page) = (path("r.svg"), path("r.html"));
    for rounds in ["2", "2000"] {
        let asked = ["map", "regret", "--rounds", rounds, "--output", &svg];
        let data = answer(&[&asked[..], &["--report", &page]].concat());
        let totals = data["figure"]["totals"].as_object().unwrap();
        let last = |curve: &Value| curve.as_array().unwrap().last().unwrap()["swap"].as_f64();
        let ends = || {
            totals
                .iter()
                .map(|(name, curve)| (name, last(curve).unwrap()))
        };
        let least = ends().map(|end| end.1).fold(f64::INFINITY, f64::min);
        let html = std::fs::read_to_string(&page).unwrap();
        let lead = html.split("class=\"lead\">").nth(1).unwrap();
        let lead = lead.split("</p>").next().unwrap();
        let words: Vec<&str> = lead.split([' ', ',']).collect();
        for (name, end) in ends() {
            assert_eq!(words.contains(&name.as_str()), end <= least, "{lead}");
        }
    }
}

#[test]
fn every_figure_is_drawn_with_its_data() {
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
        let svg = folder.path().join(format!("{kind}.svg"));
        let data = answer(&[
            "map",
            kind,
            "--cells",
            "12",
            "--rounds",
            "30",
            "--output",
            svg.to_str().unwrap(),
        ]);
        assert!(std::fs::read_to_string(&svg).unwrap().contains("<svg"));
        assert!(data["figure"].is_object());
    }
    let svg = folder.path().join("x.svg");
    assert_eq!(
        refusal(&[
            "map",
            "regimes",
            "--fee",
            "1.5",
            "--output",
            svg.to_str().unwrap()
        ]),
        "--fee: fee must lie in [0, 1), got 1.5"
    );
    assert!(!svg.exists());
}
