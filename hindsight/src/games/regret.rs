//! `hindsight games regret`: the account of recorded play, in one pass.

use std::path::PathBuf;

use games::io::{Play, RecordedPlay};
use games::repeated::RegretAccount;
use games::{Argument, GamesError};
use report::Table;
use serde_json::{Value, json};

use super::case::{self, Answer, finish};
use super::fields::Json;
use super::lines::{each_line, json_problem};
use super::problem::Problem;
use crate::error::{CliError, Complain as _, Place};
use crate::inputs::Inputs;

/// Arguments of `hindsight games regret`.
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// A log of one player's rounds, one JSON object a line: {"play": 2, "rewards": [..]} or {"play": [0.5, 0.5], "rewards": [..]}. Read in one pass. `-` is the
    /// standard input.
    #[arg(long, value_name = "FILE.jsonl", conflicts_with_all = ["plays", "rewards", "input"])]
    log: Option<PathBuf>,
    #[command(flatten)]
    cases: case::Run<Case>,
}

/// Plays and rewards of one player.
#[derive(Debug, Clone, clap::Args, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// The plays as a JSON array: action numbers, or distributions.
    #[arg(long, value_name = "JSON")]
    plays: Option<Json>,
    /// The rewards of all actions, one JSON array a round.
    #[arg(long, value_name = "JSON")]
    rewards: Option<Json>,
}

/// A round of a log.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Round {
    play: Play,
    rewards: Vec<f64>,
}

/// Adds a round to the record.
fn add(record: &mut RecordedPlay, play: &Play, rewards: &[f64]) -> Result<(), Problem> {
    record.add(play, rewards).map_err(|error| match error {
        GamesError::PureAndMixed => Problem::field(
            "play",
            "mixes actions and distributions: their regrets are different things",
        ),
        GamesError::Empty {
            argument: Argument::Rewards,
        } => Problem::field("rewards", "are empty"),
        error => error.into(),
    })
}

fn answer(record: &RecordedPlay) -> Value {
    let Some(account) = record.account() else {
        return json!({ "sentence": "No rounds.", "rounds": 0 });
    };
    json!({
        "sentence": sentence(account, record.mended()),
        "renormalised": record.mended(),
        "of": if record.is_pure() { "realised actions" } else { "mixed plays" },
        "total": account.regrets(),
        "average": account.regrets().average(),
    })
}

fn sentence(account: &RegretAccount, mended: usize) -> String {
    let average = account.regrets().average();
    let mut words = format!(
        "Over {} rounds the best fixed action would have earned {} more a round, the best replacement of every action {} more.",
        account.rounds(),
        report::number::plain(average.external, 4),
        report::number::plain(average.swap, 4),
    );
    if mended > 0 {
        words.push_str(&format!(
            " {mended} plays did not sum to one exactly and were rescaled."
        ));
    }
    words
}

impl Answer for Case {
    const NAME: &'static str = "games regret";
    const TITLE: &'static str = "Regret of recorded play";

    fn answer(&self, _inputs: &Inputs) -> Result<Value, Problem> {
        let get = |field: &str, value: &Option<Json>| {
            value
                .clone()
                .map(|j| j.0)
                .ok_or_else(|| Problem::missing(field))
        };
        let plays: Vec<Play> =
            serde_json::from_value(get("plays", &self.plays)?).map_err(|_| {
                Problem::field(
                    "plays",
                    "must be an array of action numbers or of distributions",
                )
            })?;
        let rewards: Vec<Vec<f64>> = serde_json::from_value(get("rewards", &self.rewards)?)
            .map_err(|e| {
                Problem::field(
                    "rewards",
                    format!("must be an array of arrays of numbers: {e}"),
                )
            })?;
        if plays.len() != rewards.len() {
            return Err(Problem::field(
                "plays",
                format!(
                    "{} plays for {} rounds of rewards",
                    plays.len(),
                    rewards.len()
                ),
            ));
        }
        let mut record = RecordedPlay::default();
        for (round, (play, g)) in plays.iter().zip(&rewards).enumerate() {
            add(&mut record, play, g).map_err(|p| p.in_round(round))?;
        }
        Ok(answer(&record))
    }

    fn tables(answer: &Value) -> Vec<(String, Table)> {
        super::play_words::regret_tables(answer)
    }
}

impl Run {
    pub(super) fn run(&self) -> Result<(), CliError> {
        let Some(path) = &self.log else {
            return self.cases.run();
        };
        let run = self.cases.begin(vec![path.clone()])?;
        let mut record = RecordedPlay::default();
        each_line(run.inputs(), path, |number, text| {
            let place = Place::file(path).line(number);
            let text = text.map_err(|words| place.error(words))?;
            let round: Round =
                serde_json::from_str(text).map_err(|e| place.error(json_problem(&e)))?;
            add(&mut record, &round.play, &round.rewards).map_err(|p| p.at(&place))
        })?;
        finish::<Case>(&run, answer(&record), |_| Vec::new())
    }
}
