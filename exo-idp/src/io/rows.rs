//! The rows of a sales table, one after another: every damaged field ends in an error that names file, line and column.
//!
//! Rows of a product stand in the order of weeks; products may be mixed. Nothing is guessed: a field that is no number is an error, not
//! a gap.

use std::collections::{HashMap, HashSet};

use super::arrange::{Raw, Seen, arrange};
use super::columns::{Columns, Settings};
use super::daily::to_weeks;
use super::error::{ReadError, RowProblem};
use super::order::{no_week, out_of_order};
use super::places::{Places, Source};
use super::sheet::{Domain, Marks, Row, Sheet};
use super::table::SalesTable;
use super::weekday::Weekday;
use crate::backtest::Notice;
use crate::calendar::{Calendar, Week};

/// Rows between two calls of the caller's progress.
const PROGRESS_EVERY: usize = 1 << 16;

/// Reads a sales table to its end. Now and then `progress` is told how many rows have been read.
///
/// The rows of a product stand in the order of weeks, oldest or newest first; products may be mixed. A week without a row between a product's first
/// and last has no known demand, or none at all ([`Settings::missing_is_zero`]). Products whose demand is known in no week, which have too few weeks, or
/// which are recorded years apart from most are left out, with a [`Notice`]. Memory grows with the rows; time too.
///
/// # Errors
/// What [`Columns::check`] says; a column that is not there; a field that is empty, no number of its kind or no week; weeks of a product that are repeated or out of
/// order; a table without a row, or without a product of weeks enough whose demand is known.
pub fn read(
    sheet: &mut Sheet,
    columns: &Columns,
    settings: &Settings,
    mut progress: impl FnMut(u64),
) -> Result<SalesTable, ReadError> {
    columns.check()?;
    let file = sheet.file().clone();
    let places = Places::new(sheet, columns)?;
    let mut rows = Rows {
        raw: Raw {
            values: vec![Vec::new(); places.slots.len()],
            ..Raw::default()
        },
        daily: settings.daily,
        marks: vec![sheet.marks(); places.slots.len()],
        ..Rows::default()
    };
    while let Some(row) = sheet.next_row()? {
        rows.add(&row, &places)?;
        let read = rows.raw.product.len();
        if read.is_multiple_of(PROGRESS_EVERY) {
            progress(u64::try_from(read).unwrap_or(u64::MAX));
        }
    }
    let Some(calendar) = rows.calendar else {
        return Err(ReadError::NoRows { file });
    };
    let mut notices = rows.doubts(&places);
    notices.extend(rows.no_53rd(calendar));
    let mut weeks = (calendar, rows.products, rows.raw);
    if let Calendar::Days(origin) = calendar {
        let (_, products, raw) = weeks;
        let zero = settings.missing_is_zero;
        let (calendar, products, raw, notice) = to_weeks(origin, products, &raw, &places, zero);
        weeks = (calendar, products, raw);
        notices.push(notice);
    }
    let (calendar, products, raw) = weeks;
    let mut table = arrange(&file, columns, settings, &places, calendar, products, &raw)?;
    table.notices.splice(0..0, notices);
    Ok(table)
}

/// What has been read.
#[derive(Debug, Default)]
struct Rows {
    raw: Raw,
    products: Vec<Seen>,
    /// The number of each product, by its name and by the parts that make it.
    index: HashMap<String, (Vec<String>, usize)>,
    calendar: Option<Calendar>,
    /// The weekday on which weeks begin, where rows are days.
    daily: Option<Weekday>,
    /// What marks in the numbers of every slot may mean.
    marks: Vec<Marks>,
    /// Whether the weeks of a product fall from row to row (newest first); known once a product has two rows.
    falling: Option<bool>,
}

