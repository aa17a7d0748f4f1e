//! The number type that a period is written against.

mod class;
mod dual;
mod lanes;
mod plain;
mod tangent;

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

use class::whole;
pub(crate) use class::{place, table_rows};
pub use dual::Dual;
pub use lanes::Lanes;
pub use tangent::Tangent;

/// What follows an affine map, and the derivative that reverse mode keeps for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Activation {
    /// $f(z) = z$.
    Identity,
    /// $f(z) = \max(z, 0)$, with derivative 0 at 0.
    Relu,
    /// $f(z) = z / (1 + e^{-z})$, also called swish.
    Silu,
    /// $f(z) = \ln(1 + e^z)$: positive, and close to $z$ for large $z$.
    Softplus,
    /// $f(z) = 1 / (1 + e^{-z})$.
    Sigmoid,
    /// $f(z) = \tanh z$.
    Tanh,
}

impl Activation {
    /// The activation of one number.
    ///
    /// ```
    /// use hindsight_gpu::nn::Activation;
    /// assert_eq!(Activation::Relu.apply(-2.0_f64), 0.0);
    /// ```
    pub fn apply<S: Scalar>(self, z: S) -> S {
        match self {
            Activation::Identity => z,
            Activation::Relu => z.relu(),
            Activation::Silu => z.silu(),
            Activation::Softplus => z.softplus(),
            Activation::Sigmoid => z.sigmoid(),
            Activation::Tanh => z.tanh(),
        }
    }
}

/// The derivative that a rounding step is given, since its true one is zero almost everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum RoundGradient {
    /// The identity's: the gradient passes as if nothing had been rounded.
    StraightThrough,
    /// Zero, the true one: nothing upstream learns through the rounding.
    Zero,
}

