//! Receipt logs: one row per receipt, or one row per order line with its delivery date.

use std::path::Path;

use ::arrivals::{Book, Clash, Gathering, Line};
use serde::{Deserialize, Serialize};

use crate::error::CliError;
use crate::inputs::Inputs;
use crate::sheet::{Calendar, Domain, Format, Row, Sheet, Week, shorten};

/// How times are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::Args, Serialize, Deserialize)]
pub(super) struct Counting {
    /// Count in days, not in weeks from Monday to Sunday; a saved model counts as it was fitted
    #[arg(long, help_heading = "Input")]
    pub(super) days: bool,
    /// Count from the promised date, not from the order's: receipts may come before it
    #[arg(long, help_heading = "Input")]
    pub(super) from_promise: bool,
}

impl Counting {
    /// The unit, and from what it counts.
    pub(super) fn words(self) -> [&'static str; 2] {
        let unit = if self.days { "days" } else { "weeks" };
        [
            unit,
            if self.from_promise {
                "promised date"
            } else {
                "order"
            },
        ]
    }
}

/// The columns of a receipt log.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Input")]
pub(super) struct Columns {
    /// Column of the order's number; with the product it names an order line
    #[arg(long, value_name = "COLUMN", default_value = "order")]
    order: String,
    /// Column of the product [default: product, where there is one]
    #[arg(long, value_name = "COLUMN")]
    product: Option<String>,
    /// Column of the vendor
    #[arg(long, value_name = "COLUMN", default_value = "vendor")]
    vendor: String,
    /// Column of the units ordered
    #[arg(long, value_name = "COLUMN", default_value = "ordered")]
    ordered: String,
    /// Column of the units received [default: received, where there is one; without it each order line is one row, delivered whole on its date]
    #[arg(long, value_name = "COLUMN")]
    received: Option<String>,
    /// Column of the order's date [default: order_date; not needed where times count from the promised date]
    #[arg(long, value_name = "COLUMN")]
    order_date: Option<String>,
    /// Column of the promised date; the first row of an order counts [default: promised_date, where there is one]
    #[arg(long, value_name = "COLUMN")]
    promised_date: Option<String>,
    /// Column of the receipt's date; empty where nothing has been received
    #[arg(long, value_name = "COLUMN", default_value = "receipt_date")]
    receipt_date: String,
    /// Column with what is special of a row: open, closed or cancelled (nothing more comes), return (left out) [default: status, where there is one]
    #[arg(long, value_name = "COLUMN")]
    status: Option<String>,
    /// Column of the smallest order [default: minimum, where there is one]
    #[arg(long, value_name = "COLUMN")]
    minimum: Option<String>,
    /// Column of the batch [default: batch, where there is one]
    #[arg(long, value_name = "COLUMN")]
    batch: Option<String>,
    /// The last date of which receipts were recorded [default: the last date of an order or a receipt]
    #[arg(long, value_name = "DATE")]
    end: Option<String>,
    #[command(flatten)]
    format: Format,
}

/// Reads a log, and the number of rows of returns, which are left out; `known` are the vendors of a model, if it is to be read by one.
pub(super) fn read(
    inputs: &Inputs,
    file: &Path,
    columns: &Columns,
    counting: Counting,
    known: Option<&[String]>,
) -> Result<(Book, usize), CliError> {
    let mut sheet = Sheet::open(inputs, file, &columns.format)?;
    let at = Places::new(&sheet, columns, counting)?;
    let wrong = |text: &str, problem: String| CliError::argument("--end", text, problem);
    let end = columns.end.clone().map(|text| {
        let week = Week::parse(&text).ok_or_else(|| wrong(&text, NO_DATE.to_owned()));
        week.map(|week| (week, text))
    });
    let mut dates = Dates {
        days: counting.days,
        calendar: None,
        end: end.transpose()?,
        last: None,
    };
    let (mut lines, mut returns) = (Gathering::default(), 0);
    while let Some(row) = sheet.next_row()? {
        let Some(closed) = status(&row, at.status)? else {
            returns += 1;
            continue;
        };
        let line = line(&row, &at, counting, &mut dates)?;
        if known.is_some_and(|known| !known.contains(&line.vendor)) {
            let problem = format!("the model knows no vendor {}", shorten(&line.vendor));
            return Err(row.place(at.vendor).error(problem));
        }
        lines
            .add(row.line(), Line { closed, ..line })
            .map_err(|clash| {
                let column = match clash {
                    Clash::Vendor { .. } => at.vendor,
                    Clash::Units { .. } => at.ordered,
                    Clash::Placed { .. } => at.placed,
                    _ => at.order,
                };
                let text = shorten(row.text(column));
                row.place(column).error(format!("{text} {clash}"))
            })?;
    }
    let end = dates.end()?.or(dates.last);
    let end = end.ok_or_else(|| sheet.file().error("holds no order and no receipt"))?;
    let lines = lines.finish();
    let mut vendors: Vec<String> = lines.iter().map(|line| line.vendor.clone()).collect();
    vendors.sort();
    vendors.dedup();
    let vendors = known.map_or(vendors, <[String]>::to_vec);
    let year = if counting.days { 365.2425 } else { 52.1775 };
    let book = Book::new(lines, vendors, dates.period(end), year);
    Ok((book.map_err(|e| sheet.file().error(e))?, returns))
}

