//! The inverse of the matrix of tight rows (one a column of the inverse) and basic columns (one a row of the inverse).

use super::axpy;

/// A dense square inverse that can be updated when a row or a column of the matrix is exchanged, added or removed.
///
/// Entry $(i,t)$ belongs to basic column $i$ and tight row $t$. Entries of one tight row are neighbours in memory: entering columns meet few tight rows, so
/// their images are sums of few columns of the inverse.
#[derive(Debug)]
pub(super) struct Inverse {
    size: usize,
    /// Distance between tight rows in `entries`; at least `size`.
    stride: usize,
    entries: Vec<f64>,
}

impl Inverse {
    /// The inverse of the one-by-one matrix 1.
    pub(super) fn one() -> Self {
        let mut entries = vec![0.0; 8];
        entries[0] = 1.0;
        Self {
            size: 1,
            stride: 8,
            entries,
        }
    }

    pub(super) fn entry(&self, i: usize, t: usize) -> f64 {
        self.entries[t * self.stride + i]
    }

    /// All entries of tight row `t`.
    pub(super) fn column(&self, t: usize) -> &[f64] {
        &self.entries[t * self.stride..t * self.stride + self.size]
    }

    fn column_mut(&mut self, t: usize) -> &mut [f64] {
        &mut self.entries[t * self.stride..t * self.stride + self.size]
    }

    /// Writes all entries of basic column `i`.
    pub(super) fn row(&self, i: usize, out: &mut Vec<f64>) {
        out.clear();
        out.extend((0..self.size).map(|t| self.entry(i, t)));
    }

    /// Writes the product with a column vector over the tight rows; zeros cost nothing.
    pub(super) fn times(&self, vector: &[f64], out: &mut Vec<f64>) {
        out.clear();
        out.resize(self.size, 0.0);
        let mut pending: Option<(f64, usize)> = None;
        for (t, &v) in vector.iter().enumerate().filter(|(_, v)| **v != 0.0) {
            // Two at a time: the sum is loaded and stored half as often.
            match pending.take() {
                None => pending = Some((v, t)),
                Some((u, s)) => {
                    let pair = self.column(s).iter().zip(self.column(t));
                    for (o, (a, b)) in out.iter_mut().zip(pair) {
                        *o += u * a + v * b;
                    }
                }
            }
        }
        if let Some((u, s)) = pending {
            axpy(u, self.column(s), out);
        }
    }

    /// Writes the product of a row vector over the basic columns with the inverse.
    pub(super) fn left(&self, vector: &[f64], out: &mut Vec<f64>) {
        out.clear();
        out.extend((0..self.size).map(|t| dot(vector, self.column(t))));
    }

    /// As [`Inverse::left`] for a vector with few entries.
    pub(super) fn left_sparse(&self, vector: &[(usize, f64)], out: &mut Vec<f64>) {
        out.clear();
        out.extend((0..self.size).map(|t| {
            let column = self.column(t);
            vector.iter().map(|&(i, v)| v * column[i]).sum::<f64>()
        }));
    }

    /// Basic column `i` is exchanged for one whose image under the inverse is `image`.
    pub(super) fn exchange_column(&mut self, i: usize, image: &[f64]) {
        let scale = 1.0 / image[i];
        for t in 0..self.size {
            let column = self.column_mut(t);
            let v = column[i] * scale;
            if v != 0.0 {
                axpy(-v, image, column);
                column[i] = v;
            }
        }
    }

    /// Tight row `t` is exchanged for one whose product with the inverse is `image`.
    pub(super) fn exchange_row(&mut self, t: usize, image: &[f64]) {
        let scale = 1.0 / image[t];
        let mut pivot = self.column(t).to_vec();
        pivot.iter_mut().for_each(|v| *v *= scale);
        for (other, &a) in image.iter().enumerate() {
            if other != t && a != 0.0 {
                axpy(-a, &pivot, self.column_mut(other));
            }
        }
        self.column_mut(t).copy_from_slice(&pivot);
    }

    /// A tight row (product `row_image` with the inverse) and a basic column (`column_image`) are added; `pivot` is the corner entry minus the product
    /// of the row with the column's image.
    pub(super) fn grow(&mut self, column_image: &[f64], row_image: &[f64], pivot: f64) {
        let k = self.size;
        if k + 1 > self.stride {
            let stride = self.stride + self.stride / 2;
            let mut entries = vec![0.0; stride * stride];
            for t in 0..k {
                entries[t * stride..t * stride + k].copy_from_slice(self.column(t));
            }
            (self.stride, self.entries) = (stride, entries);
        } else if self.entries.len() < (k + 1) * self.stride {
            self.entries.resize((k + 1) * self.stride, 0.0);
        }
        let inverse = 1.0 / pivot;
        for (t, &a) in row_image.iter().enumerate() {
            let v = a * inverse;
            if v != 0.0 {
                axpy(v, column_image, self.column_mut(t));
            }
            self.entries[t * self.stride + k] = -v;
        }
        self.size = k + 1;
        let last = self.column_mut(k);
        for (l, c) in last.iter_mut().zip(column_image) {
            *l = -c * inverse;
        }
        last[k] = inverse;
    }

    /// Basic column `i` and tight row `t` are removed; the last ones take their places.
    pub(super) fn shrink(&mut self, i: usize, t: usize) {
        let mut pivot = self.column(t).to_vec();
        let scale = 1.0 / pivot[i];
        pivot.iter_mut().for_each(|v| *v *= scale);
        let last = self.size - 1;
        for other in 0..self.size {
            if other == t {
                continue;
            }
            let column = self.column_mut(other);
            let v = column[i];
            if v != 0.0 {
                axpy(-v, &pivot, column);
            }
            column[i] = column[last];
        }
        if t < last {
            let (stride, size) = (self.stride, self.size);
            self.entries
                .copy_within(last * stride..last * stride + size, t * stride);
        }
        self.size = last;
    }

