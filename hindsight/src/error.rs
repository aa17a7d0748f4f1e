//! What can go wrong in the command, and the exit code it ends with.
//!
//! Wrong input (an argument, a field of a file) ends with code 2, as clap's own usage errors do; an I/O failure with 1;
//! Ctrl-C with 130. A message about a file starts with `FILE:LINE:` so that editors can jump to it:
//!
//! ```text
//! hindsight: sales.csv:17: column "price": "-1.20" is negative
//! ```
//!
//! ```text
//! Err(Place::file(path).line(17).column("price").error(format!("{text:?} is negative")))
//! ```

use std::fmt;
use std::path::Path;

use sheet::{NumberProblem, Problem, SheetError};

pub(crate) use sheet::Place;

/// An error of the command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum CliError {
    /// The input is wrong: exit code 2. The text names the file, line and column where there are any.
    #[error("{0}")]
    Input(String),
    /// I/O failure (disk full, no permission) or another fault of the system: exit code 1.
    #[error("{0}")]
    System(String),
}

impl CliError {
    /// An error about the argument `name` (as the user writes it, `--lead-time`), which was given `value`.
    pub(crate) fn argument(
        name: &str,
        value: impl fmt::Display,
        problem: impl fmt::Display,
    ) -> Self {
        CliError::Input(format!("{name} {value}: {problem}"))
    }

    /// A file that cannot be read: wrong input when it is not there or is not a file, an I/O failure otherwise.
    pub(crate) fn reading(path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{
            InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied,
        };
        let text = format!("{}: {}", path.display(), plain(error));
        match error.kind() {
            NotFound | PermissionDenied | IsADirectory | NotADirectory | InvalidInput => {
                CliError::Input(text)
            }
            _ => CliError::System(text),
        }
    }

    /// A file that cannot be written.
    pub(crate) fn writing(path: &Path, error: &std::io::Error) -> Self {
        CliError::System(format!("cannot write {}: {}", path.display(), plain(error)))
    }

    /// The exit code: 2 for wrong input, 1 for everything else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            CliError::Input(_) => 2,
            CliError::System(_) => 1,
        }
    }
}

/// The system's words without the "(os error 2)" at their end.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    report::number::uncapital(text)
}

/// What the command says about a place in an input file.
pub(crate) trait Complain {
    /// The error that says `problem` about this place.
    fn error(&self, problem: impl fmt::Display) -> CliError;
}

impl Complain for Place {
    fn error(&self, problem: impl fmt::Display) -> CliError {
        CliError::Input(format!("{self}: {problem}"))
    }
}

impl From<SheetError> for CliError {
    fn from(error: SheetError) -> Self {
        let hint = match &*error.problem {
            Problem::Unreadable { kind, message } => {
                let system = std::io::Error::new(*kind, message.clone());
                return CliError::reading(error.place.path(), &system);
            }
            Problem::NoColumn {
                separator: Some(separator),
                ..
            } => match separator {
                '\t' => ": --delimiter tab".to_owned(),
                other => format!(": --delimiter '{other}'"),
            },
            Problem::Number(NumberProblem::Comma(_)) => {
                "; for a decimal comma give --decimal-comma".to_owned()
            }
            Problem::Number(NumberProblem::Empty) => {
                " (leave the whole row out for a week that is unknown)".to_owned()
            }
            _ => String::new(),
        };
        CliError::Input(format!("{error}{hint}"))
    }
}
