//! `hindsight games play`: learners against each other.

use std::path::PathBuf;

use games::repeated::{LearnerKind, PlayStudy};
use report::{Svg, Table};
use serde_json::{Value, json};

use super::case::Answer;
use super::fields::{Json, sources};
use super::payoffs;
use super::play_words;
use super::problem::Problem;
use crate::inputs::Inputs;

/// A game, a learner for each player, and how long they play.
#[derive(Debug, Clone, clap::Args, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// Payoffs: nested JSON arrays, one for each player, one matrix of a zero-sum game, or @FILE with such JSON, a CSV matrix or a game of gambit (.nfg). Given
    /// twice: the matrix of each player
    #[arg(long, value_name = "JSON|@FILE", allow_hyphen_values = true)]
    #[serde(default, with = "sources")]
    payoffs: Vec<Json>,
    /// One learner for all players or a comma-separated one for each: hedge (default), anytime, optimistic, rm, rm_plus, stoltz_lugosi, blum_mansour,
    /// tree_swap.
    #[arg(long, value_name = "NAMES")]
    learners: Option<String>,
    /// Rounds (default 1000).
    #[arg(long)]
    rounds: Option<usize>,
}

impl Answer for Case {
    const NAME: &'static str = "games play";
    const TITLE: &'static str = "Play without regret";

    fn files(&self) -> Vec<PathBuf> {
        payoffs::files(&self.payoffs)
    }

    fn answer(&self, inputs: &Inputs) -> Result<Value, Problem> {
        let named = payoffs::read(inputs, &self.payoffs, None, None)?;
        let game = &named.game;
        let rounds = self.rounds.unwrap_or(1000);
        if rounds == 0 {
            return Err(Problem::field("rounds", "must be at least 1, got 0"));
        }
        let kinds = self
            .learners
            .as_deref()
            .unwrap_or("hedge")
            .split(',')
            .map(|name| learner(name.trim()))
            .collect::<Result<Vec<_>, _>>()?;
        if kinds.len() != 1 && kinds.len() != game.players() {
            return Err(Problem::field(
                "learners",
                format!("{} learners for {} players", kinds.len(), game.players()),
            ));
        }
        let study = PlayStudy::new(game, &kinds, rounds)?;
        let record = &study.record;
        let sentence = format!(
            "After {rounds} rounds no player could have gained more than {} a round by a fixed action.",
            report::number::plain(study.coarse_gap.max(0.0), 4)
        );
        Ok(json!({
            "sentence": sentence,
            "learners": kinds,
            "rounds": rounds,
            "correlated_gap": study.correlated_gap,
            "coarse_gap": study.coarse_gap,
            "nash_conv_of_averages": study.nash_conv_of_averages,
            "payoffs": study.payoffs,
            "averages": record.averages,
            "joint": record.joint,
            "regrets_on_unit_scale": record.curve.last().map(|c| &c.regrets),
            "curve_on_unit_scale": record.curve,
            "players": named.players,
            "actions": named.actions,
        }))
    }

    fn tables(answer: &Value) -> Vec<(String, Table)> {
        play_words::play_tables(answer)
    }

    fn figures(&self, answer: &Value) -> Vec<(Svg, String)> {
        let caption = "What a player could still have gained a round, of payoffs brought to the range from 0 to 1.";
        vec![(play_words::play_chart(answer), caption.to_owned())]
    }
}

/// A kind of learner by its name.
fn learner(name: &str) -> Result<LearnerKind, Problem> {
    LearnerKind::named(name).ok_or_else(|| {
        let all = LearnerKind::ALL.map(LearnerKind::name);
        Problem::field(
            "learners",
            format!("{name:?} is not one of {}", all.join(", ")),
        )
    })
}
