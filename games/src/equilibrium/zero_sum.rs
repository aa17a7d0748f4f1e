//! Values and optimal strategies of two-player zero-sum games.

use super::lp::{Rows, maximise};
use crate::error::{Argument, GamesError, Method, finite};
use crate::game::{Game, dot};

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

/// Row r bounds the epigraph: $x\cdot(A_0-A_{r+1})-w\le0$, where the value is $x\cdot A_0-w$.
struct Columns<'a> {
    matrix: &'a [f64],
    columns: usize,
}

impl Columns<'_> {
    fn lines(&self) -> std::slice::ChunksExact<'_, f64> {
        self.matrix.chunks_exact(self.columns)
    }
}

impl Rows for Columns<'_> {
    fn count(&self) -> usize {
        self.columns - 1
    }
    fn entries(&self, r: usize, mut visit: impl FnMut(usize, f64)) {
        for (i, line) in self.lines().enumerate() {
            visit(i, line[0] - line[r + 1]);
        }
        visit(self.lines().len(), -1.0);
    }
    fn add_column(&self, i: usize, p: f64, out: &mut [f64]) {
        match self.lines().nth(i) {
            None => out.iter_mut().for_each(|o| *o -= p),
            Some(line) => {
                for (o, v) in out.iter_mut().zip(&line[1..]) {
                    *o += p * (line[0] - v);
                }
            }
        }
    }
    fn normalised(&self, j: usize) -> bool {
        j < self.lines().len()
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
    let argument = Argument::Matrix;
    let columns = matrix.first().map_or(0, Vec::len);
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
    // In units of the spread, so that every tolerance is relative.
    let (low, high) = matrix
        .iter()
        .flatten()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| {
            (l.min(v), h.max(v))
        });
    let unit = if high > low { high - low } else { 1.0 };
    let flat: Vec<f64> = matrix.iter().flatten().map(|v| (v - low) / unit).collect();
    let solution = in_units(&flat, columns)?;
    if solution.duality_gap > PROOF {
        return Err(GamesError::NotConverged {
            method: Method::DualSimplex,
            residual: solution.duality_gap,
            iterations: 0,
        });
    }
    Ok(ZeroSum {
        value: low + unit * solution.value,
        duality_gap: unit * solution.duality_gap,
        ..solution
    })
}

impl ZeroSum {
    /// The minimax solution of a game of two players whose payoffs sum to zero, to $10^{-9}$ of the row player's largest.
    ///
    /// # Errors
    /// [`GamesError::NotTwoPlayers`], [`GamesError::NotZeroSum`] with the first profile of another sum, and those of [`solve_zero_sum`].
    ///
    /// ```
    /// use hindsight_games::{Game, equilibrium::ZeroSum};
    /// let pennies = Game::bimatrix(&[vec![3.0, -1.0], vec![-2.0, 4.0]], &[vec![-3.0, 1.0], vec![2.0, -4.0]])?;
    /// assert!((ZeroSum::of(&pennies)?.value - 1.0).abs() < 1e-12);
    /// # Ok::<(), hindsight_games::GamesError>(())
    /// ```
    pub fn of(game: &Game) -> Result<Self, GamesError> {
        let players = game.players();
        let (&[_, columns], Some(a), Some(b)) = (game.shape(), game.payoffs(0), game.payoffs(1))
        else {
            return Err(GamesError::NotTwoPlayers { players });
        };
        let size = a.iter().fold(0.0f64, |m, u| m.max(u.abs()));
        if let Some(s) = (0..a.len()).find(|&s| (a[s] + b[s]).abs() > 1e-9 * size) {
            return Err(GamesError::NotZeroSum {
                profile: game.profile(s),
                sum: a[s] + b[s],
            });
        }
        let matrix: Vec<Vec<f64>> = a.chunks(columns).map(<[f64]>::to_vec).collect();
        solve_zero_sum(&matrix)
    }
}

/// Largest duality gap of a solution that is returned, relative to the spread of the payoffs.
const PROOF: f64 = 1e-9;

/// The solution for a matrix in $[0,1]$, its two guarantees computed from the strategies.
pub(super) fn in_units(flat: &[f64], columns: usize) -> Result<ZeroSum, GamesError> {
    let rows = flat.len() / columns;
    let mut cost: Vec<f64> = flat.iter().step_by(columns).copied().collect();
    cost.push(-1.0);
    let programme = Columns {
        matrix: flat,
        columns,
    };
    let best = maximise(&programme, &cost)?.ok_or(GamesError::NotConverged {
        method: Method::DualSimplex,
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
    for (&x, line) in row.iter().zip(flat.chunks_exact(columns)) {
        for (s, v) in sure.iter_mut().zip(line) {
            *s += x * v;
        }
    }
    let low = sure.into_iter().fold(f64::INFINITY, f64::min);
    let high = flat
        .chunks_exact(columns)
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
    fn games_of_another_sum_are_refused_with_the_place() {
        let a = [vec![3e9, -1e9, 0.0], vec![-2e9, 4e9, 1.0]];
        let zero = Game::zero_sum(&a).unwrap();
        assert_eq!(ZeroSum::of(&zero), solve_zero_sum(&a));
        // Rounding of sums is let pass in proportion to the payoffs.
        let mut b: Vec<Vec<f64>> = a.iter().map(|r| r.iter().map(|u| -u).collect()).collect();
        b[1][0] += 2.0;
        let near = Game::bimatrix(&a, &b).unwrap();
        assert_eq!(ZeroSum::of(&near), solve_zero_sum(&a));
        b[1][0] += 8.0;
        let found = ZeroSum::of(&Game::bimatrix(&a, &b).unwrap());
        let profile = vec![1, 0];
        assert_eq!(found, Err(GamesError::NotZeroSum { profile, sum: 10.0 }));
        let three = Game::from_fn(&[2, 2, 2], |_, _| 0.0).unwrap();
        assert_eq!(
            ZeroSum::of(&three),
            Err(GamesError::NotTwoPlayers { players: 3 })
        );
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
