//! A sales file into a [`Table`]: every damaged field ends in an error that names file, line and column.
//!
//! The file is CSV with a header, plain or gzip (told by its first bytes), UTF-8. Rows of a product stand in the order of weeks;
//! products may be mixed. Nothing is guessed: a field that is no number is an error, not a gap.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::data::{Censoring, Covariate, Group, Product, Table};
use super::input::Input;
use super::lines::UnixLines;
use super::week::{Calendar, Week};
use crate::error::{CliError, Place};
use crate::progress::Progress;

/// Quantities and money beyond this are taken for mistakes.
const LARGEST: f64 = 1e12;
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

/// Where a number comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    Column(usize),
    Constant(f64),
}

/// What a number may be.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Domain {
    /// Units: not negative.
    Amount,
    /// Money per unit: above zero.
    Positive,
    /// Between 0 and 1.
    Share,
    /// Any finite number.
    Any,
}

/// One number of each row.
#[derive(Debug)]
struct Slot {
    name: String,
    source: Source,
    domain: Domain,
}

/// Columns of the file, found by name.
#[derive(Debug)]
struct Header<'a> {
    names: Vec<&'a str>,
    place: Place,
}

impl Header<'_> {
    fn find(&self, name: &str, argument: &str) -> Result<usize, CliError> {
        let mut found = self
            .names
            .iter()
            .enumerate()
            .filter(|(_, other)| other.trim() == name);
        match (found.next(), found.next()) {
            (Some((at, _)), None) => Ok(at),
            (Some(_), Some(_)) => Err(self.place.error(format!("two columns are called {name:?}"))),
            (None, _) => {
                let shown: Vec<String> = self
                    .names
                    .iter()
                    .take(30)
                    .map(|name| shorten(name.trim()))
                    .collect();
                let more = if self.names.len() > 30 { ", ..." } else { "" };
                let separator = match self.names.as_slice() {
                    [only] if only.contains(';') => {
                        "; the separator looks like a semicolon: --delimiter ';'"
                    }
                    [only] if only.contains('\t') => {
                        "; the separator looks like a tab: --delimiter tab"
                    }
                    _ => "",
                };
                Err(self.place.error(format!(
                    "no column {name:?} for {argument} (the header has {}{more}){separator}",
                    shown.join(", ")
                )))
            }
        }
    }

    /// A column, or one number for all where no column is called so.
    fn find_or_number(
        &self,
        name: &str,
        argument: &str,
        domain: Domain,
    ) -> Result<Source, CliError> {
        if let Ok(number) = name.trim().parse::<f64>()
            && !self.names.iter().any(|other| other.trim() == name)
        {
            let problem = check(number, domain);
            return problem.map_or(Ok(Source::Constant(number)), |problem| {
                Err(CliError::argument(argument, name, problem))
            });
        }
        self.find(name, argument).map(Source::Column)
    }
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= 40 {
        return format!("{text:?}");
    }
    format!("{:?}", text.chars().take(37).collect::<String>() + "...")
}

/// What is wrong with a number, if anything.
fn check(number: f64, domain: Domain) -> Option<&'static str> {
    if !number.is_finite() {
        return Some("is not a finite number");
    }
    match domain {
        Domain::Amount | Domain::Positive if number < 0.0 => Some("is negative"),
        Domain::Positive if number <= 0.0 => Some("is zero, but must be above zero"),
        Domain::Share if !(0.0..=1.0).contains(&number) => Some("does not lie between 0 and 1"),
        _ if number.abs() > LARGEST => Some("is larger than 1e12"),
        _ => None,
    }
}

fn parse(text: &str, domain: Domain) -> Result<f64, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("is empty (leave the whole row out for a week that is unknown)".to_owned());
    }
    let number: f64 = text
        .parse()
        .map_err(|_| format!("{} is not a number", shorten(text)))?;
    check(number, domain).map_or(Ok(number), |problem| {
        Err(format!("{} {problem}", shorten(text)))
    })
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

/// The columns that a run needs, found in the header.
#[derive(Debug)]
struct Plan {
    product: Vec<usize>,
    week: usize,
    /// Demand, price, then the others in the order of `Shape`.
    slots: Vec<Slot>,
    groups: Vec<usize>,
}

