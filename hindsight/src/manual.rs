//! What the command says of itself to shells and to `man`.

use clap_complete::Shell;

use crate::error::CliError;
use crate::output;

/// Examples of `completions`.
pub(crate) const COMPLETIONS: &str = "Examples:
  hindsight completions bash > ~/.local/share/bash-completion/completions/hindsight
  hindsight completions zsh > ~/.zfunc/_hindsight        # with ~/.zfunc in $fpath
  hindsight completions fish > ~/.config/fish/completions/hindsight.fish";

/// Examples of `man`.
pub(crate) const MAN: &str = "Examples:
  hindsight man | man -l -
  hindsight man backtest | man -l -
  hindsight man llm calibration > hindsight-llm-calibration.1";

/// Prints the completions of a shell.
///
/// # Errors
///
/// [`CliError::System`] if the standard output cannot be written.
pub(crate) fn completions(shell: Shell, mut command: clap::Command) -> Result<(), CliError> {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut command, "hindsight", &mut bytes);
    output::print(&String::from_utf8_lossy(&bytes))
}

/// Prints the manual page of the command, or of the subcommand with these names.
///
/// # Errors
///
/// [`CliError::Input`] with the subcommands that there are, where none is called so; [`CliError::System`] if the standard output cannot be written.
pub(crate) fn page(names: &[String], command: clap::Command) -> Result<(), CliError> {
    let mut here = command;
    here.build();
    let mut title = vec!["hindsight"];
    for name in names {
        let Some(found) = here.find_subcommand(name) else {
            let known: Vec<&str> = here
                .get_subcommands()
                .map(clap::Command::get_name)
                .collect();
            let problem = match known.is_empty() {
                true => format!("{} has no subcommands", title.join(" ")),
                false => format!("is none of {}", known.join(", ")),
            };
            return Err(CliError::argument("man", name, problem));
        };
        here = found.clone();
        title.push(name);
    }
    let title = title.join("-");
    let page = clap_mangen::Man::new(here.display_name(title.clone())).title(title);
    let mut bytes = Vec::new();
    page.render(&mut bytes)
        .map_err(|error| CliError::System(format!("cannot write the manual page: {error}")))?;
    output::print(&String::from_utf8_lossy(&bytes))
}
