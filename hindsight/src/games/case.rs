//! One case from flags, or many from a file: the same fields either way.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use games::GamesError;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{CliError, Place};
use crate::output::{self, Target};
use crate::progress::Progress;
use report::{Column, Table};

/// What is wrong with a case, and with which field.
#[derive(Debug)]
pub(super) struct Problem {
    field: Option<String>,
    text: String,
}

impl Problem {
    pub(super) fn field(field: &str, text: impl Into<String>) -> Self {
        Self {
            field: Some(field.to_owned()),
            text: text.into(),
        }
    }

    /// The same problem, in a round counted from 0.
    pub(super) fn in_round(mut self, round: usize) -> Self {
        self.text = format!("round {round}: {}", self.text);
        self
    }

    pub(super) fn at(self, place: &Place) -> CliError {
        match self.field {
            Some(field) => place.clone().column(&field).error(self.text),
            None => place.error(self.text),
        }
    }

    pub(super) fn of_flags(self) -> CliError {
        match self.field {
            Some(field) => CliError::Input(format!("--{}: {}", field.replace('_', "-"), self.text)),
            None => CliError::Input(self.text),
        }
    }
}

/// Errors of the library name their argument; ours are called the same.
impl From<GamesError> for Problem {
    fn from(error: GamesError) -> Self {
        let known = [
            "choke_price",
            "operator_cost",
            "seller_cost",
            "retailer_cost",
            "fee",
            "experience",
            "price",
            "stock",
            "substitutability",
            "outside_option",
            "exponent",
            "cells",
            "temperature",
            "deviation",
            "advantage",
            "rounds",
        ];
        let field = match &error {
            GamesError::NotFinite { argument, .. }
            | GamesError::OutOfRange { argument, .. }
            | GamesError::Empty { argument } => {
                known.contains(argument).then(|| (*argument).to_owned())
            }
            GamesError::PayoffNotFinite { .. } => Some("payoffs".to_owned()),
            GamesError::ThresholdAboveDemand { .. } => Some("substitutability".to_owned()),
            GamesError::NotADistribution { argument, .. }
            | GamesError::NotAProbability { argument, .. }
            | GamesError::Length { argument, .. }
                if *argument == "joint distribution" =>
            {
                Some("joint".to_owned())
            }
            _ => None,
        };
        Self {
            field,
            text: error.to_string(),
        }
    }
}

/// A kind of case: its fields are flags and JSON fields at once.
pub(super) trait Answer: clap::Args + DeserializeOwned + Send + Sync {
    /// The answer as a JSON object.
    fn answer(&self) -> Result<Value, Problem>;
}

/// Arguments of a subcommand that answers cases.
#[derive(Debug, clap::Args)]
pub(crate) struct Run<C: clap::Args> {
    #[command(flatten)]
    case: C,
    /// A file of many cases: one JSON object a line, with the names of the flags (underscores for hyphens). One object a line comes out, in the same
    /// order. `-` is the standard input.
    #[arg(long, value_name = "FILE.jsonl")]
    input: Option<PathBuf>,
    /// Where the answers go (default: the standard output).
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print one case as JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Replace an output file that was not written by hindsight.
    #[arg(long)]
    force: bool,
}

impl<C: Answer> Run<C> {
    pub(super) fn run(&self) -> Result<(), CliError> {
        match &self.input {
            Some(path) => {
                let target = self.target()?;
                let text = answer_file::<C>(path)?;
                write(target.as_ref(), text)
            }
            None => {
                self.target()?;
                self.deliver(&self.case.answer().map_err(Problem::of_flags)?)
            }
        }
    }

    /// Prints one answer, or writes it.
    pub(super) fn deliver(&self, answer: &Value) -> Result<(), CliError> {
        let target = self.target()?;
        let text = if self.json || target.is_some() {
            line(answer)?
        } else {
            table(answer).render(crate::output::width())
        };
        write(target.as_ref(), text)
    }