/// A number, or a bundle of numbers, that dynamics can be written against once.
///
/// Implemented by `f64` and `f32` (the reference simulator), [`Lanes`] (SIMD, the fast forward simulator), [`Dual`] and
/// [`Tangent`] (forward derivatives) and [`Var`](crate::Var) (the recorder's variable, from which a
/// [`Program`](crate::Program) is made). Control flow must not depend on values: use [`min`](Scalar::min),
/// [`max`](Scalar::max), [`positive`](Scalar::positive) and [`select`](Scalar::select).
///
/// Where a function has a kink, the derivative is one-sided and fixed: at a tie `min` and `max` give the whole derivative
/// to `self`; `abs` and `relu` have derivative 0 at 0.
///
/// ```
/// use hindsight_gpu::numbers::Dual;
/// use hindsight_gpu::Scalar;
///
/// /// Profit of a newsvendor who orders `q` against demand 8, price 10 and cost 4.
/// fn profit<S: Scalar>(q: S) -> S {
///     q.min(S::constant(8.0)) * S::constant(10.0) - q * S::constant(4.0)
/// }
/// assert_eq!(profit(5.0_f64), 30.0);
/// let slope = profit(Dual::variable(5.0));
/// assert_eq!((slope.value(), slope.derivative()), (30.0, 6.0));
/// ```
pub trait Scalar:
    Copy
    + Debug
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// A constant, without derivative.
    fn constant(value: f64) -> Self;
    /// The smaller of the two; at a tie the derivative is that of `self`.
    fn min(self, other: Self) -> Self;
    /// The larger of the two; at a tie the derivative is that of `self`.
    fn max(self, other: Self) -> Self;
    /// $e^x$.
    fn exp(self) -> Self;
    /// The natural logarithm; NaN below 0.
    fn ln(self) -> Self;
    /// The square root; its derivative at 0 is infinite.
    fn sqrt(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// $1 / (1 + e^{-x})$.
    fn sigmoid(self) -> Self;
    /// $\ln(1 + e^x)$, without overflow.
    fn softplus(self) -> Self;
    /// The error function.
    fn erf(self) -> Self;
    /// The absolute value.
    fn abs(self) -> Self;
    /// 1 where $x > 0$, else 0; no derivative.
    fn positive(self) -> Self;
    /// `yes` where `mask` is above one half, else `no`; the mask has no derivative.
    fn select(mask: Self, yes: Self, no: Self) -> Self;
    /// The nearest integer (halves to even), with the chosen derivative.
    fn round(self, gradient: RoundGradient) -> Self;
    /// The same value, without derivative.
    fn detach(self) -> Self;

    /// $\max(x, 0)$, with derivative 0 at 0.
    fn relu(self) -> Self {
        Self::constant(0.0).max(self)
    }
    /// $x / (1 + e^{-x})$.
    fn silu(self) -> Self {
        self * self.sigmoid()
    }
    /// The value kept between `low` and `high`; outside, the derivative is that of the limit.
    fn clip(self, low: Self, high: Self) -> Self {
        self.max(low).min(high)
    }
    /// The sum of this value over the lanes of the lane's group, the same in each of them; without groups
    /// ([`Batch::groups`](crate::Batch::groups)) all lanes of a run are one. A type that holds one lane returns itself.
    fn lane_sum(self) -> Self {
        self
    }
    /// The largest of this value over the lanes of the lane's group, the same in each of them; no derivative. A type that holds one
    /// lane returns itself, without derivative.
    fn lane_max(self) -> Self {
        self.detach()
    }
    /// This value `lag` periods ago, zero before the first period.
    ///
    /// `line` is the memory of this one call site: a number keeps its past there; a recorded variable needs none.
    fn delay(self, lag: usize, line: &mut DelayLine<Self>) -> Self {
        line.push(self, lag)
    }
    /// A dense layer: `out[o]` $= f\bigl(b_o + \sum_k W_{ok} x_k\bigr)$.
    ///
    /// `weights` is row-major, outputs by inputs; `inputs` are taken one after another as $x$. `bias` may be empty. The
    /// results are appended to `out`; their number is `weights.len()` divided by the number of inputs.
    ///
    /// # Panics
    /// When `weights` is not a multiple of the inputs, or `bias` is neither empty nor as long as the outputs: a broken
    /// layout in the caller's code, which [`nn`](crate::nn) excludes.
    fn dense(
        weights: &[Self],
        bias: &[Self],
        inputs: &[&[Self]],
        activation: Activation,
        out: &mut Vec<Self>,
    ) {
        let width: usize = inputs.iter().map(|part| part.len()).sum();
        let outputs = dense_outputs(weights.len(), width, bias.len());
        for o in 0..outputs {
            let mut z = if bias.is_empty() {
                Self::constant(0.0)
            } else {
                bias[o]
            };
            let row = &weights[o * width..(o + 1) * width];
            for (w, x) in row.iter().zip(inputs.iter().copied().flatten()) {
                z = z + *w * *x;
            }
            out.push(activation.apply(z));
        }
    }
    /// The softmax $e^{x_i} / \sum_j e^{x_j}$ of a few values of one lane, appended to `out`.
    fn softmax(xs: &[Self], out: &mut Vec<Self>) {
        let Some((&first, rest)) = xs.split_first() else {
            return;
        };
        let top = rest.iter().fold(first, |m, &x| m.max(x)).detach();
        let start = out.len();
        out.extend(xs.iter().map(|&x| (x - top).exp()));
        let total = out[start + 1..].iter().fold(out[start], |s, &e| s + e);
        for e in &mut out[start..] {
            *e = *e / total;
        }
    }
    /// The logarithm of the [`softmax`](Scalar::softmax), appended to `out`: $x_i - \ln \sum_j e^{x_j}$.
    ///
    /// The largest value is taken off before anything is exponentiated, so logits of any size are safe. A class that is masked out by a
    /// logit of $-\infty$ has the logarithm $-\infty$ and no influence on the others; where all are masked, the results are NaN.
    fn log_softmax(xs: &[Self], out: &mut Vec<Self>) {
        let Some((&first, rest)) = xs.split_first() else {
            return;
        };
        let top = rest.iter().fold(first, |m, &x| m.max(x)).detach();
        let start = out.len();
        out.extend(xs.iter().map(|&x| x - top));
        let terms = out[start + 1..].iter().map(|&x| x.exp());
        let total = terms.fold(out[start].exp(), |s, e| s + e).ln();
        for x in &mut out[start..] {
            *x = *x - total;
        }
    }
    /// The value that `index` names: `xs[index]`. Its derivative goes to that value alone; the index has none.
    ///
    /// The index is rounded to the nearest whole number (halves to even). One that names no value, or is NaN, gives NaN without
    /// derivative: a broken index never passes in silence. In a recorded program an input of the run that is used as an index must be a whole
    /// number that names a value, else the run is an [`Error::Index`](crate::Error::Index) before it begins; fill up ragged data with 0 and
    /// mask the result. Single precision tells 16,777,216 values apart.
    ///
    /// The likelihood of a class needs no one-hot input, and a recorded `pick` of a [`log_softmax`](Scalar::log_softmax) of a dense layer keeps
    /// none of the classes' values: its memory does not grow with their number.
    ///
    /// ```
    /// use hindsight_gpu::numbers::Dual;
    /// use hindsight_gpu::Scalar;
    /// let logits = [Dual::variable(0.0), Dual::constant(0.0)];
    /// let mut log_p = Vec::new();
    /// Dual::log_softmax(&logits, &mut log_p);
    /// let seen = Dual::pick(&log_p, Dual::constant(1.0));
    /// assert!((seen.value() - 0.5_f64.ln()).abs() < 1e-15 && (seen.derivative() + 0.5).abs() < 1e-15);
    /// assert!(Dual::pick(&log_p, Dual::constant(2.0)).value().is_nan());
    /// ```
    fn pick(xs: &[Self], index: Self) -> Self {
        let index = index.round(RoundGradient::Zero);
        let none = Self::constant(f64::NAN);
        let one = |none, (i, &x)| Self::select(names(index, i), x, none);
        xs.iter().enumerate().fold(none, one)
    }
    /// Row `index` of a table of parameters, appended to `out`: `table[index * width..][..width]`; [`nn::Embedding`](crate::nn::Embedding)
    /// keeps the place of one.
    ///
    /// The index is read as in [`pick`](Scalar::pick).
    ///
    /// # Panics
    /// When `table` is not a multiple of `width`, or `width` is zero: a broken layout in the caller's code, which [`nn`](crate::nn)
    /// excludes.
    fn lookup(table: &[Self], width: usize, index: Self, out: &mut Vec<Self>) {
        let rows = table_rows(table.len(), width);
        let index = index.round(RoundGradient::Zero);
        let start = out.len();
        out.extend(std::iter::repeat_n(Self::constant(f64::NAN), width));
        for i in 0..rows {
            let here = names(index, i);
            for (out, &x) in out[start..].iter_mut().zip(&table[i * width..]) {
                *out = Self::select(here, x, *out);
            }
        }
    }
}

