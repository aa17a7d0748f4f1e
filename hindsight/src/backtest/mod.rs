//! `hindsight backtest`: what each buying policy would have earned on recorded weeks.

mod arrange;
mod compute;
mod data;
mod heuristics;
mod input;
mod ledger;
#[cfg(test)]
mod made_up;
mod options;
mod plan;
mod read;
mod report;
mod results;
mod scores;
mod split;
mod subject;
mod synthetic;
mod tables;
mod tally;
mod winners;

use std::path::PathBuf;
use std::time::Instant;

use crate::document::{Outputs, Run};
use crate::error::CliError;
use crate::inputs::Inputs;
use crate::output;
use crate::sheet::Sheet;
use ::report::number::{duration, fixed, percent};

use data::Table;
use input::Input;
use options::{Output, Replay};
use results::Results;
use subject::Subject;

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
    /// Use the synthetic world (drawn from the seed) instead of a file
    #[arg(long, help_heading = "Input", conflicts_with = "data")]
    synthetic: bool,
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

  Four held-out windows, each learnt only from the weeks before it:
    hindsight backtest --origins 4

  As if the record had ended with week 130:
    hindsight backtest --until 130

  Look at the file first:
    hindsight backtest --data sales.csv --check

  Results for another program, nothing else on the standard output:
    hindsight backtest --no-report --json - | jq .policies

Recipes for M5 and Favorita files are in the README of hindsight-cli.";

/// Runs `hindsight backtest`.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let begun = Instant::now();
    args.replay.conventions()?;
    args.replay.lead_times()?;
    let source = source(args)?;
    let input = match &source {
        Source::File(path) | Source::Bundled(path) => Some(path.as_path()),
        Source::Synthetic => None,
    };
    let places = if args.check {
        Outputs::default()
    } else {
        args.output.places()
    };
    let run = Run::begin("backtest", &places, Some(args.replay.seed.seed), input)?;
    let table = load(&source, args, run.inputs())?;
    if args.check {
        table.panel()?;
        return output::print(&describe(&table));
    }
    let mut subject = Subject::new(table, source.money())?;
    if let Some(week) = &args.replay.until {
        subject = subject.until(week)?;
    }
    let results = compute::compute(&subject, args)?;
    let mut text = text(&results);
    text.push_str(&format!(
        "{}seed {}; {}\n",
        places
            .report
            .as_ref()
            .map_or_else(String::new, |path| format!("report: {}; ", path.display())),
        args.replay.seed.seed,
        duration(begun.elapsed().as_secs_f64())
    ));
    run.finish(&results, || report::page(&results), &text)
}

/// Where the rows come from.
#[derive(Debug)]
enum Source {
    File(PathBuf),
    Bundled(PathBuf),
    Synthetic,
}

impl Source {
    /// The unit of money: a file of the user's says nothing about it.
    fn money(&self) -> &'static str {
        match self {
            Source::Bundled(_) => "USD",
            Source::File(_) | Source::Synthetic => "money",
        }
    }
}

fn source(args: &Args) -> Result<Source, CliError> {
    if args.synthetic {
        return Ok(Source::Synthetic);
    }
    if let Some(path) = &args.input.data {
        return Ok(Source::File(path.clone()));
    }
    if args.input.names_columns() {
        return Err(CliError::Input(
            "columns are named, but no file: give --data FILE".to_owned(),
        ));
    }
    Ok(input::bundled_file().map_or(Source::Synthetic, Source::Bundled))
}

fn load(source: &Source, args: &Args, inputs: &Inputs) -> Result<Table, CliError> {
    let mut table = match source {
        Source::File(path) => read::read(inputs, path, &args.input)?,
        Source::Bundled(path) => {
            let own = &args.input;
            let input = Input {
                drop_short: own.drop_short,
                missing_is_zero: own.missing_is_zero,
                ..Input::bundled(path.clone())
            };
            let file = inputs.open_as(path, "orange_juice.csv.gz (bundled)")?;
            let sheet = Sheet::from_reader(file, path, &input.format)?;
            let mut table = read::read_from(sheet, &input)?;
            table.source = "Dominick's orange juice (bundled)".to_owned();
            table.notes.push(
                "the records are sales, taken as demand: they hold no word on stock-outs"
                    .to_owned(),
            );
            table
        }
        Source::Synthetic => {
            let mut table = synthetic::table(args.replay.seed.seed)?;
            if !args.synthetic {
                table.notes.push("the bundled data were not found here, hence this world; give --data FILE for your own".to_owned());
            }
            table
        }
    };
    if table.dropped > 0 {
        table.notes.push(format!(
            "{} products with too few weeks were left out",
            table.dropped
        ));
    }
    if table.is_sales && table.censoring.views_out.is_none() {
        table.notes.push(
            "weeks that were not in stock throughout are left out: their demand is not known"
                .to_owned(),
        );
    }
    Ok(table)
}

/// The table and the finding for the terminal.
fn text(results: &Results) -> String {
    let mut text = tables::table(results).render(output::width());
    if let Some(origins) = &results.origins {
        text.push_str("\nMean reward in each held-out window, and in all together:\n");
        let rewards = report::origins::rewards_table(results, origins);
        text.push_str(&rewards.render(output::width()));
        text.push_str("\nDirect Backprop minus the best heuristic:\n");
        let differences = report::origins::differences_table(results, origins);
        text.push_str(&differences.render(output::width()));
    }
    text.push_str(&tables::summary(results));
    text
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
    for note in &table.notes {
        text.push_str(&format!(
            "note: {note}
"
        ));
    }
    let mut columns = ::report::Table::new(
        [::report::Column::text("column")]
            .into_iter()
            .chain(["least", "mean", "largest"].map(::report::Column::number)),
    );
    let mut add = |name: &str, values: &[f64]| {
        let (lo, mean, hi) = recorded(values);
        let show = |x: f64| ::report::number::significant(x, 4);
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
        ("views while in", &table.censoring.views_in),
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
    text + "\n" + &columns.render(crate::output::width())
}
