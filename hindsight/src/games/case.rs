//! One case from flags, or many from a file: the same fields either way.

use std::path::PathBuf;

use report::{Column, Page, Svg, Table};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::lines::{each_line, json_problem};
use super::problem::Problem;
use super::words::rendered;
use crate::document::{self, Outputs};
use crate::error::{CliError, Complain as _, Place};
use crate::inputs::Inputs;
use crate::progress::Progress;

/// A kind of case: its fields are flags and JSON fields at once.
pub(super) trait Answer: clap::Args + Serialize + DeserializeOwned + Send + Sync {
    /// The subcommand.
    const NAME: &'static str;
    /// What the page is called.
    const TITLE: &'static str;

    /// The answer as a JSON object.
    fn answer(&self, inputs: &Inputs) -> Result<Value, Problem>;

    /// Files that the fields name.
    fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// The seed of what is random in the answer.
    fn seed(&self) -> Option<u64> {
        None
    }

    /// The answer as tables with captions; its sentence stands above them.
    fn tables(answer: &Value) -> Vec<(String, Table)>;

    /// Figures with captions, for the page.
    fn figures(&self, _answer: &Value) -> Vec<(Svg, String)> {
        Vec::new()
    }
}

/// Where answers go.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Output")]
pub(super) struct Places {
    /// The answer as JSON; `-`, or nothing after the option, is the standard output, which then holds nothing else. With `--input` one object a line
    #[arg(long, alias = "output", value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    json: Option<PathBuf>,
    /// A page with the answer: one HTML file, nothing to fetch
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// All tables of the page, for other programs: Markdown, or CSV where the name ends with `.csv`
    #[arg(long, value_name = "FILE")]
    tables: Option<PathBuf>,
    /// Replace files that this command did not write
    #[arg(long)]
    force: bool,
}

impl Places {
    /// The places as every subcommand knows them.
    pub(super) fn outputs(&self) -> Outputs {
        Outputs {
            json: self.json.clone(),
            report: self.report.clone(),
            force: self.force,
            tables: self.tables.clone(),
        }
    }
}

/// Lines of a file of cases that a page shows, at the most.
const SHOWN: usize = 500;

/// Arguments of a subcommand that answers cases.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Run<C: clap::Args> {
    #[command(flatten)]
    case: C,
    /// A file of many cases: one JSON object a line, with the names of the flags (underscores for hyphens). A field of a line wins over the flag of its name; flags
    /// hold for lines that say nothing. One object a line comes out, in the same order; a line that cannot be answered gives an object with `line` and `error`, and
    /// the exit code is 2 at the end. `-` is the standard input.
    #[arg(long, value_name = "FILE.jsonl")]
    input: Option<PathBuf>,
    #[command(flatten)]
    places: Places,
}

impl<C: Answer> Run<C> {
    pub(super) fn run(&self) -> Result<(), CliError> {
        if self.input.is_some() {
            return self.answer_lines();
        }
        let run = self.begin(self.case.files())?;
        let answer = self.case.answer(run.inputs()).map_err(Problem::of_flags)?;
        finish::<C>(&run, answer, |answer| self.case.figures(answer))
    }

    /// Begins the run that the places describe, with the files it reads.
    pub(super) fn begin(&self, files: Vec<PathBuf>) -> Result<document::Run, CliError> {
        let files = files.iter().map(PathBuf::as_path);
        document::Run::begin(C::NAME, &self.places.outputs(), self.case.seed(), files)
    }

