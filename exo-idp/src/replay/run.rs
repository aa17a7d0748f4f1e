//! Running a policy over a replay: on SIMD lanes, or as a program.

use gpu::numbers::Lanes;
use gpu::{Device, Executor, Real};

use super::bundle::Bundle;
use super::rows::Source;
use super::setup::Replay;
use super::week::{Parameters, Traveller, Week};
use crate::error::{Error, within};
use crate::market::Market;
use crate::outcomes::{Outcomes, Quantity};
use crate::policy::Policy;
use crate::states::States;

/// Lanes of a SIMD bundle.
pub(super) const WIDTH: usize = 16;
/// Bundles that a thread works on before their results are kept.
const AT_ONCE: usize = 256;

impl<'p> Replay<'p> {
    /// Runs a policy over the window, in the market of nothing.
    ///
    /// A policy of a few numbers runs on SIMD lanes; a network is recorded and run as a program. The numbers are the same to the
    /// precision of `f32`.
    ///
    /// # Errors
    /// When the policy's signals have no rows or do not fit the panel, or it orders what is not a finite number of units, at least
    /// zero.
    pub fn run<P: Policy>(&self, policy: &P, device: &Device) -> Result<Outcomes, Error> {
        self.run_in(policy, &(), device)
    }

    /// Runs a policy in a market over the window: on SIMD lanes, or as a program where one of them is a network or sums over lanes.
    ///
    /// # Errors
    /// As [`run`](Replay::run), for the signals of both.
    pub fn run_in<P: Policy, M: Market>(
        &self,
        policy: &P,
        market: &M,
        device: &Device,
    ) -> Result<Outcomes, Error> {
        let program = self.record(policy, market)?;
        if !(policy.is_network() || market.is_network() || program.joins_lanes()) {
            return self.run_as::<Lanes<WIDTH>, P, M>(policy, market, device);
        }
        let theta = [policy.theta(), &market.theta()].concat();
        let theta: Vec<f32> = theta.into_iter().map(f32::from_f64).collect();
        let arrays = self.arrays::<f32, P, M>(policy, market)?;
        let rollout = device.forward(&program, &theta, &arrays.batch(&program)?)?;
        self.outcomes(policy, market, &rollout)
    }

    /// Runs a policy in a market with a chosen number type: `f64` is the reference, [`Lanes`] the fast one. Sums over lanes are not
    /// possible here.
    ///
    /// # Errors
    /// As [`run_in`](Replay::run_in).
    pub fn run_as<S: Bundle, P: Policy, M: Market>(
        &self,
        policy: &P,
        market: &M,
        device: &Device,
    ) -> Result<Outcomes, Error> {
        let source = Source::new(self, policy, market)?;
        let layout = source.layout();
        let opening = self.opening_rows(layout.scheduled(), layout.own())?;
        let week = Week::new(&source, policy, market);
        let lanes = self.paths().lanes();
        let runner = Runner::<S, P, M>::new(&source, week, &opening);
        let weeks = self.window().seen().len();
        let mut traces = vec![0.0; weeks * Quantity::COUNT * lanes];
        let mut booked = vec![0.0; lanes];
        let mut closing = vec![0.0; layout.states() * lanes];
        let keep = |first: usize, rolled: Rolled| {
            let count = S::WIDTH.min(lanes - first);
            booked[first..first + count].copy_from_slice(&rolled.booked[..count]);
            for (of, to) in [
                (&rolled.traces, &mut traces),
                (&rolled.closing, &mut closing),
            ] {
                for (row, values) in of.chunks_exact(S::WIDTH).enumerate() {
                    to[row * lanes + first..][..count].copy_from_slice(&values[..count]);
                }
            }
        };
        runner.bundles(device, |first| runner.roll(first), keep);
        let closing = States::from_rows(lanes, layout.max_lead_time(), layout.scheduled(), closing);
        self.checked(Outcomes::new(
            policy.name(),
            self.frame(),
            booked,
            traces,
            closing,
        ))
    }
}

