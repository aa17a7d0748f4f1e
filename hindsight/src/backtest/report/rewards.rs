//! Figures of what the policies earned, and of the course of training.

use super::super::results::{Difference, Epoch, Interval, Results, Role};
use super::super::tables::{decimals, signed};
use report::number::{fixed, interval, percent};
use report::{Axis, Estimate, Ink, IntervalChart, Series, Svg, XyChart};

pub(super) fn ink(role: Role) -> Ink {
    match role {
        Role::Oracle => Ink::Muted,
        Role::Trained => Ink::Series(1),
        Role::Heuristic => Ink::Series(0),
    }
}

pub(super) fn pair(interval: Interval) -> (f64, f64) {
    (interval.lo, interval.hi)
}

pub(super) fn rewards(results: &Results) -> Svg {
    let digits = decimals(results);
    let axis = Axis::linear(format!(
        "Mean reward, {} a product and week",
        results.run.money
    ));
    let mut chart = IntervalChart::new("Reward by policy", axis);
    for policy in &results.policies {
        let text = format!(
            "{} {}",
            fixed(policy.mean, digits),
            interval(policy.interval.lo, policy.interval.hi, digits)
        );
        chart = chart.row(
            Estimate::new(&policy.name, policy.mean, Some(pair(policy.interval)), text)
                .ink(ink(policy.role)),
        );
    }
    chart
        .reference(
            results.bound,
            format!("perfect information, {}", fixed(results.bound, digits)),
        )
        .svg()
}

pub(super) fn differences(results: &Results) -> Svg {
    let digits = decimals(results);
    let axis = Axis::linear(format!(
        "Difference in reward, {} a product and week",
        results.run.money
    ));
    let mut chart = IntervalChart::new(
        format!("Reward minus that of {}", results.best_heuristic),
        axis,
    );
    for policy in results
        .policies
        .iter()
        .filter(|policy| policy.role != Role::Oracle)
    {
        let Some(difference) = policy.against_best else {
            continue;
        };
        chart = chart.row(difference_row(&policy.name, difference, digits).ink(ink(policy.role)));
    }
    chart.reference(0.0, "no difference").svg()
}

/// A difference as a row of a figure.
pub(super) fn difference_row(
    label: impl Into<String>,
    difference: Difference,
    digits: usize,
) -> Estimate {
    let Difference {
        mean,
        interval: Interval { lo, hi },
    } = difference;
    let text = format!("{} {}", signed(mean, digits), interval(lo, hi, digits));
    Estimate::new(label, mean, Some((lo, hi)), text)
}

pub(super) fn shares(results: &Results) -> Svg {
    let mut chart = IntervalChart::new(
        "Share of the perfect-information bound",
        Axis::linear("Reward as a share of the bound").percent(),
    );
    for policy in &results.policies {
        let mut text = percent(policy.share_of_bound, 1);
        if let Some(Interval { lo, hi }) = policy.share_interval {
            text.push_str(&format!(
                " [{}, {}]",
                fixed(100.0 * lo, 1),
                fixed(100.0 * hi, 1)
            ));
        }
        chart = chart.row(
            Estimate::new(
                &policy.name,
                policy.share_of_bound,
                policy.share_interval.map(pair),
                text,
            )
            .ink(ink(policy.role)),
        );
    }
    chart.reference(1.0, "perfect information").svg()
}

pub(super) fn training(results: &Results) -> Svg {
    let curve = |of: fn(&Epoch) -> Option<f64>| -> Vec<(f64, f64)> {
        results
            .training_curve
            .iter()
            .filter_map(|epoch| Some((f64::from(epoch.step), of(epoch)?)))
            .collect()
    };
    let reward = Axis::linear(format!(
        "Mean reward, {} a product and week",
        results.run.money
    ));
    let mut chart = XyChart::new(
        "Reward while training",
        Axis::linear("Step of training"),
        reward,
    );
    let training = curve(|epoch| epoch.training);
    if !training.is_empty() {
        chart = chart.series(Series::line("training weeks", training).ink(Ink::Series(0)));
    }
    let validation = curve(|epoch| epoch.validation);
    chart = chart.series(
        Series::line("validation weeks", validation)
            .ink(Ink::Series(1))
            .dashed(),
    );
    if let Some(best) = results.best_step {
        chart = chart.mark_x(f64::from(best), "kept");
    }
    chart.svg()
}
