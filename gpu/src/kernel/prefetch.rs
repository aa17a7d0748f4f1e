//! Asking for memory before it is needed.

#[cfg(target_arch = "x86_64")]
use super::aligned::LINE;

/// Asks for a few numbers side by side that lie far from those read before, so that the processor does not guess them. Changes
/// nothing but the time that reading them takes.
#[inline(always)]
pub(crate) fn numbers<F>(numbers: &[F]) {
    #[cfg(target_arch = "x86_64")]
    for number in numbers.iter().step_by(LINE / size_of::<F>()) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the address is that of a number that exists; the instruction is part of every x86-64.
        #[allow(unsafe_code, reason = "an instruction without a safe name")]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(number).cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = numbers;
}
