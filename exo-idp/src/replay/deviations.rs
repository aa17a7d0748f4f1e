//! What one order more, or one less, would have earned: deviations from a base path, one week at a time.

use std::ops::Range;

use gpu::numbers::Lanes;
use gpu::{Device, Executor, Part, Real, Scalar};

use super::bundle::Bundle;
use super::rows::Source;
use super::run::{Runner, WIDTH};
use super::setup::Replay;
use super::week::{Booked, Scratch, Traveller, Week};
use crate::conventions::Conventions;
use crate::error::{Error, within};
use crate::market::{Market, MarketInputs};
use crate::outcomes::{Outcomes, Quantity};
use crate::policy::{Policy, Signals};

/// A way to change one order: $\max(m a + u, 0)$ in place of $a$.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Arm {
    /// What the order is multiplied by, $m$.
    pub times: f64,
    /// What is added, $u$, in units or in those of [`Deviations::units`].
    pub plus: f64,
}

/// Which deviations are tried.
///
/// In every scored week and with every arm, the order of that week alone is changed; from then on the policy acts on the stock that
/// it finds. What is compared is the money of so many weeks, the changed one included.
#[derive(Debug, Clone, PartialEq)]
pub struct Deviations {
    /// The ways to change an order.
    pub arms: Vec<Arm>,
    /// Weeks that are followed, the changed one included; fewer before the end. Too few flip signs: the lead time and the time to
    /// sell out should be in them.
    pub reach: usize,
    /// The unit in which [`Arm::plus`] is told, of every product (its batch, its mean demand); none for units.
    pub units: Option<Vec<f64>>,
}

/// What deviations earn, by week, arm and lane.
#[derive(Debug, Clone, PartialEq)]
pub struct Gains {
    weeks: Range<usize>,
    arms: usize,
    lanes: usize,
    /// `[week][arm][lane]`
    values: Vec<f64>,
}

impl Gains {
    /// The weeks whose orders were changed.
    #[must_use]
    pub fn weeks(&self) -> Range<usize> {
        self.weeks.clone()
    }

    /// The number of arms.
    #[must_use]
    pub fn arms(&self) -> usize {
        self.arms
    }

    /// The number of lanes.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// What changing the order of a week with an arm earns, by lane: money, discounted to that week.
    ///
    /// # Panics
    /// Like an index into an array, when week or arm were not tried.
    #[must_use]
    pub fn of(&self, week: usize, arm: usize) -> &[f64] {
        assert!(arm < self.arms, "arm {arm} of {}", self.arms);
        let row = (week - self.weeks.start) * self.arms + arm;
        &self.values[row * self.lanes..][..self.lanes]
    }
}

