//! B1 to B5 and B7: gaps that are known, false alarms, power, contexts, overlapping windows, and windows that are long enough.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts"
)]

use hindsight_bandit_eval::equilibrium::{
    Explorer, GainTable, Improver, LoggedArm, Map, MapClass, Plateau, Question, Step, plateau,
};
use hindsight_bandit_eval::model::{Features, Folds, Ridge};
use rand::{Rng, RngExt, SeedableRng};
use rand_distr::{Distribution, Poisson};
use rand_pcg::Pcg64;

const PRICE: f64 = 10.0;
const COST: f64 = 7.0;
const DISCOUNT: f64 = 0.9;

/// P(D <= s) for Poisson(5).
fn below(s: i32) -> f64 {
    let mut term = (-5.0_f64).exp();
    let mut sum = if s >= 0 { term } else { 0.0 };
    for k in 1..=s.max(0) {
        term *= 5.0 / f64::from(k);
        sum += term;
    }
    sum
}

/// The exact gain of one unit more at level s.
fn more(s: i32) -> f64 {
    PRICE * (1.0 - below(s)) + DISCOUNT * COST * below(s) - COST
}

/// Gains of one unit more and one less in a week of a base-stock policy with lead time 0, on the same demand.
fn week(s: i32, demand: f64) -> [f64; 2] {
    let unit = |level: f64| {
        if demand > level {
            PRICE - COST
        } else {
            DISCOUNT * COST - COST
        }
    };
    [unit(f64::from(s)), -unit(f64::from(s) - 1.0)]
}

/// A product in each of `n` weeks.
struct Weeks {
    gains: Vec<f64>,
    features: Vec<f64>,
    product: Vec<u64>,
}

impl Weeks {
    fn new(level: impl Fn(usize) -> i32, n: usize, rng: &mut impl Rng) -> Self {
        let law = Poisson::new(5.0).unwrap();
        let gains = (0..n).flat_map(|i| week(level(i), law.sample(rng)));
        Weeks {
            gains: gains.collect(),
            features: vec![0.0; n],
            product: (0..n as u64).collect(),
        }
    }

    fn table(&self) -> GainTable<'_> {
        let features =
            Features::new(self.features.len() / self.product.len(), &self.features).unwrap();
        GainTable::new(2, &self.gains, features, &self.product, None).unwrap()
    }
}

/// B1: the table of exact gaps.
#[test]
fn gaps_are_those_of_the_closed_form() {
    let published = [
        (4, 1.370, -2.019, 1.370),
        (5, 0.721, -1.370, 0.721),
        (6, 0.180, -0.721, 0.180),
        (7, -0.207, -0.180, 0.0),
        (8, -0.448, 0.207, 0.207),
        (9, -0.582, 0.448, 0.448),
    ];
    for (s, plus, minus, gap) in published {
        assert!((more(s) - plus).abs() < 1e-3 && (-more(s - 1) - minus).abs() < 1e-3);
        let weeks = Weeks::new(|_| s, 1_000_000, &mut Pcg64::seed_from_u64(s as u64));
        let found = weeks
            .table()
            .gap(MapClass::Global, &Question::default())
            .unwrap();
        println!(
            "B1: level {s}: gap {:.4} +- {:.4}, exact {gap}",
            found.value(),
            found.standard_error
        );
        assert!(
            (found.value() - gap).abs() < 0.01,
            "level {s}: {}",
            found.value()
        );
    }
}

/// B2: 200 repeats on the optimal level, and on arms that gain exactly nothing, which is the worst case.
#[test]
fn false_alarms_are_as_rare_as_stated() {
    let mut alarms = [0, 0];
    for seed in 0..200 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let optimal = Weeks::new(|_| 7, 300, &mut rng);
        let mut nothing = Weeks::new(|_| 7, 300, &mut rng);
        nothing
            .gains
            .iter_mut()
            .for_each(|g| *g = rng.random::<f64>() - 0.5);
        for (alarms, weeks) in alarms.iter_mut().zip([optimal, nothing]) {
            let gap = weeks
                .table()
                .gap(MapClass::Global, &Question::default())
                .unwrap();
            *alarms += u32::from(gap.is_material());
        }
    }
    println!("B2: false alarms of 200: {alarms:?}");
    assert!(alarms[0] <= 10 && alarms[1] <= 10, "{alarms:?}");
}

