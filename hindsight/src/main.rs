//! The command `hindsight`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod error;
mod games;
mod llm;

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
    let outcome = match cli.command {
        Command::Games(args) => games::run(&args),
        Command::Llm(args) => llm::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hindsight: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
