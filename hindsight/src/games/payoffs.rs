//! The game of a case: payoffs in flags, fields or files, with names given over those of the files.

use std::io::Read;
use std::path::{Path, PathBuf};

use games::io::{NamedGame, ReadError, Source};
use serde_json::Value;

use super::fields::Json;
use super::problem::Problem;
use crate::error::{Complain as _, Place};
use crate::inputs::Inputs;

const FIELD: &str = "payoffs";

/// The files among the sources.
pub(super) fn files(sources: &[Json]) -> Vec<PathBuf> {
    sources
        .iter()
        .filter_map(|Json(value)| value.as_str()?.strip_prefix('@').map(PathBuf::from))
        .collect()
}

/// The game of `sources`.
pub(super) fn read(
    inputs: &Inputs,
    sources: &[Json],
    players: Option<&Json>,
    actions: Option<&Json>,
) -> Result<NamedGame, Problem> {
    if sources.is_empty() {
        return Err(Problem::missing(FIELD));
    }
    let sources = sources
        .iter()
        .map(|s| source(inputs, s))
        .collect::<Result<_, _>>()?;
    let mut named = NamedGame::from_sources(sources).map_err(|error| match error {
        ReadError::Game(error) => Problem::from(error),
        error => Problem::field(FIELD, error.to_string()),
    })?;
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
    Source::parse(&text).map_err(|error| {
        let place = match error.line() {
            Some(line) => place.clone().line(line),
            None => place.clone(),
        };
        place.error(error.to_string()).into()
    })
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
