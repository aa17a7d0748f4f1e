//! `f32` and `f64` as scalars.

use super::{RoundGradient, Scalar, place, table_rows};

macro_rules! plain {
    ($type:ty, $erf:path) => {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "an f32 program rounds its constants once, as documented"
        )]
        impl Scalar for $type {
            #[inline(always)]
            fn constant(value: f64) -> Self {
                value as $type
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                if other < self { other } else { self }
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                if other > self { other } else { self }
            }
            #[inline(always)]
            fn exp(self) -> Self {
                self.exp()
            }
            #[inline(always)]
            fn ln(self) -> Self {
                self.ln()
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                self.sqrt()
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                self.tanh()
            }
            #[inline(always)]
            fn sigmoid(self) -> Self {
                1.0 / (1.0 + (-self).exp())
            }
            #[inline(always)]
            fn softplus(self) -> Self {
                Scalar::max(self, 0.0) + (-self.abs()).exp().ln_1p()
            }
            #[inline(always)]
            fn erf(self) -> Self {
                $erf(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                self.abs()
            }
            #[inline(always)]
            fn positive(self) -> Self {
                if self > 0.0 { 1.0 } else { 0.0 }
            }
            #[inline(always)]
            fn select(mask: Self, yes: Self, no: Self) -> Self {
                if mask > 0.5 { yes } else { no }
            }
            #[inline(always)]
            fn round(self, _: RoundGradient) -> Self {
                self.round_ties_even()
            }
            #[inline(always)]
            fn detach(self) -> Self {
                self
            }
            fn pick(xs: &[Self], index: Self) -> Self {
                place(index.into(), xs.len()).map_or(<$type>::NAN, |i| xs[i])
            }
            fn lookup(table: &[Self], width: usize, index: Self, out: &mut Vec<Self>) {
                match place(index.into(), table_rows(table.len(), width)) {
                    Some(i) => out.extend_from_slice(&table[i * width..][..width]),
                    None => out.extend(std::iter::repeat_n(<$type>::NAN, width)),
                }
            }
        }
    };
}

plain!(f32, libm::erff);
plain!(f64, libm::erf);
