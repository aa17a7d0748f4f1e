//! Growing the chain: every state that a policy can reach from the start.

use std::collections::HashMap;

use super::super::demand::index;
use super::super::error::ExactError;
use super::super::lost_sales::{Kernel, LONGEST_LEAD, LostSales};

/// What is on order, oldest first, without the units that arrive next.
pub(super) type Pipeline = [u16; LONGEST_LEAD - 1];

pub(super) fn pipeline(orders: &[u32]) -> Pipeline {
    let mut packed = Pipeline::default();
    for (p, &o) in packed.iter_mut().zip(orders) {
        *p = u16::try_from(o).unwrap_or(u16::MAX);
    }
    packed
}

/// One pipeline's on-hand stocks while the chain grows.
pub(super) struct Row {
    pub(super) pipeline: Pipeline,
    pub(super) reached: Vec<bool>,
    pub(super) orders: Vec<u32>,
    /// Row of the next state and its on-hand stock with nothing left over.
    pub(super) next: Vec<(u32, u32)>,
}

/// The states reached so far.
pub(super) struct Growth {
    pub(super) kernel: Kernel,
    pub(super) rows: Vec<Row>,
    by_pipeline: HashMap<Pipeline, usize>,
    pub(super) queue: Vec<(usize, u32)>,
    pub(super) states: usize,
    max_states: usize,
    places: usize,
}

impl Growth {
    pub(super) fn new(problem: &LostSales, max_states: usize) -> Self {
        Self {
            kernel: Kernel::new(problem.demand()),
            rows: Vec::new(),
            by_pipeline: HashMap::new(),
            queue: Vec::new(),
            states: 0,
            max_states: max_states.min(u32::MAX as usize / 8),
            places: 0,
        }
    }

    pub(super) fn row(&mut self, pipeline: Pipeline) -> usize {
        *self.by_pipeline.entry(pipeline).or_insert_with(|| {
            self.rows.push(Row {
                pipeline,
                reached: Vec::new(),
                orders: Vec::new(),
                next: Vec::new(),
            });
            self.rows.len() - 1
        })
    }

    /// Makes room for on-hand stocks up to `on_hand` in the row.
    fn widen(&mut self, row: usize, on_hand: u32) -> Result<(), ExactError> {
        let row = &mut self.rows[row];
        let len = on_hand as usize + 1;
        if row.reached.len() < len {
            self.places += len - row.reached.len();
            // Rows hold gaps where demand has gaps; they count against four times the limit.
            if self.places > self.max_states.saturating_mul(4) {
                return Err(ExactError::TooManyStates {
                    limit: self.max_states,
                });
            }
            row.reached.resize(len, false);
            row.orders.resize(len, 0);
            row.next.resize(len, (0, 0));
        }
        Ok(())
    }

    pub(super) fn reach(&mut self, row: usize, on_hand: u32) -> Result<(), ExactError> {
        self.widen(row, on_hand)?;
        let seen = &mut self.rows[row].reached[on_hand as usize];
        if !*seen {
            *seen = true;
            self.states += 1;
            if self.states > self.max_states {
                return Err(ExactError::TooManyStates {
                    limit: self.max_states,
                });
            }
            self.queue.push((row, on_hand));
        }
        Ok(())
    }

    /// Notes the order and reaches every state it can lead to.
    pub(super) fn follow(
        &mut self,
        problem: &LostSales,
        row: usize,
        on_hand: u32,
        state: &[u32],
        order: u32,
    ) -> Result<(), ExactError> {
        let (stock, base, next) = match problem.lead_time() {
            0 => (on_hand.saturating_add(order), 0, row),
            1 => (on_hand, order, row),
            _ => {
                let mut later = pipeline(&state[2..]);
                later[state.len() - 2] = u16::try_from(order).unwrap_or(u16::MAX);
                (on_hand, state[1], self.row(later))
            }
        };
        self.rows[row].orders[on_hand as usize] = order;
        self.rows[row].next[on_hand as usize] = (index(next), base);
        self.widen(next, base.saturating_add(stock))?;
        if self.kernel.at_least(stock as usize) > 0.0 {
            self.reach(next, base)?;
        }
        let (first, weights) = self.kernel.leftovers(stock as usize);
        // The row is long enough for all of them; only those with positive probability are states.
        let mut new = Vec::new();
        let reached = &mut self.rows[next].reached;
        let from = base as usize + first;
        for (i, (seen, &w)) in reached[from..].iter_mut().zip(weights).enumerate() {
            if w > 0.0 && !*seen {
                *seen = true;
                new.push((next, index(from + i)));
            }
        }
        self.states += new.len();
        self.queue.append(&mut new);
        if self.states > self.max_states {
            return Err(ExactError::TooManyStates {
                limit: self.max_states,
            });
        }
        Ok(())
    }
}
