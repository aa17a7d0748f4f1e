//! Intervals, least squares, rank correlation, and draws that do not depend on order: what the other modules share.

pub(crate) mod binomial;
pub(crate) mod exact_sum;
pub(crate) mod identification;
pub(crate) mod interval;
pub(crate) mod par;
pub(crate) mod regress;
pub(crate) mod stream;

pub use identification::{Cause, Identification};
pub use interval::{
    BootstrapInterval, Interval, acceleration, bootstrap_interval, bootstrap_standard_error,
    clopper_pearson, wilson,
};
pub use regress::{Coefficient, Kendall, Ols, kendall};
pub use stream::{poisson_weight, text_key};
