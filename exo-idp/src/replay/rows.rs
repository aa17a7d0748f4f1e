//! The numbers that every lane reads in a week, and their order.

use gpu::{Real, Scalar};

use super::bundle::Bundle;
use super::setup::Replay;
use crate::error::Error;
use crate::market::Market;
use crate::period::{Exo, Yields};
use crate::policy::{Policy, Signals};
use crate::states::States;

/// Rows before the arrivals: demand, price, cost, active; then, where some demand is not known, whether this is not.
const PLAIN: usize = 4;

/// The order of the rows: the plain ones, arrivals, the policy's signals, the market's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    longest: usize,
    /// Whether a row says where demand is not known.
    unknown: bool,
    arrivals: Arrivals,
    signals: usize,
    market: usize,
    own: usize,
}

/// Which rows say when orders arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrivals {
    /// What arrives of every earlier order, and what is outstanding.
    Full,
    /// The same, and what orders bring in all, and what of them is coming.
    Yields,
    /// The shares of this week's order, which a market may change: the rest is state.
    Delivered,
}

/// A week's rows, split.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split<'a, S> {
    pub(super) exo: Exo<'a, S>,
    pub(super) signals: &'a [S],
    pub(super) market: &'a [S],
}

impl Layout {
    /// The number of rows.
    pub(super) fn rows(&self) -> usize {
        let full = 2 * self.longest + 1;
        let arrivals = match self.arrivals {
            Arrivals::Full => full,
            Arrivals::Yields => full + 1 + self.longest,
            Arrivals::Delivered => self.longest + 1,
        };
        PLAIN + usize::from(self.unknown) + arrivals + self.signals + self.market
    }

    /// The rows of the state: on hand, book value, orders, schedule, the market's own.
    pub(super) fn states(&self) -> usize {
        States::inventory_rows(self.longest, self.scheduled()) + self.own
    }

    pub(super) fn scheduled(&self) -> bool {
        self.arrivals == Arrivals::Delivered
    }

    pub(super) fn max_lead_time(&self) -> usize {
        self.longest
    }

    /// Rows of the market's own state.
    pub(super) fn own(&self) -> usize {
        self.own
    }

    #[inline(always)]
    pub(super) fn split<'a, S: Scalar>(
        &self,
        rows: &'a [S],
        weight: S,
        terminal: S,
    ) -> Split<'a, S> {
        let (plain, rest) = rows.split_at(PLAIN);
        let (unknown, rest) = rest.split_at(usize::from(self.unknown));
        let (arriving, rest) = rest.split_at(self.longest + 1);
        let open = if self.scheduled() { 0 } else { self.longest };
        let (outstanding, rest) = rest.split_at(open);
        let (yields, rest) = match self.arrivals {
            Arrivals::Yields => {
                let supplied = rest[0];
                let (coming, rest) = rest[1..].split_at(self.longest);
                (Some(Yields { supplied, coming }), rest)
            }
            _ => (None, rest),
        };
        let (signals, market) = rest.split_at(self.signals);
        Split {
            exo: Exo {
                demand: plain[0],
                price: plain[1],
                cost: plain[2],
                active: plain[3],
                unknown: unknown.first().copied(),
                weight,
                terminal,
                arriving,
                outstanding,
                yields,
            },
            signals,
            market,
        }
    }
}

/// Numbers of a week by lane, wherever they lie.
#[derive(Debug, Clone, Copy)]
pub(super) enum Values<'a> {
    /// One cell of every product: `values[product * stride + at]`.
    Cells {
        values: &'a [f64],
        stride: usize,
        at: usize,
    },
    /// The same of a flag, set where either of two is; the second may be missing.
    Flags {
        values: [&'a [bool]; 2],
        stride: usize,
        at: usize,
    },
    /// By column: the products, again for every sample, or the lanes.
    Columns(&'a [f64]),
}

impl Values<'_> {
    /// Appends the numbers of all lanes.
    pub(super) fn append<F: Real>(self, lanes: usize, products: usize, out: &mut Vec<F>) {
        match self {
            Values::Cells { values, stride, at } => {
                out.extend((0..lanes).map(|l| F::from_f64(values[l % products * stride + at])));
            }
            Values::Flags { values, stride, at } => {
                let flag = |l: usize| either(values, l % products * stride + at);
                out.extend((0..lanes).map(|l| F::from_f64(flag(l))));
            }
            Values::Columns(values) => {
                out.extend((0..lanes).map(|l| F::from_f64(values[l % values.len()])));
            }
        }
    }

    /// The numbers of the lanes of a bundle; `products` are those of its lanes.
    #[inline(always)]
    fn load<S: Bundle>(self, first: usize, products: &[usize], buffer: &mut [f64]) -> S {
        match self {
            Values::Cells { values, stride, at } => {
                for (out, &product) in buffer.iter_mut().zip(products) {
                    *out = values[product * stride + at];
                }
            }
            Values::Flags { values, stride, at } => {
                for (out, &product) in buffer.iter_mut().zip(products) {
                    *out = either(values, product * stride + at);
                }
            }
            Values::Columns(values) if first + buffer.len() <= values.len() => {
                return S::load(&values[first..first + buffer.len()]);
            }
            Values::Columns(values) => {
                for (i, out) in buffer.iter_mut().enumerate() {
                    *out = values[(first + i) % values.len()];
                }
            }
        }
        S::load(buffer)
    }
}

