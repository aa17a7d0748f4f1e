use proptest::prelude::*;

use super::*;
use crate::count::count;
use crate::panel::Columns;
use crate::policy::Plan;
use crate::policy::trailing::Terms;
use crate::{Conventions, LeadTimes, Panel, Paths, Replay, Window};

const WEEKS: usize = 40;

/// Two products counted in `units` and paid in `money`.
fn panel(demand: &[f64], units: f64, money: f64) -> Panel {
    let cells = demand.len();
    let columns = Columns {
        demand: demand.iter().map(|d| d * units).collect(),
        price: (0..cells)
            .map(|i| if i % 7 < 2 { 4.0 } else { 5.0 } * money / units)
            .collect(),
        cost: vec![3.0 * money / units; cells],
        present: vec![true; cells],
        covariates: vec![],
    };
    Panel::new(vec!["tea".into(), "mate".into()], WEEKS, columns).unwrap()
}

fn trailing(panel: &Panel, law: &LeadTimes) -> Trailing {
    let terms = Terms {
        panel,
        lead_times: law,
        conventions: Conventions::default(),
        plan: Plan {
            horizon: 2,
            price: true,
        },
        year: 52,
        hierarchy: &[],
    };
    Trailing::new(&terms, 8..WEEKS).unwrap()
}

/// Weights that have learnt something: other numbers than those of the seed.
fn weights(trailing: &Trailing, seed: u64) -> LevelWeights {
    let normaliser = Normaliser::fit([trailing]).unwrap();
    let blank = LevelWeights::untrained(normaliser.clone(), 2, seed).unwrap();
    let moved = |theta: &Vec<f64>| {
        let wave =
            |(k, w): (usize, &f64)| w + 0.02 * f64::from(u32::try_from(k % 13).unwrap()) - 0.1;
        theta.iter().enumerate().map(wave).collect()
    };
    LevelWeights::new(normaliser, blank.members().iter().map(moved).collect()).unwrap()
}

fn demand() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![4 => 1.0_f64..30.0, 1 => Just(0.0)], 2 * WEEKS)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// An untrained network orders up to the mean of its levels, about.
    #[test]
    fn an_untrained_network_is_the_mean_of_its_levels(demand in demand(), seed in 0_u64..100) {
        let (panel, law) = (panel(&demand, 1.0, 1.0), LeadTimes::fixed(1));
        let trailing = trailing(&panel, &law);
        let weights = LevelWeights::untrained(Normaliser::fit([&trailing]).unwrap(), 3, seed).unwrap();
        let decided = weights.levels("net", &trailing, 0..WEEKS, WEEKS, &gpu::Device::cpu(1)).unwrap();
        for week in 10..WEEKS {
            let sum: f64 = (0..LEVELS.len()).map(|k| trailing.level(k, week, 0)).sum();
            let mean = sum / count(LEVELS.len());
            prop_assert!((decided.level(week, 0) / mean - 1.0).abs() < 0.5, "{} {mean}", decided.level(week, 0));
        }
    }

    /// What is worked out once earns what the network itself earns.
    #[test]
    fn levels_worked_out_once_are_the_network(demand in demand(), seed in 0_u64..100) {
        let (panel, law) = (panel(&demand, 1.0, 1.0), LeadTimes::fixed(2));
        let trailing = trailing(&panel, &law);
        let weights = weights(&trailing, seed);
        let network = LevelNetwork::new(&trailing, WEEKS, &weights);
        let paths = Paths::new(&panel, &law, 1).unwrap();
        let window = Window { scored: 10..WEEKS, warm_up: 2 };
        let replay = Replay::new(&paths, Conventions::default(), window, &[9.0, 9.0]).unwrap();
        let device = gpu::Device::cpu(1);
        let once = weights.levels("once", &trailing, 10..WEEKS, WEEKS, &device);
        let (a, b) = (replay.run(&network, &device).unwrap(), replay.run(&once.unwrap(), &device).unwrap());
        prop_assert!((a.reward() - b.reward()).abs() < 1e-3 * a.reward().abs().max(10.0), "{} {}", a.reward(), b.reward());
    }

    /// Counted in other units, or paid in another currency, the same network earns the same money.
    #[test]
    fn units_do_not_matter(demand in demand(), units in prop_oneof![Just(1.0 / 12.0), Just(12.0), Just(1000.0)], money in prop_oneof![Just(0.01), Just(7.0)]) {
        let law = LeadTimes::fixed(1);
        let (one, other) = (panel(&demand, 1.0, 1.0), panel(&demand, units, money));
        let seen = trailing(&one, &law);
        let weights = weights(&seen, 5);
        let reward = |panel: &Panel, scale: f64| {
            let network = weights.levels("net", &trailing(panel, &law), 0..WEEKS, WEEKS, &gpu::Device::cpu(1)).unwrap();
            let paths = Paths::new(panel, &law, 1).unwrap();
            let window = Window { scored: 10..WEEKS, warm_up: 2 };
            let replay = Replay::new(&paths, Conventions::default(), window, &[9.0 * scale; 2]).unwrap();
            replay.run(&network, &gpu::Device::cpu(1)).unwrap().reward()
        };
        let (a, b) = (reward(&one, 1.0), reward(&other, units) / money);
        prop_assert!((a - b).abs() < 1e-3 * a.abs().max(10.0), "{a} {b}");
    }

    /// A file brings back what was written; a byte changed anywhere is noticed.
    #[test]
    fn files_are_faithful_and_damage_is_noticed(at in 0.0_f64..1.0, bit in 0_u32..8, cut in 0.0_f64..1.0) {
        let (panel, law) = (panel(&[3.0; 2 * WEEKS], 1.0, 1.0), LeadTimes::fixed(1));
        let weights = weights(&trailing(&panel, &law), 1);
        let bytes = weights.to_bytes();
        let read = LevelWeights::from_bytes(&bytes).unwrap();
        prop_assert_eq!(read.to_bytes(), bytes.clone());
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a file")]
        let place = |share: f64| ((bytes.len() as f64) * share) as usize;
        let mut damaged = bytes.clone();
        damaged[place(at)] ^= 1 << bit;
        prop_assert!(LevelWeights::from_bytes(&damaged).is_err());
        prop_assert!(LevelWeights::from_bytes(&bytes[..place(cut)]).is_err());
    }
}
