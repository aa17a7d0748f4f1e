//! Readers for logs: JSON lines, CSV and lm-evaluation-harness samples, plain or compressed, in constant memory.

mod error;
mod json;
mod layout;
mod number;
mod open;
mod plain;
mod record;
mod records;
mod row;
mod rows;
mod scanner;
mod schema;
mod shape;
mod spans;
mod values;

pub use error::ReadError;
pub use open::{decompressed, open};
pub use record::Record;
pub use records::CalibrationReader;
pub use row::{Cell, Row};
pub use rows::{Format, Rows};
pub use schema::{Fields, Schema};
