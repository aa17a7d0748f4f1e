//! What is booked adds up, and nothing passes the hindsight optimum.

use hindsight_exo_idp::conventions::{Receipts, Unmet};
use hindsight_exo_idp::oracle::JustInTime;
use hindsight_exo_idp::panel::Columns;
use hindsight_exo_idp::policy::{BaseStock, ReorderPoint, Signals};
use hindsight_exo_idp::{Arrivals, Conventions, Outcomes, Panel, Paths, replay::Quantity};
use proptest::prelude::*;

use hindsight_exo_idp::laws::{Case, accounts_add_up, never_beats_the_hindsight_optimum};

use super::world::{Given, WEEKS, case, device, flat};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// The objective follows from the orders by a ledger of single deliveries, and what is earned week by week adds up to it.
    #[test]
    fn the_objective_follows_from_single_deliveries(case in case(2), level in 5.0_f64..60.0, warm_up in 0_usize..6) {
        let paths = Paths::new(&case.panel, &case.lead_times, 2).unwrap();
        let replay = case.replay(&paths, warm_up).unwrap();
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

    /// Where a unit is bought and sold at one price, nothing is discounted and what is left is worth what it cost, a reward is what is
    /// paid for holding and for lost units, and nothing else: the rules of a competition in costs.
    #[test]
    fn equal_price_and_cost_leave_holding_and_shortage(case in case(2), level in 5.0_f64..60.0, holding in 0.0_f64..2.0, penalty in 0.0_f64..9.0) {
        let cells = 2 * WEEKS;
        let of = |value: &dyn Fn(usize, usize) -> f64| (0..cells).map(|at| value(at / WEEKS, at % WEEKS)).collect();
        let columns = Columns {
            demand: of(&|p, w| case.panel.demand(p, w)),
            price: vec![3.0; cells],
            cost: vec![3.0; cells],
            present: (0..cells).map(|at| case.panel.present(at / WEEKS, at % WEEKS)).collect(),
            covariates: vec![],
        };
        let panel = Panel::new(vec!["a".into(), "b".into()], WEEKS, columns).unwrap();
        let conventions = Conventions { discount: 1.0, holding, penalty, whole_units: true, ..Conventions::default() };
        let case = Case { panel, conventions, ..case };
        let paths = Paths::new(&case.panel, &case.lead_times, 1).unwrap();
        let replay = case.replay(&paths, 4).unwrap();
        let policy = BaseStock::new("base stock", 1.0, flat(&case.panel, level));
        let outcomes = replay.run_as::<f64, _, _>(&policy, &(), &device()).unwrap();
        let paid = holding * outcomes.total(Quantity::OnHand) + penalty * outcomes.total(Quantity::Unmet);
        prop_assert!((outcomes.reward() + paid).abs() < 1e-6 * (1.0 + paid), "{} {paid}", outcomes.reward());
    }

    /// No policy earns more than the hindsight optimum on any path, whatever the conventions; with lost sales every unit is sold, lost,
    /// or still there.
    #[test]
    fn nothing_passes_the_hindsight_optimum(case in case(2), level in 1.0_f64..80.0, given in prop::collection::vec(0.0_f64..40.0, 2 * WEEKS), warm_up in 0_usize..5) {
        let paths = Paths::new(&case.panel, &case.lead_times, 2).unwrap();
        let replay = case.replay(&paths, warm_up).unwrap();
        let orders = Signals::from_fn(WEEKS, 1, 2, |week, _, product| given[product * WEEKS + week]);
        let base_stock = |scale: f64| BaseStock::new("base stock", scale, flat(&case.panel, level));
        for scale in [1.0, 0.0] {
            never_beats_the_hindsight_optimum(&replay, &base_stock(scale), &())?;
            accounts_add_up(&replay, &base_stock(scale))?;
        }
        let reorder = ReorderPoint::new(0.3, 1.0, flat(&case.panel, level));
        never_beats_the_hindsight_optimum(&replay, &Given(orders.clone()), &())?;
        never_beats_the_hindsight_optimum(&replay, &JustInTime::new(&replay), &())?;
        never_beats_the_hindsight_optimum(&replay, &reorder, &())?;
        accounts_add_up(&replay, &Given(orders))?;
        accounts_add_up(&replay, &JustInTime::new(&replay))?;
        accounts_add_up(&replay, &reorder)?;
    }
}

/// What a product's orders earn, and the units served at once, from a list of single deliveries: no share, no delay, nothing of the crate's but the orders.
fn ledger(case: &Case, outcomes: &Outcomes, product: usize, sample: usize) -> (f64, f64) {
    let (panel, c) = (&case.panel, &case.conventions);
    let (weeks, longest) = (outcomes.scored(), case.lead_times.max_lead_time());
    let start = i64::try_from(weeks.start).unwrap();
    // (week due, units): ten units of every week before the first, as far as orders reach back.
    let due =
        |week: i64| week + i64::try_from(case.lead_times.lead_time(product, sample, week)).unwrap();
    let before = (1..=i64::try_from(longest).unwrap()).map(|age| (due(start - age), 10.0));
    let mut deliveries: Vec<(i64, f64)> = before.filter(|&(week, _)| week >= start).collect();
    let mut opening = 10.0 + deliveries.iter().map(|d| d.1).sum::<f64>();
    let mut on_hand = 10.0;
    if let Some([now, first, second]) = case.opening {
        deliveries = vec![(start, first), (start + 1, second)];
        (opening, on_hand) = (now + first + second, now);
    }
    let mut book = opening * panel.cost(product, weeks.start);
    let mut money = -book;
    let (mut stock, mut waiting, mut discount, mut on_time) = (on_hand, 0.0_f64, 1.0, 0.0);
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
        let charged = holding + c.penalty * short;
        let unknown = panel.on_sale(product, week) && !panel.present(product, week);
        let charged = if unknown { 0.0 } else { charged };
        money += discount * (price * sold - cost * order - charged);
        let coming: f64 = deliveries.iter().map(|d| d.1).sum();
        let kept = (stock - waiting + coming).max(0.0);
        book = (book + cost * order) * kept / (kept + sold + 1e-9);
        discount *= c.discount;
    }
    (money + discount * c.salvage() * book, on_time)
}
