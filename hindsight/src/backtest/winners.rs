//! Who wins where: for groups of products, the share on which each policy earns most.

use super::results::{ProductResult, Results, Role};

/// Groups beyond this number are left out of a figure, the largest are kept.
const MOST_GROUPS: usize = 12;

/// One way to split the products.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Split {
    /// "by brand".
    pub(super) name: String,
    /// Its groups.
    pub(super) groups: Vec<Winners>,
    /// Groups left out because there are too many.
    pub(super) left_out: usize,
}

/// The winners in one group of products.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Winners {
    /// "minute-maid-64", "12 to 30 units a week".
    pub(super) label: String,
    /// Products in it.
    pub(super) products: usize,
    /// The share won by each contender, in their order; ties are shared.
    pub(super) shares: Vec<f64>,
}

/// The policies that can win: all but those that know the future.
pub(super) fn contenders(results: &Results) -> Vec<usize> {
    (0..results.policies.len())
        .filter(|&at| results.policies[at].role != Role::Oracle)
        .collect()
}

/// All splits that the results allow.
pub(super) fn splits(results: &Results) -> Vec<Split> {
    let contenders = contenders(results);
    let all: Vec<&ProductResult> = results.products.iter().collect();
    let mut splits = Vec::new();
    if all.is_empty() || contenders.is_empty() {
        return splits;
    }
    let traits = [
        quarters("demand", "units a week", &all, &contenders, |product| {
            Some(product.demand)
        }),
        quarters("margin", "% of price", &all, &contenders, |product| {
            Some(100.0 * product.margin)
        }),
        quarters("promotion", "% of weeks", &all, &contenders, |product| {
            product.promoted.map(|share| 100.0 * share)
        }),
    ];
    let groups = std::iter::once(winners("all products", &all, &contenders))
        .chain(traits.into_iter().flatten().flatten())
        .collect();
    splits.push(Split {
        name: "overall, and by quarter of demand, margin and promotion".to_owned(),
        groups,
        left_out: 0,
    });
    for (column, name) in results.group_names.iter().enumerate() {
        let mut labels: Vec<&str> = all
            .iter()
            .filter_map(|product| product.groups.get(column))
            .map(String::as_str)
            .collect();
        let numbered = labels.iter().all(|label| label.parse::<u32>().is_ok());
        labels.sort_unstable_by_key(|label| (label.parse::<u32>().ok(), *label));
        labels.dedup();
        let mut groups: Vec<Winners> = labels
            .iter()
            .map(|label| {
                let members: Vec<&ProductResult> = all
                    .iter()
                    .copied()
                    .filter(|product| {
                        product
                            .groups
                            .get(column)
                            .is_some_and(|group| group == label)
                    })
                    .collect();
                let label = if numbered {
                    format!("{name} {label}")
                } else {
                    (*label).to_owned()
                };
                winners(&label, &members, &contenders)
            })
            .collect();
        let left_out = groups.len().saturating_sub(MOST_GROUPS);
        if left_out > 0 {
            // Stable: groups of one size stay in order.
            groups.sort_by_key(|group| std::cmp::Reverse(group.products));
            groups.truncate(MOST_GROUPS);
        }
        splits.push(Split {
            name: format!("by {name}"),
            groups,
            left_out,
        });
    }
    splits
}

fn winners(label: &str, members: &[&ProductResult], contenders: &[usize]) -> Winners {
    let mut shares = vec![0.0; contenders.len()];
    for product in members {
        let rewards: Vec<f64> = contenders
            .iter()
            .map(|&at| {
                product
                    .rewards
                    .get(at)
                    .copied()
                    .unwrap_or(f64::NEG_INFINITY)
            })
            .collect();
        let best = rewards.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let tied: Vec<usize> = (0..rewards.len())
            .filter(|&at| rewards[at] >= best)
            .collect();
        for &at in &tied {
            shares[at] += 1.0 / count(tied.len());
        }
    }
    if !members.is_empty() {
        for share in &mut shares {
            *share /= count(members.len());
        }
    }
    Winners {
        label: label.to_owned(),
        products: members.len(),
        shares,
    }
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// Four groups of equal size by a trait; none where it is unknown or the same for all.
fn quarters(
    name: &str,
    unit: &str,
    all: &[&ProductResult],
    contenders: &[usize],
    of: impl Fn(&ProductResult) -> Option<f64>,
) -> Option<Vec<Winners>> {
    let mut ranked: Vec<(f64, &ProductResult)> = all
        .iter()
        .map(|product| Some((of(product)?, *product)))
        .collect::<Option<_>>()?;
    if ranked.iter().any(|(value, _)| !value.is_finite()) {
        return None;
    }
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (lowest, highest) = (ranked.first()?.0, ranked.last()?.0);
    if ranked.len() < 8 || highest - lowest <= 1e-9 * highest.abs() {
        return None;
    }
    (0..4)
        .map(|quarter| {
            let members = &ranked[quarter * ranked.len() / 4..(quarter + 1) * ranked.len() / 4];
            let (from, to) = (members.first()?.0, members.last()?.0);
            let label = format!(
                "{name} {} to {} {unit}",
                crate::number::significant(from, 2),
                crate::number::significant(to, 2)
            );
            let members: Vec<&ProductResult> =
                members.iter().map(|(_, product)| *product).collect();
            Some(winners(&label, &members, contenders))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(rewards: [f64; 3], demand: f64) -> ProductResult {
        ProductResult {
            name: "p".to_owned(),
            rewards: rewards.to_vec(),
            bound: 9.0,
            demand,
            margin: 0.3,
            promoted: None,
            groups: Vec::new(),
        }
    }

    #[test]
    fn ties_are_shared_and_shares_sum_to_one() {
        let members = [
            product([9.0, 2.0, 1.0], 1.0),
            product([9.0, 2.0, 2.0], 1.0),
            product([9.0, 0.0, 3.0], 1.0),
        ];
        let winners = winners("g", &members.iter().collect::<Vec<_>>(), &[1, 2]);
        assert!((winners.shares[0] - 0.5).abs() < 1e-12 && (winners.shares[1] - 0.5).abs() < 1e-12);
    }

    #[test]
    fn quarters_hold_every_product_once() {
        let products: Vec<ProductResult> = (0..11)
            .map(|at| product([0.0, 1.0, 0.0], f64::from(at)))
            .collect();
        let all: Vec<&ProductResult> = products.iter().collect();
        let split = quarters("demand", "units", &all, &[1, 2], |product| {
            Some(product.demand)
        })
        .unwrap();
        assert_eq!(split.iter().map(|group| group.products).sum::<usize>(), 11);
        assert!(quarters("margin", "%", &all, &[1], |product| Some(product.margin)).is_none());
        assert!(quarters("promotion", "%", &all, &[1], |product| product.promoted).is_none());
    }
}
