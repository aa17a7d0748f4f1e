//! Games in normal form: payoff tensors of any number of players.

use crate::error::{Argument, GamesError, length};

/// Most entries a tensor may hold.
const LARGEST: usize = 1 << 26;

/// A game in normal form: for each player, a payoff for every pure profile.
///
/// Profiles are numbered in row-major order: the last player's action changes fastest. Payoffs may be any finite numbers; the guarantees of
/// the learners are stated for payoffs in $\[0,1\]$ (see [`Game::rescaled`]).
///
/// ```
/// use hindsight_games::Game;
/// let chicken = Game::bimatrix(&[vec![6.0, 2.0], vec![7.0, 0.0]], &[vec![6.0, 7.0], vec![2.0, 0.0]])?;
/// assert_eq!(chicken.payoff(0, &[1, 0])?, 7.0);
/// assert_eq!(chicken.pure_nash(), vec![vec![0, 1], vec![1, 0]]);
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "Stored", into = "Stored")
)]
pub struct Game {
    shape: Vec<usize>,
    strides: Vec<usize>,
    payoffs: Vec<Vec<f64>>,
}

/// What is stored of a game: the rest follows.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Stored {
    shape: Vec<usize>,
    payoffs: Vec<Vec<f64>>,
}

#[cfg(feature = "serde")]
impl TryFrom<Stored> for Game {
    type Error = GamesError;
    fn try_from(stored: Stored) -> Result<Self, GamesError> {
        Self::new(stored.shape, stored.payoffs)
    }
}

#[cfg(feature = "serde")]
impl From<Game> for Stored {
    fn from(game: Game) -> Self {
        Self {
            shape: game.shape,
            payoffs: game.payoffs,
        }
    }
}

impl Game {
    /// A game from `payoffs[player][profile]`, profiles in row-major order of `shape` (actions of each player).
    ///
    /// # Errors
    /// [`GamesError::Empty`] without players or actions, [`GamesError::Length`] when a tensor does not fit the shape,
    /// [`GamesError::PayoffNotFinite`], [`GamesError::TooLarge`].
    pub fn new(shape: Vec<usize>, payoffs: Vec<Vec<f64>>) -> Result<Self, GamesError> {
        let strides = strides(&shape)?;
        length(Argument::Payoffs, shape.len(), payoffs.len())?;
        let size: usize = shape.iter().product();
        for tensor in &payoffs {
            length(Argument::PayoffTensor, size, tensor.len())?;
        }
        let game = Self {
            shape,
            strides,
            payoffs,
        };
        for (player, tensor) in game.payoffs.iter().enumerate() {
            if let Some(at) = tensor.iter().position(|u| !u.is_finite()) {
                return Err(GamesError::PayoffNotFinite {
                    player,
                    profile: game.profile(at),
                    value: tensor[at],
                });
            }
        }
        Ok(game)
    }

    /// A game of two players from the rows of both payoff matrices (row player first).
    ///
    /// # Errors
    /// [`GamesError::Ragged`] when rows differ in length, and the errors of [`Game::new`].
    pub fn bimatrix(row: &[Vec<f64>], column: &[Vec<f64>]) -> Result<Self, GamesError> {
        let a = flatten(Argument::RowMatrix, row)?;
        let b = flatten(Argument::ColumnMatrix, column)?;
        length(Argument::ColumnMatrix, row.len(), column.len())?;
        length(Argument::ColumnMatrix, row[0].len(), column[0].len())?;
        Self::new(vec![row.len(), row[0].len()], vec![a, b])
    }

    /// The zero-sum game in which the column player pays `row[i][j]`.
    ///
    /// # Errors
    /// As [`Game::bimatrix`].
    pub fn zero_sum(row: &[Vec<f64>]) -> Result<Self, GamesError> {
        let a = flatten(Argument::RowMatrix, row)?;
        let b = a.iter().map(|u| -u).collect();
        Self::new(vec![row.len(), row[0].len()], vec![a, b])
    }

    /// A game from a callback `payoff(player, profile)`, called once for each player and profile.
    ///
    /// # Errors
    /// As [`Game::new`].
    pub fn from_fn(
        shape: &[usize],
        mut payoff: impl FnMut(usize, &[usize]) -> f64,
    ) -> Result<Self, GamesError> {
        strides(shape)?;
        let size: usize = shape.iter().product();
        let mut payoffs = vec![Vec::with_capacity(size); shape.len()];
        let mut profile = vec![0; shape.len()];
        for _ in 0..size {
            for (player, tensor) in payoffs.iter_mut().enumerate() {
                tensor.push(payoff(player, &profile));
            }
            advance(&mut profile, shape);
        }
        Self::new(shape.to_vec(), payoffs)
    }

    /// The same game of two players with their roles exchanged.
    ///
    /// # Errors
    /// [`GamesError::NotTwoPlayers`].
    pub fn exchanged(&self) -> Result<Self, GamesError> {
        let &[rows, columns] = self.shape() else {
            return Err(GamesError::NotTwoPlayers {
                players: self.players(),
            });
        };
        let turned = |u: &[f64]| {
            (0..u.len())
                .map(|at| u[at % rows * columns + at / rows])
                .collect()
        };
        Self::new(
            vec![columns, rows],
            vec![turned(&self.payoffs[1]), turned(&self.payoffs[0])],
        )
    }

    /// Number of players.
    #[must_use]
    pub fn players(&self) -> usize {
        self.shape.len()
    }

    /// Number of actions of each player.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of pure profiles.
    #[must_use]
    pub fn profiles(&self) -> usize {
        self.payoffs[0].len()
    }

    /// A player's payoffs over all profiles, row-major; `None` when there is no such player.
    #[must_use]
    pub fn payoffs(&self, player: usize) -> Option<&[f64]> {
        self.payoffs.get(player).map(Vec::as_slice)
    }

