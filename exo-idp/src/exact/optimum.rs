//! The lost-sales dynamic programme: modified policy iteration on relative values.
//!
//! A sweep of $(Tv)(x) = \min_z \lbrace c(x_0) + E v(x')\rbrace$ bounds the optimal average cost from both sides,
//! $\min_x (Tv-v)(x) \le g^{\ast} \le \max_x (Tv-v)(x)$, whatever $v$ is. Between such sweeps the policy is kept and $v$ is moved by cheaper
//! sweeps without the minimum. The iteration ends when the two bounds meet to the tolerance, so the answer carries
//! its own certificate and assumes no structure of the policy.

use super::error::{ExactError, positive};
use super::lost_sales::{Kernel, LostSales};

/// Share of each step taken: below one, so that periodic chains (a constant demand) converge too.
pub(crate) const STEP: f64 = 0.95;
/// Cheap sweeps between two sweeps with the minimum.
const SWEEPS_PER_IMPROVEMENT: usize = 12;
/// An order must better a smaller one by this much, relatively, to replace it: ties go to the smaller order.
const TIE: f64 = 1e-11;

/// How far [`LostSales::solve`] goes.
#[derive(Debug, Clone, PartialEq)]
pub struct SolveOptions {
    /// Width of the certified interval around the cost, relative to the cost of one period's newsvendor; never less than
    /// rounding allows.
    pub tolerance: f64,
    /// Largest number of states.
    pub max_states: usize,
    /// Largest number of improvement sweeps.
    pub max_improvements: usize,
    /// Units added to the bound on the position, to test the bound.
    pub extra_position: u32,
    /// Units added to the bound on the order, to test the bound.
    pub extra_order: u32,
}

impl Default for SolveOptions {
    fn default() -> Self {
        Self {
            tolerance: 1e-7,
            max_states: 20_000_000,
            max_improvements: 2_000,
            extra_position: 0,
            extra_order: 0,
        }
    }
}

/// The optimal policy of a [`LostSales`] problem and its certified cost.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Optimum {
    lattice: Lattice,
    orders: Vec<u32>,
    lower: f64,
    upper: f64,
    improvements: usize,
    sweeps: usize,
}

impl Optimum {
    /// The optimal long-run cost, in money per period: the middle of [`Optimum::bounds`].
    #[must_use]
    pub fn cost(&self) -> f64 {
        0.5 * (self.lower + self.upper)
    }

    /// Certified lower and upper bounds on the optimal cost within the bounds on state and order.
    #[must_use]
    pub fn bounds(&self) -> (f64, f64) {
        (self.lower, self.upper)
    }

    /// Width of the certified interval.
    #[must_use]
    pub fn span(&self) -> f64 {
        self.upper - self.lower
    }

    /// Sweeps with the minimum over orders.
    #[must_use]
    pub fn improvements(&self) -> usize {
        self.improvements
    }

    /// All sweeps over the states.
    #[must_use]
    pub fn sweeps(&self) -> usize {
        self.sweeps
    }

    /// Number of states of the dynamic programme.
    #[must_use]
    pub fn state_count(&self) -> usize {
        self.orders.len()
    }

    /// The optimal order in a state (on hand, then the pipeline, oldest first), the smallest one on ties.
    ///
    /// `None` outside the states an optimal policy can come to: wrong length, or an outstanding order above the order
    /// bound. A position above the bound is ordered nothing for.
    #[must_use]
    pub fn order(&self, state: &[u32]) -> Option<u32> {
        let (&on_hand, pipeline) = state.split_first()?;
        let code = self.lattice.code(pipeline)?;
        let place = match self.lattice.rows[code] {
            NO_ROW => return Some(0),
            row => self.lattice.starts[row as usize] + on_hand as usize,
        };
        if place < self.lattice.starts[self.lattice.rows[code] as usize + 1] {
            Some(self.orders[place])
        } else {
            Some(0)
        }
    }

    /// All states of the dynamic programme with their orders.
    pub fn states(&self) -> impl Iterator<Item = (Vec<u32>, u32)> + '_ {
        self.lattice
            .codes
            .iter()
            .zip(self.lattice.starts.windows(2))
            .flat_map(move |(&code, ends)| {
                let pipeline = self.lattice.pipeline(code);
                self.orders[ends[0]..ends[1]]
                    .iter()
                    .zip(0_u32..)
                    .map(move |(&order, on_hand)| {
                        let mut state = vec![on_hand];
                        state.extend_from_slice(&pipeline);
                        (state, order)
                    })
            })
    }
}

