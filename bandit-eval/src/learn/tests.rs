use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::*;
use crate::model::{Features, Regressor, Ridge};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Round by round and at once: the same regression.
    #[test]
    fn updates_equal_ridge_regression(rows in 1..60_usize, features in 1..7_usize, seed in 0..1_000_u64, penalty in 0.1..5.0_f64) {
        let mut rng = Pcg64::seed_from_u64(seed);
        let x: Vec<f64> = (0..rows * features).map(|_| rng.random::<f64>() - 0.5).collect();
        let y: Vec<f64> = (0..rows).map(|_| rng.random::<f64>()).collect();
        let mut online = Disjoint::new(2, features, penalty).unwrap();
        for (row, y) in x.chunks_exact(features).zip(&y) {
            online.learn(row, 1, *y).unwrap();
        }
        let features = Features::new(features, &x).unwrap();
        let batch = Ridge::new(penalty).unwrap().through_origin().fit(features, &y, None).unwrap();
        for (a, b) in online.coefficients(1).unwrap().iter().zip(&batch.coefficients) {
            prop_assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
        prop_assert!(online.coefficients(0).unwrap().iter().all(|c| *c == 0.0));
    }

    #[test]
    fn probabilities_sum_to_one(actions in 1..6_usize, seed in 0..100_u64, gamma in 0.1..500.0_f64) {
        let mut rng = Pcg64::seed_from_u64(seed);
        let mut square = SquareCb::new(actions, 2, gamma, 1.0).unwrap();
        let mut greedy = EpsilonGreedy::new(actions, 2, 0.2, 1.0).unwrap();
        for _ in 0..20 {
            let x = [1.0, rng.random()];
            for row in [square.probabilities(&x).unwrap(), greedy.probabilities(&x).unwrap()] {
                prop_assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12 && row.iter().all(|p| *p > 0.0));
            }
            let action = rng.random_range(0..actions);
            square.learn(&x, action, rng.random()).unwrap();
            greedy.learn(&x, action, rng.random()).unwrap();
        }
    }
}

/// Three actions whose rewards cross in the context: regret per round in the last quarter.
fn regret(learner: &mut dyn Learner) -> f64 {
    let mut rng = Pcg64::seed_from_u64(9);
    let (mut lost, rounds) = (0.0, 4_000);
    for t in 0..rounds {
        let z: f64 = rng.random();
        let x = [1.0, z];
        let means = [0.5, 0.2 + 0.6 * z, 0.8 - 0.6 * z];
        let action = learner.choose(&x, &mut rng).unwrap().action;
        let noise = 0.3 * (rng.random::<f64>() - 0.5);
        learner.learn(&x, action, means[action] + noise).unwrap();
        if t >= 3 * rounds / 4 {
            lost += means.iter().copied().fold(0.0, f64::max) - means[action];
        }
    }
    lost / f64::from(rounds / 4)
}

#[test]
fn all_learners_learn() {
    let by_lot = regret(&mut EpsilonGreedy::new(3, 2, 1.0, 1.0).unwrap());
    let learners: [Box<dyn Learner>; 4] = [
        Box::new(LinUcb::new(3, 2, 0.5, 1.0).unwrap()),
        Box::new(LinTs::new(3, 2, 0.3, 1.0).unwrap()),
        Box::new(SquareCb::new(3, 2, 200.0, 1.0).unwrap()),
        Box::new(EpsilonGreedy::new(3, 2, 0.1, 1.0).unwrap()),
    ];
    for mut learner in learners {
        let found = regret(&mut *learner);
        println!("regret a round: {found:.4}, by lot {by_lot:.4}: {learner:.0?}");
        assert!(found < 0.2 * by_lot, "{by_lot} {found} {learner:?}");
    }
}

/// The law of what LinTS chooses, against draws of whole parameter vectors by a factorisation.
#[test]
fn posterior_values_have_the_law_of_posterior_parameters() {
    let mut learner = LinTs::new(2, 2, 0.7, 1.0).unwrap();
    for (x, action, reward) in [
        ([1.0, 0.3], 0, 0.4),
        ([0.2, 1.0], 0, 0.1),
        ([1.0, 1.0], 1, 0.9),
    ] {
        learner.learn(&x, action, reward).unwrap();
    }
    let x = [0.8, 0.5];
    let mut rng = Pcg64::seed_from_u64(3);
    let draws = 40_000;
    let chosen = (0..draws).filter(|_| learner.choose(&x, &mut rng).unwrap().action == 1);
    let share = chosen.count() as f64 / f64::from(draws);
    // A = I + sum x x': by hand for the two actions.
    let rounds = [
        vec![([1.0, 0.3], 0.4), ([0.2, 1.0], 0.1)],
        vec![([1.0, 1.0], 0.9)],
    ];
    let law = rounds.map(|rounds| {
        let mut a = nalgebra::Matrix2::<f64>::identity();
        let mut b = nalgebra::Vector2::zeros();
        for (x, r) in rounds {
            let x = nalgebra::Vector2::from(x);
            a += x * x.transpose();
            b += x * r;
        }
        let inverse = a.try_inverse().unwrap();
        (inverse * b, inverse.cholesky().unwrap().l())
    });
    let mut normal = || {
        <rand_distr::StandardNormal as rand_distr::Distribution<f64>>::sample(
            &rand_distr::StandardNormal,
            &mut rng,
        )
    };
    let mut count = 0;
    for _ in 0..draws {
        let values = law.map(|(theta, factor)| {
            let noise = factor * nalgebra::Vector2::new(normal(), normal()) * 0.7;
            (theta + noise).dot(&nalgebra::Vector2::from(x))
        });
        count += u32::from(values[1] > values[0]);
    }
    let by_parameters = f64::from(count) / f64::from(draws);
    assert!(
        (share - by_parameters).abs() < 0.01,
        "{share} {by_parameters}"
    );
}

#[test]
fn what_cannot_be_learnt_is_named() {
    assert!(Disjoint::new(0, 1, 1.0).is_err() && Disjoint::new(1, 1, 0.0).is_err());
    let mut models = Disjoint::new(2, 2, 1.0).unwrap();
    assert!(
        models.learn(&[1.0], 0, 1.0).is_err() && models.learn(&[1.0, f64::NAN], 0, 1.0).is_err()
    );
    assert!(
        models.learn(&[1.0, 2.0], 2, 1.0).is_err()
            && models.learn(&[1.0, 2.0], 0, f64::NAN).is_err()
    );
    assert!(SquareCb::new(2, 2, 0.0, 1.0).is_err() && EpsilonGreedy::new(2, 2, 1.5, 1.0).is_err());
    let mut rng = Pcg64::seed_from_u64(1);
    assert!(
        LinTs::new(2, 2, 1.0, 1.0)
            .unwrap()
            .choose(&[1.0], &mut rng)
            .is_err()
    );
}
