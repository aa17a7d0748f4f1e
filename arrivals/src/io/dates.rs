//! Dates of one notation, and the periods in which they lie.

use std::ops::Range;

use exo_idp::calendar::{Calendar, Week};

use super::error::{ReadError, RowProblem};
use super::sheet::Row;

/// The dates of a log.
pub(super) struct Dates {
    days: bool,
    calendar: Option<Calendar>,
    end: Option<(Week, String)>,
    /// The last date of an order or a receipt.
    last: Option<i64>,
}

impl Dates {
    /// No date yet; `end` is the last of which receipts were recorded.
    pub(super) fn new(days: bool, end: Option<&str>) -> Result<Self, ReadError> {
        let end = end.map(|text| match Week::parse(text) {
            Some(week) => Ok((week, text.to_owned())),
            None => Err(ReadError::end(text, |text| RowProblem::NoDate { text })),
        });
        Ok(Dates {
            days,
            calendar: None,
            end: end.transpose()?,
            last: None,
        })
    }

    /// A date's place in the calendar, whenever it is.
    pub(super) fn read_any(&mut self, row: &Row<'_>, column: usize) -> Result<i64, ReadError> {
        let text = || row.text(column).to_owned();
        let wrong = |problem| ReadError::row(row, column, problem);
        let week = Week::parse(row.text(column));
        let week = week.ok_or_else(|| wrong(RowProblem::NoDate { text: text() }))?;
        let calendar = self.calendar.get_or_insert_with(|| match week {
            Week::Day(day) => Calendar::days(day, 0),
            other => other.calendar(),
        });
        if matches!(calendar, Calendar::IsoWeeks(_)) && self.days {
            return Err(wrong(RowProblem::WeekForDays { text: text() }));
        }
        let place = calendar.place(week);
        place.map_err(|_| wrong(RowProblem::Notation { text: text() }))
    }

    /// The same, no later than the end of the data.
    pub(super) fn read(&mut self, row: &Row<'_>, column: usize) -> Result<i64, ReadError> {
        let place = self.read_any(row, column)?;
        self.last = self.last.max(Some(place));
        match (self.end()?, &self.end) {
            (Some(end), Some((_, words))) if place > end => {
                let (text, end) = (row.text(column).to_owned(), words.clone());
                Err(ReadError::row(
                    row,
                    column,
                    RowProblem::AfterEnd { text, end },
                ))
            }
            _ => Ok(place),
        }
    }

    /// The end of the data.
    pub(super) fn last(&self) -> Result<Option<i64>, ReadError> {
        Ok(self.end()?.or(self.last))
    }

    fn end(&self) -> Result<Option<i64>, ReadError> {
        let (Some(calendar), Some((end, text))) = (self.calendar, &self.end) else {
            return Ok(None);
        };
        let place = calendar.place(*end).map(Some);
        place.map_err(|_| ReadError::end(text, |text| RowProblem::Notation { text }))
    }

    /// The period of a place.
    pub(super) fn period(&self, place: i64) -> i64 {
        match (self.calendar, self.days) {
            (Some(Calendar::Days(first)), true) => first + place,
            (Some(Calendar::Days(first)), false) => week_of(first + place),
            (Some(Calendar::IsoWeeks(first)), _) => week_of(first) + place,
            _ => place,
        }
    }
}

/// The number of the week of a day; 1970-01-01 was a Thursday.
fn week_of(day: i64) -> i64 {
    (day + 3).div_euclid(7)
}

/// The times of the year, as shares of it, of the weeks of a calendar at some places: as a log that counts in weeks has them.
///
/// ```
/// use hindsight_arrivals::exo_idp::calendar::Week;
/// use hindsight_arrivals::io::seasons;
/// let first = Week::parse("2024-01-01").expect("a date");
/// let seasons = seasons(first.calendar(), 0..53);
/// assert!((seasons[52] - seasons[0]).abs() < 0.01);
/// ```
#[must_use]
pub fn seasons(calendar: Calendar, places: Range<i64>) -> Vec<f64> {
    let week = |place: i64| match calendar {
        Calendar::Dates(first) | Calendar::IsoWeeks(first) => week_of(first) + place,
        Calendar::Days(first) => week_of(first + place),
        Calendar::Numbers => place,
    };
    #[expect(clippy::cast_precision_loss, reason = "weeks far below 2^52")]
    let season = |place: i64| (week(place) as f64).rem_euclid(YEAR) / YEAR;
    places.map(season).collect()
}

/// Weeks of a year.
pub(super) const YEAR: f64 = 52.1775;