    /// Replaces this by the inverse of `matrix` (`k` rows, one a tight row; destroyed) by elimination with partial pivoting. False, and nothing
    /// replaced, when the matrix is singular to working precision.
    pub(super) fn invert(&mut self, matrix: &mut [f64], k: usize) -> bool {
        // [matrix | identity], rows exchanged by reference.
        let mut identity = vec![0.0; k * k];
        let mut order: Vec<usize> = (0..k).collect();
        for (t, row) in identity.chunks_exact_mut(k).enumerate() {
            row[t] = 1.0;
        }
        let (mut left, mut right) = (vec![0.0; k], vec![0.0; k]);
        for column in 0..k {
            let at = |line: usize| matrix[order[line] * k + column].abs();
            let best = (column..k)
                .max_by(|&a, &b| at(a).total_cmp(&at(b)))
                .unwrap_or(column);
            if at(best) < 1e-13 {
                return false;
            }
            order.swap(column, best);
            let p = order[column] * k;
            let scale = 1.0 / matrix[p + column];
            for (l, v) in left[column..]
                .iter_mut()
                .zip(&mut matrix[p + column..p + k])
            {
                *v *= scale;
                *l = *v;
            }
            for (r, v) in right.iter_mut().zip(&mut identity[p..p + k]) {
                *v *= scale;
                *r = *v;
            }
            for line in 0..k {
                let a = matrix[line * k + column];
                if line != order[column] && a != 0.0 {
                    axpy(
                        -a,
                        &left[column..],
                        &mut matrix[line * k + column..(line + 1) * k],
                    );
                    axpy(-a, &right, &mut identity[line * k..(line + 1) * k]);
                }
            }
        }
        self.size = k;
        self.stride = self.stride.max(k + 8);
        self.entries.clear();
        self.entries.resize(k * self.stride, 0.0);
        for (i, &line) in order.iter().enumerate() {
            for (t, v) in identity[line * k..(line + 1) * k].iter().enumerate() {
                self.entries[t * self.stride + i] = *v;
            }
        }
        true
    }
}

/// Sum of products in eight lanes: enough independent sums to hide the latency of an addition.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail: f64 = a8
        .remainder()
        .iter()
        .zip(b8.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a8.zip(b8) {
        for l in 0..8 {
            lanes[l] += x[l] * y[l];
        }
    }
    lanes.iter().sum::<f64>() + tail
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};

    /// Largest entry of `matrix * inverse - 1`.
    fn residual(matrix: &[Vec<f64>], inverse: &Inverse) -> f64 {
        let k = matrix.len();
        let mut worst = 0.0f64;
        for (t, line) in matrix.iter().enumerate() {
            for u in 0..k {
                let product: f64 = (0..k).map(|i| line[i] * inverse.entry(i, u)).sum();
                worst = worst.max((product - if t == u { 1.0 } else { 0.0 }).abs());
            }
        }
        worst
    }

    proptest! {
        #[test]
        fn every_update_leaves_the_inverse(seed in any::<u64>()) {
            let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
            let mut matrix = vec![vec![1.0]];
            let mut inverse = Inverse::one();
            let mut number = || rng.random_range(-1.0..1.0);
            for step in 0..40 {
                let k = matrix.len();
                let column: Vec<f64> = (0..k).map(|_| number()).collect();
                let row: Vec<f64> = (0..k).map(|_| number()).collect();
                let corner = 2.0 + number();
                let mut image = Vec::new();
                inverse.times(&column, &mut image);
                let mut across = Vec::new();
                inverse.left(&row, &mut across);
                let sparse: Vec<(usize, f64)> = row.iter().copied().enumerate().collect();
                let mut same = Vec::new();
                inverse.left_sparse(&sparse, &mut same);
                prop_assert!(same.iter().zip(&across).all(|(a, b)| (a - b).abs() < 1e-9));
                match step % 5 {
                    0 | 1 => {
                        let pivot = corner - row.iter().zip(&image).map(|(a, b)| a * b).sum::<f64>();
                        if pivot.abs() < 0.1 { continue; }
                        inverse.grow(&image, &across, pivot);
                        matrix.iter_mut().zip(&column).for_each(|(line, c)| line.push(*c));
                        matrix.push(row.into_iter().chain([corner]).collect());
                    }
                    2 => {
                        let i = step % k;
                        if image[i].abs() < 0.1 { continue; }
                        inverse.exchange_column(i, &image);
                        matrix.iter_mut().zip(&column).for_each(|(line, c)| line[i] = *c);
                    }
                    3 => {
                        let t = step % k;
                        if across[t].abs() < 0.1 { continue; }
                        inverse.exchange_row(t, &across);
                        matrix[t] = row;
                    }
                    _ => {
                        let (i, t) = (step % k, (step * 7) % k);
                        if k == 1 || inverse.entry(i, t).abs() < 0.1 { continue; }
                        inverse.shrink(i, t);
                        matrix.swap_remove(t);
                        matrix.iter_mut().for_each(|line| { line.swap_remove(i); });
                    }
                }
                prop_assert!(residual(&matrix, &inverse) < 1e-6, "step {step}");
            }
            let mut flat = matrix.concat();
            prop_assert!(inverse.invert(&mut flat, matrix.len()));
            prop_assert!(residual(&matrix, &inverse) < 1e-9);
        }
    }

    #[test]
    fn a_singular_matrix_is_reported() {
        let mut inverse = Inverse::one();
        assert!(!inverse.invert(&mut [1.0, 2.0, 2.0, 4.0], 2));
        assert_eq!(inverse.size, 1);
    }
}