/// The number of outputs of a dense layer; panics on a broken layout.
pub(crate) fn dense_outputs(weights: usize, width: usize, bias: usize) -> usize {
    assert!(
        width > 0 && weights.is_multiple_of(width),
        "{weights} weights do not divide into rows of {width} inputs"
    );
    let outputs = weights / width;
    assert!(
        bias == 0 || bias == outputs,
        "{bias} biases for {outputs} outputs"
    );
    outputs
}

/// The past of one value, for the number types that simulate period by period.
#[derive(Debug, Clone)]
pub struct DelayLine<S> {
    past: std::collections::VecDeque<S>,
}

impl<S> Default for DelayLine<S> {
    fn default() -> Self {
        DelayLine {
            past: std::collections::VecDeque::new(),
        }
    }
}

impl<S: Scalar> DelayLine<S> {
    /// An empty past: zeros.
    #[must_use]
    pub fn new() -> Self {
        DelayLine::default()
    }

    /// Takes the value of this period and returns that of `lag` periods ago.
    fn push(&mut self, value: S, lag: usize) -> S {
        if lag == 0 {
            return value;
        }
        if self.past.is_empty() {
            self.past.resize(lag, S::constant(0.0));
        }
        self.past.push_back(value);
        self.past.pop_front().unwrap_or(value)
    }
}

/// One where a whole number is `place`, else zero.
#[inline(always)]
fn names<S: Scalar>(index: S, place: usize) -> S {
    (S::constant(0.5) - (index - S::constant(whole(place))).abs()).positive()
}
