//! `hindsight backtest`: what each buying policy would have earned on recorded weeks.

mod arrange;
mod columns;
mod data;
mod input;
mod lines;
#[cfg(test)]
mod made_up;
mod options;
mod read;
mod report;
mod results;
mod tables;
mod week;
mod winners;

use std::path::PathBuf;

use crate::error::CliError;
use crate::number::{fixed, percent};
use crate::output::{self, Target};
use crate::table::Width;

use data::Table;
use input::Input;
use options::{Output, Replay, Targets};
use results::Results;

/// Arguments of `hindsight backtest`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    replay: Replay,
    #[command(flatten)]
    output: Output,
    /// Only read and check the file, and say what is in it
    #[arg(long, help_heading = "Input")]
    check: bool,
}

const EXAMPLES: &str = "\
Examples:
  The bundled orange-juice data, report in report.html:
    hindsight backtest

  Your own file (columns product, week, demand, price, cost), with a planned promotion:
    hindsight backtest --data sales.csv.gz --planned promotion --group brand

  Other column names, cost as a share of the price, German CSV separators:
    hindsight backtest --data sales.csv --delimiter ';' --product item,store --week date --demand units --cost-share 0.7

  Sales cut short by stock-outs, corrected by page views:
    hindsight backtest --data sales.csv --sales sold --views-out views_while_out --conversion rate

  Look at the file first:
    hindsight backtest --data sales.csv --check

  Results for another program, nothing else on the standard output:
    hindsight backtest --no-report --json - | jq .policies

Recipes for M5 and Favorita files are in the README of hindsight-cli.";

/// Runs `hindsight backtest`.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    args.replay.conventions()?;
    args.replay.lead_times()?;
    let (path, input) = source(&args.input)?;
    if args.check {
        let table = read::read(&path, &input)?;
        table.panel()?;
        return output::print(&describe(&table));
    }
    let targets = args.output.targets(Some(&path))?;
    let table = read::read(&path, &input)?;
    let results = compute(&table, args)?;
    write(&results, &targets)
}

/// The file to read and the meaning of its columns.
fn source(input: &Input) -> Result<(PathBuf, Input), CliError> {
    if let Some(path) = &input.data {
        return Ok((path.clone(), input.clone()));
    }
    if input.names_columns() {
        return Err(CliError::Input(
            "columns are named, but no file: give --data FILE".to_owned(),
        ));
    }
    let path = input::bundled_file().ok_or_else(|| {
        CliError::Input("the bundled data were not found here: give --data FILE".to_owned())
    })?;
    let bundled = Input {
        drop_short: input.drop_short,
        missing_is_zero: input.missing_is_zero,
        ..Input::bundled(path.clone())
    };
    Ok((path, bundled))
}

fn compute(_table: &Table, _args: &Args) -> Result<Results, CliError> {
    Err(CliError::System(
        "the replay is not wired to the command yet".to_owned(),
    ))
}

/// Writes the files, then the table and the finding to the standard output (unless JSON goes there).
fn write(results: &Results, targets: &Targets) -> Result<(), CliError> {
    write_files(results, targets)?;
    if [&targets.report, &targets.json]
        .into_iter()
        .flatten()
        .any(Target::is_standard)
    {
        return Ok(());
    }
    let mut text = tables::table(results).render(Width::of_stdout());
    text.push_str(&tables::summary(results));
    if let Some(target) = &targets.report {
        text.push_str(&format!("report: {}\n", target.shown().display()));
    }
    output::print(&text)
}

fn write_files(results: &Results, targets: &Targets) -> Result<(), CliError> {
    let mut files = Vec::new();
    if let Some(target) = &targets.report {
        files.push((target, report::page(results).to_html()));
    }
    if let Some(target) = &targets.json {
        let json = serde_json::to_string_pretty(results)
            .map_err(|error| CliError::System(error.to_string()))?;
        files.push((target, json + "\n"));
    }
    output::write_all(files)
}

