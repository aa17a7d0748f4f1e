//! What a policy is: an order from what is seen.

use gpu::{DelayLine, Scalar};

use crate::period::Position;
use crate::signals::Signals;

/// What a policy sees when it orders: its inventory, and signals from the exogenous record.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a, S> {
    /// The inventory.
    pub inventory: &'a Position<S>,
    /// The policy's own signals of this week.
    pub signals: &'a [S],
}

/// A policy: an order from what is seen, written once for every number type.
///
/// ```
/// use hindsight_gpu::{DelayLine, Scalar};
/// use hindsight_exo_idp::policy::{Policy, Observation};
///
/// /// Orders what brings the position to twice last week's demand, which is its only signal.
/// #[derive(Debug)]
/// struct TwiceLastWeek {
///     signals: hindsight_exo_idp::policy::Signals,
/// }
/// impl Policy for TwiceLastWeek {
///     fn name(&self) -> &str { "twice last week" }
///     fn signals(&self) -> Option<&hindsight_exo_idp::policy::Signals> { Some(&self.signals) }
///     fn order<S: Scalar>(&self, _: &[S], seen: &Observation<'_, S>, _: &mut [DelayLine<S>]) -> S {
///         (seen.signals[0] * S::constant(2.0) - seen.inventory.position).relu()
///     }
/// }
/// ```
pub trait Policy: std::fmt::Debug + Sync {
    /// Its name in tables.
    fn name(&self) -> &str;

    /// Its parameters.
    fn theta(&self) -> &[f64] {
        &[]
    }

    /// The signals that it reads.
    fn signals(&self) -> Option<&Signals> {
        None
    }

    /// The number of values whose past it keeps.
    fn delay_lines(&self) -> usize {
        0
    }

    /// Whether it is large enough to be worth recording as a program; otherwise it is run on SIMD lanes as it is.
    fn is_network(&self) -> bool {
        false
    }

    /// The order, in units.
    fn order<S: Scalar>(
        &self,
        theta: &[S],
        seen: &Observation<'_, S>,
        memory: &mut [DelayLine<S>],
    ) -> S;
}
