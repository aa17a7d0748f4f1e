//! The hindsight optimum against brute force over orders, and against a linear programme.

use good_lp::{Expression, Solution, SolverModel, constraint, microlp, variable, variables};
use hindsight_exo_idp::conventions::{Receipts, Terminal, Unmet};
use hindsight_exo_idp::oracle::hindsight_optimum;
use hindsight_exo_idp::panel::Columns;
use hindsight_exo_idp::period::States;
use hindsight_exo_idp::policy::{Observation, Policy, Signals};
use hindsight_exo_idp::{Arrivals, Conventions, LeadTimes, Panel, Paths, Replay, Window};
use hindsight_gpu::{DelayLine, Device, Scalar};
use proptest::prelude::*;

fn panel(demand: &[f64], price: &[f64], cost: &[f64], present: Vec<bool>) -> Panel {
    let columns = Columns {
        demand: demand.to_vec(),
        price: price.to_vec(),
        cost: cost.to_vec(),
        present,
        covariates: vec![],
    };
    Panel::new(vec!["a".into()], demand.len(), columns).unwrap()
}

/// Every lane has its own orders, given by week.
#[derive(Debug)]
struct Given(Signals);
impl Policy for Given {
    fn name(&self) -> &'static str {
        "given"
    }
    fn signals(&self) -> Option<&Signals> {
        Some(&self.0)
    }
    #[inline(always)]
    fn order<S: Scalar>(&self, _: &[S], seen: &Observation<'_, S>, _: &mut [DelayLine<S>]) -> S {
        seen.signals[0]
    }
}

/// The law of one product for all samples: brute force replays all orders side by side on one path.
#[derive(Debug)]
struct Same<'a>(&'a LeadTimes);
impl Arrivals for Same<'_> {
    fn max_lead_time(&self) -> usize {
        self.0.max_lead_time()
    }
    fn shares(&self, product: usize, _: usize, week: i64, shares: &mut [f64]) {
        self.0.shares(product, 0, week, shares);
    }
}

