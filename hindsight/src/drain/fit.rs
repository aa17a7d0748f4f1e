//! `hindsight drain fit`.

use std::path::PathBuf;

use ::drain::io::log;
use ::drain::model::{DrainModel, Training};
use report::Page;
use report::number::count;

use super::{Common, Stores, evaluate, wrong};
use crate::device::Choice;
use crate::error::CliError;

const EXAMPLES: &str = "\
Examples:
  The bundled stores, orders met one by one by the referee:
    hindsight drain fit --save model.txt

  Your own log: first the network, {\"price\": [option][warehouse][zone]}, then {\"stock\": [..], \"demand\": [..], \"units\": [..], \"cost\": [..]} a period:
    hindsight drain fit --input log.jsonl --save model.txt";

/// Arguments of `hindsight drain fit`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
    /// Steps of training.
    #[arg(long, default_value_t = 600)]
    steps: usize,
    #[command(flatten)]
    device: Choice,
    /// Where the model is saved.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

/// Periods of the embedded network.
const PERIODS: usize = 750;

/// Runs `hindsight drain fit`.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let mut run = args.common.begin("drain fit", None)?;
    let save = args
        .save
        .as_deref()
        .map(|path| run.also(path))
        .transpose()?;
    let seed = args.common.seed.seed;
    let (all, words) = match &args.common.input {
        Some(file) => (
            super::read(run.inputs(), file, log)?,
            file.display().to_string(),
        ),
        None => {
            let stores = Stores::open(run.inputs())?;
            (
                stores.world.log(PERIODS, seed).map_err(wrong)?,
                stores.words,
            )
        }
    };
    let training = Training {
        steps: args.steps,
        seed,
        ..Training::default()
    };
    let device = run.device(args.device, None)?;
    let judged = DrainModel::fit_and_judge(&all, 0.8, evaluate::SAMPLES, &training, &device);
    let (model, evaluation) = judged.map_err(wrong)?;
    if let Some(save) = save {
        run.put(save, model.to_text());
    }
    let words = format!(
        "{words}. {} parameters; trained on the first four fifths of {} periods, judged on the last",
        count(model.params()),
        count(all.states().len())
    );
    let table = evaluate::table(&[("drain model", &evaluation)]);
    let finding = evaluate::finding(&evaluation);
    let text = format!(
        "{finding}\n\n{}\n{words}.\n",
        table.render(crate::output::width())
    );
    let page = || {
        let mut page = Page::new("The drain model", words.clone());
        page.note(&finding)
            .section("Errors")
            .table(&table, evaluate::CAPTION);
        evaluate::calibration(&mut page, &evaluation);
        page
    };
    run.finish(&evaluation, page, &text)
}
