//! Which threads have written what, so that a barrier of device memory, which is dear, stands only where one thread reads what another wrote.

use std::ops::Range;

/// How the threads share the rows that a piece of code reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// A thread has its lane.
    Lane,
    /// A thread has four lanes of every sixteenth row from this one on.
    Rows(usize),
    /// A thread has four lanes of blocks of so many rows from this one on.
    Blocks(usize, usize),
    /// Any thread.
    All,
}

#[derive(Debug, Clone)]
struct Access {
    rows: Range<usize>,
    who: Who,
    write: bool,
    block: usize,
}

impl Access {
    fn conflicts(&self, other: &Access) -> bool {
        let same = self.who == other.who && self.who != Who::All;
        let overlap = self.rows.start < other.rows.end && other.rows.start < self.rows.end;
        overlap && !same && (self.write || other.write)
    }
}

/// The accesses to device memory of a shader in the order of its text, and the blocks of code that must begin with a barrier of that memory.
#[derive(Debug, Default)]
pub(super) struct Order {
    accesses: Vec<Access>,
    /// Where the accesses of each block begin, and whether it begins with such a barrier.
    blocks: Vec<(usize, bool)>,
    /// Accesses before this one are seen by all.
    seen: usize,
}

impl Order {
    /// Begins a block of code, before which threads wait for one another; its number.
    pub(super) fn begin(&mut self) -> usize {
        self.blocks.push((self.accesses.len(), false));
        self.blocks.len() - 1
    }

    /// All that was written is seen by all from here on.
    pub(super) fn settle(&mut self) {
        self.seen = self.accesses.len();
        self.begin();
    }

    /// Takes an access in the present block.
    pub(super) fn note(&mut self, rows: Range<usize>, who: Who, write: bool) {
        if self.blocks.is_empty() {
            self.begin();
        }
        let block = self.blocks.len() - 1;
        let access = Access {
            rows,
            who,
            write,
            block,
        };
        let first = self.blocks[block].0;
        let before = &self.accesses[self.seen.min(first)..first];
        if before.iter().any(|other| other.conflicts(&access)) {
            self.blocks[block].1 = true;
            self.seen = first;
        }
        self.accesses.push(access);
    }

    /// Where a loop's code begins.
    pub(super) fn here(&self) -> (usize, usize) {
        (self.accesses.len(), self.blocks.len())
    }

    /// Ends a loop that began at `from`: what its end wrote is read by its beginning.
    pub(super) fn around(&mut self, (first, block): (usize, usize)) {
        let inside = self.blocks[block.min(self.blocks.len())..].iter();
        let last = inside.filter(|b| b.1).map(|b| b.0).max().unwrap_or(first);
        let tail: Vec<Access> = self.accesses[last.max(first)..].to_vec();
        for at in first..self.accesses.len() {
            let access = &self.accesses[at];
            if self.blocks[access.block].1 {
                return;
            }
            if tail.iter().any(|other| other.conflicts(access)) {
                self.blocks[access.block].1 = true;
                return;
            }
        }
    }

    /// Whether a block must begin with a barrier of device memory.
    pub(super) fn needs(&self, block: usize) -> bool {
        self.blocks[block].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Code of blocks: which rows each reads or writes, and how its threads share them.
    fn needs(blocks: &[&[(Range<usize>, Who, bool)]], in_a_loop: bool) -> Vec<bool> {
        let mut order = Order::default();
        let from = order.here();
        let numbers: Vec<usize> = blocks
            .iter()
            .map(|block| {
                let number = order.begin();
                for (rows, who, write) in *block {
                    order.note(rows.clone(), *who, *write);
                }
                number
            })
            .collect();
        if in_a_loop {
            order.around(from);
        }
        numbers.into_iter().map(|n| order.needs(n)).collect()
    }

    #[test]
    fn a_barrier_stands_where_threads_meet() {
        let writes = [(0..4, Who::Rows(0), true)];
        assert_eq!(
            needs(&[&writes, &[(0..4, Who::Rows(0), false)]], false),
            [false, false]
        );
        assert_eq!(
            needs(&[&writes, &[(3..4, Who::Lane, false)]], false),
            [false, true]
        );
        assert_eq!(
            needs(&[&writes, &[(4..5, Who::Lane, false)]], false),
            [false, false]
        );
        assert_eq!(
            needs(
                &[
                    &writes,
                    &[(1..2, Who::All, false)],
                    &[(2..3, Who::All, false)]
                ],
                false
            ),
            [false, true, false]
        );
        // What is read must not be written over either.
        assert_eq!(
            needs(&[&[(0..4, Who::All, false)], &writes], false),
            [false, true]
        );
    }

    #[test]
    fn a_loop_meets_itself() {
        let reads = [(0..4, Who::Lane, false)];
        let writes = [(0..4, Who::Rows(0), true)];
        assert_eq!(needs(&[&reads, &writes], true), [true, true]);
        assert_eq!(needs(&[&writes, &reads, &[]], true), [true, true, false]);
        assert_eq!(
            needs(&[&reads, &[(0..4, Who::Lane, true)]], true),
            [false, false]
        );
    }
}
