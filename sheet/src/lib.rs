#![doc = include_str!("../README.md")]
//! # Where to begin
//!
//! `cargo add hindsight-sheet`, then:
//!
//! | I want to | begin with |
//! |---|---|
//! | open a table, packed or not | [`Sheet::open`], [`Sheet::from_reader`] |
//! | open one whose separator and decimal mark are not known | [`Sheet::recognised`] |
//! | find a column by name | [`Sheet::column`] |
//! | read rows with the place of what is wrong | [`Sheet::next_row`], [`Row::number`] |
//! | know whether a comma is a decimal mark | [`Marks`], [`Domain`] |
//!
//! # What to take instead
//!
//! Columns of tables in memory, joins, group by: [polars](https://docs.rs/polars). Records into structs by serde: [csv](https://docs.rs/csv).
#![forbid(unsafe_code)]

mod dialect;
mod error;
mod format;
mod gzip;
mod header;
mod lines;
mod number;
mod packed;
mod sheet;
mod source;
mod zstd;

pub use error::{Place, Problem, SheetError, shorten};
pub use format::Format;
pub use number::{Domain, Marks, NumberProblem};
pub use packed::unpacked;
pub use sheet::{Row, Sheet};
