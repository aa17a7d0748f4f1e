//! The joint roll-out of a buyer and whoever sets the prices, as a program.

use hindsight_exo_idp::Conventions;
use hindsight_exo_idp::period::{Exo, Position, State, period};
use hindsight_exo_idp::policy::{Observation, Policy};
use hindsight_gpu::{DelayLine, Program, Scalar, Shape as Sizes, Start, Step, Var};

use crate::buyer::{Buyer, signals};
use crate::coordinator::{Coordinator, contributions, level, unit_price};
use crate::error::count;
use crate::excess::LEAST;
use crate::limits::Kind;
use crate::shape::{
    ACCEPTED, ARRIVING, COST, DEMAND, HORIZON, OUTLOOK, PRICE, Shape, TERMINAL, WEIGHT,
};

use crate::train::scales;

/// What a coordinator is trained on.
///
/// With use $u$, limit $K$ (in denominators at least a tenth of the volume of a week's demand), excess $x_t = (u_t - (1 - m) K_t)^+ / K_t$, prices $\lambda_{t+h|t}$ in shares of the unit price and $m$ the margin that is kept free:
/// $$ \text{adherence} = \sum_t x_t + x_t^2 + \alpha \lambda_{t|t} \frac{((1 - m) K_t - u_t)^+}{K_t} + \beta \sum_h (\lambda_{t+h|t} - \lambda_{t+h|t-1})^2, $$
/// summed over resources and weighted by the discount. The dual loss has the mean over $h$ of $\lambda_{t|t-h} ((1 - m) K_t - \bar u_t) / K_t$, $\bar u$
/// held constant and the quotient within $[-1, 1]$, for the first two terms: its gradient is dual ascent by a network, in every forecast of the week's
/// price, since what is charged in a week moves orders of the weeks before, when it was announced. Prices above half of the largest that buyers are
/// trained at cost their excess over that: a buyer answers to them at random, and the ascent would run away. Both are our own formulation.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Loss {
    /// The kind.
    pub form: Form,
    /// $\alpha$: complementary slackness.
    pub slackness: f64,
    /// $\beta$: forecasts that do not move. Where this is small a coordinator charges little now and announces much for later, which it never charges.
    pub stability: f64,
    /// $m$: share of the limit that is kept free.
    pub margin: f64,
    /// Weight of the reward, over what a week's demand costs, beside the loss.
    pub reward: f64,
}

/// The form of a coordinator's loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Form {
    /// Adherence with slackness and stability.
    Adherence,
    /// The amortised dual.
    Dual,
}

impl Default for Loss {
    fn default() -> Self {
        Loss {
            form: Form::Adherence,
            slackness: 0.02,
            stability: 10.0,
            margin: 0.0,
            reward: 0.3,
        }
    }
}

/// Rows of a trace before the prices: on hand, received, ordered, reward, and what stock and orders are worth.
pub(crate) const TRACES: usize = 5;

/// What a lane's week came to.
pub(crate) struct Played<S> {
    pub(crate) state: Vec<S>,
    pub(crate) trace: [S; TRACES],
}

/// What a lane shows before it orders.
pub(crate) fn observe<S: Scalar>(shape: &Shape, exo: &[S], state: &[S]) -> (State<S>, Position<S>) {
    let state = State {
        on_hand: state[0],
        orders: state[1..=shape.lead].to_vec(),
        book: S::constant(0.0),
        schedule: None,
    };
    let mut seen = Position::empty(shape.lead);
    state.observe(&Conventions::default(), &exogenous(shape, exo), &mut seen);
    (state, seen)
}

fn exogenous<'a, S: Scalar>(shape: &Shape, exo: &'a [S]) -> Exo<'a, S> {
    Exo {
        demand: exo[DEMAND],
        price: exo[PRICE],
        cost: exo[COST],
        weight: S::constant(1.0),
        terminal: S::constant(0.0),
        active: S::constant(1.0),
        unknown: None,
        arriving: &exo[ARRIVING..=ARRIVING + shape.lead],
        outstanding: &exo[shape.outstanding()..shape.worth()],
        yields: None,
    }
}

