//! `hindsight games equilibrium`.

use std::path::PathBuf;

use games::equilibrium::{
    Concept, FollowerTies, Objective, ZeroSum, best_reply_gains, coarse_correlated_gap,
    correlated_equilibrium, correlated_gap, deviation_gains, lemke_howson, nash_equilibria,
    pairwise_correlated_gap, payoff_range, stackelberg, undominated_by_mixtures,
};
use games::io::{NamedGame, joint_entries, mend_distribution};
use report::{Svg, Table};
use serde_json::{Value, json};

use super::case::Answer;
use super::equilibrium_words as words;
use super::fields::{Json, distribution, sources};
use super::payoffs;
use super::problem::Problem;
use crate::inputs::Inputs;

const CONCEPTS: [&str; 9] = [
    "correlated",
    "coarse_correlated",
    "nash",
    "lemke_howson",
    "pure_nash",
    "dominance",
    "zero_sum",
    "stackelberg",
    "weak_stackelberg",
];

/// A game and what is asked of it.
#[derive(Debug, Clone, clap::Args, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// Payoffs: nested JSON arrays, one for each player (`[[[6,2],[7,0]],[[6,7],[2,0]]]`), one matrix of a zero-sum game, or @FILE with such JSON, with
    /// the CSV matrix of a zero-sum game (a first row and a first column of names may be there), or of gambit (.nfg). Given twice: the matrix of each player
    #[arg(long, value_name = "JSON|@FILE", allow_hyphen_values = true)]
    #[serde(default, with = "sources")]
    payoffs: Vec<Json>,
    /// Names of the players, a JSON array
    #[arg(long, value_name = "JSON")]
    players: Option<Json>,
    /// Names of the actions, a JSON array with a list for each player
    #[arg(long, value_name = "JSON")]
    actions: Option<Json>,
    /// correlated (default), coarse_correlated, nash (all extreme equilibria of two players), lemke_howson (one equilibrium of two players), pure_nash (any
    /// number of players), dominance (what iterated dominance leaves), zero_sum, stackelberg or weak_stackelberg
    #[arg(long)]
    concept: Option<String>,
    /// What correlated equilibria maximise: welfare (default), max_min, player:I, against:I (players from 0)
    #[arg(long)]
    objective: Option<String>,
    /// Also what each player can earn at least and at most in any such equilibrium (two linear programmes a player)
    #[arg(long)]
    #[serde(default)]
    ranges: bool,
    /// The player who leads in a Stackelberg equilibrium: 0 (default) or 1
    #[arg(long, value_name = "PLAYER")]
    leader: Option<usize>,
    /// Where the Lemke-Howson path starts: an action of player 0, or their number plus an action of player 1 (default 0)
    #[arg(long)]
    label: Option<usize>,
    /// A joint distribution over profiles (JSON arrays nested as payoffs are, or one array, row by row) whose equilibrium gaps are wanted
    #[arg(long, value_name = "JSON")]
    joint: Option<Json>,
    /// A mixed strategy for each player (JSON array of arrays) whose gains by best replies are wanted
    #[arg(long, value_name = "JSON")]
    mixed: Option<Json>,
}

impl Answer for Case {
    const NAME: &'static str = "games equilibrium";
    const TITLE: &'static str = "Equilibria";

    fn files(&self) -> Vec<PathBuf> {
        payoffs::files(&self.payoffs)
    }

    fn answer(&self, inputs: &Inputs) -> Result<Value, Problem> {
        let named = payoffs::read(
            inputs,
            &self.payoffs,
            self.players.as_ref(),
            self.actions.as_ref(),
        )?;
        let name = self
            .concept
            .as_deref()
            .unwrap_or(CONCEPTS[0])
            .replace('-', "_");
        self.refuse_senseless(&name)?;
        let game = &named.game;
        let mut answer = match name.as_str() {
            "correlated" => self.correlated(&named, Concept::Correlated)?,
            "coarse_correlated" => self.correlated(&named, Concept::CoarseCorrelated)?,
            "nash" => {
                let equilibria = nash_equilibria(game)?;
                json!({ "sentence": words::nash(&named, &equilibria), "equilibria": equilibria })
            }
            "lemke_howson" => {
                let found = lemke_howson(game, self.label.unwrap_or(0))?;
                json!({ "sentence": words::lemke_howson(&named, &found), "equilibria": [found] })
            }
            "pure_nash" => {
                let profiles = game.pure_nash();
                let sentence = words::pure_nash(&named, &profiles);
                json!({ "sentence": sentence, "profiles": profiles, "undominated": game.undominated() })
            }
            "dominance" => {
                let mixed = undominated_by_mixtures(game)?;
                let sentence = words::dominance(&named, &mixed);
                json!({ "sentence": sentence, "undominated": game.undominated(), "undominated_by_mixtures": mixed })
            }
            "zero_sum" => zero_sum(&named)?,
            "stackelberg" => self.commitment(&named, FollowerTies::ForLeader)?,
            "weak_stackelberg" => self.commitment(&named, FollowerTies::AgainstLeader)?,
            other => {
                return Err(Problem::field(
                    "concept",
                    format!("{other:?} is not one of {}", CONCEPTS.join(", ")),
                ));
            }
        };
        answer["concept"] = json!(name);
        answer["players"] = json!(named.players);
        answer["actions"] = json!(named.actions);
        self.add_gaps(&named, &mut answer)?;
        Ok(answer)
    }

    fn tables(answer: &Value) -> Vec<(String, Table)> {
        words::tables(answer)
    }

    fn figures(&self, answer: &Value) -> Vec<(Svg, String)> {
        let players = super::words::names(&answer["players"]);
        let of = players.join(" and ");
        let chart = words::chart(answer).into_iter();
        chart
            .map(|svg| (svg, format!("How likely each pair of actions of {of} is.")))
            .collect()
    }
}

