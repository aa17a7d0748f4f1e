//! Laws of the replay: the adjoint, number types, leaks, accounting, the bound.

use std::ops::ControlFlow;

use world::*;

use hindsight_exo_idp::conventions::{ObservationTiming, Receipts, Terminal, Unmet};
use hindsight_exo_idp::oracle::{JustInTime, hindsight_optimum};
use hindsight_exo_idp::panel::{Columns, Covariate};
use hindsight_exo_idp::policy::{
    Anchor, BaseStock, CappedBaseStock, ConstantOrder, LeadTimeDemand, Neural, NeuralConfig,
    Observation, Plan, Policy, PromotionForecast, ReorderPoint, Signals, target_position,
};
use hindsight_exo_idp::train::{Recipe, Setting, Training};
use hindsight_exo_idp::{
    Arrivals, Conventions, LeadTimes, Outcomes, Panel, Paths, Quantity, Replay, Window,
};

use hindsight_gpu::{DelayLine, Device, Executor, Scalar};
use proptest::prelude::*;

/// A small random world and its settings.
mod world {
    use super::*;

    #[derive(Debug, Clone)]
    pub(super) struct Case {
        pub(super) panel: Panel,
        pub(super) law: LeadTimes,
        pub(super) conventions: Conventions,
    }

    pub(super) const WEEKS: usize = 26;

    pub(super) fn conventions() -> impl Strategy<Value = Conventions> {
        (
            0.9_f64..1.0,
            0.0_f64..0.05,
            0.0_f64..0.3,
            0.0_f64..2.0,
            0_u8..2,
            0_u8..2,
            0_u8..2,
            0_u8..3,
        )
            .prop_map(
                |(discount, holding_share, holding, penalty, receipts, sight, unmet, terminal)| {
                    Conventions {
                        receipts: [Receipts::BeforeDemand, Receipts::AfterDemand]
                            [usize::from(receipts)],
                        observation_timing: [
                            ObservationTiming::BeforeReceipts,
                            ObservationTiming::AfterReceipts,
                        ][usize::from(sight)],
                        unmet: [Unmet::Lost, Unmet::Backordered][usize::from(unmet)],
                        terminal: [
                            Terminal::Nothing,
                            Terminal::AtCost,
                            Terminal::ShareOfCost(0.5),
                        ][usize::from(terminal)],
                        discount,
                        holding_share,
                        holding,
                        penalty,
                    }
                },
            )
    }

    pub(super) fn panel(products: usize) -> impl Strategy<Value = Panel> {
        let cells = products * WEEKS;
        let numbers = |range: std::ops::Range<f64>| prop::collection::vec(range, cells);
        (
            numbers(0.0..20.0),
            numbers(4.0..9.0),
            numbers(1.0..5.0),
            numbers(0.0..1.0),
            prop::collection::vec(0_u8..12, cells),
        )
            .prop_map(move |(demand, price, cost, promotion, gaps)| {
                let mut present: Vec<bool> = gaps.iter().map(|&g| g > 0).collect();
                present.iter_mut().step_by(WEEKS).for_each(|p| *p = true);
                let covariates = vec![Covariate {
                    name: "promotion".into(),
                    planned: true,
                    values: promotion.iter().map(|p| p.round()).collect(),
                }];
                let names = (0..products).map(|p| format!("p{p}")).collect();
                Panel::new(
                    names,
                    WEEKS,
                    Columns {
                        demand,
                        price,
                        cost,
                        present,
                        covariates,
                    },
                )
                .unwrap()
            })
    }

    pub(super) fn case(products: usize) -> impl Strategy<Value = Case> {
        (
            panel(products),
            conventions(),
            0_usize..3,
            0_usize..3,
            0.0_f64..0.8,
            0_u64..100,
        )
            .prop_map(|(panel, conventions, low, more, persistence, seed)| Case {
                panel,
                law: LeadTimes::uniform(low, low + more, persistence, seed).unwrap(),
                conventions,
            })
    }

