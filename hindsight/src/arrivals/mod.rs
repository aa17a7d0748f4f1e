//! `hindsight arrivals`: how orders arrive.

use std::path::{Path, PathBuf};

use ::arrivals::evaluate::Evaluation;
use ::arrivals::io::{self, SavedModel};
use ::arrivals::model::{GenQot, HeldOut, Training, Validated};
use ::arrivals::world::VendorWorld;
use ::arrivals::{ArrivalModel, ArrivalsError, Forecast, NamedCurve, Study};
use clap::Subcommand;
use gpu::Device;
use serde::Serialize;

use crate::device::Choice;
use crate::document::{Outputs, Run, Seed};
use crate::error::{CliError, Complain as _, Place};

mod page;
mod read;

pub(crate) use read::saved;
use read::{Columns, Counting};

/// Subcommands of `hindsight arrivals`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Trains the generator on all orders of a receipt log, and saves it.
    Fit(Box<Fit>),
    /// How a saved model fares on a receipt log; without one, how the generator and simpler models fare on its last fifth when fitted to what was known before.
    Evaluate(Box<Use>),
    /// Draws how the last orders of a log may arrive.
    Sample(Box<Use>),
}

const EXAMPLES: &str = "\
Examples:
  Vendors whose law is known, with a page:
    hindsight arrivals evaluate --report arrivals.html

  Your own receipts (order, product, vendor, ordered, received, order_date, promised_date, receipt_date; a row per receipt):
    hindsight arrivals fit --input receipts.csv --save model.json
    hindsight arrivals sample --input receipts.csv --model model.json --json -";

/// Arguments of `hindsight arrivals fit`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Fit {
    /// Where the model is saved
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `hindsight arrivals evaluate` and `hindsight arrivals sample`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Use {
    /// A model that `fit` has saved [default: one is trained first]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Paths drawn of each order, an even number from 10
    #[arg(long, value_name = "N", default_value_t = 200)]
    samples: u32,
    /// At most so many orders: judged are some spread over all, drawn are the last [default: 2000 to judge, 12 to draw]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    most: Option<u32>,
    #[command(flatten)]
    common: Common,
}

/// What all subcommands take.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// Receipt log (CSV); an order without a receipt is open. Without it, a made-up world of eight vendors whose law is known
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Times that training reads every order [default: from 20 up, as many as make a fifth of the orders that is held out most likely]
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Periods after which nothing more comes [default: the longest time in the log]
    #[arg(long, value_name = "PERIODS", value_parser = clap::value_parser!(i64).range(1..))]
    longest: Option<i64>,
    /// Orders of the made-up world
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    orders: usize,
    #[command(flatten)]
    counting: Counting,
    #[command(flatten)]
    columns: Columns,
    #[command(flatten)]
    device: Choice,
    #[command(flatten)]
    seed: Seed,
    #[command(flatten)]
    outputs: Outputs,
}

/// Runs `hindsight arrivals`.
pub(crate) fn run(command: &Command) -> Result<(), CliError> {
    match command {
        Command::Fit(args) => fit(args),
        Command::Evaluate(args) => draw("arrivals evaluate", args, true),
        Command::Sample(args) => draw("arrivals sample", args, false),
    }
}

fn wrong(error: ArrivalsError) -> CliError {
    CliError::Input(error.to_string())
}

fn begin(name: &'static str, common: &Common, model: Option<&Path>) -> Result<Run, CliError> {
    let files = common.input.as_deref().into_iter().chain(model);
    Run::begin(name, &common.outputs, Some(common.seed.seed), files)
}

/// The orders of a run.
struct Data {
    words: String,
    counting: io::Counting,
    study: Study,
    world: Option<VendorWorld>,
}

/// Vendors and weeks of the made-up world.
const WORLD: (usize, usize) = (8, 208);
/// Share of a log's orders, the earliest, that models learn from where they are judged by the others.
const LEARNED: f64 = 0.8;

