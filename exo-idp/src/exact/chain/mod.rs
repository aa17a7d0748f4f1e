//! The exact long-run cost of any whole-number policy, from the Markov chain of the states it reaches.

mod growth;

use super::demand::index;
use super::error::{ExactError, positive};
use super::lost_sales::{Kernel, LostSales};
use super::optimum::{STEP, rounding};
use growth::{Growth, Pipeline, pipeline};

/// Largest order in one period that a chain accepts.
const LARGEST_ORDER: u32 = u16::MAX as u32;

/// How a policy's chain is explored and evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainOptions {
    /// State to start from (on hand, then the pipeline, oldest first); empty for no stock at all.
    pub start: Vec<u32>,
    /// Width of the certified interval around the cost, in money per period; never less than rounding allows.
    pub tolerance: f64,
    /// Largest number of states.
    pub max_states: usize,
    /// Largest number of sweeps.
    pub max_sweeps: usize,
    /// Gives up as soon as the cost is known to exceed this; infinite to go on.
    pub give_up_above: f64,
}

impl Default for ChainOptions {
    fn default() -> Self {
        Self {
            start: Vec::new(),
            tolerance: 1e-7,
            max_states: 8_000_000,
            max_sweeps: 100_000,
            give_up_above: f64::INFINITY,
        }
    }
}

/// The long-run cost of a policy.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Evaluation {
    /// Cost in money per period: the middle of the two bounds.
    pub cost: f64,
    /// Certified lower bound on the cost.
    pub lower: f64,
    /// Certified upper bound on the cost.
    pub upper: f64,
    /// States the policy reaches from the start.
    pub states: usize,
    /// Sweeps done.
    pub sweeps: usize,
}

/// Long-run averages under a policy, from its stationary distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Stationary {
    /// Cost in money per period.
    pub cost: f64,
    /// Units left at the end of a period.
    pub left: f64,
    /// Units of demand lost per period.
    pub lost: f64,
    /// Units ordered per period; equal to the units sold.
    pub ordered: f64,
    /// Share of demand served.
    pub fill_rate: f64,
    /// Change of the distribution in the last sweep, summed over states.
    pub residual: f64,
}

/// The states a policy reaches, its order in each, and where each order leads.
#[derive(Debug, Clone)]
pub struct Chain {
    kernel: Kernel,
    state_len: usize,
    pipelines: Vec<Pipeline>,
    /// Start of each pipeline's row of on-hand stocks, and the end of the last.
    starts: Vec<usize>,
    reached: Vec<bool>,
    orders: Vec<u32>,
    /// Stock that faces demand.
    facing: Vec<u32>,
    /// Place of the next state with nothing left over.
    targets: Vec<u32>,
    costs: Vec<f64>,
    left: Vec<f64>,
    lost: Vec<f64>,
    mean_demand: f64,
    states: usize,
}

impl LostSales {
    /// The exact long-run cost per period of a policy that maps a state (on hand, then the pipeline, oldest first) to an order.
    ///
    /// The policy is asked once for every state that can be reached from the start, and no other. The bounds hold for the policy's
    /// cost from any of these states; a policy whose long-run cost depends on chance (several closed classes) does
    /// not converge and is an error.
    ///
    /// # Errors
    /// The start has the wrong length, the policy reaches too many states or orders too
    /// much, or the bounds have not met after the largest number of sweeps.
    pub fn evaluate<F>(&self, policy: F, options: &ChainOptions) -> Result<Evaluation, ExactError>
    where
        F: Fn(&[u32]) -> u32,
    {
        self.chain(policy, options)?.evaluate(options)
    }

    /// The chain of states that a policy reaches.
    ///
    /// # Errors
    /// The start has the wrong length, or the policy reaches too many states or orders too much in one period.
    pub fn chain<F>(&self, policy: F, options: &ChainOptions) -> Result<Chain, ExactError>
    where
        F: Fn(&[u32]) -> u32,
    {
        let len = self.state_len();
        let mut start = options.start.clone();
        if start.is_empty() {
            start.resize(len, 0);
        }
        if start.len() != len {
            return Err(ExactError::StateLength {
                got: start.len(),
                expected: len,
            });
        }
        if let Some(&order) = start[1..].iter().find(|&&o| o > LARGEST_ORDER) {
            return Err(ExactError::OrderTooLarge {
                order,
                limit: LARGEST_ORDER,
            });
        }
        let mut growth = Growth::new(self, options.max_states);
        let row = growth.row(pipeline(&start[1..]));
        growth.reach(row, start[0])?;
        let mut state = vec![0; len];
        while let Some((row, on_hand)) = growth.queue.pop() {
            state[0] = on_hand;
            for (s, &o) in state[1..].iter_mut().zip(&growth.rows[row].pipeline) {
                *s = u32::from(o);
            }
            let order = policy(&state);
            if order > LARGEST_ORDER {
                return Err(ExactError::OrderTooLarge {
                    order,
                    limit: LARGEST_ORDER,
                });
            }
            growth.follow(self, row, on_hand, &state, order)?;
        }
        Ok(Chain::of(growth, self))
    }
}

