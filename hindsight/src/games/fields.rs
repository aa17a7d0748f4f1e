//! Fields of a case: what must be there, names of the library, JSON in flags, distributions.

use games::io::mend_distribution;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::lines::json_problem;
use super::problem::Problem;

/// The value of a field that must be there.
pub(super) fn need<T: Copy>(field: &str, value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::missing(field))
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

/// A JSON text of a flag, or the JSON value of a field; `@FILE` stays a text.
#[derive(Debug, Clone)]
pub(super) struct Json(pub(super) Value);

impl std::str::FromStr for Json {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with('@') {
            return Ok(Json(Value::String(text.to_owned())));
        }
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

impl serde::Serialize for Json {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// One or several sources of payoffs as one JSON value: an array with a text in it holds several.
pub(super) mod sources {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    use super::Json;

    pub(in super::super) fn serialize<S: Serializer>(
        all: &[Json],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match all {
            [one] => one.serialize(serializer),
            many => many.serialize(serializer),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Json>, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::Array(all) if all.iter().any(Value::is_string) => {
                all.into_iter().map(Json).collect()
            }
            one => vec![Json(one)],
        })
    }
}

/// A probability vector: sums that miss one by at most 1e-6, as printed numbers do, are mended (true then).
pub(super) fn distribution(field: &str, value: &Value) -> Result<(Vec<f64>, bool), Problem> {
    let mut values: Vec<f64> = serde_json::from_value(value.clone())
        .map_err(|e| Problem::field(field, format!("must be an array of numbers: {e}")))?;
    let changed = mend_distribution(&mut values);
    Ok((values, changed))
}
