//! The command `hindsight`.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::error::CliError;

mod arrivals;
mod backtest;
mod bandit;
mod bundled;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The subcommands that do something, with their names.
    fn leaves(command: &clap::Command, names: &[String]) -> Vec<(String, String)> {
        let below: Vec<_> = command
            .get_subcommands()
            .filter(|below| below.get_name() != "help")
            .collect();
        if below.is_empty() {
            let help = command.get_after_long_help().or(command.get_after_help());
            return vec![(
                names.join(" "),
                help.map(ToString::to_string).unwrap_or_default(),
            )];
        }
        let deeper = below
            .into_iter()
            .flat_map(|below| leaves(below, &[names, &[below.get_name().to_owned()]].concat()));
        deeper.collect()
    }

    /// The words of a line as a shell reads them, up to a pipe, a redirection or a remark.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
        for letter in line.chars() {
            match letter {
                '\'' => quoted = !quoted,
                '|' | '>' | '#' if !quoted => break,
                ' ' if !quoted => words.push(std::mem::take(&mut word)),
                other => word.push(other),
            }
        }
        words.push(word);
        words.retain(|word| !word.is_empty());
        words
    }

    /// Names of groups and arguments stand once in each subcommand: only builds with debug assertions look, and stop.
    #[test]
    fn names_stand_once_in_every_subcommand() {
        fn check(command: &clap::Command) {
            let groups = command.get_groups().map(|group| group.get_id().to_string());
            let arguments = command.get_arguments().map(|arg| arg.get_id().to_string());
            for mut names in [groups.collect::<Vec<_>>(), arguments.collect()] {
                names.sort_unstable();
                let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
                assert!(twice.is_none(), "{}: {twice:?}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }

    #[test]
    fn every_subcommand_has_examples_that_it_takes() {
        let command = Cli::command();
        for (name, help) in leaves(&command, &[]) {
            assert!(help.contains("Examples:"), "{name} has no examples");
            let own = format!("hindsight {name}");
            let lines = help.lines().map(str::trim);
            let examples: Vec<&str> = lines
                .filter(|line| line.starts_with("hindsight "))
                .collect();
            assert!(examples.iter().any(|line| line.starts_with(&own)), "{name}");
            for example in examples {
                if let Err(error) = Cli::try_parse_from(words(example)) {
                    panic!("{example}: {error}");
                }
            }
        }
    }
}