/// Plays a lane's week at an order. Of what arrives, a share is accepted at the gate; the rest goes back to the vendor, who refunds what it is worth.
pub(crate) fn play<S: Scalar>(
    shape: &Shape,
    exo: &[S],
    mut state: State<S>,
    order: S,
) -> Played<S> {
    let accepted = exo[ACCEPTED];
    let arriving: Vec<S> = exo[ARRIVING..=ARRIVING + shape.lead]
        .iter()
        .map(|&share| share * accepted)
        .collect();
    let mut week = exogenous(shape, exo);
    week.arriving = &arriving;
    let event = period(&Conventions::default(), &week, &state, order);
    let due = state
        .orders
        .iter()
        .zip(&exo[ARRIVING + 1..])
        .fold(order * exo[ARRIVING], |sum, (&units, &share)| {
            sum + units * share
        });
    let refused = due - event.received;
    let unit = exo[shape.worth()];
    let reward = event.reward + unit * refused;
    let worth = unit * (event.position - refused);
    state.advance(&week, &event);
    Played {
        state: [&[state.on_hand], &state.orders[..]].concat(),
        trace: [event.on_hand, event.received, order, reward, worth],
    }
}

/// A recorded roll-out: parameters are the buyer's, then the coordinator's.
#[derive(Debug)]
pub(crate) struct Joint<'a> {
    pub(crate) shape: &'a Shape,
    pub(crate) buyer: &'a Buyer,
    /// Without one, the prices that were posted are charged, and the objective is the priced reward.
    pub(crate) coordinator: Option<(&'a Coordinator, Loss)>,
    /// Whether the prices are among the traces.
    pub(crate) traced: bool,
}

impl Joint<'_> {
    /// The number of parameters of the buyer and of both.
    pub(crate) fn params(&self) -> [usize; 2] {
        let own = self.buyer.theta().len();
        [
            own,
            own + self.coordinator.map_or(0, |(c, _)| c.theta().len()),
        ]
    }

    /// The parameters.
    pub(crate) fn theta(&self) -> Vec<f64> {
        let other = self.coordinator.map_or(&[][..], |(c, _)| c.theta());
        [self.buyer.theta(), other].concat()
    }

    pub(crate) fn program(&self) -> Program {
        let shape = self.shape;
        let [own, params] = self.params();
        let sizes = Sizes {
            params,
            lane: shape.lane(),
            exo: shape.exo(),
            shared: shape.shared(),
        };
        Program::record(
            sizes,
            |_, i| Start {
                state: i.lane[..=shape.lead].to_vec(),
                carry: vec![Var::constant(1.0).lane_sum()],
            },
            |_, i| {
                let (theta, omega) = i.params.split_at(own);
                let volumes = &i.lane[shape.lead + 2..];
                let (state, seen) = observe(shape, i.exo, i.state);
                let priced = self.coordinator.map(|(coordinator, loss)| {
                    let all = contributions(shape, i.exo, volumes, &seen);
                    let sums: Vec<Var<'_>> = all.into_iter().map(Scalar::lane_sum).collect();
                    let prices = coordinator.prices(omega, &sums, i.shared);
                    (prices, sums, loss)
                });
                let posted = &i.shared[shape.prices_at()..];
                let prices = priced.as_ref().map_or(posted, |(prices, ..)| prices);
                let published = prices.iter().enumerate();
                let published = published.map(|(k, &p)| p * volumes[k / (HORIZON + 1)]);
                let mut seen_by = signals(i.exo, i.lane[shape.lead + 1]);
                seen_by.extend(published);
                let observation = Observation {
                    inventory: &seen,
                    signals: &seen_by,
                };
                let order = self.buyer.order(theta, &observation, &mut []);
                let played = play(shape, i.exo, state, order);
                let money =
                    i.shared[WEIGHT] * played.trace[3] + i.shared[TERMINAL] * played.trace[4];
                let objective = match &priced {
                    None => money - charge(shape, &played, volumes, prices, i.shared[WEIGHT]),
                    Some((prices, sums, loss)) => {
                        let uses = uses(shape, &played, volumes).map(Scalar::lane_sum);
                        let uses: Vec<Var<'_>> = uses.collect();
                        let mut lines = vec![DelayLine::new(); memory(shape)];
                        let lost = lost(shape, loss, &uses, prices, sums, i.shared, &mut lines);
                        let week = sums[shape.resources() * (5 + shape.lead)];
                        let money = money * i.carry[0] / week * Scalar::constant(loss.reward);
                        if loss.reward > 0.0 {
                            money - lost
                        } else {
                            -lost
                        }
                    }
                };
                let mut traces = played.trace.to_vec();
                if self.traced {
                    traces.extend_from_slice(prices);
                }
                Step {
                    state: played.state,
                    objective,
                    traces,
                }
            },
        )
    }
}