impl LostSales {
    /// The optimal policy over whole orders by the dynamic programme, within the bounds
    /// [`position_bound`](LostSales::position_bound) and [`order_bound`](LostSales::order_bound).
    ///
    /// Memory is about 24 bytes a state. Lead time 4, Poisson demand of mean 5 and penalty 39 take 28 thousand states and a fraction of a
    /// second; geometric demand takes 232 thousand states.
    ///
    /// # Errors
    /// The tolerance is not positive, there are too many states, or the bounds have not met after the largest number of improvements.
    pub fn solve(&self, options: &SolveOptions) -> Result<Optimum, ExactError> {
        positive("tolerance", options.tolerance)?;
        let position = self
            .position_bound()?
            .saturating_add(options.extra_position);
        let largest_order = self
            .order_bound()
            .saturating_add(options.extra_order)
            .min(position);
        let lattice = Lattice::new(
            self.lead_time(),
            position,
            largest_order,
            options.max_states,
        )?;
        let states = lattice.len();
        let mut run = Run {
            kernel: Kernel::new(self.demand()),
            costs: (0..=position).map(|y| self.period_cost(y)).collect(),
            pmf: (0..=position).map(|d| self.demand().pmf(d)).collect(),
            value: vec![0.0; states],
            next: vec![0.0; states],
            orders: vec![0; states],
            targets: vec![0; states],
            lattice,
        };
        // Where demand is certain one period may cost nothing: then the tolerance is relative to a thousandth of a unit's cost.
        let least = run.costs.iter().copied().fold(f64::INFINITY, f64::min);
        let width = (options.tolerance * least.max(1e-3 * self.holding().min(self.penalty())))
            .max(rounding(&run.costs));
        let (mut lower, mut upper) = (f64::NEG_INFINITY, f64::INFINITY);
        let mut sweeps = 0;
        for improvement in 1..=options.max_improvements {
            let (low, high) = run.improve();
            sweeps += 1;
            // Each sweep's bounds hold by themselves, so the best of all hold together.
            lower = lower.max(low);
            upper = upper.min(high);
            if upper - lower <= width {
                let Run {
                    lattice, orders, ..
                } = run;
                return Ok(Optimum {
                    lattice,
                    orders,
                    lower,
                    upper,
                    improvements: improvement,
                    sweeps,
                });
            }
            for _ in 0..SWEEPS_PER_IMPROVEMENT {
                run.evaluate();
            }
            sweeps += SWEEPS_PER_IMPROVEMENT;
        }
        Err(ExactError::NotConverged {
            sweeps,
            lower,
            upper,
        })
    }
}

const NO_ROW: u32 = u32::MAX;

/// The states: one row per pipeline, on-hand stock contiguous in the row, position at most the bound.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct Lattice {
    lead_time: usize,
    position: u32,
    largest_order: u32,
    /// One more than the largest order: the radix of pipeline codes, the oldest order being the lowest digit.
    radix: usize,
    /// Row of each code, or `NO_ROW` where the pipeline exceeds the bound.
    rows: Vec<u32>,
    /// Code of each row.
    codes: Vec<usize>,
    /// Sum of the pipeline of each row.
    sums: Vec<u32>,
    /// Start of each row in the state vector, and the end of the last.
    starts: Vec<usize>,
}

impl Lattice {
    fn new(
        lead_time: usize,
        position: u32,
        largest_order: u32,
        max_states: usize,
    ) -> Result<Self, ExactError> {
        let too_many = ExactError::TooManyStates { limit: max_states };
        let radix = largest_order as usize + 1;
        let digits = u32::try_from(lead_time.saturating_sub(1)).unwrap_or(u32::MAX);
        let codes = match radix.checked_pow(digits) {
            Some(codes) if codes <= max_states => codes,
            _ => return Err(too_many),
        };
        let mut lattice = Self {
            lead_time,
            position,
            largest_order,
            radix,
            rows: vec![NO_ROW; codes],
            codes: Vec::new(),
            sums: Vec::new(),
            starts: vec![0],
        };
        let mut total = 0;
        for code in 0..codes {
            let sum: u32 = lattice.pipeline(code).iter().sum();
            if sum <= position {
                lattice.rows[code] = super::demand::index(lattice.codes.len());
                lattice.codes.push(code);
                lattice.sums.push(sum);
                total += (position - sum) as usize + 1;
                lattice.starts.push(total);
                if total > max_states.min(u32::MAX as usize) {
                    return Err(too_many);
                }
            }
        }
        Ok(lattice)
    }

