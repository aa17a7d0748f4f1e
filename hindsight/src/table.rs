//! Tables in: the arguments that say how a CSV file is written, and its opening.

use std::path::Path;

use sheet::Sheet;

use crate::error::CliError;
use crate::inputs::Inputs;

/// How a CSV file separates fields and writes decimals.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct Format {
    /// Field separator: one character, or `tab` [default: what the file shows]
    #[arg(long, value_name = "CHAR", help_heading = "Input")]
    pub(crate) delimiter: Option<String>,
    /// Numbers have a decimal comma (12,50), and semicolons stand between fields unless --delimiter says otherwise [default: what the file shows]
    #[arg(long, help_heading = "Input")]
    pub(crate) decimal_comma: bool,
}

impl Format {
    /// Opens a table, or the standard input for `-`, as the arguments say that it is written, and as it shows itself where they say nothing; its digest is
    /// kept with the run.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] if the separator is none, there is no such file, or it is empty or no text; [`CliError::System`] if the disk fails.
    pub(crate) fn open(&self, inputs: &Inputs, path: &Path) -> Result<Sheet, CliError> {
        self.sheet(inputs, path, *self == Format::default())
    }

    /// The same for a table beside the one that the arguments are about: what it shows comes before what they say.
    pub(crate) fn open_beside(&self, inputs: &Inputs, path: &Path) -> Result<Sheet, CliError> {
        self.sheet(inputs, path, true)
    }

    fn sheet(&self, inputs: &Inputs, path: &Path, shown: bool) -> Result<Sheet, CliError> {
        let (format, reader) = (self.checked()?, inputs.open(path)?);
        let name = reader.name().to_path_buf();
        Ok(match shown {
            true => Sheet::recognised(reader, name, format)?,
            false => Sheet::from_reader(reader, name, format)?,
        })
    }

    /// The format as the reader takes it.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] for a separator that cannot be one.
    pub(crate) fn checked(&self) -> Result<sheet::Format, CliError> {
        sheet::Format::new(self.delimiter.as_deref(), self.decimal_comma).map_err(|problem| {
            let given = self.delimiter.as_deref().unwrap_or_default();
            CliError::argument("--delimiter", format!("{given:?}"), problem)
        })
    }
}
