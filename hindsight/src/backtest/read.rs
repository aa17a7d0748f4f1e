//! A sales file into a [`Table`]: every damaged field ends in an error that names file, line and column.
//!
//! Rows of a product stand in the order of weeks; products may be mixed. Nothing is guessed: a field that is no number is an error, not
//! a gap.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::arrange::{Raw, Seen, arrange};
use super::daily::to_weeks;
use super::data::Table;
use super::input::Input;
use super::plan::{Plan, Source};
use crate::error::{CliError, Complain as _};
use crate::inputs::Inputs;
use crate::progress::Progress;
use sheet::{Domain, Marks, Row, Sheet, shorten};

use super::week::{Calendar, Week, Weekday};
use exo_idp::backtest::Notice;

/// So many weeks without a row are taken for a mistake.
const LONGEST_GAP: i64 = 520;
/// Rows between two looks at the progress.
const PROGRESS_EVERY: usize = 1 << 16;

/// Reads the file at `path` as `input` says.
///
/// # Errors
///
/// [`CliError::Input`] for anything wrong in the file or with its columns, [`CliError::System`] if the disk fails.
pub(crate) fn read(inputs: &Inputs, path: &Path, input: &Input) -> Result<Table, CliError> {
    input.check()?;
    read_from(input.format.open(inputs, path)?, input)
}

/// Reads an open sheet.
///
/// # Errors
///
/// As [`read`].
pub(crate) fn read_from(mut sheet: Sheet, input: &Input) -> Result<Table, CliError> {
    let file = sheet.file().clone();
    let plan = Plan::new(&sheet, input)?;
    let mut rows = Rows {
        raw: Raw {
            values: vec![Vec::new(); plan.slots.len()],
            ..Raw::default()
        },
        daily: input.daily,
        marks: vec![Marks::new(input.format.decimal_comma); plan.slots.len()],
        ..Rows::default()
    };
    let progress = Progress::new("reading rows", None);
    while let Some(row) = sheet.next_row()? {
        rows.add(&row, &plan)?;
        if rows.raw.product.len().is_multiple_of(PROGRESS_EVERY) {
            progress.step(u64::try_from(PROGRESS_EVERY).unwrap_or(0));
        }
    }
    progress.finish();
    let Some(calendar) = rows.calendar else {
        return Err(file.error("has a header and no rows"));
    };
    let mut notes = rows.doubts(&plan);
    notes.extend(rows.no_53rd(calendar).map(|notice| notice.to_string()));
    let mut weeks = (calendar, rows.products, rows.raw);
    if let Calendar::Days(origin) = calendar {
        let (_, products, raw) = weeks;
        let zero = input.missing_is_zero;
        let (calendar, products, raw, note) = to_weeks(origin, products, &raw, &plan, zero);
        weeks = (calendar, products, raw);
        notes.push(note);
    }
    let (calendar, products, raw) = weeks;
    let mut table = arrange(file.path(), input, &plan, calendar, products, &raw)?;
    table.notes.splice(0..0, notes);
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
    fn add(&mut self, row: &Row<'_>, plan: &Plan) -> Result<(), CliError> {
        let parts = product_parts(row, plan)?;
        let text = row.text(plan.week);
        let week = Week::parse(text).ok_or_else(|| {
            let problem = no_week(text);
            row.place(plan.week)
                .error(format!("{} {problem}", shorten(text)))
        })?;
        let calendar = *self
            .calendar
            .get_or_insert_with(|| match (self.daily, week) {
                (Some(weekday), Week::Day(day)) => weekday.days(day),
                (Some(weekday), _) => weekday.days(0),
                (None, _) => week.calendar(),
            });
        let place = calendar
            .place(week)
            .map_err(|problem| row.place(plan.week).error(problem))?;
        let product = self.product(parts, place, row, plan)?;
        let seen = &mut self.products[product];
        if seen.count > 0 {
            let falling = *self.falling.get_or_insert(place < seen.latest);
            let problem = out_of_order(seen, product, week, place, falling, calendar, &self.raw);
            if let Some(problem) = problem {
                return Err(row.place(plan.week).error(problem));
            }
            for (&column, first) in plan.groups.iter().zip(&seen.groups) {
                if row.text(column) != first {
                    return Err(row.place(column).error(format!(
                        "{}, but product {:?} had {first:?} on line {}",
                        shorten(row.text(column)),
                        seen.name,
                        seen.first_line
                    )));
                }
            }
        }
        (seen.first, seen.last) = (seen.first.min(place), seen.last.max(place));
        (seen.latest, seen.last_line, seen.count) = (place, row.line(), seen.count + 1);
        self.raw.product.push(product);
        self.raw.week.push(place);
        self.raw.line.push(row.line());
        let slots = plan.slots.iter().zip(&mut self.marks);
        for ((slot, marks), values) in slots.zip(&mut self.raw.values) {
            if let Source::Column(column) = slot.source {
                values.push(row.number(column, slot.domain)?);
                marks.see(row.text(column));
            }
        }
        Ok(())
    }

    /// Columns of units or money whose decimal marks may be those of thousands.
    fn doubts(&self, plan: &Plan) -> Vec<String> {
        let slots = plan.slots.iter().zip(&self.marks);
        let amounts =
            slots.filter(|(slot, _)| matches!(slot.domain, Domain::Amount | Domain::Positive));
        let doubts = amounts.filter_map(|(slot, marks)| {
            Some(Notice::ThreeDecimals {
                column: slot.name.clone(),
                example: marks.thousands()?.to_owned(),
            })
        });
        doubts.map(|notice| notice.to_string()).collect()
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
        plan: &Plan,
    ) -> Result<usize, CliError> {
        let name = parts.join("/");
        if let Some((own, product)) = self.index.get(name.as_str()) {
            if *own == parts {
                return Ok(*product);
            }
            let column = plan.product.first().copied().unwrap_or_default();
            return Err(row.place(column).error(format!(
                "{parts:?} and {own:?} make the same name {name:?}: rename one of them"
            )));
        }
        self.index
            .insert(name.clone(), (parts, self.products.len()));
        let groups = plan
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

/// What is wrong with a text that is no week.
fn no_week(text: &str) -> &'static str {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.trim().split_once(['W', 'w']) {
        Some((year, week)) if digits(year.trim_end_matches('-')) && digits(week) => {
            "is no ISO week: years have 52 or 53, from 01 on, the first that of 4 January; give dates where weeks are numbered in another way"
        }
        _ => "is neither a whole number nor a date like 2017-08-15",
    }
}