impl Case {
    /// Flags that say nothing about the concept.
    fn refuse_senseless(&self, concept: &str) -> Result<(), Problem> {
        let correlated = matches!(concept, "correlated" | "coarse_correlated");
        let leads = matches!(concept, "stackelberg" | "weak_stackelberg");
        for (field, given, sensible) in [
            ("objective", self.objective.is_some(), correlated),
            ("ranges", self.ranges, correlated),
            ("leader", self.leader.is_some(), leads),
            ("label", self.label.is_some(), concept == "lemke_howson"),
        ] {
            if given && !sensible && CONCEPTS.contains(&concept) {
                return Err(Problem::field(
                    field,
                    format!("has no meaning for the concept {concept}"),
                ));
            }
        }
        Ok(())
    }

    fn correlated(&self, named: &NamedGame, concept: Concept) -> Result<Value, Problem> {
        let game = &named.game;
        let (objective, what) = self.objective(named)?;
        let best = correlated_equilibrium(game, concept, &objective)?;
        let mut answer = json!(best);
        answer["sentence"] = json!(words::correlated(named, concept, &what, &best));
        answer["profiles"] = words::profiles(named, &best.joint);
        if self.ranges {
            let ranges = (0..game.players())
                .map(|i| payoff_range(game, concept, i))
                .collect::<Result<Vec<_>, _>>()?;
            answer["payoff_ranges"] = json!(ranges);
        }
        Ok(answer)
    }

    /// The objective, and what it makes greatest in words.
    fn objective(&self, named: &NamedGame) -> Result<(Objective, String), Problem> {
        let text = self.objective.as_deref().unwrap_or("welfare");
        let player = |digits: &str| {
            let known = digits.parse().ok().filter(|i| *i < named.players.len());
            known.ok_or_else(|| {
                Problem::field(
                    "objective",
                    format!(
                        "{text:?}: there is no such player, the players are 0 to {}",
                        named.players.len() - 1
                    ),
                )
            })
        };
        match text.split_once(':') {
            None if text == "welfare" => {
                Ok((Objective::Welfare, "the greatest sum of payoffs".to_owned()))
            }
            None if text == "max_min" || text == "max-min" => {
                Ok((Objective::MaxMin, "the greatest smallest payoff".to_owned()))
            }
            Some(("player", digits)) => {
                let i: usize = player(digits)?;
                let what = format!("the greatest payoff of {}", named.players[i]);
                Ok((Objective::Player(i), what))
            }
            Some(("against", digits)) => {
                let i: usize = player(digits)?;
                let what = format!("the least payoff of {}", named.players[i]);
                Ok((Objective::AgainstPlayer(i), what))
            }
            _ => Err(Problem::field(
                "objective",
                format!("{text:?} is not one of welfare, max_min, player:I, against:I"),
            )),
        }
    }

    fn commitment(&self, named: &NamedGame, ties: FollowerTies) -> Result<Value, Problem> {
        let leader = self.leader.unwrap_or(0);
        if leader > 1 {
            return Err(Problem::field(
                "leader",
                format!("must be 0 or 1, got {leader}"),
            ));
        }
        let best = stackelberg(&named.game, leader, ties)?;
        let sentence = words::commitment(named, leader, ties, &best);
        let mut answer = json!(best);
        answer["leader"] = json!(leader);
        answer["sentence"] = json!(sentence);
        Ok(answer)
    }

    fn add_gaps(&self, named: &NamedGame, answer: &mut Value) -> Result<(), Problem> {
        let mut moved = Vec::new();
        if let Some(Json(joint)) = &self.joint {
            let joint = joint_entries(joint, named.game.shape());
            let mut joint = joint.map_err(|e| Problem::field("joint", e.to_string()))?;
            if mend_distribution(&mut joint) {
                moved.push("joint");
            }
            let gap = correlated_gap(&named.game, &joint)?;
            let sentence = answer["sentence"].as_str().unwrap_or_default();
            answer["sentence"] = json!(format!("{sentence} {}", words::given(gap)));
            answer["gaps"] = json!({
                "correlated": gap,
                "pairwise": pairwise_correlated_gap(&named.game, &joint)?,
                "coarse": coarse_correlated_gap(&named.game, &joint)?,
                "of_players": deviation_gains(&named.game, &joint)?,
            });
        }
        if let Some(Json(mixed)) = &self.mixed {
            let strategies = mixed
                .as_array()
                .ok_or_else(|| Problem::field("mixed", "must be an array of arrays of numbers"))?
                .iter()
                .map(|s| distribution("mixed", s))
                .collect::<Result<Vec<_>, _>>()?;
            if strategies.iter().any(|s| s.1) {
                moved.push("mixed");
            }
            let strategies: Vec<Vec<f64>> = strategies.into_iter().map(|s| s.0).collect();
            let gains = best_reply_gains(&named.game, &strategies)?;
            let sum: f64 = gains.iter().sum();
            let sentence = answer["sentence"].as_str().unwrap_or_default();
            answer["sentence"] = json!(format!("{sentence} {}", words::replied(sum)));
            answer["nash_conv"] = json!({ "sum": sum, "of_players": gains });
        }
        if !moved.is_empty() {
            answer["renormalised"] = json!(moved);
        }
        Ok(())
    }
}

fn zero_sum(named: &NamedGame) -> Result<Value, Problem> {
    if named.game.players() != 2 {
        return Err(Problem::field("payoffs", "a zero-sum game has two players"));
    }
    let solution = ZeroSum::of(&named.game)?;
    let mut answer = json!(solution);
    answer["sentence"] = json!(words::zero_sum(named, &solution));
    Ok(answer)
}
