//! The inputs of a run.

use std::borrow::Cow;
use std::ops::Range;

use crate::error::Error;
use crate::kernel::real::Real;
use crate::kernel::{TILE, prefetch};
use crate::record::{Program, Shape};

use super::session::{Part, Pick};

/// The inputs of a run: arrays with lanes contiguous, borrowed where they are used as they are.
///
/// A run may take some of the lanes and some of the periods of its arrays: a [`Part`] copies nothing.
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
    /// The first lane of each group, and the number of lanes; none where all lanes are one group.
    pub(super) groups: Option<Vec<usize>>,
}

/// How the periods' inputs lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// `[period][input][lane]`
    ByInput,
    /// `[period][lane][input]`
    ByLane,
}

pub(super) fn check(array: &'static str, expected: usize, found: usize) -> Result<(), Error> {
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
            groups: None,
        }
    }

    /// Neighbouring lanes in groups of these sizes, in order: cohorts that share a limit, warehouses of a case, products of a vendor.
    /// [`lane_sum`](crate::Scalar::lane_sum) and [`lane_max`](crate::Scalar::lane_max) are over the lane's group. Without it all lanes
    /// of a run are one group.
    ///
    /// # Errors
    /// When a group is empty, or the sizes do not add up to the number of lanes.
    pub fn groups(mut self, sizes: &[usize]) -> Result<Self, Error> {
        if sizes.contains(&0) {
            return Err(Error::Empty("the number of lanes of a group"));
        }
        check("lanes of the groups", self.lanes, sizes.iter().sum())?;
        let mut first = 0;
        let starts = sizes.iter().map(|size| {
            first += size;
            first - size
        });
        let mut starts: Vec<usize> = starts.collect();
        starts.push(self.lanes);
        self.groups = Some(starts);
        Ok(self)
    }

    /// The same arrays, borrowed.
    pub(super) fn borrowed(&self) -> Batch<'_, F> {
        fn borrow<'s, T: Clone>(array: &'s Cow<'_, [T]>) -> Cow<'s, [T]> {
            Cow::Borrowed(array.as_ref())
        }
        Batch {
            shape: self.shape,
            lanes: self.lanes,
            horizon: self.horizon,
            lane: borrow(&self.lane),
            exo: borrow(&self.exo),
            order: self.order,
            shared: borrow(&self.shared),
            weights: self.weights.as_ref().map(borrow),
            selection: self.selection.as_ref().map(borrow),
            window: self.window.clone(),
            differentiate_inputs: self.differentiate_inputs,
            groups: self.groups.clone(),
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
    /// Made for mini-batches of lanes picked at random ([`Part::lanes`]): in rows of one input each, every number picked lies in
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

    /// Asks for the derivatives with respect to the inputs too.
    #[must_use]
    pub fn differentiate_inputs(mut self) -> Self {
        self.differentiate_inputs = true;
        self
    }

    /// The number of lanes that are run.
    pub(super) fn run_lanes(&self) -> usize {
        self.selection.as_ref().map_or(self.lanes, |s| s.len())
    }

    /// The number of periods that are run.
    pub(super) fn run_periods(&self) -> usize {
        self.window.len()
    }

    /// The lanes and periods of a part, and the sizes of its groups if there are any.
    pub(super) fn part(
        &self,
        part: &Part<'_>,
    ) -> Result<(Batch<'_, F>, Option<Vec<usize>>), Error> {
        let mut some = self.borrowed();
        if let Some(range) = &part.periods {
            some.window = self.window_of(range)?;
        }
        let exists = |what, all: &[usize], limit| match all.iter().find(|&&i| i >= limit) {
            Some(&index) => Err(Error::Range { what, index, limit }),
            None => Ok(()),
        };
        let sizes = |starts: &[usize]| starts.windows(2).map(|w| w[1] - w[0]).collect::<Vec<_>>();
        let mut groups = self.groups.as_deref().map(sizes);
        match (part.pick, &self.groups) {
            (Pick::All, _) => {}
            (Pick::Lanes(lanes), None) => {
                exists("lane", lanes, self.lanes)?;
                some.selection = Some(Cow::Owned(lanes.to_vec()));
            }
            (Pick::Lanes(_), Some(_)) => return Err(Error::LanesOfGroups),
            (Pick::Groups(picked), starts) => {
                let all = [0, self.lanes];
                let starts = starts.as_deref().unwrap_or(&all);
                exists("group", picked, starts.len() - 1)?;
                let lanes = picked.iter().flat_map(|&g| starts[g]..starts[g + 1]);
                some.selection = Some(Cow::Owned(lanes.collect()));
                groups = Some(picked.iter().map(|&g| starts[g + 1] - starts[g]).collect());
            }
        }
        if some.run_lanes() == 0 {
            return Err(Error::Empty("the number of lanes"));
        }
        if some.run_periods() == 0 {
            return Err(Error::Empty("the number of periods"));
        }
        Ok((some, groups))
    }

    /// The same lanes as runs of their own, one a group; weights stay what they are together.
    pub(super) fn one_by_one(&self, groups: Option<&[usize]>) -> Vec<Batch<'_, F>> {
        let Some(sizes) = groups else {
            return vec![self.borrowed()];
        };
        let lanes: Vec<usize> = match &self.selection {
            Some(lanes) => lanes.to_vec(),
            None => (0..self.lanes).collect(),
        };
        let mut rest = &lanes[..];
        let each = sizes.iter().map(|&size| {
            let (own, more) = rest.split_at(size);
            rest = more;
            let mut batch = self.borrowed();
            batch.selection = Some(Cow::Owned(own.to_vec()));
            let even = F::from_f64(1.0 / super::forward::lanes_as_f64(lanes.len()));
            batch
                .weights
                .get_or_insert_with(|| Cow::Owned(vec![even; self.lanes]));
            batch
        });
        each.collect()
    }

    /// A range of periods that exists.
    fn window_of(&self, range: &Range<usize>) -> Result<Range<usize>, Error> {
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
        Ok(range.clone())
    }

    /// One input of a period of the arrays.
    pub(super) fn exo_at(&self, period: usize, input: usize, lane: usize) -> F {
        let (inputs, lanes) = (self.shape.exo, self.lanes);
        self.exo[match self.order {
            Order::ByInput => (period * inputs + input) * lanes + lane,
            Order::ByLane => (period * lanes + lane) * inputs + input,
        }]
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

    /// Whether the batch was made for a program of this shape and has something to run.
    pub(super) fn validate(&self, program: &Program) -> Result<(), Error> {
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