/// Draws a live log: each decision takes one of three arms by lot and sees its reward alone.
fn live(s: i32, n: usize, rng: &mut impl Rng) -> Vec<LoggedArm> {
    let law = Poisson::new(5.0).unwrap();
    (0..n)
        .map(|_| {
            let demand: f64 = law.sample(rng);
            let arm = rng.random_range(0..3);
            let level = f64::from(s) + [0.0, 1.0, -1.0][arm];
            let sold = demand.min(level);
            let reward = PRICE * sold + DISCOUNT * COST * (level - sold) - COST * level;
            LoggedArm {
                arm,
                propensity: 1.0 / 3.0,
                reward,
            }
        })
        .collect()
}

/// B3: power 95 % on level 5: with paired replays, and with live pairs, at the published sizes.
#[test]
fn power_of_paired_and_live_designs() {
    let law = Poisson::new(5.0).unwrap();
    let mut rng = Pcg64::seed_from_u64(5);
    let repeats = 2_000;
    let detected = |differences: &[f64]| {
        let n = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / n;
        let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
        mean > 1.645 * (variance / n).sqrt()
    };
    let reward = |demand: f64, level: f64| {
        let sold = demand.min(level);
        PRICE * sold + DISCOUNT * COST * (level - sold) - COST * level
    };
    let (mut paired, mut apart) = (0, 0);
    for _ in 0..repeats {
        let one: Vec<f64> = (0..68).map(|_| week(5, law.sample(&mut rng))[0]).collect();
        paired += u32::from(detected(&one));
        let two: Vec<f64> = (0..1_080)
            .map(|_| reward(law.sample(&mut rng), 6.0) - reward(law.sample(&mut rng), 5.0))
            .collect();
        apart += u32::from(detected(&two));
    }
    let power = [paired, apart].map(|k| f64::from(k) / f64::from(repeats));
    println!("B3: power {power:?} with 68 replays and with 1,080 live pairs");
    assert!(power.iter().all(|p| *p >= 0.935), "{power:?}");
    // And through the table, where the arm must be chosen as well, by half of the products: 200 replays, 6,000 live decisions.
    let (mut replayed, mut logged) = (0, 0);
    for seed in 0..200 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let weeks = Weeks::new(|_| 5, 200, &mut rng);
        replayed += u32::from(
            weeks
                .table()
                .gap(MapClass::Global, &Question::default())
                .unwrap()
                .is_material(),
        );
        let log = live(5, 6_000, &mut rng);
        let (zeros, product) = (
            vec![0.0; log.len()],
            (0..log.len() as u64).collect::<Vec<_>>(),
        );
        let folds = Folds {
            count: 5,
            seed,
            groups: None,
        };
        let features = Features::new(1, &zeros).unwrap();
        let table = GainTable::from_log(
            2,
            &log,
            features,
            &product,
            &Ridge::new(1e-3).unwrap(),
            folds,
        )
        .unwrap();
        let gap = table.gap(MapClass::Global, &Question::default()).unwrap();
        logged += u32::from(gap.is_material() && gap.map.arm(&[0.0]) == 1);
    }
    println!("B3: of 200, found by 200 replays {replayed}, by 6,000 live decisions {logged}");
    assert!(replayed >= 190 && logged >= 190, "{replayed} {logged}");
}

/// B4: nine tenths of the products at their best level, one tenth three units (30 %) too low, known by a feature.
#[test]
fn contexts_find_the_segment() {
    let mut rng = Pcg64::seed_from_u64(4);
    let n = 40_000;
    let low = |i: usize| i.is_multiple_of(10);
    let mut weeks = Weeks::new(|i| if low(i) { 5 } else { 7 }, n, &mut rng);
    // A context, and a second feature that says nothing.
    weeks.features = (0..n)
        .flat_map(|i| [f64::from(u8::from(low(i))), (i % 17) as f64])
        .collect();
    let attainable = 0.1 * more(5);
    let table = weeks.table();
    for class in [
        MapClass::Tabular,
        MapClass::Linear { penalty: 1.0 },
        MapClass::Tree {
            depth: 2,
            least: 50,
        },
    ] {
        let gap = table.gap(class, &Question::default()).unwrap();
        let share = gap.gain / attainable;
        println!(
            "B4: {class:?} recovers {:.0} % of the attainable gain, changing {:.1} % of decisions",
            100.0 * share,
            100.0 * gap.changed
        );
        assert!(
            share >= 0.8 && gap.is_material() && (gap.changed - 0.1).abs() < 0.02,
            "{class:?} {share}"
        );
        assert_eq!((gap.map.arm(&[1.0, 3.0]), gap.map.arm(&[0.0, 3.0])), (1, 0));
    }
    let global = table.gap(MapClass::Global, &Question::default()).unwrap();
    assert!(global.value() < 0.1 * attainable && global.map.keeps_all());
}

