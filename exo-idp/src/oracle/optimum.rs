//! The most that could have been earned, had everything been known.

use super::piecewise::Piecewise;
use crate::conventions::{Receipts, Unmet};
use crate::replay::Replay;

/// The most that any orders could have earned on a lane, had demand, prices, costs and arrivals been known: the hindsight optimum.
///
/// The stock that the replay opens with is sold first, holding, penalty, back-orders, discount and the conventions of the week are
/// those of the replay, and stock is sold whenever there is demand for it. With effective purchase costs $C_k$ and the value $V_t(x)$ of
/// $x$ units before the receipts of week $t$, sales lost and received before demand,
/// $$ V_t(x) = \max_{y \ge x} \Bigl[ \gamma^t (p_t s - b (D_t - s) - h_t (y - s)) + V_{t+1}(y - s) - \min_k C_k (y - x) \Bigr], \quad s = \min(D_t, y), $$
/// over the orders $k$ that arrive in week $t$; the other conventions likewise. $V_t$ is piecewise linear, and all of it is computed,
/// backwards, in a few operations on its corners, those left out that more stock would take than pays.
///
/// Where stock is worth nothing at the end this is attained by some orders, exactly. A unit that is left is worth $\kappa$ times what it
/// cost, and the replay books the average cost of what there is; here every unit sold is charged to some unit that was ordered before,
/// which earns no less. With prices $\mu_t$ on that charge (its duals), $C_k = \gamma^k c_k - \max(\gamma^T \kappa c_k, \mu_k)$ and a unit
/// sold in week $t$ brings $\mu_t$ less. Any prices that never rise give an upper bound; the least over a family of them is returned:
/// exact where costs do not change, else above what any orders earn. For an order that arrives in pieces every piece is taken to be
/// bought by itself, which earns no less. Our own formulation; it replaces the bound of the paper's kind, which sells the opening stock
/// on top of all demand and knows no holding.
///
/// In money, opening stock charged as in [`Outcomes::objective`](crate::Outcomes::objective). A few microseconds for a year of weeks
/// without value at the end, some two hundred with one.
///
/// ```
/// use hindsight_exo_idp::conventions::Terminal;
/// use hindsight_exo_idp::oracle::hindsight_optimum;
/// use hindsight_exo_idp::panel::Columns;
/// use hindsight_exo_idp::{Conventions, LeadTimes, Panel, Paths, Replay, Window};
/// let columns = Columns {
///     demand: vec![5.0; 12],
///     price: vec![10.0; 12],
///     cost: vec![4.0; 12],
///     present: vec![true; 12],
///     covariates: vec![],
/// };
/// let panel = Panel::new(vec!["tea".into()], 12, columns)?;
/// let paths = Paths::new(&panel, &LeadTimes::fixed(0), 1)?;
/// let conventions = Conventions { discount: 1.0, terminal: Terminal::Nothing, ..Conventions::default() };
/// let window = Window { scored: 2..12, warm_up: 2 };
/// let replay = Replay::new(&paths, conventions, window, &[5.0])?;
/// // Ten weeks of five units; the five that were there cost four each as well.
/// assert_eq!(hindsight_optimum(&replay, 0), 10.0 * 5.0 * (10.0 - 4.0));
/// # Ok::<(), hindsight_exo_idp::Error>(())
/// ```
///
/// # Panics
/// Like an index into an array, when the lane does not exist.
#[must_use]
pub fn hindsight_optimum(replay: &Replay<'_>, lane: usize) -> f64 {
    Known::of(replay, lane).optimum().1
}

