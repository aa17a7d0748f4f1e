//! The judge: win probabilities, call counters, noise that can be switched on.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::error::{Argument, GamesError, non_negative};
use crate::game::Game;

/// A value oracle: the probability that the first debater wins, one judge call each.
pub trait Judge {
    /// Number of strategies of both debaters.
    fn strategies(&self) -> (usize, usize);

    /// The probability that the first debater wins with its strategy `a` against `b`; strategies beyond the range count as the last.
    fn win(&mut self, a: usize, b: usize) -> f64;
}

/// A matrix of win probabilities of the first debater.
///
/// ```
/// use hindsight_games::debate::{Judge, WinMatrix};
/// let mut judge = WinMatrix::new(&[vec![0.8, 0.4], vec![0.5, 0.6]])?;
/// assert_eq!(judge.win(0, 1), 0.4);
/// let value = hindsight_games::equilibrium::solve_zero_sum(&judge.rows())?.value;
/// assert!((value - 0.56).abs() < 1e-9);
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct WinMatrix {
    columns: usize,
    wins: Vec<f64>,
}

impl WinMatrix {
    /// A judge from rows of win probabilities.
    ///
    /// # Errors
    /// [`GamesError::Empty`], [`GamesError::Ragged`], [`GamesError::NotFinite`], or [`GamesError::OutOfRange`] for an entry outside $\[0,1\]$.
    pub fn new(rows: &[Vec<f64>]) -> Result<Self, GamesError> {
        let argument = Argument::WinProbabilities;
        let columns = rows.first().map_or(0, Vec::len);
        if columns == 0 {
            return Err(GamesError::Empty { argument });
        }
        for (row, line) in rows.iter().enumerate() {
            if line.len() != columns {
                return Err(GamesError::Ragged {
                    argument,
                    row,
                    expected: columns,
                    found: line.len(),
                });
            }
            for &value in line {
                if !(0.0..=1.0).contains(&crate::error::finite(argument, value)?) {
                    return Err(GamesError::OutOfRange {
                        argument,
                        interval: "[0, 1]",
                        value,
                    });
                }
            }
        }
        Ok(Self {
            columns,
            wins: rows.concat(),
        })
    }

    /// The rows of the matrix.
    #[must_use]
    pub fn rows(&self) -> Vec<Vec<f64>> {
        self.wins
            .chunks_exact(self.columns)
            .map(<[f64]>::to_vec)
            .collect()
    }

    /// The debate as a game: payoffs are the probabilities of winning, $p$ and $1-p$.
    ///
    /// # Errors
    /// [`GamesError::TooLarge`].
    pub fn game(&self) -> Result<Game, GamesError> {
        let loses = self.wins.iter().map(|p| 1.0 - p).collect();
        Game::new(
            vec![self.wins.len() / self.columns, self.columns],
            vec![self.wins.clone(), loses],
        )
    }
}

impl Judge for WinMatrix {
    fn strategies(&self) -> (usize, usize) {
        (self.wins.len() / self.columns, self.columns)
    }
    fn win(&mut self, a: usize, b: usize) -> f64 {
        let rows = self.wins.len() / self.columns;
        self.wins[a.min(rows - 1) * self.columns + b.min(self.columns - 1)]
    }
}

/// A judge that counts its calls.
#[derive(Debug, Clone)]
pub struct Counted<J> {
    inner: J,
    calls: usize,
}

impl<J> Counted<J> {
    /// Counts the calls of a judge.
    pub fn new(inner: J) -> Self {
        Self { inner, calls: 0 }
    }

    /// Calls so far.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls
    }
}

impl<J: Judge> Judge for Counted<J> {
    fn strategies(&self) -> (usize, usize) {
        self.inner.strategies()
    }
    fn win(&mut self, a: usize, b: usize) -> f64 {
        self.calls += 1;
        self.inner.win(a, b)
    }
}

/// A judge whose probability is shown with Gaussian noise, clipped to $\[0,1\]$ and rounded to one decimal, as in the authors' experiment; fresh noise at every call.
#[derive(Debug, Clone)]
pub struct Noisy<J, R> {
    inner: J,
    deviation: f64,
    rng: R,
}

impl<J, R> Noisy<J, R> {
    /// Adds noise of a standard deviation; 0 switches noise and rounding off.
    ///
    /// # Errors
    /// [`GamesError::OutOfRange`] or [`GamesError::NotFinite`] for a negative deviation.
    pub fn new(inner: J, deviation: f64, rng: R) -> Result<Self, GamesError> {
        Ok(Self {
            inner,
            deviation: non_negative(Argument::Deviation, deviation)?,
            rng,
        })
    }
}

impl<J: Judge, R: Rng> Judge for Noisy<J, R> {
    fn strategies(&self) -> (usize, usize) {
        self.inner.strategies()
    }
    fn win(&mut self, a: usize, b: usize) -> f64 {
        let p = self.inner.win(a, b);
        if self.deviation > 0.0 {
            let shown =
                (p + self.deviation * self.rng.sample::<f64, _>(StandardNormal)).clamp(0.0, 1.0);
            (shown * 10.0).round() / 10.0
        } else {
            p
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn wrappers_count_and_blur() {
        let matrix = WinMatrix::new(&[vec![0.5]]).unwrap();
        let mut judge = Counted::new(
            Noisy::new(matrix.clone(), 0.2, rand_pcg::Pcg64::seed_from_u64(1)).unwrap(),
        );
        let n = 20_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..n {
            let p = judge.win(0, 0);
            assert!((p * 10.0 - (p * 10.0).round()).abs() < 1e-12);
            sum += p;
            squares += (p - 0.5) * (p - 0.5);
        }
        assert_eq!(judge.calls(), n);
        assert!((sum / n as f64 - 0.5).abs() < 0.006);
        // Variance of the clipped normal (0.0394) and of rounding (0.1^2 / 12).
        assert!(
            (squares / n as f64 - 0.0402).abs() < 0.0015,
            "{}",
            squares / n as f64
        );
        let mut quiet = Noisy::new(matrix, 0.0, rand_pcg::Pcg64::seed_from_u64(1)).unwrap();
        assert_eq!(quiet.win(0, 0), 0.5);
        assert!(
            matches!(WinMatrix::new(&[vec![1.2]]), Err(GamesError::OutOfRange { value, .. }) if value == 1.2)
        );
    }
}