/// A lost-sales system under a base-stock policy with a lead time, one product.
struct System {
    level: i64,
    on_hand: i64,
    pipeline: std::collections::VecDeque<i64>,
}

impl System {
    fn new(level: i64, lead: usize) -> Self {
        System {
            level,
            on_hand: level / 2,
            pipeline: vec![level / (2 * lead as i64 + 2); lead].into(),
        }
    }

    /// A week with the order changed by so many units: its reward. What is left in the end is valued at its cost by the window.
    fn week(&mut self, change: i64, demand: i64) -> f64 {
        let position = self.on_hand + self.pipeline.iter().sum::<i64>();
        let order = (self.level - position + change).max(0);
        self.pipeline.push_back(order);
        self.on_hand += self.pipeline.pop_front().unwrap_or(0);
        let sold = demand.min(self.on_hand);
        self.on_hand -= sold;
        PRICE * sold as f64 - COST * order as f64
    }

    fn value(&self) -> f64 {
        COST * (self.on_hand + self.pipeline.iter().sum::<i64>()) as f64
    }
}

const LEAD: usize = 4;

/// Mean gain of ordering `units` more, each measured on the same demand with and without them, over windows of so many weeks.
fn replayed(level: i64, units: i64, window: usize, weeks: usize, seed: u64) -> f64 {
    let mut rng = Pcg64::seed_from_u64(seed);
    let law = Poisson::new(5.0).unwrap();
    let demand: Vec<i64> = (0..weeks + window)
        .map(|_| Distribution::<f64>::sample(&law, &mut rng) as i64)
        .collect();
    let mut base = System::new(level, LEAD);
    let mut total = 0.0;
    for t in 0..weeks {
        let run = |change: i64| {
            let mut fork = System {
                level,
                on_hand: base.on_hand,
                pipeline: base.pipeline.clone(),
            };
            let (mut sum, mut power) = (0.0, 1.0);
            for (i, d) in demand[t..t + window].iter().enumerate() {
                sum += power * fork.week(if i == 0 { change } else { 0 }, *d);
                power *= DISCOUNT;
            }
            sum + power * fork.value()
        };
        if t >= 20 {
            total += run(units) - run(0);
        }
        base.week(0, demand[t]);
    }
    total / (weeks - 20) as f64
}

/// B7: short windows are wrong; from lead time and coverage on the gain does not move. Where stock seldom runs out that is about the lead time;
/// where it often does, an order-up-to policy answers every change with others, and the echo of each lead time must be in the window.
#[test]
fn long_windows_agree() {
    let windows: Vec<usize> = (1..=30).collect();
    let curve = |level: i64| -> Vec<f64> {
        windows
            .iter()
            .map(|w| replayed(level, 1, *w, 20_000, 7))
            .collect()
    };
    let (scarce, ample) = (curve(22), curve(30));
    println!("B7: level 22 {scarce:.3?}");
    println!("B7: level 30 {ample:.3?}");
    let found = [&ample, &scarce].map(|gains| plateau(&windows, gains, 0.02).unwrap());
    assert!(
        matches!(found[0], Plateau::From(w) if (LEAD + 1..=LEAD + 3).contains(&w)),
        "{found:?}"
    );
    assert!(
        matches!(found[1], Plateau::From(w) if (2 * LEAD..=4 * LEAD).contains(&w)),
        "{found:?}"
    );
    // The first week after the arrival sees the sale that the unit made, not the one that it will lack: the sign is wrong.
    assert!(scarce[LEAD] > 0.1 && scarce[29] < -0.3);
    let short = plateau(&windows[..8], &scarce[..8], 0.02).unwrap();
    assert_eq!(short, Plateau::NotReached);
}

