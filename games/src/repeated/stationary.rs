//! Stationary distributions of stochastic matrices, by elimination without subtraction.

/// Entries are raised to this floor so that the chain is irreducible.
const FLOOR: f64 = 1e-30;

/// Writes the stationary distribution of the row-stochastic `matrix` (destroyed) to `out`, by the elimination of Grassmann, Taksar and
/// Heyman: no subtraction, so every entry has full relative accuracy. The diagonal is not read. Entries are raised to `1e-30`; a reducible chain therefore
/// gets one of its stationary distributions to within rounding.
pub(crate) fn stationary(matrix: &mut [f64], out: &mut [f64]) {
    let k = out.len();
    for a in matrix.iter_mut() {
        *a = a.max(FLOOR);
    }
    for n in (1..k).rev() {
        let (upper, last) = matrix.split_at_mut(n * k);
        let last = &mut last[..n];
        let sum: f64 = last.iter().sum();
        let scale = 1.0 / sum;
        for row in upper.chunks_exact_mut(k) {
            row[n] *= scale;
            let t = row[n];
            for (a, b) in row[..n].iter_mut().zip(last.iter()) {
                *a += t * b;
            }
        }
    }
    out[0] = 1.0;
    for n in 1..k {
        out[n] = (0..n).map(|i| out[i] * matrix[i * k + n]).sum();
        if out[n] > 1e200 {
            let shrink = 1.0 / out[n];
            out[..=n].iter_mut().for_each(|x| *x *= shrink);
        }
    }
    let total: f64 = out.iter().sum();
    let scale = 1.0 / total;
    out.iter_mut().for_each(|x| *x *= scale);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};

    fn residual(matrix: &[f64], x: &[f64]) -> f64 {
        let k = x.len();
        (0..k)
            .map(|j| ((0..k).map(|i| x[i] * matrix[i * k + j]).sum::<f64>() - x[j]).abs())
            .sum()
    }

    proptest! {
        #[test]
        fn the_residual_vanishes_even_for_nearly_reducible_chains(k in 1usize..14, power in 0.0f64..40.0, seed in any::<u64>()) {
            let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
            let mut matrix: Vec<f64> = (0..k * k).map(|_| rng.random::<f64>().powf(power)).collect();
            for row in matrix.chunks_exact_mut(k) {
                let s: f64 = row.iter().sum();
                if s > 0.0 { row.iter_mut().for_each(|a| *a /= s) } else { row.fill(1.0 / k as f64) }
            }
            let mut x = vec![0.0; k];
            stationary(&mut matrix.clone(), &mut x);
            prop_assert!((x.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            prop_assert!(residual(&matrix, &x) < 1e-10, "{}", residual(&matrix, &x));
        }
    }

    #[test]
    fn identity_and_permutation_have_fixed_points() {
        for matrix in [
            [1.0, 0.0, 0.0, 1.0],
            [0.0, 1.0, 1.0, 0.0],
            [1.0, 0.0, 1.0, 0.0],
        ] {
            let mut x = [0.0; 2];
            stationary(&mut matrix.clone(), &mut x);
            assert!(residual(&matrix, &x) < 1e-12);
        }
    }
}
