//! The demand law as the user writes it: `poisson:5`, `geometric:5`, `negbin:5,2`, or a file of observed demands.

use std::path::Path;

use exo_idp::exact::{DemandLaw, ExactError};

use crate::error::CliError;
use crate::inputs::Inputs;
use crate::sheet::{Format, Sheet, shorten};

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
    let mut sheet = Sheet::list(inputs, path, &Format::default())?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        let error = parse(text, &Inputs::default()).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        error.to_string()
    }

    fn message_of_file(content: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.csv");
        std::fs::write(&path, content).unwrap();
        let text = message(&path.display().to_string());
        text.replace(&folder.path().display().to_string(), "")
    }

    #[test]
    fn wrong_laws_are_named() {
        assert!(message("poisson:-1").contains("--demand poisson:-1: mean"));
        assert!(message("poisson:five").contains("\"five\" is not a number"));
        assert!(message("negbin:5").contains("negbin:MEAN,DISPERSION"));
        assert!(message("negbin:5,0").contains("dispersion"));
        assert!(message("normal:5").contains("\"normal\""));
        assert!(message("poisson:NaN").contains("NaN"));
        assert!(message("no/such/file").contains("no/such/file"));
    }

    #[test]
    fn files_of_demand() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.csv");
        std::fs::write(&path, "demand\r\n3\r\n\r\n0\r\n5\r\n").unwrap();
        let law = parse(&path.display().to_string(), &Inputs::default()).unwrap();
        assert!((law.mean() - 8.0 / 3.0).abs() < 1e-12 && law.largest() == 5);
    }

    #[test]
    fn wrong_files_are_named_with_the_line() {
        assert_eq!(message_of_file(b""), "/d.csv: is empty");
        assert!(message_of_file(b"demand\n3\n-2\n").starts_with("/d.csv:3: \"-2\""));
        assert!(message_of_file(b"3\n2.5\n").starts_with("/d.csv:2: \"2.5\""));
        assert!(message_of_file(b"3,4\n").starts_with("/d.csv:1: has 2 fields"));
        assert!(
            message_of_file(b"3\n\xff\xfe\n").starts_with("/d.csv:2: column \"3\": is not UTF-8")
        );
        assert!(message_of_file(b"3\n4000000000\n").contains("4000000000"));
    }
}
