//! Figures of what the policies earned.

use super::super::document::Document;
use super::super::tables::{decimals, share, share_interval, signed};
use exo_idp::backtest::{ConfidenceLimits, Difference, Role};
use report::number::{fixed, interval, with_interval};
use report::{Axis, Estimate, Ink, IntervalChart, Svg};

pub(super) fn ink(role: Role) -> Ink {
    match role {
        Role::Oracle => Ink::Muted,
        Role::Trained => Ink::Series(1),
        Role::Pretrained => Ink::Series(3),
        Role::Heuristic => Ink::Series(0),
        Role::Recorded => Ink::Series(2),
    }
}

/// The colour of a policy of this back-test; of one that is none, a candidate that does not act, that of other networks.
pub(super) fn ink_of(document: &Document, name: &str) -> Ink {
    let policies = &document.results.policies;
    let own = policies.iter().find(|policy| policy.name == name);
    own.map_or(Ink::Series(2), |own| ink(own.role))
}

pub(super) fn pair(interval: ConfidenceLimits) -> (f64, f64) {
    (interval.lo, interval.hi)
}

pub(super) fn rewards(document: &Document) -> Svg {
    let digits = decimals(document);
    let axis = Axis::linear(format!(
        "Mean reward, {} a product and week",
        document.run.money
    ));
    let mut chart = IntervalChart::new("Reward by policy", axis);
    for policy in &document.results.policies {
        let ends = pair(policy.interval);
        let text = with_interval(policy.mean, ends, digits);
        let row = Estimate::new(&policy.name, policy.mean, Some(ends), text);
        chart = chart.row(row.ink(ink(policy.role)));
    }
    chart
        .reference(
            document.results.bound,
            format!(
                "hindsight optimum, {}",
                fixed(document.results.bound, digits)
            ),
        )
        .svg()
}

pub(super) fn differences(document: &Document) -> Svg {
    let digits = decimals(document);
    let axis = Axis::linear(format!(
        "Difference in reward, {} a product and week",
        document.run.money
    ));
    let mut chart = IntervalChart::new(
        format!("Reward minus that of {}", document.results.best_heuristic),
        axis,
    );
    for policy in document
        .results
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
        interval: ConfidenceLimits { lo, hi },
    } = difference;
    let text = format!("{} {}", signed(mean, digits), interval(lo, hi, digits));
    Estimate::new(label, mean, Some((lo, hi)), text)
}

pub(super) fn shares(document: &Document) -> Svg {
    let mut chart = IntervalChart::new(
        "Share of the hindsight optimum",
        Axis::linear("Reward as a share of the optimum").percent(),
    );
    for policy in &document.results.policies {
        let ends = share_interval(policy.share_interval);
        let text = format!("{} {ends}", share(policy.share_of_bound));
        chart = chart.row(
            Estimate::new(
                &policy.name,
                policy.share_of_bound,
                policy.share_interval.map(pair),
                text.trim_end(),
            )
            .ink(ink(policy.role)),
        );
    }
    chart.reference(1.0, "hindsight optimum").svg()
}
