use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::*;
use crate::model::{Features, Learner, Ridge};

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

/// Three actions whose rewards cross in the context: regret per round in the last quarter, against acting by lot.
fn regret(
    mut act: impl FnMut(&[f64], &mut Pcg64) -> usize,
    mut learn: impl FnMut(&[f64], usize, f64),
) -> f64 {
    let mut rng = Pcg64::seed_from_u64(9);
    let (mut lost, rounds) = (0.0, 4_000);
    for t in 0..rounds {
        let z: f64 = rng.random();
        let x = [1.0, z];
        let means = [0.5, 0.2 + 0.6 * z, 0.8 - 0.6 * z];
        let action = act(&x, &mut rng);
        learn(
            &x,
            action,
            means[action] + 0.3 * (rng.random::<f64>() - 0.5),
        );
        if t >= 3 * rounds / 4 {
            lost += means.iter().copied().fold(0.0, f64::max) - means[action];
        }
    }
    lost / f64::from(rounds / 4)
}

#[test]
fn all_learners_learn() {
    use std::cell::RefCell;
    let by_lot = regret(|_, rng| rng.random_range(0..3), |_, _, _| {});
    let ucb = RefCell::new(LinUcb::new(3, 2, 0.5, 1.0).unwrap());
    let ts = RefCell::new(LinTs::new(3, 2, 0.3, 1.0).unwrap());
    let square = RefCell::new(SquareCb::new(3, 2, 200.0, 1.0).unwrap());
    let greedy = RefCell::new(EpsilonGreedy::new(3, 2, 0.1, 1.0).unwrap());
    let found = [
        regret(
            |x, _| ucb.borrow_mut().choose(x).unwrap(),
            |_, a, r| ucb.borrow_mut().learn(a, r).unwrap(),
        ),
        regret(
            |x, rng| ts.borrow_mut().choose(x, rng).unwrap(),
            |x, a, r| ts.borrow_mut().learn(x, a, r).unwrap(),
        ),
        regret(
            |x, rng| square.borrow_mut().choose(x, rng).unwrap().0,
            |x, a, r| square.borrow_mut().learn(x, a, r).unwrap(),
        ),
        regret(
            |x, rng| greedy.borrow_mut().choose(x, rng).unwrap().0,
            |x, a, r| greedy.borrow_mut().learn(x, a, r).unwrap(),
        ),
    ];
    println!(
        "regret a round: by lot {by_lot:.4}, LinUCB, LinTS, SquareCB, epsilon-greedy {found:.4?}"
    );
    assert!(
        found.iter().all(|r| *r < 0.2 * by_lot),
        "{by_lot} {found:?}"
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
