#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

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
