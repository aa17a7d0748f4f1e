//! Orders as arrays.

use gpu::Real;

use super::network::{BEFORE, PLAIN};
use crate::grid::Grid;
use crate::log::{AGES, Order, Request};

/// The numbers of a request, in the order of the network's rows.
#[expect(clippy::cast_precision_loss, reason = "numbers of vendors")]
pub(super) fn rows(request: &Request) -> Vec<f64> {
    let angle = std::f64::consts::TAU * request.season;
    let mut rows = Vec::with_capacity(PLAIN + request.covariates.len() + 2 * AGES);
    rows.extend([
        request.units,
        request.usual,
        request.minimum,
        request.batch,
        angle.sin(),
        angle.cos(),
        request.promised.unwrap_or(0.0),
        f64::from(u8::from(request.promised.is_some())),
        request.vendor as f64,
    ]);
    rows.extend_from_slice(&request.covariates);
    rows.extend_from_slice(request.history.as_flattened());
    rows
}

/// The rows of many requests, `[row][order]`.
pub(super) fn columns<F: Real>(requests: &[&Request], width: usize) -> Vec<F> {
    let mut columns = vec![F::from_f64(0.0); requests.len() * width];
    for (at, request) in requests.iter().enumerate() {
        for (row, value) in rows(request).into_iter().enumerate() {
            columns[row * requests.len() + at] = F::from_f64(value);
        }
    }
    columns
}

/// The same rows, `[order][row]`.
pub(super) fn by_order<F: Real>(requests: &[&Request]) -> Vec<F> {
    let all = requests.iter().flat_map(|request| rows(request));
    all.map(F::from_f64).collect()
}

/// What a period of the likelihood reads: whether a cell of time, of share, and "not yet" count; the cells; the periods since the piece before that
/// were seen; the piece before.
pub(super) const SEEN: usize = 6 + BEFORE;

/// The periods of an order's likelihood: one a piece, then one for what is said about the end.
#[expect(clippy::cast_precision_loss, reason = "cells and periods")]
pub(super) fn periods(grid: &Grid, order: &Order) -> Vec<[f64; SEEN]> {
    let tokens = grid.tokens(order);
    let open = grid.open_until(order);
    let mut before = [0.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    let mut periods = Vec::with_capacity(tokens.len() + 1);
    for token in &tokens {
        let cells = [token.time as f64, token.share as f64];
        periods.push(period([1.0, 1.0, 0.0], cells, 0.0, before));
        let time = token.piece.time as f64;
        let so_far = before[3] + token.piece.share;
        let complete = f64::from(u8::from(so_far > 1.0 - 1e-6));
        before = [
            time - before[1],
            time,
            token.piece.share,
            so_far,
            0.0,
            complete,
        ];
    }
    // After as many pieces as are told apart there is nothing to say.
    if tokens.len() < grid.pieces() {
        periods.push(match open {
            Some(seen) => period([0.0, 0.0, 1.0], [0.0; 2], seen as f64 - before[1], before),
            None => period([1.0, 0.0, 0.0], [grid.times() as f64, 0.0], 0.0, before),
        });
    }
    periods
}

fn period(counts: [f64; 3], cells: [f64; 2], seen: f64, before: [f64; BEFORE]) -> [f64; SEEN] {
    let mut period = [0.0; SEEN];
    period[..3].copy_from_slice(&counts);
    period[3..5].copy_from_slice(&cells);
    period[5] = seen;
    period[6..].copy_from_slice(&before);
    period
}
