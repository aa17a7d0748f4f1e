//! Logs of pairwise comparisons: who met whom, and who was left after every round.

use std::collections::HashMap;
use std::io::BufRead;

use super::responses::Responses;
use super::tournament::{Game, recorded_tournament, tournament, tournament_rounds};
use crate::error::{Error, Result};
use crate::io::{ReadError, Rows};
use crate::stats::text_key;

/// Responses by prompt, under the names by which comparisons refer to them.
#[derive(Debug, Clone)]
pub struct Contestants {
    /// The responses with their utilities.
    pub responses: Responses,
    /// Field of the prompt, also in the log of comparisons.
    field: String,
    /// Names of the prompts, in the order of the groups.
    prompts: Vec<String>,
    /// Group of each prompt, by the key of its name.
    place: HashMap<u64, usize>,
    /// Position of each response within its prompt, by the key of its name.
    members: Vec<HashMap<u64, usize>>,
}

/// Comparisons of two responses each, with the lines they stand on.
#[derive(Debug, Clone)]
pub struct Comparisons<'a> {
    of: &'a Contestants,
    list: Vec<Game>,
    lines: Vec<u64>,
    /// Whether the log tells the round of each; else any two may have been compared.
    pub recorded: bool,
}

/// More rounds than this no tournament has: each halves the responses.
const MOST_ROUNDS: f64 = 64.0;

// Fields of the log of comparisons.
const PROMPT: usize = 0;
const WINNER: usize = 1;
const LOSER: usize = 2;
const ROUND: usize = 3;

impl Contestants {
    /// Reads responses: the prompt, the utility (0 to 1, or true and false) and the response's name, by the names of their fields; of
    /// lm-evaluation-harness samples those of one filter.
    ///
    /// ```
    /// use hindsight_llm_metrics::verification::Contestants;
    /// let log = b"prompt,correct,response\nq,1,a\nq,0,b\n";
    /// let all = Contestants::read(&log[..], ["prompt", "correct", "response"], None)?;
    /// let games = all.comparisons(&b"prompt,winner,loser\nq,a,b\n"[..])?;
    /// assert_eq!(games.rounds(1)?, [[1.0, 0.0]]);
    /// # Ok::<(), hindsight_llm_metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Log`], with the line: a field is missing or cannot be used, or a response is there twice.
    pub fn read<R: BufRead>(reader: R, fields: [&str; 3], filter: Option<&str>) -> Result<Self> {
        let mut lists: Vec<Vec<f64>> = Vec::new();
        let mut prompts = Vec::new();
        let mut place = HashMap::new();
        let mut members: Vec<HashMap<u64, usize>> = Vec::new();
        let mut rows = Rows::new(reader, &fields)?;
        rows.one_filter(filter.map(str::to_owned));
        rows.each(|rows, row| {
            let (prompt, response) = (rows.text(row, 0)?, rows.text(row, 2)?);
            let at = *place.entry(text_key(&prompt)).or_insert(lists.len());
            if at == lists.len() {
                lists.push(Vec::new());
                prompts.push(prompt.clone());
                members.push(HashMap::new());
            }
            let own = members[at].len();
            if members[at].insert(text_key(&response), own).is_some() {
                let problem =
                    format!("the response {response:?} of prompt {prompt:?} is there twice");
                return Err(rows.fault(row, 2, problem));
            }
            lists[at].push(rows.utility(row, 1)?);
            Ok(())
        })?;
        Ok(Self {
            responses: Responses::new(&lists)?,
            field: fields[0].to_owned(),
            prompts,
            place,
            members,
        })
    }