impl<'p> Replay<'p> {
    /// What one-step deviations from a policy's path would earn: for every scored week $t$, arm and lane,
    /// $$ \sum_{v=t}^{e-1} \gamma^{v-t} \Delta R_v + \gamma^{e-t} \kappa \Delta V_{e-1}, \qquad e = \min(t + \text{reach}, \text{end}), $$
    /// with rewards $R$ (less what the market charges), the book value $V$ of stock and outstanding orders, the share $\kappa$ of it
    /// that is kept ([`Conventions::salvage`](crate::Conventions::salvage)), and $\Delta$ the path with the changed order less the base
    /// path. So a deviation is worth what it would be if the horizon ended with its last week.
    ///
    /// The base path is walked once; every deviation is forked from it in memory, with the policy's own memory as it stands. Networks
    /// run as programs, once per week and arm, from the first week on.
    ///
    /// ```
    /// use hindsight_gpu::Device;
    /// use hindsight_exo_idp::policy::{BaseStock, Signals};
    /// use hindsight_exo_idp::panel::Columns;
    /// use hindsight_exo_idp::replay::{Arm, Deviations};
    /// use hindsight_exo_idp::{Conventions, LeadTimes, Panel, Paths, Replay, Window};
    /// # let columns = Columns {
    /// #     demand: (0..30).map(|week| f64::from(3 + week % 4)).collect(),
    /// #     price: vec![10.0; 30],
    /// #     cost: vec![6.0; 30],
    /// #     present: vec![true; 30],
    /// #     covariates: vec![],
    /// # };
    /// # let panel = Panel::new(vec!["tea".into()], 30, columns)?;
    /// # let paths = Paths::new(&panel, &LeadTimes::fixed(1), 1)?;
    /// # let window = Window { scored: 5..30, warm_up: 5 };
    /// # let replay = Replay::new(&paths, Conventions::default(), window, &[4.0])?;
    /// // Too low a level: every further unit pays.
    /// let policy = BaseStock::new("low", 1.0, Signals::from_fn(30, 1, 1, |_, _, _| 6.0));
    /// let deviations = Deviations {
    ///     arms: vec![Arm { times: 1.0, plus: 1.0 }, Arm { times: 0.0, plus: 0.0 }],
    ///     reach: 6,
    ///     units: None,
    /// };
    /// let gains = replay.deviations(&policy, &(), &deviations, &Device::best())?;
    /// assert!(gains.of(12, 0)[0] > 0.0 && gains.of(12, 1)[0] < 0.0);
    /// # Ok::<(), hindsight_exo_idp::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no arm, a number of one is not finite, the reach is zero, there is not one unit per product, the policy or the
    /// market joins the lanes, and as [`run_in`](Replay::run_in).
    pub fn deviations<P: Policy, M: Market>(
        &self,
        policy: &P,
        market: &M,
        deviations: &Deviations,
        device: &Device,
    ) -> Result<Gains, Error> {
        deviations.validate(self)?;
        let program = self.record(policy, market)?;
        if program.joins_lanes() {
            return Err(Error::Joined(policy.name().to_owned()));
        }
        if policy.is_network() || market.is_network() {
            self.deviations_of_program(policy, market, deviations, device)
        } else {
            self.deviations_as::<Lanes<WIDTH>, P, M>(policy, market, deviations, device)
        }
    }

    /// The same with a chosen number type, `f64` or [`Lanes`], and no program.
    ///
    /// # Errors
    /// As [`deviations`](Replay::deviations), except that sums over lanes are not noticed.
    pub fn deviations_as<S: Bundle, P: Policy, M: Market>(
        &self,
        policy: &P,
        market: &M,
        deviations: &Deviations,
        device: &Device,
    ) -> Result<Gains, Error> {
        deviations.validate(self)?;
        let source = Source::new(self, policy, market)?;
        let layout = source.layout();
        let opening = self.opening_rows(layout.scheduled(), layout.own())?;
        let week = Week::new(&source, policy, market);
        let runner = Runner::<S, P, M>::new(&source, week, &opening);
        let work = |first: usize| {
            S::work(
                #[inline(always)]
                || runner.fork(first, deviations),
            )
        };
        let mut gains = deviations.empty(self);
        let lanes = gains.lanes;
        runner.bundles(device, work, |first, values: Vec<f64>| {
            let count = S::WIDTH.min(lanes - first);
            for (row, values) in values.chunks_exact(S::WIDTH).enumerate() {
                gains.values[row * lanes + first..][..count].copy_from_slice(&values[..count]);
            }
        });
        Ok(gains)
    }

