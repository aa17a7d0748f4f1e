//! `hindsight llm passk`.

use std::collections::HashMap;
use std::path::PathBuf;

use llm_metrics::io::{ReadError, Row, Rows};
use llm_metrics::{
    Error,
    stats::{Interval, text_key},
    verification::{PassSummary, Responses, pass_summary},
};
use serde_json::json;

use super::{Outputs, each_row, fault, plots, value};
use crate::error::{CliError, Place};
use report::number::percent;
use report::{Axis, Column, Page, Series, Table, XyChart};

/// Arguments of `hindsight llm passk`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Log with one line per response (prompt, correct) or one per problem (n, c).
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Field of the prompt.
    #[arg(long, default_value = "prompt", value_name = "FIELD")]
    prompt: String,
    /// Field of the outcome.
    #[arg(long, default_value = "correct", value_name = "FIELD")]
    correct: String,
    /// Values of k; by default 1, 2, 4, ... up to the fewest responses of a prompt.
    #[arg(long, value_delimiter = ',', value_name = "K")]
    k: Vec<usize>,
    #[command(flatten)]
    outputs: Outputs,
}

/// Runs `hindsight llm passk`.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let targets = args.outputs.check()?;
    let (responses, names) = read(args)?;
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
    let results = json!({ "file": args.file.display().to_string(), "problems": responses.prompts(), "responses": responses.len(),
                          "pass": value(&rows)? });
    targets.finish("llm passk", &text, results, &page)
}

/// Responses of each problem, and the problems' names and first lines.
fn read(args: &Args) -> Result<(Responses, Vec<(String, u64)>), CliError> {
    let mut lists: Vec<Vec<f64>> = Vec::new();
    let mut names: Vec<(String, u64)> = Vec::new();
    let mut place: HashMap<u64, usize> = HashMap::new();
    let fields = [&args.prompt, &args.correct, "n", "c"].map(str::to_owned);
    each_row(&args.file, &fields, |rows, row| {
        let has = |field: usize| rows.found().contains(&fields[field]);
        if has(N) && has(C) && !has(PROMPT) {
            lists.push(counted(rows, row)?);
            names.push(("the problem".to_owned(), row.line()));
            return Ok(());
        }
        let name = rows.text(row, PROMPT)?;
        let at = *place.entry(text_key(&name)).or_insert(lists.len());
        if at == lists.len() {
            lists.push(Vec::new());
            names.push((format!("prompt {name:?}"), row.line()));
        }
        lists[at].push(f64::from(u8::from(rows.outcome(row, CORRECT)?)));
        Ok(())
    })?;
    Ok((
        Responses::new(&lists).map_err(|e| fault(&args.file, &e))?,
        names,
    ))
}

/// The outcomes of a problem given by its counts.
fn counted<R: std::io::BufRead>(rows: &Rows<R>, row: &Row) -> Result<Vec<f64>, ReadError> {
    let whole = |field: usize, least: f64, most: f64| {
        let v = rows.number(row, field)?;
        if v < least || v.fract() != 0.0 || v > most {
            let problem = format!("{v} is not a whole number from {least} to {most}");
            return Err(rows.fault(row, field, problem));
        }
        Ok(v)
    };
    let n = whole(N, 1.0, 1e7)?;
    let c = whole(C, 0.0, n)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Whole and at most 10^7.
    let (n, c) = (n as usize, c as usize);
    Ok((0..n).map(|i| f64::from(u8::from(i < c))).collect())
}

// The wanted fields.
const PROMPT: usize = 0;
const CORRECT: usize = 1;
const N: usize = 2;
const C: usize = 3;