    /// A player's payoff at a pure profile.
    ///
    /// # Errors
    /// [`GamesError::NoSuchAction`] or [`GamesError::Length`] when the player or profile does not exist.
    pub fn payoff(&self, player: usize, profile: &[usize]) -> Result<f64, GamesError> {
        if player >= self.players() {
            return Err(GamesError::NoSuchAction {
                argument: Argument::Player,
                value: player,
                actions: self.players(),
            });
        }
        Ok(self.payoffs[player][self.index(profile)?])
    }

    /// The number of a pure profile in row-major order.
    ///
    /// # Errors
    /// [`GamesError::NoSuchAction`] or [`GamesError::Length`].
    pub fn index(&self, profile: &[usize]) -> Result<usize, GamesError> {
        length(Argument::Profile, self.players(), profile.len())?;
        let mut at = 0;
        for ((&action, &actions), &stride) in profile.iter().zip(&self.shape).zip(&self.strides) {
            if action >= actions {
                return Err(GamesError::NoSuchAction {
                    argument: Argument::Action,
                    value: action,
                    actions,
                });
            }
            at += action * stride;
        }
        Ok(at)
    }

    /// The profile with a number (taken modulo the number of profiles).
    #[must_use]
    pub fn profile(&self, index: usize) -> Vec<usize> {
        self.shape
            .iter()
            .zip(&self.strides)
            .map(|(&actions, &stride)| index / stride % actions)
            .collect()
    }

    /// The same game with every player's payoffs moved affinely to $\[0,1\]$, with the scale and shift of each player:
    /// old payoff = shift + scale times new payoff. A player who is indifferent everywhere gets payoff 0 and scale 0.
    #[must_use]
    pub fn rescaled(&self) -> (Self, Vec<(f64, f64)>) {
        let mut game = self.clone();
        let scales = game
            .payoffs
            .iter_mut()
            .map(|tensor| {
                let low = tensor.iter().copied().fold(f64::INFINITY, f64::min);
                let high = tensor.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let scale = high - low;
                for u in tensor.iter_mut() {
                    *u = if scale.is_finite() && scale > 0.0 {
                        (*u - low) / scale
                    } else if scale > 0.0 {
                        // Half of each: the difference itself overflows.
                        (0.5 * *u - 0.5 * low) / (0.5 * high - 0.5 * low)
                    } else {
                        0.0
                    };
                }
                (scale, low)
            })
            .collect();
        (game, scales)
    }

    /// Distance in the flat tensor between neighbouring actions of a player.
    pub(crate) fn stride(&self, player: usize) -> usize {
        self.strides[player]
    }
}

/// Sum of products in four lanes, which the compiler can keep in vector registers.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 4];
    let (a4, b4) = (a.chunks_exact(4), b.chunks_exact(4));
    let tail: f64 = a4
        .remainder()
        .iter()
        .zip(b4.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a4.zip(b4) {
        for l in 0..4 {
            lanes[l] += x[l] * y[l];
        }
    }
    (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]) + tail
}

/// The next profile in row-major order; wraps to the first.
pub(crate) fn advance(profile: &mut [usize], shape: &[usize]) {
    for (action, &actions) in profile.iter_mut().zip(shape).rev() {
        *action += 1;
        if *action < actions {
            return;
        }
        *action = 0;
    }
}

fn strides(shape: &[usize]) -> Result<Vec<usize>, GamesError> {
    if shape.is_empty() || shape.contains(&0) {
        return Err(GamesError::Empty {
            argument: Argument::Shape,
        });
    }
    let mut size = 1usize;
    let mut strides = vec![0; shape.len()];
    for (stride, &actions) in strides.iter_mut().zip(shape).rev() {
        *stride = size;
        size = size.saturating_mul(actions);
    }
    if size > LARGEST {
        return Err(GamesError::TooLarge {
            argument: Argument::Profiles,
            size,
            limit: LARGEST,
        });
    }
    Ok(strides)
}

fn flatten(argument: Argument, rows: &[Vec<f64>]) -> Result<Vec<f64>, GamesError> {
    let Some(first) = rows.first() else {
        return Err(GamesError::Empty { argument });
    };
    for (row, entries) in rows.iter().enumerate() {
        if entries.len() != first.len() {
            return Err(GamesError::Ragged {
                argument,
                row,
                expected: first.len(),
                found: entries.len(),
            });
        }
    }
    Ok(rows.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_games_are_refused_with_the_place() {
        let ragged = Game::bimatrix(
            &[vec![1.0, 2.0], vec![1.0]],
            &[vec![1.0, 2.0], vec![1.0, 2.0]],
        );
        assert_eq!(
            ragged.unwrap_err(),
            GamesError::Ragged {
                argument: Argument::RowMatrix,
                row: 1,
                expected: 2,
                found: 1
            }
        );
        let nan = Game::zero_sum(&[vec![0.0, 1.0], vec![2.0, f64::NAN]]).unwrap_err();
        assert!(
            matches!(nan, GamesError::PayoffNotFinite { player: 0, ref profile, .. } if profile == &[1, 1])
        );
        assert!(matches!(
            Game::new(vec![2, 2], vec![vec![0.0; 4]; 3]),
            Err(GamesError::Length { .. })
        ));
        assert!(matches!(
            Game::new(vec![2, 0], vec![vec![]; 2]),
            Err(GamesError::Empty { .. })
        ));
        assert!(matches!(
            Game::from_fn(&[1 << 20, 1 << 20], |_, _| 0.0),
            Err(GamesError::TooLarge { .. })
        ));
        assert!(matches!(Game::zero_sum(&[]), Err(GamesError::Empty { .. })));
    }
}
