//! The inputs of a run.

use std::borrow::Cow;
use std::ops::Range;

use crate::error::Error;
use crate::kernel::real::Real;
use crate::kernel::{TILE, prefetch};
use crate::record::{Program, Shape};

/// The inputs of a run: arrays with lanes contiguous, borrowed where they are used as they are.
///
/// A run may take some of the lanes ([`select`](Batch::select)) and some of the periods ([`periods`](Batch::periods)) of its
/// arrays: a mini-batch copies nothing.
#[derive(Debug, Clone)]
pub struct Batch<'a, F: Real> {
    pub(super) shape: Shape,
    pub(super) lanes: usize,
    pub(super) horizon: usize,
    pub(super) lane: Cow<'a, [F]>,
    exo: Cow<'a, [F]>,
    order: Order,
    pub(super) shared: Cow<'a, [F]>,
    pub(super) weights: Option<Cow<'a, [F]>>,
    pub(super) selection: Option<Cow<'a, [usize]>>,
    pub(super) window: Range<usize>,
    pub(super) differentiate_inputs: bool,
}

/// How the periods' inputs lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// `[period][input][lane]`
    ByInput,
    /// `[period][lane][input]`
    ByLane,
}

fn check(array: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found {
        Ok(())
    } else {
        Err(Error::Length {
            array,
            expected,
            found,
        })
    }
}

impl<'a, F: Real> Batch<'a, F> {
    /// A batch of `lanes` lanes and `periods` periods whose inputs are all zero.
    #[must_use]
    pub fn new(program: &Program, lanes: usize, periods: usize) -> Self {
        let shape = program.shape();
        let zeros = |n: usize| Cow::Owned(vec![F::default(); n]);
        Batch {
            shape,
            lanes,
            horizon: periods,
            lane: zeros(shape.lane * lanes),
            exo: zeros(shape.exo * lanes * periods),
            order: Order::ByInput,
            shared: zeros(shape.shared * periods),
            weights: None,
            selection: None,
            window: 0..periods,
            differentiate_inputs: false,
        }
    }

    /// The lanes' own inputs, `[input][lane]`.
    ///
    /// # Errors
    /// When the array has the wrong length.
    pub fn lane(mut self, values: &'a [F]) -> Result<Self, Error> {
        check("lane", self.shape.lane * self.lanes, values.len())?;
        self.lane = Cow::Borrowed(values);
        Ok(self)
    }

    /// The inputs of every lane and period, `[period][input][lane]`.
    ///
    /// # Errors
    /// When the array has the wrong length.
    pub fn exo(self, values: &'a [F]) -> Result<Self, Error> {
        self.exo_in(Order::ByInput, values)
    }

    /// The same inputs with those of a lane side by side, `[period][lane][input]`.
    ///
    /// Made for mini-batches of lanes picked at random ([`select`](Batch::select)): in rows of one input each, every number picked lies in
    /// a cache line of its own. The results are the same bits.
    ///
    /// # Errors
    /// When the array has the wrong length.
    pub fn exo_by_lane(self, values: &'a [F]) -> Result<Self, Error> {
        self.exo_in(Order::ByLane, values)
    }

    fn exo_in(mut self, order: Order, values: &'a [F]) -> Result<Self, Error> {
        check(
            "exo",
            self.shape.exo * self.lanes * self.horizon,
            values.len(),
        )?;
        self.exo = Cow::Borrowed(values);
        self.order = order;
        Ok(self)
    }

    /// The inputs of every period that are the same for all lanes, `[period][input]`.
    ///
    /// # Errors
    /// When the array has the wrong length.
    pub fn shared(mut self, values: &'a [F]) -> Result<Self, Error> {
        check("shared", self.shape.shared * self.horizon, values.len())?;
        self.shared = Cow::Borrowed(values);
        Ok(self)
    }

    /// The weight of each lane in the differentiated objective, `[lane]`; without it, one over the number of lanes run.
    ///
    /// # Errors
    /// When the array has the wrong length.
    pub fn weights(mut self, values: &'a [F]) -> Result<Self, Error> {
        check("weights", self.lanes, values.len())?;
        self.weights = Some(Cow::Borrowed(values));
        Ok(self)
    }

