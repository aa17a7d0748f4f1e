//! Laws of demand against statrs, their definitions and their sums; what is refused.

use super::*;
use proptest::prelude::*;
use statrs::distribution::{Discrete, DiscreteCDF, NegativeBinomial, Poisson};

#[test]
fn poisson_agrees_with_statrs() {
    for mean in [0.05, 1.0, 5.0, 64.0, 900.0] {
        let ours = DemandLaw::poisson(mean).unwrap();
        let theirs = Poisson::new(mean).unwrap();
        for d in (0..ours.largest()).step_by(7) {
            let (a, b) = (ours.pmf(d), theirs.pmf(u64::from(d)));
            assert!((a - b).abs() <= 1e-11 * b + 1e-18, "{mean} {d} {a} {b}");
            assert!((ours.cdf(d) - theirs.cdf(u64::from(d))).abs() < 1e-11);
        }
    }
}

#[test]
fn negative_binomial_agrees_with_statrs() {
    for (r, p) in [(0.3, 0.02), (1.0, 1.0 / 6.0), (2.0, 0.3), (40.0, 0.8)] {
        let ours = DemandLaw::negative_binomial_rp(r, p).unwrap();
        let theirs = NegativeBinomial::new(r, p).unwrap();
        for d in (0..ours.largest()).step_by(5) {
            let (a, b) = (ours.pmf(d), theirs.pmf(u64::from(d)));
            assert!((a - b).abs() <= 1e-10 * b + 1e-17, "{r} {p} {d} {a} {b}");
        }
        assert!((ours.variance() - r * (1.0 - p) / (p * p)).abs() < 1e-8 * ours.variance());
    }
}

#[test]
fn geometric_starts_at_zero() {
    let law = DemandLaw::geometric(5.0).unwrap();
    assert!((law.pmf(0) - 1.0 / 6.0).abs() < 1e-14);
    assert!((law.mean() - 5.0).abs() < 1e-11);
}

#[test]
fn bad_input_is_named() {
    assert!(matches!(
        DemandLaw::poisson(f64::NAN),
        Err(ExactError::NotPositive { .. })
    ));
    assert!(matches!(
        DemandLaw::from_probabilities(&[0.5, -0.1, 0.6]),
        Err(ExactError::BadProbability { demand: 1, .. })
    ));
    assert!(matches!(
        DemandLaw::from_probabilities(&[0.5, 0.4]),
        Err(ExactError::BadSum { .. })
    ));
    assert_eq!(DemandLaw::from_counts(&[0, 0]), Err(ExactError::Empty));
    assert_eq!(DemandLaw::from_observations(&[]), Err(ExactError::Empty));
    assert!(matches!(
        DemandLaw::from_observations(&[u32::MAX]),
        Err(ExactError::TooWide { .. })
    ));
    assert!(matches!(
        DemandLaw::poisson(1e9),
        Err(ExactError::TooWide { .. })
    ));
}

fn law() -> impl Strategy<Value = DemandLaw> {
    proptest::collection::vec(0_u64..9, 1..12)
        .prop_filter("some mass", |c| c.iter().sum::<u64>() > 0)
        .prop_map(|c| DemandLaw::from_counts(&c).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn loss_functions_are_their_definitions(law in law(), y in 0_u32..20) {
        let (mut short, mut left) = (0.0, 0.0);
        for (d, p) in law.probabilities().iter().enumerate() {
            let gap = f64::from(index(d)) - f64::from(y);
            short += p * gap.max(0.0);
            left += p * (-gap).max(0.0);
        }
        prop_assert!((law.expected_excess(y) - short).abs() < 1e-12);
        prop_assert!((law.expected_leftover(y) - left).abs() < 1e-12);
        // Sales and lost sales are all of demand.
        prop_assert!((law.expected_sales(y) + law.expected_excess(y) - law.mean()).abs() < 1e-12);
    }

    #[test]
    fn quantile_inverts_the_distribution_function(law in law(), level in 0.0_f64..=1.0) {
        let q = law.quantile(level).unwrap();
        prop_assert!(law.cdf(q) >= level - 2e-12);
        prop_assert!(q == 0 || law.cdf(q - 1) < level);
    }

    #[test]
    fn periods_add(law in law(), n in 0_usize..6) {
        let sum = law.over(n).unwrap();
        let mut step = DemandLaw::from_probabilities(&[1.0]).unwrap();
        for _ in 0..n {
            step = step.plus(&law).unwrap();
        }
        for d in 0..=step.largest().max(sum.largest()) {
            prop_assert!((sum.pmf(d) - step.pmf(d)).abs() < 1e-13);
        }
        prop_assert!((sum.variance() - f64::from(index(n)) * law.variance()).abs() < 1e-9);
    }
}
