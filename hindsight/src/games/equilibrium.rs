//! `hindsight games equilibrium`.

use games::Game;
use games::equilibrium::{
    Concept, FollowerTies, Objective, coarse_correlated_gap, correlated_equilibrium,
    correlated_gap, nash_equilibria, pairwise_correlated_gap, payoff_range, solve_zero_sum,
    stackelberg,
};
use serde_json::{Value, json};

use super::case::{Answer, Problem};
use super::fields::{Json, game};

const CONCEPTS: [&str; 7] = [
    "correlated",
    "coarse_correlated",
    "nash",
    "pure_nash",
    "zero_sum",
    "stackelberg",
    "weak_stackelberg",
];

/// A game and what is asked of it.
#[derive(Debug, Clone, clap::Args, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// Payoffs as nested JSON arrays, one for each player: `[[[6,2],[7,0]],[[6,7],[2,0]]]`.
    #[arg(long, value_name = "JSON")]
    payoffs: Option<Json>,
    /// correlated (default), coarse_correlated, nash, pure_nash, zero_sum, stackelberg or weak_stackelberg.
    #[arg(long)]
    concept: Option<String>,
    /// What correlated equilibria maximise: welfare (default), max_min, player:I, against:I (players from 0).
    #[arg(long)]
    objective: Option<String>,
    /// Also what each player can earn at least and at most in any such equilibrium (one linear programme each; slow for large games).
    #[arg(long)]
    #[serde(default)]
    ranges: bool,
    /// A joint distribution over profiles (row-major JSON array) whose equilibrium gaps are wanted.
    #[arg(long, value_name = "JSON")]
    joint: Option<Json>,
}

impl Answer for Case {
    fn answer(&self) -> Result<Value, Problem> {
        let game = game(self.payoffs.as_ref())?;
        let name = self
            .concept
            .as_deref()
            .unwrap_or(CONCEPTS[0])
            .replace('-', "_");
        let mut answer = match name.as_str() {
            "correlated" => self.correlated(&game, Concept::Correlated)?,
            "coarse_correlated" => self.correlated(&game, Concept::CoarseCorrelated)?,
            "nash" => json!({ "equilibria": nash_equilibria(&game)? }),
            "pure_nash" => {
                json!({ "profiles": game.pure_nash(), "undominated": game.undominated() })
            }
            "zero_sum" => {
                let &[rows, columns] = game.shape() else {
                    return Err(Problem::field("payoffs", "a zero-sum game has two players"));
                };
                let (a, b) = (
                    game.payoffs(0).unwrap_or(&[]),
                    game.payoffs(1).unwrap_or(&[]),
                );
                if let Some(s) =
                    (0..rows * columns).find(|&s| (a[s] + b[s]).abs() > 1e-9 * (1.0 + a[s].abs()))
                {
                    return Err(Problem::field(
                        "payoffs",
                        format!(
                            "at {:?} payoffs sum to {}, not to zero",
                            game.profile(s),
                            a[s] + b[s]
                        ),
                    ));
                }
                let matrix: Vec<Vec<f64>> = a.chunks(columns).map(<[f64]>::to_vec).collect();
                json!(solve_zero_sum(&matrix)?)
            }
            "stackelberg" => json!(stackelberg(&game, 0, FollowerTies::ForLeader)?),
            "weak_stackelberg" => json!(stackelberg(&game, 0, FollowerTies::AgainstLeader)?),
            other => {
                return Err(Problem::field(
                    "concept",
                    format!("{other:?} is not one of {}", CONCEPTS.join(", ")),
                ));
            }
        };
        answer["concept"] = json!(name);
        if let Some(Json(joint)) = &self.joint {
            let joint: Vec<f64> = serde_json::from_value(joint.clone())
                .map_err(|e| Problem::field("joint", e.to_string()))?;
            answer["gaps"] = json!({
                "correlated": correlated_gap(&game, &joint)?,
                "pairwise": pairwise_correlated_gap(&game, &joint)?,
                "coarse": coarse_correlated_gap(&game, &joint)?,
            });
        }
        Ok(answer)
    }
}

impl Case {
    fn correlated(&self, game: &Game, concept: Concept) -> Result<Value, Problem> {
        let best = correlated_equilibrium(game, concept, &self.objective(game)?)?;
        let mut answer = json!(best);
        if self.ranges {
            let ranges = (0..game.players())
                .map(|i| payoff_range(game, concept, i))
                .collect::<Result<Vec<_>, _>>()?;
            answer["payoff_ranges"] = json!(ranges);
        }
        Ok(answer)
    }

    fn objective(&self, game: &Game) -> Result<Objective, Problem> {
        let text = self.objective.as_deref().unwrap_or("welfare");
        let player = |digits: &str| {
            digits
                .parse::<usize>()
                .ok()
                .filter(|i| *i < game.players())
                .ok_or_else(|| {
                    Problem::field(
                        "objective",
                        format!(
                            "{text:?}: there is no such player, the players are 0 to {}",
                            game.players() - 1
                        ),
                    )
                })
        };
        match text.split_once(':') {
            None if text == "welfare" => Ok(Objective::Welfare),
            None if text == "max_min" || text == "max-min" => Ok(Objective::MaxMin),
            Some(("player", digits)) => Ok(Objective::Player(player(digits)?)),
            Some(("against", digits)) => Ok(Objective::AgainstPlayer(player(digits)?)),
            _ => Err(Problem::field(
                "objective",
                format!("{text:?} is not one of welfare, max_min, player:I, against:I"),
            )),
        }
    }
}
