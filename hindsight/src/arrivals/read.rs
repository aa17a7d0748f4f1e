//! Receipt logs and saved models as arguments.

use std::io::Read;
use std::path::Path;

use ::arrivals::io::{self, ReadError, Receipts, SavedModel};
use ::arrivals::model::GenQot;

use crate::document::Run;
use crate::error::{CliError, Complain as _, Place};
use crate::table::Format;

/// How times are counted.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Counting {
    /// Count in days, not in weeks from Monday to Sunday; a saved model counts as it was fitted
    #[arg(long, help_heading = "Input")]
    days: bool,
    /// Count from the promised date, not from the order's: receipts may come before it
    #[arg(long, help_heading = "Input")]
    from_promise: bool,
}

impl Counting {
    pub(super) fn checked(self) -> io::Counting {
        io::Counting {
            days: self.days,
            from_promise: self.from_promise,
        }
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

impl Columns {
    fn named(&self) -> io::Columns {
        io::Columns {
            order: self.order.clone(),
            product: self.product.clone(),
            vendor: self.vendor.clone(),
            ordered: self.ordered.clone(),
            received: self.received.clone(),
            order_date: self.order_date.clone(),
            promised_date: self.promised_date.clone(),
            receipt_date: self.receipt_date.clone(),
            status: self.status.clone(),
            minimum: self.minimum.clone(),
            batch: self.batch.clone(),
            end: self.end.clone(),
        }
    }

    /// Reads a log; `known` are the vendors of a model, if it is to be read by one.
    pub(super) fn read(
        &self,
        run: &Run,
        file: &Path,
        counting: io::Counting,
        known: Option<&[String]>,
    ) -> Result<Receipts, CliError> {
        let mut sheet = self.format.open(run.inputs(), file)?;
        io::read(&mut sheet, &self.named(), counting, known).map_err(|error| match error {
            ReadError::Sheet(error) => error.into(),
            ReadError::End { text, problem } => CliError::argument("--end", text, problem),
            other => CliError::Input(other.to_string()),
        })
    }
}

/// Reads a model that `hindsight arrivals fit` has saved.
pub(crate) fn saved(run: &Run, path: &Path) -> Result<(SavedModel, GenQot), CliError> {
    let mut text = String::new();
    let read = run.inputs().open(path)?.read_to_string(&mut text);
    read.map_err(|error| CliError::reading(path, &error))?;
    SavedModel::from_json(&text).map_err(|error| Place::file(path).error(error))
}
