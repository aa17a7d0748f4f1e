//! `hindsight backtest --arrivals`: policies where orders arrive in pieces.

use std::path::{Path, PathBuf};

use ::arrivals::ArrivalsError;
use ::arrivals::io::{Counting, seasons};
use ::arrivals::trial::{
    Catalogue, CrossTable, Trial, TrialConfig, implied_lead_times, usual_orders,
};
use exo_idp::compare::Interval;
use exo_idp::io::{Product, SalesTable};
use exo_idp::market::OrderRule;
use report::number::{fixed, percent, with_interval};
use report::{Column, Page};
use serde::Serialize;

use super::record::{Record, Source};
use super::{Args, until};
use crate::document::Run;
use crate::error::{CliError, Complain as _, Place};

/// Deliveries by a model of arrivals.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Arrivals")]
pub(super) struct Arrivals {
    /// Model that `hindsight arrivals fit` has saved. Networks trained with lead times alone and with the model, and a base stock that knows of it, are replayed in each other's simulators,
    /// and in the truth where the model is of the made-up world
    #[arg(long = "arrivals", value_name = "MODEL", conflicts_with = "limits")]
    pub(super) model: Option<PathBuf>,
    /// Smallest order in units, or its column: smaller orders are raised to it, or skipped below half of it
    #[arg(long, value_name = "N|COLUMN", requires = "model")]
    min_order: Option<String>,
    /// Units of a batch, or its column: orders are rounded to whole batches
    #[arg(long, value_name = "N|COLUMN", requires = "model")]
    batch: Option<String>,
    /// Column of the product's vendor, named as in the model [default: its only vendor; those of a made-up world take the products in turn]
    #[arg(long, value_name = "COLUMN", requires = "model")]
    vendor: Option<String>,
}

/// What the run says.
#[derive(Debug, Serialize)]
struct Results {
    source: String,
    products: usize,
    held_out: usize,
    #[serde(flatten)]
    table: CrossTable,
}

fn wrong(error: ArrivalsError) -> CliError {
    CliError::Input(error.to_string())
}

/// Runs the trial of a model.
pub(super) fn run(args: &Args, model: &Path) -> Result<(), CliError> {
    let (own, replay) = (&args.arrivals, &args.job.replay);
    let mut job = args.job.clone();
    // Terms are read beside what the panel needs.
    let names = [&own.min_order, &own.batch].map(|name| name.as_deref().map(term));
    for name in names.iter().flatten() {
        job.input.covariate.extend(name.clone().err());
    }
    job.input.group.extend(own.vendor.clone());
    let (source, seed) = (Source::of(&job)?, replay.seed.seed);
    let files = source.file().into_iter().chain([model]);
    let run = Run::begin("backtest", &args.output.places(), Some(seed), files)?;
    let mut record = Record::load(&source, &job, run.inputs())?;
    let table = &mut record.table;
    let (saved, generator) = crate::arrivals::saved(&run, model)?;
    if saved.counting != Counting::default() {
        let problem =
            "counts in days or from the promised date; a replay needs weeks since the order";
        return Err(Place::file(model).error(problem));
    }
    let mut values = |argument, term: &Option<Term>| match term {
        Some(term) => values(table, argument, term).map(Some),
        None => Ok(None),
    };
    let [minimum, batch] = &names;
    let (minimum, batch) = (values("--min-order", minimum)?, values("--batch", batch)?);
    let vendors = match (&own.vendor, saved.vendors.len()) {
        (Some(_), _) => named_vendors(table, &saved.vendors)?,
        (None, 1) => vec![0; table.products.len()],
        (None, _) if saved.world.is_some() => Vec::new(),
        (None, many) => {
            let problem = format!("knows {many} vendors: --vendor COLUMN says whose a product is");
            return Err(Place::file(model).error(problem));
        }
    };
    let mut data = record.dataset()?;
    let table = &record.table;
    if let Some(week) = &replay.until {
        data = until(&data, week)?;
    }
    let (panel, first) = (&data.panel, table.weeks().map_or(0, |weeks| weeks.0));
    let weeks = panel.weeks();
    let held_out = replay.held_out.unwrap_or(weeks / 4).clamp(1, weeks - 1);
    let usual = usual_orders(panel, 0..weeks - held_out);
    let catalogue = match saved.world.as_ref().filter(|_| vendors.is_empty()) {
        Some(world) => Catalogue::of_world(world, usual, weeks),
        None => {
            let last = first + i64::try_from(weeks).unwrap_or(0);
            Catalogue::new(vendors, usual, seasons(table.calendar, first..last))
        }
    };
    let at = |list: &Option<Vec<f64>>, product: usize| list.as_ref().map_or(0.0, |l| l[product]);
    let rule = |product| OrderRule {
        minimum: at(&minimum, product),
        batch: at(&batch, product),
        ..OrderRule::default()
    };
    let catalogue =
        catalogue.and_then(|own| own.with_rules((0..panel.products()).map(rule).collect()));
    let catalogue = catalogue.map_err(wrong)?;
    let device = run.device(replay.device, replay.threads)?;
    let law = implied_lead_times(&generator, &catalogue, &device, seed).map_err(wrong)?;
    let config = TrialConfig {
        held_out,
        steps: replay
            .steps
            .map_or(TrialConfig::default().steps, |n| n.get()),
        conventions: replay.conventions()?,
        seed,
        ..TrialConfig::default()
    };
    let trial = Trial::new(panel, &catalogue, law, config).map_err(wrong)?;
    let results = Results {
        source: table.source.clone(),
        products: panel.products(),
        held_out,
        table: trial.cross(&generator, &device).map_err(wrong)?,
    };
    let words = format!(
        "{}: {} products, {held_out} held-out weeks, seed {seed}",
        results.source, results.products
    );
    let shown = rows(&results.table);
    let found = finding(&results.table);
    let shown_words = format!("{}\n{words}.\n", shown.render(crate::output::width()));
    let text = format!("{found}\n\n{shown_words}");
    let page = || {
        let mut page = Page::new("Policies where orders arrive in pieces", words.clone());
        page.note(&found).section("Rewards").table(&shown, NOTE);
        page
    };
    run.finish(&results, page, &text)
}

