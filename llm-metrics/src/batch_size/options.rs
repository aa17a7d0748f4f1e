//! Choices of the fit of steps against batch size.

/// The loss of the fit on residuals of log steps.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum FitLoss {
    /// Least squares, as in the authors' notebook.
    #[default]
    Squared,
    /// Huber's, quadratic up to the given size of a residual.
    Huber(f64),
}

/// Choices of a [`BatchFit`](crate::batch_size::BatchFit).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct BatchFitOptions {
    /// Loss on the residuals.
    pub loss: FitLoss,
    /// Whether the exponent of the batch size is fitted too; it is 1 in the paper's code and weakly identified with few points.
    pub free_exponent: bool,
}