    /// Orders that are given: the signal itself.
    #[derive(Debug)]
    pub(super) struct Given(pub(super) Signals);
    impl Policy for Given {
        fn name(&self) -> &str {
            "given"
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
            seen.signals[0]
        }
    }

    /// A policy run as a recorded program rather than on lanes.
    #[derive(Debug)]
    pub(super) struct Recorded<'a, P>(pub(super) &'a P);
    impl<P: Policy> Policy for Recorded<'_, P> {
        fn name(&self) -> &str {
            self.0.name()
        }
        fn theta(&self) -> &[f64] {
            self.0.theta()
        }
        fn signals(&self) -> Option<&Signals> {
            self.0.signals()
        }
        fn delay_lines(&self) -> usize {
            self.0.delay_lines()
        }
        fn is_network(&self) -> bool {
            true
        }
        fn order<S: Scalar>(
            &self,
            theta: &[S],
            seen: &Observation<'_, S>,
            memory: &mut [DelayLine<S>],
        ) -> S {
            self.0.order(theta, seen, memory)
        }
    }

    pub(super) fn replay<'p>(
        paths: &'p Paths<'p>,
        conventions: Conventions,
        warm_up: usize,
    ) -> Replay<'p> {
        let scored = warm_up..WEEKS;
        let reference = vec![10.0; paths.panel().products()];
        Replay::new(paths, conventions, Window { scored, warm_up }, &reference).unwrap()
    }

    pub(super) fn flat(panel: &Panel, units: f64) -> Signals {
        Signals::from_fn(panel.weeks(), 1, panel.products(), |_, _, _| units)
    }

    pub(super) fn network(
        panel: &Panel,
        longest: usize,
        conventions: &Conventions,
        anchored: bool,
        seed: u64,
    ) -> Neural {
        let plan = Plan {
            horizon: 2,
            price: true,
        };
        planned_network(panel, longest, conventions, plan, anchored, seed)
    }

    pub(super) fn planned_network(
        panel: &Panel,
        longest: usize,
        conventions: &Conventions,
        plan: Plan,
        anchored: bool,
        seed: u64,
    ) -> Neural {
        let config = NeuralConfig {
            channels: 4,
            dilations: vec![1, 2],
            hidden: 6,
        };
        let levels = vec![flat(panel, 30.0), flat(panel, 20.0)];
        let anchor = Anchor::new(levels, Some(flat(panel, 0.5))).unwrap();
        let anchor = anchored.then_some(&anchor);
        Neural::new(
            panel,
            0..16,
            longest,
            plan,
            conventions,
            &config,
            anchor,
            seed,
        )
        .unwrap()
    }
}

