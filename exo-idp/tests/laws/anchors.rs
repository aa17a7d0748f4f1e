//! Anchors with a known answer: the discounted newsvendor that Direct Backprop must find, and the conventions of a lead time of zero.
//!
//! The newsvendor: price 10, cost 7, Poisson(5) demand, discount 0.9. An order of lead time 0 serves the demand of its own week (receipts
//! before demand), unmet demand is lost, stock costs nothing but the discount, the first shelf is empty and is paid for, and stock
//! after the last week is worth its cost, discounted once more: then the best policy of a finite horizon is that of the
//! infinite one, order up to 7.

use std::ops::ControlFlow;

use hindsight_exo_idp::conventions::{ObservationTiming, Receipts, Terminal};
use hindsight_exo_idp::exact::{DemandLaw, discounted_base_stock, discounted_base_stock_value};
use hindsight_exo_idp::panel::Columns;
use hindsight_exo_idp::period::Position;
use hindsight_exo_idp::policy::{
    BaseStock, Neural, NeuralConfig, Observation, Plan, Policy, Signals,
};
use hindsight_exo_idp::train::{Training, direct_backprop};
use hindsight_exo_idp::{Conventions, LeadTimes, Panel, Paths, Replay, Window, replay::Quantity};
use hindsight_gpu::{DelayLine, Device, Scalar, Stream};
use proptest::prelude::*;
use rand_distr::{Distribution, Poisson};

const PRICE: f64 = 10.0;
const COST: f64 = 7.0;
const MEAN: f64 = 5.0;
const DISCOUNT: f64 = 0.9;
/// The value of ordering up to 7 for ever, computed in closed form to two digits.
const BEST: f64 = 126.55;

fn device() -> Device {
    Device::cpu(2)
}

fn newsvendor() -> Conventions {
    Conventions {
        discount: DISCOUNT,
        ..Conventions::default()
    }
}

/// A panel of one price and one cost, with the given demand.
fn panel(demand: Vec<f64>, weeks: usize) -> Panel {
    let cells = demand.len();
    let columns = Columns {
        demand,
        price: vec![PRICE; cells],
        cost: vec![COST; cells],
        present: vec![true; cells],
        covariates: vec![],
    };
    let names = (0..cells / weeks).map(|i| i.to_string()).collect();
    Panel::new(names, weeks, columns).unwrap()
}

fn poisson(products: usize, weeks: usize, seed: u64) -> Panel {
    let mut rng = Stream::new(seed, "anchor").at(0, 0);
    let law = Poisson::new(MEAN).unwrap();
    let demand = (0..products * weeks)
        .map(|_| law.sample(&mut rng))
        .collect();
    panel(demand, weeks)
}

fn replay<'p>(paths: &'p Paths<'p>, conventions: Conventions, opening: &[f64]) -> Replay<'p> {
    let window = Window {
        scored: 0..paths.panel().weeks(),
        warm_up: 0,
    };
    Replay::new(paths, conventions, window, opening).unwrap()
}

fn level(panel: &Panel, units: f64) -> Signals {
    Signals::from_fn(panel.weeks(), 1, panel.products(), |_, _, _| units)
}

/// The infinite-horizon discounted reward, from an empty shelf, of ordering up to `target[x]` units with `x` on hand: value
/// iteration over the whole units on hand, to a millionth.
fn value(target: &[u32]) -> f64 {
    let demand = DemandLaw::poisson(MEAN).unwrap();
    let mut values = vec![0.0; target.len()];
    for _ in 0..200 {
        values = (0_u32..)
            .zip(target)
            .map(|(stock, &up_to)| {
                let after = (0..=up_to).map(|left| {
                    let sold = up_to - left;
                    let chance = if left > 0 {
                        demand.pmf(sold)
                    } else {
                        1.0 - (0..sold).map(|d| demand.pmf(d)).sum::<f64>()
                    };
                    let next = values[left as usize];
                    chance * (PRICE * f64::from(sold) + DISCOUNT * next)
                });
                after.sum::<f64>() - COST * f64::from(up_to - stock)
            })
            .collect();
    }
    values[0]
}

