//! Cells of time and of shares, and orders as sequences of them.

use crate::error::{Argument, ArrivalsError, within};
use crate::log::{Log, Order};
use crate::sampler::Piece;

/// Shares that differ by less are the same: arithmetic of whole units.
const SAME: f64 = 1e-9;

/// The cells in which arrivals are told apart.
///
/// A piece of an order is a pair: the cell of the periods since the piece before (since the order, for the first), and the cell of its
/// share of the order. Share 0 of the cells is an atom: exactly what completes the order, all at once or the rest; "nothing more" is
/// the time after all cells. Cells of one period are exact; within larger ones, and within cells of shares, a draw is uniform.
///
/// ```
/// use hindsight_arrivals::Grid;
/// let grid = Grid::weekly(10)?;
/// assert_eq!((grid.times(), grid.last()), (11, 10));
/// # Ok::<(), hindsight_arrivals::ArrivalsError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Grid {
    times: Vec<i64>,
    shares: Vec<f64>,
    pieces: usize,
}

/// A piece of an order on a [`Grid`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Token {
    /// The cell of its time since the piece before.
    pub time: usize,
    /// The cell of its share.
    pub share: usize,
    /// When and how much it is itself.
    pub piece: Piece,
}

impl Grid {
    /// Cells between rising limits of whole periods, each from its lower limit to below the upper, and between rising limits of shares
    /// of an order, of which the first is zero, each above its lower limit up to the upper. Shares above the last limit count as it;
    /// later pieces of an order than the `pieces`-th are added to it.
    ///
    /// # Errors
    /// Fewer than two limits, limits that do not rise, shares that do not begin with zero, no piece.
    pub fn new(times: Vec<i64>, shares: Vec<f64>, pieces: usize) -> Result<Self, ArrivalsError> {
        for (argument, found) in [
            (Argument::TimeCells, times.len()),
            (Argument::ShareCells, shares.len()),
            (Argument::Pieces, pieces + 1),
        ] {
            if found < 2 {
                return Err(ArrivalsError::Empty { argument });
            }
        }
        let argument = Argument::TimeCells;
        if let Some(at) = times.windows(2).position(|pair| pair[0] >= pair[1]) {
            return Err(ArrivalsError::Order {
                argument,
                index: at + 1,
            });
        }
        let argument = Argument::ShareCells;
        within(argument, 0, shares[0], [0.0, 0.0])?;
        for (index, pair) in shares.windows(2).enumerate() {
            within(argument, index + 1, pair[1], [0.0, f64::MAX])?;
            if pair[0] >= pair[1] {
                return Err(ArrivalsError::Order {
                    argument,
                    index: index + 1,
                });
            }
        }
        Ok(Grid {
            times,
            shares,
            pieces,
        })
    }

    /// Periods 0 to `last` one by one, shares in twentieths up to one, tenths to one and a half, then to two and to four; four pieces.
    ///
    /// # Errors
    /// When `last` is above a million.
    pub fn weekly(last: usize) -> Result<Self, ArrivalsError> {
        #[expect(clippy::cast_precision_loss, reason = "checked against a million")]
        within(Argument::TimeCells, 0, last as f64, [0.0, 1e6])?;
        let times = (0..).take(last + 2).collect();
        Grid::new(times, Grid::default_shares(), 4)
    }

    /// Cells from `first` to at least `last` for long times, as those in days are: periods one by one up to 32 before and after time 0, beyond it cells of
    /// an eighth of their distance from it; shares and pieces as in [`weekly`](Grid::weekly), which it equals up to 32 periods.
    ///
    /// # Errors
    /// Times that do not rise or are a million periods or more away.
    pub fn widening(first: i64, last: i64) -> Result<Self, ArrivalsError> {
        #[expect(clippy::cast_precision_loss, reason = "checked against a million")]
        for (index, time) in [first, last].into_iter().enumerate() {
            within(Argument::TimeCells, index, time as f64, [-1e6, 1e6])?;
        }
        let mut times = vec![first];
        let mut limit = first;
        while limit <= last {
            limit += if limit.abs() <= 32 {
                1
            } else {
                limit.abs() / 8
            };
            times.push(limit);
        }
        Grid::new(times, Grid::default_shares(), 4)
    }

    /// The limits of shares of [`weekly`](Grid::weekly).
    #[must_use]
    pub fn default_shares() -> Vec<f64> {
        let below = (0..=20).map(|k| f64::from(k) / 20.0);
        let above = (1..=5).map(|k| 1.0 + f64::from(k) / 10.0);
        below.chain(above).chain([2.0, 4.0]).collect()
    }

    /// The number of cells of time.
    #[must_use]
    pub fn times(&self) -> usize {
        self.times.len() - 1
    }

    /// The number of cells of shares, the atom among them.
    #[must_use]
    pub fn shares(&self) -> usize {
        self.shares.len()
    }

    /// The pieces of an order that are told apart.
    #[must_use]
    pub fn pieces(&self) -> usize {
        self.pieces
    }

    /// The last period since an order in which anything arrives.
    #[must_use]
    pub fn last(&self) -> i64 {
        self.times[self.times()] - 1
    }

    /// The first.
    #[must_use]
    pub fn first(&self) -> i64 {
        self.times[0]
    }

    /// The limits of a cell of time: from the first to below the second.
    pub(crate) fn time_cell(&self, cell: usize) -> [i64; 2] {
        [self.times[cell], self.times[cell + 1]]
    }

    /// The limits of a cell of shares; the atom has none.
    pub(crate) fn share_cell(&self, cell: usize) -> [f64; 2] {
        match cell {
            0 => [0.0, 0.0],
            cell => [self.shares[cell - 1], self.shares[cell]],
        }
    }

