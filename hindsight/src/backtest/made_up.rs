//! Results made up for tests.

use super::results::{
    Difference, Epoch, Interval, PolicyResult, ProductResult, Results, Role, Run, Sample, Track,
};

/// Made-up results: the shapes of a real run, none of its numbers.
pub(super) fn made_up() -> Results {
    let mut results = without_splits();
    let difference = |members: &[usize]| {
        let mean =
            0.4 + f64::from(u32::try_from(members.iter().sum::<usize>() % 17).unwrap()) / 6.0;
        Some(Difference {
            mean,
            interval: Interval {
                lo: mean - 0.8,
                hi: mean + 0.9,
            },
        })
    };
    results.splits = super::winners::splits(
        &results.policies,
        &results.products,
        &results.group_names,
        difference,
    );
    results
}

fn without_splits() -> Results {
    let names = [
        ("just-in-time oracle", Role::Oracle, 58.0),
        ("Direct Backprop", Role::Trained, 49.6),
        ("promotion-aware newsvendor", Role::Heuristic, 47.9),
        ("target position, tuned", Role::Heuristic, 46.2),
        ("base stock", Role::Heuristic, 45.7),
        ("target position, untuned", Role::Heuristic, 43.0),
        ("constant order", Role::Heuristic, 21.3),
    ];
    let policies = names
        .iter()
        .map(|(name, role, mean)| PolicyResult {
            name: (*name).to_owned(),
            role: *role,
            total: mean * 913.0 * 30.0,
            mean: *mean,
            interval: Interval {
                lo: mean - 3.1,
                hi: mean + 3.4,
            },
            share_of_bound: mean / 60.2,
            share_interval: Some(Interval {
                lo: mean / 60.2 - 0.02,
                hi: mean / 60.2 + 0.02,
            }),
            share_by_product: Some(mean / 62.0),
            against_best: (*name != "promotion-aware newsvendor").then_some(Difference {
                mean: mean - 47.9,
                interval: Interval {
                    lo: mean - 47.9 - 0.6,
                    hi: mean - 47.9 + 0.7,
                },
            }),
            fill_rate: 0.8 + mean / 400.0,
            stock: 140.0 - mean,
            ordered: 118.0,
            order_frequency: 0.7,
        })
        .collect();
    let products = (0..96u32)
        .map(|at| ProductResult {
            name: format!("p{at}"),
            rewards: (0..7u32)
                .map(|policy| {
                    100.0 - 4.0 * f64::from(policy) + f64::from((at * 37 + policy * 61) % 23)
                })
                .collect(),
            bound: 130.0,
            demand: 5.0 + f64::from(at * at) / 30.0,
            margin: 0.2 + f64::from(at % 7) / 40.0,
            promoted: Some(f64::from(at % 11) / 20.0),
            groups: vec![
                ["tropicana-64", "minute-maid-64", "dominicks-64"][(at % 3) as usize].to_owned(),
                (at % 24).to_string(),
            ],
        })
        .collect();
    let demand: Vec<f64> = (0..30u32)
        .map(|week| {
            if week % 7 == 3 {
                310.0
            } else {
                60.0 + f64::from(week * 13 % 29)
            }
        })
        .collect();
    let track = |policy: &str, level: f64| Track {
        policy: policy.to_owned(),
        stock: demand
            .iter()
            .map(|units| (level - units).max(0.0))
            .collect(),
        orders: demand
            .iter()
            .map(|units| (units * level / 260.0).round())
            .collect(),
    };
    let sample = |product: &str| Sample {
        product: product.to_owned(),
        weeks: (131..161).map(|week| week.to_string()).collect(),
        demand: demand.clone(),
        tracks: vec![
            track("Direct Backprop", 240.0),
            track("promotion-aware newsvendor", 330.0),
        ],
    };
    let training_curve = (0..60u32)
        .map(|step| Epoch {
            step: step * 20,
            training: Some(52.0 - 30.0 * (-f64::from(step) / 9.0).exp()),
            validation: (step % 5 == 0)
                .then(|| 50.0 - 30.0 * (-f64::from(step) / 8.0).exp() - f64::from(step) / 60.0),
        })
        .collect();
    Results {
        run: Run {
            source: "made-up numbers".to_owned(),
            rows: 2_880,
            products: 96,
            missing_weeks: 14,
            training: ("40".to_owned(), "110".to_owned()),
            validation: Some(("111".to_owned(), "130".to_owned())),
            held_out: ("131".to_owned(), "160".to_owned()),
            lead_time: "uniform on 1 to 3 weeks".to_owned(),
            money: "USD".to_owned(),
            conventions: vec![
                ("unmet demand".to_owned(), "lost".to_owned()),
                ("discount".to_owned(), "0.995 a week".to_owned()),
            ],
            warnings: vec!["the file holds sales, which are taken as demand".to_owned()],
        },
        policies,
        best_heuristic: "promotion-aware newsvendor".to_owned(),
        bound: 60.2,
        pairs: Vec::new(),
        origins: None,
        training_curve,
        best_step: Some(700),
        group_names: vec!["brand".to_owned(), "store".to_owned()],
        splits: Vec::new(),
        samples: vec![sample("tropicana-64_5"), sample("dominicks-64_111")],
        products,
    }
}
