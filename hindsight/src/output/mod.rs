//! Files out, whole or not at all, and text on the standard output.
//!
//! `target.rs` says which places may be written (checked before any work), `commit.rs` writes all files of a run or none. Subcommands
//! use neither: they hand their results to [`crate::document::Run`].
//!
//! Ctrl-C (and a termination signal) removes what is still under a temporary name and ends with code 130.

use std::io::{ErrorKind, Write};
use std::path::Path;

use report::Width;

use crate::error::CliError;

mod commit;
mod target;

pub(crate) use commit::write_all;
pub(crate) use target::Target;

/// The program, as its pages and drawings name it.
pub(crate) const GENERATOR: &str = concat!("hindsight ", env!("CARGO_PKG_VERSION"));

/// Writes `text` and a line end to the standard output; a reader that went away (`| head`) is no error.
///
/// # Errors
///
/// [`CliError::System`] if the output cannot be written for another reason.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let outcome = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(end.as_bytes()))
        .and_then(|()| out.flush());
    forgive_closed_pipe(outcome)
        .map_err(|error| CliError::writing(Path::new("the standard output"), &error))
}

/// What the standard output allows a table: the terminal's width, or no limit when it is a file or a pipe.
pub(crate) fn width() -> Width {
    let terminal = console::Term::stdout();
    if !terminal.is_term() {
        return Width::unlimited();
    }
    let width = match terminal.size_checked() {
        Some((_, columns)) => Width::at_most(usize::from(columns)),
        None => Width::unlimited(),
    };
    if console::colors_enabled() {
        width.styled()
    } else {
        width
    }
}

fn forgive_closed_pipe(outcome: std::io::Result<()>) -> std::io::Result<()> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Makes Ctrl-C and the termination signals remove temporary files and end with code 130. Called once, by `main`.
///
/// # Errors
///
/// [`CliError::System`] if the system refuses a signal handler.
pub(crate) fn clean_up_on_interrupt() -> Result<(), CliError> {
    ctrlc::set_handler(|| {
        // Held until the end: no new temporary file can appear, and no rename is under way.
        let pending = commit::pending();
        commit::remove_files(&pending);
        // The cursor that a progress bar hid.
        let terminal = console::Term::stderr();
        if terminal.is_term() {
            let _ = terminal.show_cursor();
        }
        eprintln!("hindsight: interrupted");
        std::process::exit(130);
    })
    .map_err(|error| CliError::System(format!("cannot watch for Ctrl-C: {error}")))
}
