//! `hindsight llm`.

use crate::error::CliError;

/// Arguments of `hindsight llm`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Runs `hindsight llm`.
pub(crate) fn run(_args: &Args) -> Result<(), CliError> {
    Ok(())
}