    fn len(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    fn pipeline(&self, mut code: usize) -> Vec<u32> {
        let mut pipeline = Vec::with_capacity(self.lead_time.saturating_sub(1));
        for _ in 1..self.lead_time {
            pipeline.push(super::demand::index(code % self.radix));
            code /= self.radix;
        }
        pipeline
    }

    fn code(&self, pipeline: &[u32]) -> Option<usize> {
        if pipeline.len() != self.lead_time.saturating_sub(1) {
            return None;
        }
        pipeline.iter().rev().try_fold(0_usize, |code, &order| {
            (order <= self.largest_order).then_some(code * self.radix + order as usize)
        })
    }

    /// Where the next state's leftover 0 lies, for the row and the order.
    fn target(&self, row: usize, order: u32) -> usize {
        match self.lead_time {
            0 => 0,
            1 => order as usize,
            _ => {
                let code = self.codes[row];
                let next = code / self.radix + order as usize * (self.rows.len() / self.radix);
                self.starts[self.rows[next] as usize] + code % self.radix
            }
        }
    }
}

struct Run {
    lattice: Lattice,
    kernel: Kernel,
    costs: Vec<f64>,
    pmf: Vec<f64>,
    value: Vec<f64>,
    next: Vec<f64>,
    orders: Vec<u32>,
    targets: Vec<u32>,
}

impl Run {
    /// One sweep with the minimum over orders; returns the bounds it proves.
    fn improve(&mut self) -> (f64, f64) {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut expected = vec![0.0; self.costs.len()];
        for row in 0..self.lattice.codes.len() {
            let (start, end) = (self.lattice.starts[row], self.lattice.starts[row + 1]);
            let best = &mut self.next[start..end];
            best.fill(f64::INFINITY);
            let orders = &mut self.orders[start..end];
            let room = self.lattice.position - self.lattice.sums[row];
            for order in 0..=room.min(self.lattice.largest_order) {
                let target = self.lattice.target(row, order);
                // The states of this row that have room for the order come first.
                let fits = (room - order) as usize + 1;
                if self.lattice.lead_time == 0 {
                    if order == 0 {
                        expect_all(&self.kernel, &self.pmf, &self.value, &mut expected);
                        for (e, c) in expected.iter_mut().zip(&self.costs) {
                            *e += c;
                        }
                    }
                    keep_best(best, orders, &expected[order as usize..][..fits], order);
                } else {
                    let g = &self.value[target..target + fits];
                    expect_all(&self.kernel, &self.pmf, g, &mut expected[..fits]);
                    keep_best(best, orders, &expected[..fits], order);
                }
            }
            for (i, b) in best.iter_mut().enumerate() {
                if self.lattice.lead_time > 0 {
                    *b += self.costs[i];
                }
                let change = *b - self.value[start + i];
                low = low.min(change);
                high = high.max(change);
                self.targets[start + i] = super::demand::index(self.lattice.target(row, orders[i]));
            }
        }
        self.step();
        (low, high)
    }

    /// One sweep under the current orders.
    fn evaluate(&mut self) {
        for row in 0..self.lattice.codes.len() {
            let (start, end) = (self.lattice.starts[row], self.lattice.starts[row + 1]);
            for (on_hand, state) in (start..end).enumerate() {
                let stock = if self.lattice.lead_time == 0 {
                    on_hand + self.orders[state] as usize
                } else {
                    on_hand
                };
                let g = &self.value[self.targets[state] as usize..];
                self.next[state] = self.costs[stock] + self.kernel.expect(g, stock);
            }
        }
        self.step();
    }

    /// Moves the values most of the way to the new ones, relative to the empty state.
    fn step(&mut self) {
        let shift = self.value[0] + STEP * (self.next[0] - self.value[0]);
        for (v, n) in self.value.iter_mut().zip(&self.next) {
            *v += STEP * (n - *v) - shift;
        }
    }
}

/// What rounding may leave between the bounds: some units in the last place of the largest cost.
pub(crate) fn rounding(costs: &[f64]) -> f64 {
    64.0 * f64::EPSILON * costs.iter().copied().fold(0.0, f64::max)
}

/// Fills `out[y]` with E g((y - D)+) for all y below its length.
fn expect_all(kernel: &Kernel, pmf: &[f64], g: &[f64], out: &mut [f64]) {
    for (y, o) in out.iter_mut().enumerate() {
        *o = kernel.at_least(y) * g[0];
    }
    for k in 1..out.len() {
        let weight = g[k];
        for (o, p) in out[k..].iter_mut().zip(pmf) {
            *o += weight * p;
        }
    }
}

fn keep_best(best: &mut [f64], orders: &mut [u32], candidates: &[f64], order: u32) {
    for ((b, o), &c) in best.iter_mut().zip(orders).zip(candidates) {
        if *b == f64::INFINITY || c < *b - TIE * (1.0 + b.abs()) {
            *b = c;
            *o = order;
        }
    }
}
