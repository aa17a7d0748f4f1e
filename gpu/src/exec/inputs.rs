//! How the inputs of lanes lie in memory, and how the lanes of a tile are read there.

use std::borrow::Cow;

use super::picks::Picks;
use crate::kernel::real::Real;
use crate::kernel::{WIDE, prefetch};

/// Lanes whose inputs are read side by side where each has its own in one place.
const TOGETHER: usize = 8;

/// How the inputs of a period lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// `[period][input][lane]`
    ByInput,
    /// `[period][lane][input]`
    ByLane,
}

/// Inputs of all lanes in some periods.
#[derive(Debug, Clone)]
pub(super) struct Inputs<'a, F: Real> {
    values: Cow<'a, [F]>,
    order: Order,
    inputs: usize,
    lanes: usize,
}

impl<'a, F: Real> Inputs<'a, F> {
    pub(super) fn zeros(inputs: usize, lanes: usize, periods: usize) -> Self {
        Inputs {
            values: Cow::Owned(vec![F::default(); inputs * lanes * periods]),
            order: Order::ByInput,
            inputs,
            lanes,
        }
    }

    /// Numbers of its own, `[period][input][lane]`.
    #[cfg(feature = "wgpu")]
    pub(super) fn owned(values: Vec<F>, inputs: usize, lanes: usize) -> Self {
        Inputs {
            values: Cow::Owned(values),
            order: Order::ByInput,
            inputs,
            lanes,
        }
    }

    /// Takes other numbers, as many.
    pub(super) fn give(&mut self, order: Order, values: &'a [F]) {
        self.values = Cow::Borrowed(values);
        self.order = order;
    }

    /// The same, borrowed.
    pub(super) fn borrowed(&self) -> Inputs<'_, F> {
        Inputs {
            values: Cow::Borrowed(&self.values),
            ..*self
        }
    }

    /// How many numbers there are.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn at(&self, period: usize, input: usize, lane: usize) -> F {
        let (inputs, lanes) = (self.inputs, self.lanes);
        self.values[match self.order {
            Order::ByInput => (period * inputs + input) * lanes + lane,
            Order::ByLane => (period * lanes + lane) * inputs + input,
        }]
    }

    /// The numbers of a period, if there is such a period.
    fn period(&self, period: usize) -> Option<&[F]> {
        let each = self.inputs * self.lanes;
        self.values.get(period * each..(period + 1) * each)
    }

    /// Writes the inputs of some lanes in a period to rows of `out`, `width` numbers each, that begin at `place`; the last lane fills up the
    /// rows.
    pub(super) fn gather(
        &self,
        period: usize,
        picks: Picks<'_>,
        (width, place): (usize, impl Fn(usize) -> usize),
        out: &mut [F],
    ) {
        let inputs = self.inputs;
        let Some(values) = self.period(period).filter(|_| inputs > 0) else {
            return;
        };
        match self.order {
            Order::ByInput => {
                for (k, row) in values.chunks_exact(self.lanes).enumerate() {
                    picks.copy(row, &mut out[place(k)..][..width]);
                }
            }
            Order::ByLane => {
                let mut from: [&[F]; WIDE] = [&[]; WIDE];
                let from = &mut from[..width];
                let mut count = 0;
                for (from, lane) in from.iter_mut().zip(picks.lanes()) {
                    *from = &values[lane * inputs..][..inputs];
                    count += 1;
                }
                let last = from[count - 1];
                from[count..].fill(last);
                // Some lanes at a time, so that they are written together.
                for (at, from) in from.as_chunks::<TOGETHER>().0.iter().enumerate() {
                    for k in 0..inputs {
                        let out = &mut out[place(k) + at * TOGETHER..][..TOGETHER];
                        for (out, from) in out.iter_mut().zip(from) {
                            *out = from[k];
                        }
                    }
                }
            }
        }
    }

    /// Asks for the inputs of some lanes in a period before they are needed, where the processor does not guess them.
    pub(super) fn ask(&self, period: usize, picks: Picks<'_>) {
        let Some(values) = self.period(period).filter(|_| self.inputs > 0) else {
            return;
        };
        match self.order {
            Order::ByInput => {
                let rows = values.chunks_exact(self.lanes);
                rows.for_each(|row| picks.ask(row));
            }
            Order::ByLane => {
                let inputs = self.inputs;
                let lanes = picks.lanes();
                lanes.for_each(|lane| prefetch::numbers(&values[lane * inputs..][..inputs]));
            }
        }
    }

    /// The numbers as they lie in memory, and how far apart those of neighbouring periods, inputs and lanes are.
    #[cfg(feature = "wgpu")]
    pub(super) fn in_memory(&self) -> (&[F], [usize; 3]) {
        let (inputs, lanes) = (self.inputs, self.lanes);
        let strides = match self.order {
            Order::ByInput => [inputs * lanes, lanes, 1],
            Order::ByLane => [inputs * lanes, 1, inputs],
        };
        (&self.values, strides)
    }

    /// The numbers of the first period, `[input][lane]`.
    #[cfg(feature = "wgpu")]
    pub(super) fn by_input(&self) -> Vec<F> {
        let lanes = 0..self.lanes;
        let rows = (0..self.inputs).flat_map(|k| lanes.clone().map(move |lane| (k, lane)));
        rows.map(|(k, lane)| self.at(0, k, lane)).collect()
    }
}
