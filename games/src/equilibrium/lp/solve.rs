//! A programme from its data to a proved optimum.

use super::Rows;
use super::certificate::{Claim, Optimum, PROOF};
use super::presolve::Reduced;
use super::simplex::{Simplex, Stop};
use crate::error::{GamesError, Method};

/// Starts with other perturbations before a programme is given up.
const ATTEMPTS: usize = 4;

/// Solves the programme; `None` when no `x` satisfies the rows.
///
/// # Errors
/// [`GamesError::NotConverged`] when no attempt ends with a proof.
pub(in super::super) fn maximise<R: Rows>(
    rows: &R,
    cost: &[f64],
) -> Result<Option<Optimum>, GamesError> {
    let n = cost.len();
    let reduced = Reduced::new(rows, n);
    let left = |j: &usize| reduced.alive[*j] && rows.normalised(*j);
    let (low, high) = (0..n)
        .filter(left)
        .map(|j| cost[j])
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), c| {
            (l.min(c), h.max(c))
        });
    if low > high {
        return Ok(None);
    }
    let outside = (0..n)
        .filter(|&j| !rows.normalised(j))
        .map(|j| cost[j].abs())
        .fold(0.0, f64::max);
    // What rounding leaves of a constant is no spread.
    let (bottom, top) = cost
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &c| {
            (l.min(c), h.max(c))
        });
    let rounding = 1e-6 * (top - bottom) + 1e-13 * top.abs().max(bottom.abs());
    let spread = match (high - low).max(outside).max(rounding) {
        s if s > 0.0 => s,
        _ => 1.0,
    };
    let scaled: Vec<f64> = (0..n)
        .map(|j| (cost[j] - if rows.normalised(j) { low } else { 0.0 }) / spread)
        .collect();
    let mut last: Option<Claim> = None;
    let mut pivots = 0;
    for attempt in 0..ATTEMPTS {
        let mut simplex = Simplex::new(rows, &reduced, &scaled);
        let end = simplex.run(attempt);
        pivots += simplex.pivots;
        match end {
            Err(Stop::Infeasible) => return Ok(None),
            Err(Stop::Stuck) => continue,
            Ok(()) => {}
        }
        let claim = simplex.claim(pivots);
        if claim.doubt <= PROOF {
            return Ok(Some(claim.optimum.in_units(cost, spread)));
        }
        if last.as_ref().is_none_or(|l| claim.doubt < l.doubt) {
            last = Some(claim);
        }
    }
    Err(GamesError::NotConverged {
        method: Method::DualSimplex,
        residual: last.map_or(f64::INFINITY, |l| l.doubt),
        iterations: pivots,
    })
}
