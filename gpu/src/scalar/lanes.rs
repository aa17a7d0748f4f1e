//! A bundle of `f32` lanes that the compiler turns into SIMD registers.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::{RoundGradient, Scalar, place, table_rows};
use crate::math;

/// `N` independent `f32` lanes, each a world of its own: the fast forward simulator for policies of a few numbers.
///
/// Call code over `Lanes` inside [`vectorize`](crate::numbers::vectorize), so that it is compiled for the widest instructions that the
/// machine has. Exponentials are polynomials, within two units in the last place of the exact value.
///
/// ```
/// use hindsight_gpu::numbers::Lanes;
/// use hindsight_gpu::Scalar;
/// let stock = Lanes::from([3.0, 5.0]);
/// let sold = stock.min(Lanes::constant(4.0));
/// assert_eq!(sold.to_array(), [3.0, 4.0]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(32))]
pub struct Lanes<const N: usize>([f32; N]);

impl<const N: usize> Lanes<N> {
    /// The first `N` numbers of a slice; the last is repeated when there are fewer. An empty slice gives zeros.
    #[inline(always)]
    #[must_use]
    pub fn load(values: &[f32]) -> Self {
        if let Some(full) = values.first_chunk::<N>() {
            return Lanes(*full);
        }
        let last = values.last().copied().unwrap_or(0.0);
        Lanes(std::array::from_fn(|i| {
            values.get(i).copied().unwrap_or(last)
        }))
    }

    /// The lanes as an array.
    #[inline(always)]
    #[must_use]
    pub fn to_array(self) -> [f32; N] {
        self.0
    }

    #[inline(always)]
    fn map(self, f: impl Fn(f32) -> f32) -> Self {
        let mut out = self;
        for x in &mut out.0 {
            *x = f(*x);
        }
        out
    }

    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let mut out = self;
        for (x, y) in out.0.iter_mut().zip(other.0) {
            *x = f(*x, y);
        }
        out
    }
}

impl<const N: usize> From<[f32; N]> for Lanes<N> {
    #[inline(always)]
    fn from(values: [f32; N]) -> Self {
        Lanes(values)
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $op:tt) => {
        impl<const N: usize> $trait for Lanes<N> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, |x, y| x $op y)
            }
        }
    };
}
operator!(Add, add, +);
operator!(Sub, sub, -);
operator!(Mul, mul, *);
operator!(Div, div, /);

impl<const N: usize> Neg for Lanes<N> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.map(|x| -x)
    }
}

impl<const N: usize> Scalar for Lanes<N> {
    #[inline(always)]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "constants are rounded once to the lanes' type"
    )]
    fn constant(value: f64) -> Self {
        Lanes([value as f32; N])
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.zip(other, Scalar::min)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, Scalar::max)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        self.map(math::exp_f32::<false>)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        self.map(f32::ln)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        self.map(f32::sqrt)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        self.map(math::tanh_f32::<false>)
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        self.map(math::sigmoid_f32::<false>)
    }
    #[inline(always)]
    fn softplus(self) -> Self {
        self.map(math::softplus_f32::<false>)
    }
    #[inline(always)]
    fn erf(self) -> Self {
        self.map(libm::erff)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.map(f32::abs)
    }
    #[inline(always)]
    fn positive(self) -> Self {
        self.map(Scalar::positive)
    }
    #[inline(always)]
    fn select(mask: Self, yes: Self, no: Self) -> Self {
        let mut out = no;
        for i in 0..N {
            out.0[i] = if mask.0[i] > 0.5 { yes.0[i] } else { no.0[i] };
        }
        out
    }
    #[inline(always)]
    fn round(self, _: RoundGradient) -> Self {
        self.map(f32::round_ties_even)
    }
    #[inline(always)]
    fn detach(self) -> Self {
        self
    }
    /// The sum over the `N` lanes held here.
    #[inline(always)]
    fn lane_sum(self) -> Self {
        Lanes([self.0.iter().sum(); N])
    }
    fn pick(xs: &[Self], index: Self) -> Self {
        Lanes(std::array::from_fn(|lane| {
            let place = place(index.0[lane].into(), xs.len());
            place.map_or(f32::NAN, |i| xs[i].0[lane])
        }))
    }
    fn lookup(table: &[Self], width: usize, index: Self, out: &mut Vec<Self>) {
        let rows = table_rows(table.len(), width);
        let places = index.0.map(|index| place(index.into(), rows));
        out.extend((0..width).map(|k| {
            Lanes(std::array::from_fn(|lane| {
                places[lane].map_or(f32::NAN, |i| table[i * width + k].0[lane])
            }))
        }));
    }
}
