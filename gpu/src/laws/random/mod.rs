//! Random programs, and the same programs in any number type. What is not in [`laws`](super) serves this crate's own tests.

#![allow(
    missing_docs,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "this crate's own tests"
)]

mod arrays;
mod case;
mod instruction;
mod interpret;

pub use arrays::{Arrays, cast, distance};
pub use case::{Case, Instruction, Kind, Kinds, Next, programs};
pub use interpret::{Outcome, Pair};
