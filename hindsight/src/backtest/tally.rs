//! From outcomes to results: rewards with intervals, differences, winners, the weeks of a few products.

use exo_idp::train::Fitted;
use exo_idp::{Bootstrap, Error, Outcomes, Quantity, Replay};

use super::ledger::{Earned, Ledger, as_f64};
use super::options;
use super::results::{
    Difference, Epoch, Interval, PolicyResult, ProductResult, Results, Role, Run, Sample, Track,
};
use super::split::Split;
use super::subject::Subject;
use super::winners;

/// Products shown week by week.
const SAMPLES: usize = 4;

/// One policy's outcomes.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) outcomes: Outcomes,
}

/// What the results are about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'a> {
    pub(super) subject: &'a Subject,
    pub(super) split: &'a Split,
    pub(super) replay: &'a Replay<'a>,
    pub(super) fitted: &'a Fitted,
    pub(super) options: &'a options::Replay,
    pub(super) bootstrap: &'a Bootstrap,
}

/// The results of a back-test; `entries` and the ledger have the same order, the highest reward first.
///
/// # Errors
///
/// The bootstrap's, if there is nothing to draw from.
pub(super) fn tally(held: &Held<'_>, entries: &[Entry], ledger: &Ledger) -> Result<Results, Error> {
    let bootstrap = held.bootstrap;
    let panel = held.replay.paths().panel();
    let cells = as_f64(panel.products() * held.split.held_out.len());
    let bounds = &ledger.bounds;
    let bound: f64 = bounds.iter().sum();
    let tables: Vec<&Earned> = ledger.accounts.iter().map(|a| &a.earned).collect();
    let best = entries
        .iter()
        .position(|entry| entry.role == Role::Heuristic);
    let per_cell = |interval: exo_idp::Interval, cells: f64| Interval {
        lo: interval.low / cells,
        hi: interval.high / cells,
    };
    let mut policies = Vec::with_capacity(entries.len());
    for (at, (entry, table)) in entries.iter().zip(&tables).enumerate() {
        let total = bootstrap.interval(table)?;
        let against_best = match best {
            Some(best) if best != at => {
                let difference = bootstrap.interval(&minus(table, tables[best]))?;
                Some(Difference {
                    mean: difference.estimate / cells,
                    interval: per_cell(difference, cells),
                })
            }
            _ => None,
        };
        let outcomes = &entry.outcomes;
        let shares = (0..panel.products())
            .filter(|&p| bounds[p] > 0.0)
            .map(|p| outcomes.objective(p) / bounds[p]);
        let counted = as_f64(bounds.iter().filter(|&&b| b > 0.0).count().max(1));
        policies.push(PolicyResult {
            name: entry.name.clone(),
            role: entry.role,
            total: total.estimate,
            mean: total.estimate / cells,
            interval: per_cell(total, cells),
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
    let trained = entries.iter().position(|entry| entry.role == Role::Trained);
    let products = products(held, entries, bounds);
    let group_names: Vec<String> = held
        .subject
        .groups
        .iter()
        .map(|group| group.name.clone())
        .collect();
    let splits = winners::splits(&policies, &products, &group_names, |members| {
        let (trained, best) = (tables[trained?], tables[best?]);
        let part: Earned = members
            .iter()
            .map(|&p| minus_row(&trained[p], &best[p]))
            .collect();
        let difference = bootstrap.interval(&part).ok()?;
        let cells = as_f64(members.len() * held.split.held_out.len());
        Some(Difference {
            mean: difference.estimate / cells,
            interval: per_cell(difference, cells),
        })
    });
    let curve = held.fitted.curves.first();
    let validation_cells = as_f64(panel.products() * held.split.validation);
    Ok(Results {
        run: run(held),
        best_heuristic: best
            .map(|best| entries[best].name.clone())
            .unwrap_or_default(),
        bound: bound / cells,
        pairs: ledger.scores(bootstrap)?.pairs,
        origins: None,
        training_curve: curve
            .into_iter()
            .flatten()
            .map(|look| Epoch {
                step: u32::try_from(look.step).unwrap_or(u32::MAX),
                training: None,
                validation: look.validation.map(|reward| reward / validation_cells),
            })
            .collect(),
        best_step: held
            .fitted
            .best_steps
            .first()
            .and_then(|&step| u32::try_from(step).ok()),
        group_names,
        splits,
        samples: samples(held, entries, trained, best),
        products,
        policies,
    })
}

fn minus_row(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn minus(a: &Earned, b: &Earned) -> Earned {
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
    as_f64(ordered) / as_f64(all.max(1))
}

fn products(held: &Held<'_>, entries: &[Entry], bounds: &[f64]) -> Vec<ProductResult> {
    let panel = held.replay.paths().panel();
    let weeks = || held.split.held_out.clone();
    let n = as_f64(held.split.held_out.len());
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
                as_f64(
                    weeks()
                        .filter(|&w| panel.covariate(k, product, w) > 0.0)
                        .count(),
                ) / n
            }),
            groups: held
                .subject
                .groups
                .iter()
                .map(|group| group.values[product].clone())
                .collect(),
        })
        .collect()
}

/// Products at evenly spaced ranks of demand, under the trained policy and the best heuristic.
fn samples(
    held: &Held<'_>,
    entries: &[Entry],
    trained: Option<usize>,
    best: Option<usize>,
) -> Vec<Sample> {
    let panel = held.replay.paths().panel();
    let weeks = || held.split.held_out.clone();
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
                weeks: weeks().map(|w| held.subject.weeks[w].clone()).collect(),
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

fn run(held: &Held<'_>) -> Run {
    let span = |range: &std::ops::Range<usize>| held.subject.span(range);
    let learn = &held.split.learn;
    let conventions = held.replay.conventions();
    let words = |name: &str, value: String| (name.to_owned(), value);
    let options = held.options;
    Run {
        source: held.subject.source.clone(),
        rows: held.subject.rows,
        products: held.replay.paths().panel().products(),
        missing_weeks: held.subject.missing,
        training: span(learn),
        validation: Some(span(&(learn.end - held.split.validation..learn.end))),
        held_out: span(&held.split.held_out),
        lead_time: options.lead_time_words(),
        money: held.subject.money.clone(),
        conventions: vec![
            words(
                "unmet demand",
                if options.backorder {
                    "waits".into()
                } else {
                    "is lost".into()
                },
            ),
            words(
                "receipts",
                if options.receive_after_demand {
                    "after demand".into()
                } else {
                    "before demand".into()
                },
            ),
            words("discount", format!("{} a week", conventions.discount)),
            words(
                "holding cost",
                format!(
                    "{} of cost and {} a unit and week",
                    conventions.holding_share, conventions.holding
                ),
            ),
            words(
                "after the last week",
                format!("a unit is worth {} of what it cost", conventions.salvage()),
            ),
            words(
                "opening",
                "a week's mean demand on hand and in every outstanding order".into(),
            ),
            words(
                "intervals",
                "bootstrap over products and blocks of 4 weeks, 2,000 replicates".into(),
            ),
        ],
        warnings: held.subject.warnings.clone(),
    }
}
