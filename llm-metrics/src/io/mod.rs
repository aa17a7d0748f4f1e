//! Readers for logs: JSON lines, CSV and lm-evaluation-harness samples, plain or compressed, in constant memory.

mod csv;
mod error;
mod frames;
mod harness;
mod json;
mod layout;
mod number;
mod open;
mod outcomes;
mod plain;
mod record;
mod records;
mod row;
mod rows;
mod scanner;
mod schema;
mod shape;
mod spans;
mod tool;
mod values;
mod zip;

pub use error::ReadError;
pub use open::{decompressed, open};
pub use outcomes::{Outcome, OutcomeFields, OutcomeReader};
pub use record::Record;
pub use records::CalibrationReader;
pub use row::{Cell, Row};
pub use rows::{Format, Rows};
pub use schema::{Fields, Schema};
pub use tool::Tool;

pub(crate) use rows::usual;