/// The order line of a row, with its receipt or none.
fn line(
    row: &Row<'_>,
    at: &Places,
    counting: Counting,
    dates: &mut Dates,
) -> Result<Line, CliError> {
    for column in [at.order, at.vendor, at.ordered] {
        if row.text(column).is_empty() {
            return Err(row.place(column).error("is empty"));
        }
    }
    let units = row.number(at.ordered, Domain::Positive)?;
    let placed = if counting.from_promise {
        dates.read_any(row, at.placed)?
    } else {
        dates.read(row, at.placed)?
    };
    let receipt = receipt(row, at, units, dates)?;
    if receipt.is_some_and(|(day, _)| day < placed) && !counting.from_promise {
        let [date, order] = [at.receipt, at.placed].map(|column| shorten(row.text(column)));
        let problem = format!("{date} is before the order, {order}");
        return Err(row.place(at.receipt).error(problem));
    }
    let some = |column: Option<usize>| column.filter(|&column| !row.text(column).is_empty());
    let amount = |column| some(column).map_or(Ok(0.0), |column| row.number(column, Domain::Amount));
    let promised = some(at.promised).map(|column| dates.read_any(row, column));
    let promised = promised.transpose()?;
    let receipts = receipt.into_iter();
    Ok(Line {
        order: row.text(at.order).to_owned(),
        product: at.product.map_or("", |column| row.text(column)).to_owned(),
        vendor: row.text(at.vendor).to_owned(),
        units,
        minimum: amount(at.minimum)?,
        batch: amount(at.batch)?,
        placed: dates.period(placed),
        promised: promised.map(|day| dates.period(day)),
        receipts: receipts
            .map(|(day, units)| (dates.period(day), units))
            .collect(),
        closed: false,
    })
}

/// Where the columns are.
struct Places {
    order: usize,
    product: Option<usize>,
    vendor: usize,
    ordered: usize,
    received: Option<usize>,
    placed: usize,
    promised: Option<usize>,
    receipt: usize,
    status: Option<usize>,
    minimum: Option<usize>,
    batch: Option<usize>,
}

impl Places {
    fn new(sheet: &Sheet, columns: &Columns, counting: Counting) -> Result<Self, CliError> {
        let needed =
            |given: &str, name: &str| sheet.column(given, &format!("--{}", name.replace('_', "-")));
        let optional = |given: &Option<String>, name: &str| match given {
            None if !sheet.names().iter().any(|own| own == name) => Ok(None),
            given => needed(given.as_deref().unwrap_or(name), name).map(Some),
        };
        let (order, promise) = (&columns.order_date, &columns.promised_date);
        let (placed, name, promised) = if counting.from_promise {
            (promise, "promised_date", None)
        } else {
            (order, "order_date", optional(promise, "promised_date")?)
        };
        Ok(Places {
            order: needed(&columns.order, "order")?,
            product: optional(&columns.product, "product")?,
            vendor: needed(&columns.vendor, "vendor")?,
            ordered: needed(&columns.ordered, "ordered")?,
            received: optional(&columns.received, "received")?,
            placed: needed(placed.as_deref().unwrap_or(name), name)?,
            promised,
            receipt: needed(&columns.receipt_date, "receipt_date")?,
            status: optional(&columns.status, "status")?,
            minimum: optional(&columns.minimum, "minimum")?,
            batch: optional(&columns.batch, "batch")?,
        })
    }
}

