//! Files out, whole or not at all, and text on the standard output.
//!
//! `target.rs` says which places may be written (checked before any work), `commit.rs` writes all files of a run or none. Subcommands
//! use neither: they hand their results to [`crate::document::Run`].
//!
//! Ctrl-C (and a termination signal) removes what is still under a temporary name and ends with code 130.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use report::Width;

use crate::error::CliError;

mod commit;
mod target;

pub(crate) use commit::write_all;
pub(crate) use target::Target;

/// The program, as its pages and drawings name it.
pub(crate) const GENERATOR: &str = concat!("hindsight ", env!("CARGO_PKG_VERSION"));

/// What a file of tables begins with, behind the mark of a comment.
pub(crate) const TABLES: &str = "Tables by ";

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
    let width = match terminal.size_checked().filter(|_| terminal.is_term()) {
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

/// How much is said, and how it looks.
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Voice {
    /// Say nothing but errors: no table, no progress; files are written as without it
    #[arg(short, long, global = true)]
    quiet: bool,
    /// When tables are styled
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto")]
    color: Color,
}

/// When output is styled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Also in files and pipes.
    Always,
    /// Nowhere.
    Never,
}

/// Whether tables and progress are left out. Set once, by `main`.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Takes the user's wishes. Called once, by `main`.
pub(crate) fn speak(voice: &Voice) {
    QUIET.store(voice.quiet, Ordering::Relaxed);
    match voice.color {
        Color::Auto => {}
        Color::Always => console::set_colors_enabled(true),
        Color::Never => console::set_colors_enabled(false),
    }
}

/// Whether tables and progress are left out.
pub(crate) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
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
