//! The command `hindsight`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::CliError;

#[allow(
    dead_code,
    unused_imports,
    reason = "shared by subcommands that land one by one"
)]
mod chart;
#[allow(dead_code, reason = "shared by subcommands that land one by one")]
mod error;
mod games;
mod llm;
#[allow(dead_code, reason = "shared by subcommands that land one by one")]
mod number;
#[allow(dead_code, reason = "shared by subcommands that land one by one")]
mod output;
#[allow(dead_code, reason = "shared by subcommands that land one by one")]
mod page;
#[allow(dead_code, reason = "shared by subcommands that land one by one")]
mod progress;
#[allow(dead_code, reason = "shared by subcommands that land one by one")]
mod table;

/// Decisions judged against what really happened.
#[derive(Debug, Parser)]
#[command(name = "hindsight", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Marketplace games, equilibria and play without regret.
    Games(games::Args),
    /// Calibration, verification gap and batch size from language models' logs.
    Llm(llm::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hindsight: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(cli: Cli) -> Result<(), CliError> {
    output::clean_up_on_interrupt()?;
    match cli.command {
        Command::Games(args) => games::run(&args),
        Command::Llm(args) => llm::run(&args),
    }
}