impl Data {
    /// The orders of a run; `split` says whether models learn from the first of them alone.
    fn new(
        common: &Common,
        run: &Run,
        saved: Option<&(SavedModel, GenQot)>,
        split: bool,
    ) -> Result<Self, CliError> {
        let counting = saved.map_or(common.counting.checked(), |(saved, _)| saved.counting);
        let Some(file) = &common.input else {
            return Data::made_up(common, counting);
        };
        let known = saved.map(|(saved, _)| saved.vendors.as_slice());
        let found = common.columns.read(run, file, counting, known)?;
        let longest = saved.map(|(_, model)| model.grid().last());
        let longest = longest.or(common.longest).unwrap_or(found.book.longest());
        let study = Study::of_book(&found.book, longest, split.then_some(LEARNED));
        let study = study.map_err(|error| Place::file(file).error(error))?;
        let orders = study.whole.orders();
        let open = orders.iter().filter(|order| order.seen_until.is_some());
        let words = format!(
            "{}: {} orders of {} vendors, {} of which may still receive more, {} rows of returns left out; times in {}, nothing later than {longest}",
            file.display(),
            orders.len(),
            study.vendors.len(),
            open.count(),
            found.returns,
            page::counting(counting),
        );
        Ok(Data {
            words,
            counting,
            study,
            world: None,
        })
    }

    fn made_up(common: &Common, counting: io::Counting) -> Result<Self, CliError> {
        let (seed, (vendors, weeks)) = (common.seed.seed, WORLD);
        let world = VendorWorld::new(vendors, seed).map_err(wrong)?;
        let orders = common.orders;
        Ok(Data {
            words: format!(
                "A made-up world of {vendors} vendors whose law is known, {weeks} weeks; {} orders to learn from",
                report::number::count(orders)
            ),
            counting,
            study: Study::of_world(&world, orders, weeks, seed).map_err(wrong)?,
            world: Some(world),
        })
    }
}

fn train(common: &Common, data: &Data, device: &Device) -> Result<Validated, CliError> {
    let (log, grid) = (&data.study.learned, &data.study.grid);
    let standard = Training {
        seed: common.seed.seed,
        ..Training::default()
    };
    let found = match common.epochs {
        None => GenQot::fit_validated(log, grid, &standard, device),
        Some(epochs) => {
            let training = Training { epochs, ..standard };
            GenQot::fit(log, grid, &training, device).map(|model| Validated {
                model,
                epochs,
                trial: None,
            })
        }
    };
    found.map_err(wrong)
}

/// What a fit says.
#[derive(Debug, Serialize)]
struct Fitted {
    orders: usize,
    vendors: usize,
    parameters: usize,
    epochs: usize,
    /// The mean negative log-likelihood of the orders that it was fitted to, in nats.
    nats: f64,
    /// How it fares on orders that were held out, if any were.
    held_out: Option<HeldOut>,
    curves: Vec<NamedCurve>,
}

/// What an evaluation or a sample says.
#[derive(Debug, Serialize)]
struct Results {
    evaluations: Vec<Evaluation>,
    curves: Vec<NamedCurve>,
    orders: Vec<Forecast>,
}

/// Orders whose draws make the curve of a fit.
const SHOWN: usize = 500;

