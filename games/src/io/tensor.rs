//! Payoffs as nested JSON arrays.

use serde_json::Value;

use super::error::{Expected, ReadError};
use crate::game::Game;

/// The game with one nested array a player, each nested once a player.
pub(super) fn game(players: &[Value]) -> Result<Game, ReadError> {
    let mut shape: Option<Vec<usize>> = None;
    let mut tensors = Vec::new();
    for (player, tensor) in players.iter().enumerate() {
        let found = shape_of(tensor);
        if found.len() != players.len() || found.contains(&0) {
            return Err(ReadError::Depth {
                player,
                depth: found.len(),
                players: players.len(),
            });
        }
        if let Some(expected) = &shape
            && *expected != found
        {
            return Err(ReadError::Shape {
                player,
                expected: expected.clone(),
                found,
            });
        }
        let mut walk = Walk {
            player,
            path: Vec::new(),
            payoffs: Vec::new(),
        };
        walk.collect(tensor, &found)?;
        shape = Some(found);
        tensors.push(walk.payoffs);
    }
    Ok(Game::new(shape.unwrap_or_default(), tensors)?)
}

/// The entries of a joint distribution over the profiles of a game with `shape`, the last player's action first to change: from one array, or from arrays
/// that are nested once a player, as payoffs are. How many there are in one array is not looked at.
///
/// # Errors
/// [`ReadError::Joint`] for what is no number, and for nested arrays of another shape.
///
/// ```
/// use hindsight_games::io::joint_entries;
/// use serde_json::json;
/// let flat = joint_entries(&json!([0.5, 0.25, 0.25, 0.0]), &[2, 2])?;
/// assert_eq!(joint_entries(&json!([[0.5, 0.25], [0.25, 0.0]]), &[2, 2])?, flat);
/// let turned = joint_entries(&json!([[0.5, 0.25], [0.25, 0.0], [0.0, 0.0]]), &[2, 3]).unwrap_err();
/// assert_eq!(turned.to_string(), "at []: expected an array of 2, got an array of 3");
/// # Ok::<(), hindsight_games::io::ReadError>(())
/// ```
pub fn joint_entries(joint: &Value, shape: &[usize]) -> Result<Vec<f64>, ReadError> {
    let mut entries = Vec::new();
    match joint {
        Value::Array(flat) if !flat.iter().any(Value::is_array) => {
            flatten(joint, &[flat.len()], &mut Vec::new(), &mut entries)?;
        }
        nested => flatten(nested, shape, &mut Vec::new(), &mut entries)?,
    }
    Ok(entries)
}

fn flatten(
    value: &Value,
    shape: &[usize],
    path: &mut Vec<usize>,
    entries: &mut Vec<f64>,
) -> Result<(), ReadError> {
    match (value, shape) {
        (Value::Array(inner), [length, rest @ ..]) if inner.len() == *length => {
            for (i, v) in inner.iter().enumerate() {
                path.push(i);
                flatten(v, rest, path, entries)?;
                path.pop();
            }
            Ok(())
        }
        (Value::Number(n), []) if n.as_f64().is_some() => {
            entries.extend(n.as_f64());
            Ok(())
        }
        (other, _) => Err(ReadError::Joint {
            path: path.clone(),
            expected: shape.first().copied(),
            found: match other {
                Value::Array(inner) => format!("an array of {}", inner.len()),
                other => other.to_string(),
            },
        }),
    }
}

/// What is no number in a list of lists that would be the matrix of a zero-sum game.
pub(super) fn stray(rows: &[Value]) -> Option<ReadError> {
    let rows = rows.iter().enumerate();
    let entries = rows.flat_map(|(r, row)| {
        let row = row.as_array().into_iter().flatten().enumerate();
        row.map(move |(c, entry)| (vec![r, c], entry))
    });
    if entries.clone().any(|(_, entry)| entry.is_array()) {
        return None;
    }
    let mut others = entries.filter(|(_, entry)| !entry.is_number());
    others.next().map(|(path, entry)| ReadError::Entry {
        player: 0,
        path,
        expected: Expected::Number,
        found: entry.to_string(),
    })
}

/// Lengths of the first array of each level.
fn shape_of(tensor: &Value) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = Some(tensor);
    while let Some(Value::Array(inner)) = at {
        found.push(inner.len());
        at = inner.first();
    }
    found
}

struct Walk {
    player: usize,
    path: Vec<usize>,
    payoffs: Vec<f64>,
}

impl Walk {
    fn collect(&mut self, value: &Value, shape: &[usize]) -> Result<(), ReadError> {
        match (value, shape) {
            (Value::Array(inner), [expected, rest @ ..]) => {
                if inner.len() != *expected {
                    return Err(ReadError::Entries {
                        player: self.player,
                        path: self.path.clone(),
                        expected: *expected,
                        found: inner.len(),
                    });
                }
                for (i, v) in inner.iter().enumerate() {
                    self.path.push(i);
                    self.collect(v, rest)?;
                    self.path.pop();
                }
                Ok(())
            }
            (Value::Number(n), []) if n.as_f64().is_some() => {
                self.payoffs.extend(n.as_f64());
                Ok(())
            }
            (other, _) => Err(ReadError::Entry {
                player: self.player,
                path: self.path.clone(),
                expected: if shape.is_empty() {
                    Expected::Number
                } else {
                    Expected::Array
                },
                found: other.to_string(),
            }),
        }
    }
}
