//! `hindsight llm passk`.

use std::collections::HashMap;
use std::path::PathBuf;

use llm_metrics::io::{Outcome, OutcomeFields, OutcomeReader};
use llm_metrics::{
    Error,
    stats::{Interval, text_key},
    verification::{PassSummary, Responses, pass_summary},
};
use serde_json::json;

use super::{fault, opened, plots, read_fault, value};
use crate::document::{Outputs, Run};
use crate::error::{CliError, Place};
use crate::inputs::Inputs;
use report::number::percent;
use report::{Axis, Column, Page, Series, Table, XyChart};

/// Arguments of `hindsight llm passk`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Log with one record per response (prompt, correct) or one per problem (n, c), or of a known tool: lm-evaluation-harness, inspect_ai, OpenAI evals, HELM, promptfoo,
    /// DeepEval.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Field of the prompt, if not prompt or that of a known tool.
    #[arg(long, value_name = "FIELD")]
    prompt: Option<String>,
    /// Field of the outcome, if not correct or that of a known tool.
    #[arg(long, value_name = "FIELD")]
    correct: Option<String>,
    /// The filter to take from lm-evaluation-harness samples, which hold one line per document and filter.
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
    /// Values of k; by default 1, 2, 4, ... up to the fewest responses of a prompt.
    #[arg(long, value_delimiter = ',', value_name = "K")]
    k: Vec<usize>,
    #[command(flatten)]
    outputs: Outputs,
}

/// Runs `hindsight llm passk`.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let run = Run::begin("llm passk", &args.outputs, None, [args.file.as_path()])?;
    let (responses, names) = read(run.inputs(), args)?;
    let fewest = (0..responses.prompts())
        .map(|p| responses.utilities(p).len())
        .min()
        .unwrap_or(0);
    let ks: Vec<usize> = if args.k.is_empty() {
        std::iter::successors(Some(1), |k| Some(2 * k))
            .take_while(|k| *k <= fewest)
            .collect()
    } else {
        args.k.clone()
    };
    let mut rows: Vec<PassSummary> = Vec::new();
    for k in ks {
        rows.push(pass_summary(&responses, k).map_err(|e| match e {
            Error::KExceedsN { index, k, n } => {
                let (name, line) = names.get(index).cloned().unwrap_or_default();
                Place::file(&args.file).line(line).error(format!(
                    "{name} has {n} response{} in all, too few for --k {k}",
                    if n == 1 { "" } else { "s" }
                ))
            }
            other => fault(&args.file, &other),
        })?);
    }
    let mut table = Table::new([
        Column::number("k"),
        Column::number("pass@k"),
        Column::number("standard error").optional(),
        Column::number("pass^k"),
        Column::number("standard error").optional(),
    ]);
    for r in &rows {
        let p = |v: f64| percent(v, 2);
        table.row([
            r.k.to_string(),
            p(r.pass_at_k),
            p(r.pass_at_k_se),
            p(r.pass_hat_k),
            p(r.pass_hat_k_se),
        ]);
    }
    let lead = format!(
        "{} problems, {} responses",
        responses.prompts(),
        responses.len()
    );
    let text = format!(
        "{}\n{lead}; at least one of k right (pass@k), all of k right (pass^k).",
        table.render(crate::output::width())
    );
    let mut page = Page::new("pass@k", lead);
    page.section("One of k, all of k");
    #[allow(clippy::cast_precision_loss)] // Small counts.
    let line = |f: fn(&PassSummary) -> (f64, f64)| {
        let points = rows.iter().map(|r| (r.k as f64, f(r).0)).collect();
        let band = rows.iter().filter_map(|r| {
            let i = Interval::normal(f(r).0, f(r).1, 0.95).ok()?;
            Some((r.k as f64, i.lower, i.upper))
        });
        (points, band.collect())
    };
    let (at, at_band) = line(|r| (r.pass_at_k, r.pass_at_k_se));
    let (hat, hat_band) = line(|r| (r.pass_hat_k, r.pass_hat_k_se));
    let chart = XyChart::new(
        "pass@k and pass^k",
        Axis::log("k").ticks(plots::ticks(rows.iter().map(|r| r.k))),
        Axis::linear("Share of problems").percent().range(0.0, 1.0),
    )
    .series(Series::line("pass@k", at).band(at_band))
    .series(Series::line("pass^k", hat).band(hat_band).dashed());
    page.figure(
        &chart.svg(),
        "Mean over problems with 95 % intervals (normal).",
    );
    page.table(&table, "Unbiased estimates.");
    let results = json!({ "problems": responses.prompts(), "responses": responses.len(),
                          "pass": value(&rows)? });
    run.finish(&results, || page, &text)
}

/// Responses of each problem, and the problems' names and first lines.
fn read(inputs: &Inputs, args: &Args) -> Result<(Responses, Vec<(String, u64)>), CliError> {
    let mut lists: Vec<Vec<f64>> = Vec::new();
    let mut names: Vec<(String, u64)> = Vec::new();
    let mut place: HashMap<u64, usize> = HashMap::new();
    let fields = OutcomeFields {
        prompt: args.prompt.clone(),
        correct: args.correct.clone(),
        filter: args.filter.clone(),
    };
    let fault_of = |e| read_fault(&args.file, e);
    let mut reader = OutcomeReader::new(opened(inputs, &args.file)?, &fields).map_err(fault_of)?;
    while let Some((line, outcome)) = reader.next_outcome().map_err(fault_of)? {
        match outcome {
            Outcome::Counts { n, c } => {
                lists.push((0..n).map(|i| f64::from(u8::from(i < c))).collect());
                names.push(("the problem".to_owned(), line));
            }
            Outcome::Response { prompt, utility } => {
                if utility > 0.0 && utility < 1.0 {
                    return Err(Place::file(&args.file).line(line).error(format!(
                        "the outcome {utility} is neither right (1) nor wrong (0)"
                    )));
                }
                let at = *place.entry(text_key(&prompt)).or_insert(lists.len());
                if at == lists.len() {
                    lists.push(Vec::new());
                    names.push((format!("prompt {prompt:?}"), line));
                }
                lists[at].push(utility);
            }
            _ => {}
        }
    }
    Ok((
        Responses::new(&lists).map_err(|e| fault(&args.file, &e))?,
        names,
    ))
}
