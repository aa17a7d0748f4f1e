//! From outcomes to results: rewards with intervals, differences, the best policy by segment, the weeks of a few products.

use super::dataset::Known;
use super::origins::Split;
use super::results::{PolicyResult, ProductResult, Results, Sample, Track, TrainingPoint};
use super::rewards::{Entry, RewardTable, Rewards};
use super::segments::segmentations;
use super::standings::{ConfidenceLimits, Difference, Role};
use crate::compare::Bootstrap;
use crate::count::count;
use crate::error::Error;
use crate::outcomes::{Outcomes, Quantity};
use crate::train::Fitted;

/// Products shown week by week.
const SAMPLES: usize = 4;

/// What the results are about.
#[derive(Debug, Clone, Copy)]
pub(super) struct EvaluationContext<'a> {
    pub(super) known: &'a Known,
    pub(super) split: &'a Split,
    pub(super) fitted: &'a Fitted,
    pub(super) bootstrap: &'a Bootstrap,
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
    let policies = policies(context, entries, table, &rewards, best)?;
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
    let (training, validation) = (&context.split.training, context.split.validation);
    let cells = count(data.panel.products() * weeks);
    Ok(Results {
        training: data.span(training),
        validation: data.span(&(training.end - validation..training.end)),
        held_out: data.span(&context.split.held_out),
        notices: context.known.notices.clone(),
        best_heuristic: best
            .map(|best| entries[best].name.clone())
            .unwrap_or_default(),
        bound: table.bounds.iter().sum::<f64>() / cells,
        pairs: table.standings(context.bootstrap)?.pairs,
        origins: None,
        training_curve: training_curve(context),
        best_step: context.fitted.best_steps.first().copied(),
        group_names,
        splits,
        samples: samples(context, entries, trained, best),
        products,
        policies,
    })
}

fn policies(
    context: &EvaluationContext<'_>,
    entries: &[Entry],
    table: &RewardTable,
    rewards: &[&Rewards],
    best: Option<usize>,
) -> Result<Vec<PolicyResult>, Error> {
    let products = context.known.data.panel.products();
    let cells = count(products * context.split.held_out.len());
    let bounds = &table.bounds;
    let bound: f64 = bounds.iter().sum();
    let counted = count(bounds.iter().filter(|&&b| b > 0.0).count().max(1));
    let mut policies = Vec::with_capacity(entries.len());
    for (at, (entry, earned)) in entries.iter().zip(rewards).enumerate() {
        let total = context.bootstrap.interval(earned)?;
        let against_best = match best {
            Some(best) if best != at => {
                let difference = context.bootstrap.interval(&minus(earned, rewards[best]))?;
                Some(Difference::per_cell(difference, cells))
            }
            _ => None,
        };
        let outcomes = &entry.outcomes;
        let shares = (0..products)
            .filter(|&p| bounds[p] > 0.0)
            .map(|p| outcomes.objective(p) / bounds[p]);
        policies.push(PolicyResult {
            name: entry.name.clone(),
            role: entry.role,
            total: total.estimate,
            mean: total.estimate / cells,
            interval: ConfidenceLimits::per_cell(total, cells),
            share_of_bound: total.estimate / bound,
            share_interval: None,
            share_by_product: Some(shares.sum::<f64>() / counted),
            against_best,
            fill_rate: outcomes.fill_rate(),
            stock: outcomes.total(Quantity::OnHand) / cells,
            ordered: outcomes.total(Quantity::Order) / cells,
            order_frequency: order_frequency(outcomes),
        });
    }
    Ok(policies)
}

/// The validation rewards of the first network, per product and week.
fn training_curve(context: &EvaluationContext<'_>) -> Vec<TrainingPoint> {
    let cells = count(context.known.data.panel.products() * context.split.validation);
    let curve = context.fitted.curves.first().into_iter().flatten();
    let point = |progress: &crate::train::Progress| TrainingPoint {
        step: progress.step,
        training: None,
        validation: progress.validation.map(|reward| reward / cells),
    };
    curve.map(point).collect()
}

fn minus_row(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn minus(a: &Rewards, b: &Rewards) -> Rewards {
    a.iter().zip(b).map(|(a, b)| minus_row(a, b)).collect()
}

fn order_frequency(outcomes: &Outcomes) -> f64 {
    let (mut ordered, mut all) = (0usize, 0usize);
    for product in 0..outcomes.products() {
        for week in outcomes.scored() {
            all += 1;
            ordered += usize::from(outcomes.sample(Quantity::Order, product, 0, week) > 0.0);
        }
    }
    count(ordered) / count(all.max(1))
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
                .map(|entry| entry.outcomes.objective(product))
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

/// Products at evenly spaced ranks of demand, under the trained policy and the best heuristic.
fn samples(
    context: &EvaluationContext<'_>,
    entries: &[Entry],
    trained: Option<usize>,
    best: Option<usize>,
) -> Vec<Sample> {
    let panel = &context.known.data.panel;
    let weeks = || context.split.held_out.clone();
    let mut order: Vec<usize> = (0..panel.products()).collect();
    let demand = |product: usize| weeks().map(|w| panel.demand(product, w)).sum::<f64>();
    order.sort_by(|&a, &b| demand(b).total_cmp(&demand(a)).then(a.cmp(&b)));
    let shown = SAMPLES.min(order.len());
    let ranks = (0..shown).map(|k| (2 * k + 1) * order.len() / (2 * shown));
    ranks
        .map(|rank| {
            let product = order[rank];
            let track = |entry: &Entry| Track {
                policy: entry.name.clone(),
                stock: weeks()
                    .map(|w| entry.outcomes.sample(Quantity::OnHand, product, 0, w))
                    .collect(),
                orders: weeks()
                    .map(|w| entry.outcomes.sample(Quantity::Order, product, 0, w))
                    .collect(),
            };
            Sample {
                product: panel.names()[product].clone(),
                weeks: weeks()
                    .map(|w| context.known.data.weeks[w].clone())
                    .collect(),
                demand: weeks().map(|w| panel.demand(product, w)).collect(),
                tracks: [trained, best]
                    .into_iter()
                    .flatten()
                    .map(|at| track(&entries[at]))
                    .collect(),
            }
        })
        .collect()
}
