//! Figures of the best policy by segment of the products.

use super::super::document::Document;
use super::super::tables::decimals;
use super::rewards::{difference_row, ink};
use exo_idp::backtest::{Role, Segment, Segmentation};
use report::number::list;
use report::{Axis, BarChart, Ink, IntervalChart, Svg};

/// Policies that the figure names; the others are drawn together.
const NAMED: usize = 4;

/// Groups of a figure, at the most: more are two figures, so that each is read on paper too.
const TOGETHER: usize = 24;

/// The segmentations in figures: those by traits of the products, then those by the groups of the record, as many together as are read well.
fn parts(document: &Document) -> Vec<&[Segmentation]> {
    let splits = &document.results.splits[..];
    let mut parts = Vec::new();
    let (mut from, mut groups) = (0, 0);
    for (at, split) in splits.iter().enumerate() {
        if at > from && groups + split.groups.len() > TOGETHER {
            parts.push(&splits[from..at]);
            (from, groups) = (at, 0);
        }
        groups += split.groups.len();
    }
    parts.push(&splits[from..]);
    parts
}

/// What the groups of a figure are, in words.
fn groups_of(document: &Document, splits: &[Segmentation]) -> String {
    let named = splits.iter().map(|split| match split.name.as_str() {
        name if document.results.group_names.contains(&split.name) => format!("by {name}"),
        "all" => "for all products".to_owned(),
        name => format!("by quarters of {name}"),
    });
    list(&named.collect::<Vec<_>>())
}

/// The trained policy against the best heuristic, group by group.
pub(super) fn differences_by_group(document: &Document) -> Vec<(String, Svg)> {
    let of = |splits| {
        Some((
            groups_of(document, splits),
            differences_of(document, splits)?,
        ))
    };
    parts(document).into_iter().filter_map(of).collect()
}

fn differences_of(document: &Document, splits: &[Segmentation]) -> Option<Svg> {
    let trained = document.results.trained()?;
    let digits = decimals(document);
    let axis = Axis::linear(format!(
        "{} minus {}, {} a product and week",
        trained.name, document.results.best_heuristic, document.run.money
    ));
    let mut chart = IntervalChart::new(
        "The trained policy against the best heuristic, by group of products",
        axis,
    );
    let mut rows = 0;
    for split in splits {
        if split.groups.len() > 1 {
            chart = chart.group(format!("by {}", split.name));
        }
        for group in &split.groups {
            let Some(difference) = group.difference else {
                continue;
            };
            let label = format!("{} ({})", group.label, group.products);
            chart = chart.row(difference_row(label, difference, digits).ink(Ink::Series(1)));
            rows += 1;
        }
    }
    (rows > 0).then(|| chart.reference(0.0, "no difference").svg())
}

/// The stacked shares of all splits: the policies that win most by name, the rest together.
pub(super) fn best_policy_charts(document: &Document, named: &[usize]) -> Vec<(String, Svg)> {
    let of = |splits| {
        (
            groups_of(document, splits),
            best_policies_of(document, splits, named),
        )
    };
    parts(document).into_iter().map(of).collect()
}

fn best_policies_of(document: &Document, splits: &[Segmentation], named: &[usize]) -> Svg {
    let groups: Vec<(&str, &Segment)> = splits
        .iter()
        .flat_map(|split| {
            split
                .groups
                .iter()
                .map(|group| (split.name.as_str(), group))
        })
        .collect();
    let own = |name: &str, label: &str| {
        name == "all"
            || document
                .results
                .group_names
                .iter()
                .any(|column| column == name)
            || label.starts_with(name)
    };
    let labels = groups.iter().map(|(name, group)| {
        let trait_of = if own(name, &group.label) {
            String::new()
        } else {
            format!("{name} ")
        };
        format!("{trait_of}{} ({})", group.label, group.products)
    });
    let axis = Axis::linear("Share of products on which the policy earns most")
        .percent()
        .range(0.0, 1.0);
    let mut chart = BarChart::new("Who earns most, by group of products", axis, labels);
    // Heuristics are told apart here, the first in the colour that they have elsewhere.
    let mut heuristics = [0, 5, 4, 6].into_iter().map(Ink::Series);
    for &at in named {
        let policy = &document.results.policies[at];
        let colour = match policy.role {
            Role::Heuristic => heuristics.next().unwrap_or(Ink::Series(7)),
            role => ink(role),
        };
        chart = chart.inked(
            &policy.name,
            groups.iter().map(|(_, group)| group.wins[at]).collect(),
            colour,
        );
    }
    let rest = |wins: &[f64]| {
        (0..wins.len())
            .filter(|at| !named.contains(at))
            .map(|at| wins[at])
            .sum::<f64>()
    };
    if groups.iter().any(|(_, group)| rest(&group.wins) > 0.0) {
        chart = chart.inked(
            "others",
            groups.iter().map(|(_, group)| rest(&group.wins)).collect(),
            Ink::Muted,
        );
    }
    chart.stacked().svg()
}

/// The policies that win the most products, the trained one always among them.
pub(super) fn named(document: &Document, overall: &[f64]) -> Vec<usize> {
    let trained = |at: &usize| document.results.policies[*at].role == Role::Trained;
    let mut order: Vec<usize> = (0..document.results.policies.len())
        .filter(|at| trained(at) || overall.get(*at).is_some_and(|share| *share > 0.0))
        .collect();
    order.sort_by(|a, b| {
        trained(b)
            .cmp(&trained(a))
            .then(overall[*b].total_cmp(&overall[*a]))
            .then(a.cmp(b))
    });
    order.truncate(NAMED);
    order
}
