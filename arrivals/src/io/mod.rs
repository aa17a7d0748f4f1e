//! Receipt logs as people keep them, read from tables; saved models with their vendors.
//!
//! A row is a receipt, or an order line that was delivered whole: [`Columns`] says which column is what, [`Counting`] how times are counted. An order without a receipt is
//! open; a return is left out and counted.
//!
//! ```
//! use hindsight_arrivals::io::{Columns, Counting, read};
//! use hindsight_arrivals::io::sheet::{Format, Sheet};
//!
//! let text = "order,vendor,ordered,received,order_date,receipt_date\n\
//!             1,V,10,4,2024-01-01,2024-01-15\n\
//!             1,V,10,6,2024-01-01,2024-01-22\n\
//!             2,V,10,,2024-01-20,\n";
//! let open = |text: &'static str| Sheet::from_reader(text.as_bytes(), "log.csv", Format::default());
//! let found = read(&mut open(text)?, &Columns::default(), Counting::default(), None)?;
//! let log = found.book.log(found.book.longest())?;
//! assert_eq!(log.orders()[0].receipts.len(), 2);
//! assert_eq!(log.orders()[1].seen_until, Some(1));
//!
//! let early = "order,vendor,ordered,received,order_date,receipt_date\n1,V,10,4,2024-01-15,2024-01-01\n";
//! let wrong = read(&mut open(early)?, &Columns::default(), Counting::default(), None).unwrap_err();
//! assert_eq!(wrong.to_string(), r#"log.csv:2: column "receipt_date": "2024-01-01" is before the order, "2024-01-15""#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod dates;
mod error;
mod saved;

pub extern crate hindsight_sheet as sheet;

pub use dates::seasons;
pub use error::{ReadError, RowProblem};
pub use saved::SavedModel;

use crate::book::{Book, Line};
use crate::gather::{Clash, Gathering};
use dates::Dates;
use sheet::{Domain, Row, Sheet};

/// How times are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counting {
    /// In days, not in weeks from Monday to Sunday.
    pub days: bool,
    /// From the promised date, not from the order's: receipts may come before it.
    pub from_promise: bool,
}

impl Counting {
    /// Days or weeks.
    #[must_use]
    pub fn unit(self) -> &'static str {
        if self.days { "days" } else { "weeks" }
    }
}

/// The names of the columns of a receipt log. Columns that are not given are taken where they are there under their usual name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The order's number; with the product it names an order line. Default `order`.
    pub order: String,
    /// The product; usually `product`.
    pub product: Option<String>,
    /// The vendor. Default `vendor`.
    pub vendor: String,
    /// Units ordered. Default `ordered`.
    pub ordered: String,
    /// Units received; usually `received`. Without it each order line is one row, delivered whole on its date.
    pub received: Option<String>,
    /// The order's date; usually `order_date`. Not needed where times count from the promised date.
    pub order_date: Option<String>,
    /// The promised date, that of an order's first row; usually `promised_date`.
    pub promised_date: Option<String>,
    /// The receipt's date, empty where nothing has been received. Default `receipt_date`.
    pub receipt_date: String,
    /// `open`, `closed` or `cancelled` (nothing more comes), `return` (left out); usually `status`.
    pub status: Option<String>,
    /// The smallest order; usually `minimum`.
    pub minimum: Option<String>,
    /// The batch; usually `batch`.
    pub batch: Option<String>,
    /// The last date of which receipts were recorded; by default the last date of an order or a receipt.
    pub end: Option<String>,
}

impl Default for Columns {
    fn default() -> Self {
        let name = str::to_owned;
        Columns {
            order: name("order"),
            product: None,
            vendor: name("vendor"),
            ordered: name("ordered"),
            received: None,
            order_date: None,
            promised_date: None,
            receipt_date: name("receipt_date"),
            status: None,
            minimum: None,
            batch: None,
            end: None,
        }
    }
}

/// A receipt log that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipts {
    /// Its orders.
    pub book: Book,
    /// Rows of returns, which were left out.
    pub returns: usize,
}