impl Replay<'_> {
    /// What every lane earns under a policy with each of several lists of parameters, and nothing else: for the search of parameters.
    /// `thetas` are lists as long as [`Policy::theta`]; the market keeps its own. One result a list, `[lane]`, as in
    /// [`Outcomes::objectives`].
    ///
    /// The record is read once for all lists, and no week is kept. Always on SIMD lanes.
    ///
    /// ```
    /// use hindsight_exo_idp::policy::{BaseStock, Signals};
    /// use hindsight_exo_idp::panel::Columns;
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
    /// let policy = BaseStock::new("base stock", 1.0, Signals::from_fn(30, 1, 1, |_, _, _| 10.0));
    /// let earned = replay.objectives(&policy, &(), &[vec![0.5], vec![1.0]], &hindsight_gpu::Device::best())?;
    /// assert!(earned[1][0] > earned[0][0]);
    /// # Ok::<(), hindsight_exo_idp::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`run_in`](Replay::run_in); when a list is not as long as the policy's, a lane earns what is not finite, or the policy or the
    /// market joins the lanes.
    pub fn objectives<P: Policy, M: Market>(
        &self,
        policy: &P,
        market: &M,
        thetas: &[Vec<f64>],
        device: &Device,
    ) -> Result<Vec<Vec<f64>>, Error> {
        let expected = policy.theta().len();
        if let Some(theta) = thetas.iter().find(|theta| theta.len() != expected) {
            return Err(Error::Length {
                array: "theta".into(),
                expected,
                found: theta.len(),
            });
        }
        if self.record(policy, market)?.joins_lanes() {
            return Err(Error::Joined(policy.name().to_owned()));
        }
        let source = Source::new(self, policy, market)?;
        let layout = source.layout();
        let opening = self.opening_rows(layout.scheduled(), layout.own())?;
        let week = Week::new(&source, policy, market);
        let runner = Runner::<Lanes<WIDTH>, P, M>::new(&source, week, &opening);
        let work = |first: usize| {
            Lanes::<WIDTH>::work(
                #[inline(always)]
                || runner.earn(first, thetas),
            )
        };
        let lanes = self.paths().lanes();
        let mut earned = vec![vec![0.0; lanes]; thetas.len()];
        runner.bundles(device, work, |first, rolled: Vec<f64>| {
            for (earned, values) in earned.iter_mut().zip(rolled.chunks_exact(WIDTH)) {
                for (lane, value) in (first..lanes).zip(values) {
                    earned[lane] = value - self.opening_charge(lane);
                }
            }
        });
        for &money in earned.iter().flatten() {
            within(
                "what a lane earns",
                money,
                f64::MIN,
                f64::MAX,
                "a finite number",
            )?;
        }
        Ok(earned)
    }
}

/// What runs bundles of lanes.
pub(super) struct Runner<'a, S, P, M> {
    pub(super) source: &'a Source<'a>,
    pub(super) week: Week<'a, P, M>,
    pub(super) parameters: Parameters<S>,
    opening: &'a [f64],
}

impl<'a, S: Bundle, P: Policy, M: Market> Runner<'a, S, P, M> {
    pub(super) fn new(source: &'a Source<'a>, week: Week<'a, P, M>, opening: &'a [f64]) -> Self {
        let theta: Vec<S> = week.theta().into_iter().map(S::constant).collect();
        Runner {
            source,
            parameters: week.parameters(&theta),
            week,
            opening,
        }
    }

    fn lanes(&self) -> usize {
        self.source.replay().paths().lanes()
    }

    /// Does some work for every bundle, by its first lane, on all threads, and hands each result to `keep` in the order of the lanes. A
    /// panic in one of the threads resumes here.
    pub(super) fn bundles<T: Send>(
        &self,
        device: &Device,
        work: impl Fn(usize) -> T + Sync,
        mut keep: impl FnMut(usize, T),
    ) {
        let bundles: Vec<usize> = (0..self.lanes()).step_by(S::WIDTH).collect();
        let cpu = device.host();
        // No more results are held at once than are worth the start of the threads.
        for batch in bundles.chunks(cpu.threads() * AT_ONCE) {
            let results = cpu.map(batch.len(), |at| work(batch[at]));
            for (&first, result) in batch.iter().zip(results) {
                keep(first, result);
            }
        }
    }