/// Where a piecewise linear function on `[0, high]` is smallest, and that value, where it is convex; else a value of it that is small.
///
/// Four points are held, the smallest value between the outer ones. Lines through two neighbours lie below the function elsewhere:
/// where it meets the crossing of two such lines, or is one line as far as the end, that is the smallest value.
fn least(f: impl Fn(f64) -> f64, high: f64) -> (f64, f64) {
    const ENOUGH: f64 = 1e-13;
    let slope = |p: (f64, f64), q: (f64, f64)| (q.1 - p.1) / (q.0 - p.0);
    let lower = |p: (f64, f64), q: (f64, f64)| if q.1 < p.1 { q } else { p };
    let (mut a, mut b) = ((0.0, f(0.0)), (high, f(high)));
    let mut best = lower(a, b);
    for _ in 0..100 {
        if b.0 - a.0 <= f64::EPSILON * high {
            break;
        }
        let third = (b.0 - a.0) / 3.0;
        let (c, d) = (a.0 + third, b.0 - third);
        let (c, d) = ((c, f(c)), (d, f(d)));
        best = lower(lower(best, c), d);
        let enough = ENOUGH * (1.0 + best.1.abs());
        let (left, middle, right) = (slope(a, c), slope(c, d), slope(d, b));
        if left >= 0.0 {
            if a.1 <= c.1 - middle * third + enough {
                break;
            }
            b = c;
        } else if right <= 0.0 {
            if b.1 <= d.1 + middle * third + enough {
                break;
            }
            a = d;
        } else {
            let x = (d.1 - c.1 + left * c.0 - right * d.0) / (left - right);
            let here = f(x);
            best = lower(best, (x, here));
            if here <= c.1 + left * (x - c.0) + enough {
                break;
            }
            (a, b) = if c.1 <= d.1 { (a, d) } else { (c, b) };
        }
    }
    best
}

/// One lane, all of it known; money is discounted to the first scored week.
pub(super) struct Known {
    weeks: Vec<KnownWeek>,
    receipts: Receipts,
    unmet: Unmet,
    /// Units on hand at the opening, and all units that were bought before it.
    on_hand: f64,
    units: f64,
    book: f64,
    /// What a share of its cost a unit is worth at the end, discounted: $\gamma^T \kappa$.
    end: f64,
}

struct KnownWeek {
    demand: f64,
    /// Discounted: price, penalty and holding of a unit.
    price: f64,
    penalty: f64,
    holding: f64,
    /// Units that arrive of the orders before the opening.
    opening: f64,
    /// Discounted cost of a unit ordered in the week; none where nothing can be.
    cost: Option<f64>,
    /// The orders of which a part arrives.
    offers: Vec<Offer>,
}

/// Units that arrive in a week, and the week of their order, from the first scored one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delivery {
    pub(super) placed: usize,
    pub(super) units: f64,
}

struct Offer {
    /// The week of the order, from the first scored one.
    placed: usize,
    /// Cost of a unit, discounted, and plain.
    paid: f64,
    cost: f64,
}

impl Known {
    pub(super) fn of(replay: &Replay<'_>, lane: usize) -> Self {
        let (paths, panel, conventions) =
            (replay.paths(), replay.paths().panel(), replay.conventions());
        let product = paths.product(lane);
        let scored = replay.window().scored.clone();
        let power = |n: usize| {
            let n = i32::try_from(n).unwrap_or(i32::MAX);
            conventions.discount.powi(n)
        };
        let powers: Vec<f64> = (0..scored.len()).map(power).collect();
        let (due, coming) = replay.opening_due(lane);
        let offer = |k: usize| {
            let (placed, cost) = (k - scored.start, panel.cost(product, k));
            Offer {
                placed,
                paid: powers[placed] * cost,
                cost,
            }
        };
        let can = |k: usize| panel.on_sale(product, k);
        let weeks = scored.clone().map(|week| {
            let discount = powers[week - scored.start];
            // Nothing is charged in a week whose demand is not known, though orders can be placed in it.
            let charged = if can(week) && !panel.present(product, week) {
                0.0
            } else {
                discount
            };
            let first = week.saturating_sub(paths.max_lead_time()).max(scored.start);
            let arriving =
                (first..=week).filter(|&k| can(k) && paths.arriving(week, week - k)[lane] > 0.0);
            KnownWeek {
                demand: panel.demand(product, week),
                price: discount * panel.price(product, week),
                penalty: charged * conventions.penalty,
                holding: charged
                    * (conventions.holding_share * panel.cost(product, week) + conventions.holding),
                opening: due.get(week - scored.start).copied().unwrap_or(0.0),
                cost: can(week).then(|| discount * panel.cost(product, week)),
                offers: arriving.map(offer).collect(),
            }
        });
        let on_hand = replay.opening().on_hand()[lane];
        Known {
            weeks: weeks.collect(),
            receipts: conventions.receipts,
            unmet: conventions.unmet,
            on_hand,
            units: on_hand.max(0.0) + coming,
            book: replay.opening_charge(lane),
            end: power(scored.len()) * conventions.salvage(),
        }
    }

