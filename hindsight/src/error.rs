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
use std::path::{Path, PathBuf};

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
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// Where in an input file something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    file: PathBuf,
    line: Option<u64>,
    column: Option<String>,
}

impl Place {
    /// The file as a whole.
    pub(crate) fn file(file: &Path) -> Self {
        Place {
            file: file.to_path_buf(),
            line: None,
            column: None,
        }
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.file
    }

    /// The line, counted from 1 as editors do (the header is line 1).
    pub(crate) fn line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// The name of the column or JSON field.
    pub(crate) fn column(mut self, column: &str) -> Self {
        self.column = Some(column.to_owned());
        self
    }

    /// The error that says `problem` about this place.
    pub(crate) fn error(&self, problem: impl fmt::Display) -> CliError {
        CliError::Input(format!("{self}: {problem}"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ": column {column:?}")?;
        }
        Ok(())
    }
}
