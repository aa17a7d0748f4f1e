//! Tests of the gradient through the replay, against the adjoint that the paper's model has in closed form.

use gpu::numbers::Dual;
use gpu::{DelayLine, Device, Executor, Scalar};
use proptest::prelude::*;

use crate::conventions::{Conventions, Terminal};
use crate::panel::{Columns, Panel};
use crate::paths::Paths;
use crate::period::{Exo, Position, State, period};
use crate::policy::{Anchor, Neural, NeuralConfig, Observation, Plan, Policy, Signals};
use crate::replay::{Replay, Window};
use crate::{Arrivals, LeadTimes};

/// Open loop: the orders are the signal.
#[derive(Debug)]
struct Given(Signals);

impl Policy for Given {
    fn name(&self) -> &'static str {
        "given"
    }
    fn signals(&self) -> Option<&Signals> {
        Some(&self.0)
    }
    fn order<S: Scalar>(&self, _: &[S], seen: &Observation<'_, S>, _: &mut [DelayLine<S>]) -> S {
        seen.signals[0]
    }
}

const WEEKS: usize = 20;

fn world(demand: &[f64], price: &[f64], cost: &[f64]) -> Panel {
    let columns = Columns {
        demand: demand.to_vec(),
        price: price.to_vec(),
        cost: cost.to_vec(),
        present: vec![true; demand.len()],
        covariates: vec![],
    };
    let names = (0..demand.len() / WEEKS).map(|p| p.to_string()).collect();
    Panel::new(names, WEEKS, columns).unwrap()
}

fn numbers(range: std::ops::Range<f64>, products: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(range, products * WEEKS)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// $\mu_t = \gamma^t p_t 1\lbrace I^-_t < D_t\rbrace + 1\lbrace I^-_t > D_t\rbrace \mu_{t+1}$ and $dJ/da_k = -\gamma^k c_k + \mu_{k+v_k}$, to 1e-10.
    #[test]
    fn the_gradient_of_open_loop_orders_is_the_adjoint(
        demand in numbers(0.0..20.0, 2), price in numbers(4.0..9.0, 2), cost in numbers(1.0..5.0, 2),
        orders in numbers(0.0..20.0, 2), gamma in 0.9_f64..1.0, longest in 0_usize..5, seed in 0_u64..1000,
    ) {
        let panel = world(&demand, &price, &cost);
        let law = LeadTimes::uniform(0, longest, 0.3, seed).unwrap();
        let paths = Paths::new(&panel, &law, 2).unwrap();
        let conventions = Conventions { discount: gamma, terminal: Terminal::Nothing, ..Conventions::default() };
        let replay = Replay::new(&paths, conventions, Window { scored: 0..WEEKS, warm_up: 0 }, &[3.0, 4.0]).unwrap();
        let policy = Given(Signals::from_fn(WEEKS, 1, 2, |week, _, product| orders[product * WEEKS + week]));
        let program = replay.record(&policy, &()).unwrap();
        let inputs = replay.arrays::<f64, _, _>(&policy, &()).unwrap();
        let weights = vec![1.0; paths.lanes()];
        let batch = inputs.batch(&program).unwrap().weights(&weights).unwrap().differentiate_inputs();
        let gradient = Device::cpu(1).gradient(&program, &[], &batch).unwrap();
        let outcomes = replay.run_as::<f64, _, _>(&policy, &(), &Device::cpu(1)).unwrap();
        let (lanes, rows) = (paths.lanes(), program.shape().exo);
        for lane in 0..lanes {
            let (product, sample) = (paths.product(lane), lane / panel.products());
            let mut mu = vec![0.0; WEEKS + longest + 1];
            let mut power: Vec<f64> = Vec::new();
            for week in 0..WEEKS {
                power.push(gamma.powi(i32::try_from(week).unwrap()));
            }
            for week in (0..WEEKS).rev() {
                let short = outcomes.sample(crate::replay::Quantity::Unmet, product, sample, week) > 0.0;
                mu[week] = if short { power[week] * panel.price(product, week) } else { mu[week + 1] };
            }
            for week in 0..WEEKS {
                let lead = law.lead_time(product, sample, i64::try_from(week).unwrap());
                let exact = mu[week + lead] - power[week] * panel.cost(product, week);
                let found = gradient.exo[(week * rows + rows - 1) * lanes + lane];
                prop_assert!((found - exact).abs() < 1e-10, "week {week}, lead {lead}: {found} {exact}");
            }
        }
    }

    /// The closed loop adds the chain through the stock: reverse mode = forward duals for every parameter of a small network.
    #[test]
    fn reverse_mode_through_the_policy_is_the_forward_derivative(
        demand in numbers(1.0..20.0, 1), price in numbers(4.0..9.0, 1), cost in numbers(1.0..5.0, 1),
        anchored in any::<bool>(), seed in 0_u64..1000, coordinate in 0_usize..200,
    ) {
        let panel = world(&demand, &price, &cost);
        let law = LeadTimes::uniform(0, 2, 0.3, seed).unwrap();
        let paths = Paths::new(&panel, &law, 1).unwrap();
        let conventions = Conventions { holding: 0.1, penalty: 0.5, ..Conventions::default() };
        let window = Window { scored: 3..WEEKS, warm_up: 3 };
        let replay = Replay::new(&paths, conventions, window, &[8.0]).unwrap();
        let config = NeuralConfig { channels: 3, dilations: vec![1, 2], hidden: 4 };
        let plan = Plan { horizon: 1, price: true };
        let levels = [30.0, 0.0, 12.0].map(|units| Signals::from_fn(WEEKS, 1, 1, |_, _, _| units));
        let anchor = Anchor::new(levels[..1 + coordinate % 3].to_vec(), None).unwrap();
        let net = Neural::new(&panel, 0..10, law.max_lead_time(), plan, &conventions, &config, anchored.then_some(&anchor), seed).unwrap();
        let coordinate = coordinate % net.theta().len();
        let program = replay.record(&net, &()).unwrap();
        let inputs = replay.arrays::<f64, _, _>(&net, &()).unwrap();
        let gradient = Device::cpu(1).gradient(&program, net.theta(), &inputs.batch(&program).unwrap()).unwrap();
        let forward = by_duals(&replay, &net, coordinate);
        let charge = replay.opening_charge(0);
        let booked = replay.run_as::<f64, _, _>(&net, &(), &Device::cpu(1)).unwrap().objective(0);
        prop_assert!((forward.value() - charge - booked).abs() < 1e-9 * (1.0 + booked.abs()));
        let (a, b) = (gradient.params[coordinate], forward.derivative());
        prop_assert!((a - b).abs() < 1e-10 * (1.0 + a.abs().max(b.abs()) + booked.abs()), "{a} {b}");
    }
}

