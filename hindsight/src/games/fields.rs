//! Fields of a case: what must be there, names of the library, payoffs as JSON.

use games::Game;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::case::{Problem, json_problem};

/// The value of a field that must be there.
pub(super) fn need<T: Copy>(field: &str, value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::field(field, "is missing"))
}

/// One of the names that a type of the library goes by.
pub(super) fn named<T: DeserializeOwned>(
    field: &str,
    value: Option<&str>,
    names: &[&str],
) -> Result<T, Problem> {
    let name = value.unwrap_or(names[0]).replace('-', "_");
    serde_json::from_value(Value::String(name.clone())).map_err(|_| {
        Problem::field(
            field,
            format!("{name:?} is not one of {}", names.join(", ")),
        )
    })
}

/// A JSON text of a flag, or the JSON value of a field.
#[derive(Debug, Clone)]
pub(super) struct Json(pub(super) Value);

impl std::str::FromStr for Json {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        serde_json::from_str(text)
            .map(Json)
            .map_err(|e| json_problem(&e))
    }
}

impl<'de> serde::Deserialize<'de> for Json {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Json)
    }
}

/// A game from nested arrays, one for each player; two players' matrices may also come as one matrix of a zero-sum game.
pub(super) fn game(payoffs: Option<&Json>) -> Result<Game, Problem> {
    let field = "payoffs";
    let Some(Json(value)) = payoffs else {
        return Err(Problem::field(field, "is missing"));
    };
    let Value::Array(players) = value else {
        return Err(Problem::field(
            field,
            "must be an array, one nested array of payoffs for each player",
        ));
    };
    let mut shape: Option<Vec<usize>> = None;
    let mut tensors = Vec::new();
    for (player, tensor) in players.iter().enumerate() {
        let mut found = Vec::new();
        let mut at = tensor;
        while let Value::Array(inner) = at {
            found.push(inner.len());
            match inner.first() {
                Some(first) => at = first,
                None => {
                    return Err(Problem::field(
                        field,
                        format!("player {player}: an empty array"),
                    ));
                }
            }
        }
        if found.len() != players.len() {
            return Err(Problem::field(
                field,
                format!(
                    "player {player}: nested {} deep, but there are {} players",
                    found.len(),
                    players.len()
                ),
            ));
        }
        if let Some(shape) = &shape
            && *shape != found
        {
            return Err(Problem::field(
                field,
                format!("player {player}: shape {found:?} differs from player 0's {shape:?}"),
            ));
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
        Problem::field("payoffs", format!("player {player} at {path:?}: {text}"))
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
