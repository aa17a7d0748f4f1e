//! Forks of a base path: what they earn is what a full replay earns.

use hindsight_exo_idp::conventions::{ObservationTiming, Receipts, Unmet};
use hindsight_exo_idp::market::{Market, OrderRule, PostProcess};
use hindsight_exo_idp::panel::Columns;
use hindsight_exo_idp::policy::{
    BaseStock, Neural, NeuralConfig, Observation, Plan, Policy, Selected, Signals,
};
use hindsight_exo_idp::replay::{Arm, Deviations};
use hindsight_exo_idp::{
    Arrivals, Conventions, Error, LeadTimes, Outcomes, Panel, Paths, Replay, Window,
    replay::Quantity,
};
use hindsight_gpu::numbers::Lanes;
use hindsight_gpu::{DelayLine, Device, Scalar};
use proptest::prelude::*;

const WEEKS: usize = 22;
const PRODUCTS: usize = 3;
const START: usize = 4;

fn panel() -> impl Strategy<Value = Panel> {
    let numbers = |range: std::ops::Range<f64>| prop::collection::vec(range, PRODUCTS * WEEKS);
    let present = prop::collection::vec(0_u8..12, PRODUCTS * WEEKS);
    (
        numbers(0.0..20.0),
        numbers(5.0..9.0),
        numbers(1.0..5.0),
        present,
    )
        .prop_map(|(demand, price, cost, gaps)| {
            let mut present: Vec<bool> = gaps.iter().map(|&g| g > 0).collect();
            present.iter_mut().step_by(WEEKS).for_each(|p| *p = true);
            let columns = Columns {
                demand,
                price,
                cost,
                present,
                covariates: vec![],
            };
            let names = (0..PRODUCTS).map(|p| p.to_string()).collect();
            Panel::new(names, WEEKS, columns).unwrap()
        })
}

fn conventions() -> impl Strategy<Value = Conventions> {
    (0.9_f64..1.0, 0.0_f64..0.3, 0.0_f64..2.0, any::<[bool; 3]>()).prop_map(
        |(discount, holding, penalty, [after, late, waits])| Conventions {
            discount,
            holding,
            penalty,
            receipts: [Receipts::BeforeDemand, Receipts::AfterDemand][usize::from(after)],
            observation_timing: [
                ObservationTiming::BeforeReceipts,
                ObservationTiming::AfterReceipts,
            ][usize::from(late)],
            unmet: [Unmet::Lost, Unmet::Backordered][usize::from(waits)],
            ..Conventions::default()
        },
    )
}

fn replay<'p>(paths: &'p Paths<'p>, conventions: Conventions) -> Replay<'p> {
    let window = Window {
        scored: START..WEEKS,
        warm_up: 3,
    };
    Replay::new(paths, conventions, window, &[8.0; PRODUCTS]).unwrap()
}

/// A policy with a memory: up to a level, and a part of what it ordered two weeks ago again.
#[derive(Debug)]
struct Remembers(Signals);
impl Policy for Remembers {
    fn name(&self) -> &'static str {
        "remembers"
    }
    fn signals(&self) -> Option<&Signals> {
        Some(&self.0)
    }
    fn delay_lines(&self) -> usize {
        1
    }
    #[inline(always)]
    fn order<S: Scalar>(
        &self,
        _: &[S],
        seen: &Observation<'_, S>,
        memory: &mut [DelayLine<S>],
    ) -> S {
        let order = (seen.signals[0] - seen.inventory.position).relu();
        order + order.delay(2, &mut memory[0]) * S::constant(0.3)
    }
}