/// The objective of lane 0 on dual numbers, by the period itself: no recorder in between.
fn by_duals(replay: &Replay<'_>, net: &Neural, coordinate: usize) -> Dual {
    let (paths, panel) = (replay.paths(), replay.paths().panel());
    let theta: Vec<Dual> = net
        .theta()
        .iter()
        .enumerate()
        .map(|(i, &x)| {
            if i == coordinate {
                Dual::variable(x)
            } else {
                Dual::constant(x)
            }
        })
        .collect();
    let dual = <Dual as Scalar>::constant;
    let opening = replay.opening();
    let mut state = State {
        on_hand: dual(opening.on_hand()[0]),
        orders: (0..paths.max_lead_time())
            .map(|age| dual(opening.orders(age)[0]))
            .collect(),
        book: dual(replay.opening_charge(0)),
        schedule: None,
    };
    let mut seen = Position::empty(paths.max_lead_time());
    let mut memory = vec![DelayLine::new(); net.delay_lines()];
    let mut total = dual(0.0);
    for week in replay.window().seen() {
        let (weight, terminal) = replay.weights(week);
        let arriving: Vec<Dual> = (0..=paths.max_lead_time())
            .map(|k| dual(paths.arriving(week, k)[0]))
            .collect();
        let outstanding: Vec<Dual> = (0..paths.max_lead_time())
            .map(|k| dual(paths.outstanding(week, k)[0]))
            .collect();
        let exo = Exo {
            unknown: None,
            demand: dual(panel.demand(0, week)),
            price: dual(panel.price(0, week)),
            cost: dual(panel.cost(0, week)),
            weight: dual(weight),
            terminal: dual(terminal),
            active: dual(1.0),
            arriving: &arriving,
            outstanding: &outstanding,
            yields: None,
        };
        let signals: Vec<Dual> = net.signals().map_or(Vec::new(), |s| {
            (0..s.rows()).map(|k| dual(s.row(week, k)[0])).collect()
        });
        state.observe(replay.conventions(), &exo, &mut seen);
        let order = net.order(
            &theta,
            &Observation {
                inventory: &seen,
                signals: &signals,
            },
            &mut memory,
        );
        let event = period(replay.conventions(), &exo, &state, order);
        total = total + event.booked(&exo);
        if replay.window().scored.contains(&week) {
            state.advance(&exo, &event);
        }
    }
    total
}
