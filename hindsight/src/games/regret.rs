//! `hindsight games regret`: the account of recorded play, in one pass.

use std::path::PathBuf;

use games::repeated::RegretAccount;
use serde_json::{Value, json};

use super::case::{self, Answer, finish};
use super::fields::{Json, normalise};
use super::lines::{each_line, json_problem};
use super::problem::Problem;
use crate::error::{CliError, Place};
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
    play: Played,
    rewards: Vec<f64>,
}

#[derive(Debug, Clone, serde::Deserialize)]
#[serde(untagged)]
enum Played {
    Pure(usize),
    Mixed(Vec<f64>),
}

/// The account with what was recorded into it: pure and mixed plays answer different questions.
#[derive(Debug, Default)]
struct Account {
    account: Option<RegretAccount>,
    pure: bool,
    /// Plays that summed to one only to 1e-6.
    renormalised: usize,
}

impl Account {
    fn add(&mut self, play: &Played, rewards: &[f64]) -> Result<(), Problem> {
        let pure = matches!(play, Played::Pure(_));
        if self.account.is_none() {
            self.account = Some(
                RegretAccount::new(rewards.len())
                    .map_err(|_| Problem::field("rewards", "are empty"))?,
            );
            self.pure = pure;
        }
        if self.pure != pure {
            return Err(Problem::field(
                "play",
                "mixes actions and distributions: their regrets are different things",
            ));
        }
        let Some(account) = &mut self.account else {
            return Ok(());
        };
        match play {
            Played::Pure(action) => Ok(account.record_pure(*action, rewards)?),
            Played::Mixed(x) => {
                let mut x = x.clone();
                self.renormalised += usize::from(normalise(&mut x));
                Ok(account.record(&x, rewards)?)
            }
        }
    }

    fn answer(&self) -> Value {
        match &self.account {
            None => json!({ "sentence": "No rounds.", "rounds": 0 }),
            Some(account) => json!({
                "sentence": self.sentence(account),
                "renormalised": self.renormalised,
                "of": if self.pure { "realised actions" } else { "mixed plays" },
                "total": account.regrets(),
                "average": account.regrets().average(),
            }),
        }
    }
}

impl Account {
    fn sentence(&self, account: &RegretAccount) -> String {
        let average = account.regrets().average();
        let mut words = format!(
            "Over {} rounds the best fixed action would have earned {} more a round, the best replacement of every action {} more.",
            account.rounds(),
            super::words::plain(average.external, 4),
            super::words::plain(average.swap, 4),
        );
        if self.renormalised > 0 {
            words.push_str(&format!(
                " {} plays did not sum to one exactly and were rescaled.",
                self.renormalised
            ));
        }
        words
    }
}

impl Answer for Case {
    const NAME: &'static str = "games regret";
    const TITLE: &'static str = "Regret of recorded play";

    fn answer(&self, _inputs: &Inputs) -> Result<Value, Problem> {
        let get = |field: &str, value: &Option<Json>| {
            value
                .clone()
                .map(|j| j.0)
                .ok_or_else(|| Problem::field(field, "is missing"))
        };
        let plays: Vec<Played> =
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
        let mut account = Account::default();
        for (round, (play, g)) in plays.iter().zip(&rewards).enumerate() {
            account.add(play, g).map_err(|p| p.in_round(round))?;
        }
        Ok(account.answer())
    }
}

impl Run {
    pub(super) fn run(&self) -> Result<(), CliError> {
        let Some(path) = &self.log else {
            return self.cases.run();
        };
        let run = self.cases.begin(vec![path.clone()])?;
        let mut account = Account::default();
        each_line(run.inputs(), path, |number, text| {
            let place = Place::file(path).line(number);
            let text = text.map_err(|words| place.error(words))?;
            let round: Round =
                serde_json::from_str(text).map_err(|e| place.error(json_problem(&e)))?;
            account
                .add(&round.play, &round.rewards)
                .map_err(|p| p.at(&place))
        })?;
        finish::<Case>(&run, account.answer())
    }
}
