//! The inputs of a run.

use std::borrow::Cow;
use std::ops::Range;

use crate::error::Error;
use crate::kernel::prefetch;
use crate::kernel::real::Real;
use crate::record::{Program, Shape};

use super::inputs::{Inputs, Order};
use super::part::{Part, Pick};
use super::picks::Picks;

/// The inputs of a run: arrays with lanes contiguous, borrowed where they are used as they are.
///
/// A run may take some of the lanes and some of the periods of its arrays: a [`Part`] copies nothing.
#[derive(Debug, Clone)]
pub struct Batch<'a, F: Real> {
    pub(super) shape: Shape,
    pub(super) lanes: usize,
    pub(super) horizon: usize,
    pub(super) lane: Inputs<'a, F>,
    pub(super) exo: Inputs<'a, F>,
    pub(super) shared: Cow<'a, [F]>,
    pub(super) weights: Option<Cow<'a, [F]>>,
    pub(super) selection: Option<Cow<'a, [usize]>>,
    pub(super) window: Range<usize>,
    pub(super) differentiate_inputs: bool,
    /// The first lane of each group, and the number of lanes; none where all lanes are one group.
    pub(super) groups: Option<Vec<usize>>,
    /// The number of groups that the shared inputs are given for, where each has its own.
    pub(super) shared_groups: Option<usize>,
    /// The groups that are run, where they were picked.
    pub(super) picked: Option<Vec<usize>>,
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
            lane: Inputs::zeros(shape.lane, lanes, 1),
            exo: Inputs::zeros(shape.exo, lanes, periods),
            shared: zeros(shape.shared * periods),
            weights: None,
            selection: None,
            window: 0..periods,
            differentiate_inputs: false,
            groups: None,
            shared_groups: None,
            picked: None,
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
        if let Some(given) = self.shared_groups {
            check("groups of the shared inputs", given, sizes.len())?;
        }
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
        fn borrow<T: Clone>(array: &[T]) -> Cow<'_, [T]> {
            Cow::Borrowed(array)
        }
        Batch {
            shape: self.shape,
            lanes: self.lanes,
            horizon: self.horizon,
            lane: self.lane.borrowed(),
            exo: self.exo.borrowed(),
            shared: borrow(&self.shared),
            weights: self.weights.as_deref().map(borrow),
            selection: self.selection.as_deref().map(borrow),
            window: self.window.clone(),
            differentiate_inputs: self.differentiate_inputs,
            groups: self.groups.clone(),
            shared_groups: self.shared_groups,
            picked: self.picked.clone(),
        }
    }

    /// The lanes' own inputs, `[input][lane]`.
    ///
    /// # Errors
    /// When the array has the wrong length.
    pub fn lane(mut self, values: &'a [F]) -> Result<Self, Error> {
        check("lane", self.lane.len(), values.len())?;
        self.lane.give(Order::ByInput, values);
        Ok(self)
    }

    /// The same inputs with those of a lane side by side, `[lane][input]`: for mini-batches, as [`exo_by_lane`](Batch::exo_by_lane).
    ///
    /// # Errors
    /// When the array has the wrong length.
    pub fn lane_by_lane(mut self, values: &'a [F]) -> Result<Self, Error> {
        check("lane", self.lane.len(), values.len())?;
        self.lane.give(Order::ByLane, values);
        Ok(self)
    }

    /// The inputs of every lane and period, `[period][input][lane]`.
    ///
    /// # Errors
    /// When the array has the wrong length.
    pub fn exo(mut self, values: &'a [F]) -> Result<Self, Error> {
        check("exo", self.exo.len(), values.len())?;
        self.exo.give(Order::ByInput, values);
        Ok(self)
    }

    /// The same inputs with those of a lane side by side, `[period][lane][input]`.
    ///
    /// Made for mini-batches of lanes or groups picked at random ([`Part::lanes`]): in rows of one input each, every number picked lies in
    /// a cache line of its own. The results are the same bits, and derivatives of inputs lie by input all the same.
    ///
    /// # Errors
    /// When the array has the wrong length.
    pub fn exo_by_lane(mut self, values: &'a [F]) -> Result<Self, Error> {
        check("exo", self.exo.len(), values.len())?;
        self.exo.give(Order::ByLane, values);
        Ok(self)
    }

    /// The inputs of every period that are the same for all lanes, `[period][input]`; see [`shared_by_group`](Batch::shared_by_group) for
    /// those of a group.
    ///
    /// # Errors
    /// When the array has the wrong length.
    pub fn shared(mut self, values: &'a [F]) -> Result<Self, Error> {
        check("shared", self.shape.shared * self.horizon, values.len())?;
        self.shared = Cow::Borrowed(values);
        self.shared_groups = None;
        Ok(self)
    }

    /// The same inputs with numbers of their own for each group, `[period][input][group]`: a cohort's limit, a vendor's calendar. Say
    /// first which [`groups`](Batch::groups) there are.
    ///
    /// # Errors
    /// When the array has the wrong length.
    pub fn shared_by_group(mut self, values: &'a [F]) -> Result<Self, Error> {
        let groups = self.groups.as_ref().map_or(1, |starts| starts.len() - 1);
        let expected = self.shape.shared * self.horizon * groups;
        check("shared by group", expected, values.len())?;
        self.shared = Cow::Borrowed(values);
        self.shared_groups = Some(groups);
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

    /// The lanes and periods of a part, and the sizes of its groups.
    pub(super) fn part(&self, part: &Part<'_>) -> Result<(Batch<'_, F>, Vec<usize>), Error> {
        let mut some = self.borrowed();
        if let Some(range) = &part.periods {
            some.window = self.window_of(range)?;
        }
        let exists = |what, all: &[usize], limit| match all.iter().find(|&&i| i >= limit) {
            Some(&index) => Err(Error::Range { what, index, limit }),
            None => Ok(()),
        };
        let all = [0, self.lanes];
        let starts = self.groups.as_deref().unwrap_or(&all);
        let size = |g: usize| starts[g + 1] - starts[g];
        let sizes = match part.pick {
            Pick::All => (0..starts.len() - 1).map(size).collect(),
            Pick::Lanes(_) if self.groups.is_some() => return Err(Error::LanesOfGroups),
            Pick::Lanes(lanes) => {
                exists("lane", lanes, self.lanes)?;
                some.selection = Some(Cow::Owned(lanes.to_vec()));
                vec![lanes.len()]
            }
            Pick::Groups(picked) => {
                exists("group", picked, starts.len() - 1)?;
                let lanes = picked.iter().flat_map(|&g| starts[g]..starts[g + 1]);
                some.selection = Some(Cow::Owned(lanes.collect()));
                some.picked = Some(picked.to_vec());
                picked.iter().map(|&g| size(g)).collect()
            }
        };
        if some.run_lanes() == 0 {
            return Err(Error::Empty("the number of lanes"));
        }
        if some.run_periods() == 0 {
            return Err(Error::Empty("the number of periods"));
        }
        Ok((some, sizes))
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

    /// Where lanes `first..first + count` of the run are in the arrays.
    pub(super) fn picks(&self, first: usize, count: usize) -> Picks<'_> {
        let lanes = self.selection.as_ref().map(|s| &s[first..first + count]);
        Picks::new(first, count, lanes)
    }

    /// Writes the inputs of a period of the run to rows of `out`, so wide, that begin at a place each, for lanes `first..first + count` of the run; the
    /// last lane fills up the rows. Asks for those of the next period.
    pub(super) fn gather_exo(
        &self,
        period: usize,
        first: usize,
        count: usize,
        rows: (usize, impl Fn(usize) -> usize),
        out: &mut [F],
    ) {
        let (picks, at) = (self.picks(first, count), self.window.start + period);
        self.exo.gather(at, picks, rows, out);
        if period + 1 < self.window.len() {
            self.exo.ask(at + 1, picks);
        }
    }

    /// Asks for what lanes `first..first + count` and some groups of the run begin with.
    pub(super) fn ask(&self, first: usize, count: usize, groups: Range<usize>) {
        let picks = self.picks(first, count);
        self.lane.ask(0, picks);
        self.exo.ask(self.window.start, picks);
        let (Some(all), Some(picked)) = (self.shared_groups, &self.picked) else {
            return;
        };
        let shared = self.shape.shared;
        let period = &self.shared[self.window.start * shared * all..][..shared * all];
        for row in period.chunks_exact(all) {
            for &group in &picked[groups.clone()] {
                prefetch::numbers(&row[group..=group]);
            }
        }
    }

    /// For each group of the run, the place of its own among the shared inputs; zero where all have the same.
    #[cfg(feature = "wgpu")]
    pub(super) fn places_of_shared(&self, groups: usize) -> Vec<usize> {
        match (self.shared_groups, &self.picked) {
            (None, _) => vec![0; groups],
            (Some(_), Some(picked)) => picked.clone(),
            (Some(_), None) => (0..groups).collect(),
        }
    }

    /// The number of groups that the shared inputs are given for.
    pub(super) fn groups_of_shared(&self) -> usize {
        self.shared_groups.unwrap_or(1)
    }

    /// Input `k` of a period that the lanes of group `group` of the run share.
    pub(super) fn shared_of(&self, period: usize, k: usize, group: usize) -> F {
        let at = (self.window.start + period) * self.shape.shared + k;
        match self.shared_groups {
            None => self.shared[at],
            Some(groups) => {
                let group = self.picked.as_ref().map_or(group, |picked| picked[group]);
                self.shared[at * groups + group]
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
