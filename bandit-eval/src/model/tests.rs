use proptest::prelude::*;

use super::*;

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// The gradient of the penalised weighted squares vanishes, whatever the number of rows is modulo the block.
    #[test]
    fn ridge_is_stationary(rows in 3..40_usize, columns in 1..10_usize, seed in 0..1_000_u64, penalty in 0.1..10.0_f64) {
        let number = |i: usize| (((i as u64 + 1) * (seed + 7) * 2_654_435_761 % 10_007) as f64 / 10_007.0) - 0.4;
        let x: Vec<f64> = (0..rows * columns).map(number).collect();
        let y: Vec<f64> = (0..rows).map(|i| 3.0 * number(i + 5_000)).collect();
        let w: Vec<f64> = (0..rows).map(|i| (number(i + 9_000) + 0.5).abs()).collect();
        let features = Features::new(columns, &x).unwrap();
        let model = Ridge::new(penalty).unwrap().fit(features, &y, Some(&w)).unwrap();
        let residual: Vec<f64> = (0..rows).map(|i| w[i] * (y[i] - model.predict(features.row(i)))).collect();
        prop_assert!(residual.iter().sum::<f64>().abs() < 1e-8);
        for c in 0..columns {
            let column: Vec<f64> = (0..rows).map(|i| features.row(i)[c]).collect();
            prop_assert!((dot(&column, &residual) - penalty * model.coefficients[c]).abs() < 1e-8);
        }
    }

    #[test]
    fn logistic_is_stationary(rows in 4..40_usize, seed in 0..1_000_u64, penalty in 0.01..10.0_f64) {
        let number = |i: usize| (((i as u64 + 1) * (seed + 7) * 2_654_435_761 % 10_007) as f64 / 10_007.0) - 0.5;
        let x: Vec<f64> = (0..rows * 2).map(|i| 20.0 * number(i)).collect();
        let y: Vec<f64> = (0..rows).map(|i| f64::from(u8::from(number(i + 500) > 0.0))).collect();
        let features = Features::new(2, &x).unwrap();
        let model = Logistic::new(penalty).unwrap().fit(features, &y, None).unwrap();
        let hits: f64 = y.iter().sum();
        prop_assume!(hits > 0.0 && hits < rows as f64);
        let residual: Vec<f64> = (0..rows).map(|i| y[i] - model.predict(features.row(i))).collect();
        prop_assert!(residual.iter().sum::<f64>().abs() < 1e-3);
        for c in 0..2 {
            let column: Vec<f64> = (0..rows).map(|i| features.row(i)[c]).collect();
            prop_assert!((dot(&column, &residual) - penalty * model.log_odds.coefficients[c]).abs() < 1e-3);
        }
    }

    /// Never falls, and no other non-decreasing step function that pools neighbours does better: the min-max formula.
    #[test]
    fn isotonic_is_the_min_max_of_means(points in prop::collection::vec((0..12_u8, -3.0..3.0_f64, 0.1..2.0_f64), 1..25)) {
        let mut points = points;
        points.sort_by_key(|p| p.0);
        let x: Vec<f64> = points.iter().map(|p| f64::from(p.0)).collect();
        let y: Vec<f64> = points.iter().map(|p| p.1).collect();
        let w: Vec<f64> = points.iter().map(|p| p.2).collect();
        let model = Isotonic.fit(Features::new(1, &x).unwrap(), &y, Some(&w)).unwrap();
        let mean = |from: f64, to: f64| {
            let inside = || points.iter().filter(|p| (from..=to).contains(&f64::from(p.0)));
            inside().map(|p| p.1 * p.2).sum::<f64>() / inside().map(|p| p.2).sum::<f64>()
        };
        for at in &x {
            let low = x.iter().filter(|f| *f <= at);
            let best = low.map(|f| x.iter().filter(|t| *t >= at).map(|t| mean(*f, *t)).fold(f64::INFINITY, f64::min)).fold(f64::NEG_INFINITY, f64::max);
            prop_assert!((model.predict(&[*at]) - best).abs() < 1e-9, "{at}: {} {best}", model.predict(&[*at]));
        }
    }
}

/// A planted fault of the kind that cross-fitting is for: noise alone, and a model that can learn it by heart.
#[test]
fn no_round_is_predicted_by_its_own_model() {
    let x: Vec<f64> = (0..60).map(f64::from).collect();
    let y: Vec<f64> = (0..60_u32).map(|i| f64::from(i * 7_919 % 61)).collect();
    let action = vec![0_u32; 60];
    let features = Features::new(1, &x).unwrap();
    let log = LoggedFeatures {
        actions: 1,
        features,
        action: &action,
        reward: &y,
        weight: None,
    };
    let folds = Folds {
        count: 5,
        seed: 3,
        groups: None,
    };
    let predicted = cross_fit(&log, &Isotonic, folds).unwrap();
    for changed in 0..60 {
        let mut other = y.clone();
        other[changed] += 1e6;
        let again = cross_fit(
            &LoggedFeatures {
                reward: &other,
                ..log
            },
            &Isotonic,
            folds,
        )
        .unwrap();
        assert_eq!(again[changed], predicted[changed]);
    }
    let groups: Vec<u64> = (0..60).map(|i| i / 10).collect();
    let grouped = Folds {
        groups: Some(&groups),
        ..folds
    };
    let predicted = cross_fit(&log, &Isotonic, grouped).unwrap();
    let mut other = y.clone();
    other[25] += 1e6;
    let again = cross_fit(
        &LoggedFeatures {
            reward: &other,
            ..log
        },
        &Isotonic,
        grouped,
    )
    .unwrap();
    assert_eq!(again[20..30], predicted[20..30]);
}

#[test]
fn what_cannot_be_fitted_is_named() {
    let twice = Features::new(2, &[1.0, 1.0, 2.0, 2.0, 3.0, 3.0]).unwrap();
    assert_eq!(
        Ridge::new(0.0).unwrap().fit(twice, &[1.0, 2.0, 4.0], None),
        Err(Error::Singular)
    );
    assert!(
        Ridge::new(1e-3)
            .unwrap()
            .fit(twice, &[1.0, 2.0, 4.0], None)
            .is_ok()
    );
    assert!(Ridge::new(-1.0).is_err() && Logistic::new(0.0).is_err());
    assert!(Features::new(2, &[1.0]).is_err() && Features::new(1, &[f64::NAN]).is_err());
    let one = Features::new(1, &[1.0, 2.0]).unwrap();
    assert!(
        Logistic::new(1.0)
            .unwrap()
            .fit(one, &[0.0, 1.5], None)
            .is_err()
    );
    assert!(
        Ridge::new(1.0)
            .unwrap()
            .fit(one, &[0.0, 1.5], Some(&[1.0, -1.0]))
            .is_err()
    );
    // All alike: a finite answer.
    let sure = Logistic::new(1.0)
        .unwrap()
        .fit(one, &[1.0, 1.0], None)
        .unwrap();
    assert!(sure.predict(&[1.0]) > 0.7 && sure.predict(&[1.0]) < 1.0);
}
