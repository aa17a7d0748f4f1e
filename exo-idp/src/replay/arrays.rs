//! The arrays of a recorded replay.

use gpu::{Batch, Program, Real};

use super::rows::Source;
use crate::error::Error;

/// The arrays that a recorded replay reads: rows by lane and week, numbers that all lanes share, opening states.
#[derive(Debug, Clone)]
pub struct Arrays<F> {
    lanes: usize,
    /// Lanes of every group: the products of a sample.
    groups: Vec<usize>,
    weeks: usize,
    rows: usize,
    by_lane: bool,
    exo: Vec<F>,
    shared: Vec<F>,
    lane: Vec<F>,
}

impl<F: Real> Arrays<F> {
    pub(super) fn new(source: &Source<'_>) -> Result<Self, Error> {
        let replay = source.replay();
        let (lanes, products) = (replay.paths().lanes(), replay.paths().panel().products());
        let (weeks, layout) = (replay.window().seen(), source.layout());
        let mut exo = Vec::with_capacity(weeks.len() * layout.rows() * lanes);
        let mut shared = Vec::with_capacity(weeks.len() * 3);
        for week in weeks.clone() {
            source.visit(week, |values| values.append(lanes, products, &mut exo));
            shared.extend(source.shared(week).map(F::from_f64));
        }
        let opening = replay.opening_rows(layout.scheduled(), layout.own())?;
        Ok(Arrays {
            lanes,
            groups: vec![products; replay.paths().samples()],
            weeks: weeks.len(),
            rows: layout.rows(),
            by_lane: false,
            exo,
            shared,
            lane: opening.iter().map(|&x| F::from_f64(x)).collect(),
        })
    }

    /// The number of lanes.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// The number of weeks, warm-up included.
    #[must_use]
    pub fn weeks(&self) -> usize {
        self.weeks
    }

    /// The number of groups of lanes: the samples. In each of them are all products.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// A batch of all lanes and weeks. Where the program joins lanes, the products of one sample are a group.
    ///
    /// # Errors
    /// When the program was recorded for another policy, market or replay.
    pub fn batch(&self, program: &Program) -> Result<Batch<'_, F>, Error> {
        let batch = Batch::new(program, self.lanes, self.weeks);
        let batch = if self.by_lane {
            batch.exo_by_lane(&self.exo)?
        } else {
            batch.exo(&self.exo)?
        };
        let batch = batch.shared(&self.shared)?.lane(&self.lane)?;
        if program.joins_lanes() {
            return Ok(batch.groups(&self.groups)?);
        }
        Ok(batch)
    }

    /// The same with the rows of a lane side by side, for mini-batches of lanes picked at random.
    #[must_use]
    pub fn by_lane(self) -> Self {
        if self.by_lane {
            return self;
        }
        let week = (self.rows * self.lanes).max(1);
        let mut exo = Vec::with_capacity(self.exo.len());
        for rows in self.exo.chunks_exact(week) {
            for lane in 0..self.lanes {
                exo.extend(rows.iter().skip(lane).step_by(self.lanes));
            }
        }
        Arrays {
            exo,
            by_lane: true,
            ..self
        }
    }

    /// The lanes of several replays of equal length side by side, as one batch to draw mini-batches from: windows of one record, for
    /// instance. The rows of a lane lie side by side, as [`by_lane`](Arrays::by_lane) has them.
    ///
    /// # Errors
    /// When there is none, or they differ in weeks, in rows or in what all lanes share.
    pub fn join(parts: Vec<Arrays<F>>) -> Result<Self, Error> {
        let mut parts = parts.into_iter().map(Arrays::by_lane);
        let Some(first) = parts.next() else {
            return Err(Error::Empty("the list of arrays"));
        };
        let parts: Vec<Arrays<F>> = std::iter::once(first).chain(parts).collect();
        let (weeks, rows) = (parts[0].weeks, parts[0].rows);
        let states = |part: &Arrays<F>| part.lane.len() / part.lanes.max(1);
        for part in &parts {
            for (array, expected, found) in [
                ("weeks of joined arrays", weeks, part.weeks),
                ("rows of joined arrays", rows, part.rows),
                ("states of joined arrays", states(&parts[0]), states(part)),
            ] {
                if expected != found {
                    return Err(Error::Length {
                        array: array.into(),
                        expected,
                        found,
                    });
                }
            }
            if part.shared != parts[0].shared {
                return Err(Error::Shared);
            }
        }
        let lanes = parts.iter().map(|part| part.lanes).sum();
        let mut exo = Vec::with_capacity(weeks * rows * lanes);
        for week in 0..weeks {
            for part in &parts {
                let each = part.rows * part.lanes;
                exo.extend_from_slice(&part.exo[week * each..(week + 1) * each]);
            }
        }
        let mut lane = Vec::with_capacity(states(&parts[0]) * lanes);
        for state in 0..states(&parts[0]) {
            for part in &parts {
                lane.extend_from_slice(&part.lane[state * part.lanes..][..part.lanes]);
            }
        }
        Ok(Arrays {
            lanes,
            groups: parts.iter().flat_map(|part| part.groups.clone()).collect(),
            weeks,
            rows,
            by_lane: true,
            exo,
            shared: parts[0].shared.clone(),
            lane,
        })
    }

    /// Sets a row of a week, numbered from the first that is seen, for all lanes. Rows must not lie by lane.
    pub(super) fn set_row(&mut self, week: usize, row: usize, value: F) {
        let start = (week * self.rows + row) * self.lanes;
        self.exo[start..start + self.lanes].fill(value);
    }
}
