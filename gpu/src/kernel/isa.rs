//! Which instructions the machine has.

use super::shape::NARROW_PANEL;

/// The instructions to use. A value other than `Portable` exists only on a machine that has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isa {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(Proof),
    #[cfg(target_arch = "x86_64")]
    Avx512(Proof512),
}

/// Made here alone, after AVX2 and FMA have been seen.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Proof(());

/// Made here alone, after AVX-512 (its foundation), AVX2 and FMA have been seen.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Proof512(());

#[cfg(target_arch = "x86_64")]
impl Proof512 {
    /// What has AVX-512 by this proof has AVX2 too.
    pub(crate) fn avx2(self) -> Proof {
        Proof(())
    }
}

impl Isa {
    /// The widest that the machine has.
    pub(crate) fn detect() -> Isa {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
        {
            return if std::arch::is_x86_feature_detected!("avx512f") {
                Isa::Avx512(Proof512(()))
            } else {
                Isa::Avx2(Proof(()))
            };
        }
        Isa::Portable
    }

    /// The proof of AVX2, where it is there.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn avx2(self) -> Option<Proof> {
        match self {
            Isa::Avx2(proof) => Some(proof),
            Isa::Avx512(proof) => Some(proof.avx2()),
            Isa::Portable => None,
        }
    }

    /// All that the machine has: what the tests of kernels go through.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Isa> {
        match Isa::detect() {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => vec![Isa::Portable, Isa::Avx2(proof.avx2()), Isa::Avx512(proof)],
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => vec![Isa::Portable, Isa::Avx2(proof)],
            Isa::Portable => vec![Isa::Portable],
        }
    }

    /// Rows of a weight panel.
    pub(crate) fn panel_rows(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(_) => super::shape::WIDE_PANEL,
            _ => NARROW_PANEL,
        }
    }
}

/// Runs `work` compiled for the widest instructions that the machine has (AVX2 and FMA on x86-64).
///
/// Everything that `work` calls must be `#[inline(always)]` to profit, as all of [`Lanes`](crate::numbers::Lanes) and
/// [`Tangent`](crate::numbers::Tangent) is. The results do not depend on the instructions: nothing is contracted.
///
/// ```
/// use hindsight_gpu::numbers::{Lanes, vectorize};
/// use hindsight_gpu::Scalar;
/// let total = vectorize(|| (0..100).fold(Lanes::<8>::constant(0.0), |s, i| s + Lanes::constant(f64::from(i))));
/// assert_eq!(total.to_array(), [4950.0; 8]);
/// ```
#[inline]
pub fn vectorize<R>(work: impl FnOnce() -> R) -> R {
    match Isa::detect() {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2(_) | Isa::Avx512(_) => {
            #[target_feature(enable = "avx2,fma")]
            fn wide<R>(work: impl FnOnce() -> R) -> R {
                work()
            }
            // SAFETY: both are made only after AVX2 and FMA were detected.
            #[allow(unsafe_code, reason = "a function compiled for detected instructions")]
            unsafe {
                wide(work)
            }
        }
        Isa::Portable => work(),
    }
}

/// Defines a function that runs its body compiled for the given instructions; the body is generic over whether a fused
/// multiply-add is at hand.
macro_rules! per_isa {
    ($(#[$meta:meta])* fn $name:ident<F>($($arg:ident: $type:ty),* $(,)?) = $body:ident) => {
        $(#[$meta])*
        pub(crate) fn $name<F: $crate::kernel::number::Number>(isa: $crate::kernel::isa::Isa, $($arg: $type),*) {
            match isa {
                #[cfg(target_arch = "x86_64")]
                $crate::kernel::isa::Isa::Avx2(_) => {
                    #[target_feature(enable = "avx2,fma")]
                    fn wide<F: $crate::kernel::number::Number>($($arg: $type),*) {
                        $body::<true, F>($($arg),*)
                    }
                    // SAFETY: it is made only after AVX2 and FMA were detected.
                    #[allow(unsafe_code, reason = "a function compiled for detected instructions")]
                    unsafe {
                        wide($($arg),*)
                    }
                }
                #[cfg(target_arch = "x86_64")]
                $crate::kernel::isa::Isa::Avx512(_) => {
                    #[target_feature(enable = "avx512f,avx2,fma")]
                    fn widest<F: $crate::kernel::number::Number>($($arg: $type),*) {
                        $body::<true, F>($($arg),*)
                    }
                    // SAFETY: it is made only after AVX-512, AVX2 and FMA were detected.
                    #[allow(unsafe_code, reason = "a function compiled for detected instructions")]
                    unsafe {
                        widest($($arg),*)
                    }
                }
                $crate::kernel::isa::Isa::Portable => $body::<false, F>($($arg),*),
            }
        }
    };
}
pub(crate) use per_isa;
