//! Sampled limits.

use hindsight_capacity::limits::{Family, Limits, Summary};
use proptest::prelude::*;

fn families() -> Vec<Family> {
    let mut all = Family::HELD_OUT.to_vec();
    all.extend([Family::Haar, Family::Resampled(vec![1.0, 0.8, 0.9, 1.1])]);
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every family gives as many factors as asked for, in their range, the same from the same seed, and another from another path.
    #[test]
    fn paths_are_in_range_and_reproducible(weeks in 9_usize..130, seed in 0_u64..1000, path in 0_u64..1000) {
        for family in families() {
            let factors = family.factors(weeks, seed, path).unwrap();
            prop_assert_eq!(factors.len(), weeks);
            prop_assert!(factors.iter().all(|f| (0.4..=1.5).contains(f)));
            prop_assert_eq!(&factors, &family.factors(weeks, seed, path).unwrap());
            let same = (0..8).all(|other| family.factors(weeks, seed, path + 1 + other).unwrap() == factors);
            prop_assert!(!same, "{}", family.name());
        }
    }

    /// Binding weeks and depth are what counting says, and scaling limits and use together changes nothing.
    #[test]
    fn summaries_are_free_of_units(limit in proptest::collection::vec(1.0_f64..9.0, 1..40), scale in 0.01_f64..100.0, notice in 0_usize..20) {
        let used: Vec<f64> = limit.iter().rev().copied().collect();
        let summary = Summary::of(&limit, &used, notice).unwrap();
        let binding = limit.iter().zip(&used).filter(|(k, u)| u > k).count();
        prop_assert!((summary.binding * f64::from(u32::try_from(limit.len()).unwrap()) - f64::from(u32::try_from(binding).unwrap())).abs() < 1e-9);
        let times = |xs: &[f64]| xs.iter().map(|x| x * scale).collect::<Vec<f64>>();
        let other = Summary::of(&times(&limit), &times(&used), notice).unwrap();
        prop_assert!((other.depth - summary.depth).abs() < 1e-9 * (1.0 + summary.depth));
        prop_assert_eq!(other.warning, summary.warning);
        prop_assert!(summary.warning.is_none_or(|weeks| weeks <= notice));
    }

    /// Within its notice the outlook is the limit; beyond, the last that is known.
    #[test]
    fn the_outlook_knows_its_notice_and_no_more(row in proptest::collection::vec(0.0_f64..9.0, 20), notice in 0_usize..8, week in 0_usize..12, ahead in 0_usize..14) {
        let limits = Limits::new(vec![row.clone()], notice).unwrap();
        let mut later = row.clone();
        for value in &mut later[(week + notice + 1).min(19)..] {
            *value += 1.0;
        }
        let other = Limits::new(vec![later], notice).unwrap();
        if week + notice < 19 {
            let known = other.outlook(0, week, ahead);
            prop_assert_eq!(limits.outlook(0, week, ahead).to_bits(), known.to_bits());
        }
        if ahead <= notice && week + ahead < 20 {
            let known = row[week + ahead];
            prop_assert_eq!(limits.outlook(0, week, ahead).to_bits(), known.to_bits());
        }
    }
}
