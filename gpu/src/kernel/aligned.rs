//! Memory whose first number begins a cache line.

use std::ops::{Deref, DerefMut};

use super::real::Real;

/// Bytes of a cache line, and of the widest register.
pub(super) const LINE: usize = 64;

/// Numbers that begin at a multiple of 64 bytes. Rows of a tile are whole cache lines, so that no load or store of a row
/// straddles two: with registers of a whole line every one would.
#[derive(Debug, Default)]
pub(crate) struct Aligned<F> {
    memory: Vec<F>,
    first: usize,
    len: usize,
}

impl<F: Real> Aligned<F> {
    /// `len` zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        let spare = LINE / size_of::<F>();
        let memory = vec![F::default(); if len == 0 { 0 } else { len + spare }];
        // The offset is at most `spare - 1`; where it cannot be told, any place is right, and slower.
        let first = memory.as_ptr().align_offset(LINE);
        Aligned {
            first: if first < spare && len > 0 { first } else { 0 },
            memory,
            len,
        }
    }
}

impl<F> Deref for Aligned<F> {
    type Target = [F];
    #[inline(always)]
    fn deref(&self) -> &[F] {
        &self.memory[self.first..][..self.len]
    }
}

impl<F> DerefMut for Aligned<F> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [F] {
        &mut self.memory[self.first..][..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn begins_a_cache_line_and_has_its_length(len in 0_usize..300) {
            let single = Aligned::<f32>::zeros(len);
            let double = Aligned::<f64>::zeros(len);
            prop_assert!(single.len() == len && double.len() == len);
            prop_assert!(len == 0 || single.as_ptr().addr().is_multiple_of(LINE));
            prop_assert!(len == 0 || double.as_ptr().addr().is_multiple_of(LINE));
        }
    }
}
