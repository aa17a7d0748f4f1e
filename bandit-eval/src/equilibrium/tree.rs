//! Small trees of arms.

use super::table::GainTable;

/// A node of a tree.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(super) enum Node {
    Leaf(usize),
    Split {
        feature: usize,
        threshold: f64,
        below: Box<Node>,
        above: Box<Node>,
    },
}

impl Node {
    pub(super) fn arm(&self, features: &[f64]) -> usize {
        match self {
            Node::Leaf(arm) => *arm,
            Node::Split {
                feature,
                threshold,
                below,
                above,
            } => {
                let low = features.get(*feature).is_some_and(|x| x <= threshold);
                if low {
                    below.arm(features)
                } else {
                    above.arm(features)
                }
            }
        }
    }

    pub(super) fn keeps_all(&self) -> bool {
        match self {
            Node::Leaf(arm) => *arm == 0,
            Node::Split { below, above, .. } => below.keeps_all() && above.keeps_all(),
        }
    }
}

/// The tree of the largest gain, split by split.
pub(super) fn grow(table: &GainTable<'_>, decisions: &[usize], depth: usize, least: usize) -> Node {
    let (arm, gain) = table.best(decisions);
    if depth == 0 || decisions.len() < 2 * least {
        return Node::Leaf(arm);
    }
    let mut best: Option<(f64, usize, f64)> = None;
    for feature in 0..table.features.columns() {
        if let Some((gained, threshold)) = split(table, decisions, feature, least)
            && gained > best.map_or(gain, |b| b.0)
        {
            best = Some((gained, feature, threshold));
        }
    }
    let Some((_, feature, threshold)) = best else {
        return Node::Leaf(arm);
    };
    let low = |d: &usize| table.features.row(*d)[feature] <= threshold;
    let (below, above): (Vec<usize>, Vec<usize>) = decisions.iter().copied().partition(low);
    Node::Split {
        feature,
        threshold,
        below: Box::new(grow(table, &below, depth - 1, least)),
        above: Box::new(grow(table, &above, depth - 1, least)),
    }
}

/// The best threshold of a feature, and what the best arms on its two sides gain together.
fn split(
    table: &GainTable<'_>,
    decisions: &[usize],
    feature: usize,
    least: usize,
) -> Option<(f64, f64)> {
    let value = |d: usize| table.features.row(d)[feature];
    let mut order = decisions.to_vec();
    order.sort_by(|a, b| value(*a).total_cmp(&value(*b)));
    let totals: Vec<f64> = (1..=table.arms)
        .map(|arm| table.total(&order, arm))
        .collect();
    let mut below = vec![0.0; table.arms];
    let mut best: Option<(f64, f64)> = None;
    for (i, pair) in order.windows(2).enumerate() {
        let (d, next) = (pair[0], pair[1]);
        for (arm, sum) in below.iter_mut().enumerate() {
            *sum += table.weight[d] * table.gain(d, arm + 1);
        }
        let left = i + 1;
        if value(d) >= value(next) || left < least || order.len() - left < least {
            continue;
        }
        let most = |sums: &mut dyn Iterator<Item = f64>| sums.fold(0.0_f64, f64::max);
        let gained = most(&mut below.iter().copied())
            + most(
                &mut totals
                    .iter()
                    .zip(&below)
                    .map(|(total, below)| total - below),
            );
        if gained > best.map_or(f64::NEG_INFINITY, |b| b.0) {
            best = Some((gained, f64::midpoint(value(d), value(next))));
        }
    }
    best
}
