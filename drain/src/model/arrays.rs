//! States as arrays for the engine: lanes are warehouses, groups are states.

use gpu::{Scalar, Stream};
use rand::RngExt;

use super::network::{FULL, Lane};
use super::{Drain, State, UnitCosts};

/// Rows of a lane before its demand and prices: stock, size, low, high.
const PLAIN: usize = 4;
/// Rows of what was seen: units and cost as shares, and the logit of the fulfilment rate.
pub(super) const SEEN: usize = 3;
/// The logit that stands for a rate of one, well above the least one that gives it.
const LOGIT_FULL: f64 = 6.0;
/// The least rate that is told from none.
const RATE_NONE: f64 = 1e-3;

/// How many rows a lane's state has.
pub(super) fn rows(costs: &UnitCosts) -> usize {
    PLAIN + costs.zones() * (1 + costs.options())
}

/// The rows of a lane as the network reads them.
pub(super) fn lane<S: Scalar>(rows: &[S], zones: usize) -> Lane<'_, S> {
    let (demand, price) = rows[PLAIN..].split_at(zones);
    Lane {
        stock: rows[0],
        size: rows[1],
        low: rows[2],
        high: rows[3],
        demand,
        price,
    }
}

/// The states' rows, `[row][lane]`.
pub(super) fn states(costs: &UnitCosts, states: &[State]) -> Vec<f64> {
    let (warehouses, zones, mean) = (costs.warehouses(), costs.zones(), costs.mean());
    let lanes = states.len() * warehouses;
    let mut array = Vec::with_capacity(rows(costs) * lanes);
    let sizes: Vec<f64> = states.iter().map(|s| s.demand.iter().sum()).collect();
    array.extend(states.iter().flat_map(|state| &state.stock));
    array.extend(
        sizes
            .iter()
            .flat_map(|&size| std::iter::repeat_n(size, warehouses)),
    );
    let each = |value: &dyn Fn(usize) -> f64| -> Vec<f64> { (0..warehouses).map(value).collect() };
    array.extend(each(&|w| costs.range(w).0 / mean).repeat(states.len()));
    array.extend(each(&|w| costs.range(w).1 / mean).repeat(states.len()));
    for z in 0..zones {
        let shares = states
            .iter()
            .zip(&sizes)
            .map(|(s, size)| share(s.demand[z], *size));
        array.extend(shares.flat_map(|share| std::iter::repeat_n(share, warehouses)));
    }
    for o in 0..costs.options() {
        for z in 0..zones {
            array.extend(each(&|w| costs.price(o, w, z) / mean).repeat(states.len()));
        }
    }
    array
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// The rows of what was seen, `[row][lane]`.
pub(super) fn seen(costs: &UnitCosts, states: &[State], drains: &[Drain]) -> Vec<f64> {
    let mean = costs.mean();
    let mut rows: [Vec<f64>; SEEN] = Default::default();
    for (state, drain) in states.iter().zip(drains) {
        let size: f64 = state.demand.iter().sum();
        let rate = share(drain.total_units(), state.most());
        let part = rate.max(RATE_NONE) / FULL;
        let logit = if rate >= 1.0 - 1e-9 {
            LOGIT_FULL
        } else {
            (part / (1.0 - part)).ln()
        };
        rows[0].extend(drain.units.iter().map(|units| share(*units, size)));
        rows[1].extend(drain.cost.iter().map(|cost| share(*cost, size * mean)));
        rows[2].extend(drain.units.iter().map(|_| logit));
    }
    rows.concat()
}

/// Normal numbers from counters: those of an index and a period do not depend on how many there are.
pub(super) fn normal(stream: &Stream, index: u64, period: u32, count: usize) -> Vec<f64> {
    let mut rng = stream.at(index, period);
    let law = rand_distr::StandardNormal;
    (0..count).map(|_| rng.sample::<f64, _>(law)).collect()
}

/// The noise of a run: `[period][split, cost][sample][lane]` of the lanes' own, `[period][latent number][sample][group]` of the groups'.
pub(super) struct Noise {
    pub(super) own: Vec<f64>,
    pub(super) shared: Vec<f64>,
}

impl Noise {
    /// Normal numbers for so many samples a period: two a lane, `latents` a group. They depend on seed, period, and the place of state and warehouse alone.
    pub(super) fn draw(
        seed: u64,
        (states, warehouses): (usize, usize),
        periods: usize,
        samples: usize,
        latents: usize,
    ) -> Self {
        let (own, shared) = (
            Stream::new(seed, "own noise"),
            Stream::new(seed, "latent noise"),
        );
        let lay_out = |stream: &Stream, count: usize, numbers: usize| {
            let inputs = numbers * samples;
            let mut array = vec![0.0; periods * inputs * count];
            for t in 0..periods {
                let period = u32::try_from(t).unwrap_or(u32::MAX);
                for index in 0..count {
                    let values = normal(stream, index as u64, period, inputs);
                    for (k, value) in values.into_iter().enumerate() {
                        let row = k % numbers * samples + k / numbers;
                        array[(t * inputs + row) * count + index] = value;
                    }
                }
            }
            array
        };
        Self {
            own: lay_out(&own, states * warehouses, 2),
            shared: lay_out(&shared, states, latents),
        }
    }
}

/// Numbers `[period][row][lane]` in single precision, as `[period][lane][row]`.
#[expect(clippy::cast_possible_truncation, reason = "rounded once, on purpose")]
pub(super) fn single_by_lane(list: &[f64], rows: usize, lanes: usize) -> Vec<f32> {
    let mut turned = Vec::with_capacity(list.len());
    for period in list.chunks_exact((rows * lanes).max(1)) {
        let lane = |lane: usize| period.iter().skip(lane).step_by(lanes).map(|&v| v as f32);
        (0..lanes).for_each(|n| turned.extend(lane(n)));
    }
    turned
}

/// The numbers in single precision.
#[expect(clippy::cast_possible_truncation, reason = "rounded once, on purpose")]
pub(super) fn single(list: &[f64]) -> Vec<f32> {
    list.iter().map(|&v| v as f32).collect()
}
