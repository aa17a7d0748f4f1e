//! The interval of the largest bin error: bins are independent, so that its distribution is a product.

use super::interval::bisect;
use super::supposed::Row;
use crate::stats::binomial::within;

/// Lower and upper end at probability `tail` each.
pub(super) fn ends(rows: &[Row], tail: f64) -> (f64, f64) {
    let observed = rows.iter().map(|r| r.gap.abs()).fold(0.0, f64::max);
    let reach = |r: &Row| r.confidence.max(1.0 - r.confidence);
    // P(|d| <= t) in a bin whose accuracy differs from its confidence by m: the larger or the smaller of the two sides.
    let inside = |r: &Row, m: f64, t: f64, larger: bool| {
        let sides = [r.confidence + m, r.confidence - m].map(|a| {
            (-1e-12..=1.0 + 1e-12)
                .contains(&a)
                .then(|| within(r.count, a.clamp(0.0, 1.0), r.confidence, t))
        });
        let fold = if larger { f64::max } else { f64::min };
        sides.into_iter().flatten().reduce(fold).unwrap_or(0.0)
    };
    // As many large observed errors as possible: every bin differs by theta, or by what its side has room for.
    let above = |theta: f64| {
        let none: f64 = rows
            .iter()
            .map(|r| {
                let m = theta.min(reach(r));
                inside(r, 0.0, observed - 1e-9, false).min(inside(r, m, observed - 1e-9, false))
            })
            .product();
        1.0 - none
    };
    let most = rows.iter().map(reach).fold(0.0, f64::max);
    let lower = if above(0.0) > tail {
        0.0
    } else {
        bisect(0.0, observed.min(most), |t| above(t) > tail)
    };
    // As few as possible: one bin differs by theta, the others are as they please.
    let below = |theta: f64| {
        rows.iter()
            .filter(|r| reach(r) >= theta - 1e-12)
            .map(|r| inside(r, theta, observed + 1e-9, true))
            .fold(0.0, f64::max)
    };
    let upper = if below(most) > tail {
        most
    } else {
        bisect(most, observed.min(most), |t| below(t) > tail)
    };
    (lower, upper)
}