    fn answer_lines(&self) -> Result<(), CliError> {
        let Some(path) = &self.input else {
            return Ok(());
        };
        // The lines are a file of their own form, not the document of one answer.
        let outputs = Outputs {
            json: None,
            ..self.places.outputs()
        };
        let mut files = self.case.files();
        files.push(path.clone());
        let files = files.iter().map(PathBuf::as_path);
        let mut run = document::Run::begin(C::NAME, &outputs, self.case.seed(), files)?;
        let json = self.places.json.clone().unwrap_or_else(|| "-".into());
        let target = run.also(&json)?;
        let flags = fields(&self.case)?;
        let progress = Progress::new("cases", None);
        let (mut text, mut answered, mut failed) = (String::new(), 0usize, 0usize);
        let mut table = Table::new([Column::number("line"), Column::text("answer")]);
        each_line(run.inputs(), path, |number, line| {
            let outcome = line
                .map_err(|words| Problem::from(Place::file(path).line(number).error(words)))
                .and_then(|line| case::<C>(&flags, line))
                .and_then(|case| case.answer(run.inputs()));
            let object = match outcome {
                Ok(answer) => {
                    answered += 1;
                    answer
                }
                Err(problem) => {
                    failed += 1;
                    json!({ "line": number, "field": problem.of_field(), "error": problem.text() })
                }
            };
            if answered + failed <= SHOWN {
                let said = [&object["sentence"], &object["error"]];
                let said = said.iter().find_map(|words| words.as_str());
                table.row([number.to_string(), said.unwrap_or_default().to_owned()]);
            }
            text.push_str(&one_line(&object)?);
            progress.step(1);
            Ok(())
        })?;
        progress.finish();
        run.put(target, text);
        let words = match failed {
            0 => format!("All {answered} cases are answered."),
            _ => format!("{answered} cases are answered, {failed} are not."),
        };
        run.finish(
            &json!({ "answered": answered, "failed": failed }),
            || {
                let mut page = Page::new(C::TITLE, words.clone());
                let caption = match answered + failed > SHOWN {
                    true => format!("The first {SHOWN} lines; all are in the JSON lines."),
                    false => "Every line, in its order.".to_owned(),
                };
                page.section("The answers").table(&table, &caption);
                page
            },
            &words,
        )?;
        if failed > 0 {
            return Err(CliError::Input(format!(
                "{}: {failed} of {} lines could not be answered; their objects say why",
                path.display(),
                answered + failed
            )));
        }
        Ok(())
    }
}

/// Writes one answer to its places and the terminal.
pub(super) fn finish<C: Answer>(
    run: &document::Run,
    mut answer: Value,
    figures: impl FnOnce(&Value) -> Vec<(Svg, String)>,
) -> Result<(), CliError> {
    let tables = C::tables(&answer);
    let sentence = answer["sentence"].as_str().unwrap_or_default();
    let mut text = format!("{sentence}\n");
    for (caption, table) in &tables {
        text.push_str(&format!("\n{caption}\n{}", rendered(table)));
    }
    let mut page = Page::new(C::TITLE, sentence);
    // The document has a place of its own for the seed.
    if let Value::Object(fields) = &mut answer {
        fields.remove("seed");
    }
    let page = || {
        page.section("The answer");
        for (svg, caption) in figures(&answer) {
            page.figure(&svg, &caption);
        }
        for (caption, table) in &tables {
            page.table(table, &format!("{caption}."));
        }
        page
    };
    run.finish(&answer, page, &text)
}

/// The fields that flags give.
fn fields<C: Serialize>(case: &C) -> Result<Map<String, Value>, CliError> {
    let value = serde_json::to_value(case).map_err(|e| CliError::System(e.to_string()))?;
    let Value::Object(fields) = value else {
        return Ok(Map::new());
    };
    let said = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(values) => !values.is_empty(),
        _ => true,
    };
    Ok(fields.into_iter().filter(|(_, v)| said(v)).collect())
}

/// A case from a line, with the flags for what it does not say.
fn case<C: DeserializeOwned>(flags: &Map<String, Value>, line: &str) -> Result<C, Problem> {
    let words = |error: &serde_json::Error| Problem::plain(json_problem(error));
    let own: Map<String, Value> = serde_json::from_str(line).map_err(|e| words(&e))?;
    // Alone first: the place of a wrong value is known only in the line's own text.
    if flags.is_empty() {
        return serde_json::from_str(line).map_err(|e| words(&e));
    }
    let mut all = flags.clone();
    all.extend(own);
    serde_json::from_value(Value::Object(all)).map_err(|e| Problem::plain(e.to_string()))
}

/// An answer as one line, led by the version that gave it: so the command knows its own files.
fn one_line(value: &Value) -> Result<String, CliError> {
    let text = serde_json::to_string(value).map_err(|e| CliError::System(e.to_string()))?;
    let rest = text.strip_prefix('{').unwrap_or(&text);
    Ok(format!(
        "{{\"hindsight\":\"{}\",{rest}\n",
        env!("CARGO_PKG_VERSION")
    ))
}
