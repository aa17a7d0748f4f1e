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

/// Runs `work`, whose closure must be `#[inline(always)]`, compiled for the processor's vector instructions: the same operations in the same order on
/// any processor, and only how many at a time differs.
#[inline(always)]
pub(crate) fn vectorize<R>(work: impl FnMut() -> R) -> R {
    Arch::new().dispatch(Work(work))
}