impl Plan {
    fn new(header: &Header<'_>, input: &Input) -> Result<Self, CliError> {
        let product = input
            .product
            .iter()
            .map(|name| header.find(name, "--product"))
            .collect::<Result<_, _>>()?;
        let week = header.find(&input.week, "--week")?;
        let mut slots = Vec::new();
        let mut add = |name: &str, source: Source, domain: Domain| {
            slots.push(Slot {
                name: name.to_owned(),
                source,
                domain,
            })
        };
        let (demand, argument) = match (&input.sales, &input.demand) {
            (Some(sales), _) => (sales.as_str(), "--sales"),
            (None, Some(demand)) => (demand.as_str(), "--demand"),
            (None, None) => ("demand", "--demand"),
        };
        add(
            demand,
            Source::Column(header.find(demand, argument)?),
            Domain::Amount,
        );
        add(
            &input.price,
            header.find_or_number(&input.price, "--price", Domain::Positive)?,
            Domain::Positive,
        );
        let cost = input.cost.as_deref().unwrap_or("cost");
        // With a share the cost follows from the price.
        let source = if input.cost_share.is_some() {
            Source::Constant(1.0)
        } else {
            header.find_or_number(cost, "--cost", Domain::Positive)?
        };
        add(cost, source, Domain::Positive);
        for (name, argument, domain) in [
            (&input.in_stock, "--in-stock", Domain::Share),
            (&input.views_out, "--views-out", Domain::Amount),
        ] {
            if let Some(name) = name {
                add(name, Source::Column(header.find(name, argument)?), domain);
            }
        }
        if let Some(name) = &input.conversion {
            add(
                name,
                header.find_or_number(name, "--conversion", Domain::Share)?,
                Domain::Share,
            );
        }
        for (names, argument) in [
            (&input.covariate, "--covariate"),
            (&input.planned, "--planned"),
        ] {
            for name in names {
                add(
                    name,
                    Source::Column(header.find(name, argument)?),
                    Domain::Any,
                );
            }
        }
        let groups = input
            .group
            .iter()
            .map(|name| header.find(name, "--group"))
            .collect::<Result<_, _>>()?;
        Ok(Plan {
            product,
            week,
            slots,
            groups,
        })
    }
}

/// One product while the file is read.
#[derive(Debug)]
struct Seen {
    name: String,
    first: i64,
    last: i64,
    count: usize,
    first_line: u64,
    last_line: u64,
    groups: Vec<String>,
}

