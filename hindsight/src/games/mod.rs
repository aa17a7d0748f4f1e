//! `hindsight games`: marketplace games, equilibria, play without regret.

#![allow(
    clippy::doc_markdown,
    reason = "help texts are shown in the terminal as they stand"
)]

mod bertrand;
mod case;
mod debate;
mod equilibrium;
mod equilibrium_words;
mod examples;
mod fields;
mod figures_market;
mod figures_play;
mod figures_revenue;
mod lines;
mod map;
mod market_words;
mod marketplace;
mod payoffs;
mod play;
mod play_words;
mod problem;
mod regret;
mod words;

use crate::error::CliError;

/// Arguments of `hindsight games`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// A marketplace operator that leads with a price and a stock, against an independent seller.
    #[command(after_long_help = examples::MARKETPLACE)]
    Marketplace(case::Run<marketplace::Case>),
    /// Shared-revenue Bertrand: a retailer and a seller that pays it a share, simultaneous prices.
    #[command(after_long_help = examples::BERTRAND)]
    Bertrand(case::Run<bertrand::Case>),
    /// Correlated, coarse correlated, Nash, zero-sum or Stackelberg equilibria of a game given by its payoffs.
    #[command(after_long_help = examples::EQUILIBRIUM)]
    Equilibrium(case::Run<equilibrium::Case>),
    /// External, internal and swap regret of recorded play.
    #[command(after_long_help = examples::REGRET)]
    Regret(regret::Run),
    /// Self-play of learners without regret in a game given by its payoffs.
    #[command(after_long_help = examples::PLAY)]
    Play(case::Run<play::Case>),
    /// The four-arm comparison of noise on synthetic debates.
    #[command(after_long_help = examples::DEBATE)]
    Debate(case::Run<debate::Case>),
    /// Phase diagrams and curves as SVG, with their data as JSON.
    #[command(after_long_help = examples::MAP)]
    Map(map::Run),
}

/// Runs `hindsight games`.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    match &args.command {
        Command::Marketplace(run) => run.run(),
        Command::Bertrand(run) => run.run(),
        Command::Equilibrium(run) => run.run(),
        Command::Regret(run) => run.run(),
        Command::Play(run) => run.run(),
        Command::Debate(run) => run.run(),
        Command::Map(run) => run.run(),
    }
}
