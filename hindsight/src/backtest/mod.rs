//! `hindsight backtest`: what each buying policy would have earned on recorded weeks.

mod arrivals;
mod check;
mod document;
#[cfg(test)]
mod fixture;
mod input;
mod opening;
mod options;
pub(crate) mod page;
mod record;
mod tables;
mod words;

pub(crate) use record::bundled_panel;
use std::time::Instant;

use crate::document::{Outputs, Run};
use crate::error::CliError;
use crate::output;
use crate::progress::Progress;
use bandit_eval::equilibrium::{Question, WindowGaps};
use exo_idp::Error;
use exo_idp::backtest::{BackTest, Dataset, Results, Stage};
use exo_idp::calendar::Week;
use report::number::duration;

pub(crate) use document::Document;
use input::Input;
use opening::OpeningFile;
use options::{Output, Replay};
use record::{Record, Source};

/// Arguments of `hindsight backtest`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    job: Job,
    #[command(flatten)]
    arrivals: arrivals::Arrivals,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    limits: crate::capacity::Own,
    /// Only read and check the file, and say what is in it
    #[arg(long, help_heading = "Input")]
    check: bool,
}

/// What is replayed, and how.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Job {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    opening: OpeningFile,
    #[command(flatten)]
    pub(crate) replay: Replay,
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

  One held-out window in place of four:
    hindsight backtest --origins 1

  As if the record had ended with week 130:
    hindsight backtest --until 130

  Orders that arrive in pieces, by a model of your receipts, in batches of 12:
    hindsight backtest --data sales.csv --arrivals model.json --vendor supplier --min-order 24 --batch 12

  Under limits that all products share (columns week, storage, inbound): prices of capacity, gates and what they cost:
    hindsight backtest --limits limits.csv --volumes volumes.csv

  Look at the file first:
    hindsight backtest --data sales.csv --check

  Results for another program, nothing else on the standard output:
    hindsight backtest --no-report --json - | jq .policies

Recipes for M5 and Favorita files are in the README of hindsight-cli.";

/// Runs `hindsight backtest`.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let begun = Instant::now();
    if args.check {
        let (_, _, record) = args.job.begin("backtest", &Outputs::default())?;
        record.dataset()?;
        return output::print(&check::describe(&record.table, &record.notes));
    }
    if let Some(model) = &args.arrivals.model {
        return arrivals::run(args, model);
    }
    let places = args.output.places();
    if args.limits.limits.is_some() {
        let job = &args.job;
        let (run, _, record) = job.begin("backtest", &places)?;
        let (panel, format) = (record.dataset()?.panel, &job.input.format);
        return crate::capacity::under_limits(
            &run,
            &panel,
            &args.limits,
            format,
            (job.replay.seed.seed, job.replay.device),
        );
    }
    let seed = args.job.replay.seed.seed;
    let gaps = WindowGaps::new(Question {
        seed,
        ..Question::default()
    });
    let (run, document) = args.job.run("backtest", &places, gaps)?;
    let mut text = text(&document);
    if let Some(path) = &places.report {
        text.push_str(&format!("report: {}\n", path.display()));
    }
    let seconds = begun.elapsed().as_secs_f64();
    text.push_str(&format!("seed {seed}; {}\n", duration(seconds)));
    run.finish(&document, || page::page(&document), &text)
}

impl Job {
    /// Begins a run and reads its rows.
    fn begin(
        &self,
        command: &'static str,
        places: &Outputs,
    ) -> Result<(Run, Source, Record), CliError> {
        let backtest = self.replay.backtest()?;
        let source = Source::of(self)?;
        let run = Run::begin(command, places, Some(backtest.seed), source.file())?;
        let record = Record::load(&source, self, run.inputs())?;
        Ok((run, source, record))
    }

    /// Runs the back-test, with the gaps of its policies.
    pub(crate) fn run(
        &self,
        command: &'static str,
        places: &Outputs,
        gaps: WindowGaps,
    ) -> Result<(Run, Document), CliError> {
        let (run, source, record) = self.begin(command, places)?;
        let backtest = self.replay.backtest()?;
        let mut data = record.dataset()?;
        if let Some(week) = &self.replay.until {
            data = until(&data, week)?;
        }
        if self.opening.opening.is_some() {
            let scored = first_scored(&backtest, &data, self, &record.table.source)?;
            let (format, names) = (&self.input.format, &self.input.product);
            data.opening =
                self.opening
                    .read(run.inputs(), format, names, &record.table, &data, scored)?;
        }
        let (results, gaps) = compute(&run, &backtest, &data, self, &record.table.source, gaps)?;
        let conventions = options::convention_words(&backtest, &self.opening.words(&data));
        let document = document(results, gaps, record, &source, self, conventions);
        Ok((run, document))
    }
}

