//! Laws of markets: nothing changes nothing, deliveries arrive once and are paid once, gradients through whatever stands between a
//! policy and its week.

use hindsight_exo_idp::market::{Market, MarketInputs, OrderRule, PostProcess, Price, Resource};
use hindsight_exo_idp::panel::Columns;
use hindsight_exo_idp::period::{Event, Position};
use hindsight_exo_idp::policy::{BaseStock, Observation, Policy, Signals};
use hindsight_exo_idp::{
    Arrivals, Conventions, LeadTimes, Outcomes, Panel, Paths, Replay, Window, replay::Quantity,
};
use hindsight_gpu::nn::{Dense, Layout};
use hindsight_gpu::numbers::{Dual, Lanes};
use hindsight_gpu::{DelayLine, Device, Executor, RoundGradient, Scalar, Stream, nn::Activation};
use proptest::prelude::*;
use rand::RngExt;

const WEEKS: usize = 16;
const PRODUCTS: usize = 3;
const START: usize = 2;

fn panel(seed: u64) -> Panel {
    let stream = Stream::new(seed, "market test");
    let mut rng = stream.at(0, 0);
    let cells = PRODUCTS * WEEKS;
    let mut numbers = |low: f64, high: f64| -> Vec<f64> {
        (0..cells).map(|_| rng.random_range(low..high)).collect()
    };
    let columns = Columns {
        demand: numbers(0.0, 12.0),
        price: numbers(6.0, 9.0),
        cost: numbers(2.0, 5.0),
        present: vec![true; cells],
        covariates: vec![],
    };
    let names = (0..PRODUCTS).map(|p| p.to_string()).collect();
    Panel::new(names, WEEKS, columns).unwrap()
}

fn replay<'p>(paths: &'p Paths<'p>) -> Replay<'p> {
    let conventions = Conventions {
        holding: 0.1,
        ..Conventions::default()
    };
    let window = Window {
        scored: START..WEEKS,
        warm_up: START,
    };
    Replay::new(paths, conventions, window, &[4.0; PRODUCTS]).unwrap()
}

fn level(units: f64) -> Signals {
    Signals::from_fn(WEEKS, 1, PRODUCTS, |_, _, product| {
        units + 2.0 * f64::from(u8::try_from(product).unwrap())
    })
}

fn device() -> Device {
    Device::cpu(2)
}

/// Orders in up to three pieces, filled to between nothing and a half more than was asked for.
#[derive(Debug)]
struct Pieces(Stream);

impl Arrivals for Pieces {
    fn max_lead_time(&self) -> usize {
        3
    }
    fn shares(&self, product: usize, sample: usize, week: i64, shares: &mut [f64]) {
        let lane = ((sample as u64) << 32) | product as u64;
        let mut rng = self.0.at(lane, u32::try_from(week + 100).unwrap());
        shares.fill(0.0);
        for _ in 0..rng.random_range(0..=3) {
            shares[rng.random_range(0..4)] += rng.random_range(0.0..0.5);
        }
    }
}

/// Delivers as the paths say, by its own hands.
#[derive(Debug)]
struct AsTheyCome;
impl Market for AsTheyCome {
    fn delivers(&self) -> bool {
        true
    }
}

/// What exceeds a size arrives a week later than the rest, and the more is asked for the less of it is filled.
#[derive(Debug)]
struct Strained {
    size: f64,
}
impl Market for Strained {
    fn delivers(&self) -> bool {
        true
    }
    #[inline(always)]
    fn deliver<S: Scalar>(
        &self,
        _: &MarketInputs<'_, S>,
        seen: &Position<S>,
        order: S,
        _: &mut [DelayLine<S>],
        shares: &mut [S],
    ) {
        let k = S::constant;
        let filled = (-(order + seen.position * k(0.2)) * k(0.5 / self.size)).exp();
        let late = (order / k(self.size)).tanh() * k(0.5);
        for i in (0..shares.len()).rev() {
            let before = if i > 0 { shares[i - 1] } else { k(0.0) };
            shares[i] = shares[i] * (k(1.0) - late) + before * late;
        }
        shares.iter_mut().for_each(|s| *s = *s * filled);
    }
}

