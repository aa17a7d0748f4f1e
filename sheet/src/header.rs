//! The names of the columns.

use crate::error::{Place, Problem, SheetError};

/// The place of a name in the header.
pub(crate) fn find(
    names: &[String],
    header: &Place,
    name: &str,
    purpose: &str,
) -> Result<usize, SheetError> {
    let mut found = (0..names.len()).filter(|&at| names[at] == name);
    match (found.next(), found.next()) {
        (Some(at), None) => Ok(at),
        (Some(_), Some(_)) => Err(header.problem(Problem::TwoColumns(name.to_owned()))),
        (None, _) => {
            let separator = match names {
                [only] => [';', '\t', ','].into_iter().find(|&c| only.contains(c)),
                _ => None,
            };
            Err(header.problem(Problem::NoColumn {
                wanted: name.to_owned(),
                purpose: purpose.to_owned(),
                header: names.to_vec(),
                separator,
            }))
        }
    }
}