/// The same policy, one order of which is changed by hand.
#[derive(Debug)]
struct Changed<'a, P> {
    inner: &'a P,
    signals: Signals,
    arm: Arm,
}
impl<'a, P: Policy> Changed<'a, P> {
    fn new(inner: &'a P, week: usize, arm: Arm, units: &[f64]) -> Self {
        let own = inner.signals().unwrap();
        let signals = Signals::from_fn(WEEKS, own.rows() + 2, PRODUCTS, |w, row, product| {
            if row < own.rows() {
                own.row(w, row)[product]
            } else if row == own.rows() {
                f64::from(u8::from(w == week))
            } else {
                units[product]
            }
        });
        Changed {
            inner,
            signals,
            arm,
        }
    }
}
impl<P: Policy> Policy for Changed<'_, P> {
    fn name(&self) -> &str {
        self.inner.name()
    }
    fn theta(&self) -> &[f64] {
        self.inner.theta()
    }
    fn signals(&self) -> Option<&Signals> {
        Some(&self.signals)
    }
    fn delay_lines(&self) -> usize {
        self.inner.delay_lines()
    }
    fn order<S: Scalar>(
        &self,
        theta: &[S],
        seen: &Observation<'_, S>,
        memory: &mut [DelayLine<S>],
    ) -> S {
        let (signals, change) = seen.signals.split_at(self.signals.rows() - 2);
        let inventory = seen.inventory;
        let order = self
            .inner
            .order(theta, &Observation { inventory, signals }, memory);
        let other = order * S::constant(self.arm.times) + change[1] * S::constant(self.arm.plus);
        S::select(change[0], other.relu(), order)
    }
}

/// A vendor that sends a share of every order.
#[derive(Debug)]
struct Short(LeadTimes, f64);
impl Arrivals for Short {
    fn max_lead_time(&self) -> usize {
        self.0.max_lead_time()
    }
    fn shares(&self, product: usize, sample: usize, week: i64, shares: &mut [f64]) {
        self.0.shares(product, sample, week, shares);
        shares.iter_mut().for_each(|share| *share *= self.1);
    }
}

fn device() -> Device {
    Device::cpu(2)
}

fn arms() -> Vec<Arm> {
    [(0.0, 0.0), (0.8, 0.0), (1.25, 0.0), (1.0, 1.0), (1.0, -1.0)]
        .map(|(times, plus)| Arm { times, plus })
        .to_vec()
}

/// By full replays, from the first week on.
fn naive<P: Policy, M: Market>(
    replay: &Replay<'_>,
    policy: &P,
    market: &M,
    deviations: &Deviations,
    week: usize,
    arm: usize,
) -> Vec<f64> {
    let end = (week + deviations.reach).min(WEEKS);
    let part = replay.until(end).unwrap();
    let units = deviations.units.clone().unwrap_or(vec![1.0; PRODUCTS]);
    let run = |arm: Arm| {
        let changed = Changed::new(policy, week, arm, &units);
        part.run_as::<f64, _, _>(&changed, market, &device())
            .unwrap()
    };
    let keep = Arm {
        times: 1.0,
        plus: 0.0,
    };
    let (other, base) = (run(deviations.arms[arm]), run(keep));
    let discount = replay.conventions().discount;
    let power = discount.powi(i32::try_from(week - START).unwrap());
    let of = |o: &Outcomes, lane: usize| o.objectives()[lane] / power;
    (0..replay.paths().lanes())
        .map(|lane| of(&other, lane) - of(&base, lane))
        .collect()
}