const SHORT: usize = 4;
const MOST: usize = 8;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// On whole numbers, and where nothing is worth anything at the end, it is the best of all sequences of orders: by trying all of
    /// them, in the replay itself.
    #[test]
    fn it_is_the_best_of_all_orders(
        demand in prop::collection::vec(0_u8..3, SHORT), price in prop::collection::vec(2.0_f64..9.0, SHORT),
        cost in prop::collection::vec(1.0_f64..5.0, SHORT), present in prop::collection::vec(0_u8..6, SHORT),
        longest in 0_usize..3, seed in 0_u64..1000, opening in (0_u8..3, prop::collection::vec(0_u8..3, 2)),
        discount in 0.8_f64..1.0, holding in 0.0_f64..1.0, penalty in 0.0_f64..2.0, after in any::<bool>(), waits in any::<bool>(),
    ) {
        let demand: Vec<f64> = demand.into_iter().map(f64::from).collect();
        let mut present: Vec<bool> = present.into_iter().map(|p| p > 0).collect();
        present[0] = true;
        let panel = panel(&demand, &price, &cost, present);
        let law = LeadTimes::uniform(0, longest, 0.3, seed).unwrap();
        let sequences = (MOST + 1).pow(u32::try_from(SHORT).unwrap());
        let paths = Paths::new(&panel, &Same(&law), sequences).unwrap();
        let conventions = Conventions {
            receipts: [Receipts::BeforeDemand, Receipts::AfterDemand][usize::from(after)],
            unmet: [Unmet::Lost, Unmet::Backordered][usize::from(waits)],
            terminal: Terminal::Nothing,
            discount,
            holding,
            penalty,
            ..Conventions::default()
        };
        let all = |units: u8| vec![f64::from(units); sequences];
        let orders = (0..longest).map(|age| all(opening.1[age])).collect();
        let states = States::new(all(opening.0), orders, all(3)).unwrap();
        let window = Window { scored: 0..SHORT, warm_up: 0 };
        let replay = Replay::opened(&paths, conventions, window, states).unwrap();
        let given = Signals::from_fn(SHORT, 1, sequences, |week, _, lane| {
            let digit = lane / (MOST + 1).pow(u32::try_from(week).unwrap()) % (MOST + 1);
            f64::from(u8::try_from(digit).unwrap())
        });
        let outcomes = replay.run_as::<f64, _, _>(&Given(given), &(), &Device::cpu(2)).unwrap();
        let best = outcomes.objectives().iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let found = hindsight_optimum(&replay, 0);
        prop_assert!((found - best).abs() < 1e-9 * (1.0 + best.abs()), "{found} for {best}");
    }

    /// Where keeping a unit from a buyer of this week never pays, and stock is worth nothing at the end or costs do not change, it is the
    /// value of a linear programme, in which stock may be kept; elsewhere that is no less.
    #[test]
    fn it_is_the_value_of_the_linear_programme(
        demand in prop::collection::vec(0.0_f64..20.0, 12), price in prop::collection::vec(4.0_f64..9.0, 12), cost in prop::collection::vec(1.0_f64..5.0, 12),
        longest in 0_usize..4, seed in 0_u64..1000, units in prop_oneof![Just(0.0), 0.0_f64..30.0], orders in prop_oneof![Just(vec![0.0; 3]), prop::collection::vec(0.0_f64..9.0, 3)], worth in 1.0_f64..5.0,
        discount in 0.9_f64..1.0, holding in 0.0_f64..0.4, penalty in 0.0_f64..2.0, share in prop_oneof![Just(0.0), Just(1.0), 0.0_f64..1.0],
        after in any::<bool>(), waits in any::<bool>(), constant in any::<bool>(),
    ) {
        let price = if constant { vec![8.0; 12] } else { price };
        let cost = if share > 0.0 { vec![worth; 12] } else { cost };
        let panel = panel(&demand, &price, &cost, vec![true; 12]);
        let law = LeadTimes::uniform(0, longest, 0.3, seed).unwrap();
        let paths = Paths::new(&panel, &law, 1).unwrap();
        let conventions = Conventions {
            receipts: [Receipts::BeforeDemand, Receipts::AfterDemand][usize::from(after)],
            unmet: [Unmet::Lost, Unmet::Backordered][usize::from(waits)],
            terminal: Terminal::ShareOfCost(share),
            discount,
            holding,
            penalty,
            ..Conventions::default()
        };
        let orders = &orders[..longest];
        let to_come = orders.iter().enumerate().map(|(age, units)| units * paths.coming(0, age)[0]);
        let total = units + to_come.sum::<f64>();
        let states = States::new(vec![units], orders.iter().map(|&o| vec![o]).collect(), vec![worth * total]).unwrap();
        let window = Window { scored: 0..12, warm_up: 0 };
        let replay = Replay::opened(&paths, conventions, window, states).unwrap();
        let found = hindsight_optimum(&replay, 0);
        let programme = programme(&replay, orders);
        let scale = 1e-9 * (1.0 + programme.abs() + 12.0 * 20.0 * 9.0);
        prop_assert!(found <= programme + scale, "{found} above {programme}");
        if constant {
            prop_assert!((found - programme).abs() <= scale, "{found} for {programme}");
        }
    }
}