/// The record as it stood at the end of a week, as the file writes it.
fn until(data: &Dataset, week: &str) -> Result<Dataset, CliError> {
    let bad = |problem: String| CliError::argument("--until", format!("{week:?}"), problem);
    let asked = Week::parse(week);
    let same = |own: &String| own == week.trim() || asked.is_some() && Week::parse(own) == asked;
    let last = data.weeks.iter().position(same);
    let last = last.ok_or_else(|| {
        let (from, to) = data.span(&(0..data.weeks.len()));
        bad(format!(
            "is no week of the record, which has {from} to {to}"
        ))
    })?;
    data.until(last).map_err(|error| bad(error.to_string()))
}

/// The first scored week of the last origin.
fn first_scored(
    backtest: &BackTest,
    data: &Dataset,
    args: &Job,
    source: &str,
) -> Result<usize, CliError> {
    let splits = backtest
        .splits(&data.panel)
        .map_err(|error| explain(&error, data, args, source))?;
    Ok(splits.last().map_or(0, |split| split.held_out.start))
}

fn compute(
    run: &Run,
    backtest: &BackTest,
    data: &Dataset,
    args: &Job,
    source: &str,
    mut gaps: WindowGaps,
) -> Result<(Results, WindowGaps), CliError> {
    let device = run.device(args.replay.device, args.replay.threads)?;
    let progress = Progress::new("training", Some(100));
    let mut report = |at: exo_idp::backtest::Progress| {
        let percent = 100 * at.done / at.total.max(1);
        progress.at(u64::try_from(percent).unwrap_or(u64::MAX));
        let stage = match at.stage {
            Stage::Training { network, networks } => {
                format!("network {} of {networks}", network + 1)
            }
            Stage::Scoring => "replaying the held-out weeks".to_owned(),
            _ => "heuristics".to_owned(),
        };
        progress.note(if at.windows > 1 {
            format!("window {} of {}, {stage}", at.window + 1, at.windows)
        } else {
            stage
        });
    };
    let results = gaps.of_backtest(backtest, data, &device, &mut report);
    progress.finish();
    let results = results.map_err(|error| explain(&error, data, args, source))?;
    Ok((results, gaps))
}

/// The library's error in the words of the command's arguments.
fn explain(error: &Error, data: &Dataset, args: &Job, source: &str) -> CliError {
    match error {
        Error::TooFewWeeks {
            origins,
            held_out,
            weeks,
            training,
            needed,
        } => {
            let left = format!("{training} of {weeks} weeks to train on, and {needed} are needed");
            match args.replay.held_out {
                Some(_) if *origins == 1 => {
                    CliError::argument("--held-out", held_out, format!("leaves {left}"))
                }
                // Nobody asked for a number of weeks: the record is too short.
                None if *origins == 1 => CliError::Input(format!(
                    "{source}: the record is too short: {held_out} weeks to score leave {left}"
                )),
                _ => CliError::argument(
                    "--origins",
                    origins,
                    format!("with windows of {held_out} weeks leaves {left}"),
                ),
            }
        }
        Error::NoProduct { held_out } => {
            let (from, to) = data.span(held_out);
            CliError::Input(format!(
                "{source}: no product has a row in the held-out weeks {from} to {to} and one before them"
            ))
        }
        other => CliError::Input(format!("{source}: {other}")),
    }
}

fn document(
    results: Results,
    gaps: WindowGaps,
    record: Record,
    source: &Source,
    args: &Job,
    conventions: Vec<(String, String)>,
) -> Document {
    let Record { table, notes } = record;
    let mut notices = notes;
    notices.extend(results.notices.iter().map(ToString::to_string));
    let gaps = gaps.finish().unwrap_or_else(|why| {
        notices.push(format!("the policies have no equilibrium gaps here: {why}"));
        Vec::new()
    });
    Document {
        run: document::Run {
            rows: table.rows_read,
            missing_weeks: table.missing(),
            source: table.source,
            products: results.products.len(),
            training: results.training.clone(),
            held_out: results.held_out.clone(),
            lead_time: args.replay.lead_time_words(),
            money: source.money().to_owned(),
            conventions,
        },
        notices,
        results,
        gaps,
    }
}

/// The table and the finding for the terminal.
fn text(document: &Document) -> String {
    let mut text = tables::table(document).render(output::width());
    if let Some(origins) = &document.results.origins {
        text.push_str("\nMean reward in each held-out window, and in all together:\n");
        let rewards = page::origins::rewards_table(document, origins);
        text.push_str(&rewards.render(output::width()));
        text.push_str("\nDirect Backprop minus the best heuristic:\n");
        let differences = page::origins::differences_table(document, origins);
        text.push_str(&differences.render(output::width()));
    }
    text.push_str(&tables::summary(document));
    text
}