fn same(a: &Outcomes, b: &Outcomes, tolerance: f64) -> Result<(), TestCaseError> {
    for week in a.scored() {
        for quantity in [
            Quantity::Order,
            Quantity::Supplied,
            Quantity::Received,
            Quantity::Sold,
            Quantity::OnHand,
            Quantity::Book,
            Quantity::Reward,
            Quantity::Charge,
        ] {
            for product in 0..PRODUCTS {
                for sample in 0..a.samples() {
                    let at = |o: &Outcomes| o.sample(quantity, product, sample, week);
                    let (x, y) = (at(a), at(b));
                    prop_assert!(
                        (x - y).abs() <= tolerance * (1.0 + x.abs()),
                        "{quantity:?} of {product} in {week}: {x} {y}"
                    );
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Markets in which nothing happens leave every bit as it is.
    #[test]
    fn nothing_changes_nothing(seed in 0_u64..1000, units in 5.0_f64..30.0) {
        let panel = panel(seed);
        let paths = Paths::new(&panel, &LeadTimes::uniform(0, 3, 0.3, seed).unwrap(), 2).unwrap();
        let replay = replay(&paths);
        let policy = BaseStock::new("base stock", 1.0, level(units));
        let plain = replay.run(&policy, &device()).unwrap();
        let rules = PostProcess::new(WEEKS, &[OrderRule::default(); PRODUCTS]).unwrap();
        prop_assert_eq!(&plain, &replay.run_in(&policy, &((), ()), &device()).unwrap());
        prop_assert_eq!(&plain, &replay.run_in(&policy, &((), &rules), &device()).unwrap());
        let free = Price::new(Resource::Storage, Signals::from_fn(WEEKS, 1, PRODUCTS, |_, _, _| 0.0), &[1.0; PRODUCTS]).unwrap();
        let priced = replay.run_in(&policy, &free, &device()).unwrap();
        prop_assert_eq!(plain.objectives(), priced.objectives());
    }

    /// Deliveries kept as state are those that the paths say, whatever the shares: pieces, orders not filled, orders filled in excess.
    #[test]
    fn a_schedule_is_another_book_of_the_same_deliveries(seed in 0_u64..1000, units in 5.0_f64..30.0, whole in any::<bool>()) {
        let panel = panel(seed);
        let law = LeadTimes::uniform(0, 3, 0.3, seed).unwrap();
        let pieces = Pieces(Stream::new(seed, "pieces"));
        let arrivals: &dyn Arrivals = if whole { &law } else { &pieces };
        let paths = Paths::new(&panel, arrivals, 2).unwrap();
        prop_assert_eq!(paths.has_yields(), !whole);
        let replay = replay(&paths);
        let policy = BaseStock::new("base stock", 1.0, level(units));
        let by_paths = replay.run_as::<f64, _, _>(&policy, &(), &device()).unwrap();
        let by_state = replay.run_as::<f64, _, _>(&policy, &AsTheyCome, &device()).unwrap();
        same(&by_paths, &by_state, 1e-10)?;
    }

    /// What was supplied arrives, no more and no less, and it is what is paid.
    #[test]
    fn what_is_supplied_arrives_and_is_paid(seed in 0_u64..1000, units in 10.0_f64..40.0) {
        let panel = panel(seed);
        let pieces = Pieces(Stream::new(seed, "pieces"));
        let paths = Paths::new(&panel, &pieces, 2).unwrap();
        let replay = replay(&paths);
        let rule = OrderRule { minimum: 3.0, batch: 2.0, ..OrderRule::default() };
        let limit = Signals::from_fn(WEEKS, 1, PRODUCTS, |week, _, _| if week % 4 == 3 { 2.0 } else { 20.0 });
        let market = PostProcess::new(WEEKS, &[rule; PRODUCTS]).unwrap().limited(limit.clone()).unwrap();
        let policy = BaseStock::new("base stock", 1.0, level(units));
        let outcomes = replay.run_as::<f64, _, _>(&policy, &market, &device()).unwrap();
        let mut shares = [0.0; 4];
        for product in 0..PRODUCTS {
            for sample in 0..2 {
                for week in START + 3..WEEKS {
                    let at = |q, w| outcomes.sample(q, product, sample, w);
                    let mut due = 0.0;
                    for k in 0..4 {
                        pieces.shares(product, sample, i64::try_from(week - k).unwrap(), &mut shares);
                        let asked = at(Quantity::Order, week - k);
                        let ordered = market.apply(product, asked).min(limit.row(week - k, 0)[product]);
                        due += shares[k] * ordered;
                        let supplied = ordered * shares.iter().sum::<f64>();
                        prop_assert!((supplied - at(Quantity::Supplied, week - k)).abs() < 1e-9);
                    }
                    prop_assert!((due - at(Quantity::Received, week)).abs() < 1e-9);
                    let reward = panel.price(product, week) * at(Quantity::Sold, week)
                        - panel.cost(product, week) * at(Quantity::Supplied, week)
                        - 0.1 * at(Quantity::OnHand, week);
                    prop_assert!((reward - at(Quantity::Reward, week)).abs() < 1e-9);
                }
            }
        }
    }

    /// With deliveries that depend on the size of the order: the program, the lanes and the simulator agree, and the gradient is that
    /// of duals.
    #[test]
    fn deliveries_that_depend_on_the_order_differentiate(seed in 0_u64..1000, units in 8.0_f64..30.0) {
        let panel = panel(seed);
        let pieces = Pieces(Stream::new(seed, "pieces"));
        let paths = Paths::new(&panel, &pieces, 2).unwrap();
        let replay = replay(&paths);
        let market = Strained { size: 9.0 };
        let policy = BaseStock::new("base stock", 1.0, level(units));
        let reference = replay.run_as::<f64, _, _>(&policy, &market, &device()).unwrap();
        let lanes = replay.run_as::<Lanes<16>, _, _>(&policy, &market, &device()).unwrap();
        same(&reference, &lanes, 2e-4)?;
        let program = replay.record(&policy, &market).unwrap();
        let arrays = replay.arrays::<f64, _, _>(&policy, &market).unwrap();
        let batch = arrays.batch(&program).unwrap();
        let run = device().forward(&program, policy.theta(), &batch).unwrap();
        same(&reference, &replay.outcomes(&policy, &market, &run).unwrap(), 1e-10)?;
        let objective = |scale: f64| -> f64 {
            let policy = BaseStock::new("base stock", scale, level(units));
            let outcomes = replay.run_as::<f64, _, _>(&policy, &market, &device()).unwrap();
            outcomes.objectives().iter().sum::<f64>() / 6.0
        };
        let gradient = device().gradient(&program, policy.theta(), &batch).unwrap();
        let difference = (objective(1.0 + 1e-6) - objective(1.0 - 1e-6)) / 2e-6;
        let found = gradient.params[0];
        prop_assert!((found - difference).abs() < 1e-5 * (1.0 + found.abs()), "{found} {difference}");
    }
}

/// Orders up to a level that falls with the price that is published after its own signal.
#[derive(Debug)]
struct Priced {
    theta: [f64; 2],
    level: Signals,
}
impl Policy for Priced {
    fn name(&self) -> &'static str {
        "priced"
    }
    fn theta(&self) -> &[f64] {
        &self.theta
    }
    fn signals(&self) -> Option<&Signals> {
        Some(&self.level)
    }
    fn order<S: Scalar>(
        &self,
        theta: &[S],
        seen: &Observation<'_, S>,
        _: &mut [DelayLine<S>],
    ) -> S {
        let level = theta[0] * seen.signals[0] * (-theta[1] * seen.signals[1]).exp();
        (level - seen.inventory.position).softplus()
    }
}

/// A price of storage from what all products hold, by a small network; charged for what is on hand.
#[derive(Debug)]
struct Coordinator {
    layers: [Dense; 2],
    theta: Vec<f64>,
    limit: Signals,
}
impl Coordinator {
    fn new(seed: u64) -> Self {
        let mut layout = Layout::new();
        let layers = [layout.dense(2, 4), layout.dense(4, 1)];
        Coordinator {
            layers,
            theta: layout.initial(seed),
            limit: Signals::from_fn(WEEKS, 1, PRODUCTS, |_, _, _| 40.0),
        }
    }
    fn price<S: Scalar>(&self, theta: &[S], on_hand: S, position: S, limit: S) -> S {
        let x = [on_hand / limit, position / limit];
        let (mut h, mut p) = (vec![], vec![]);
        self.layers[0].apply(theta, &[&x], Activation::Silu, &mut h);
        self.layers[1].apply(theta, &[&h], Activation::Softplus, &mut p);
        p[0]
    }
}
impl Market for Coordinator {
    fn theta(&self) -> Vec<f64> {
        self.theta.clone()
    }
    fn signals(&self) -> Vec<&Signals> {
        vec![&self.limit]
    }
    fn published(&self) -> usize {
        1
    }
    fn publish<S: Scalar>(
        &self,
        inputs: &MarketInputs<'_, S>,
        seen: &Position<S>,
        _: &mut [DelayLine<S>],
        out: &mut Vec<S>,
    ) {
        let (held, all) = (seen.on_hand.lane_sum(), seen.position.lane_sum());
        out.push(self.price(inputs.theta, held, all, inputs.rows[0]));
    }
    fn charge<S: Scalar>(
        &self,
        _: &MarketInputs<'_, S>,
        event: &Event<S>,
        published: &[S],
    ) -> Option<S> {
        Some(published[0] * event.on_hand)
    }
}

/// The whole case on duals, product by product and week by week, with nothing of the crate but the coordinator's layers: what all
/// lanes earn.
fn by_duals(paths: &Paths<'_>, policy: &Priced, market: &Coordinator, at: usize) -> (f64, f64) {
    let panel = paths.panel();
    let own = [&policy.theta[..], &market.theta].concat();
    let all: Vec<Dual> = own
        .iter()
        .enumerate()
        .map(|(i, &x)| {
            if i == at {
                Dual::variable(x)
            } else {
                Dual::constant(x)
            }
        })
        .collect();
    let (theta, omega) = all.split_at(2);
    let k = <Dual as Scalar>::constant;
    let mut total = k(0.0);
    for sample in 0..paths.samples() {
        let lane = |product: usize| sample * PRODUCTS + product;
        let mut stock = [k(4.0); PRODUCTS];
        let mut orders = vec![[k(4.0); PRODUCTS]; paths.max_lead_time()];
        let due =
            |p: usize| (0..orders.len()).map(move |age| paths.outstanding(START, age)[lane(p)]);
        let book = |p: usize| 4.0 * (1.0 + due(p).sum::<f64>()) * panel.cost(p, START);
        let mut books: [Dual; PRODUCTS] = std::array::from_fn(|p| k(book(p)));
        let mut discount = 1.0;
        for week in START..WEEKS {
            let open = |p: usize, age: usize| k(paths.outstanding(week, age)[lane(p)]);
            let positions: [Dual; PRODUCTS] = std::array::from_fn(|p| {
                (0..orders.len()).fold(stock[p], |sum, age| sum + open(p, age) * orders[age][p])
            });
            let sum = |xs: &[Dual; PRODUCTS]| xs[1..].iter().fold(xs[0], |a, &b| a + b);
            let price = market.price(omega, sum(&stock), sum(&positions), k(40.0));
            let mut placed = [k(0.0); PRODUCTS];
            for p in 0..PRODUCTS {
                let aim = theta[0] * k(level(20.0).row(week, 0)[p]) * (-theta[1] * price).exp();
                let order = Scalar::min((aim - positions[p]).softplus(), k(limit(week, p)));
                let arriving = |age: usize| k(paths.arriving(week, age)[lane(p)]);
                let earlier = (0..orders.len())
                    .fold(k(0.0), |sum, age| sum + arriving(age + 1) * orders[age][p]);
                let received = order * arriving(0) + earlier;
                let outstanding =
                    (0..orders.len()).fold(k(0.0), |sum, age| sum + open(p, age) * orders[age][p]);
                let available = stock[p] + received;
                let sold = Scalar::min(k(panel.demand(p, week)), available);
                let left = available - sold;
                let reward =
                    k(panel.price(p, week)) * sold - k(panel.cost(p, week)) * order - k(0.1) * left;
                let position = left + outstanding + order - received;
                let share = position / (position + sold + k(1e-9));
                books[p] = (books[p] + k(panel.cost(p, week)) * order) * share;
                total = total + k(discount) * (reward - price * left);
                stock[p] = left;
                placed[p] = order;
            }
            orders.insert(0, placed);
            orders.pop();
            discount *= Conventions::default().discount;
        }
        for book in books {
            total = total + k(discount) * book;
        }
    }
    (total.value(), total.derivative())
}

fn limit(week: usize, product: usize) -> f64 {
    [3.0, 9.0, 30.0][(week + product) % 3]
}

/// A vendor's limit and a coordinator that couples all products of a sample, in one tuple: the gradient in every parameter of policy
/// and coordinator is that of duals through the whole naive tape.
#[test]
fn a_vendors_limit_and_a_coordinator_differentiate_together() {
    for seed in 0..6 {
        let panel = panel(seed);
        let law = LeadTimes::uniform(0, 3, 0.3, seed).unwrap();
        let paths = Paths::new(&panel, &law, 2).unwrap();
        let replay = replay(&paths);
        let policy = Priced {
            theta: [1.1, 0.3],
            level: level(20.0),
        };
        let limits = Signals::from_fn(WEEKS, 1, PRODUCTS, |week, _, p| limit(week, p));
        let vendor = PostProcess::new(WEEKS, &[OrderRule::default(); PRODUCTS])
            .unwrap()
            .limited(limits)
            .unwrap();
        let market = (vendor, Coordinator::new(seed));
        let program = replay.record(&policy, &market).unwrap();
        let theta = [policy.theta().to_vec(), market.theta()].concat();
        let arrays = replay.arrays::<f64, _, _>(&policy, &market).unwrap();
        let weights = vec![1.0; paths.lanes()];
        let batch = arrays.batch(&program).unwrap().weights(&weights).unwrap();
        let gradient = device().gradient(&program, &theta, &batch).unwrap();
        let scale = gradient.params.iter().fold(1.0_f64, |m, g| m.max(g.abs()));
        for (at, found) in gradient.params.iter().enumerate() {
            let (value, derivative) = by_duals(&paths, &policy, &market.1, at);
            assert!((value - gradient.objective).abs() < 1e-9 * value.abs());
            let gap = (found - derivative).abs() / scale;
            assert!(gap < 1e-9, "parameter {at}: {found} {derivative}");
        }
        // The same market in a run: per sample its own coordinator, and the charge beside the reward.
        let outcomes = replay.run_in(&policy, &market, &device()).unwrap();
        assert!(outcomes.total(Quantity::Charge) > 0.0);
        let earned: f64 = (0..PRODUCTS)
            .map(|p| outcomes.accrued_reward(p).iter().sum::<f64>())
            .sum();
        assert!((earned - outcomes.reward()).abs() < 1e-4 * (1.0 + earned.abs()));
    }
}

/// Stock that spoils in the second week after it came, oldest sold first: its own state is what came last.
#[derive(Debug)]
struct Perishable;
impl Market for Perishable {
    fn states(&self) -> usize {
        1
    }
    #[inline(always)]
    fn close<S: Scalar>(&self, inputs: &MarketInputs<'_, S>, event: &mut Event<S>, next: &mut [S]) {
        let older = (event.on_hand - event.received).relu();
        let last = older.min(inputs.state[0]);
        next[0] = event.on_hand - older;
        event.write_off(older - last);
    }
}

/// The same by a list of deliveries.
#[test]
fn stock_spoils_by_age() {
    let panel = panel(3);
    let paths = Paths::new(&panel, &LeadTimes::fixed(1), 1).unwrap();
    let replay = replay(&paths);
    let policy = BaseStock::new("base stock", 1.0, level(30.0));
    let outcomes = replay
        .run_as::<f64, _, _>(&policy, &Perishable, &device())
        .unwrap();
    let program = replay.record(&policy, &Perishable).unwrap();
    let arrays = replay.arrays::<f64, _, _>(&policy, &Perishable).unwrap();
    let run = device()
        .forward(&program, policy.theta(), &arrays.batch(&program).unwrap())
        .unwrap();
    same(
        &outcomes,
        &replay.outcomes(&policy, &Perishable, &run).unwrap(),
        1e-10,
    )
    .unwrap();
    let mut spoiled = 0.0;
    for product in 0..PRODUCTS {
        // (age in weeks at the end, units), oldest first; the opening stock is older than all.
        let mut shelf: Vec<(usize, f64)> = vec![(5, 4.0)];
        for week in START..WEEKS {
            shelf.iter_mut().for_each(|lot| lot.0 += 1);
            shelf.push((0, outcomes.sample(Quantity::Received, product, 0, week)));
            let mut wanted = panel.demand(product, week);
            for lot in &mut shelf {
                let taken = wanted.min(lot.1);
                lot.1 -= taken;
                wanted -= taken;
            }
            spoiled += shelf
                .iter()
                .filter(|lot| lot.0 >= 2)
                .map(|lot| lot.1)
                .sum::<f64>();
            shelf.retain(|lot| lot.0 < 2);
            let left: f64 = shelf.iter().map(|lot| lot.1).sum();
            let found = outcomes.sample(Quantity::OnHand, product, 0, week);
            assert!((left - found).abs() < 1e-9, "week {week}: {left} {found}");
        }
    }
    assert!(spoiled > 10.0, "the case is one in which something spoils");
}

/// A storage price is charged for the volume on hand, and published with its forecasts.
#[test]
fn a_price_is_published_and_charged() {
    let panel = panel(5);
    let paths = Paths::new(&panel, &LeadTimes::fixed(1), 1).unwrap();
    let replay = replay(&paths);
    let forecast = Signals::from_fn(WEEKS, 3, PRODUCTS, |week, ahead, _| {
        0.05 * f64::from(u8::try_from(week + ahead).unwrap())
    });
    let volumes = [1.0, 0.5, 2.0];
    let policy = Priced {
        theta: [1.0, 0.1],
        level: level(20.0),
    };
    for resource in [Resource::Storage, Resource::Inbound] {
        let market = Price::new(resource, forecast.clone(), &volumes).unwrap();
        let outcomes = replay
            .run_as::<f64, _, _>(&policy, &market, &device())
            .unwrap();
        for (product, volume) in volumes.iter().enumerate() {
            for week in START..WEEKS {
                let at = |q| outcomes.sample(q, product, 0, week);
                let used = match resource {
                    Resource::Storage => at(Quantity::OnHand),
                    Resource::Inbound => at(Quantity::Received),
                };
                let charge = 0.05 * f64::from(u8::try_from(week).unwrap()) * volume * used;
                assert!((at(Quantity::Charge) - charge).abs() < 1e-9);
            }
        }
    }
    let dearer = Signals::from_fn(WEEKS, 1, PRODUCTS, |_, _, _| 2.0);
    let dear = Price::new(Resource::Storage, dearer, &volumes).unwrap();
    let free = Signals::from_fn(WEEKS, 1, PRODUCTS, |_, _, _| 0.0);
    let free = Price::new(Resource::Storage, free, &volumes).unwrap();
    let held = |market: &Price| {
        let outcomes = replay.run_in(&policy, market, &device()).unwrap();
        outcomes.total(Quantity::OnHand)
    };
    assert!(
        held(&dear) < held(&free),
        "a policy that sees the price holds less"
    );
}

/// Straight-through rounding passes the gradient of the unrounded order, the true derivative none.
#[test]
fn whole_units_pass_the_gradient_or_not() {
    let panel = panel(7);
    let paths = Paths::new(&panel, &LeadTimes::fixed(1), 1).unwrap();
    let replay = replay(&paths);
    let policy = BaseStock::new("base stock", 1.0, level(20.0));
    let gradient = |market: &PostProcess| {
        let program = replay.record(&policy, market).unwrap();
        let arrays = replay.arrays::<f64, _, _>(&policy, market).unwrap();
        let batch = arrays.batch(&program).unwrap();
        device()
            .gradient(&program, policy.theta(), &batch)
            .unwrap()
            .params[0]
    };
    let whole = PostProcess::whole_units(WEEKS, PRODUCTS).unwrap();
    let orders = replay.run_in(&policy, &whole, &device()).unwrap();
    for week in START..WEEKS {
        let units = orders.mean(Quantity::Supplied, 1, week);
        assert!((units - units.round()).abs() < 1e-6, "{units}");
    }
    assert!(gradient(&whole).abs() > 1e-3);
    let blind = whole.rounded(
        hindsight_exo_idp::market::Rounding::Nearest,
        RoundGradient::Zero,
    );
    assert!(gradient(&blind).abs() < 1e-12);
}