/// The rows in the order of the file.
#[derive(Debug, Default)]
struct Raw {
    product: Vec<usize>,
    week: Vec<i64>,
    line: Vec<u64>,
    values: Vec<Vec<f64>>,
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

/// Puts the rows product by product, with the weeks between filled.
fn arrange(
    path: &Path,
    input: &Input,
    plan: &Plan,
    calendar: Calendar,
    seen: Vec<Seen>,
    raw: &Raw,
) -> Result<Table, CliError> {
    let least = input.drop_short.unwrap_or(0).max(2);
    let mut kept: Vec<Option<usize>> = Vec::with_capacity(seen.len());
    let mut products = Vec::new();
    let mut groups: Vec<Group> = input
        .group
        .iter()
        .map(|name| Group {
            name: name.clone(),
            values: Vec::new(),
        })
        .collect();
    let mut total = 0;
    for product in seen {
        let length = usize::try_from(product.last - product.first + 1).unwrap_or(usize::MAX);
        if length < least {
            if input.drop_short.is_none() {
                let week = calendar.week(product.first);
                return Err(Place::file(path).line(product.first_line).column(&input.product.join(",")).error(format!(
                    "product {:?} has one week only ({week}); --drop-short 2 leaves such products out",
                    product.name
                )));
            }
            kept.push(None);
            continue;
        }
        kept.push(Some(products.len()));
        for (group, value) in groups.iter_mut().zip(product.groups) {
            group.values.push(value);
        }
        products.push(Product {
            name: product.name,
            first_week: product.first,
            rows: total..total + length,
        });
        total += length;
    }
    if products.is_empty() {
        return Err(Place::file(path).error(format!("no product has {least} weeks or more")));
    }

    let mut present = vec![false; total];
    let mut columns: Vec<Vec<f64>> = plan
        .slots
        .iter()
        .map(|slot| match slot.source {
            Source::Column(_) => vec![0.0; total],
            Source::Constant(number) => vec![number; total],
        })
        .collect();
    for (row, &product) in raw.product.iter().enumerate() {
        let Some(product) = kept[product].map(|at| &products[at]) else {
            continue;
        };
        let to =
            product.rows.start + usize::try_from(raw.week[row] - product.first_week).unwrap_or(0);
        present[to] = true;
        for (column, values) in columns.iter_mut().zip(&raw.values) {
            if let Some(value) = values.get(row) {
                column[to] = *value;
            }
        }
    }
    for (slot, (definition, column)) in plan.slots.iter().zip(&mut columns).enumerate() {
        let flag = definition.domain == Domain::Any
            && column.iter().all(|value| (0.0..=1.0).contains(value));
        if slot > 0 && !flag && matches!(definition.source, Source::Column(_)) {
            carry_forward(column, &present);
        }
    }
    if input.missing_is_zero {
        present.fill(true);
    }

    let mut columns = columns.into_iter().zip(&plan.slots);
    let mut next = || {
        columns
            .next()
            .map(|(values, slot)| (slot.name.clone(), values))
            .unwrap_or_default()
    };
    let (demand, price, cost) = (next().1, next().1, next().1);
    let cost = input.cost_share.map_or(cost, |share| {
        price.iter().map(|price| share * price).collect()
    });
    let censoring = Censoring {
        in_stock: input.in_stock.as_ref().map(|_| next().1),
        views_out: input.views_out.as_ref().map(|_| next().1),
        conversion: input.conversion.as_ref().map(|_| next().1),
    };
    let planned = std::iter::repeat_n(false, input.covariate.len())
        .chain(std::iter::repeat_n(true, input.planned.len()));
    let covariates = planned
        .map(|planned| {
            let (name, values) = next();
            Covariate {
                name,
                planned,
                values,
            }
        })
        .collect();
    Ok(Table {
        source: path.display().to_string(),
        calendar,
        rows_read: raw.product.len(),
        dropped: kept.iter().filter(|kept| kept.is_none()).count(),
        products,
        present,
        demand,
        is_sales: input.sales.is_some(),
        price,
        cost,
        covariates,
        censoring,
        groups,
    })
}

/// Repeats the last recorded value in weeks without a row; a product's first week is always recorded.
fn carry_forward(column: &mut [f64], present: &[bool]) {
    let mut last = 0.0;
    for (value, present) in column.iter_mut().zip(present) {
        if *present {
            last = *value;
        } else {
            *value = last;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "product,week,demand,price,cost,deal,note\n\
        a,1,3,2.5,1,0,x\n\
        a,2,0,2.5,1,1,x\n\
        b,2,7,1,0.5,0,y\n\
        a,5,4,2,1.5,0,x\n\
        b,3,1,1,0.5,0,y\n";

    fn read_text(text: impl AsRef<[u8]>, change: impl FnOnce(&mut Input)) -> Result<Table, String> {
        let mut input = Input::default();
        change(&mut input);
        read_from(text.as_ref(), Path::new("f.csv"), &input).map_err(|error| {
            assert_eq!(error.exit_code(), 2, "{error}");
            error.to_string()
        })
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn weeks_that_are_left_out_become_explicit() {
        let table = read_text(GOOD, |input| {
            input.planned = vec!["deal".to_owned()];
            input.group = vec!["note".to_owned()];
        })
        .unwrap();
        assert_eq!(table.products.len(), 2);
        assert_eq!(
            (table.products[0].first_week, table.products[0].rows.clone()),
            (1, 0..5)
        );
        assert_eq!(
            (table.products[1].first_week, table.products[1].rows.clone()),
            (2, 5..7)
        );
        assert_eq!(table.present, [true, true, false, false, true, true, true]);
        assert_eq!(table.demand, [3.0, 0.0, 0.0, 0.0, 4.0, 7.0, 1.0]);
        assert_eq!(table.price, [2.5, 2.5, 2.5, 2.5, 2.0, 1.0, 1.0]);
        assert_eq!(
            table.covariates[0].values,
            [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
        );
        assert_eq!(table.groups[0].values, ["x", "y"]);
        assert_eq!(
            (table.weeks(), table.missing(), table.rows_read),
            (Some((1, 5)), 2, 5)
        );
        let panel = table.panel().unwrap();
        assert_eq!((panel.products(), panel.weeks()), (2, 5));
        assert_eq!(
            (0..5)
                .map(|week| panel.present(1, week))
                .collect::<Vec<_>>(),
            [false, true, true, false, false]
        );
        assert!((panel.demand(1, 1) - 7.0).abs() < 1e-12);
        assert!((panel.demand(0, 4) - 4.0).abs() < 1e-12);
    }

    #[test]
    fn gzip_crlf_bom_and_semicolons_read_the_same() {
        let plain = read_text(GOOD, |_| {}).unwrap();
        assert_eq!(read_text(gzip(GOOD), |_| {}).unwrap(), plain);
        assert_eq!(
            read_text(GOOD.replace('\n', "\r\n"), |_| {}).unwrap(),
            plain
        );
        assert_eq!(read_text(format!("\u{feff}{GOOD}"), |_| {}).unwrap(), plain);
        assert_eq!(
            read_text(GOOD.replace(',', ";"), |input| input.delimiter =
                ";".to_owned())
            .unwrap(),
            plain
        );
    }

    #[test]
    fn lines_are_counted_as_editors_count_them() {
        let wrong = GOOD.replace("b,3,1,", "b,3,-1,");
        for text in [wrong.clone(), wrong.replace('\n', "\r\n")] {
            assert_eq!(
                read_text(&text, |_| {}).unwrap_err(),
                "f.csv:6: column \"demand\": \"-1\" is negative"
            );
        }
        let quoted = wrong
            .replacen(",x\n", ",\"x\ny\"\n", 1)
            .replacen("a,2", "\na,2", 1);
        assert!(
            read_text(&quoted, |_| {})
                .unwrap_err()
                .starts_with("f.csv:8:"),
            "{}",
            read_text(&quoted, |_| {}).unwrap_err()
        );
    }

    #[test]
    fn numbers_may_stand_for_columns() {
        let table = read_text(GOOD, |input| {
            input.price = "8".to_owned();
            input.cost_share = Some(0.5);
        })
        .unwrap();
        assert!(
            table.price.iter().all(|price| (price - 8.0).abs() < 1e-12)
                && table.cost.iter().all(|cost| (cost - 4.0).abs() < 1e-12)
        );
        let error = read_text(GOOD, |input| input.cost = Some("-1".to_owned())).unwrap_err();
        assert!(error.contains("--cost -1: is negative"), "{error}");
    }

    #[test]
    fn censored_sales_keep_what_the_correction_needs() {
        let text = "sku,date,sold,in,views,price,cost\nx,2024-01-01,3,0.5,20,2,1\nx,2024-01-15,4,1,0,2,1\n";
        let table = read_text(text, |input| {
            input.product = vec!["sku".to_owned()];
            input.week = "date".to_owned();
            input.sales = Some("sold".to_owned());
            input.in_stock = Some("in".to_owned());
            input.views_out = Some("views".to_owned());
            input.conversion = Some("0.1".to_owned());
        })
        .unwrap();
        assert!(table.is_sales);
        assert_eq!(
            table.censoring.in_stock.as_deref(),
            Some([0.5, 0.5, 1.0].as_slice())
        );
        assert_eq!(
            table.censoring.views_out.as_deref(),
            Some([20.0, 20.0, 0.0].as_slice())
        );
        assert_eq!(
            table.censoring.conversion.as_deref(),
            Some([0.1, 0.1, 0.1].as_slice())
        );
        assert_eq!(table.week(1).to_string(), "2024-01-08");
    }

    #[test]
    fn short_products_can_be_left_out() {
        let text = format!("{GOOD}c,9,1,1,1,0,z\n");
        let error = read_text(&text, |_| {}).unwrap_err();
        assert_eq!(
            error,
            "f.csv:7: column \"product\": product \"c\" has one week only (9); --drop-short 2 leaves such products out"
        );
        let table = read_text(&text, |input| input.drop_short = Some(2)).unwrap();
        assert_eq!((table.products.len(), table.dropped), (2, 1));
        assert!(
            read_text(&text, |input| input.drop_short = Some(99))
                .unwrap_err()
                .contains("no product has 99 weeks")
        );
    }

    #[test]
    fn year_and_week_in_one_number_is_told() {
        let text = "product,week,demand,price,cost\na,202352,1,1,1\na,202401,1,1,1\n";
        assert!(
            read_text(text, |_| {})
                .unwrap_err()
                .contains("year and week")
        );
    }

    #[test]
    fn a_week_without_a_row_can_mean_zero() {
        let table = read_text(GOOD, |input| input.missing_is_zero = true).unwrap();
        assert!(table.present.iter().all(|present| *present));
    }

    proptest! {
        #[test]
        fn random_damage_never_panics_and_never_passes_bad_numbers(
            place in 0usize..400, byte: u8, cut in 0usize..500, pack: bool, twice: bool,
        ) {
            let mut bytes = GOOD.as_bytes().to_vec();
            if twice { let copy = bytes.clone(); bytes.extend(copy); }
            let at = place % bytes.len();
            bytes[at] = byte;
            if pack {
                let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                packed.write_all(&bytes).unwrap();
                bytes = packed.finish().unwrap();
                let at = place % bytes.len();
                bytes[at] ^= byte;
            }
            bytes.truncate(cut.max(1));
            let input = Input {
                planned: vec!["deal".to_owned()],
                ..Input::default()
            };
            match read_from(bytes.as_slice(), Path::new("f.csv"), &input) {
                Err(error) => prop_assert!(error.exit_code() == 2 && error.to_string().starts_with("f.csv"), "{error}"),
                Ok(table) => {
                    let length = table.present.len();
                    for column in [&table.demand, &table.price, &table.cost, &table.covariates[0].values] {
                        prop_assert_eq!(column.len(), length);
                        prop_assert!(column.iter().all(|value| value.is_finite()));
                    }
                    prop_assert!(table.demand.iter().chain(&table.price).chain(&table.cost).all(|value| *value >= 0.0));
                    prop_assert_eq!(table.products.iter().map(|product| product.rows.len()).sum::<usize>(), length);
                    prop_assert!(table.products.iter().all(|product| product.rows.len() > 1));
                }
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read_from(bytes.as_slice(), Path::new("f.csv"), &Input::default());
        }
    }
}