/// 1 where either flag is set, else 0.
#[inline(always)]
fn either(flags: [&[bool]; 2], at: usize) -> f64 {
    let [first, second] = flags;
    f64::from(u8::from(
        first[at] || second.get(at).is_some_and(|&set| set),
    ))
}

/// Where the rows of a replay come from.
#[derive(Debug, Clone)]
pub(super) struct Source<'a> {
    replay: &'a Replay<'a>,
    layout: Layout,
    signals: Vec<&'a Signals>,
}

impl<'a> Source<'a> {
    /// The rows that a policy and a market read in a replay.
    ///
    /// # Errors
    /// When signals have no rows, or do not fit the panel.
    pub(super) fn new<P: Policy, M: Market>(
        replay: &'a Replay<'a>,
        policy: &'a P,
        market: &'a M,
    ) -> Result<Self, Error> {
        let paths = replay.paths();
        let arrivals = if market.delivers() || replay.opening().scheduled() {
            Arrivals::Delivered
        } else if paths.has_yields() {
            Arrivals::Yields
        } else {
            Arrivals::Full
        };
        let layout = Layout {
            longest: paths.max_lead_time(),
            unknown: paths.panel().has_unknown_demand(),
            arrivals,
            signals: policy.signals().map_or(0, Signals::rows),
            market: market.rows(),
            own: market.states(),
        };
        let mut signals: Vec<&Signals> = policy.signals().into_iter().collect();
        signals.extend(market.signals());
        for signals in &signals {
            if signals.rows() == 0 {
                return Err(Error::Empty("the rows of the signals"));
            }
            signals.check(
                paths.panel().weeks(),
                paths.panel().products(),
                paths.lanes(),
            )?;
        }
        Ok(Source {
            replay,
            layout,
            signals,
        })
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    pub(super) fn replay(&self) -> &'a Replay<'a> {
        self.replay
    }

    /// Visits the rows of a week in their order.
    #[inline(always)]
    pub(super) fn visit(&self, week: usize, mut row: impl FnMut(Values<'_>)) {
        let paths = self.replay.paths();
        let panel = paths.panel();
        let (stride, at) = (panel.weeks(), week);
        let (numbers, values) = panel.cells();
        for values in numbers {
            row(Values::Cells { values, stride, at });
        }
        row(Values::Flags { values, stride, at });
        if self.layout.unknown {
            let values = [values[1], &[]];
            row(Values::Flags { values, stride, at });
        }
        let longest = paths.max_lead_time();
        if self.layout.scheduled() {
            (0..=longest).for_each(|k| row(Values::Columns(paths.shares(week, k))));
        } else {
            (0..=longest).for_each(|k| row(Values::Columns(paths.arriving(week, k))));
            (0..longest).for_each(|k| row(Values::Columns(paths.outstanding(week, k))));
            if let Some(supplied) = paths.supplied(week) {
                row(Values::Columns(supplied));
                (0..longest).for_each(|k| row(Values::Columns(paths.coming(week, k))));
            }
        }
        for signals in &self.signals {
            (0..signals.rows()).for_each(|k| row(Values::Columns(signals.row(week, k))));
        }
    }

    /// Writes the rows of a week for a bundle whose first lane is `first`; `products` are those of its lanes.
    #[inline(always)]
    pub(super) fn load<S: Bundle>(
        &self,
        week: usize,
        first: usize,
        products: &[usize],
        buffer: &mut [f64],
        out: &mut [S],
    ) {
        let mut at = 0;
        self.visit(week, |values| {
            out[at] = values.load(first, products, buffer);
            at += 1;
        });
    }

    /// Weight of the reward, weight of the value of stock at the end, and whether the week is scored.
    pub(super) fn shared(&self, week: usize) -> [f64; 3] {
        let (weight, terminal) = self.replay.weights(week);
        let scored = self.replay.window().scored.contains(&week);
        [weight, terminal, f64::from(u8::from(scored))]
    }
}
