//! The paired bootstrap: differences of replicates, and intervals that hold what they promise where weeks are shared.

use hindsight_exo_idp::compare::Bootstrap;
use hindsight_gpu::Stream;
use proptest::prelude::*;
use rand::RngExt;

fn tables() -> impl Strategy<Value = (Vec<Vec<f64>>, Vec<Vec<f64>>)> {
    (1_usize..6, 1_usize..12).prop_flat_map(|(products, weeks)| {
        let table =
            move || prop::collection::vec(prop::collection::vec(-9.0_f64..9.0, weeks), products);
        (table(), table())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// The replicates of a difference are the differences of the replicates: one table or two, the interval is the same.
    #[test]
    fn differences_of_replicates_are_replicates_of_differences((a, b) in tables(), seed in 0_u64..99) {
        let bootstrap = Bootstrap { replicates: 200, seed, ..Bootstrap::default() };
        let row = |(a, b): (&Vec<f64>, &Vec<f64>)| a.iter().zip(b).map(|(a, b)| a - b).collect();
        let difference: Vec<Vec<f64>> = a.iter().zip(&b).map(row).collect();
        let direct = bootstrap.interval(&difference).unwrap();
        let drawn = bootstrap.replicates(&a).unwrap().minus(&bootstrap.replicates(&b).unwrap()).unwrap();
        let paired = drawn.interval(bootstrap.alpha);
        for (x, y) in [(direct.low, paired.low), (direct.estimate, paired.estimate), (direct.high, paired.high)] {
            prop_assert!((x - y).abs() < 1e-9, "{x} {y}");
        }
        prop_assert!(paired.low <= paired.high);
    }
}

/// How often the interval of the mean holds zero, the truth, when all products share what happens in a week.
fn coverage(block: usize) -> f64 {
    let (products, weeks, repeats) = (40_usize, 60_u32, 300_u32);
    let stream = Stream::new(3, "shared weeks");
    let normal = |lane: u64, period: u32| {
        let mut rng = stream.at(lane, period);
        (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
    };
    let bootstrap = Bootstrap {
        replicates: 400,
        block,
        ..Bootstrap::default()
    };
    let covered = (0..repeats).filter(|repeat| {
        let at = |week: u32| repeat * weeks + week;
        let values: Vec<Vec<f64>> = (0..products)
            .map(|p| {
                (0..weeks)
                    .map(|w| normal(0, at(w)) + normal(1 + p as u64, at(w)))
                    .collect()
            })
            .collect();
        let found = bootstrap.interval(&values).unwrap();
        found.low <= 0.0 && found.high >= 0.0
    });
    f64::from(u32::try_from(covered.count()).unwrap()) / f64::from(repeats)
}

/// Nearly 95 %: the percentile interval of sixty weeks is a little short. Three standard errors of 300 repeats are 0.04.
#[test]
fn shared_weeks_are_covered() {
    let found = coverage(4);
    assert!((0.88..=0.99).contains(&found), "{found}");
}

/// The planted fault: one block of all weeks draws products alone, and is far too sure.
#[test]
fn drawing_products_alone_is_too_sure() {
    let found = coverage(60);
    assert!(found < 0.6, "{found}");
}
