//! Laws for property tests of your own executors, operations and programs: feature `proptest`.
//!
//! A strategy draws programs ([`programs`]: every operation of the engine over a growing pool of values, states, delays and layers, with the
//! numbers to run them on); a law takes *your* executor, operation or program, and fails with what it saw. This crate's own executors are held to the
//! same functions.
//!
//! | law | says |
//! |---|---|
//! | [`executor_agrees`] | an executor gives the values and the gradients of the processor in double precision, and the same bits twice |
//! | [`gradient_is_right`] | a program's gradient is the slope of its objective, along random directions |
//! | [`derivative_is_right`] | an operation's vector-Jacobian product is the slope of what it returns |
//!
//! Test your own operation in fifteen lines:
//!
//! ```
//! use hindsight_gpu::laws;
//! use hindsight_gpu::record::CustomOp;
//! use proptest::{collection::vec, test_runner::TestRunner};
//!
//! /// The hypotenuse of two numbers.
//! #[derive(Debug)]
//! struct Hypot;
//! impl CustomOp for Hypot {
//!     fn outputs(&self) -> usize { 1 }
//!     fn forward(&self, x: &[f64], y: &mut [f64]) { y[0] = x[0].hypot(x[1]); }
//!     fn vjp(&self, x: &[f64], y: &[f64], dy: &[f64], dx: &mut [f64]) {
//!         dx[0] = dy[0] * x[0] / y[0];
//!         dx[1] = dy[0] * x[1] / y[0];
//!     }
//! }
//!
//! // In a test: `proptest! { #[test] fn holds(x in vec(0.5_f64..2.0, 2)) { ... } }`.
//! TestRunner::default().run(&vec(0.5_f64..2.0, 2), |x| laws::derivative_is_right(&Hypot, &x))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod agreement;
mod slope;

#[doc(hidden)]
pub mod random;

pub use agreement::{executor_agrees, gradients_agree, values_agree};
pub use random::{Arrays, Case, Kinds, programs};
pub use slope::{derivative_is_right, gradient_is_right};
