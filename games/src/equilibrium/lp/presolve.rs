//! Columns that every solution leaves at zero, found before the simplex starts.
//!
//! A row whose entries are all non-negative over the columns that are left forces every column with a positive entry to zero; a row whose entries are all
//! non-positive says nothing. Repeated, this is the elimination of forced zeros: on the rows of correlated equilibrium it contains the iterated removal of
//! strictly dominated actions, and works on profiles where dominance is only weak.

use super::Rows;

/// Entries above minus this, relative to the largest of their row, count as non-negative: below it lies the rounding of payoffs.
const NOISE: f64 = 1e-13;
/// A positive entry forces its column only above this, relative to the largest of its row.
const FORCING: f64 = 1e-7;

/// A row with the columns that it forced to zero and their entries.
#[derive(Debug)]
struct Step {
    row: usize,
    forced: Vec<(usize, f64)>,
}

/// What is left of a programme.
#[derive(Debug)]
pub(super) struct Reduced {
    /// Whether each column is left.
    pub(super) alive: Vec<bool>,
    /// For each row one over its largest entry over the columns that are left; 0 for rows that say nothing.
    pub(super) scale: Vec<f64>,
    steps: Vec<Step>,
}

impl Reduced {
    pub(super) fn new<R: Rows>(rows: &R, columns: usize) -> Self {
        let mut reduced = Self {
            alive: vec![true; columns],
            scale: vec![0.0; rows.count()],
            steps: Vec::new(),
        };
        let mut open: Vec<usize> = (0..rows.count()).collect();
        loop {
            let before = reduced.steps.len();
            open.retain(|&r| reduced.scan(rows, r));
            if reduced.steps.len() == before {
                return reduced;
            }
        }
    }

    /// Whether row `r` still says something about the columns that are left; forces what it forces.
    fn scan<R: Rows>(&mut self, rows: &R, r: usize) -> bool {
        let (mut low, mut high, mut left) = (0.0f64, 0.0f64, false);
        rows.entries(r, |j, v| {
            if self.alive[j] {
                left = true;
                low = low.min(v);
                high = high.max(v);
            }
        });
        let size = high.max(-low);
        self.scale[r] = 0.0;
        if !left || high <= NOISE * size {
            return false;
        }
        self.scale[r] = 1.0 / size;
        if -low > NOISE * high {
            return true;
        }
        let mut forced = Vec::new();
        rows.entries(r, |j, v| {
            if self.alive[j] && v > FORCING * high {
                forced.push((j, v));
            }
        });
        for &(j, _) in &forced {
            self.alive[j] = false;
        }
        self.steps.push(Step { row: r, forced });
        true
    }

    /// Multipliers of the forcing rows that price every forced column at `bound` or less; `price` is the objective less all multipliers so far times
    /// their rows, and is kept so. Later steps come first: raising the multiplier of a step raises no price of a column forced later.
    pub(super) fn multipliers<R: Rows>(
        &self,
        rows: &R,
        bound: f64,
        price: &mut [f64],
    ) -> Vec<(usize, f64)> {
        let mut found = Vec::new();
        for step in self.steps.iter().rev() {
            let y = step
                .forced
                .iter()
                .map(|&(j, v)| (price[j] - if rows.normalised(j) { bound } else { 0.0 }) / v)
                .fold(0.0, f64::max);
            if y > 0.0 {
                rows.entries(step.row, |j, v| price[j] -= y * v);
                found.push((step.row, y));
            }
        }
        found
    }
}