/// The linear programme of a lane whose orders arrive at once: orders, sales, stock, backlog, and which unit is left at the end.
fn programme(replay: &Replay<'_>, opening: &[f64]) -> f64 {
    let (paths, panel, c) = (replay.paths(), replay.paths().panel(), replay.conventions());
    let weeks = panel.weeks();
    let power = |n: usize| c.discount.powi(i32::try_from(n).unwrap());
    let end = power(weeks) * c.salvage();
    let mut vars = variables!();
    let orders: Vec<_> = (0..weeks).map(|_| vars.add(variable().min(0.0))).collect();
    let left: Vec<_> = (0..weeks).map(|_| vars.add(variable().min(0.0))).collect();
    let sold: Vec<_> = (0..weeks).map(|_| vars.add(variable().min(0.0))).collect();
    // Sales out of what is received after demand, to those who wait.
    let late: Vec<_> = (0..weeks).map(|_| vars.add(variable().min(0.0))).collect();
    let stock: Vec<_> = (0..weeks).map(|_| vars.add(variable().min(0.0))).collect();
    let short: Vec<_> = (0..weeks).map(|_| vars.add(variable().min(0.0))).collect();
    let to_come = opening.iter().enumerate();
    let to_come = to_come.map(|(age, units)| units * paths.coming(0, age)[0]);
    let units = replay.opening().on_hand()[0] + to_come.sum::<f64>();
    let kept = vars.add(variable().min(0.0).max(units));
    let book = replay.opening_charge(0);
    let mut objective = Expression::from(-book);
    if units > 0.0 {
        objective += kept * (end * book / units);
    } else {
        objective += end * book;
    }
    let mut constraints = Vec::new();
    let mut before = Expression::from(replay.opening().on_hand()[0]);
    let mut waiting = Expression::from(0.0);
    let mut all_sold = Expression::from(0.0);
    let mut bought = Expression::from(units);
    let mut remain = Expression::from(kept);
    for week in 0..weeks {
        let mut received = Expression::from(0.0);
        for k in 0..=paths.max_lead_time() {
            let share = paths.arriving(week, k)[0];
            match week.checked_sub(k) {
                Some(placed) => received += orders[placed] * share,
                None => received += opening[k - week - 1] * share,
            }
        }
        let at_hand = match c.receipts {
            Receipts::BeforeDemand => before.clone() + received.clone(),
            Receipts::AfterDemand => before.clone(),
        };
        let held = at_hand.clone() - sold[week];
        constraints.push(constraint!(held.clone() >= 0.0));
        let wanted = waiting.clone() + panel.demand(0, week);
        let unserved = wanted - sold[week];
        constraints.push(constraint!(unserved.clone() >= 0.0));
        let mut next = held.clone();
        let mut still = unserved.clone();
        if c.receipts == Receipts::AfterDemand {
            next += received;
            if c.unmet == Unmet::Backordered {
                next -= late[week];
                still -= late[week];
                constraints.push(constraint!(next.clone() >= 0.0));
                constraints.push(constraint!(still.clone() >= 0.0));
            }
        }
        if c.receipts == Receipts::BeforeDemand || c.unmet == Unmet::Lost {
            constraints.push(constraint!(late[week] <= 0.0));
        }
        let discount = power(week);
        objective += (sold[week] + late[week]) * (discount * panel.price(0, week));
        objective -= orders[week] * (discount * panel.cost(0, week));
        objective -= held * (discount * c.holding);
        objective -= unserved * (discount * c.penalty);
        objective += left[week] * (end * panel.cost(0, week));
        constraints.push(constraint!(left[week] <= orders[week]));
        constraints.push(constraint!(stock[week] == next));
        before = stock[week].into();
        waiting = Expression::from(0.0);
        if c.unmet == Unmet::Backordered {
            constraints.push(constraint!(short[week] == still));
            waiting = short[week].into();
        }
        all_sold += sold[week] + late[week];
        bought += orders[week];
        remain += left[week];
    }
    constraints.push(constraint!(remain <= bought - all_sold));
    let mut model = vars.maximise(objective.clone()).using(microlp);
    for constraint in constraints {
        model = model.with(constraint);
    }
    model.solve().unwrap().eval(&objective)
}

/// An order in pieces: no less than what a base stock earns, and exact where a piece is the whole.
#[test]
fn pieces_are_bounded() {
    #[derive(Debug)]
    struct Halves;
    impl Arrivals for Halves {
        fn max_lead_time(&self) -> usize {
            2
        }
        fn shares(&self, _: usize, _: usize, _: i64, shares: &mut [f64]) {
            shares.copy_from_slice(&[0.0, 0.5, 0.5]);
        }
    }
    let demand: Vec<f64> = (0..20).map(|w| f64::from(3 + 5 * (w % 3))).collect();
    let panel = panel(&demand, &[9.0; 20], &[4.0; 20], vec![true; 20]);
    let paths = Paths::new(&panel, &Halves, 1).unwrap();
    let window = Window {
        scored: 2..20,
        warm_up: 2,
    };
    let replay = Replay::new(&paths, Conventions::default(), window, &[8.0]).unwrap();
    let bound = hindsight_optimum(&replay, 0);
    for units in 1..12 {
        let given = Signals::from_fn(20, 1, 1, |_, _, _| f64::from(units));
        let earned = replay.run(&Given(given), &Device::cpu(1)).unwrap().reward();
        assert!(earned <= bound + 1e-3, "{earned} above {bound}");
    }
}
