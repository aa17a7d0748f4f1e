//! The weeks of a replay.

use std::ops::Range;

/// Which weeks are scored, and how many before them a policy sees.
///
/// In the weeks of warm-up the record flows into the policy's memory, but nothing is ordered or sold: every policy meets the
/// first scored week with the same stock and the same outstanding orders. A policy that ordered before it is watched could
/// be paid for stock that it bought in a cheap week.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Window {
    /// Weeks whose reward counts.
    pub scored: Range<usize>,
    /// Weeks seen before them; fewer where the panel begins later.
    pub warm_up: usize,
}

impl Window {
    /// All weeks that are seen.
    #[must_use]
    pub fn seen(&self) -> Range<usize> {
        self.scored.start.saturating_sub(self.warm_up)..self.scored.end
    }
}