fn device() -> Device {
    Device::cpu(2)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Week by week the recorded program gives the numbers of the plain simulator in double precision, and SIMD lanes to theirs.
    #[test]
    fn number_types_agree(case in case(3), seed in 0_u64..50) {
        let paths = Paths::new(&case.panel, &case.law, 2).unwrap();
        let replay = replay(&paths, case.conventions, 4);
        let level = flat(&case.panel, 25.0);
        agree(&replay, &BaseStock::new("base stock", 1.2, level.clone()))?;
        agree(&replay, &CappedBaseStock::new(1.0, 0.4, level.clone()))?;
        agree(&replay, &ConstantOrder::new(0.3, level))?;
        agree(&replay, &network(&case.panel, paths.max_lead_time(), &case.conventions, seed % 2 == 0, seed))?;
    }

    /// The objective follows from the orders by a ledger of single deliveries, and what is earned week by week adds up to it.
    #[test]
    fn accounts_add_up(case in case(2), level in 5.0_f64..60.0, warm_up in 0_usize..6) {
        let paths = Paths::new(&case.panel, &case.law, 2).unwrap();
        let replay = replay(&paths, case.conventions, warm_up);
        let policy = BaseStock::new("base stock", 1.0, flat(&case.panel, level));
        let outcomes = replay.run_as::<f64, _, _>(&policy, &(), &device()).unwrap();
        let (mut on_time, mut wanted) = (0.0, 0.0);
        for product in 0..2 {
            let mut by_hand = 0.0;
            for sample in 0..2 {
                let (money, served) = ledger(&case, &outcomes, product, sample);
                by_hand += money / 2.0;
                on_time += served;
                wanted += outcomes.scored().map(|week| case.panel.demand(product, week)).sum::<f64>();
            }
            let objective = outcomes.objective(product);
            prop_assert!((by_hand - objective).abs() < 1e-9 * (1.0 + by_hand.abs()), "{by_hand} {objective}");
            let earned: f64 = outcomes.accrued_reward(product).iter().sum();
            prop_assert!((earned - objective).abs() < 1e-9 * (1.0 + objective.abs()), "{earned} {objective}");
        }
        let rate = outcomes.fill_rate();
        prop_assert!((rate - on_time / wanted).abs() < 1e-9, "{rate} {}", on_time / wanted);
    }

    /// No policy earns more than the hindsight optimum on any path, whatever the conventions; with lost sales every unit is sold, lost,
    /// or still there.
    #[test]
    fn nothing_passes_the_hindsight_optimum(case in case(2), level in 1.0_f64..80.0, given in prop::collection::vec(0.0_f64..40.0, 2 * WEEKS), warm_up in 0_usize..5) {
        let paths = Paths::new(&case.panel, &case.law, 2).unwrap();
        let replay = replay(&paths, case.conventions, warm_up);
        let orders = Signals::from_fn(WEEKS, 1, 2, |week, _, product| given[product * WEEKS + week]);
        let run = |policy: &BaseStock| replay.run_as::<f64, _, _>(policy, &(), &device()).unwrap();
        let outcomes = [
            run(&BaseStock::new("base stock", 1.0, flat(&case.panel, level))),
            replay.run_as::<f64, _, _>(&Given(orders), &(), &device()).unwrap(),
            replay.run_as::<f64, _, _>(&JustInTime::new(&replay), &(), &device()).unwrap(),
            replay.run_as::<f64, _, _>(&ReorderPoint::new(0.3, 1.0, flat(&case.panel, level)), &(), &device()).unwrap(),
            run(&BaseStock::new("nothing", 0.0, flat(&case.panel, level))),
        ];
        for lane in 0..paths.lanes() {
            let bound = hindsight_optimum(&replay, lane);
            for outcomes in &outcomes {
                let earned = outcomes.objectives()[lane];
                prop_assert!(earned <= bound + 1e-9 * (1.0 + bound.abs()), "{}: {earned} above {bound}", outcomes.policy());
            }
        }
        if case.conventions.unmet == Unmet::Lost {
            for outcomes in &outcomes {
                for product in 0..2 {
                    let mut on_hand = 10.0;
                    for week in outcomes.scored() {
                        let at = |q| outcomes.sample(q, product, 0, week);
                        on_hand += at(Quantity::Received) - at(Quantity::Sold);
                        prop_assert!((on_hand - at(Quantity::OnHand)).abs() < 1e-9);
                        prop_assert!((at(Quantity::Sold) + at(Quantity::Unmet) - case.panel.demand(product, week)).abs() < 1e-9);
                        prop_assert!(at(Quantity::OnHand) >= -1e-9);
                    }
                }
            }
        }
    }

    /// Pitfall 2 of the paper's file, as one law for every policy: whatever happens after week `t` (demand, prices, costs, covariates,
    /// presence, arrivals) cannot move an order of week `t` or before, not by one bit. What the plan says of the weeks ahead is
    /// known, and stands.
    #[test]
    fn no_policy_sees_the_future(case in case(2), late in prop::collection::vec(0.0_f64..1.0, 2 * WEEKS), t in FITTED..24, noise in prop::collection::vec(0.5_f64..2.0, 2 * WEEKS), seed in 0_u64..20, price in any::<bool>(), horizon in 0_usize..4) {
        let plan = Plan { horizon, price };
        let panel = with_late_covariate(&case.panel, late);
        let other = moved(&panel, t, plan, &noise);
        let orders = |panel: &Panel, by: i64| every_policy(panel, &Later { law: &case.law, by }, &case, plan, seed);
        let (before, after) = (orders(&panel, i64::MAX), orders(&other, i64::try_from(t).unwrap()));
        for ((name, a), (_, b)) in before.iter().zip(&after) {
            for product in 0..2 {
                for week in a.scored().take_while(|&week| week <= t) {
                    let order = |o: &Outcomes| o.sample(Quantity::Order, product, 0, week);
                    prop_assert_eq!(order(a).to_bits(), order(b).to_bits(), "{} in week {}: {} {}", name, week, order(a), order(b));
                }
            }
        }
    }
}

