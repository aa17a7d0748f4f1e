//! Games as people have them: nested JSON arrays, a CSV matrix a player, one matrix of a zero-sum game, a strategic game of gambit (`.nfg`).
//!
//! | form | how it is recognised | what it holds |
//! |---|---|---|
//! | gambit's strategic form, version 1 | begins with `NFG` | a whole game with names, payoffs by profile or by outcome |
//! | JSON | begins with `[` | one nested array a player, or one matrix |
//! | CSV | anything else | one matrix; commas, semicolons (then with decimal commas, too), tabs or blanks; names of rows and columns where there are any |
//!
//! [`Source::parse`] reads one text, [`NamedGame::from_sources`] makes a game of one or several. [`RecordedPlay`] keeps the account of plays that were written down.

mod error;
mod matrix;
mod nfg;
mod plays;
mod tensor;

pub use error::{Expected, ReadError};
pub use matrix::Matrix;
pub use plays::{Play, RecordedPlay, mend_distribution};
pub use tensor::joint_entries;

use serde_json::Value;

use crate::game::Game;

/// A game with names for its players and their actions.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedGame {
    /// The payoffs.
    pub game: Game,
    /// One name a player.
    pub players: Vec<String>,
    /// The names of each player's actions.
    pub actions: Vec<Vec<String>>,
}

/// What one text of payoffs holds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Source {
    /// Nested arrays: all players, one player, or the matrix of a zero-sum game.
    Nested(Value),
    /// A matrix with the names of its rows and columns, where it has them.
    Matrix(Matrix),
    /// A whole game.
    Game(Box<NamedGame>),
}

impl Source {
    /// Reads a text in the form that its beginning shows; a byte order mark is skipped.
    ///
    /// # Errors
    /// [`ReadError`] with the line.
    ///
    /// ```
    /// use hindsight_games::io::{NamedGame, Source};
    /// let text = r#"NFG 1 R "Stag hunt" { "Ann" "Bob" } { { "stag" "hare" } { "stag" "hare" } } 4 4 3 0 0 3 3 3"#;
    /// let hunt = NamedGame::from_sources(vec![Source::parse(text)?])?;
    /// assert_eq!(hunt.game.pure_nash(), [[0, 0], [1, 1]]);
    /// assert_eq!(hunt.profile(0), ["stag", "stag"]);
    /// # Ok::<(), hindsight_games::io::ReadError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, ReadError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let start = text.trim_start();
        if start.is_empty() {
            Err(ReadError::Empty)
        } else if start.starts_with('[') {
            serde_json::from_str(text)
                .map(Self::Nested)
                .map_err(|e| ReadError::Malformed {
                    line: u64::try_from(e.line()).unwrap_or(u64::MAX),
                    message: format!("is not JSON: {e}"),
                })
        } else if start.starts_with("NFG") {
            nfg::parse(text).map(|game| Self::Game(Box::new(game)))
        } else {
            matrix::parse(text).map(Self::Matrix)
        }
    }
}

impl NamedGame {
    /// The game with players and actions named by their numbers.
    #[must_use]
    pub fn unnamed(game: Game) -> Self {
        Self {
            players: (0..game.players()).map(|i| format!("player {i}")).collect(),
            actions: game
                .shape()
                .iter()
                .map(|&k| (0..k).map(|a| format!("action {a}")).collect())
                .collect(),
            game,
        }
    }

    /// The game that one source describes, or several with one player's payoffs each. One matrix alone is a zero-sum game.
    ///
    /// # Errors
    /// [`ReadError::Empty`] without sources, [`ReadError::WholeGame`] where a whole game is one of several, and what is wrong with the payoffs.
    pub fn from_sources(mut sources: Vec<Source>) -> Result<Self, ReadError> {
        if sources.len() > 1 {
            return Self::from_players(sources);
        }
        match sources.pop() {
            None => Err(ReadError::Empty),
            Some(Source::Game(named)) => Ok(*named),
            Some(Source::Matrix(matrix)) => {
                let mut named = Self::unnamed(Game::zero_sum(&matrix.entries)?);
                named.take_names(&matrix);
                Ok(named)
            }
            Some(Source::Nested(value)) => {
                let matrix: Option<Vec<Vec<f64>>> = serde_json::from_value(value.clone()).ok();
                let game = match (matrix, &value) {
                    (Some(matrix), _) => Game::zero_sum(&matrix)?,
                    (None, Value::Array(players)) => match tensor::stray(players) {
                        Some(error) => return Err(error),
                        None => tensor::game(players)?,
                    },
                    (None, _) => return Err(ReadError::NoPlayers),
                };
                Ok(Self::unnamed(game))
            }
        }
    }

