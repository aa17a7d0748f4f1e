//! Where the rows come from, and what is said of them.

use std::path::{Path, PathBuf};

use exo_idp::Panel;
use exo_idp::backtest::Dataset;
use exo_idp::io::SalesTable;
use exo_idp::world::{World, WorldConfig};
use sheet::Sheet;

use super::Job;
use super::input::{Input, notice_words};
use crate::error::{CliError, Complain as _, Place};
use crate::inputs::Inputs;

/// Where the rows come from.
#[derive(Debug)]
pub(super) enum Source {
    File(PathBuf),
    Bundled,
    Synthetic,
}

impl Source {
    /// What the arguments say.
    pub(super) fn of(args: &Job) -> Result<Self, CliError> {
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
        Ok(Source::Bundled)
    }

    /// The unit of money: a file of the user's says nothing about it.
    pub(super) fn money(&self) -> &'static str {
        match self {
            Source::Bundled => "USD",
            Source::File(_) | Source::Synthetic => "money",
        }
    }

    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Source::File(path) => Some(path),
            Source::Bundled | Source::Synthetic => None,
        }
    }
}

/// The rows of a run, and what a reader of its results must know of them.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) table: SalesTable,
    pub(super) notes: Vec<String>,
}

impl Record {
    /// Reads the rows, or draws them.
    pub(super) fn load(source: &Source, args: &Job, inputs: &Inputs) -> Result<Self, CliError> {
        let table = match source {
            Source::File(path) => args.input.read(inputs, path)?,
            Source::Bundled => {
                let own = &args.input;
                let input = Input {
                    drop_short: own.drop_short,
                    missing_is_zero: own.missing_is_zero,
                    ..Input::bundled()
                };
                let mut table = bundled(inputs, &input)?;
                table.source = "Dominick's orange juice (bundled)".to_owned();
                table
            }
            Source::Synthetic => synthetic(args.replay.seed.seed)?,
        };
        let mut notes: Vec<String> = table.notices.iter().map(notice_words).collect();
        let mut note = |words: &str| notes.push(words.to_owned());
        match source {
            Source::File(_) => {}
            Source::Bundled => {
                note("the records are sales, taken as demand: they hold no word on stock-outs");
            }
            Source::Synthetic => {
                note(
                    "these are no data but a synthetic world, drawn from the seed; its demand is the true one",
                );
            }
        }
        if table.sales.is_some() && table.stock.views_out.is_none() {
            note(
                "demand of weeks that were not in stock throughout is not known: nothing is learnt from them or charged in them",
            );
        }
        Ok(Record { table, notes })
    }

    /// What is back-tested.
    pub(super) fn dataset(&self) -> Result<Dataset, CliError> {
        let place = Place::file(Path::new(&self.table.source));
        self.table.dataset().map_err(|error| place.error(error))
    }
}

/// The panel of the bundled file.
pub(crate) fn bundled_panel(inputs: &Inputs) -> Result<Panel, CliError> {
    let table = bundled(inputs, &Input::bundled())?;
    table
        .panel()
        .map_err(|error| Place::file(Path::new(crate::bundled::NAME)).error(error))
}

fn bundled(inputs: &Inputs, input: &Input) -> Result<SalesTable, CliError> {
    let name = crate::bundled::NAME;
    let file = inputs.bundled(name, crate::bundled::FILE);
    input.read_from(&mut Sheet::from_reader(
        file,
        name,
        input.format.checked()?,
    )?)
}

/// The synthetic world of a seed.
fn synthetic(seed: u64) -> Result<SalesTable, CliError> {
    let config = WorldConfig {
        seed,
        ..WorldConfig::default()
    };
    let world = World::new(&config).map_err(|error| CliError::Input(error.to_string()))?;
    Ok(SalesTable::of_world(&world))
}
