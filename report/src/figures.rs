//! Figures that several results share.

use crate::{Axis, Ink, Series, Svg, XyChart};

/// Calibration of forecasts: the ranks of outcomes, counted in equal bins, and the share of outcomes below each quantile, beside its level.
///
/// ```
/// let [ranks, reliability] = hindsight_report::figures::calibration(&[3, 5, 4], &[(0.5, 0.48)]);
/// assert!(ranks.inline("a").contains("Density") && reliability.inline("b").contains("calibrated"));
/// ```
pub fn calibration(ranks: &[u64], reliability: &[(f64, f64)]) -> [Svg; 2] {
    let all: u64 = ranks.iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "counts of outcomes")]
    let bar = |(k, count): (usize, &u64)| {
        let bins = ranks.len() as f64;
        ((k as f64 + 0.5) / bins, *count as f64 * bins / all as f64)
    };
    let share = |label: &str| Axis::linear(label).percent().range(0.0, 1.0);
    let rank = Axis::linear("Rank of the outcome among the samples").range(0.0, 1.0);
    let density = Axis::linear("Density").with_zero();
    [
        XyChart::new("Probability integral transform", rank, density)
            .series(Series::bars(
                "outcomes",
                ranks.iter().enumerate().map(bar).collect(),
            ))
            .mark_y(1.0, "")
            .svg(),
        XyChart::new(
            "Reliability",
            share("Level of the quantile"),
            share("Outcomes below it"),
        )
        .series(Series::points("outcomes", reliability.to_vec()))
        .diagonal("calibrated")
        .svg(),
    ]
}

/// Flows on a map between places `from` and `to`, in kilometres: `units[i * to.len() + j]` from place `i` to place `j`.
///
/// ```
/// let map = hindsight_report::figures::flows("Flows", &[(0.0, 0.0)], &[(1.0, 2.0), (3.0, 1.0)], &[5.0, 1.0]);
/// assert!(map.inline("map").contains("warehouses"));
/// ```
pub fn flows(title: &str, from: &[(f64, f64)], to: &[(f64, f64)], units: &[f64]) -> Svg {
    let most = units.iter().copied().fold(0.0, f64::max);
    let lines = |least: f64, last: f64| {
        let arcs = units.iter().enumerate();
        let arcs = arcs.filter(|(_, u)| **u > least * most && **u <= last * most);
        let gap = (f64::NAN, f64::NAN);
        arcs.flat_map(|(k, _)| [from[k / to.len()], to[k % to.len()], gap])
            .collect()
    };
    let one = Ink::Series(0);
    let chart = XyChart::new(title, Axis::linear("East, km"), Axis::linear("North, km"));
    chart
        .size(560.0, 500.0)
        .series(Series::line("over a third of the largest flow", lines(1.0 / 3.0, 1.0)).ink(one))
        .series(
            Series::line("less", lines(1e-9, 1.0 / 3.0))
                .ink(one)
                .dotted(),
        )
        .series(Series::points("warehouses", from.to_vec()).ink(Ink::Series(1)))
        .series(Series::points("zones", to.to_vec()).ink(Ink::Series(2)))
        .svg()
}