/// Reads a log; `known` are the vendors of a model, where the log is to be read by one.
///
/// # Errors
/// What is wrong with a row, with its line and column; an end of the data that is no date; a log without a date.
pub fn read(
    sheet: &mut Sheet,
    columns: &Columns,
    counting: Counting,
    known: Option<&[String]>,
) -> Result<Receipts, ReadError> {
    let at = Places::new(sheet, columns, counting)?;
    let mut dates = Dates::new(counting.days, columns.end.as_deref())?;
    let (mut lines, mut returns) = (Gathering::default(), 0);
    while let Some(row) = sheet.next_row()? {
        let Some(closed) = status(&row, at.status)? else {
            returns += 1;
            continue;
        };
        let line = line(&row, &at, counting, &mut dates)?;
        if known.is_some_and(|known| !known.contains(&line.vendor)) {
            let vendor = line.vendor;
            return Err(ReadError::row(
                &row,
                at.vendor,
                RowProblem::UnknownVendor { vendor },
            ));
        }
        let added = lines.add(row.line(), Line { closed, ..line });
        added.map_err(|clash| {
            let column = match clash {
                Clash::Vendor { .. } => at.vendor,
                Clash::Units { .. } => at.ordered,
                Clash::Placed { .. } => at.placed,
                Clash::Repeated { .. } => at.order,
            };
            let text = row.text(column).to_owned();
            ReadError::row(&row, column, RowProblem::Clash { text, clash })
        })?;
    }
    let file = sheet.file().clone();
    let Some(end) = dates.last()? else {
        return Err(ReadError::NoOrder { file });
    };
    let lines = lines.finish();
    let mut vendors: Vec<String> = lines.iter().map(|line| line.vendor.clone()).collect();
    vendors.sort();
    vendors.dedup();
    let vendors = known.map_or(vendors, <[String]>::to_vec);
    let year = if counting.days { 365.2425 } else { dates::YEAR };
    match Book::new(lines, vendors, dates.period(end), year) {
        Ok(book) => Ok(Receipts { book, returns }),
        Err(error) => Err(ReadError::Log {
            file,
            error: Box::new(error),
        }),
    }
}

/// The order line of a row, with its receipt or none.
fn line(
    row: &Row<'_>,
    at: &Places,
    counting: Counting,
    dates: &mut Dates,
) -> Result<Line, ReadError> {
    for column in [at.order, at.vendor, at.ordered] {
        if row.text(column).is_empty() {
            return Err(ReadError::row(row, column, RowProblem::Empty));
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
        let [date, order] = [at.receipt, at.placed].map(|column| row.text(column).to_owned());
        return Err(ReadError::row(
            row,
            at.receipt,
            RowProblem::BeforeOrder { date, order },
        ));
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
    fn new(sheet: &Sheet, columns: &Columns, counting: Counting) -> Result<Self, ReadError> {
        let needed = |given: &str, name: &str| sheet.column(given, name);
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

/// Whether nothing more comes of a row's order; none for a return.
fn status(row: &Row<'_>, column: Option<usize>) -> Result<Option<bool>, ReadError> {
    let Some(column) = column else {
        return Ok(Some(false));
    };
    match row.text(column).to_ascii_lowercase().as_str() {
        "" | "open" => Ok(Some(false)),
        "closed" | "cancelled" | "canceled" => Ok(Some(true)),
        "return" | "returned" => Ok(None),
        other => {
            let text = other.to_owned();
            Err(ReadError::row(row, column, RowProblem::Status { text }))
        }
    }
}

/// The date and the units of a row's receipt; none where there is none yet.
fn receipt(
    row: &Row<'_>,
    at: &Places,
    ordered: f64,
    dates: &mut Dates,
) -> Result<Option<(i64, f64)>, ReadError> {
    let given = at.received.filter(|&column| !row.text(column).is_empty());
    let negative = |column: &usize| {
        row.number(*column, Domain::Any)
            .is_ok_and(|units| units < 0.0)
    };
    if let Some(column) = given.filter(negative) {
        let text = row.text(column).to_owned();
        return Err(ReadError::row(row, column, RowProblem::Negative { text }));
    }
    let units = given
        .map(|column| row.number(column, Domain::Amount))
        .transpose()?;
    match (row.text(at.receipt).is_empty(), units, at.received) {
        (true, Some(units), _) if units > 0.0 => {
            Err(ReadError::row(row, at.receipt, RowProblem::NoDateOfReceipt))
        }
        (true, ..) => Ok(None),
        (false, None, Some(column)) => {
            Err(ReadError::row(row, column, RowProblem::NoUnitsReceived))
        }
        (false, units, _) => {
            let date = dates.read(row, at.receipt)?;
            Ok(Some((date, units.unwrap_or(ordered))))
        }
    }
}
