//! The game of a case as people have it: nested arrays, one matrix of a zero-sum game, a matrix a player from CSV files, a file of gambit.

use std::io::Read;
use std::path::{Path, PathBuf};

use games::Game;
use serde_json::Value;

use super::fields::Json;
use super::problem::Problem;
use super::{csv_matrix, nfg};
use crate::error::Place;
use crate::inputs::Inputs;

const FIELD: &str = "payoffs";

/// A game with names for its players and actions.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) game: Game,
    pub(super) players: Vec<String>,
    pub(super) actions: Vec<Vec<String>>,
}

/// What one source of payoffs holds.
enum Source {
    /// Nested arrays: all players, one player, or the matrix of a zero-sum game.
    Nested(Value),
    /// A matrix with the names of its rows and columns, where it has them.
    Matrix(csv_matrix::Matrix),
    /// A whole game.
    Game(Box<nfg::Parsed>),
}

/// The files among the sources.
pub(super) fn files(sources: &[Json]) -> Vec<PathBuf> {
    sources
        .iter()
        .filter_map(|Json(value)| value.as_str()?.strip_prefix('@').map(PathBuf::from))
        .collect()
}

impl Named {
    /// The game of `sources`, with the names given over those of the files.
    pub(super) fn read(
        inputs: &Inputs,
        sources: &[Json],
        players: Option<&Json>,
        actions: Option<&Json>,
    ) -> Result<Self, Problem> {
        let mut named = match sources {
            [] => return Err(Problem::field(FIELD, "is missing")),
            [one] => Self::from_one(source(inputs, one)?)?,
            many => {
                let parts = many
                    .iter()
                    .map(|s| source(inputs, s))
                    .collect::<Result<Vec<_>, _>>()?;
                Self::from_parts(parts)?
            }
        };
        if let Some(Json(value)) = players {
            named.players = names("players", value, named.game.players())?;
        }
        if let Some(Json(value)) = actions {
            let lists = value
                .as_array()
                .filter(|lists| lists.len() == named.game.players())
                .ok_or_else(|| {
                    let found = named.game.players();
                    Problem::field(
                        "actions",
                        format!(
                            "must be an array with a list of names for each of the {found} players"
                        ),
                    )
                })?;
            named.actions = lists
                .iter()
                .zip(named.game.shape())
                .map(|(list, &k)| names("actions", list, k))
                .collect::<Result<_, _>>()?;
        }
        Ok(named)
    }