    /// The products of a bundle's lanes; the last lane is repeated where there are fewer.
    pub(super) fn products(&self, first: usize) -> Vec<usize> {
        let paths = self.source.replay().paths();
        let last = self.lanes() - 1;
        (first..first + S::WIDTH)
            .map(|lane| paths.product(lane.min(last)))
            .collect()
    }

    /// A bundle before its first week.
    pub(super) fn start(&self, first: usize) -> Traveller<S> {
        let rows: Vec<S> = self
            .opening
            .chunks_exact(self.lanes())
            .map(|row| S::load(&row[first..]))
            .collect();
        self.week.traveller(&rows)
    }

    /// What a bundle of lanes earns with each list of the policy's parameters, `[list][lane]`.
    #[inline(always)]
    fn earn(&self, first: usize, thetas: &[Vec<f64>]) -> Vec<f64> {
        let replay = self.source.replay();
        let products = self.products(first);
        let width = self.week.layout().rows();
        let seen = replay.window().seen();
        let mut rows = vec![S::constant(0.0); seen.len() * width];
        let mut buffer = vec![0.0; S::WIDTH];
        for (week, rows) in seen.clone().zip(rows.chunks_exact_mut(width)) {
            self.source.load(week, first, &products, &mut buffer, rows);
        }
        let mut scratch = self.week.scratch();
        let mut earned = vec![0.0; thetas.len() * S::WIDTH];
        for (theta, out) in thetas.iter().zip(earned.chunks_exact_mut(S::WIDTH)) {
            let theta: Vec<S> = theta.iter().map(|&x| S::constant(x)).collect();
            let parameters = self.parameters.with_policy(theta);
            let mut traveller = self.start(first);
            for (week, rows) in seen.clone().zip(rows.chunks_exact(width)) {
                let [weight, terminal, live] = self.source.shared(week);
                let weights = [S::constant(weight), S::constant(terminal)];
                let now = self.week.play(
                    &parameters,
                    rows,
                    weights,
                    live > 0.0,
                    &mut traveller,
                    &mut scratch,
                    #[inline(always)]
                    |order| order,
                );
                now.money.add_to(out);
            }
        }
        earned
    }

    /// The whole window of one bundle of lanes.
    fn roll(&self, first: usize) -> Rolled {
        S::work(
            #[inline(always)]
            || self.roll_weeks(first),
        )
    }

    #[inline(always)]
    fn roll_weeks(&self, first: usize) -> Rolled {
        let products = self.products(first);
        let mut traveller = self.start(first);
        let mut scratch = self.week.scratch();
        let mut rows = vec![S::constant(0.0); self.week.layout().rows()];
        let mut buffer = vec![0.0; S::WIDTH];
        let weeks = self.source.replay().window().seen();
        let mut traces = vec![0.0; weeks.len() * Quantity::COUNT * S::WIDTH];
        let mut booked = vec![0.0; S::WIDTH];
        let outs = traces.chunks_exact_mut(Quantity::COUNT * S::WIDTH);
        for (week, out) in weeks.zip(outs) {
            self.source
                .load(week, first, &products, &mut buffer, &mut rows);
            let [weight, terminal, live] = self.source.shared(week);
            let weights = [S::constant(weight), S::constant(terminal)];
            let live = live > 0.0;
            let now = self.week.play(
                &self.parameters,
                &rows,
                weights,
                live,
                &mut traveller,
                &mut scratch,
                #[inline(always)]
                |order| order,
            );
            let quantities = Quantity::of(&now.event).into_iter();
            for (value, out) in quantities.zip(out.chunks_exact_mut(S::WIDTH)) {
                value.store(out);
            }
            now.money.add_to(&mut booked);
        }
        let state = traveller.rows();
        let mut closing = vec![0.0; state.len() * S::WIDTH];
        for (value, out) in state.into_iter().zip(closing.chunks_exact_mut(S::WIDTH)) {
            value.store(out);
        }
        Rolled {
            booked,
            traces,
            closing,
        }
    }
}

/// What one bundle returns.
struct Rolled {
    booked: Vec<f64>,
    traces: Vec<f64>,
    closing: Vec<f64>,
}