fn product_parts(row: &Row<'_>, plan: &Plan) -> Result<Vec<String>, CliError> {
    let part = |&column: &usize| match row.text(column) {
        "" => Err(row.place(column).error("is empty")),
        part => Ok(part.to_owned()),
    };
    plan.product.iter().map(part).collect()
}

/// What is wrong with the order of a product's weeks, if anything.
fn out_of_order(
    seen: &Seen,
    product: usize,
    week: Week,
    place: i64,
    falling: bool,
    calendar: Calendar,
    raw: &Raw,
) -> Option<String> {
    let name = &seen.name;
    // The weeks from the row before to this one, in the direction of the file.
    let step = if falling {
        seen.latest - place
    } else {
        place - seen.latest
    };
    let before = calendar.week(seen.latest);
    if step <= 0 {
        let twin =
            (0..raw.week.len()).find(|&row| raw.product[row] == product && raw.week[row] == place);
        return Some(match twin {
            Some(row) if week.begins_anew(before) => format!(
                "week {week} of product {name:?} follows {before} and is already on line {}: weeks of a year that begin anew are not consecutive, give dates or a running number (where several columns make a product, --product names them all: store,item)",
                raw.line[row]
            ),
            Some(row) => format!(
                "product {name:?} has week {week} already on line {}: a duplicated row (where several columns make a product, --product names them all: store,item)",
                raw.line[row]
            ),
            None => format!(
                "week {week} of product {name:?} comes after week {before} on line {}: sort the rows of each product by week",
                seen.last_line
            ),
        });
    }
    let gap = step - 1;
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
