//! What can go wrong in the command, and the exit code it ends with.

/// An error of the command.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum CliError {
    /// The input is wrong: exit code 2. The text names the file, line and column where there are any.
    #[error("{0}")]
    Input(String),
    /// The machine failed us (disk full, no permission): exit code 1.
    #[error("{0}")]
    System(String),
}

impl CliError {
    /// The exit code: 2 for wrong input, 1 for everything else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            CliError::Input(_) => 2,
            CliError::System(_) => 1,
        }
    }
}