fn check<P: Policy, M: Market>(
    replay: &Replay<'_>,
    policy: &P,
    market: &M,
    reach: usize,
) -> Result<(), TestCaseError> {
    let deviations = Deviations {
        arms: arms(),
        reach,
        units: Some(vec![1.0, 2.5, 0.5]),
    };
    let gains = replay
        .deviations_as::<f64, P, M>(policy, market, &deviations, &device())
        .unwrap();
    let single = replay
        .deviations_as::<Lanes<16>, P, M>(policy, market, &deviations, &device())
        .unwrap();
    for week in [START, START + 1, START + 7, WEEKS - 3, WEEKS - 1] {
        for arm in 0..deviations.arms.len() {
            let exact = naive(replay, policy, market, &deviations, week, arm);
            for (lane, exact) in exact.into_iter().enumerate() {
                let found = gains.of(week, arm)[lane];
                prop_assert!(
                    (found - exact).abs() < 1e-9 * (1.0 + exact.abs()),
                    "{found} {exact}"
                );
                let rough = single.of(week, arm)[lane];
                prop_assert!(
                    (rough - exact).abs() < 0.02 * (1.0 + exact.abs()),
                    "{rough} {exact}"
                );
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Every deviation earns what a full replay with that one order changed earns, whatever the conventions, the policy's memory and
    /// the market's treatment of orders.
    #[test]
    fn deviations_are_full_replays(panel in panel(), conventions in conventions(), longest in 0_usize..4, seed in 0_u64..100, reach in 1_usize..25) {
        let law = LeadTimes::uniform(0, longest, 0.3, seed).unwrap();
        let paths = Paths::new(&panel, &law, 2).unwrap();
        let replay = replay(&paths, conventions);
        let level = Signals::from_fn(WEEKS, 1, PRODUCTS, |week, _, _| 25.0 + f64::from(u8::try_from(week % 3).unwrap()));
        check(&replay, &BaseStock::new("base stock", 1.0, level.clone()), &(), reach)?;
        check(&replay, &Remembers(level.clone()), &(), reach)?;
        let cap = OrderRule { cap: 15.0, ..OrderRule::default() };
        let market = PostProcess::new(WEEKS, &[cap; PRODUCTS]).unwrap();
        check(&replay, &BaseStock::new("base stock", 1.0, level), &market, reach)?;
    }

    /// Among some of the products every policy does what it does among all, in each sample of lead times, and so do its deviations.
    #[test]
    fn selected_products_are_those_among_all(
        panel in panel(), conventions in conventions(), longest in 0_usize..4, seed in 0_u64..100,
        products in Just(vec![0, 1, 2]).prop_shuffle(), few in 1..PRODUCTS, by_lane in any::<bool>(), short in 0.5_f64..1.0,
    ) {
        let law = Short(LeadTimes::uniform(0, longest, 0.3, seed).unwrap(), short);
        let paths = Paths::new(&panel, &law, 2).unwrap();
        let all = replay(&paths, conventions);
        let columns = if by_lane { paths.lanes() } else { PRODUCTS };
        let policy = Remembers(Signals::from_fn(WEEKS, 1, columns, |week, _, column| {
            20.0 + f64::from(u8::try_from(week % 3 + 2 * column).unwrap())
        }));
        let chosen = &products[..few];
        let of_few = panel.select(chosen).unwrap();
        let paths_of_few = paths.select(&of_few, chosen).unwrap();
        let part = all.select(&paths_of_few, chosen).unwrap();
        let selected = Selected::new(&policy, &paths, chosen).unwrap();
        let deviations = Deviations { arms: arms(), reach: 5, units: None };
        let (a, b) = (all.run(&policy, &device()).unwrap(), part.run(&selected, &device()).unwrap());
        let gains = all.deviations(&policy, &(), &deviations, &device()).unwrap();
        let gains_of_few = part.deviations(&selected, &(), &deviations, &device()).unwrap();
        for (place, &product) in chosen.iter().enumerate() {
            prop_assert_eq!(a.accrued_reward(product), b.accrued_reward(place));
            for sample in 0..2 {
                let (lane, own) = (sample * PRODUCTS + product, sample * few + place);
                for week in START..WEEKS {
                    prop_assert_eq!(gains.of(week, 1)[lane].to_bits(), gains_of_few.of(week, 1)[own].to_bits());
                }
            }
        }
        let unknown = paths.select(&of_few, &[PRODUCTS]).unwrap_err();
        prop_assert_eq!(unknown, Error::Product { product: PRODUCTS, products: PRODUCTS });
        let longer = paths.select(&of_few, &vec![0; few + 1]).unwrap_err();
        prop_assert!(matches!(longer, Error::Length { .. }), "{}", longer);
    }

    /// A network's deviations, run as programs, are those of the walk in memory.
    #[test]
    fn networks_deviate_alike(panel in panel(), seed in 0_u64..100, reach in 1_usize..25) {
        let paths = Paths::new(&panel, &LeadTimes::uniform(1, 2, 0.3, seed).unwrap(), 2).unwrap();
        let replay = replay(&paths, Conventions::default());
        let config = NeuralConfig { channels: 3, dilations: vec![1, 2], hidden: 4 };
        let plan = Plan { horizon: 1, price: true };
        let net = Neural::new(&panel, 0..10, 2, plan, &Conventions::default(), &config, None, seed).unwrap();
        let deviations = Deviations { arms: arms(), reach, units: None };
        let programs = replay.deviations(&net, &(), &deviations, &device()).unwrap();
        let walked = replay.deviations_as::<f64, _, _>(&net, &(), &deviations, &device()).unwrap();
        for week in START..WEEKS {
            for arm in 0..5 {
                for (a, b) in programs.of(week, arm).iter().zip(walked.of(week, arm)) {
                    prop_assert!((a - b).abs() < 0.02 * (1.0 + b.abs()), "{a} {b}");
                }
            }
        }
    }

    /// A replay that begins midway with the states of a base path goes on as the base path did.
    #[test]
    fn a_fork_goes_on_as_the_base_path(panel in panel(), conventions in conventions(), week in START + 1..WEEKS, seed in 0_u64..100) {
        let law = LeadTimes::uniform(0, 3, 0.3, seed).unwrap();
        let paths = Paths::new(&panel, &law, 2).unwrap();
        let replay = replay(&paths, conventions);
        let level = Signals::from_fn(WEEKS, 1, PRODUCTS, |_, _, _| 25.0);
        let policy = BaseStock::new("base stock", 1.0, level);
        let run = |replay: &Replay<'_>| replay.run_as::<f64, _, _>(&policy, &(), &device()).unwrap();
        let whole = run(&replay);
        let first = run(&replay.until(week).unwrap());
        let rest = run(&replay.fork(week, first.closing().clone()).unwrap());
        let power = conventions.discount.powi(i32::try_from(week - START).unwrap());
        for lane in 0..paths.lanes() {
            let (product, sample) = (lane % PRODUCTS, lane / PRODUCTS);
            for v in week..WEEKS {
                for quantity in [Quantity::Order, Quantity::OnHand, Quantity::Book, Quantity::Reward] {
                    let (a, b) = (whole.sample(quantity, product, sample, v), rest.sample(quantity, product, sample, v));
                    prop_assert_eq!(a.to_bits(), b.to_bits(), "{:?} in {}", quantity, v);
                }
            }
            // The parts' money adds up, once the first part's stock is passed on at its book value.
            let passed = power * first.closing().book()[lane];
            let kept = power * conventions.salvage() * first.closing().book()[lane];
            let parts = first.objectives()[lane] - kept + passed + power * rest.objectives()[lane];
            let all = whole.objectives()[lane];
            prop_assert!((parts - all).abs() < 1e-8 * (1.0 + all.abs()), "{parts} {all}");
        }
    }
}

#[test]
fn what_cannot_be_tried_is_refused() {
    let cells = PRODUCTS * WEEKS;
    let columns = Columns {
        demand: vec![4.0; cells],
        price: vec![6.0; cells],
        cost: vec![3.0; cells],
        present: vec![true; cells],
        covariates: vec![],
    };
    let names = (0..PRODUCTS).map(|p| p.to_string()).collect();
    let panel = Panel::new(names, WEEKS, columns).unwrap();
    let paths = Paths::new(&panel, &LeadTimes::fixed(1), 1).unwrap();
    let replay = replay(&paths, Conventions::default());
    let level = Signals::from_fn(WEEKS, 1, PRODUCTS, |_, _, _| 25.0);
    let policy = BaseStock::new("base stock", 1.0, level.clone());
    let with = |arms: Vec<Arm>, reach: usize, units: Option<Vec<f64>>| {
        let deviations = Deviations { arms, reach, units };
        replay.deviations(&policy, &(), &deviations, &device())
    };
    assert!(matches!(with(vec![], 3, None), Err(Error::Empty(_))));
    assert!(matches!(with(arms(), 0, None), Err(Error::Empty(_))));
    assert!(matches!(
        with(arms(), 3, Some(vec![1.0])),
        Err(Error::Length { .. })
    ));
    let nan = Arm {
        times: f64::NAN,
        plus: 0.0,
    };
    assert!(matches!(
        with(vec![nan], 3, None),
        Err(Error::Domain { .. })
    ));
    assert!(replay.until(START).is_err() && replay.until(WEEKS + 1).is_err());
    let closing = replay.run(&policy, &device()).unwrap();
    assert!(replay.fork(WEEKS, closing.closing().clone()).is_err());

    /// Orders less the more all hold.
    #[derive(Debug)]
    struct Joined(Signals);
    impl Policy for Joined {
        fn name(&self) -> &'static str {
            "joined"
        }
        fn signals(&self) -> Option<&Signals> {
            Some(&self.0)
        }
        fn order<S: Scalar>(
            &self,
            _: &[S],
            seen: &Observation<'_, S>,
            _: &mut [DelayLine<S>],
        ) -> S {
            (seen.signals[0] - seen.inventory.position.lane_sum()).relu()
        }
    }
    let deviations = Deviations {
        arms: arms(),
        reach: 3,
        units: None,
    };
    let joined = replay.deviations(&Joined(level), &(), &deviations, &device());
    assert!(matches!(joined, Err(Error::Joined(_))));
}