impl Chain {
    /// The chain that has been grown.
    fn of(growth: Growth, problem: &LostSales) -> Chain {
        let mut starts = vec![0];
        let mut total = 0;
        for row in &growth.rows {
            total += row.reached.len();
            starts.push(total);
        }
        let mut chain = Chain {
            kernel: growth.kernel,
            state_len: problem.state_len(),
            pipelines: Vec::with_capacity(growth.rows.len()),
            starts,
            reached: Vec::with_capacity(total),
            orders: Vec::with_capacity(total),
            facing: Vec::with_capacity(total),
            targets: Vec::with_capacity(total),
            costs: Vec::new(),
            left: Vec::new(),
            lost: Vec::new(),
            mean_demand: problem.demand().mean(),
            states: growth.states,
        };
        for row in growth.rows {
            chain.pipelines.push(row.pipeline);
            for (on_hand, (&order, &(next, base))) in
                (0_u32..).zip(row.orders.iter().zip(&row.next))
            {
                chain.facing.push(if problem.lead_time() == 0 {
                    on_hand + order
                } else {
                    on_hand
                });
                chain
                    .targets
                    .push(index(chain.starts[next as usize] + base as usize));
            }
            chain.reached.extend(row.reached);
            chain.orders.extend(row.orders);
        }
        let most = chain.facing.iter().copied().max().unwrap_or(0);
        for y in 0..=most {
            chain.costs.push(problem.period_cost(y));
            chain.left.push(problem.demand().expected_leftover(y));
            chain.lost.push(problem.demand().expected_excess(y));
        }
        chain
    }

    /// Number of states the policy reaches.
    #[must_use]
    pub fn state_count(&self) -> usize {
        self.states
    }

    /// The reached states with the policy's orders.
    pub fn states(&self) -> impl Iterator<Item = (Vec<u32>, u32)> + '_ {
        self.pipelines
            .iter()
            .zip(self.starts.windows(2))
            .flat_map(move |(pipeline, ends)| {
                (ends[0]..ends[1])
                    .zip(0_u32..)
                    .filter(|(place, _)| self.reached[*place])
                    .map(move |(place, on_hand)| {
                        let mut state = vec![on_hand];
                        state.extend(pipeline[..self.state_len - 1].iter().map(|&o| u32::from(o)));
                        (state, self.orders[place])
                    })
            })
    }

    /// The long-run cost, by relative values with certified bounds.
    ///
    /// # Errors
    /// The tolerance is not positive, or the bounds have not met after the largest number of sweeps.
    pub fn evaluate(&self, options: &ChainOptions) -> Result<Evaluation, ExactError> {
        positive("tolerance", options.tolerance)?;
        let mut value = vec![0.0; self.reached.len()];
        let mut next = value.clone();
        let (mut lower, mut upper) = (f64::NEG_INFINITY, f64::INFINITY);
        let reference = self.reached.iter().position(|&r| r).unwrap_or(0);
        let tolerance = options.tolerance.max(rounding(&self.costs));
        for sweeps in 1..=options.max_sweeps {
            let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
            for (place, n) in next
                .iter_mut()
                .enumerate()
                .filter(|(place, _)| self.reached[*place])
            {
                let stock = self.facing[place] as usize;
                let new = self.costs[stock]
                    + self
                        .kernel
                        .expect(&value[self.targets[place] as usize..], stock);
                let change = new - value[place];
                low = low.min(change);
                high = high.max(change);
                *n = value[place] + STEP * change;
            }
            lower = lower.max(low);
            upper = upper.min(high);
            if upper - lower <= tolerance || lower > options.give_up_above {
                return Ok(Evaluation {
                    cost: 0.5 * (lower + upper),
                    lower,
                    upper,
                    states: self.states,
                    sweeps,
                });
            }
            let shift = next[reference];
            for (v, n) in value.iter_mut().zip(&next) {
                *v = n - shift;
            }
        }
        Err(ExactError::NotConverged {
            sweeps: options.max_sweeps,
            lower,
            upper,
        })
    }

    /// Long-run averages from the stationary distribution, by repeated steps from a uniform one: a second way to the cost.
    ///
    /// # Errors
    /// The distribution still changes by more than the tolerance after the largest number of sweeps.
    pub fn stationary(&self, options: &ChainOptions) -> Result<Stationary, ExactError> {
        positive("tolerance", options.tolerance)?;
        #[allow(clippy::cast_precision_loss, reason = "a count of states")]
        let share = 1.0 / self.states as f64;
        let mut now: Vec<f64> = self
            .reached
            .iter()
            .map(|&r| if r { share } else { 0.0 })
            .collect();
        let mut next = vec![0.0; now.len()];
        let mut residual = f64::INFINITY;
        for _ in 0..options.max_sweeps {
            next.fill(0.0);
            for (place, &mass) in now.iter().enumerate().filter(|(_, m)| **m > 0.0) {
                let stock = self.facing[place] as usize;
                let target = self.targets[place] as usize;
                next[target] += mass * self.kernel.at_least(stock);
                let (first, weights) = self.kernel.leftovers(stock);
                for (n, w) in next[target + first..].iter_mut().zip(weights) {
                    *n += mass * w;
                }
            }
            residual = 0.0;
            for (n, m) in now.iter_mut().zip(&next) {
                residual += (m - *n).abs();
                *n += STEP * (m - *n);
            }
            if residual <= options.tolerance {
                break;
            }
        }
        let average = |f: &dyn Fn(usize) -> f64| -> f64 {
            now.iter()
                .enumerate()
                .filter(|(_, m)| **m > 0.0)
                .map(|(place, m)| m * f(place))
                .sum()
        };
        let cost = average(&|place| self.costs[self.facing[place] as usize]);
        if residual > options.tolerance {
            return Err(ExactError::NotConverged {
                sweeps: options.max_sweeps,
                lower: cost,
                upper: cost,
            });
        }
        let lost = average(&|place| self.lost[self.facing[place] as usize]);
        Ok(Stationary {
            cost,
            left: average(&|place| self.left[self.facing[place] as usize]),
            lost,
            ordered: average(&|place| f64::from(self.orders[place])),
            fill_rate: 1.0 - lost / self.mean_demand,
            residual,
        })
    }
}
