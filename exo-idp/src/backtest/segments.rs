//! The best policy by segment: products in groups, the share of each group on which each policy earns most, and by how much.

use super::results::{PolicyResult, ProductResult, Segment, Segmentation};
use super::standings::{Difference, Role};
use crate::count::count;

/// Groups beyond this number are left out, the largest are kept.
const MOST_GROUPS: usize = 12;
/// Fewer products than this are not split by a trait.
const LEAST_PRODUCTS: usize = 8;

/// The products by quarters of demand, margin and promotion, and by the file's own groups; `difference` gives the reward of
/// the trained policy minus that of the best heuristic on some products (by their places in `products`).
pub(super) fn segmentations(
    policies: &[PolicyResult],
    products: &[ProductResult],
    group_names: &[String],
    difference: impl Fn(&[usize]) -> Option<Difference>,
) -> Vec<Segmentation> {
    let group = |label: String, members: Vec<usize>| Segment {
        label,
        products: members.len(),
        wins: wins(policies, products, &members),
        difference: difference(&members),
    };
    if products.is_empty() {
        return Vec::new();
    }
    let all = Segmentation {
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
    let splits = traits
        .chain(named)
        .map(|(name, groups, left_out)| Segmentation {
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
            let label = format!("{} to {} {unit}", two_digits(from), two_digits(to));
            Some((label, members.iter().map(|(_, at)| *at).collect()))
        })
        .collect()
}

/// The number with two significant digits, whole numbers in full.
fn two_digits(x: f64) -> String {
    let decimals = match x.abs() {
        size if size >= 10.0 || size <= 0.0 => 0,
        size if size >= 1.0 => 1,
        size if size >= 0.1 => 2,
        _ => 3,
    };
    format!("{x:.decimals$}")
}

/// The groups that a trait of the products makes, and how many were left out.
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
    use super::super::standings::ConfidenceLimits;
    use super::*;

    fn policies() -> Vec<PolicyResult> {
        let limits = ConfidenceLimits { lo: 0.0, hi: 0.0 };
        let policy = |name: &str, role| PolicyResult {
            name: name.to_owned(),
            role,
            total: 0.0,
            mean: 0.0,
            interval: limits,
            share_of_bound: 0.0,
            share_interval: None,
            share_by_product: None,
            against_best: None,
            fill_rate: 0.0,
            stock: 0.0,
            ordered: 0.0,
            order_frequency: 0.0,
        };
        vec![
            policy("oracle", Role::Oracle),
            policy("net", Role::Trained),
            policy("rule", Role::Heuristic),
        ]
    }

    /// Products of 24 stores, every second of one brand.
    fn products() -> Vec<ProductResult> {
        (0..96)
            .map(|at| ProductResult {
                name: format!("product {at}"),
                rewards: vec![9.0, count(at * 7 % 11), count(at * 5 % 13)],
                bound: 20.0,
                demand: 3.0 + count(at),
                margin: 0.2 + 0.001 * count(at * 31 % 96),
                promoted: Some(0.01 * count(at * 17 % 96)),
                groups: vec![format!("brand-{}", at % 2), format!("{}", at % 24)],
            })
            .collect()
    }

    fn names() -> Vec<String> {
        vec!["brand".to_owned(), "store".to_owned()]
    }

    #[test]
    fn ties_are_shared_and_oracles_do_not_count() {
        let mut products = products();
        products.truncate(3);
        let rewards = [[9.0, 2.0, 1.0], [9.0, 2.0, 2.0], [9.0, 0.0, 3.0]];
        for (product, rewards) in products.iter_mut().zip(rewards) {
            product.rewards = rewards.to_vec();
        }
        let shares = wins(&policies(), &products, &[0, 1, 2]);
        for (share, expected) in shares.iter().zip([0.0, 0.5, 0.5]) {
            assert!((share - expected).abs() < 1e-12, "{shares:?}");
        }
    }

    #[test]
    fn every_segmentation_holds_every_product_once() {
        let products = products();
        let segmentations = segmentations(&policies(), &products, &names(), |_| None);
        let found: Vec<&str> = segmentations.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(
            found,
            ["all", "demand", "margin", "promotion", "brand", "store"]
        );
        for segmentation in &segmentations {
            let held: usize = segmentation.groups.iter().map(|group| group.products).sum();
            assert!(held == products.len() || segmentation.left_out > 0);
            for group in &segmentation.groups {
                assert!((group.wins.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn traits_that_do_not_vary_make_no_segments() {
        let mut same = products();
        for product in &mut same {
            (product.margin, product.promoted) = (0.3, None);
        }
        let segmentations = segmentations(&policies(), &same, &[], |_| None);
        let found: Vec<&str> = segmentations.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(found, ["all", "demand"]);
    }

    #[test]
    fn many_groups_keep_the_largest() {
        let mut products = products();
        products.truncate(92);
        let all = segmentations(&policies(), &products, &names(), |_| None);
        let stores = all.iter().find(|s| s.name == "store").unwrap();
        assert_eq!((stores.groups.len(), stores.left_out), (12, 12));
        assert!(stores.groups.iter().all(|group| group.products == 4));
        assert_eq!(stores.groups[2].label, "store 2");
    }

    #[test]
    fn two_digits_of_any_size() {
        for (x, text) in [
            (0.0, "0"),
            (12.34, "12"),
            (1.234, "1.2"),
            (0.1234, "0.12"),
            (0.01234, "0.012"),
            (-3.0, "-3.0"),
            (1234.5, "1234"),
        ] {
            assert_eq!(two_digits(x), text);
        }
    }
}
