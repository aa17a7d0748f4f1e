//! A matrix of numbers from a CSV file, with or without names of its rows and columns.

use super::error::{Expected, ReadError};

/// A matrix and the names in its first row and first column, where these are no numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// The numbers, row by row.
    pub entries: Vec<Vec<f64>>,
    /// Names of the rows.
    pub rows: Option<Vec<String>>,
    /// Names of the columns.
    pub columns: Option<Vec<String>>,
}

/// Fields may be separated by semicolons (numbers may then have a decimal comma), commas, tabs or blanks.
pub(super) fn parse(text: &str) -> Result<Matrix, ReadError> {
    let separator = [';', ',', '\t'].into_iter().find(|c| text.contains(*c));
    let decimal_comma = separator == Some(';');
    let lines: Vec<(u64, Vec<String>)> = match separator {
        Some(separator) => records(text, separator)?,
        None => (1..)
            .zip(text.lines())
            .map(|(n, line)| (n, line.split_whitespace().map(str::to_owned).collect()))
            .filter(|(_, cells): &(u64, Vec<String>)| !cells.is_empty())
            .collect(),
    };
    let number = |cell: &str| -> Option<f64> {
        let cell = cell.trim();
        let value = cell.parse().ok().or_else(|| {
            let point = decimal_comma.then(|| cell.replace(',', "."))?;
            point.parse().ok()
        });
        value.filter(|v: &f64| v.is_finite())
    };
    let Some((_, first)) = lines.first() else {
        return Err(ReadError::NoNumbers);
    };
    let has_header = first.iter().skip(1).any(|c| number(c).is_none())
        || (first.len() == 1 && number(&first[0]).is_none());
    let body = &lines[usize::from(has_header)..];
    let has_names = !body.is_empty()
        && body
            .iter()
            .all(|(_, cells)| cells.first().is_some_and(|c| number(c).is_none()));
    let skip = usize::from(has_names);
    let mut entries: Vec<Vec<f64>> = Vec::new();
    for (line, cells) in body {
        let mut row = Vec::with_capacity(cells.len());
        for (at, cell) in cells.iter().enumerate().skip(skip) {
            row.push(number(cell).ok_or_else(|| ReadError::NotANumber {
                line: *line,
                column: Some(at + 1),
                expected: Expected::Number,
                word: cell.clone(),
            })?);
        }
        let expected = entries.first().map_or(row.len(), Vec::len);
        if row.is_empty() || row.len() != expected {
            return Err(ReadError::Ragged {
                line: *line,
                expected,
                found: row.len(),
            });
        }
        entries.push(row);
    }
    if entries.is_empty() {
        return Err(ReadError::NoNumbers);
    }
    let columns = has_header.then(|| {
        let names: Vec<String> = first.iter().map(|c| c.trim().to_owned()).collect();
        // The corner above the names of the rows may be there or not.
        let corner = names.len().saturating_sub(entries[0].len());
        names[corner..].to_vec()
    });
    let rows = has_names.then(|| body.iter().map(|(_, c)| c[0].trim().to_owned()).collect());
    Ok(Matrix {
        entries,
        rows,
        columns,
    })
}

fn records(text: &str, separator: char) -> Result<Vec<(u64, Vec<String>)>, ReadError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(u8::try_from(separator).unwrap_or(b','))
        .from_reader(text.as_bytes());
    let mut all = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| ReadError::Malformed {
            line: e.position().map_or(1, csv::Position::line),
            message: e.to_string(),
        })?;
        // Blank lines before a record count as its own to the reader.
        let start = record.position().map_or(0, csv::Position::byte);
        let before = usize::try_from(start).unwrap_or(0).min(text.len());
        let blank = text[before..].len() - text[before..].trim_start_matches(['\r', '\n']).len();
        let line = 1 + text[..before + blank].matches('\n').count() as u64;
        if record.iter().any(|c| !c.trim().is_empty()) {
            all.push((line, record.iter().map(str::to_owned).collect()));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Option<Vec<String>> {
        Some(list.iter().map(|s| (*s).to_owned()).collect())
    }

    #[test]
    fn names_are_found_where_there_are_any() {
        let plain = parse("1,2\n3,4\n").unwrap();
        assert_eq!(plain.entries, [[1.0, 2.0], [3.0, 4.0]]);
        assert_eq!((plain.rows, plain.columns), (None, None));
        let both = parse(",left,right\nup,1,2\ndown,3,-4e1\n").unwrap();
        assert_eq!(both.entries, [[1.0, 2.0], [3.0, -40.0]]);
        assert_eq!(both.rows, names(&["up", "down"]));
        assert_eq!(both.columns, names(&["left", "right"]));
        let header = parse("left;right\n1,5;2\n3;4\n").unwrap();
        assert_eq!(header.entries, [[1.5, 2.0], [3.0, 4.0]]);
        assert_eq!(header.columns, names(&["left", "right"]));
        assert_eq!(parse("1 2\n\n3 4").unwrap().entries.len(), 2);
    }

    #[test]
    fn faults_have_a_line() {
        assert_eq!(parse("1,2\n3,x\n").unwrap_err().line(), Some(2));
        assert_eq!(parse("1,2\n\n3\n").unwrap_err().line(), Some(3));
        assert!(parse("a,b\n").is_err() && parse("\n").is_err());
    }
}