    pub(crate) fn limits(&self) -> (&[i64], &[f64]) {
        (&self.times, &self.shares)
    }

    /// The cell of a time.
    fn time_of(&self, time: i64) -> usize {
        let above = self.times.partition_point(|&limit| limit <= time);
        above.clamp(1, self.times()) - 1
    }

    /// The cell of a share, where so much of the order has come before.
    fn share_of(&self, share: f64, before: f64) -> usize {
        if (before + share - 1.0).abs() <= SAME && before < 1.0 - SAME {
            return 0;
        }
        let below = self.shares.partition_point(|&limit| limit < share);
        below.clamp(1, self.shares() - 1)
    }

    /// The pieces of an order: times and shares kept within the grid, later pieces than are told apart added to the last.
    #[must_use]
    pub fn tokens(&self, order: &Order) -> Vec<Token> {
        let mut pieces: Vec<Piece> = Vec::new();
        for receipt in &order.receipts {
            let time = receipt.time.clamp(self.first(), self.last());
            let share = receipt.units / order.request.units;
            match pieces.last_mut() {
                Some(last) if last.time == time => last.share += share,
                _ => pieces.push(Piece { time, share }),
            }
        }
        while pieces.len() > self.pieces {
            let late = pieces.pop().map_or(0.0, |piece| piece.share);
            if let Some(last) = pieces.last_mut() {
                last.share += late;
            }
        }
        let (mut elapsed, mut before) = (0, 0.0);
        let token = |piece: Piece| {
            let token = Token {
                time: self.time_of(piece.time - elapsed),
                share: self.share_of(piece.share, before),
                piece,
            };
            elapsed = piece.time;
            before += piece.share;
            token
        };
        pieces.into_iter().map(token).collect()
    }

    /// The logarithm of the volume of an order's cells: what turns a density by shares and a probability of periods into the probability of the cells, for
    /// comparison with the likelihood of a model on this grid.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "periods")]
    pub fn log_volume(&self, order: &Order) -> f64 {
        let volume = |token: Token| {
            let [low, high] = self.time_cell(token.time);
            let periods = ((high - low) as f64).ln();
            match self.share_cell(token.share) {
                _ if token.share == 0 => periods,
                [low, high] => periods + (high - low).ln(),
            }
        };
        self.tokens(order).into_iter().map(volume).sum()
    }

    /// The last period since an order in which a receipt would have been seen; none where nothing more can come.
    pub(crate) fn open_until(&self, order: &Order) -> Option<i64> {
        order.seen_until.filter(|&seen| seen < self.last())
    }

    /// The last period since its order in which anything of a log was received: what a weekly grid must reach. None where nothing was.
    #[must_use]
    pub fn last_receipt(log: &Log) -> Option<usize> {
        let receipts = log.orders().iter().flat_map(|order| &order.receipts);
        let last = receipts.map(|receipt| receipt.time).max()?;
        usize::try_from(last).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Receipt, Request};

    fn order(receipts: &[(i64, f64)]) -> Order {
        let receipts = receipts
            .iter()
            .map(|&(time, units)| Receipt { time, units });
        Order {
            request: Request::new(0, 10.0),
            receipts: receipts.collect(),
            seen_until: None,
        }
    }

    #[test]
    fn what_completes_an_order_is_an_atom() {
        let grid = Grid::weekly(10).unwrap();
        let shares = |receipts: &[(i64, f64)]| -> Vec<usize> {
            grid.tokens(&order(receipts))
                .iter()
                .map(|t| t.share)
                .collect()
        };
        assert_eq!(shares(&[(1, 10.0)]), [0]);
        assert_eq!(shares(&[(1, 3.0), (2, 7.0)]), [6, 0]);
        assert_eq!(shares(&[(1, 3.0), (2, 3.0), (4, 4.0)]), [6, 6, 0]);
        // A full order after a full order is one in excess, not an atom.
        assert_eq!(shares(&[(1, 10.0), (2, 10.0)]), [0, 20]);
        assert_eq!(shares(&[]), [0; 0]);
    }

    #[test]
    fn pieces_beyond_the_grid_are_kept_in_its_last() {
        let grid = Grid::new(vec![0, 1, 2, 3], vec![0.0, 1.0, 2.0], 2).unwrap();
        let tokens = grid.tokens(&order(&[(0, 2.0), (1, 3.0), (2, 4.0), (9, 1.0)]));
        assert_eq!(tokens.len(), 2);
        assert_eq!(tokens[1].share, 0);
        assert!((tokens[1].piece.share - 0.8).abs() < 1e-12);
    }

    #[test]
    fn cells_widen_away_from_the_origin() {
        assert_eq!(Grid::widening(0, 20).unwrap(), Grid::weekly(20).unwrap());
        let days = Grid::widening(-372, 192).unwrap();
        assert!(days.first() == -372 && days.last() >= 192 && days.times() < 100);
        let near = (0..days.times()).filter(|&cell| {
            let [low, high] = days.time_cell(cell);
            low.abs() <= 32 && high - low == 1
        });
        assert!(near.count() >= 60);
        assert!(Grid::widening(3, 2).is_err() && Grid::widening(0, 2_000_000).is_err());
    }

    #[test]
    fn grids_that_are_none_are_refused() {
        for (times, shares, pieces) in [
            (vec![0], vec![0.0, 1.0], 1),
            (vec![0, 0], vec![0.0, 1.0], 1),
            (vec![0, 1], vec![0.5, 1.0], 1),
            (vec![0, 1], vec![0.0, f64::NAN], 1),
            (vec![0, 1], vec![0.0, 1.0], 0),
        ] {
            assert!(Grid::new(times, shares, pieces).is_err());
        }
    }
}
