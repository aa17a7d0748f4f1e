//! Values and optimal strategies of two-player zero-sum games.

use super::programme::Rows;
use super::simplex::maximise;
use crate::error::{GamesError, finite};
use crate::game::dot;

/// The value of a zero-sum game, optimal mixed strategies and how far they may be from optimal.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ZeroSum {
    /// What the row player wins, midway between the two guarantees.
    pub value: f64,
    /// The row player's strategy.
    pub row: Vec<f64>,
    /// The column player's strategy.
    pub column: Vec<f64>,
    /// What the column player concedes at most minus what the row player is sure of: non-negative, 0 at the exact solution.
    pub duality_gap: f64,
}

struct Columns<'a> {
    matrix: &'a [f64],
    columns: usize,
}

// Row r bounds the epigraph: x.(A_0 - A_{r+1}) - w <= 0, where the value is x.A_0 - w.
impl Rows for Columns<'_> {
    fn count(&self) -> usize {
        self.columns - 1
    }
    fn activity(&self, x: &[(usize, f64)], out: &mut [f64]) {
        let rows = self.matrix.len() / self.columns;
        for &(i, p) in x {
            if i == rows {
                out.iter_mut().for_each(|o| *o -= p);
            } else {
                let line = &self.matrix[i * self.columns..(i + 1) * self.columns];
                for (o, v) in out.iter_mut().zip(&line[1..]) {
                    *o += p * (line[0] - v);
                }
            }
        }
    }
    fn row(&self, r: usize, out: &mut [f64]) {
        for (o, line) in out.iter_mut().zip(self.matrix.chunks_exact(self.columns)) {
            *o = line[0] - line[r + 1];
        }
        if let Some(last) = out.last_mut() {
            *last = -1.0;
        }
    }
    fn normalised(&self, j: usize) -> bool {
        j < self.matrix.len() / self.columns
    }
}

/// The minimax solution of the game in which the column player pays `matrix[i][j]` to the row player.
///
/// # Errors
/// [`GamesError::Empty`], [`GamesError::Ragged`], [`GamesError::NotFinite`], [`GamesError::NotConverged`].
///
/// ```
/// use hindsight_games::equilibrium::solve_zero_sum;
/// let rock_paper_scissors = [vec![0.0, -1.0, 1.0], vec![1.0, 0.0, -1.0], vec![-1.0, 1.0, 0.0]];
/// let solution = solve_zero_sum(&rock_paper_scissors)?;
/// assert!(solution.value.abs() < 1e-12 && (solution.row[0] - 1.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
pub fn solve_zero_sum(matrix: &[Vec<f64>]) -> Result<ZeroSum, GamesError> {
    let argument = "matrix";
    let (rows, columns) = (matrix.len(), matrix.first().map_or(0, Vec::len));
    if columns == 0 {
        return Err(GamesError::Empty { argument });
    }
    for (row, line) in matrix.iter().enumerate() {
        if line.len() != columns {
            return Err(GamesError::Ragged {
                argument,
                row,
                expected: columns,
                found: line.len(),
            });
        }
        for &v in line {
            finite(argument, v)?;
        }
    }
    let mut cost: Vec<f64> = matrix.iter().map(|line| line[0]).collect();
    cost.push(-1.0);
    let flat = matrix.concat();
    let lp = Columns {
        matrix: &flat,
        columns,
    };
    let best = maximise(&lp, &cost)?.ok_or(GamesError::NotConverged {
        method: "dual simplex",
        residual: f64::INFINITY,
        iterations: 0,
    })?;
    let row = best.x[..rows].to_vec();
    // The multipliers are the column player's strategy; the first column takes what is left.
    let mut column = vec![0.0; columns];
    for (r, y) in best.duals {
        column[r + 1] = y;
    }
    let used: f64 = column.iter().sum();
    column[0] = (1.0 - used).max(0.0);
    let total: f64 = column.iter().sum();
    column.iter_mut().for_each(|y| *y /= total);
    let mut sure = vec![0.0; columns];
    for (&x, line) in row.iter().zip(matrix) {
        for (s, v) in sure.iter_mut().zip(line) {
            *s += x * v;
        }
    }
    let low = sure.into_iter().fold(f64::INFINITY, f64::min);
    let high = matrix
        .iter()
        .map(|line| dot(line, &column))
        .fold(f64::NEG_INFINITY, f64::max);
    Ok(ZeroSum {
        value: 0.5 * (low + high),
        row,
        column,
        duality_gap: (high - low).max(0.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn both_guarantees_meet(rows in 1usize..9, columns in 1usize..9, whole in any::<bool>(), seed in any::<u64>()) {
            let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
            let matrix: Vec<Vec<f64>> = (0..rows).map(|_| (0..columns).map(|_| {
                if whole { f64::from(rng.random_range(0..3i8)) } else { rng.random_range(-5.0..5.0) }
            }).collect()).collect();
            let s = solve_zero_sum(&matrix).unwrap();
            prop_assert!(s.duality_gap < 1e-7, "{:?}", s);
            // Exchange of roles changes the sign.
            let turned: Vec<Vec<f64>> = (0..columns).map(|j| (0..rows).map(|i| -matrix[i][j]).collect()).collect();
            prop_assert!((solve_zero_sum(&turned).unwrap().value + s.value).abs() < 1e-7);
        }
    }

    #[test]
    fn two_by_two_closed_form() {
        // No saddle point: value (ad - bc) / (a + d - b - c).
        let s = solve_zero_sum(&[vec![3.0, -1.0], vec![-2.0, 4.0]]).unwrap();
        assert!((s.value - 1.0).abs() < 1e-12);
        assert!((s.row[0] - 0.6).abs() < 1e-12);
    }

    #[test]
    fn bad_matrices_are_refused() {
        assert!(matches!(solve_zero_sum(&[]), Err(GamesError::Empty { .. })));
        assert!(matches!(
            solve_zero_sum(&[vec![1.0], vec![]]),
            Err(GamesError::Ragged { row: 1, .. })
        ));
        assert!(matches!(
            solve_zero_sum(&[vec![f64::NAN]]),
            Err(GamesError::NotFinite { .. })
        ));
    }
}
