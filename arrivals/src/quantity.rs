//! Quantity over time: what a vendor supplies of an order, and when.

use exo_idp::market::{Market, MarketInputs};
use exo_idp::period::Position;
use exo_idp::policy::Signals;
use exo_idp::replay::Quantity;
use exo_idp::{Arrivals, Outcomes, Paths};
use gpu::{DelayLine, Scalar};

use crate::error::{Argument, ArrivalsError, length, within};

/// Orders that a vendor supplies up to a limit, in pieces over the weeks after the order.
///
/// With the order $\tilde a_t$ (after [`PostProcess`](exo_idp::market::PostProcess), which stands before this market), the limit $U_t$ and
/// the shares $\rho_{tj}$, $j = 0, \dots, L$:
/// $$ q_t = \min(U_t, \tilde a_t), \qquad o_{tj} = q_t \rho_{tj} \text{ arrives in week } t + j. $$
///
/// Where the shares sum to one this is the paper's quantity-over-time model (arXiv:2310.17168): $q_t$ is paid. Shares that sum to more are
/// delivery in excess, to less an order that is not filled; what is delivered is paid. Both are exogenous and differ by product, sample
/// and week. A lead time is the special case of one share of one and no limit: the same bits as the plain replay.
///
/// An order above $U$ is free and has no gradient; training may let it grow. [`Outcomes`] keeps what was asked for beside what was supplied.
///
/// ```
/// use hindsight_arrivals::exo_idp::panel::Columns;
/// use hindsight_arrivals::exo_idp::policy::{BaseStock, Signals};
/// use hindsight_arrivals::exo_idp::{Conventions, LeadTimes, Panel, Paths, Replay, Window};
/// use hindsight_arrivals::{QuantityOverTime, in_transit};
/// use hindsight_gpu::Device;
///
/// let columns = Columns {
///     demand: vec![4.0; 30],
///     price: vec![10.0; 30],
///     cost: vec![6.0; 30],
///     present: vec![true; 30],
///     covariates: vec![],
/// };
/// let panel = Panel::new(vec!["tea".into()], 30, columns)?;
/// let paths = Paths::new(&panel, &LeadTimes::new(vec![0.0, 1.0, 0.0], 0.0, 0)?, 1)?;
/// let replay = Replay::new(&paths, Conventions::default(), Window { scored: 2..30, warm_up: 2 }, &[4.0])?;
/// // Half after a week, half after two, never more than five units an order.
/// let limit = Signals::constant(30, 1, 1, |_, _| 5.0);
/// let shares = Signals::constant(30, 3, 1, |k, _| [0.0, 0.5, 0.5][k]);
/// let market = QuantityOverTime::new(limit, shares)?;
/// let policy = BaseStock::new("base stock", 1.0, Signals::constant(30, 1, 1, |_, _| 20.0));
/// let outcomes = replay.run_in(&policy, &market, &Device::cpu(1))?;
/// assert!(in_transit(&outcomes, 0, 0, 8.0) > 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct QuantityOverTime {
    limit: Signals,
    shares: Signals,
}

impl QuantityOverTime {
    /// The market of a limit in units (one row, infinite for none) and shares (a row for each of 0, 1, … weeks after the order), by week
    /// and product, or by week and lane.
    ///
    /// # Errors
    /// A limit of another number of rows than one, no share, other weeks in the two, a number that is negative or not a number, a share that
    /// is infinite.
    pub fn new(limit: Signals, shares: Signals) -> Result<Self, ArrivalsError> {
        length(Argument::Limit, 1, limit.rows())?;
        length(Argument::Weeks, limit.weeks(), shares.weeks())?;
        if shares.rows() == 0 {
            let argument = Argument::Share;
            return Err(ArrivalsError::Empty { argument });
        }
        for week in 0..limit.weeks() {
            for (index, &units) in limit.row(week, 0).iter().enumerate() {
                within(Argument::Limit, index, units, [0.0, f64::INFINITY])?;
            }
            for row in 0..shares.rows() {
                for (index, &share) in shares.row(week, row).iter().enumerate() {
                    within(Argument::Share, index, share, [0.0, f64::MAX])?;
                }
            }
        }
        Ok(QuantityOverTime { limit, shares })
    }

    /// The market of exogenous arrivals without a limit, on the paths' own lanes: the same arrivals as a part of the state.
    ///
    /// # Errors
    /// Shares that are negative or not finite.
    pub fn of(paths: &Paths<'_>, arrivals: &dyn Arrivals) -> Result<Self, ArrivalsError> {
        let (weeks, products) = (paths.weeks(), paths.panel().products());
        let each = arrivals.max_lead_time() + 1;
        let before = i64::try_from(weeks.start).unwrap_or(i64::MAX);
        let mut all = vec![0.0; paths.lanes() * weeks.len() * each];
        for (lane, run) in all.chunks_exact_mut(weeks.len() * each).enumerate() {
            arrivals.run(lane % products, lane / products, before, run);
        }
        let lanes = paths.lanes();
        let panel = paths.panel().weeks();
        let shares = Signals::from_fn(panel, each, lanes, |week, k, lane| {
            match week.checked_sub(weeks.start) {
                Some(week) if week < weeks.len() => all[(lane * weeks.len() + week) * each + k],
                _ => 0.0,
            }
        });
        let limit = Signals::constant(panel, 1, lanes, |_, _| f64::INFINITY);
        QuantityOverTime::new(limit, shares)
    }
}

impl Market for QuantityOverTime {
    fn signals(&self) -> Vec<&Signals> {
        vec![&self.limit, &self.shares]
    }

    fn rows(&self) -> usize {
        1 + self.shares.rows()
    }

    #[inline(always)]
    fn order<S: Scalar>(&self, inputs: &MarketInputs<'_, S>, order: S) -> S {
        order.min(inputs.rows[0])
    }

    fn delivers(&self) -> bool {
        true
    }

    #[inline(always)]
    fn deliver<S: Scalar>(
        &self,
        inputs: &MarketInputs<'_, S>,
        _: &Position<S>,
        _: S,
        _: &mut [DelayLine<S>],
        shares: &mut [S],
    ) {
        let own = inputs.rows[1..].iter().copied();
        let none = std::iter::repeat(S::constant(0.0));
        for (share, own) in shares.iter_mut().zip(own.chain(none)) {
            *share = own;
        }
    }
}

/// Units of a product and sample that are on their way when a replay ends, given those that were on their way when it began.
///
/// All that vendors supplied in the weeks of the replay and had on the way before, less all that was received.
///
/// # Panics
/// Like an index into an array, when there is no such product or sample.
#[must_use]
pub fn in_transit(outcomes: &Outcomes, product: usize, sample: usize, before: f64) -> f64 {
    outcomes.scored().fold(before, |open, week| {
        let of = |quantity| outcomes.sample(quantity, product, sample, week);
        open + of(Quantity::Supplied) - of(Quantity::Received)
    })
}