/// Weeks that policies are fitted on in the law of the future.
const FITTED: usize = 16;

/// The same panel with a further covariate that is known a week late.
fn with_late_covariate(panel: &Panel, values: Vec<f64>) -> Panel {
    let mut covariates = panel.covariates().to_vec();
    covariates.push(Covariate {
        name: "late".into(),
        planned: false,
        values,
    });
    rebuilt(panel, covariates, |_, _| (1.0, 1.0, 1.0, true))
}

/// A panel whose demand, prices and costs are multiplied by factors, and that misses weeks.
fn rebuilt(
    panel: &Panel,
    covariates: Vec<Covariate>,
    of: impl Fn(usize, usize) -> (f64, f64, f64, bool),
) -> Panel {
    let mut columns = Columns {
        covariates,
        ..Columns::default()
    };
    for product in 0..panel.products() {
        for week in 0..panel.weeks() {
            let (demand, price, cost, present) = of(product, week);
            columns.demand.push(panel.demand(product, week) * demand);
            columns.price.push(panel.price(product, week) * price);
            columns.cost.push(panel.cost(product, week) * cost);
            columns
                .present
                .push(panel.present(product, week) && present);
        }
    }
    Panel::new(panel.names().to_vec(), panel.weeks(), columns).unwrap()
}

/// Everything that is not known when week `t` is ordered is another: demand and late covariates from week `t` on, costs after it,
/// prices and planned covariates beyond the plan, and whether a product is on sale there, which is part of the plan.
fn moved(panel: &Panel, t: usize, plan: Plan, noise: &[f64]) -> Panel {
    let at = |product: usize, week: usize| noise[product * WEEKS + week];
    let planned = t + plan.horizon;
    let priced = if plan.price { planned } else { t };
    let after = |week: usize, known: usize, factor: f64| if week > known { factor } else { 1.0 };
    let mut covariates = panel.covariates().to_vec();
    for covariate in &mut covariates {
        let known = if covariate.planned { planned } else { t - 1 };
        for (cell, value) in covariate.values.iter_mut().enumerate() {
            let (product, week) = (cell / WEEKS, cell % WEEKS);
            *value += after(week, known, at(product, week)) - 1.0;
        }
    }
    rebuilt(panel, covariates, |product, week| {
        let factor = at(product, week);
        let demand = after(week, t - 1, factor);
        let present = week <= planned || factor < 1.7;
        (
            demand,
            after(week, priced, factor),
            after(week, t, factor),
            present,
        )
    })
}