    /// The same for networks: the arm is a parameter, the changed week a row.
    fn deviations_of_program<P: Policy, M: Market>(
        &self,
        policy: &P,
        market: &M,
        deviations: &Deviations,
        device: &Device,
    ) -> Result<Gains, Error> {
        let panel = self.paths().panel();
        let rows = Signals::from_fn(panel.weeks(), 2, panel.products(), |_, row, product| {
            if row == UNIT {
                deviations.unit(product)
            } else {
                0.0
            }
        });
        let altered = (Altered(rows), market);
        let program = self.record(policy, &altered)?;
        let mut arrays = self.arrays::<f32, P, _>(policy, &altered)?;
        let mark = program.shape().exo - market.rows() - (2 - MARK);
        let theta = |arm: Arm| -> Vec<f32> {
            let arm = [arm.times, arm.plus];
            let all = [policy.theta(), &arm, &market.theta()].concat();
            all.into_iter().map(f32::from_f64).collect()
        };
        let keep = Arm {
            times: 1.0,
            plus: 0.0,
        };
        let base = {
            let mut session = device.open(&program, arrays.batch(&program)?)?;
            session.load(&theta(keep))?;
            self.outcomes(policy, &altered, &session.forward(&Part::all())?)?
        };
        let money = Money::new(self.conventions());
        let mut gains = deviations.empty(self);
        let (lanes, seen) = (gains.lanes, self.window().seen());
        for week in gains.weeks() {
            let shorter = self.until((week + deviations.reach).min(seen.end))?;
            let part = Part::all().periods(0..shorter.window().seen().len());
            arrays.set_row(week - seen.start, mark, 1.0);
            let mut session = device.open(&program, arrays.batch(&program)?)?;
            for (arm, &change) in deviations.arms.iter().enumerate() {
                session.load(&theta(change))?;
                let other = shorter.outcomes(policy, &altered, &session.forward(&part)?)?;
                let row = ((week - gains.weeks.start) * gains.arms + arm) * lanes;
                let out = &mut gains.values[row..row + lanes];
                money.compare(&other, &base, week, out);
            }
            drop(session);
            arrays.set_row(week - seen.start, mark, 0.0);
        }
        Ok(gains)
    }
}

/// Discounting within a fork.
#[derive(Debug, Clone, Copy)]
struct Money {
    discount: f64,
    salvage: f64,
}

impl Money {
    fn new(conventions: &Conventions) -> Self {
        Money {
            discount: conventions.discount,
            salvage: conventions.salvage(),
        }
    }

    /// The gain of differences of rewards, week by week from the changed one, and of the last book value.
    fn gain(self, rewards: impl Iterator<Item = f64>, book: f64) -> f64 {
        let start = (0.0, 1.0);
        let (sum, power) = rewards.fold(start, |(sum, power), reward| {
            (sum + power * reward, power * self.discount)
        });
        sum + power * self.salvage * book
    }

    /// The gains of one path over another from a week on, by lane.
    fn compare(self, path: &Outcomes, base: &Outcomes, week: usize, out: &mut [f64]) {
        let end = path.scored().end;
        let reward = |o: &Outcomes, v: usize, lane: usize| {
            o.row(Quantity::Reward, v)[lane] - o.row(Quantity::Charge, v)[lane]
        };
        let book = |o: &Outcomes, lane: usize| o.row(Quantity::Book, end - 1)[lane];
        for (lane, out) in out.iter_mut().enumerate() {
            let rewards = (week..end).map(|v| reward(path, v, lane) - reward(base, v, lane));
            *out = self.gain(rewards, book(path, lane) - book(base, lane));
        }
    }
}

impl Deviations {
    fn validate(&self, replay: &Replay<'_>) -> Result<(), Error> {
        if self.arms.is_empty() || self.reach == 0 {
            return Err(Error::Empty(
                "the arms, or the weeks that a deviation is followed",
            ));
        }
        for arm in &self.arms {
            within(
                "factor of an order",
                arm.times,
                f64::MIN,
                f64::MAX,
                "a finite number",
            )?;
            within(
                "addition to an order",
                arm.plus,
                f64::MIN,
                f64::MAX,
                "a finite number",
            )?;
        }
        let products = replay.paths().panel().products();
        if let Some(units) = self.units.as_ref().filter(|units| units.len() != products) {
            return Err(Error::Length {
                array: "units of the deviations".into(),
                expected: products,
                found: units.len(),
            });
        }
        for &unit in self.units.iter().flatten() {
            within(
                "unit of a deviation",
                unit,
                0.0,
                f64::MAX,
                "a finite number, at least zero",
            )?;
        }
        Ok(())
    }

    fn unit(&self, product: usize) -> f64 {
        self.units.as_ref().map_or(1.0, |units| units[product])
    }

    fn empty(&self, replay: &Replay<'_>) -> Gains {
        let (weeks, lanes) = (replay.window().scored.clone(), replay.paths().lanes());
        Gains {
            values: vec![0.0; weeks.len() * self.arms.len() * lanes],
            weeks,
            arms: self.arms.len(),
            lanes,
        }
    }
}

#[inline(always)]
fn change<S: Scalar>(order: S, times: S, plus: S) -> S {
    (order * times + plus).relu()
}

