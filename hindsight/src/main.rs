//! The command `hindsight`.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::error::CliError;

mod arrivals;
mod backtest;
mod bandit;
mod capacity;
mod device;
mod document;
mod drain;
mod error;
mod games;
mod inputs;
mod llm;
mod lost_sales;
mod manual;
mod output;
mod progress;
mod table;

/// Decisions judged against what really happened.
#[derive(Debug, Parser)]
#[command(
    name = "hindsight",
    version,
    propagate_version = true,
    after_help = "--version --verbose also says which devices it finds, with their drivers and limits."
)]
struct Cli {
    #[command(flatten)]
    voice: output::Voice,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// How orders arrive, in pieces, late, in part or never: a generator learned from receipts, its evaluation, its samples.
    #[command(subcommand)]
    Arrivals(arrivals::Command),
    /// What each buying policy would have earned on recorded weeks.
    Backtest(Box<backtest::Args>),
    /// What another policy would have earned, and whether a policy could be bettered in hindsight.
    #[command(subcommand)]
    Bandit(bandit::Command),
    /// Which warehouse ships each unit and at what cost: programmes, the drain model, its protocol, scores.
    #[command(subcommand)]
    Drain(drain::Command),
    /// Prices of storage and inbound labour that products share, by a trained coordinator.
    #[command(subcommand)]
    Capacity(capacity::Command),
    /// Marketplace games, equilibria and play without regret.
    Games(games::Args),
    /// The exact optimum of a lost-sales problem with a lead time, and the gaps of the known policies.
    LostSales(lost_sales::Args),
    /// Calibration, verification gap and batch size from language models' logs.
    Llm(llm::Args),
    /// Completions for a shell, on the standard output
    #[command(after_help = manual::COMPLETIONS)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// The manual page of the command or of a subcommand, on the standard output
    #[command(after_help = manual::MAN)]
    Man {
        /// The subcommand: `backtest`, `llm calibration`.
        subcommand: Vec<String>,
    },
}

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    let outcome = if words.len() == 2 && words[0] == "--version" && words[1] == "--verbose" {
        output::print(&device::version())
    } else {
        run(Cli::parse())
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hindsight: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(cli: Cli) -> Result<(), CliError> {
    output::clean_up_on_interrupt()?;
    output::speak(&cli.voice);
    match cli.command {
        Command::Arrivals(command) => arrivals::run(&command),
        Command::Backtest(args) => backtest::run(&args),
        Command::Bandit(command) => bandit::run(&command),
        Command::Capacity(command) => capacity::run(&command),
        Command::Drain(command) => drain::run(&command),
        Command::Games(args) => games::run(&args),
        Command::Llm(args) => llm::run(&args),
        Command::LostSales(args) => lost_sales::run(&args),
        Command::Completions { shell } => manual::completions(shell, Cli::command()),
        Command::Man { subcommand } => manual::page(&subcommand, Cli::command()),
    }
}