/// What a policy brings the stock to, from a stock of `on_hand` units, in the first week.
fn brought_to(policy: &impl Policy, signals: &Signals, on_hand: f64) -> f64 {
    let inventory = Position {
        on_hand,
        pipeline: vec![],
        position: on_hand,
    };
    let week: Vec<f64> = (0..signals.rows()).map(|k| signals.row(0, k)[0]).collect();
    let seen = Observation {
        inventory: &inventory,
        signals: &week,
    };
    let mut memory = vec![DelayLine::new(); policy.delay_lines()];
    on_hand + policy.order(policy.theta(), &seen, &mut memory)
}

/// Trains the crate's network, without an anchor, on Poisson demand that it does not see: its record is of a constant demand of 5.
fn trained(conventions: Conventions, steps: usize) -> Neural {
    const PRODUCTS: usize = 704;
    const WEEKS: usize = 12;
    let constant = panel(vec![MEAN; PRODUCTS * WEEKS], WEEKS);
    let config = NeuralConfig {
        channels: 1,
        dilations: vec![1],
        hidden: 16,
    };
    let plan = Plan {
        horizon: 0,
        price: false,
    };
    let untrained =
        Neural::new(&constant, 0..WEEKS, 0, plan, &conventions, &config, None, 1).unwrap();
    let law = LeadTimes::fixed(0);
    let (demand, looked_at) = (poisson(PRODUCTS, WEEKS, 1), poisson(PRODUCTS, WEEKS, 2));
    let (paths, other) = (
        Paths::new(&demand, &law, 1).unwrap(),
        Paths::new(&looked_at, &law, 1).unwrap(),
    );
    // Every stock from 0 to 8 is where some replay opens.
    let opening: Vec<f64> = (0..PRODUCTS).map(|i| (i % 9) as f64).collect();
    let training = Training {
        steps,
        batch: 352,
        learning_rate: 1e-2,
        weight_decay: 0.0,
        validate_every: 100,
        patience: 20,
        ..Training::default()
    };
    let found = direct_backprop(
        &untrained,
        &(),
        &replay(&paths, conventions, &opening),
        Some(&replay(&other, conventions, &opening)),
        &vec![0.01; PRODUCTS],
        &training,
        &device(),
        |_| ControlFlow::Continue(()),
    )
    .unwrap();
    untrained.with_theta(found.theta).unwrap()
}

/// The values of four base-stock levels as known beforehand, by value iteration and by the crate's closed form; the best level is 7.
#[test]
fn value_iteration_closed_form_and_known_values_agree() {
    let demand = DemandLaw::poisson(MEAN).unwrap();
    for (units, known) in [(5, 117.54), (6, 124.75), (7, BEST), (8, 124.48)] {
        let iterated = value(&vec![units; units as usize + 1]);
        let closed = discounted_base_stock_value(&demand, units, PRICE, COST, DISCOUNT).unwrap();
        assert!((iterated - known).abs() < 0.006, "{units}: {iterated}");
        assert!((iterated - closed).abs() < 1e-5, "{units}: {closed}");
    }
    assert_eq!(
        discounted_base_stock(&demand, PRICE, COST, DISCOUNT).unwrap(),
        7
    );
}

/// What the trained network brings the stock to, from 0 to 7 units on hand.
fn levels(policy: &Neural) -> Vec<f64> {
    let signals = policy.signals().unwrap();
    (0..=7)
        .map(|stock| brought_to(policy, signals, f64::from(stock)))
        .collect()
}

/// Direct Backprop, told nothing of demand but its replays, orders up to 7 from every stock below, and its rounded orders earn
/// the best reward.
#[test]
fn direct_backprop_finds_the_newsvendor() {
    let levels = levels(&trained(newsvendor(), 3000));
    assert!(
        levels.iter().all(|units| (6.5..=7.5).contains(units)),
        "{levels:?}"
    );
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "inside [6.5, 7.5]"
    )]
    let target: Vec<u32> = levels.iter().map(|units| units.round() as u32).collect();
    assert!(target.iter().all(|&units| units < 8), "{target:?}");
    let earned = value(&target);
    assert!((earned / BEST - 1.0).abs() < 0.005, "{earned}");
}

/// A planted fault that the test above would catch: trained at a discount of 0.995, whose best level is 11, every level is
/// beyond 7.5.
#[test]
fn another_discount_leads_elsewhere() {
    let conventions = Conventions {
        discount: 0.995,
        ..Conventions::default()
    };
    let levels = levels(&trained(conventions, 1000));
    assert!(levels.iter().all(|&units| units > 7.5), "{levels:?}");
}

