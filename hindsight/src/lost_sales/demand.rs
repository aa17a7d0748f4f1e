//! The demand law as the user writes it: `poisson:5`, `geometric:5`, `negbin:5,2`, or a file of observed demands.

use std::path::Path;

use exo_idp::exact::{DemandLaw, ExactError};

use crate::error::{CliError, Complain as _};
use crate::inputs::Inputs;
use sheet::shorten;

use crate::table::Format;

/// The file that `text` names; none where it names a law.
///
/// # Errors
///
/// [`CliError::Input`] if it is neither.
pub(super) fn file(text: &str) -> Result<Option<&Path>, CliError> {
    match text.split_once(':') {
        Some(("poisson" | "geometric" | "negbin", _)) => Ok(None),
        Some((name, _)) if !Path::new(text).exists() => Err(CliError::argument(
            "--demand",
            text,
            format!("{name:?} is neither poisson, geometric or negbin, nor is there such a file"),
        )),
        _ => Ok(Some(Path::new(text))),
    }
}

/// The law that `text` names, or the empirical law of the file it names.
pub(super) fn parse(text: &str, inputs: &Inputs) -> Result<DemandLaw, CliError> {
    match file(text)? {
        Some(path) => read(path, inputs),
        None => text
            .parse()
            .map_err(|error: ExactError| CliError::argument("--demand", text, error)),
    }
}

/// The empirical law of a file with one whole number a line; the first line may be a heading.
fn read(path: &Path, inputs: &Inputs) -> Result<DemandLaw, CliError> {
    let mut sheet = Format::default().open(inputs, path)?.into_list()?;
    let file = sheet.file().clone();
    let mut observed = Vec::new();
    while let Some(row) = sheet.next_row()? {
        let text = row.text(0);
        let units = text.parse::<u32>().map_err(|_| {
            file.clone().line(row.line()).error(format!(
                "{} is not a demand: expected one whole number a line, at least 0",
                shorten(text)
            ))
        })?;
        observed.push(units);
    }
    DemandLaw::from_observations(&observed).map_err(|error| file.error(error))
}