    /// Reads comparisons: the prompt, `winner` and `loser`, and `round` (from 1) where the games of one tournament were recorded.
    ///
    /// # Errors
    /// [`Error::Log`], with the line: a prompt or a response that is not there, one that plays against itself, a round outside 1 to 64.
    pub fn comparisons<R: BufRead>(&self, reader: R) -> Result<Comparisons<'_>> {
        let mut rows = Rows::new(reader, &[&self.field, "winner", "loser", "round"])?;
        let recorded = rows.found().iter().any(|f| f == "round");
        let (mut list, mut lines) = (Vec::new(), Vec::new());
        rows.each(|rows, row| {
            let name = rows.text(row, PROMPT)?;
            let Some(&prompt) = self.place.get(&text_key(&name)) else {
                let problem = format!("the log of responses has no prompt {name:?}");
                return Err(rows.fault(row, PROMPT, problem));
            };
            let player = |field: usize| {
                let response = rows.text(row, field)?;
                let found = self.members[prompt].get(&text_key(&response));
                found.copied().ok_or_else(|| {
                    let problem = format!("prompt {name:?} has no response {response:?}");
                    rows.fault(row, field, problem)
                })
            };
            let (winner, loser) = (player(WINNER)?, player(LOSER)?);
            if winner == loser {
                let problem = "a response plays against itself".to_owned();
                return Err(rows.fault(row, LOSER, problem));
            }
            let number = if recorded {
                rows.number(row, ROUND)?
            } else {
                0.0
            };
            if recorded && (!(1.0..=MOST_ROUNDS).contains(&number) || number.fract() != 0.0) {
                let problem = format!("{number} is not a whole number from 1 to {MOST_ROUNDS}");
                return Err(rows.fault(row, ROUND, problem));
            }
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Checked above.
            let round = number as usize;
            list.push(Game {
                prompt,
                winner,
                loser,
                round,
            });
            lines.push(row.line());
            Ok(())
        })?;
        Ok(Comparisons {
            of: self,
            list,
            lines,
            recorded,
        })
    }
}

impl Comparisons<'_> {
    /// Returns the weights of the responses after each round: 1 for who is left. Recorded rounds are taken as they are, and who did not play in one goes
    /// through it; otherwise the pairs are drawn by `seed` and their games looked up.
    ///
    /// # Errors
    /// [`Error::Log`], with the line: a game that cannot have been played, or a pair with two results; [`Error::NoComparison`] for a pair that is drawn and not
    /// compared.
    pub fn rounds(&self, seed: u64) -> Result<Vec<Vec<f64>>> {
        if self.recorded {
            recorded_tournament(&self.of.responses, &self.list).map_err(|e| match e {
                Error::Game { index, problem } => {
                    let game = self.list[index];
                    let (prompt, round) = (&self.of.prompts[game.prompt], game.round);
                    self.fault(
                        index,
                        "round",
                        format!("prompt {prompt:?}: {problem} (round {round})"),
                    )
                }
                other => other,
            })
        } else {
            self.drawn(seed)
        }
    }

    fn fault(&self, index: usize, field: &str, problem: String) -> Error {
        Error::Log(ReadError::Value {
            line: self.lines[index],
            field: field.to_owned(),
            problem,
        })
    }

    fn drawn(&self, seed: u64) -> Result<Vec<Vec<f64>>> {
        let mut results: HashMap<(usize, usize, usize), u64> = HashMap::new();
        for (index, game) in self.list.iter().enumerate() {
            if let Some(line) = results.get(&(game.prompt, game.loser, game.winner)) {
                let problem = format!("the same two had the other result on line {line}");
                return Err(self.fault(index, "winner", problem));
            }
            results.insert((game.prompt, game.winner, game.loser), self.lines[index]);
        }
        let mut missing = None;
        let mut all = Vec::new();
        for round in 1..=tournament_rounds(&self.of.responses) {
            all.push(tournament(
                &self.of.responses,
                round,
                seed,
                |prompt, i, j| {
                    let won = results.contains_key(&(prompt, i, j));
                    if !won && !results.contains_key(&(prompt, j, i)) && missing.is_none() {
                        missing = Some((prompt, [i, j]));
                    }
                    won
                },
            ));
            if let Some((prompt, pair)) = missing {
                return Err(Error::NoComparison {
                    prompt: self.of.prompts[prompt].clone(),
                    pair: pair.map(|i| i + 1),
                    round,
                });
            }
        }
        Ok(all)
    }
}