    fn from_players(sources: Vec<Source>) -> Result<Self, ReadError> {
        let mut players = Vec::new();
        let mut labels = None;
        for (source_number, source) in sources.into_iter().enumerate() {
            match source {
                Source::Nested(value) => players.push(value),
                Source::Matrix(matrix) => {
                    players.push(Value::from(
                        matrix
                            .entries
                            .iter()
                            .cloned()
                            .map(Value::from)
                            .collect::<Vec<_>>(),
                    ));
                    labels = labels.or(Some(matrix));
                }
                Source::Game(_) => return Err(ReadError::WholeGame { source_number }),
            }
        }
        let mut named = Self::unnamed(tensor::game(&players)?);
        if let Some(matrix) = labels {
            named.take_names(&matrix);
        }
        Ok(named)
    }

    fn take_names(&mut self, matrix: &Matrix) {
        for (mine, theirs) in self.actions.iter_mut().zip([&matrix.rows, &matrix.columns]) {
            if let Some(names) = theirs
                && names.len() == mine.len()
            {
                mine.clone_from(names);
            }
        }
    }

    /// The names of a profile's actions.
    #[must_use]
    pub fn profile(&self, index: usize) -> Vec<&str> {
        let profile = self.game.profile(index);
        let pairs = self.actions.iter().zip(profile);
        pairs.map(|(names, a)| names[a].as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn game(texts: &[&str]) -> Result<NamedGame, ReadError> {
        NamedGame::from_sources(
            texts
                .iter()
                .map(|t| Source::parse(t))
                .collect::<Result<_, _>>()?,
        )
    }

    #[test]
    fn every_form_gives_the_same_game() {
        let expected = Game::bimatrix(
            &[vec![1.0, -2.0], vec![3.5, 0.0]],
            &[vec![0.0, 1.0], vec![2.0, 4.0]],
        )
        .unwrap();
        for texts in [
            &["[[[1,-2],[3.5,0]],[[0,1],[2,4]]]"][..],
            &["1,-2\n3.5,0\n", "[[0,1],[2,4]]"],
            &["a;b\n1;-2\n3,5;0\n", "0 1\n2 4"],
            &["\u{feff}NFG 1 D \"\" { \"1\" \"2\" } { 2 2 } 1 0 3.5 2 -2 1 0 4"],
        ] {
            assert_eq!(game(texts).unwrap().game, expected, "{texts:?}");
        }
        assert_eq!(
            game(&["a;b\n1;2\n3;4\n", "5;6\n7;8\n"]).unwrap().actions[1],
            ["a", "b"]
        );
        let zero_sum = game(&["up 1 2\ndown 3 4"]).unwrap();
        assert_eq!(zero_sum.game.payoffs(1).unwrap(), [-1.0, -2.0, -3.0, -4.0]);
        assert_eq!(zero_sum.profile(2), ["down", "action 0"]);
    }

    #[test]
    fn faults_say_what_and_where() {
        assert_eq!(game(&[" \n"]), Err(ReadError::Empty));
        assert_eq!(game(&["[[1,2],\n[3,]]"]).unwrap_err().line(), Some(2));
        assert_eq!(
            game(&["[[1,2],[3,4]]", "NFG 1 R \"\" { \"a\" } { 1 } 1"]),
            Err(ReadError::WholeGame { source_number: 1 })
        );
        assert_eq!(
            game(&["[[[1,2],[3]],[[1,2],[3,4]]]"]),
            Err(ReadError::Entries {
                player: 0,
                path: vec![1],
                expected: 2,
                found: 1
            })
        );
        assert_eq!(
            game(&["[[1,\"a\"],[3,4]]"]),
            Err(ReadError::Entry {
                player: 0,
                path: vec![0, 1],
                expected: Expected::Number,
                found: "\"a\"".to_owned()
            })
        );
        assert_eq!(
            game(&["[[[1,2]],[[1],[2]]]"]),
            Err(ReadError::Shape {
                player: 1,
                expected: vec![1, 2],
                found: vec![2, 1]
            })
        );
        assert!(matches!(
            game(&["[[[1,\"x\"]],[[1,2]]]"]),
            Err(ReadError::Entry { player: 0, .. })
        ));
        assert!(game(&["[[],[]]"]).is_err());
        assert!(matches!(
            game(&["[[[]],[[]]]"]),
            Err(ReadError::Depth { .. })
        ));
    }
}
