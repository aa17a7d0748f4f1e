//! `hindsight capacity`: prices of storage and inbound labour that products share. `hindsight backtest --limits FILE` is the same on a file of sales.

use std::io::Read;
use std::path::{Path, PathBuf};

use ::capacity::backtest::{Setup, Study};
use ::capacity::limits::{Kind, Resource, read_limits, read_volumes};
use ::capacity::{Course, Error, Model};
use clap::Subcommand;
use exo_idp::Panel;

use crate::device::Choice;
use crate::document::{Outputs, Run, Seed};
use crate::error::{CliError, Complain as _, Place};
use crate::output;
use crate::progress::Progress;
use crate::table::Format;

mod results;

use results::{Results, trained};

const TRAIN: &str = "\
Examples:
  On the earlier weeks of the bundled stores:
    hindsight capacity train --save model.json

  Limits that are known four weeks ahead only, a longer training:
    hindsight capacity train --notice 4 --rounds 12 --save model.json";

const BACKTEST: &str = "\
Examples:
  Trained and judged on the bundled stores, the page with the plots:
    hindsight capacity backtest --report capacity.html

  A saved model under limits of your own (columns week, storage, inbound):
    hindsight capacity backtest --model model.json --limits limits.csv --volumes volumes.csv";

/// Subcommands of `hindsight capacity`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Trains a buyer and a coordinator on the earlier weeks of the bundled stores, and saves them.
    #[command(after_long_help = TRAIN)]
    Train(Train),
    /// How limits are kept on later weeks, and at what cost in reward: the coordinator beside no control, gates, planned prices and hindsight.
    #[command(after_long_help = BACKTEST)]
    Backtest(Backtest),
}

/// How models are trained and tried.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Common {
    /// Steps of training of the buyer
    #[arg(long = "buyer-steps", value_name = "N", default_value_t = 3000)]
    steps: usize,
    /// Rounds of training of the coordinator at most, each on 512 fresh cohorts; it ends when held-out cohorts gain nothing in two of them
    #[arg(long, value_name = "N", default_value_t = 8)]
    rounds: usize,
    /// Products of a cohort
    #[arg(long, value_name = "N", default_value_t = 40)]
    size: usize,
    /// Cohorts, each on a path of limits of its own
    #[arg(long, value_name = "N", default_value_t = 40)]
    paths: usize,
    /// Weeks ahead that a limit is known
    #[arg(long, value_name = "WEEKS", default_value_t = 13)]
    notice: usize,
    #[command(flatten)]
    device: Choice,
}

/// Limits of the user's own.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct Own {
    /// Limits of all products together: CSV with columns week, storage, inbound, one row for each of the last 36 weeks of the record
    #[arg(long, value_name = "FILE")]
    pub(crate) limits: Option<PathBuf>,
    /// Volume of a unit: CSV with columns product and volume, or product, storage and inbound [default: 1]
    #[arg(long, value_name = "FILE", requires = "limits")]
    volumes: Option<PathBuf>,
}

/// Arguments of `hindsight capacity train`.
#[derive(Debug, clap::Args)]
pub(crate) struct Train {
    /// Where the trained model goes
    #[arg(long, value_name = "FILE")]
    save: PathBuf,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    seed: Seed,
    #[command(flatten)]
    outputs: Outputs,
}

/// Arguments of `hindsight capacity backtest`.
#[derive(Debug, clap::Args)]
pub(crate) struct Backtest {
    /// A saved model; without it one is trained
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    #[command(flatten)]
    own: Own,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    seed: Seed,
    #[command(flatten)]
    outputs: Outputs,
}

/// Weeks of a roll-out; the first six are not scored.
const COURSE: Course = Course {
    weeks: 36,
    warm_up: 6,
    discount: 0.995,
};
const RESOURCES: [&str; 2] = ["storage", "inbound"];

/// Runs `hindsight capacity`.
pub(crate) fn run(command: &Command) -> Result<(), CliError> {
    match command {
        Command::Train(args) => {
            let mut run = Run::begin("capacity train", &args.outputs, Some(args.seed.seed), [])?;
            let panel = crate::backtest::bundled_panel(run.inputs())?;
            let save = run.also(&args.save)?;
            let job = Job {
                common: &args.common,
                seed: args.seed.seed,
                volumes: packages(&panel),
            };
            let progress = Progress::new("training", Some(args.common.rounds as u64 + 2));
            let mut tell = |what: &str| {
                progress.step(1);
                progress.note(what);
            };
            let device = run.device(args.common.device, None)?;
            let fitted = job.study(&panel, |study| study.train(&device, &mut tell))?;
            progress.finish();
            run.put(save, fitted.model.to_text());
            let text = format!("{fitted}\n");
            run.finish(&fitted.held_out, || trained(&fitted), &text)
        }
        Command::Backtest(args) => {
            let files = [&args.model, &args.own.limits, &args.own.volumes];
            let inputs = files.into_iter().flatten().map(PathBuf::as_path);
            let seed = args.seed.seed;
            let run = Run::begin("capacity backtest", &args.outputs, Some(seed), inputs)?;
            let panel = crate::backtest::bundled_panel(run.inputs())?;
            let job = Job {
                common: &args.common,
                seed,
                volumes: volumes(&run, &args.own, &args.format, &panel, packages(&panel))?,
            };
            let model = args.model.as_deref().map(|path| saved(&run, path));
            job.backtest(&run, &panel, &args.own, &args.format, model.transpose()?)
        }
    }
}