/// What a lane uses of a resource, in units.
pub(crate) fn used<S: Scalar>(kind: Kind, trace: &[S; TRACES]) -> S {
    match kind {
        Kind::Storage => trace[0],
        Kind::Inbound => trace[1],
    }
}

/// What a lane uses of every resource, in volume.
fn uses<'a, S: Scalar>(
    shape: &'a Shape,
    played: &'a Played<S>,
    volumes: &'a [S],
) -> impl Iterator<Item = S> + 'a {
    let resources = shape.kinds.iter().zip(volumes);
    resources.map(|(&kind, &volume)| volume * used(kind, &played.trace))
}

/// What the prices of the week charge for a lane's use.
fn charge<S: Scalar>(
    shape: &Shape,
    played: &Played<S>,
    volumes: &[S],
    prices: &[S],
    weight: S,
) -> S {
    let uses = uses(shape, played, volumes).enumerate();
    uses.fold(S::constant(0.0), |sum, (r, used)| {
        sum + weight * prices[r * (HORIZON + 1)] * used
    })
}

/// The largest price that the dual loss asks, in shares of the unit price.
fn ceiling(kind: Kind) -> f64 {
    0.5 * scales(kind)[1]
}

/// Lines of a loss: what was announced a week ago, and the forecasts of this week.
fn memory(shape: &Shape) -> usize {
    2 * HORIZON * shape.resources()
}

/// The loss of a group's week, given its use of every resource; `lines` keep the prices' past.
fn lost<S: Scalar>(
    shape: &Shape,
    loss: &Loss,
    uses: &[S],
    prices: &[S],
    sums: &[S],
    shared: &[S],
    lines: &mut [DelayLine<S>],
) -> S {
    let constant = S::constant;
    let unit = |r: usize| unit_price(shape, sums, r);
    let resources = uses.len();
    let mut sum = constant(0.0);
    for (r, &used) in uses.iter().enumerate() {
        let limit = shared[OUTLOOK + r * (HORIZON + 1)];
        let kept = limit * constant(1.0 - loss.margin);
        // A week without room is measured by what is sold in a week.
        let rate = level(shape, sums, r) + constant(1e-9);
        let scale = limit.max(rate * constant(LEAST));
        let own = &prices[r * (HORIZON + 1)..(r + 1) * (HORIZON + 1)];
        let price = own[0] / unit(r);
        sum = sum
            + match loss.form {
                Form::Adherence => {
                    let over = (used - kept).relu() / scale;
                    over + over * over
                        + constant(loss.slackness) * price * (kept - used).relu() / scale
                }
                Form::Dual => {
                    let lines = &mut lines[(resources + r) * HORIZON..][..HORIZON];
                    // No single week throws all others off.
                    let free = ((kept - used.detach()) / scale)
                        .min(constant(1.0))
                        .max(constant(-1.0));
                    let ceiling = constant(ceiling(shape.kinds[r]));
                    let term = |price: S| price * free + (price - ceiling).relu();
                    let earlier = own[1..].iter().zip(1..).zip(lines);
                    let all = earlier.fold(term(price), |sum, ((&ahead, lag), line)| {
                        sum + term(ahead.delay(lag, line) / unit(r))
                    });
                    all * constant(1.0 / count(HORIZON + 1))
                }
            };
        if loss.stability > 0.0 {
            let lines = &mut lines[r * HORIZON..][..HORIZON];
            let moved = (own[..HORIZON].iter().zip(&own[1..]).zip(lines))
                .map(|((&now, &ahead), line)| (now - ahead.delay(1, line)) / unit(r))
                .fold(constant(0.0), |sum, gap| sum + gap * gap);
            sum = sum + constant(loss.stability) * moved;
        }
    }
    shared[WEIGHT] * sum
}

#[cfg(test)]
mod tests;
