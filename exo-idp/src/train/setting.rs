//! What a back-test fixes for every policy.

use std::ops::Range;

use crate::arrivals::{Arrivals, LeadTimeLaw};
use crate::conventions::Conventions;
use crate::count::count;
use crate::error::Error;
use crate::opening::Opening;
use crate::panel::Panel;
use crate::paths::Paths;
use crate::policy::Plan;
use crate::replay::{Replay, Window};

/// What a back-test fixes for every policy: the record, the law of lead times, the conventions, what is planned, and the weeks
/// for training.
#[derive(Debug, Clone)]
pub struct Setting<'a> {
    /// The record.
    pub panel: &'a Panel,
    /// The law of lead times.
    pub lead_times: &'a dyn LeadTimeLaw,
    /// The conventions.
    pub conventions: Conventions,
    /// What is known ahead.
    pub plan: Plan,
    /// The training weeks; later ones are held out.
    pub weeks: Range<usize>,
    /// Weeks at the beginning of a replay that are seen and not scored.
    pub warm_up: usize,
    /// The stock that replays open with; `None` for a week's mean demand on hand and in every outstanding order.
    pub opening: Option<&'a Opening>,
}

impl Setting<'_> {
    /// Mean demand of every product in the training weeks, in units a week: the scale of opening stock and of constant orders.
    #[must_use]
    pub fn reference(&self) -> Vec<f64> {
        let mean = |product: usize| {
            let present = self
                .weeks
                .clone()
                .filter(|&w| self.panel.present(product, w));
            let (sum, n) = present.fold((0.0, 0), |(sum, n), w| {
                (sum + self.panel.demand(product, w), n + 1)
            });
            sum / count(n.max(1))
        };
        (0..self.panel.products()).map(mean).collect()
    }

    /// The longest lead time of any product.
    #[must_use]
    pub fn max_lead_time(&self) -> usize {
        let longest = |product: usize| {
            self.lead_times
                .probabilities(product)
                .len()
                .saturating_sub(1)
        };
        (0..self.panel.products()).map(longest).max().unwrap_or(0)
    }

    /// The replay of some weeks on some paths.
    ///
    /// # Errors
    /// As [`Replay::new`] and [`Replay::stocked`].
    pub fn replay<'p>(
        &self,
        paths: &'p Paths<'p>,
        scored: Range<usize>,
    ) -> Result<Replay<'p>, Error> {
        let window = Window {
            scored,
            warm_up: self.warm_up,
        };
        match self.opening {
            Some(opening) => Replay::stocked(paths, self.conventions, window, opening),
            None => Replay::new(paths, self.conventions, window, &self.reference()),
        }
    }

    /// The paths of replays of some weeks, those before that they see included.
    ///
    /// # Errors
    /// As [`Paths::over`].
    pub fn paths(
        &self,
        arrivals: &dyn Arrivals,
        samples: usize,
        scored: &Range<usize>,
    ) -> Result<Paths<'_>, Error> {
        let first = scored.start.saturating_sub(self.warm_up);
        Paths::over(self.panel, arrivals, samples, first..scored.end)
    }

    /// The training weeks that can be scored.
    #[must_use]
    pub fn scored(&self) -> Range<usize> {
        let start = self.weeks.start + self.warm_up;
        start.min(self.weeks.end.saturating_sub(1))..self.weeks.end
    }
}