/// The replay of the best level earns its value, within four standard errors (one false alarm in 16,000), and far less where an order
/// of lead time 0 comes after the demand of its week.
#[test]
fn the_best_level_earns_its_value_only_if_orders_serve_their_own_week() {
    const PRODUCTS: usize = 4000;
    const WEEKS: usize = 150;
    let demand = poisson(PRODUCTS, WEEKS, 3);
    let law = LeadTimes::fixed(0);
    let paths = Paths::new(&demand, &law, 1).unwrap();
    let policy = BaseStock::new("order up to 7", 1.0, level(&demand, 7.0));
    let run = |conventions| {
        let outcomes = replay(&paths, conventions, &vec![0.0; PRODUCTS])
            .run(&policy, &device())
            .unwrap();
        let each: Vec<f64> = (0..PRODUCTS).map(|p| outcomes.objective(p)).collect();
        let n = PRODUCTS as f64;
        let mean = each.iter().sum::<f64>() / n;
        let variance = each.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, (variance / n).sqrt())
    };
    // Discounted 150 times, what follows the last week is worth 1e-5.
    let (mean, error) = run(newsvendor());
    assert!(
        error < 0.005 * BEST && (mean - BEST).abs() < 4.0 * error,
        "{mean} {error}"
    );
    let (mean, error) = run(Conventions {
        receipts: Receipts::AfterDemand,
        ..newsvendor()
    });
    assert!(mean + 20.0 * error < BEST, "{mean} {error}");
}

/// Orders by stock on hand and position apart, so that a difference in either shows.
#[derive(Debug)]
struct Mixed(Signals);

impl Policy for Mixed {
    fn name(&self) -> &'static str {
        "mixed"
    }
    fn signals(&self) -> Option<&Signals> {
        Some(&self.0)
    }
    fn order<S: Scalar>(&self, _: &[S], seen: &Observation<'_, S>, _: &mut [DelayLine<S>]) -> S {
        let (stock, position) = (seen.inventory.on_hand, seen.inventory.position);
        (seen.signals[0] - position * S::constant(0.7) - stock * S::constant(0.2)).relu()
    }
}