/// Every kind of policy, fitted on the first weeks and replayed on the rest: levels, levels that follow a forecast, networks with and
/// without an anchor, the network of the default recipe.
fn every_policy(
    panel: &Panel,
    arrivals: &dyn Arrivals,
    case: &Case,
    plan: Plan,
    seed: u64,
) -> Vec<(String, Outcomes)> {
    let paths = Paths::new(panel, arrivals, 1).unwrap();
    let setting = Setting {
        panel,
        lead_times: &case.law,
        conventions: case.conventions,
        plan,
        weeks: 0..FITTED,
        warm_up: 2,
    };
    let replay = setting.replay(&paths, 4..WEEKS).unwrap();
    let reference = setting.reference();
    let mean = Signals::from_fn(WEEKS, 1, panel.products(), |_, _, p| reference[p]);
    let forecast = PromotionForecast::fit(panel, 0..FITTED, plan, 5).unwrap();
    let promoted = forecast
        .target_position(panel, &case.law, &case.conventions)
        .unwrap();
    let target = |treatment| {
        target_position(panel, 0..FITTED, &case.law, treatment, &case.conventions).unwrap()
    };
    let run = |replay: &Replay<'_>, name: &str, level: Signals| {
        let policy = BaseStock::new(name, 1.0, level);
        (name.to_owned(), replay.run(&policy, &device()).unwrap())
    };
    let mut all = vec![
        run(&replay, "promotion-aware newsvendor", promoted),
        run(
            &replay,
            "target position",
            target(LeadTimeDemand::Convolved),
        ),
        run(
            &replay,
            "mean lead time",
            target(LeadTimeDemand::MeanLeadTime),
        ),
    ];
    let mut add = |name: &str, outcomes: Outcomes| all.push((name.to_owned(), outcomes));
    let run = |policy: &ReorderPoint| replay.run(policy, &device()).unwrap();
    add("(s, S)", run(&ReorderPoint::new(1.0, 3.0, mean.clone())));
    let constant = ConstantOrder::new(1.0, mean.clone());
    add("constant order", replay.run(&constant, &device()).unwrap());
    let capped = CappedBaseStock::new(4.0, 1.5, mean);
    add("capped base stock", replay.run(&capped, &device()).unwrap());
    for anchored in [false, true] {
        let net = planned_network(
            panel,
            paths.max_lead_time(),
            &case.conventions,
            plan,
            anchored,
            seed,
        );
        add("network", replay.run(&net, &device()).unwrap());
    }
    let recipe = Recipe {
        network: NeuralConfig {
            channels: 3,
            dilations: vec![1, 2],
            hidden: 4,
        },
        training: Training {
            steps: 2,
            batch: 2,
            ..Training::default()
        },
        ensemble_size: 1,
        validation: 2,
        seed,
        ..Recipe::default()
    };
    let go = |_: &_| ControlFlow::Continue(());
    let fitted = recipe
        .fit(&setting, arrivals, &forecast, &device(), go)
        .unwrap();
    let trained = replay.run(&fitted.policy, &device()).unwrap();
    add("network of the recipe", trained);
    all
}

const QUANTITIES: [Quantity; 9] = [
    Quantity::Order,
    Quantity::Supplied,
    Quantity::Received,
    Quantity::Sold,
    Quantity::Unmet,
    Quantity::OnHand,
    Quantity::Book,
    Quantity::Reward,
    Quantity::Charge,
];

/// The largest gap of a quantity in any lane and week, relative to its largest value.
fn gap(a: &Outcomes, b: &Outcomes, quantity: Quantity) -> f64 {
    let cells = a.scored().flat_map(|week| {
        (0..a.products()).flat_map(move |p| (0..a.samples()).map(move |s| (week, p, s)))
    });
    let (mut gap, mut scale) = (0.0_f64, 1.0_f64);
    for (week, product, sample) in cells {
        let at = |o: &Outcomes| o.sample(quantity, product, sample, week);
        gap = gap.max((at(a) - at(b)).abs());
        scale = scale.max(at(a).abs());
    }
    gap / scale
}

fn agree<P: Policy>(replay: &Replay<'_>, policy: &P) -> Result<(), TestCaseError> {
    let reference = replay.run_as::<f64, P, _>(policy, &(), &device()).unwrap();
    let program = replay.record(policy, &()).unwrap();
    let arrays = replay.arrays::<f64, P, _>(policy, &()).unwrap();
    let batch = arrays.batch(&program).unwrap();
    let run = device().forward(&program, policy.theta(), &batch).unwrap();
    let recorded = replay.outcomes(policy, &(), &run).unwrap();
    let lanes = replay
        .run_as::<hindsight_gpu::numbers::Lanes<16>, P, _>(policy, &(), &device())
        .unwrap();
    let single = replay.run(&Recorded(policy), &device()).unwrap();
    for (other, tolerance) in [(&recorded, 1e-9), (&lanes, 1e-5), (&single, 1e-5)] {
        for quantity in QUANTITIES {
            let gap = gap(&reference, other, quantity);
            prop_assert!(
                gap <= tolerance,
                "{}: {quantity:?} differs by {gap}",
                policy.name()
            );
        }
    }
    Ok(())
}