/// What a reader of the report must know about the data.
fn warnings(table: &Table) -> Vec<String> {
    let mut warnings = Vec::new();
    if table.is_sales && table.censoring.views_out.is_none() {
        warnings.push("the file holds sales, which fall short of demand in weeks with stock-outs; they are taken as demand".to_owned());
    }
    if table.dropped > 0 {
        warnings.push(format!(
            "{} products with too few weeks were left out",
            table.dropped
        ));
    }
    warnings
}

/// What is in a file, for `--check`.
fn describe(table: &Table) -> String {
    let count = |n: usize| fixed(f64::from(u32::try_from(n).unwrap_or(u32::MAX)), 0);
    let recorded = |column: &[f64]| -> (f64, f64, f64) {
        let values: Vec<f64> = column
            .iter()
            .zip(&table.present)
            .filter(|(_, present)| **present)
            .map(|(value, _)| *value)
            .collect();
        let total: f64 = values.iter().sum();
        let (lo, hi) = values
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), x| {
                (lo.min(*x), hi.max(*x))
            });
        (
            lo,
            total / f64::from(u32::try_from(values.len().max(1)).unwrap_or(u32::MAX)),
            hi,
        )
    };
    let (first, last) = table.weeks().unwrap_or((0, 0));
    let cells = table.present.len();
    let missing = f64::from(u32::try_from(table.missing()).unwrap_or(u32::MAX))
        / f64::from(u32::try_from(cells.max(1)).unwrap_or(u32::MAX));
    let mut text = format!(
        "{}: {} rows, {} products, weeks {} to {}\n{} weeks between a product's first and last have no row ({})\n",
        table.source,
        count(table.rows_read),
        count(table.products.len()),
        table.week(first),
        table.week(last),
        count(table.missing()),
        percent(missing, 1)
    );
    if table.dropped > 0 {
        text.push_str(&format!(
            "{} products were left out as too short\n",
            count(table.dropped)
        ));
    }
    let mut columns = crate::table::Table::new(
        [crate::table::Column::text("column")]
            .into_iter()
            .chain(["least", "mean", "largest"].map(crate::table::Column::number)),
    );
    let mut add = |name: &str, values: &[f64]| {
        let (lo, mean, hi) = recorded(values);
        let show = |x: f64| crate::number::significant(x, 4);
        columns.row([name.to_owned(), show(lo), show(mean), show(hi)]);
    };
    add(
        if table.is_sales { "sales" } else { "demand" },
        &table.demand,
    );
    add("price", &table.price);
    add("cost", &table.cost);
    let censoring = [
        ("in stock", &table.censoring.in_stock),
        ("views while out", &table.censoring.views_out),
        ("conversion", &table.censoring.conversion),
    ];
    for (name, values) in censoring {
        if let Some(values) = values {
            add(name, values);
        }
    }
    for covariate in &table.covariates {
        add(
            &format!(
                "{}{}",
                covariate.name,
                if covariate.planned { " (planned)" } else { "" }
            ),
            &covariate.values,
        );
    }
    text + "\n" + &columns.render(Width::of_stdout())
}

#[cfg(test)]
mod tests {
    use super::made_up::made_up;
    use super::*;

    #[test]
    fn a_run_leaves_its_files_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let target = |name: &str| Target::new(&folder.path().join(name), false).unwrap();
        let targets = Targets {
            report: Some(target("report.html")),
            json: Some(target("results.json")),
        };
        write_files(&made_up(), &targets).unwrap();
        let json: serde_json::Value =
            serde_json::from_slice(&std::fs::read(folder.path().join("results.json")).unwrap())
                .unwrap();
        assert_eq!(json["policies"][1]["role"], "trained");
        assert_eq!(json["run"]["seed"], 7);
        assert!(
            std::fs::read_to_string(folder.path().join("report.html"))
                .unwrap()
                .ends_with("</html>\n")
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        // A second run replaces both.
        write_files(
            &made_up(),
            &Targets {
                report: Some(target("report.html")),
                json: Some(target("results.json")),
            },
        )
        .unwrap();
    }
}
