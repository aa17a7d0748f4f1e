//! Answers as people read them: tables of names and values, numbers, mixtures, matrices.

use report::Table;
use report::number::plain;
use serde_json::Value;

/// A number to four digits, as sentences have it; "n/a" for what is none. The JSON has all digits.
pub(super) fn number(value: &Value) -> String {
    value
        .as_f64()
        .map_or_else(|| "n/a".to_owned(), |x| plain(x, 4))
}

/// A table as text for the terminal.
pub(super) fn rendered(table: &Table) -> String {
    table.render(crate::output::width())
}

/// The texts of an array.
pub(super) fn names(value: &Value) -> Vec<String> {
    let texts = members(value).iter().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

/// The members of an array; none of what is no array.
pub(super) fn members(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A mixed strategy in words: `0.6 stag + 0.4 hare`, or the name alone when it is pure. Weights of less than half of a unit in the sixth place are left out.
pub(super) fn mixture(weights: &Value, names: &[String]) -> String {
    let played: Vec<(f64, &str)> = members(weights)
        .iter()
        .zip(names)
        .filter_map(|(w, name)| Some((w.as_f64()?, name.as_str())))
        .filter(|(w, _)| *w > 5e-7)
        .collect();
    match played.as_slice() {
        [(_, name)] => (*name).to_owned(),
        many => many
            .iter()
            .map(|(w, name)| format!("{} {name}", plain(*w, 4)))
            .collect::<Vec<_>>()
            .join(" + "),
    }
}