fn conventions() -> impl Strategy<Value = Conventions> {
    (0.9_f64..1.0, 0.0_f64..0.05, 0.0_f64..2.0, 0_usize..3).prop_map(
        |(discount, holding_share, penalty, terminal)| Conventions {
            discount,
            holding_share,
            penalty,
            terminal: [
                Terminal::Nothing,
                Terminal::AtCost,
                Terminal::ShareOfCost(0.5),
            ][terminal],
            ..Conventions::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// A lead time of 0 with receipts after demand is a lead time of 1 with receipts before demand, seen after receipts: the same
    /// orders, sales and money, from openings of the same units.
    #[test]
    fn lead_time_0_after_demand_is_lead_time_1_before_demand(
        demand in prop::collection::vec(0.0_f64..15.0, 3 * 20), units in 2.0_f64..40.0, opening in 0.0_f64..12.0,
        conventions in conventions(),
    ) {
        let panel = panel(demand, 20);
        let (none, one) = (LeadTimes::fixed(0), LeadTimes::fixed(1));
        let (at_once, later) = (
            Paths::new(&panel, &none, 1).unwrap(),
            Paths::new(&panel, &one, 1).unwrap(),
        );
        let policy = Mixed(level(&panel, units));
        let run = |paths: &Paths<'_>, receipts, observation_timing, opening: f64| {
            let conventions = Conventions { receipts, observation_timing, ..conventions };
            replay(paths, conventions, &[opening; 3]).run_as::<f64, _, _>(&policy, &(), &device()).unwrap()
        };
        // With a lead time of 1 the opening is on hand and once more on its way, there in the first week.
        let second = run(&later, Receipts::BeforeDemand, ObservationTiming::AfterReceipts, opening);
        for observation_timing in [ObservationTiming::BeforeReceipts, ObservationTiming::AfterReceipts] {
            // What arrives after demand is never there before the order of its week: observation_timing makes no difference.
            let first = run(&at_once, Receipts::AfterDemand, observation_timing, 2.0 * opening);
            for product in 0..3 {
                for week in 0..20 {
                    for quantity in [Quantity::Order, Quantity::Sold, Quantity::Unmet, Quantity::Book, Quantity::Reward] {
                        let (a, b) = (first.mean(quantity, product, week), second.mean(quantity, product, week));
                        prop_assert!((a - b).abs() < 1e-8 * (1.0 + a.abs()), "{quantity:?} {week}: {a} {b}");
                    }
                    // On hand at the end of the week: with the order of the week, and before it comes.
                    let (a, b) = (first.mean(Quantity::OnHand, product, week), second.mean(Quantity::OnHand, product, week));
                    let order = second.mean(Quantity::Order, product, week);
                    prop_assert!((a - b - order).abs() < 1e-8 * (1.0 + a.abs()));
                }
                let (a, b) = (first.objective(product), second.objective(product));
                prop_assert!((a - b).abs() < 1e-8 * (1.0 + a.abs()), "{a} {b}");
            }
        }
    }

    /// Observation before receipts, what arrives this week still counts as outstanding: the position is the same, and a policy that
    /// goes by position orders the same; one that goes by stock on hand does not.
    #[test]
    fn sight_moves_units_from_outstanding_to_on_hand_and_no_more(
        demand in prop::collection::vec(1.0_f64..15.0, 2 * 20), units in 20.0_f64..40.0, lead in 1_usize..4,
    ) {
        let panel = panel(demand, 20);
        let law = LeadTimes::fixed(lead);
        let paths = Paths::new(&panel, &law, 1).unwrap();
        let orders = |observation_timing, mixed: bool| {
            let conventions = Conventions { observation_timing, ..Conventions::default() };
            let replay = replay(&paths, conventions, &[5.0; 2]);
            let levels = level(&panel, units);
            let outcomes = if mixed {
                replay.run_as::<f64, _, _>(&Mixed(levels), &(), &device())
            } else {
                replay.run_as::<f64, _, _>(&BaseStock::new("by position", 1.0, levels), &(), &device())
            }
            .unwrap();
            (0..20).map(|week| outcomes.mean(Quantity::Order, 0, week)).collect::<Vec<f64>>()
        };
        let apart = |mixed| {
            orders(ObservationTiming::BeforeReceipts, mixed)
                .iter()
                .zip(orders(ObservationTiming::AfterReceipts, mixed))
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f64::max)
        };
        prop_assert!(apart(false) < 1e-9);
        prop_assert!(apart(true) > 1e-3);
    }

    /// Constant demand and an order-up-to level, from an empty shelf, at a lead time of 0. Received before demand, every week sells
    /// min(d, S). Received after demand, the first week sells nothing, and then S is shared by two weeks: min(d, S) and min(d, S -
    /// min(d, S)) in turn.
    #[test]
    fn constant_demand_sells_what_the_closed_form_says(d in 1.0_f64..10.0, units in 0.5_f64..30.0) {
        const WEEKS: usize = 12;
        let panel = panel(vec![d; WEEKS], WEEKS);
        let law = LeadTimes::fixed(0);
        let paths = Paths::new(&panel, &law, 1).unwrap();
        let policy = BaseStock::new("order up to", 1.0, level(&panel, units));
        let run = |receipts| {
            let conventions = Conventions { receipts, ..newsvendor() };
            replay(&paths, conventions, &[0.0]).run_as::<f64, _, _>(&policy, &(), &device()).unwrap()
        };
        let (before, after) = (run(Receipts::BeforeDemand), run(Receipts::AfterDemand));
        let (first, second) = (d.min(units), d.min(units - d.min(units)));
        for week in 0..WEEKS {
            let sold = match (week, week % 2) {
                (0, _) => 0.0,
                (_, 1) => first,
                _ => second,
            };
            prop_assert!((before.mean(Quantity::Sold, 0, week) - first).abs() < 1e-9);
            prop_assert!((after.mean(Quantity::Sold, 0, week) - sold).abs() < 1e-9, "{week}");
        }
        // Money, received before demand: the shelf is filled once, then what was sold is replaced; what is left is worth its cost.
        let powers = |from: i32| (from..12).map(|t| DISCOUNT.powi(t)).sum::<f64>();
        let expected = first * (PRICE * powers(0) - COST * powers(1)) - COST * units
            + DISCOUNT.powi(12) * COST * (units - first);
        prop_assert!((before.objective(0) - expected).abs() < 1e-6 * (1.0 + expected.abs()), "{expected}");
    }
}
