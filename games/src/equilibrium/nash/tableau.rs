//! The polytope $\lbrace x\ge0,\ Mx\le1\rbrace$ of a positive whole matrix, walked from vertex to vertex without rounding.
//!
//! All entries are whole multiples of one common determinant (Bareiss, as in von Stengel's and Avis' work on equilibria), so a pivot needs one exact division an entry.
//! Right-hand sides are perturbed symbolically and in lexicographic order: every vertex of the perturbed polytope has exactly one neighbour along
//! each edge, whatever ties the game has.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};

/// A whole number that may be too small for the next result.
pub(super) trait Whole: Clone {
    /// `None` when the number does not fit.
    fn from_big(value: &BigInt) -> Option<Self>;
    fn one() -> Self;
    fn zero() -> Self;
    fn sign(&self) -> Ordering;
    /// `(a * p - b * c) / d`, which must come out whole; `None` when it does not fit.
    fn reduce(a: &Self, p: &Self, b: &Self, c: &Self, d: &Self) -> Option<Self>;
    /// `a * b` against `c * d`.
    fn compare(a: &Self, b: &Self, c: &Self, d: &Self) -> Option<Ordering>;
    fn to_big(&self) -> BigInt;
}

impl Whole for i128 {
    fn from_big(value: &BigInt) -> Option<Self> {
        value.try_into().ok()
    }
    fn one() -> Self {
        1
    }
    fn zero() -> Self {
        0
    }
    fn sign(&self) -> Ordering {
        self.cmp(&0)
    }
    fn reduce(a: &Self, p: &Self, b: &Self, c: &Self, d: &Self) -> Option<Self> {
        let first = a.checked_mul(*p)?;
        let second = b.checked_mul(*c)?;
        Some(first.checked_sub(second)? / d)
    }
    fn compare(a: &Self, b: &Self, c: &Self, d: &Self) -> Option<Ordering> {
        Some(a.checked_mul(*b)?.cmp(&c.checked_mul(*d)?))
    }
    fn to_big(&self) -> BigInt {
        BigInt::from(*self)
    }
}

impl Whole for BigInt {
    fn from_big(value: &BigInt) -> Option<Self> {
        Some(value.clone())
    }
    fn one() -> Self {
        Self::from(1)
    }
    fn zero() -> Self {
        Self::from(0)
    }
    fn sign(&self) -> Ordering {
        match BigInt::sign(self) {
            Sign::Minus => Ordering::Less,
            Sign::NoSign => Ordering::Equal,
            Sign::Plus => Ordering::Greater,
        }
    }
    fn reduce(a: &Self, p: &Self, b: &Self, c: &Self, d: &Self) -> Option<Self> {
        Some((a * p - b * c) / d)
    }
    fn compare(a: &Self, b: &Self, c: &Self, d: &Self) -> Option<Ordering> {
        Some((a * b).cmp(&(c * d)))
    }
    fn to_big(&self) -> BigInt {
        self.clone()
    }
}

/// The number does not fit the whole numbers in use.
#[derive(Debug)]
pub(super) struct Overflow;

/// A vertex of the perturbed polytope. Variable `c` below the dimension is coordinate $x_c$, the others are the slacks of the rows.
pub(super) struct Tableau<N> {
    dimension: usize,
    /// One line a row: coefficients of all variables, then the right-hand side.
    entries: Vec<N>,
    /// Basic variable of each line.
    basic: Vec<usize>,
    determinant: N,
}

impl<N: Whole> Tableau<N> {
    /// The vertex 0, where all slacks are basic. `matrix` has `dimension` columns.
    pub(super) fn origin(matrix: &[BigInt], dimension: usize) -> Result<Self, Overflow> {
        let rows = matrix.len() / dimension;
        let mut entries = Vec::with_capacity(rows * (dimension + rows + 1));
        for (r, line) in matrix.chunks_exact(dimension).enumerate() {
            for v in line {
                entries.push(N::from_big(v).ok_or(Overflow)?);
            }
            for slack in 0..=rows {
                let one = slack == r || slack == rows;
                entries.push(if one { N::one() } else { N::zero() });
            }
        }
        Ok(Self {
            dimension,
            entries,
            basic: (dimension..dimension + rows).collect(),
            determinant: N::one(),
        })
    }

    /// Number of variables.
    pub(super) fn variables(&self) -> usize {
        self.dimension + self.basic.len()
    }

    pub(super) fn basic(&self) -> &[usize] {
        &self.basic
    }

    fn line(&self, r: usize) -> &[N] {
        let width = self.variables() + 1;
        &self.entries[r * width..(r + 1) * width]
    }

    /// The line that leaves when `entering` enters.
    pub(super) fn leaving(&self, entering: usize) -> Result<usize, Overflow> {
        let last = self.variables();
        let mut best: Option<usize> = None;
        for r in 0..self.basic.len() {
            if self.line(r)[entering].sign() != Ordering::Greater {
                continue;
            }
            let Some(b) = best else {
                best = Some(r);
                continue;
            };
            // Right-hand sides first, then the columns of the slacks, in units of the entering column.
            let (this, that) = (self.line(r), self.line(b));
            for at in std::iter::once(last).chain(self.dimension..last) {
                let order = N::compare(&this[at], &that[entering], &that[at], &this[entering])
                    .ok_or(Overflow)?;
                if order == Ordering::Less {
                    best = Some(r);
                }
                if order != Ordering::Equal {
                    break;
                }
            }
        }
        best.ok_or(Overflow)
    }

    /// Exchanges `entering` with the basic variable of line `r`; returns the variable that left.
    pub(super) fn pivot(&mut self, entering: usize, r: usize) -> Result<usize, Overflow> {
        let width = self.variables() + 1;
        let pivot_line: Vec<N> = self.line(r).to_vec();
        let pivot = pivot_line[entering].clone();
        for (i, line) in self.entries.chunks_exact_mut(width).enumerate() {
            if i == r {
                continue;
            }
            let factor = line[entering].clone();
            for (v, p) in line.iter_mut().zip(&pivot_line) {
                *v = N::reduce(v, &pivot, &factor, p, &self.determinant).ok_or(Overflow)?;
            }
        }
        self.determinant = pivot;
        Ok(std::mem::replace(&mut self.basic[r], entering))
    }

    /// The coordinates in proportion, and the labels: for each variable whether it is zero (bit set).
    pub(super) fn point(&self) -> (Vec<BigInt>, u128) {
        let last = self.variables();
        let mut x = vec![BigInt::from(0); self.dimension];
        let mut labels = if last == 128 {
            u128::MAX
        } else {
            (1 << last) - 1
        };
        for (r, &variable) in self.basic.iter().enumerate() {
            let value = &self.line(r)[last];
            if value.sign() == Ordering::Greater {
                labels &= !(1 << variable);
            }
            if let Some(x) = x.get_mut(variable) {
                *x = value.to_big();
            }
        }
        (x, labels)
    }
}
