//! Number types for code that is written against [`Scalar`](crate::Scalar) and runs at once, without a recorder: derivatives by forward
//! mode, and several lanes at a time.
//!
//! [`Dual`] carries one derivative, [`Tangent`] one for each lane of [`Lanes`]; [`vectorize`] compiles what they are used in for the
//! instructions that the machine has. The plain types `f32` and `f64` are scalars too.

pub use crate::kernel::isa::vectorize;
pub use crate::scalar::{Dual, Lanes, Tangent};