/// The back-test under limits of a file's own products: `hindsight backtest --limits FILE`.
pub(crate) fn under_limits(
    run: &Run,
    panel: &Panel,
    own: &Own,
    format: &Format,
    (seed, device): (u64, Choice),
) -> Result<(), CliError> {
    let common = Common {
        steps: 3000,
        rounds: 8,
        size: 40.min(panel.products()),
        paths: 1,
        notice: 13,
        device,
    };
    let units = vec![vec![1.0; panel.products()]; RESOURCES.len()];
    let job = Job {
        common: &common,
        seed,
        volumes: volumes(run, own, format, panel, units)?,
    };
    job.backtest(run, panel, own, format, None)
}

/// Volumes of the bundled brands: the size of the package, in half gallons.
fn packages(panel: &Panel) -> Vec<Vec<f64>> {
    let ounces = |name: &String| {
        let brand = name
            .rsplit_once('_')
            .map_or(name.as_str(), |(brand, _)| brand);
        let size = brand
            .rsplit('-')
            .next()
            .and_then(|size| size.parse::<f64>().ok());
        size.filter(|&size| size > 0.0).unwrap_or(64.0) / 64.0
    };
    vec![panel.names().iter().map(ounces).collect(); RESOURCES.len()]
}

fn volumes(
    run: &Run,
    own: &Own,
    format: &Format,
    panel: &Panel,
    otherwise: Vec<Vec<f64>>,
) -> Result<Vec<Vec<f64>>, CliError> {
    let Some(path) = &own.volumes else {
        return Ok(otherwise);
    };
    let mut sheet = format.open_beside(run.inputs(), path)?;
    read_volumes(&mut sheet, panel.names(), &RESOURCES).map_err(input)
}

fn saved(run: &Run, path: &Path) -> Result<Model, CliError> {
    let mut text = String::new();
    let mut reader = run.inputs().open(path)?;
    let read = reader.read_to_string(&mut text);
    read.map_err(|e| CliError::reading(path, &e))?;
    Model::from_text(&text).map_err(|e| Place::file(path).error(e))
}

/// What is trained and tried.
struct Job<'a> {
    common: &'a Common,
    seed: u64,
    /// `[resource][product]`
    volumes: Vec<Vec<f64>>,
}

impl Job<'_> {
    fn study<T>(
        &self,
        panel: &Panel,
        then: impl FnOnce(&Study<'_>) -> Result<T, Error>,
    ) -> Result<T, CliError> {
        let kinds = [Kind::Storage, Kind::Inbound];
        let resources = RESOURCES.iter().zip(kinds).zip(&self.volumes);
        let resources = resources.map(|((name, kind), v)| Resource::new(*name, kind, v.clone()));
        let setup = Setup {
            panel,
            resources: resources.collect::<Result<_, _>>().map_err(input)?,
            course: COURSE,
            steps: self.common.steps,
            rounds: self.common.rounds,
            size: self.common.size,
            notice: self.common.notice,
            seed: self.seed,
        };
        setup.study(then).map_err(input)
    }

    fn backtest(
        &self,
        run: &Run,
        panel: &Panel,
        own: &Own,
        format: &Format,
        model: Option<Model>,
    ) -> Result<(), CliError> {
        let read = |path: &PathBuf| {
            let mut sheet = format.open_beside(run.inputs(), path)?;
            let notice = self.common.notice;
            read_limits(&mut sheet, &RESOURCES, COURSE.weeks, notice).map_err(input)
        };
        let limits = own.limits.as_ref().map(read).transpose()?;
        let device = run.device(self.common.device, None)?;
        let stages = model.as_ref().map_or(self.common.rounds + 11, |_| 9);
        let progress = Progress::new("capacity", Some(stages as u64));
        let mut tell = |what: &str| {
            progress.step(1);
            progress.note(what);
        };
        let results = self.study(panel, |study| {
            let (model, words) = match model {
                Some(model) => (model, None),
                None => study.train(&device, &mut tell)?.told(),
            };
            let given = limits.is_some();
            let cases = match limits {
                None => study.drawn(&model, self.common.paths, &device)?,
                Some(limits) => study.limited(limits)?,
            };
            let trials = study.trials(&model, &cases, &device, &mut tell)?;
            Results::new(trials, &cases, given, words)
        })?;
        progress.finish();
        run.finish(&results, || results.page(), &results.text(output::width()))
    }
}

fn input(error: impl Into<Error>) -> CliError {
    CliError::Input(error.into().to_string())
}
