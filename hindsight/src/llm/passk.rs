//! `hindsight llm passk`.

use std::collections::HashMap;
use std::path::PathBuf;

use llm_metrics::io::ReadError;
use llm_metrics::{Error, PassSummary, Responses, pass_summary, text_key};
use serde_json::json;

use super::{Outputs, each_row, fault, fields_of, value};
use crate::chart::{Axis, Series, XyChart};
use crate::error::CliError;
use crate::number::percent;
use crate::page::Page;
use crate::table::{Column, Table, Width};

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
                let name = names.get(index).cloned().unwrap_or_default();
                CliError::argument(
                    "--k",
                    k,
                    format!(
                        "prompt {name:?} of {} has only {n} responses",
                        args.file.display()
                    ),
                )
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
        table.render(Width::of_stdout())
    );
    let mut page = Page::new("pass@k", lead);
    page.section("One of k, all of k");
    #[allow(clippy::cast_precision_loss)] // Small counts.
    let line = |f: fn(&PassSummary) -> (f64, f64)| {
        let points = rows.iter().map(|r| (r.k as f64, f(r).0)).collect();
        let band = rows
            .iter()
            .map(|r| (r.k as f64, f(r).0 - 1.96 * f(r).1, f(r).0 + 1.96 * f(r).1))
            .collect();
        (points, band)
    };
    let (at, at_band) = line(|r| (r.pass_at_k, r.pass_at_k_se));
    let (hat, hat_band) = line(|r| (r.pass_hat_k, r.pass_hat_k_se));
    let chart = XyChart::new(
        "pass@k and pass^k",
        Axis::log("k"),
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

/// Responses of each problem, and the problems' names.
fn read(args: &Args) -> Result<(Responses, Vec<String>), CliError> {
    let found = fields_of(&args.file)?;
    let counted = found.iter().any(|f| f == "n")
        && found.iter().any(|f| f == "c")
        && !found.contains(&args.prompt);
    let mut lists: Vec<Vec<f64>> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    if counted {
        each_row(
            &args.file,
            &["n".to_owned(), "c".to_owned()],
            |rows, row| {
                let whole = |field: usize, limit: f64| -> Result<usize, ReadError> {
                    let v = rows.number(row, field)?;
                    if v < 0.0 || v.fract() != 0.0 || v > limit {
                        return Err(rows.fault(
                            row,
                            field,
                            format!("{v} is not a whole number from 0 to {limit}"),
                        ));
                    }
                    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                    // Checked above.
                    Ok(v as usize)
                };
                let n = whole(0, 1e7)?;
                #[allow(clippy::cast_precision_loss)] // At most 10^7.
                let c = whole(1, n as f64)?;
                if n == 0 {
                    return Err(rows.fault(
                        row,
                        0,
                        "a problem needs at least one sample".to_owned(),
                    ));
                }
                lists.push((0..n).map(|i| f64::from(u8::from(i < c))).collect());
                names.push(format!("line {}", row.line()));
                Ok(())
            },
        )?;
    } else {
        let mut place: HashMap<u64, usize> = HashMap::new();
        each_row(
            &args.file,
            &[args.prompt.clone(), args.correct.clone()],
            |rows, row| {
                let name = rows.text(row, 0)?;
                let at = *place.entry(text_key(&name)).or_insert(lists.len());
                if at == lists.len() {
                    lists.push(Vec::new());
                    names.push(name);
                }
                lists[at].push(f64::from(u8::from(rows.outcome(row, 1)?)));
                Ok(())
            },
        )?;
    }
    Ok((
        Responses::new(&lists).map_err(|e| fault(&args.file, &e))?,
        names,
    ))
}