impl<S: Bundle, P: Policy, M: Market> Runner<'_, S, P, M> {
    /// One week, with the order changed where an arm is given: its factor, and what it adds.
    #[inline(always)]
    fn step(
        &self,
        rows: &[S],
        live: bool,
        traveller: &mut Traveller<S>,
        scratch: &mut Scratch<S>,
        arm: Option<(S, S)>,
    ) -> Booked<S> {
        self.week.play(
            &self.parameters,
            rows,
            [S::constant(0.0); 2],
            live,
            traveller,
            scratch,
            #[inline(always)]
            |order| match arm {
                Some((times, plus)) => change(order, times, plus),
                None => order,
            },
        )
    }

    /// The gains of a bundle of lanes, `[week][arm][lane of the bundle]`.
    #[inline(always)]
    fn fork(&self, first: usize, deviations: &Deviations) -> Vec<f64> {
        let replay = self.source.replay();
        let products = self.products(first);
        let (seen, scored) = (replay.window().seen(), replay.window().scored.clone());
        let zero = S::constant(0.0);
        let width = self.week.layout().rows();
        let mut rows = vec![zero; seen.len() * width];
        let mut buffer = vec![0.0; S::WIDTH];
        for (week, rows) in seen.clone().zip(rows.chunks_exact_mut(width)) {
            self.source.load(week, first, &products, &mut buffer, rows);
        }
        let units: Vec<f64> = products.iter().map(|&p| deviations.unit(p)).collect();
        let units = S::load(&units);
        let mut scratch = self.week.scratch();
        let of = |week: usize| &rows[(week - seen.start) * width..][..width];
        let reward = |booked: &Booked<S>| booked.event.reward - booked.event.charge;
        // The base path: where every week begins, what it brings, and the book value at its end.
        let mut traveller = self.start(first);
        let (mut starts, mut base) = (Vec::with_capacity(scored.len()), Vec::new());
        for week in seen.clone() {
            let begins = scored.contains(&week).then(|| traveller.clone());
            let live = begins.is_some();
            let booked = self.step(of(week), live, &mut traveller, &mut scratch, None);
            if let Some(begins) = begins {
                starts.push(begins);
                base.push((reward(&booked), booked.event.book));
            }
        }
        let discount = S::constant(replay.conventions().discount);
        let salvage = S::constant(replay.conventions().salvage());
        let mut gains = vec![0.0; scored.len() * deviations.arms.len() * S::WIDTH];
        let mut outs = gains.chunks_exact_mut(S::WIDTH);
        for (week, begins) in scored.clone().zip(&starts) {
            let end = (week + deviations.reach).min(scored.end);
            for (&arm, out) in deviations.arms.iter().zip(&mut outs) {
                let mut traveller = begins.clone();
                let arm = (S::constant(arm.times), S::constant(arm.plus) * units);
                let (mut sum, mut power, mut book) = (zero, S::constant(1.0), zero);
                for v in week..end {
                    let arm = (v == week).then_some(arm);
                    let booked = self.step(of(v), true, &mut traveller, &mut scratch, arm);
                    let (reward_kept, book_kept) = base[v - scored.start];
                    sum = sum + power * (reward(&booked) - reward_kept);
                    book = booked.event.book - book_kept;
                    power = power * discount;
                }
                (sum + power * salvage * book).store(out);
            }
        }
        gains
    }
}

/// Rows of [`Altered`]: the unit, and the mark of the changed week.
const UNIT: usize = 0;
const MARK: usize = 1;

/// A market in which the order of a marked week is changed: two parameters and two rows, the unit and the mark.
#[derive(Debug)]
struct Altered(Signals);

impl Market for Altered {
    fn theta(&self) -> Vec<f64> {
        vec![1.0, 0.0]
    }
    fn signals(&self) -> Vec<&Signals> {
        vec![&self.0]
    }
    fn order<S: Scalar>(&self, inputs: &MarketInputs<'_, S>, order: S) -> S {
        let [times, plus] = [inputs.theta[0], inputs.theta[1]];
        let [unit, marked] = [inputs.rows[UNIT], inputs.rows[MARK]];
        S::select(marked, change(order, times, plus * unit), order)
    }
}
