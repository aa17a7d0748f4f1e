//! `hindsight llm passk`.

use std::path::PathBuf;

use llm_metrics::io::OutcomeFields;
use llm_metrics::{
    Error,
    stats::Interval,
    verification::{PassSummary, Problems, Responses, pass_summary},
};

use super::{fault, opened, plots};
use crate::document::{Outputs, Run};
use crate::error::{CliError, Complain as _, Place};
use report::number::{count, percent};
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
    /// The filter to take from lm-evaluation-harness samples (of promptfoo the promptIdx, of HELM the perturbation or none).
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
    /// Values of k; by default 1, 2, 4, ... up to the fewest responses of a prompt.
    #[arg(long, value_delimiter = ',', value_name = "K")]
    k: Vec<usize>,
    #[command(flatten)]
    outputs: Outputs,
}

/// What is stored.
#[derive(Debug, serde::Serialize)]
struct Results {
    problems: usize,
    responses: usize,
    pass: Vec<PassSummary>,
}

/// Runs `hindsight llm passk`.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let file = args.file.as_path();
    let run = Run::begin("llm passk", &args.outputs, None, [file])?;
    let fields = OutcomeFields {
        prompt: args.prompt.clone(),
        correct: args.correct.clone(),
        filter: args.filter.clone(),
    };
    let problems =
        Problems::read(opened(run.inputs(), file)?, &fields).map_err(|e| fault(file, e))?;
    let rows = summaries(args, &problems)?;
    report(&problems.responses, rows, &run)
}

/// One summary for each k that was asked for.
fn summaries(args: &Args, problems: &Problems) -> Result<Vec<PassSummary>, CliError> {
    let responses = &problems.responses;
    let fewest = (0..responses.prompts()).map(|p| responses.utilities(p).len());
    let fewest = fewest.min().unwrap_or(0);
    let doubled = std::iter::successors(Some(1), |k| Some(2 * k)).take_while(|k| *k <= fewest);
    let ks = if args.k.is_empty() {
        doubled.collect()
    } else {
        args.k.clone()
    };
    let word = |e: Error| match e {
        Error::KExceedsN { index, k, n } => {
            let (prompt, line) = problems.places.get(index).cloned().unwrap_or_default();
            let name = prompt.map_or_else(|| "the problem".to_owned(), |p| format!("prompt {p:?}"));
            let plural = if n == 1 { "" } else { "s" };
            Place::file(&args.file).line(line).error(format!(
                "{name} has {n} response{plural} in all, too few for --k {k}"
            ))
        }
        other => fault(&args.file, other),
    };
    ks.into_iter()
        .map(|k| pass_summary(responses, k).map_err(word))
        .collect()
}

fn report(responses: &Responses, rows: Vec<PassSummary>, run: &Run) -> Result<(), CliError> {
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
        count(responses.prompts()),
        count(responses.len())
    );
    let finding = match (rows.first(), rows.last()) {
        (Some(one), Some(all)) => {
            let of = |k: usize| match k {
                1 => "One response".to_owned(),
                k => format!("At least one of {k} responses"),
            };
            format!(
                "{} is right in {} of the problems, at least one of {} in {}, all of them in {}.",
                of(one.k),
                percent(one.pass_at_k, 1),
                all.k,
                percent(all.pass_at_k, 1),
                percent(all.pass_hat_k, 1)
            )
        }
        _ => String::new(),
    };
    let text = format!(
        "{finding}\n\n{}\n{lead}; at least one of k right (pass@k), all of k right (pass^k).",
        table.render(crate::output::width())
    );
    let mut page = Page::new("pass@k", lead);
    page.note(&finding).section("One of k, all of k");
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
    let results = Results {
        problems: responses.prompts(),
        responses: responses.len(),
        pass: rows,
    };
    run.finish(&results, || page, &text)
}