/// What a product's orders earn, and the units served at once, from a list of single deliveries: no share, no delay, nothing of the crate's but the orders.
fn ledger(case: &Case, outcomes: &Outcomes, product: usize, sample: usize) -> (f64, f64) {
    let (panel, c) = (&case.panel, &case.conventions);
    let (weeks, longest) = (outcomes.scored(), case.law.max_lead_time());
    let start = i64::try_from(weeks.start).unwrap();
    // (week due, units): ten units of every week before the first, as far as orders reach back.
    let due = |week: i64| week + i64::try_from(case.law.lead_time(product, sample, week)).unwrap();
    let before = (1..=i64::try_from(longest).unwrap()).map(|age| (due(start - age), 10.0));
    let mut deliveries: Vec<(i64, f64)> = before.filter(|&(week, _)| week >= start).collect();
    let opening = 10.0 * f64::from(u32::try_from(longest + 1).unwrap());
    let mut book = opening * panel.cost(product, weeks.start);
    let mut money = -book;
    let (mut stock, mut waiting, mut discount, mut on_time) = (10.0, 0.0_f64, 1.0, 0.0);
    for week in weeks {
        let now = i64::try_from(week).unwrap();
        let order = outcomes.sample(Quantity::Order, product, sample, week);
        let [price, cost] = [panel.price(product, week), panel.cost(product, week)];
        deliveries.push((due(now), order));
        let received: f64 = deliveries.iter().filter(|d| d.0 == now).map(|d| d.1).sum();
        deliveries.retain(|d| d.0 > now);
        if c.receipts == Receipts::BeforeDemand {
            stock += received;
        }
        let wanted = panel.demand(product, week) + waiting;
        let mut sold = stock.min(wanted);
        on_time += (sold - waiting).max(0.0);
        stock -= sold;
        let (held, short) = (stock, wanted - sold);
        waiting = 0.0;
        if c.unmet == Unmet::Backordered {
            waiting = short;
        }
        if c.receipts == Receipts::AfterDemand {
            let served = waiting.min(received);
            waiting -= served;
            sold += served;
            stock += received - served;
        }
        let holding = (c.holding + c.holding_share * cost) * held;
        money += discount * (price * sold - cost * order - holding - c.penalty * short);
        let coming: f64 = deliveries.iter().map(|d| d.1).sum();
        let kept = (stock - waiting + coming).max(0.0);
        book = (book + cost * order) * kept / (kept + sold + 1e-9);
        discount *= c.discount;
    }
    (money + discount * c.salvage() * book, on_time)
}

/// Lead times that are those of a law, except for orders that have not arrived by the end of week `by`: those take longer.
#[derive(Debug)]
struct Later<'a> {
    law: &'a LeadTimes,
    by: i64,
}

