//! Play without regret as people read it: what each player earned, regretted and played; what noise does to debates.

use report::number::plus_minus;
use report::{Axis, Column, Estimate, IntervalChart, Series, Svg, Table, XyChart};
use serde_json::Value;

use super::words::{members, mixture, names, number};

/// Largest matrix that is drawn.
const DRAWN: usize = 12;

fn each(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

/// The tables of self-play.
pub(super) fn play_tables(answer: &Value) -> Vec<(String, Table)> {
    let players = names(&answer["players"]);
    let actions: Vec<Vec<String>> = members(&answer["actions"]).iter().map(names).collect();
    let learners = names(&answer["learners"]);
    let mut all = Table::new([
        Column::text("player"),
        Column::text("learner"),
        Column::number("earned a round"),
        Column::number("external regret"),
        Column::number("internal regret"),
        Column::number("swap regret"),
        Column::text("played on average"),
    ]);
    let regrets = members(&answer["regrets_on_unit_scale"]);
    for (at, player) in players.iter().enumerate() {
        let regret = regrets.get(at).cloned().unwrap_or_default();
        let a_round = |kind: &str| {
            let mean = each(&regret[kind]) / each(&regret["rounds"]);
            number(&mean.into())
        };
        let learner = learners.get(at).or(learners.first()).cloned();
        all.row([
            player.clone(),
            learner.unwrap_or_default(),
            number(&answer["payoffs"][at]),
            a_round("external"),
            a_round("internal"),
            a_round("swap"),
            mixture(&answer["averages"][at], &actions[at]),
        ]);
    }
    let caption =
        "The players; regrets are means a round, of payoffs brought to the range from 0 to 1";
    let mut tables = vec![(caption.to_owned(), all)];
    if let [rows, columns] = &actions[..]
        && rows.len().max(columns.len()) <= DRAWN
    {
        let caption = format!(
            "How often each pair was played, {} by {}",
            players[0], players[1]
        );
        tables.push((
            caption,
            Table::matrix(rows, columns, members(&answer["joint"]).iter().map(number)),
        ));
    }
    let mut gaps = Table::new([Column::text("gap"), Column::number("value")]);
    for (field, words) in [
        (
            "coarse_gap",
            "what a player could have gained by a fixed action",
        ),
        (
            "correlated_gap",
            "what a player could have gained by replacing an action",
        ),
        (
            "nash_conv_of_averages",
            "what all could gain against the average strategies, added up",
        ),
    ] {
        gaps.row([words.to_owned(), number(&answer[field])]);
    }
    tables.push((
        "How far from equilibrium, in payoffs a round".to_owned(),
        gaps,
    ));
    tables
}

/// The gaps of the play over the rounds.
pub(super) fn play_chart(answer: &Value) -> Svg {
    let curve = members(&answer["curve_on_unit_scale"]);
    let line = |field: &str| -> Vec<(f64, f64)> {
        let points = curve.iter();
        let rounded = |gap: f64| if gap < 1e-12 { 0.0 } else { gap };
        points
            .map(|at| (each(&at["round"]), rounded(each(&at[field]))))
            .collect()
    };
    XyChart::new(
        "Gaps of the average play over the rounds",
        Axis::log("Rounds"),
        Axis::log("Gap a round"),
    )
    .series(Series::line("by a fixed action", line("coarse_gap")))
    .series(Series::line("by replacing an action", line("correlated_gap")).dashed())
    .svg()
}

/// The table of recorded play.
pub(super) fn regret_tables(answer: &Value) -> Vec<(String, Table)> {
    let mut table = Table::new([
        Column::text("regret"),
        Column::number("in all"),
        Column::number("a round"),
        Column::text("against"),
    ]);
    for (kind, against) in [
        ("external", "the best fixed action"),
        ("internal", "the best replacement of one action by another"),
        ("swap", "the best replacement of every action"),
    ] {
        let (total, mean) = (&answer["total"][kind], &answer["average"][kind]);
        table.row([
            kind.to_owned(),
            number(total),
            number(mean),
            against.to_owned(),
        ]);
    }
    let of = answer["of"].as_str().unwrap_or_default();
    vec![(format!("Regret of {of}"), table)]
}

const ARMS: [(&str, &str); 4] = [
    ("control", "no noise"),
    ("reward_noise", "noise on rewards"),
    ("sampling", "sampled answers"),
    ("combined", "both"),
];

fn arm<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let mut arms = members(&answer["arms"]).iter();
    arms.find(|arm| arm["arm"] == name).unwrap_or(&Value::Null)
}

/// The comparison of the arms in a sentence.
pub(super) fn debate(answer: &Value) -> String {
    let gap = |name: &str| {
        let gap = &arm(answer, name)["coarse_gap"];
        plus_minus(each(&gap["mean"]), 1.96 * each(&gap["error"]))
    };
    format!(
        "After {} rounds a debater could have gained {} a round by one fixed strategy; with noise on rewards {}, with sampled answers {}, with both {} (95 %).",
        answer["settings"]["rounds"],
        gap("control"),
        gap("reward_noise"),
        gap("sampling"),
        gap("combined")
    )
}

pub(super) fn debate_tables(answer: &Value) -> Vec<(String, Table)> {
    let measures = [
        ("accuracy", "accuracy"),
        ("coarse_gap", "coarse gap"),
        ("internal", "internal regret"),
        ("nash_conv", "NashConv"),
        ("value_gap", "value gap"),
    ];
    let head = [Column::text("arm")].into_iter();
    let head = head.chain(measures.map(|(_, words)| Column::number(words)));
    let mut table = Table::new(head.chain([Column::number("calls a round")]));
    for (name, words) in ARMS {
        let arm = arm(answer, name);
        let cells = measures.map(|(field, _)| {
            plus_minus(each(&arm[field]["mean"]), 1.96 * each(&arm[field]["error"]))
        });
        let calls = std::iter::once(number(&arm["calls"]));
        table.row(std::iter::once(words.to_owned()).chain(cells).chain(calls));
    }
    vec![(
        "Means over the debates with 1.96 standard errors".to_owned(),
        table,
    )]
}

pub(super) fn debate_chart(answer: &Value) -> Svg {
    let chart = IntervalChart::new(
        "What a debater could have gained a round by one fixed strategy",
        Axis::linear("Coarse gap a round").with_zero(),
    );
    let rows = ARMS.into_iter().map(|(name, words)| {
        let gap = &arm(answer, name)["coarse_gap"];
        let (mean, half) = (each(&gap["mean"]), 1.96 * each(&gap["error"]));
        let range = Some((mean - half, mean + half));
        Estimate::new(words, mean, range, plus_minus(mean, half))
    });
    rows.fold(chart, IntervalChart::row).svg()
}
