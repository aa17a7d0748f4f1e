//! Who wins where: products in groups, the share of each group on which each policy earns most, and by how much.

use super::results::{Difference, Group, PolicyResult, ProductResult, Role, Split};
use report::number::significant;

/// Groups beyond this number are left out, the largest are kept.
const MOST_GROUPS: usize = 12;
/// Fewer products than this are not split by a trait.
const LEAST_PRODUCTS: usize = 8;

/// The products by quarters of demand, margin and promotion, and by the file's own groups; `difference` gives the reward of
/// the trained policy minus that of the best heuristic on some products (by their places in `products`).
pub(crate) fn splits(
    policies: &[PolicyResult],
    products: &[ProductResult],
    group_names: &[String],
    difference: impl Fn(&[usize]) -> Option<Difference>,
) -> Vec<Split> {
    let group = |label: String, members: Vec<usize>| Group {
        label,
        products: members.len(),
        wins: wins(policies, products, &members),
        difference: difference(&members),
    };
    if products.is_empty() {
        return Vec::new();
    }
    let all = Split {
        name: "all".to_owned(),
        groups: vec![group(
            "all products".to_owned(),
            (0..products.len()).collect(),
        )],
        left_out: 0,
    };
    let traits = [
        (
            "demand",
            quarters("units a week", products, |product| Some(product.demand)),
        ),
        (
            "margin",
            quarters("% of price", products, |product| {
                Some(100.0 * product.margin)
            }),
        ),
        (
            "promotion",
            quarters("% of weeks", products, |product| {
                product.promoted.map(|share| 100.0 * share)
            }),
        ),
    ];
    let traits = traits
        .into_iter()
        .filter_map(|(name, groups)| Some((name.to_owned(), groups?, 0)));
    let named = group_names.iter().enumerate().map(|(column, name)| {
        let (groups, left_out) = by_column(name, column, products);
        (name.clone(), groups, left_out)
    });
    let splits = traits.chain(named).map(|(name, groups, left_out)| Split {
        name,
        groups: groups
            .into_iter()
            .map(|(label, members)| group(label, members))
            .collect(),
        left_out,
    });
    std::iter::once(all).chain(splits).collect()
}

/// The share of the products on which each policy earns most; those that know the future do not count, ties are shared.
fn wins(policies: &[PolicyResult], products: &[ProductResult], members: &[usize]) -> Vec<f64> {
    let mut shares = vec![0.0; policies.len()];
    for &member in members {
        let reward = |at: usize| {
            let contends = policies[at].role != Role::Oracle;
            products[member]
                .rewards
                .get(at)
                .copied()
                .filter(|_| contends)
                .unwrap_or(f64::NEG_INFINITY)
        };
        let best = (0..policies.len())
            .map(reward)
            .fold(f64::NEG_INFINITY, f64::max);
        let winners: Vec<usize> = (0..policies.len())
            .filter(|&at| best.is_finite() && reward(at) >= best)
            .collect();
        for &at in &winners {
            shares[at] += 1.0 / (count(winners.len()) * count(members.len()));
        }
    }
    shares
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

type Groups = Vec<(String, Vec<usize>)>;

/// Four groups of equal size by a trait; none where it is unknown or the same for all.
fn quarters(
    unit: &str,
    products: &[ProductResult],
    of: impl Fn(&ProductResult) -> Option<f64>,
) -> Option<Groups> {
    let ranked: Option<Vec<(f64, usize)>> = products
        .iter()
        .enumerate()
        .map(|(at, product)| Some((of(product)?, at)))
        .collect();
    let mut ranked = ranked.filter(|ranked| {
        ranked.len() >= LEAST_PRODUCTS && ranked.iter().all(|(value, _)| value.is_finite())
    })?;
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (lowest, highest) = (ranked.first()?.0, ranked.last()?.0);
    if highest - lowest <= 1e-9 * highest.abs() {
        return None;
    }
    (0..4)
        .map(|quarter| {
            let members = &ranked[quarter * ranked.len() / 4..(quarter + 1) * ranked.len() / 4];
            let (from, to) = (members.first()?.0, members.last()?.0);
            let label = format!("{} to {} {unit}", significant(from, 2), significant(to, 2));
            Some((label, members.iter().map(|(_, at)| *at).collect()))
        })
        .collect()
}

/// The groups that a column of the file names, and how many were left out.
fn by_column(name: &str, column: usize, products: &[ProductResult]) -> (Groups, usize) {
    let label = |at: usize| products[at].groups.get(column).map_or("", String::as_str);
    let mut labels: Vec<&str> = (0..products.len()).map(label).collect();
    let numbered = labels.iter().all(|label| label.parse::<u32>().is_ok());
    labels.sort_unstable_by_key(|label| (label.parse::<u32>().ok().filter(|_| numbered), *label));
    labels.dedup();
    let mut groups: Groups = labels
        .iter()
        .map(|wanted| {
            let members = (0..products.len())
                .filter(|&at| label(at) == *wanted)
                .collect();
            (
                if numbered {
                    format!("{name} {wanted}")
                } else {
                    (*wanted).to_owned()
                },
                members,
            )
        })
        .collect();
    let left_out = groups.len().saturating_sub(MOST_GROUPS);
    if left_out > 0 {
        // Stable: groups of one size stay in order.
        groups.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));
        groups.truncate(MOST_GROUPS);
    }
    (groups, left_out)
}

#[cfg(test)]
mod tests {
    use super::super::made_up::made_up;
    use super::*;

    #[test]
    fn ties_are_shared_and_oracles_do_not_count() {
        let mut results = made_up();
        results.products.truncate(3);
        let rewards = [[9.0, 2.0, 1.0], [9.0, 2.0, 2.0], [9.0, 0.0, 3.0]];
        for (product, rewards) in results.products.iter_mut().zip(rewards) {
            product.rewards = rewards.to_vec();
        }
        let shares = wins(&results.policies, &results.products, &[0, 1, 2]);
        assert!(
            shares[0].abs() < 1e-12
                && (shares[1] - 0.5).abs() < 1e-12
                && (shares[2] - 0.5).abs() < 1e-12,
            "{shares:?}"
        );
    }

    #[test]
    fn quarters_hold_every_product_once() {
        let results = made_up();
        for split in &results.splits {
            let held: usize = split.groups.iter().map(|group| group.products).sum();
            assert!(
                held == results.products.len() || split.left_out > 0,
                "{}",
                split.name
            );
            for group in &split.groups {
                assert!((group.wins.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            }
        }
        let mut same = results.products;
        for product in &mut same {
            (product.margin, product.promoted) = (0.3, None);
        }
        let names: Vec<String> = splits(&results.policies, &same, &[], |_| None)
            .into_iter()
            .map(|split| split.name)
            .collect();
        assert_eq!(names, ["all", "demand"]);
    }

    #[test]
    fn many_groups_keep_the_largest() {
        let results = made_up();
        let stores = results
            .splits
            .iter()
            .find(|split| split.name == "store")
            .unwrap();
        assert_eq!((stores.groups.len(), stores.left_out), (12, 12));
        assert_eq!(stores.groups[2].label, "store 2");
    }
}
