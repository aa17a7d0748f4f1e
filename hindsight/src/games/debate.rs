//! `hindsight games debate`: the four arms.

use games::debate::{ArmSettings, compare_arms};
use report::{Svg, Table};
use serde_json::{Value, json};

use super::case::Answer;
use super::play_words;
use super::problem::Problem;
use crate::inputs::Inputs;

/// The seed where none is given.
const SEED: u64 = 1;

/// Sizes and noise of the comparison.
#[derive(Debug, Clone, clap::Args, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// Debates (default 100).
    #[arg(long)]
    debates: Option<usize>,
    /// Rounds a debate (default 200).
    #[arg(long)]
    rounds: Option<usize>,
    /// Strategies of each debater (default 8).
    #[arg(long)]
    strategies: Option<usize>,
    /// Log odds by which the truth helps (default 0.5).
    #[arg(long, allow_negative_numbers = true)]
    advantage: Option<f64>,
    /// Standard deviation of the noise on the judge's probability (default 0.2).
    #[arg(long, allow_negative_numbers = true)]
    deviation: Option<f64>,
    /// Sampling temperature (default 0.8).
    #[arg(long, allow_negative_numbers = true)]
    temperature: Option<f64>,
    /// Seed (default 1).
    #[arg(long)]
    seed: Option<u64>,
}

impl Answer for Case {
    const NAME: &'static str = "games debate";
    const TITLE: &'static str = "Noise in debates";

    fn seed(&self) -> Option<u64> {
        Some(self.seed.unwrap_or(SEED))
    }

    fn answer(&self, _inputs: &Inputs) -> Result<Value, Problem> {
        let usual = ArmSettings::default();
        for (field, value) in [
            ("debates", self.debates),
            ("rounds", self.rounds),
            ("strategies", self.strategies),
        ] {
            if value == Some(0) {
                return Err(Problem::field(field, "must be at least 1, got 0"));
            }
        }
        let settings = ArmSettings {
            debates: self.debates.unwrap_or(usual.debates),
            rounds: self.rounds.unwrap_or(usual.rounds),
            strategies: self.strategies.unwrap_or(usual.strategies),
            advantage: self.advantage.unwrap_or(usual.advantage),
            deviation: self.deviation.unwrap_or(usual.deviation),
            temperature: self.temperature.unwrap_or(usual.temperature),
        };
        let seed = self.seed.unwrap_or(SEED);
        let arms = compare_arms(settings, seed)?;
        let mut answer = json!({ "settings": settings, "seed": seed, "arms": arms });
        answer["sentence"] = json!(play_words::debate(&answer));
        Ok(answer)
    }

    fn tables(answer: &Value) -> Vec<(String, Table)> {
        play_words::debate_tables(answer)
    }

    fn figures(&self, answer: &Value) -> Vec<(Svg, String)> {
        let caption = "The coarse gap of each arm: what a debater could have gained a round by one fixed strategy, with 95 % intervals over the debates.";
        vec![(play_words::debate_chart(answer), caption.to_owned())]
    }
}
