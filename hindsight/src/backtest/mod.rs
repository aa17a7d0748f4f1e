//! `hindsight backtest`: what each buying policy would have earned on recorded weeks.

mod data;
mod input;
mod lines;
mod read;
mod report;
mod results;
mod week;
mod winners;

use crate::error::CliError;
use crate::output;
use input::Input;

/// Arguments of `hindsight backtest`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    input: Input,
}

/// Runs `hindsight backtest`.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let path = args
        .input
        .data
        .clone()
        .or_else(input::bundled_file)
        .unwrap_or_default();
    let table = read::read(&path, &args.input)?;
    output::print(&format!(
        "{} {} {}",
        table.products.len(),
        table.present.len(),
        table.missing()
    ))
}