const OTHERWISE: &str = "is not written as the dates before it are";
const NO_DATE: &str = "is no date (2024-01-31), ISO week (2024-W05) or number";

/// Dates of one notation.
struct Dates {
    days: bool,
    calendar: Option<Calendar>,
    end: Option<(Week, String)>,
    /// The last date of an order or a receipt.
    last: Option<i64>,
}

impl Dates {
    /// A date's place in the calendar, whenever it is.
    fn read_any(&mut self, row: &Row<'_>, column: usize) -> Result<i64, CliError> {
        let text = shorten(row.text(column));
        let wrong = |problem: String| row.place(column).error(problem);
        let week =
            Week::parse(row.text(column)).ok_or_else(|| wrong(format!("{text} {NO_DATE}")))?;
        let calendar = self.calendar.get_or_insert_with(|| match week {
            Week::Day(day) => Calendar::days(day, 0),
            other => other.calendar(),
        });
        if matches!(calendar, Calendar::IsoWeeks(_)) && self.days {
            return Err(wrong(format!("{text} is a week; --days needs dates")));
        }
        calendar
            .place(week)
            .map_err(|_| wrong(format!("{text} {OTHERWISE}")))
    }

    /// The same, no later than the end of the data.
    fn read(&mut self, row: &Row<'_>, column: usize) -> Result<i64, CliError> {
        let place = self.read_any(row, column)?;
        self.last = self.last.max(Some(place));
        match (self.end()?, &self.end) {
            (Some(end), Some((_, words))) if place > end => {
                let text = shorten(row.text(column));
                Err(row
                    .place(column)
                    .error(format!("{text} is after the end of the data, {words}")))
            }
            _ => Ok(place),
        }
    }

    fn end(&self) -> Result<Option<i64>, CliError> {
        let (Some(calendar), Some((end, text))) = (self.calendar, &self.end) else {
            return Ok(None);
        };
        let place = calendar.place(*end);
        place
            .map(Some)
            .map_err(|_| CliError::argument("--end", text, OTHERWISE))
    }

    /// The period of a place.
    fn period(&self, place: i64) -> i64 {
        match (self.calendar, self.days) {
            (Some(Calendar::Days(first)), true) => first + place,
            // 1970-01-01 was a Thursday.
            (Some(Calendar::Days(first)), false) => (first + place + 3).div_euclid(7),
            (Some(Calendar::IsoWeeks(first)), _) => (first + 3).div_euclid(7) + place,
            _ => place,
        }
    }
}

/// Whether nothing more comes of a row's order; none for a return.
fn status(row: &Row<'_>, column: Option<usize>) -> Result<Option<bool>, CliError> {
    let Some(column) = column else {
        return Ok(Some(false));
    };
    match row.text(column).to_ascii_lowercase().as_str() {
        "" | "open" => Ok(Some(false)),
        "closed" | "cancelled" | "canceled" => Ok(Some(true)),
        "return" | "returned" => Ok(None),
        other => {
            let text = shorten(other);
            Err(row
                .place(column)
                .error(format!("{text} is none of open, closed, cancelled, return")))
        }
    }
}

/// The date and the units of a row's receipt; none where there is none yet.
fn receipt(
    row: &Row<'_>,
    at: &Places,
    ordered: f64,
    dates: &mut Dates,
) -> Result<Option<(i64, f64)>, CliError> {
    let given = at.received.filter(|&column| !row.text(column).is_empty());
    let negative = |column| {
        row.number(column, Domain::Any)
            .is_ok_and(|units| units < 0.0)
    };
    if let Some(column) = given.filter(|&column| negative(column)) {
        let text = shorten(row.text(column));
        return Err(row.place(column).error(format!(
            "{text} is negative: a return needs a status that says so"
        )));
    }
    let units = given
        .map(|column| row.number(column, Domain::Amount))
        .transpose()?;
    match (row.text(at.receipt).is_empty(), units, at.received) {
        (true, Some(units), _) if units > 0.0 => Err(row
            .place(at.receipt)
            .error("is empty, but units were received")),
        (true, ..) => Ok(None),
        (false, None, Some(column)) => Err(row
            .place(column)
            .error("is empty, but the receipt has a date")),
        (false, units, _) => Ok(Some((
            dates.read(row, at.receipt)?,
            units.unwrap_or(ordered),
        ))),
    }
}