impl Rows {
    fn add(&mut self, row: &Row<'_>, places: &Places) -> Result<(), ReadError> {
        let parts = product_parts(row, places)?;
        let text = row.text(places.week);
        let wrong = |problem| ReadError::row(row, places.week, problem);
        let week = Week::parse(text).ok_or_else(|| wrong(no_week(text)))?;
        let calendar = *self
            .calendar
            .get_or_insert_with(|| match (self.daily, week) {
                (Some(weekday), Week::Day(day)) => weekday.days(day),
                (Some(weekday), _) => weekday.days(0),
                (None, _) => week.calendar(),
            });
        let place = calendar.place(week).map_err(|error| wrong(error.into()))?;
        let product = self.product(parts, place, row, places)?;
        let seen = &mut self.products[product];
        if seen.count > 0 {
            let falling = *self.falling.get_or_insert(place < seen.latest);
            let problem = out_of_order(seen, product, week, place, falling, calendar, &self.raw);
            if let Some(problem) = problem {
                return Err(wrong(problem));
            }
            for (&column, first) in places.groups.iter().zip(&seen.groups) {
                if row.text(column) != first {
                    let problem = RowProblem::OtherTrait {
                        text: row.text(column).to_owned(),
                        product: seen.name.clone(),
                        first: first.clone(),
                        line: seen.first_line,
                    };
                    return Err(ReadError::row(row, column, problem));
                }
            }
        }
        (seen.first, seen.last) = (seen.first.min(place), seen.last.max(place));
        (seen.latest, seen.last_line, seen.count) = (place, row.line(), seen.count + 1);
        self.raw.product.push(product);
        self.raw.week.push(place);
        self.raw.line.push(row.line());
        let slots = places.slots.iter().zip(&mut self.marks);
        for ((slot, marks), values) in slots.zip(&mut self.raw.values) {
            if let Source::Column(column) = slot.source {
                values.push(row.number(column, slot.domain)?);
                marks.see(row.text(column));
            }
        }
        Ok(())
    }

    /// Columns of units or money whose decimal marks may be those of thousands.
    fn doubts(&self, places: &Places) -> Vec<Notice> {
        let slots = places.slots.iter().zip(&self.marks);
        let amounts =
            slots.filter(|(slot, _)| matches!(slot.domain, Domain::Amount | Domain::Positive));
        let doubts = amounts.filter_map(|(slot, marks)| {
            Some(Notice::ThreeDecimals {
                column: slot.name.clone(),
                example: marks.thousands()?.to_owned(),
            })
        });
        doubts.collect()
    }

    /// The first 53rd week of an ISO year within the record of which there is no row at all.
    fn no_53rd(&self, calendar: Calendar) -> Option<Notice> {
        let Calendar::IsoWeeks(_) = calendar else {
            return None;
        };
        let first = self.products.iter().map(|product| product.first).min()?;
        let last = self.products.iter().map(|product| product.last).max()?;
        let weeks: HashSet<i64> = self.raw.week.iter().copied().collect();
        let missing = (first..last).map(|place| (place, calendar.week(place)));
        let mut missing = missing.filter(|(place, week)| week.is_53rd() && !weeks.contains(place));
        missing.next().map(|(_, week)| Notice::NoWeek53 {
            week: week.to_string(),
        })
    }

    /// The number of a product, which may be new.
    fn product(
        &mut self,
        parts: Vec<String>,
        place: i64,
        row: &Row<'_>,
        places: &Places,
    ) -> Result<usize, ReadError> {
        let name = parts.join("/");
        if let Some((own, product)) = self.index.get(name.as_str()) {
            if *own == parts {
                return Ok(*product);
            }
            let column = places.product.first().copied().unwrap_or_default();
            let other = own.clone();
            let problem = RowProblem::SameName { parts, other, name };
            return Err(ReadError::row(row, column, problem));
        }
        self.index
            .insert(name.clone(), (parts, self.products.len()));
        let groups = places
            .groups
            .iter()
            .map(|&column| row.text(column).to_owned());
        self.products.push(Seen {
            name,
            first: place,
            last: place,
            latest: place,
            count: 0,
            first_line: row.line(),
            last_line: row.line(),
            groups: groups.collect(),
        });
        Ok(self.products.len() - 1)
    }
}

fn product_parts(row: &Row<'_>, places: &Places) -> Result<Vec<String>, ReadError> {
    let part = |&column: &usize| match row.text(column) {
        "" => Err(ReadError::row(row, column, RowProblem::Empty)),
        part => Ok(part.to_owned()),
    };
    places.product.iter().map(part).collect()
}
