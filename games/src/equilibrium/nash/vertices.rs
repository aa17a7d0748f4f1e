//! All vertices of a best-reply polytope, by a walk over the vertices of its perturbation.

use std::collections::{HashMap, HashSet};

use num_bigint::BigInt;

use super::tableau::{Overflow, Tableau, Whole};

/// Most vertices of the perturbed polytope that are visited.
pub(super) const LARGEST: usize = 60_000;

/// A vertex: coordinates that sum to one, and which of its variables are zero.
#[derive(Debug)]
pub(super) struct Vertex {
    pub(super) point: Vec<f64>,
    pub(super) labels: u128,
}

/// There are more than [`LARGEST`] vertices.
#[derive(Debug)]
pub(super) struct TooMany;

/// The vertices of $\lbrace x\ge0,\ Mx\le1\rbrace$ but the origin, in the order of their labels.
pub(super) fn vertices(matrix: &[BigInt], dimension: usize) -> Result<Vec<Vertex>, TooMany> {
    let found = match walk::<i128>(matrix, dimension) {
        Ok(found) => found?,
        // Too large for machine numbers: the same with numbers of any size.
        Err(Overflow) => walk::<BigInt>(matrix, dimension).unwrap_or(Err(TooMany))?,
    };
    let mut all: Vec<Vertex> = found
        .into_iter()
        .filter_map(|(labels, x)| normalised(&x).map(|point| Vertex { point, labels }))
        .collect();
    all.sort_unstable_by_key(|v| v.labels);
    Ok(all)
}

type Found = HashMap<u128, Vec<BigInt>>;

fn walk<N: Whole>(matrix: &[BigInt], dimension: usize) -> Result<Result<Found, TooMany>, Overflow> {
    let mut tableau = Tableau::<N>::origin(matrix, dimension)?;
    let mut visited = HashSet::from([key(&tableau)]);
    let mut found = Found::new();
    // The way back: the variable that re-enters and the first edge not yet tried.
    let mut way: Vec<(usize, usize)> = Vec::new();
    let mut from = 0;
    while visited.len() <= LARGEST {
        if let Some((entering, line)) = edge(&tableau, from, &mut visited)? {
            let leaving = tableau.pivot(entering, line)?;
            let (x, labels) = tableau.point();
            found.entry(labels).or_insert(x);
            way.push((leaving, entering + 1));
            from = 0;
        } else if let Some((back, resume)) = way.pop() {
            let line = tableau.leaving(back)?;
            tableau.pivot(back, line)?;
            from = resume;
        } else {
            return Ok(Ok(found));
        }
    }
    Ok(Err(TooMany))
}

fn key<N: Whole>(tableau: &Tableau<N>) -> u128 {
    tableau.basic().iter().fold(0, |k, v| k | 1 << v)
}

/// The first edge, from variable `from` on, to a vertex not yet visited (it is now): the entering variable and the line that leaves.
fn edge<N: Whole>(
    tableau: &Tableau<N>,
    from: usize,
    visited: &mut HashSet<u128>,
) -> Result<Option<(usize, usize)>, Overflow> {
    let here = key(tableau);
    for entering in (from..tableau.variables()).filter(|v| here >> v & 1 == 0) {
        let line = tableau.leaving(entering)?;
        if visited.insert(here & !(1 << tableau.basic()[line]) | 1 << entering) {
            return Ok(Some((entering, line)));
        }
    }
    Ok(None)
}

/// The coordinates over their sum; `None` for the origin.
pub(super) fn normalised(x: &[BigInt]) -> Option<Vec<f64>> {
    let sum: BigInt = x.iter().sum();
    // As many leading bits as a double can hold, twice over.
    let shift = sum.bits().saturating_sub(1000);
    let real = |v: &BigInt| -> f64 {
        let (sign, digits) = (v >> shift).into_parts();
        let size = digits
            .iter_u32_digits()
            .rev()
            .fold(0.0, |s, d| s * 4_294_967_296.0 + f64::from(d));
        if sign == num_bigint::Sign::Minus {
            -size
        } else {
            size
        }
    };
    let total = real(&sum);
    (total > 0.0).then(|| x.iter().map(|v| real(v) / total).collect())
}
