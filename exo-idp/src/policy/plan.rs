//! What is known ahead.

/// What of the future is known when an order is placed: the retailer's own plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Plan {
    /// How many weeks ahead the planned covariates are known; those of the current week are always known.
    pub horizon: usize,
    /// Whether prices are planned too.
    pub price: bool,
}
