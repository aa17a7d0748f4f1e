//! A sales file into a [`Table`]: every damaged field ends in an error that names file, line and column.
//!
//! The file is CSV with a header, plain or gzip (told by its first bytes), UTF-8. Rows of a product stand in the order of weeks;
//! products may be mixed. Nothing is guessed: a field that is no number is an error, not a gap.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::arrange::{Raw, Seen, arrange};
use super::columns::{Header, Plan, Source, parse, shorten};
use super::data::Table;
use super::input::Input;
use super::lines::UnixLines;
use super::week::{Calendar, Week};
use crate::error::{CliError, Place};
use crate::progress::Progress;

/// So many weeks without a row are taken for a mistake.
const LONGEST_GAP: i64 = 520;
/// Rows between two looks at the progress.
const PROGRESS_EVERY: usize = 1 << 16;

/// Reads the file that `input` names.
///
/// # Errors
///
/// [`CliError::Input`] for anything wrong in the file or with its columns, [`CliError::System`] if the disk fails.
pub(crate) fn read(path: &Path, input: &Input) -> Result<Table, CliError> {
    input.check()?;
    if path == Path::new("-") {
        return read_from(std::io::stdin().lock(), Path::new("standard input"), input);
    }
    let file = std::fs::File::open(path).map_err(|error| CliError::reading(path, &error))?;
    if file.metadata().is_ok_and(|meta| meta.is_dir()) {
        return Err(Place::file(path).error("is a folder, not a file"));
    }
    read_from(file, path, input)
}

/// Reads from an open file; `path` is for messages.
///
/// # Errors
///
/// As [`read`].
pub(crate) fn read_from(file: impl Read, path: &Path, input: &Input) -> Result<Table, CliError> {
    let mut start = BufReader::with_capacity(1 << 16, file);
    let head = start
        .fill_buf()
        .map_err(|error| CliError::reading(path, &error))?;
    let place = Place::file(path);
    match head {
        [] => Err(place.error("is empty")),
        [0x1f, 0x8b, ..] => rows(
            flate2::bufread::MultiGzDecoder::new(start),
            path,
            input,
            true,
        ),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            Err(place.line(1).error("is in UTF-16; save it as UTF-8"))
        }
        [b'P', b'K', 3, 4, ..] => {
            Err(place.error("is a zip archive or a spreadsheet; save it as CSV (plain or gzip)"))
        }
        _ => rows(start, path, input, false),
    }
}

/// An error of the CSV layer, told with its place; `line` is the one that could not be read.
fn broken(error: csv::Error, path: &Path, gzip: bool, header: &[String], line: u64) -> CliError {
    let place = Place::file(path);
    match error.into_kind() {
        csv::ErrorKind::Utf8 { err, .. } => {
            let place = place.line(line);
            let place = header
                .get(err.field())
                .map_or(place.clone(), |name| place.column(name));
            place.error(format!(
                "is not UTF-8 text (byte {} of the field); save the file as UTF-8",
                err.valid_up_to() + 1
            ))
        }
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            let missing = usize::try_from(len).ok().and_then(|len| header.get(len));
            let hint =
                missing.map_or_else(String::new, |name| format!(" (column {name:?} is missing)"));
            place.line(line).error(format!(
                "has {len} fields where the header has {expected_len}{hint}"
            ))
        }
        csv::ErrorKind::Io(error) if gzip => {
            use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
            let problem = match error.kind() {
                UnexpectedEof => "the gzip data end too early: the file is cut off",
                InvalidData | InvalidInput => "the gzip data are damaged",
                _ => return CliError::reading(path, &error),
            };
            // The reader stands inside the line that does not end.
            place.line(line + 1).error(problem)
        }
        csv::ErrorKind::Io(error) => CliError::reading(path, &error),
        other => place
            .line(line)
            .error(format!("cannot be read as CSV: {other:?}")),
    }
}

/// The line on which the record begins that `csv` has just read. The reader's own positions do not know blank lines.
fn first_line<R: Read>(csv: &csv::Reader<R>, record: &csv::StringRecord) -> u64 {
    let inside = record
        .as_slice()
        .bytes()
        .filter(|byte| *byte == b'\n')
        .count();
    csv.position()
        .line()
        .saturating_sub(1 + u64::try_from(inside).unwrap_or(0))
        .max(1)
}

