//! Vector instructions where the processor has them.

use pulp::{Arch, NullaryFnOnce};

/// Work that is called by reference: a closure that is called once by value goes through a function of its own, which is not compiled for
/// the instructions.
struct Work<F>(F);

impl<R, F: FnMut() -> R> NullaryFnOnce for Work<F> {
    type Output = R;

    #[inline(always)]
    fn call(mut self) -> R {
        (self.0)()
    }
}

/// Runs `work`, whose closure must be `#[inline(always)]`, compiled for the processor's widest vector instructions: the same operations in the same
/// order on any processor, and only how many at a time differs.
#[inline(always)]
pub(crate) fn vectorize<R>(work: impl FnMut() -> R) -> R {
    Arch::new().dispatch(Work(work))
}

/// The same for vectors of at most 256 bits, for work on short rows and on whole numbers, which wider ones slow down.
#[inline(always)]
pub(crate) fn vectorize_short<R>(work: impl FnMut() -> R) -> R {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return simd.vectorize(Work(work));
    }
    vectorize(work)
}