    /// The optimum, and the prices on what is sold that give it.
    pub(super) fn optimum(&self) -> (Vec<f64>, f64) {
        let fixed = (self.end - 1.0) * self.book;
        if self.end <= 0.0 {
            let prices = vec![0.0; self.weeks.len()];
            let value = self.value(&prices, |_| ()) + fixed;
            return (prices, value);
        }
        let most = |level: f64| {
            let prices = self.prices(level);
            // What units that were there at the opening spare, where dearer ones are sold in their place.
            let spared = (prices[0] - self.end * self.opening_cost()).max(0.0) * self.units;
            self.value(&prices, |_| ()) + spared
        };
        let (level, value) = least(most, self.highest());
        (self.prices(level), value + fixed)
    }

    /// What best orders bring, by week of arrival, given the prices on what is sold.
    pub(super) fn deliveries(&self, prices: &[f64]) -> Vec<Delivery> {
        let mut values: Vec<Piecewise> = Vec::with_capacity(self.weeks.len());
        self.value(prices, |value| values.push(value.clone()));
        let left = |week: &KnownWeek, stock: f64| match self.unmet {
            Unmet::Lost => (stock - week.demand).max(0.0),
            Unmet::Backordered => stock - week.demand,
        };
        let mut stock = self.on_hand;
        let deliveries = self
            .weeks
            .iter()
            .zip(values.iter().rev())
            .map(|(week, value)| {
                if self.receipts == Receipts::AfterDemand {
                    stock = left(week, stock);
                }
                let there = stock + week.opening;
                let (placed, cost) = self.cheapest(week, prices);
                stock = value.raised(there, cost);
                let units = stock - there;
                if self.receipts == Receipts::BeforeDemand {
                    stock = left(week, stock);
                }
                Delivery { placed, units }
            });
        deliveries.collect()
    }

    /// The order of which a unit that arrives in a week costs least, and that cost; infinite where none arrives.
    fn cheapest(&self, week: &KnownWeek, prices: &[f64]) -> (usize, f64) {
        let cost = |o: &Offer| (o.placed, o.paid - prices[o.placed].max(self.end * o.cost));
        let lower = |a: (usize, f64), b: (usize, f64)| if b.1 < a.1 { b } else { a };
        week.offers.iter().map(cost).fold((0, f64::INFINITY), lower)
    }

    /// Cost of a unit that was there at the opening.
    fn opening_cost(&self) -> f64 {
        if self.units > 0.0 {
            self.book / self.units
        } else {
            0.0
        }
    }

    /// A level cut, week by week, to the lowest cost at which anything was ordered before: no order is worth placing for nothing but what
    /// it spares.
    fn prices(&self, level: f64) -> Vec<f64> {
        let mut price = level;
        let cut = self.weeks.iter().map(|week| {
            price = price.min(week.cost.unwrap_or(f64::INFINITY));
            price
        });
        cut.collect()
    }

    /// The most that any unit is worth at the end: prices above it only spare what nobody would have sold.
    fn highest(&self) -> f64 {
        let offers = self.weeks.iter().flat_map(|week| &week.offers);
        let costs = offers.map(|offer| offer.cost);
        self.end * costs.fold(self.opening_cost(), f64::max)
    }