fn rows(reader: impl Read, path: &Path, input: &Input, gzip: bool) -> Result<Table, CliError> {
    let mut csv = csv::ReaderBuilder::new()
        .delimiter(input.separator()?)
        .from_reader(UnixLines::new(reader));
    let names = csv
        .headers()
        .cloned()
        .map_err(|error| broken(error, path, gzip, &[], 1))?;
    let names: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
    let place = Place::file(path);
    if names.is_empty() || names.iter().all(String::is_empty) {
        return Err(place.error("is empty"));
    }
    let header = Header {
        names: names.iter().map(String::as_str).collect(),
        place: place.clone().line(1),
    };
    let plan = Plan::new(&header, input)?;

    let mut raw = Raw {
        values: vec![Vec::new(); plan.slots.len()],
        ..Raw::default()
    };
    let mut products: Vec<Seen> = Vec::new();
    let mut index: HashMap<String, usize> = HashMap::new();
    let mut calendar: Option<Calendar> = None;
    let mut record = csv::StringRecord::new();
    let mut name = String::new();
    let progress = Progress::new("reading rows", None);
    loop {
        let outcome = csv.read_record(&mut record);
        let line = first_line(&csv, &record);
        match outcome {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                // Where a quote is never closed no line end follows, and the reader's own position is the better one.
                let line = error.position().map_or(line, |own| own.line().max(line));
                return Err(broken(error, path, gzip, &names, line));
            }
        }
        let at = |column: usize| place.clone().line(line).column(&names[column]);
        let field = |column: usize| record.get(column).unwrap_or_default();

        name.clear();
        for (order, &column) in plan.product.iter().enumerate() {
            let part = field(column).trim();
            if part.is_empty() {
                return Err(at(column).error("is empty"));
            }
            if order > 0 {
                name.push('/');
            }
            name.push_str(part);
        }
        let text = field(plan.week);
        let week = Week::parse(text).ok_or_else(|| {
            at(plan.week).error(format!(
                "{} is neither a whole number nor a date like 2017-08-15",
                shorten(text.trim())
            ))
        })?;
        let calendar = *calendar.get_or_insert_with(|| week.calendar());
        let week_place = calendar
            .place(week)
            .map_err(|problem| at(plan.week).error(problem))?;

        let product = match index.get(name.as_str()) {
            Some(&product) => product,
            None => {
                index.insert(name.clone(), products.len());
                let groups = plan
                    .groups
                    .iter()
                    .map(|&column| field(column).trim().to_owned())
                    .collect();
                products.push(Seen {
                    name: name.clone(),
                    first: week_place,
                    last: week_place,
                    count: 0,
                    first_line: line,
                    last_line: line,
                    groups,
                });
                products.len() - 1
            }
        };
        let seen = &mut products[product];
        if seen.count > 0 {
            if let Some(problem) = out_of_order(seen, product, week, week_place, calendar, &raw) {
                return Err(at(plan.week).error(problem));
            }
            for (&column, first) in plan.groups.iter().zip(&seen.groups) {
                if field(column).trim() != first {
                    let now = shorten(field(column).trim());
                    return Err(at(column).error(format!(
                        "{now}, but product {:?} had {first:?} on line {}",
                        seen.name, seen.first_line
                    )));
                }
            }
        }
        (seen.last, seen.last_line, seen.count) = (week_place, line, seen.count + 1);

        raw.product.push(product);
        raw.week.push(week_place);
        raw.line.push(line);
        for (slot, values) in plan.slots.iter().zip(&mut raw.values) {
            if let Source::Column(column) = slot.source {
                values.push(
                    parse(field(column), slot.domain)
                        .map_err(|problem| at(column).error(problem))?,
                );
            }
        }
        if raw.product.len().is_multiple_of(PROGRESS_EVERY) {
            progress.step(u64::try_from(PROGRESS_EVERY).unwrap_or(0));
        }
    }
    progress.finish();
    match calendar {
        Some(calendar) => arrange(path, input, &plan, calendar, products, &raw),
        None => Err(place.error("has a header and no rows")),
    }
}

/// What is wrong with the order of a product's weeks, if anything.
fn out_of_order(
    seen: &Seen,
    product: usize,
    week: Week,
    place: i64,
    calendar: Calendar,
    raw: &Raw,
) -> Option<String> {
    let name = &seen.name;
    if place <= seen.last {
        let twin =
            (0..raw.week.len()).find(|&row| raw.product[row] == product && raw.week[row] == place);
        return Some(match twin {
            Some(row) => format!(
                "product {name:?} has week {week} already on line {}: a duplicated row",
                raw.line[row]
            ),
            None => format!(
                "week {week} of product {name:?} comes after week {} on line {}: sort the rows of each product by week",
                calendar.week(seen.last),
                seen.last_line
            ),
        });
    }
    let gap = place - seen.last - 1;
    let before = calendar.week(seen.last);
    if gap > 10 && week.looks_like_year_and_week() && before.looks_like_year_and_week() {
        return Some(format!(
            "week {week} of product {name:?} follows {before}: numbers made of year and week are not consecutive; give dates or a running number"
        ));
    }
    (gap > LONGEST_GAP).then(|| {
        format!(
            "week {week} of product {name:?} comes {gap} weeks after week {before} on line {}",
            seen.last_line
        )
    })
}

#[cfg(test)]
mod tests;