const NOTE: &str = "Rewards in percent of the base stock's, in brackets the shares of demand that are served and of weeks with an order. Differences: paired intervals of 95 % over products and blocks of weeks.";

/// What training with the model adds where it counts most: in the truth where it is known, else in the model's simulator.
fn finding(table: &CrossTable) -> String {
    let told = table.rows.first().map(|row| {
        let own = &row.over_lead_time;
        let chance = ["", ", which may be chance"][usize::from(own.low < 0.0 && own.high > 0.0)];
        let (earned, simulator) = (told(own), &row.simulator);
        format!("In the simulator \"{simulator}\" training with the model earns {earned} % of the base stock's reward more than training with lead times alone{chance}.")
    });
    told.unwrap_or_default()
}

fn told(i: &Interval) -> String {
    with_interval(i.estimate, (i.low, i.high), 1)
}

/// A number, or the name of a column.
type Term = Result<f64, String>;

fn term(text: &str) -> Term {
    text.trim().parse().map_err(|_| text.to_owned())
}

/// A term of every product: a number, or what its column last says, which then is no covariate.
fn values(table: &mut SalesTable, argument: &str, term: &Term) -> Result<Vec<f64>, CliError> {
    let name = match term {
        Ok(number) => return Ok(vec![*number; table.products.len()]),
        Err(name) => name,
    };
    let at = table.covariates.iter().position(|own| &own.name == name);
    let at =
        at.ok_or_else(|| CliError::argument(argument, name, "is no number, and no column here"))?;
    let own = table.covariates.remove(at).values;
    let products = table.products.iter();
    Ok(products.map(|product| own[product.rows.end - 1]).collect())
}

/// The model's numbers of the vendors that the last group names.
fn named_vendors(table: &mut SalesTable, known: &[String]) -> Result<Vec<usize>, CliError> {
    let names = table
        .groups
        .pop()
        .map_or_else(Vec::new, |group| group.values);
    let number = |(name, product): (&String, &Product)| {
        let at = known.iter().position(|own| own == name);
        at.ok_or_else(|| {
            let problem = format!(
                "product {}: the model knows no vendor {name:?}",
                product.name
            );
            CliError::Input(format!("{}: {problem}", table.source))
        })
    };
    names.iter().zip(&table.products).map(number).collect()
}

/// A row for each simulator.
fn rows(table: &CrossTable) -> report::Table {
    let names = [
        "simulator",
        "base stock",
        "trained with lead times",
        "trained with the model",
        "model - lead times, %",
        "model - base stock, %",
    ];
    let mut shown = report::Table::new(names.map(Column::text));
    for row in &table.rows {
        let own = |k: usize| {
            let share = row.rewards[k] / row.rewards[0].abs().max(f64::MIN_POSITIVE);
            let [fill, weeks] = [row.fill_rates[k], row.frequencies[k]].map(|x| percent(x, 0));
            format!("{} ({fill}, {weeks})", fixed(100.0 * share, 1))
        };
        shown.row([
            row.simulator.clone(),
            own(0),
            own(1),
            own(2),
            told(&row.over_lead_time),
            told(&row.over_base_stock),
        ]);
    }
    shown
}
