//! Totals of one column of a plain table by another.

use std::collections::BTreeMap;
use std::io::BufRead;

use super::line::{Problem, ReadError};

/// The totals of the column `of` by the column `by` of comma-separated values without quotes, in the order of the names of `by`.
///
/// # Errors
/// A column that is missing, a number that is none, with the line.
///
/// ```
/// use hindsight_drain::io::totals;
/// let table = "store,week,demand\n5,1,10\n2,1,3\n5,2,4\n";
/// assert_eq!(totals(table.as_bytes(), "store", "demand")?, [3.0, 14.0]);
/// # Ok::<(), hindsight_drain::io::ReadError>(())
/// ```
pub fn totals(reader: impl BufRead, by: &str, of: &str) -> Result<Vec<f64>, ReadError> {
    let fault = |line, field: &str, problem| ReadError {
        line: Some(line),
        field: Some(field.to_owned()),
        problem,
    };
    let mut lines = (1..).zip(reader.lines());
    let (_, head) = lines.next().ok_or_else(ReadError::empty)?;
    let head = head.map_err(|e| fault(1, by, Problem::Io(e)))?;
    let place = |name: &str| {
        let found = head.trim_end().split(',').position(|n| n == name);
        found.ok_or_else(|| fault(1, name, Problem::Missing))
    };
    let (by_place, of_place) = (place(by)?, place(of)?);
    let mut totals: BTreeMap<String, f64> = BTreeMap::new();
    for (number, line) in lines {
        let line = line.map_err(|e| fault(number, by, Problem::Io(e)))?;
        let cell = |place: usize, name: &str| {
            let cell = line.trim_end().split(',').nth(place);
            cell.ok_or_else(|| fault(number, name, Problem::Missing))
        };
        let value: f64 = (cell(of_place, of)?.parse())
            .map_err(|_| fault(number, of, Problem::NotANumber { index: of_place }))?;
        *totals.entry(cell(by_place, by)?.to_owned()).or_default() += value;
    }
    Ok(totals.into_values().collect())
}