impl Arrivals for Later<'_> {
    fn max_lead_time(&self) -> usize {
        self.law.max_lead_time() + 1
    }
    fn shares(&self, product: usize, sample: usize, week: i64, shares: &mut [f64]) {
        let lead = self.law.lead_time(product, sample, week);
        let arrives = week + i64::try_from(lead).unwrap();
        shares.fill(0.0);
        shares[lead + usize::from(arrives > self.by)] = 1.0;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// When an outstanding order will arrive is not seen: if all orders that are still on their way in week `t` come a week later,
    /// the order of week `t` does not move by a bit.
    #[test]
    fn no_policy_sees_when_an_outstanding_order_will_come(case in case(2), t in 8_i64..18, seed in 0_u64..20) {
        let run = |by: i64| {
            let arrivals = Later { law: &case.law, by };
            let paths = Paths::new(&case.panel, &arrivals, 1).unwrap();
            let replay = replay(&paths, case.conventions, 2);
            let net = network(&case.panel, paths.max_lead_time(), &case.conventions, true, seed);
            let level = BaseStock::new("base stock", 1.0, flat(&case.panel, 40.0));
            [replay.run(&net, &device()).unwrap(), replay.run(&level, &device()).unwrap()]
        };
        // In week `t` a policy may have seen what arrived in it, no more.
        for (now, later) in run(i64::MAX).iter().zip(&run(t)) {
            for product in 0..2 {
                for week in 2..=usize::try_from(t).unwrap() {
                    let order = |o: &Outcomes| o.sample(Quantity::Order, product, 0, week).to_bits();
                    prop_assert_eq!(order(now), order(later), "{} in week {}", now.policy(), week);
                }
            }
        }
    }
}

/// Pitfall 1 of the paper's file: the policy sees its own simulated stock, so another opening changes later orders.
#[test]
fn the_policy_sees_the_stock_that_it_made() {
    let cells = 2 * WEEKS;
    let demand = (0..cells)
        .map(|i| 5.0 + f64::from(u8::try_from(i % 7).unwrap()))
        .collect();
    let columns = Columns {
        demand,
        price: vec![8.0; cells],
        cost: vec![4.0; cells],
        present: vec![true; cells],
        covariates: vec![],
    };
    let panel = Panel::new(vec!["a".into(), "b".into()], WEEKS, columns).unwrap();
    let paths = Paths::new(&panel, &LeadTimes::fixed(2), 1).unwrap();
    let conventions = Conventions::default();
    let orders = |reference: f64| {
        let window = Window {
            scored: 4..WEEKS,
            warm_up: 4,
        };
        let replay = Replay::new(&paths, conventions, window, &[reference; 2]).unwrap();
        let net = network(&panel, 2, &conventions, true, 3);
        let outcomes = replay.run(&net, &device()).unwrap();
        (4..WEEKS)
            .map(|w| outcomes.sample(Quantity::Order, 0, 0, w))
            .collect::<Vec<f64>>()
    };
    let (low, high) = (orders(2.0), orders(20.0));
    assert!(
        low.iter()
            .zip(&high)
            .skip(1)
            .any(|(a, b)| (a - b).abs() > 0.1)
    );
}

/// What a search of parameters reads is what single runs say.
#[test]
fn objectives_are_those_of_runs() {
    let cells = 3 * WEEKS;
    let demand = (0..cells).map(|i| f64::from(u8::try_from(i % 7).unwrap()));
    let columns = Columns {
        demand: demand.collect(),
        price: vec![8.0; cells],
        cost: vec![4.0; cells],
        present: vec![true; cells],
        covariates: vec![],
    };
    let names = (0..3).map(|p| p.to_string()).collect();
    let panel = Panel::new(names, WEEKS, columns).unwrap();
    let paths = Paths::new(&panel, &LeadTimes::uniform(1, 3, 0.4, 3).unwrap(), 7).unwrap();
    let replay = replay(&paths, Conventions::default(), 3);
    let policy = |scale: f64| BaseStock::new("base stock", scale, flat(&panel, 12.0));
    let thetas = [0.3, 1.0, 2.5].map(|scale| vec![scale]);
    let earned = replay
        .objectives(&policy(1.0), &(), &thetas, &device())
        .unwrap();
    for (theta, earned) in thetas.iter().zip(&earned) {
        let run = replay.run(&policy(theta[0]), &device()).unwrap();
        assert_eq!(run.objectives(), earned);
    }
    let wrong = replay.objectives(&policy(1.0), &(), &[vec![1.0, 2.0]], &device());
    assert!(matches!(
        wrong,
        Err(hindsight_exo_idp::Error::Length { .. })
    ));
}