    fn plain(game: Game) -> Self {
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

    fn from_one(source: Source) -> Result<Self, Problem> {
        match source {
            Source::Game(parsed) => Ok(Self {
                game: parsed.game,
                players: parsed.players,
                actions: parsed.actions,
            }),
            Source::Matrix(matrix) => {
                let mut named = Self::plain(Game::zero_sum(&matrix.entries)?);
                named.take_names(&matrix);
                Ok(named)
            }
            Source::Nested(value) => match rows(&value) {
                Some(matrix) => Ok(Self::plain(Game::zero_sum(&matrix)?)),
                None => nested(&value).map(Self::plain),
            },
        }
    }

    fn from_parts(parts: Vec<Source>) -> Result<Self, Problem> {
        let mut all = Vec::new();
        let mut labels = None;
        for (player, part) in parts.into_iter().enumerate() {
            match part {
                Source::Nested(value) => all.push(value),
                Source::Matrix(matrix) => {
                    all.push(serde_json::json!(matrix.entries));
                    labels = labels.or(Some(matrix));
                }
                Source::Game(_) => {
                    return Err(Problem::field(
                        FIELD,
                        format!("source {player} is a whole game; give it alone"),
                    ));
                }
            }
        }
        let mut named = nested(&Value::Array(all)).map(Self::plain)?;
        if let Some(matrix) = labels {
            named.take_names(&matrix);
        }
        Ok(named)
    }

    fn take_names(&mut self, matrix: &csv_matrix::Matrix) {
        for (mine, theirs) in self.actions.iter_mut().zip([&matrix.rows, &matrix.columns]) {
            if let Some(names) = theirs
                && names.len() == mine.len()
            {
                mine.clone_from(names);
            }
        }
    }

    /// The names of a profile's actions.
    pub(super) fn profile(&self, index: usize) -> Vec<&str> {
        let profile = self.game.profile(index);
        let pairs = self.actions.iter().zip(profile);
        pairs.map(|(names, a)| names[a].as_str()).collect()
    }
}

fn source(inputs: &Inputs, Json(value): &Json) -> Result<Source, Problem> {
    let Value::String(text) = value else {
        return Ok(Source::Nested(value.clone()));
    };
    let Some(name) = text.strip_prefix('@') else {
        return Err(Problem::field(
            FIELD,
            format!("{text:?} is neither arrays of numbers nor @FILE"),
        ));
    };
    let path = Path::new(name);
    let place = Place::file(path);
    let mut bytes = Vec::new();
    inputs
        .open(path)?
        .read_to_end(&mut bytes)
        .map_err(|e| crate::error::CliError::reading(path, &e))?;
    let text = String::from_utf8(bytes).map_err(|_| place.error("is not UTF-8 text"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    match text.trim_start().get(..1) {
        None => Err(place.error("is empty").into()),
        Some("[") => serde_json::from_str(text)
            .map(Source::Nested)
            .map_err(|e| place.error(format!("is not JSON: {e}")).into()),
        Some(_) if text.trim_start().starts_with("NFG") => nfg::parse(text)
            .map(|parsed| Source::Game(Box::new(parsed)))
            .map_err(|e| Problem::from(place.clone().line(e.line).error(e.words))),
        Some(_) => csv_matrix::parse(text)
            .map(Source::Matrix)
            .map_err(|e| Problem::from(place.clone().line(e.line).error(e.words))),
    }
}

fn names(field: &str, value: &Value, count: usize) -> Result<Vec<String>, Problem> {
    let list: Vec<String> = serde_json::from_value(value.clone())
        .map_err(|_| Problem::field(field, "must be an array of names"))?;
    if list.len() == count {
        Ok(list)
    } else {
        Err(Problem::field(
            field,
            format!("{} names where there are {count}", list.len()),
        ))
    }
}

/// The rows of a matrix of numbers; `None` for anything else.
fn rows(value: &Value) -> Option<Vec<Vec<f64>>> {
    serde_json::from_value(value.clone()).ok()
}

/// A game from one nested array a player.
fn nested(value: &Value) -> Result<Game, Problem> {
    let Value::Array(players) = value else {
        return Err(Problem::field(
            FIELD,
            "must be an array, one nested array of payoffs for each player",
        ));
    };
    let mut shape: Option<Vec<usize>> = None;
    let mut tensors = Vec::new();
    for (player, tensor) in players.iter().enumerate() {
        let bad = |text: String| Problem::field(FIELD, format!("player {player}: {text}"));
        let mut found = Vec::new();
        let mut at = tensor;
        while let Value::Array(inner) = at {
            found.push(inner.len());
            at = inner
                .first()
                .ok_or_else(|| bad("an empty array".to_owned()))?;
        }
        if found.len() != players.len() {
            return Err(bad(format!(
                "nested {} deep, but there are {} players",
                found.len(),
                players.len()
            )));
        }
        if let Some(shape) = &shape
            && *shape != found
        {
            return Err(bad(format!(
                "shape {found:?} differs from player 0's {shape:?}"
            )));
        }
        let mut flat = Vec::new();
        collect(tensor, &found, &mut vec![], player, &mut flat)?;
        shape = Some(found);
        tensors.push(flat);
    }
    Ok(Game::new(shape.unwrap_or_default(), tensors)?)
}

fn collect(
    value: &Value,
    shape: &[usize],
    path: &mut Vec<usize>,
    player: usize,
    out: &mut Vec<f64>,
) -> Result<(), Problem> {
    let bad = |path: &[usize], text: String| {
        Problem::field(FIELD, format!("player {player} at {path:?}: {text}"))
    };
    match (value, shape) {
        (Value::Array(inner), [length, rest @ ..]) => {
            if inner.len() != *length {
                return Err(bad(
                    path,
                    format!("{} entries, expected {length}", inner.len()),
                ));
            }
            for (i, v) in inner.iter().enumerate() {
                path.push(i);
                collect(v, rest, path, player, out)?;
                path.pop();
            }
            Ok(())
        }
        (Value::Number(n), []) => {
            out.push(
                n.as_f64()
                    .ok_or_else(|| bad(path, format!("{n} is not a number this machine holds")))?,
            );
            Ok(())
        }
        (other, _) => Err(bad(
            path,
            format!(
                "expected {}, got {other}",
                if shape.is_empty() {
                    "a number"
                } else {
                    "an array"
                }
            ),
        )),
    }
}
