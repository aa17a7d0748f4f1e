//! From outcomes to results: rewards with intervals, differences, the best policy by segment, the weeks of a few products.

use super::dataset::Known;
use super::entry::{Entry, Rewards};
use super::origins::Split;
use super::results::{Learning, PolicyResult, ProductResult, Results, Sample};
use super::rewards::{Drawn, RewardTable, share};
use super::segments::segmentations;
use super::standings::{ConfidenceLimits, Difference, Role};
use crate::compare::Bootstrap;
use crate::count::count;
use crate::error::Error;

/// What the results are about.
#[derive(Debug, Clone, Copy)]
pub(super) struct EvaluationContext<'a> {
    pub(super) known: &'a Known,
    pub(super) split: &'a Split,
    pub(super) learning: &'a Learning,
    pub(super) bootstrap: &'a Bootstrap,
    /// The products shown week by week.
    pub(super) shown: &'a [usize],
}

/// The results of a back-test; `entries` and the table have the same order, the highest reward first.
///
/// # Errors
/// The bootstrap's, if there is nothing to draw from.
pub(super) fn summarise(
    context: &EvaluationContext<'_>,
    entries: &[Entry],
    table: &RewardTable,
) -> Result<Results, Error> {
    let rewards: Vec<&Rewards> = table.policies.iter().map(|p| &p.earned).collect();
    let best = entries
        .iter()
        .position(|entry| entry.role == Role::Heuristic);
    let trained = entries.iter().position(|entry| entry.role == Role::Trained);
    let drawn = table.replicates(context.bootstrap)?;
    let policies = policies(context, entries, table, &drawn, best)?;
    let products = products(context, entries, &table.bounds);
    let data = &context.known.data;
    let group_names: Vec<String> = data.groups.iter().map(|group| group.name.clone()).collect();
    let weeks = context.split.held_out.len();
    let splits = segmentations(&policies, &products, &group_names, |members| {
        let (trained, best) = (rewards[trained?], rewards[best?]);
        let part: Rewards = members
            .iter()
            .map(|&p| minus_row(&trained[p], &best[p]))
            .collect();
        let difference = context.bootstrap.interval(&part).ok()?;
        Some(Difference::per_cell(
            difference,
            count(members.len() * weeks),
        ))
    });
    let cells = count(data.panel.products() * weeks);
    Ok(Results {
        training: data.span(&context.split.training),
        held_out: data.span(&context.split.held_out),
        notices: context.known.notices.clone(),
        best_heuristic: best
            .map(|best| entries[best].name.clone())
            .unwrap_or_default(),
        bound: table.bounds.iter().sum::<f64>() / cells,
        pairs: table.standings_of(&drawn, context.bootstrap.alpha)?.pairs,
        origins: None,
        learning: context.learning.clone(),
        group_names,
        splits,
        samples: samples(context, entries, &[trained, best]),
        products,
        policies,
    })
}

fn policies(
    context: &EvaluationContext<'_>,
    entries: &[Entry],
    table: &RewardTable,
    drawn: &Drawn,
    best: Option<usize>,
) -> Result<Vec<PolicyResult>, Error> {
    let alpha = context.bootstrap.alpha;
    let products = context.known.data.panel.products();
    let cells = count(products * context.split.held_out.len());
    let bounds = &table.bounds;
    let bound: f64 = bounds.iter().sum();
    let counted = bounds.iter().filter(|&&b| b > 0.0).count();
    let mut policies = Vec::with_capacity(entries.len());
    for (at, (entry, earned)) in entries.iter().zip(&drawn.policies).enumerate() {
        let total = earned.interval(alpha);
        let against_best = match best {
            Some(best) if best != at => {
                let difference = earned.minus(&drawn.policies[best])?;
                Some(Difference::per_cell(difference.interval(alpha), cells))
            }
            _ => None,
        };
        let shares = (0..products)
            .filter(|&p| bounds[p] > 0.0)
            .map(|p| entry.objectives[p] / bounds[p]);
        policies.push(PolicyResult {
            name: entry.name.clone(),
            role: entry.role,
            total: total.estimate,
            mean: total.estimate / cells,
            interval: ConfidenceLimits::per_cell(total, cells),
            share_of_bound: share(total.estimate, bound),
            share_interval: drawn.share(earned, alpha)?,
            share_by_product: (counted > 0).then(|| shares.sum::<f64>() / count(counted)),
            against_best,
            fill_rate: entry.fill_rate,
            stock: entry.stock / cells,
            ordered: entry.ordered / cells,
            order_frequency: entry.order_frequency,
        });
    }
    Ok(policies)
}

fn minus_row(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn products(
    context: &EvaluationContext<'_>,
    entries: &[Entry],
    bounds: &[f64],
) -> Vec<ProductResult> {
    let panel = &context.known.data.panel;
    let weeks = || context.split.held_out.clone();
    let n = count(context.split.held_out.len());
    let planned = panel
        .covariates()
        .iter()
        .position(|covariate| covariate.planned);
    (0..panel.products())
        .map(|product| ProductResult {
            name: panel.names()[product].clone(),
            rewards: entries
                .iter()
                .map(|entry| entry.objectives[product])
                .collect(),
            bound: bounds[product],
            demand: weeks().map(|w| panel.demand(product, w)).sum::<f64>() / n,
            margin: weeks()
                .map(|w| 1.0 - panel.cost(product, w) / panel.price(product, w))
                .sum::<f64>()
                / n,
            promoted: planned.map(|k| {
                count(
                    weeks()
                        .filter(|&w| panel.covariate(k, product, w) > 0.0)
                        .count(),
                ) / n
            }),
            groups: context
                .known
                .data
                .groups
                .iter()
                .map(|group| group.values[product].clone())
                .collect(),
        })
        .collect()
}

/// The products shown, under the trained policy and the best heuristic.
fn samples(
    context: &EvaluationContext<'_>,
    entries: &[Entry],
    tracked: &[Option<usize>],
) -> Vec<Sample> {
    let data = &context.known.data;
    let weeks = || context.split.held_out.clone();
    let sample = |(at, &product): (usize, &usize)| Sample {
        product: data.panel.names()[product].clone(),
        weeks: weeks().map(|w| data.weeks[w].clone()).collect(),
        demand: weeks().map(|w| data.panel.demand(product, w)).collect(),
        tracks: tracked
            .iter()
            .flatten()
            .map(|&entry| entries[entry].tracks[at].clone())
            .collect(),
    };
    context.shown.iter().enumerate().map(sample).collect()
}
