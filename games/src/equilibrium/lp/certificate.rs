//! What proves an optimum: feasibility and weak duality, both computed from the original rows and objective.

use super::Rows;
use super::presolve::Reduced;

/// Largest violation of a scaled row, and largest gap of an objective with a spread of 1, of a result that is returned.
pub(super) const PROOF: f64 = 1e-8;

/// An optimal vertex, its multipliers and what was left of the optimality conditions.
#[derive(Debug, Clone)]
pub(in super::super) struct Optimum {
    pub(in super::super) x: Vec<f64>,
    pub(in super::super) value: f64,
    /// Rows with a positive multiplier.
    pub(in super::super) duals: Vec<(usize, f64)>,
    /// Least upper bound on the optimum that the multipliers prove, minus the value.
    pub(in super::super) gap: f64,
    pub(in super::super) pivots: usize,
}

/// A claimed solution and how far it is from proved, relative to the data.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) optimum: Optimum,
    /// The larger of the largest violation of a scaled row and the relative gap.
    pub(super) doubt: f64,
}

impl Optimum {
    /// The same for an objective with the coefficients `cost`, of which this one's are an affine map that divides by `spread`.
    pub(super) fn in_units(mut self, cost: &[f64], spread: f64) -> Self {
        self.value = self.x.iter().zip(cost).map(|(x, c)| x * c).sum();
        self.gap *= spread;
        self.duals.iter_mut().for_each(|(_, y)| *y *= spread);
        self
    }
}

/// The claim made by the point `x` and the multipliers `y` (clipped at zero) for `cost`, whose spread is 1.
pub(super) fn claim<R: Rows>(
    rows: &R,
    cost: &[f64],
    reduced: &Reduced,
    mut x: Vec<f64>,
    y: impl Iterator<Item = (usize, f64)>,
    pivots: usize,
) -> Claim {
    x.iter_mut().for_each(|v| *v = v.max(0.0));
    let total: f64 = (0..x.len())
        .filter(|&j| rows.normalised(j))
        .map(|j| x[j])
        .sum();
    x.iter_mut().for_each(|v| *v /= total);
    let value: f64 = x.iter().zip(cost).map(|(x, c)| x * c).sum();
    let mut activity = vec![0.0; rows.count()];
    for (j, &p) in x.iter().enumerate().filter(|(_, p)| **p > 0.0) {
        rows.add_column(j, p, &mut activity);
    }
    let violation = activity
        .iter()
        .zip(&reduced.scale)
        .map(|(g, s)| g * s)
        .fold(0.0, f64::max);
    // Weak duality: for y >= 0 the optimum is at most the largest priced cost (0 for columns outside the normalisation). Columns forced to zero need no
    // price: the rows that forced them are the proof.
    let mut price = cost.to_vec();
    let mut duals: Vec<(usize, f64)> = y.filter(|(_, y)| *y > 0.0).collect();
    for &(r, y) in &duals {
        rows.entries(r, |j, v| price[j] -= y * v);
    }
    let (mut bound, mut excess) = (f64::NEG_INFINITY, 0.0f64);
    for (j, &p) in price.iter().enumerate().filter(|(j, _)| reduced.alive[*j]) {
        if rows.normalised(j) {
            bound = bound.max(p);
        } else {
            excess = excess.max(p);
        }
    }
    let gap = (bound - value).max(0.0) + excess;
    duals.extend(reduced.multipliers(rows, bound, &mut price));
    duals.sort_unstable_by_key(|d| d.0);
    duals.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    Claim {
        doubt: violation.max(gap),
        optimum: Optimum {
            x,
            value,
            duals,
            gap,
            pivots,
        },
    }
}