    /// What the lane earns beside the value of its opening stock at the end, with the prices on what is sold. `receiving` sees, from the
    /// last week to the first, the value of the stock after what the week brings.
    fn value(&self, prices: &[f64], mut receiving: impl FnMut(&Piecewise)) -> f64 {
        let cheapest = |week: &KnownWeek| self.cheapest(week, prices).1;
        let costs: Vec<f64> = self.weeks.iter().map(cheapest).collect();
        let most = self.most_held(&costs);
        let mut value = Piecewise::zero();
        for (at, week) in self.weeks.iter().enumerate().rev() {
            let (cost, price) = (costs[at], week.price - prices[at]);
            match (self.receipts, self.unmet) {
                (Receipts::BeforeDemand, Unmet::Lost) => {
                    week.sell_or_lose(&mut value, price);
                    receiving(&value);
                    week.receive(&mut value, cost);
                }
                (Receipts::AfterDemand, Unmet::Lost) => {
                    receiving(&value);
                    week.receive(&mut value, cost);
                    week.sell_or_lose(&mut value, price);
                }
                // What waits before the week is sold in it unless it still waits after it: the price counts on both sides.
                (Receipts::BeforeDemand, Unmet::Backordered) => {
                    value.bend(0.0, price + week.penalty, -week.holding);
                    value.raise(price * week.demand);
                    value.shift(week.demand);
                    receiving(&value);
                    week.receive(&mut value, cost);
                    value.bend(0.0, -price, 0.0);
                }
                (Receipts::AfterDemand, Unmet::Backordered) => {
                    value.bend(0.0, price, 0.0);
                    receiving(&value);
                    week.receive(&mut value, cost);
                    value.bend(0.0, week.penalty, -week.holding);
                    value.raise(price * week.demand);
                    value.shift(week.demand);
                    value.bend(0.0, -price, 0.0);
                }
            }
            value.forget_above(most[at]);
        }
        value.at(self.on_hand)
    }

    /// Stock at the beginning of every week that some best orders do not exceed, given the costs of units by the week of their arrival.
    ///
    /// Units are sold in the order in which they came. One that arrives in week $k$ and waits beyond a later week $n$ with
    /// $C_n \le C_k + h_k + \dots + h_{n-1}$ (from $h_{k+1}$ to $h_n$ where orders arrive after demand) might as well arrive in $n$: until
    /// then all demand is met without it. So there is never more than what was there at the opening and what will be wanted until the last
    /// such week of any unit that has come. It keeps the work on long records in proportion to their weeks.
    fn most_held(&self, costs: &[f64]) -> Vec<f64> {
        let weeks = self.weeks.len();
        let mut held = 0.0;
        // By week of arrival: the cost less all holding before, smaller where waiting pays.
        let worth: Vec<f64> = costs
            .iter()
            .zip(&self.weeks)
            .map(|(cost, week)| {
                let before = held;
                held += week.holding;
                // What arrives after demand is not held in its week.
                cost - match self.receipts {
                    Receipts::BeforeDemand => before,
                    Receipts::AfterDemand => held,
                }
            })
            .collect();
        // The next week that is no dearer, by comparing with the ends of the weeks behind.
        let mut until = vec![weeks; weeks];
        for week in (0..weeks).rev() {
            let mut next = week + 1;
            while next < weeks && worth[next] > worth[week] {
                next = until[next];
            }
            until[week] = next;
        }
        let mut wanted = vec![0.0; weeks + 1];
        for (week, known) in self.weeks.iter().enumerate() {
            wanted[week + 1] = wanted[week] + known.demand;
        }
        let mut last = 0;
        let most = until.iter().enumerate().map(|(week, &until)| {
            if worth[week].is_finite() {
                last = last.max(until);
            }
            self.units + wanted[weeks.min(last.max(week) + 1)] - wanted[week]
        });
        most.collect()
    }
}

impl KnownWeek {
    /// From the value of what is left to that of what is there before demand.
    fn sell_or_lose(&self, value: &mut Piecewise, price: f64) {
        value.level_below(0.0);
        value.bend(0.0, 0.0, -self.holding);
        value.shift(self.demand);
        value.bend(self.demand, price + self.penalty, 0.0);
        value.raise(price * self.demand);
    }

    /// From the value of what is there after receipts to that before them.
    fn receive(&self, value: &mut Piecewise, cost: f64) {
        value.buy(cost);
        value.shift(-self.opening);
    }
}