    /// Runs these lanes only, in this order; a lane may appear more than once.
    ///
    /// # Errors
    /// When a lane does not exist.
    pub fn select(mut self, lanes: &'a [usize]) -> Result<Self, Error> {
        if let Some(&index) = lanes.iter().find(|&&i| i >= self.lanes) {
            return Err(Error::Range {
                what: "lane",
                index,
                limit: self.lanes,
            });
        }
        self.selection = Some(Cow::Borrowed(lanes));
        Ok(self)
    }

    /// Runs these periods only.
    ///
    /// # Errors
    /// When the range ends after the last period, or before it starts.
    pub fn periods(mut self, range: Range<usize>) -> Result<Self, Error> {
        if range.start > range.end {
            return Err(Error::Range {
                what: "start of periods",
                index: range.start,
                limit: range.end + 1,
            });
        }
        if range.end > self.horizon {
            return Err(Error::Range {
                what: "end of periods",
                index: range.end,
                limit: self.horizon + 1,
            });
        }
        self.window = range;
        Ok(self)
    }

    /// Asks for the derivatives with respect to the inputs too.
    #[must_use]
    pub fn differentiate_inputs(mut self) -> Self {
        self.differentiate_inputs = true;
        self
    }

    /// The number of lanes that are run.
    #[must_use]
    pub fn run_lanes(&self) -> usize {
        self.selection.as_ref().map_or(self.lanes, |s| s.len())
    }

    /// The number of periods that are run.
    #[must_use]
    pub fn run_periods(&self) -> usize {
        self.window.len()
    }

    /// Copies the values of lanes `first..first + count` of the run out of one row, and repeats the last to fill `out`.
    pub(super) fn gather(&self, row: &[F], first: usize, count: usize, out: &mut [F]) {
        match &self.selection {
            None => out[..count].copy_from_slice(&row[first..first + count]),
            Some(lanes) => {
                for (o, &lane) in out.iter_mut().zip(&lanes[first..first + count]) {
                    *o = row[lane];
                }
            }
        }
        let last = out[count - 1];
        out[count..].fill(last);
    }

    /// Writes the inputs of a period of the run to `out`, a row each, for lanes `first..first + count` of the run; the last
    /// lane fills up the rows. Asks for those of the next period.
    pub(super) fn gather_exo(&self, period: usize, first: usize, count: usize, out: &mut [F]) {
        let inputs = self.shape.exo;
        let each = inputs * self.lanes;
        let values = &self.exo[(self.window.start + period) * each..][..each];
        let next = self.exo.get((self.window.start + period + 1) * each..);
        let ask = |from: usize, count: usize| {
            if let Some(next) = next.and_then(|next| next.get(from..from + count)) {
                prefetch::numbers(next);
            }
        };
        match self.order {
            Order::ByInput => {
                let rows = out
                    .chunks_exact_mut(TILE)
                    .zip(values.chunks_exact(self.lanes));
                for (k, (out, row)) in rows.enumerate() {
                    self.gather(row, first, count, out);
                    if self.selection.is_none() {
                        ask(k * self.lanes + first, count);
                    }
                }
            }
            Order::ByLane => {
                for i in 0..count {
                    let lane = self.selection.as_ref().map_or(first + i, |s| s[first + i]);
                    let values = &values[lane * inputs..][..inputs];
                    for (row, &value) in out.chunks_exact_mut(TILE).zip(values) {
                        row[i] = value;
                    }
                    ask(lane * inputs, inputs);
                }
                for row in out.chunks_exact_mut(TILE).take(inputs) {
                    let last = row[count - 1];
                    row[count..].fill(last);
                }
            }
        }
    }

    pub(super) fn validate(&self, program: &Program, params: usize) -> Result<(), Error> {
        check("params", program.shape().params, params)?;
        let (own, wanted) = (self.shape, program.shape());
        check("lane inputs of the batch's program", wanted.lane, own.lane)?;
        check("exo inputs of the batch's program", wanted.exo, own.exo)?;
        check(
            "shared inputs of the batch's program",
            wanted.shared,
            own.shared,
        )?;
        if self.run_lanes() == 0 {
            return Err(Error::Empty("the number of lanes"));
        }
        if self.run_periods() == 0 {
            return Err(Error::Empty("the number of periods"));
        }
        Ok(())
    }
}
