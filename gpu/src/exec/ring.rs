//! The rows of several periods, in slots that are used in turn.

use crate::kernel::aligned::Aligned;
use crate::kernel::real::Real;

/// Where the slots are: a period's is the remainder of its number by the number of slots. Remembers the slot of the period
/// that was gone to, since a division for every operand would cost as much as the arithmetic on a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slots {
    count: usize,
    /// Numbers of a slot.
    len: usize,
    period: usize,
    slot: usize,
}

impl Slots {
    /// The first number of the slot of a period.
    #[inline(always)]
    pub(super) fn at(&self, period: usize) -> usize {
        let slot = match self.period.checked_sub(period) {
            Some(back) if back <= self.slot => self.slot - back,
            Some(back) if back < self.count => self.slot + self.count - back,
            _ => period % self.count.max(1),
        };
        slot * self.len
    }
}

/// The rows of several periods.
#[derive(Debug)]
pub(super) struct Ring<F> {
    pub(super) numbers: Aligned<F>,
    pub(super) slots: Slots,
}

impl<F: Real> Ring<F> {
    /// `count` slots of `len` numbers, all zero.
    pub(super) fn new(count: usize, len: usize) -> Self {
        let slots = Slots {
            count,
            len,
            period: 0,
            slot: 0,
        };
        Ring {
            numbers: Aligned::zeros(count * len),
            slots,
        }
    }

    /// Makes a period the one that is worked on.
    pub(super) fn go_to(&mut self, period: usize) {
        self.slots.period = period;
        self.slots.slot = period % self.slots.count.max(1);
    }

    /// The first number of the slot of a period.
    #[inline(always)]
    pub(super) fn at(&self, period: usize) -> usize {
        self.slots.at(period)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_slot_is_the_remainder_wherever_one_stands(count in 1_usize..9, here in 0_usize..60, period in 0_usize..60) {
            let mut ring = Ring::<f32>::new(count, 3);
            ring.go_to(here);
            prop_assert_eq!(ring.at(period), period % count * 3);
        }
    }
}