fn fit(args: &Fit) -> Result<(), CliError> {
    let common = &args.common;
    let mut run = begin("arrivals fit", common, None)?;
    let save = args
        .save
        .as_deref()
        .map(|path| run.also(path))
        .transpose()?;
    let device = run.device(common.device, None)?;
    let data = Data::new(common, &run, None, false)?;
    let validated = train(common, &data, &device)?;
    let model = &validated.model;
    if let Some(save) = save {
        let (vendors, world) = (data.study.vendors.clone(), data.world.clone());
        let saved = SavedModel::new(model, vendors, data.counting, world).to_json();
        let saved = saved.map_err(|error| CliError::System(error.to_string()))?;
        run.put(save, saved.into_bytes());
    }
    let orders = data.study.learned.orders();
    let likelihood = model.log_likelihood(orders, &device).map_err(wrong)?;
    #[expect(clippy::cast_precision_loss, reason = "numbers of orders")]
    let nats = -likelihood.iter().sum::<f64>() / orders.len() as f64;
    let generator = model.on(&device);
    let fitted = Fitted {
        orders: orders.len(),
        vendors: model.vendors(),
        parameters: model.params(),
        epochs: validated.epochs,
        nats,
        held_out: (validated.held_out(&data.study.grid, &device, 100, common.seed.seed))
            .map_err(wrong)?,
        curves: data
            .study
            .curves(&[&generator], SHOWN, common.seed.seed)
            .map_err(wrong)?,
    };
    let words = format!(
        "{}; {} parameters, {} epochs, {nats:.2} nats an order",
        data.words,
        report::number::count(fitted.parameters),
        fitted.epochs
    );
    let finding = fitted.held_out.as_ref().map_or_else(
        || "No order was held out: none is with --epochs, of fewer than 50 orders or of very many. How good the model is, hindsight arrivals evaluate says.".to_owned(),
        HeldOut::to_string,
    );
    let text = format!("{finding}\n\n{words}.\n");
    run.finish(
        &fitted,
        || page::fitted(words, &finding, &data, &fitted.curves),
        &text,
    )
}

/// Judges models, or draws orders.
fn draw(name: &'static str, args: &Use, judge: bool) -> Result<(), CliError> {
    let (common, seed) = (&args.common, args.common.seed.seed);
    if args.samples < 10 || args.samples % 2 == 1 {
        let problem = "is no even number from 10";
        return Err(CliError::argument("--samples", args.samples, problem));
    }
    let run = begin(name, common, args.model.as_deref())?;
    let device = run.device(common.device, None)?;
    let known = args.model.as_deref().map(|path| saved(&run, path));
    let saved = known.transpose()?;
    let alone = saved.is_some() || !judge;
    let data = Data::new(common, &run, saved.as_ref(), !alone)?;
    let model = match saved {
        Some((_, model)) => model,
        None => train(common, &data, &device)?.model,
    };
    let generator = model.on(&device);
    let others = if alone {
        Vec::new()
    } else {
        data.study.baselines().map_err(wrong)?
    };
    let mut models: Vec<&dyn ArrivalModel> = vec![&generator];
    models.extend(others.iter().map(|model| &**model));
    models.extend(data.world.as_ref().map(|world| world as &dyn ArrivalModel));
    let most = args.most.map(|most| most as usize);
    let shown = if judge { 6 } else { most.unwrap_or(12) };
    let mut results = Results {
        evaluations: Vec::new(),
        curves: Vec::new(),
        orders: data
            .study
            .forecasts(&generator, shown, args.samples, seed)
            .map_err(wrong)?,
    };
    let (mut words, last) = (data.words.clone(), data.study.grid.last());
    if judge {
        let orders = data.study.spread(most.unwrap_or(2_000));
        if orders.len() < Evaluation::FEWEST {
            return Err(CliError::Input(format!(
                "{words}: {} orders can be judged, of which so much time was seen; ten are needed (--longest makes it shorter)",
                orders.len()
            )));
        }
        let periods = u32::try_from(last.max(1)).unwrap_or(u32::MAX);
        let judged = |model: &&dyn ArrivalModel| {
            Evaluation::new(*model, &orders, periods, args.samples, seed)
        };
        let evaluations: Result<_, _> = models.iter().map(judged).collect();
        results.evaluations = evaluations.map_err(wrong)?;
        results.curves = data.study.curves(&models, SHOWN, seed).map_err(wrong)?;
        words = format!(
            "{words}. Judged by {} orders whose time is over",
            orders.len()
        );
    }
    let table = if judge {
        page::scores(&results.evaluations)
    } else {
        page::orders(&results.orders, last)
    };
    let finding = page::finding(&results, data.counting, last);
    let shown = table.render(crate::output::width());
    let text = format!("{finding}\n\n{shown}\n{words}.\n");
    run.finish(
        &results,
        || page::results(words, &finding, &data, &table, &results),
        &text,
    )
}
