//! Figures of stock and orders of a few products, week by week.

use super::super::tables::count;
use exo_idp::backtest::Sample;
use report::{Axis, Ink, Series, Svg, XyChart};

pub(super) fn week_axis(sample: &Sample) -> Axis {
    let every = sample.weeks.len().div_ceil(6).max(1);
    let numbers = sample
        .weeks
        .first()
        .is_some_and(|week| week.parse::<i64>().is_ok());
    let every = if numbers && every > 5 {
        every.div_ceil(5) * 5
    } else {
        every
    };
    let ticks = sample
        .weeks
        .iter()
        .enumerate()
        .step_by(every)
        .map(|(at, week)| (count(at), week.clone()))
        .collect();
    Axis::linear("Week").ticks(ticks)
}

/// Weeks of a figure, at the most: the last ones.
const SHOWN: usize = 156;

/// A sample without the weeks that no figure has room for.
pub(super) fn last_weeks(sample: &Sample) -> Sample {
    let mut shown = sample.clone();
    let dropped = ..sample.weeks.len().saturating_sub(SHOWN);
    shown.weeks.drain(dropped);
    let tracks = shown.tracks.iter_mut();
    let tracks = tracks.flat_map(|track| [&mut track.stock, &mut track.orders]);
    for values in tracks.chain([&mut shown.demand]) {
        values.drain(dropped);
    }
    shown
}

/// One figure a policy; `ink` tells its colour.
pub(super) fn tracks(sample: &Sample, ink: impl Fn(&str) -> Ink) -> Vec<(Svg, String)> {
    let points = |values: &[f64]| {
        values
            .iter()
            .enumerate()
            .map(|(at, value)| (count(at), *value))
            .collect::<Vec<_>>()
    };
    // One scale for all policies on one product, so that stocks compare at sight.
    let highest = sample
        .tracks
        .iter()
        .flat_map(|track| track.stock.iter().chain(&track.orders))
        .chain(&sample.demand)
        .copied()
        .fold(0.0, f64::max);
    sample
        .tracks
        .iter()
        .map(|track| {
            let y = Axis::linear("Units").range(0.0, highest.max(1.0) * 1.04);
            // A week reaches half a week to both sides of its tick, for steps as for bars.
            let steps = |values: &[f64]| -> Vec<(f64, f64)> {
                let end = values.last().map(|last| (count(values.len()) - 0.5, *last));
                values
                    .iter()
                    .enumerate()
                    .map(|(at, value)| (count(at) - 0.5, *value))
                    .chain(end)
                    .collect()
            };
            let svg = XyChart::new(
                format!("{} on {}", track.policy, sample.product),
                week_axis(sample),
                y,
            )
            .heading(format!("{}: {}", sample.product, track.policy))
            .size(460.0, 270.0)
            .series(Series::bars("orders", points(&track.orders)).ink(Ink::Muted))
            .series(
                Series::step("stock at the end of the week", steps(&track.stock))
                    .ink(ink(&track.policy)),
            )
            .series(
                Series::step("demand", steps(&sample.demand))
                    .ink(Ink::Text)
                    .dotted(),
            )
            .svg();
            (svg, format!("{}, {}.", sample.product, track.policy))
        })
        .collect()
}