/// Estimated gain of a change by so many units and its standard error, from live operation, with the rule that blocks windows or without.
fn explored(level: i64, units: i64, window: usize, products: u64, blocking: bool) -> (f64, f64) {
    let mut rng = Pcg64::seed_from_u64(11);
    let law = Poisson::new(5.0).unwrap();
    let (mut log, mut owner) = (Vec::new(), Vec::new());
    let mut explorer = Explorer::new(1, 0.5, if blocking { window as u64 } else { 1 }).unwrap();
    let weeks = 120;
    for product in 0..products {
        let mut system = System::new(level, LEAD);
        let (mut rewards, mut values, mut tried) = (Vec::new(), Vec::new(), Vec::new());
        for t in 0..weeks {
            let choice = explorer.decide(product, t as u64, &[0.0], &Map::keep(), &mut rng);
            let d: f64 = law.sample(&mut rng);
            rewards.push(system.week(units * choice.arm as i64, d as i64));
            values.push(system.value());
            if let Some(propensity) = choice.propensity {
                tried.push((t, choice.arm, propensity));
            }
        }
        for (t, arm, propensity) in tried
            .into_iter()
            .filter(|(t, ..)| *t >= 20 && t + window <= weeks)
        {
            let sum: f64 = (0..window)
                .map(|i| DISCOUNT.powi(i as i32) * rewards[t + i])
                .sum();
            let reward = sum + DISCOUNT.powi(window as i32) * values[t + window - 1];
            log.push(LoggedArm {
                arm,
                propensity,
                reward,
            });
            owner.push(product);
        }
    }
    let zeros = vec![0.0; log.len()];
    let folds = Folds {
        count: 5,
        seed: 1,
        groups: None,
    };
    let table = GainTable::from_log(
        1,
        &log,
        Features::new(1, &zeros).unwrap(),
        &owner,
        &Ridge::new(1e-3).unwrap(),
        folds,
    )
    .unwrap();
    let found = table.gain_of(&Map::always(1));
    (found.gain, found.standard_error)
}

/// The loop: it accepts what is better, keeps what is not, and takes back what has turned.
#[test]
fn the_loop_accepts_and_rolls_back() {
    let run = |level: &dyn Fn(usize) -> i32, seed: u64| {
        let mut rng = Pcg64::seed_from_u64(seed);
        let mut improver = Improver::new(MapClass::Global, 0.95, 0.0, 300.0).unwrap();
        let mut known = Weeks {
            gains: vec![],
            features: vec![],
            product: vec![],
        };
        let mut steps = Vec::new();
        for batch in 0..60 {
            let mut weeks = Weeks::new(|_| level(batch), 50, &mut rng);
            weeks
                .product
                .iter_mut()
                .for_each(|p| *p += 50 * batch as u64);
            known.gains.extend(&weeks.gains);
            known.features.extend(&weeks.features);
            known.product.extend(&weeks.product);
            match improver.review(&weeks.table(), &known.table()).unwrap() {
                Step::Undecided { .. } => {}
                step => steps.push((batch, step)),
            }
        }
        (steps, improver)
    };
    let (steps, improver) = run(&|_| 5, 1);
    assert!(
        matches!(&steps[..], [(_, Step::Accepted { lower, .. })] if *lower > 0.0),
        "{steps:?}"
    );
    assert_eq!(improver.accepted().arm(&[0.0]), 1);
    // The policy learns: what was accepted now harms.
    let (steps, improver) = run(&|batch| if batch < 20 { 5 } else { 9 }, 2);
    assert!(matches!(steps[0].1, Step::Accepted { .. }), "{steps:?}");
    assert!(
        steps.iter().any(
            |(batch, s)| matches!(s, Step::RolledBack { upper } if *upper < 0.0) && *batch > 20
        ),
        "{steps:?}"
    );
    assert_ne!(improver.accepted().arm(&[0.0]), 1);
    let accepted = (0..200)
        .filter(|seed| !run(&|_| 7, *seed).0.is_empty())
        .count();
    println!("loop: accepted on the optimal policy in {accepted} of 200 runs of 60 reviews");
    assert!(accepted <= 10, "{accepted}");
}

/// B5: the true gain of ordering 8 more, and what live operation with half of all weeks explored says of it.
#[test]
fn overlapping_windows_mislead() {
    let (level, units, window) = (22, 8, 12);
    let truth = replayed(level, units, window, 40_000, 3);
    let (blocked, error) = explored(level, units, window, 6_000, true);
    let (overlapping, other) = explored(level, units, window, 6_000, false);
    println!(
        "B5: truth {truth:.3}, blocked {blocked:.3} +- {error:.3}, overlapping {overlapping:.3} +- {other:.3}"
    );
    assert!(
        (blocked - truth).abs() < 3.0 * error,
        "{blocked} {truth} {error}"
    );
    assert!(
        (overlapping - truth).abs() > 4.0 * other,
        "{overlapping} {truth} {other}"
    );
}