    fn target(&self) -> Result<Option<Target>, CliError> {
        self.output
            .as_deref()
            .map(|path| Target::new(path, self.force))
            .transpose()
    }
}

fn write(target: Option<&Target>, text: String) -> Result<(), CliError> {
    match target {
        Some(target) => output::write_all([(target, text)]),
        None => output::print(text.trim_end_matches('\n')),
    }
}

/// An answer as one line, led by the version that gave it: so the command knows its own files.
fn line(value: &Value) -> Result<String, CliError> {
    let text = serde_json::to_string(value).map_err(|e| CliError::System(e.to_string()))?;
    let rest = text.strip_prefix('{').unwrap_or(&text);
    Ok(format!(
        "{{\"hindsight\":\"{}\",{rest}\n",
        env!("CARGO_PKG_VERSION")
    ))
}

fn answer_file<C: Answer>(path: &Path) -> Result<String, CliError> {
    let progress = Progress::new("cases", None);
    let mut text = String::new();
    each_line(path, |place, line_text| {
        let case: C =
            serde_json::from_str(line_text).map_err(|error| place.error(json_problem(&error)))?;
        let answer = case.answer().map_err(|problem| problem.at(place))?;
        text.push_str(&line(&answer)?);
        progress.step(1);
        Ok(())
    })?;
    progress.finish();
    Ok(text)
}

/// Calls `visit` with each line that is not blank, and its place.
pub(super) fn each_line(
    path: &Path,
    mut visit: impl FnMut(&Place, &str) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(BufReader::new(
            std::fs::File::open(path).map_err(|e| CliError::reading(path, &e))?,
        ))
    };
    let mut number = 0;
    let mut any = false;
    for line_text in reader.lines() {
        number += 1;
        let place = Place::file(path).line(number);
        let line_text = line_text.map_err(|error| {
            if error.kind() == std::io::ErrorKind::InvalidData {
                place.error("is not UTF-8 text")
            } else {
                CliError::reading(path, &error)
            }
        })?;
        if line_text.trim().is_empty() {
            continue;
        }
        any = true;
        visit(&place, &line_text)?;
    }
    if any {
        Ok(())
    } else {
        Err(Place::file(path).error("has no lines"))
    }
}

/// The parser's words with the character instead of the line, which the place tells.
pub(super) fn json_problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let words = text.split(" at line ").next().unwrap_or(&text);
    format!("{words} (character {})", error.column())
}

/// A JSON object as a table of dotted names and values.
fn table(answer: &Value) -> Table {
    let mut table = Table::new([Column::text(""), Column::text("")]);
    flatten(&mut table, String::new(), answer);
    table
}

fn flatten(table: &mut Table, name: String, value: &Value) {
    let cell = |value: &Value| match value {
        Value::Number(n) => n.as_f64().map_or_else(
            || n.to_string(),
            |x| {
                if n.is_f64() {
                    report::number::significant(x, 6)
                } else {
                    n.to_string()
                }
            },
        ),
        Value::String(s) => s.clone(),
        Value::Null => "n/a".to_owned(),
        other => other.to_string(),
    };
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let below = if name.is_empty() {
                    key.clone()
                } else {
                    format!("{name}.{key}")
                };
                flatten(table, below, value);
            }
        }
        Value::Array(values)
            if values.len() <= 8
                && !name.starts_with("curve")
                && values.iter().any(Value::is_object) =>
        {
            for (i, value) in values.iter().enumerate() {
                flatten(table, format!("{name}[{i}]"), value);
            }
        }
        Value::Array(values)
            if values.len() <= 12 && values.iter().all(|v| !v.is_array() && !v.is_object()) =>
        {
            let cells: Vec<String> = values.iter().map(cell).collect();
            table.row([name, cells.join("  ")]);
        }
        Value::Array(values) => {
            table.row([name, format!("{} values (--json shows them)", values.len())]);
        }
        other => {
            table.row([name, cell(other)]);
        }
    }
}
