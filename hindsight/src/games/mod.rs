//! `hindsight games`.

use crate::error::CliError;

/// Arguments of `hindsight games`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Runs `hindsight games`.
pub(crate) fn run(_args: &Args) -> Result<(), CliError> {
    Ok(())
}
