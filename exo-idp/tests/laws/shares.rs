//! The interval of a policy's share of the hindsight optimum holds what it promises, or is not given.

use hindsight_exo_idp::compare::{Bootstrap, Interval};
use hindsight_exo_idp::oracle::hindsight_account;
use hindsight_exo_idp::panel::Columns;
use hindsight_exo_idp::policy::{BaseStock, Signals};
use hindsight_exo_idp::{Conventions, LeadTimes, Panel, Paths, Replay, Window};
use hindsight_gpu::{Device, Stream};
use proptest::prelude::*;
use rand::RngExt;

const PRODUCTS: usize = 40;
const WEEKS: usize = 60;
const REPEATS: u32 = 300;

/// What a base stock and the hindsight optimum earn, by product and week.
struct Earned {
    policy: Vec<Vec<f64>>,
    optimum: Vec<Vec<f64>>,
}

/// A synthetic panel: products of unlike size and margin, weeks whose luck all products share, and luck of each product's own.
fn earned(repeat: u32) -> Earned {
    let stream = Stream::new(5, "shares of the optimum");
    let normal = |lane: usize, week: usize| {
        let mut rng = stream.at(lane as u64, repeat * 100 + u32::try_from(week).unwrap());
        (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
    };
    let size: Vec<f64> = (0..PRODUCTS)
        .map(|p| 20.0 * (0.5 * normal(p, 99)).exp())
        .collect();
    let cost: Vec<f64> = (0..PRODUCTS).map(|p| 6.0 + 0.8 * normal(p, 98)).collect();
    let shared: Vec<f64> = (0..WEEKS).map(|week| normal(PRODUCTS, week)).collect();
    let cells = (0..PRODUCTS).flat_map(|p| (0..WEEKS).map(move |week| (p, week)));
    let demand =
        cells.map(|(p, week)| size[p] * (0.4 * shared[week] + 0.4 * normal(p, week)).exp());
    let columns = Columns {
        demand: demand.collect(),
        price: vec![10.0; PRODUCTS * WEEKS],
        cost: cost.iter().flat_map(|&cost| vec![cost; WEEKS]).collect(),
        present: vec![true; PRODUCTS * WEEKS],
        covariates: vec![],
    };
    let names = (0..PRODUCTS).map(|p| p.to_string()).collect();
    let panel = Panel::new(names, WEEKS, columns).unwrap();
    let paths = Paths::new(&panel, &LeadTimes::fixed(1), 1).unwrap();
    let conventions = Conventions {
        holding: 0.3,
        ..Conventions::default()
    };
    let window = Window {
        scored: 1..WEEKS,
        warm_up: 1,
    };
    let replay = Replay::new(&paths, conventions, window, &size).unwrap();
    let level = Signals::from_fn(WEEKS, 1, PRODUCTS, |_, _, p| 2.4 * size[p]);
    let policy = BaseStock::new("level", 1.0, level);
    let outcomes = replay.run(&policy, &Device::cpu(1)).unwrap();
    Earned {
        policy: (0..PRODUCTS).map(|p| outcomes.accrued_reward(p)).collect(),
        optimum: (0..PRODUCTS)
            .map(|p| hindsight_account(&replay, p).weeks)
            .collect(),
    }
}

fn share(earned: &Earned, bootstrap: &Bootstrap) -> Option<Interval> {
    let drawn = bootstrap
        .replicates_of(&[&earned.policy, &earned.optimum])
        .unwrap();
    drawn[0].over(&drawn[1], bootstrap.alpha).unwrap()
}

/// How often the interval holds the share of all repeats together, and the mean of its width, where blocks are so long.
fn coverage(all: &[Earned], block: usize) -> (f64, f64) {
    let sum =
        |of: fn(&Earned) -> &Vec<Vec<f64>>| -> f64 { all.iter().flat_map(of).flatten().sum() };
    let truth = sum(|earned| &earned.policy) / sum(|earned| &earned.optimum);
    let bootstrap = Bootstrap {
        replicates: 400,
        block,
        ..Bootstrap::default()
    };
    let (mut covered, mut width) = (0.0, 0.0);
    for earned in all {
        let found = share(earned, &bootstrap).unwrap();
        covered += f64::from(u8::from(found.low <= truth && truth <= found.high));
        width += found.high - found.low;
    }
    (covered / f64::from(REPEATS), width / f64::from(REPEATS))
}

/// On panels of one law the interval of 95 % holds the law's share in 95 % of the cases: three standard errors of 300 repeats are 0.04.
/// The planted fault, blocks of all weeks, which draw products alone, misses it far more often.
#[test]
fn the_share_is_covered_at_its_level() {
    let all: Vec<Earned> = (0..REPEATS).map(earned).collect();
    let (covered, width) = coverage(&all, 4);
    assert!((0.91..=0.99).contains(&covered), "{covered}, width {width}");
    let (alone, _) = coverage(&all, WEEKS);
    assert!(alone < 0.85, "{alone}");
}

/// Where the optimum may be nothing there is no interval.
#[test]
fn no_interval_is_given_of_a_share_of_nearly_nothing() {
    let bootstrap = Bootstrap {
        replicates: 400,
        ..Bootstrap::default()
    };
    let policy = vec![vec![1.0; 24]; 8];
    for (optimum, given) in [(5.0, true), (1.0, false), (0.0, false), (-4.0, false)] {
        // Half of the weeks earn four more, the others four less.
        let weeks: Vec<f64> = (0..24)
            .map(|week| optimum + if week / 4 % 2 == 0 { 4.0 } else { -4.0 })
            .collect();
        let earned = Earned {
            policy: policy.clone(),
            optimum: vec![weeks; 8],
        };
        assert_eq!(share(&earned, &bootstrap).is_some(), given, "{optimum}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// A share does not depend on the unit of money, and that of twice the reward is twice the share.
    #[test]
    fn shares_have_no_unit(seed in 0_u32..500, unit in 0.01_f64..100.0, times in 0.1_f64..3.0) {
        let of = |earned: &Earned| share(earned, &Bootstrap { replicates: 100, ..Bootstrap::default() }).unwrap();
        let scaled = |table: &[Vec<f64>], by: f64| -> Vec<Vec<f64>> {
            table.iter().map(|row| row.iter().map(|x| x * by).collect()).collect()
        };
        let plain = earned(seed);
        let other = Earned { policy: scaled(&plain.policy, unit * times), optimum: scaled(&plain.optimum, unit) };
        let (plain, other) = (of(&plain), of(&other));
        for (a, b) in [(plain.low, other.low), (plain.estimate, other.estimate), (plain.high, other.high)] {
            prop_assert!((a * times - b).abs() < 1e-9 * (1.0 + b.abs()), "{a} {b}");
        }
        prop_assert!(plain.low <= plain.estimate && plain.estimate <= plain.high && plain.high < 1.0);
    }
}
