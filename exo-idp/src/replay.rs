//! One replay of a policy on recorded paths.

use std::ops::Range;

use gpu::{
    Batch, Cpu, DelayLine, Executor, Lanes, Program, Real, Scalar, Shape, Start, Step, vectorize,
};

use crate::conventions::Conventions;
use crate::error::Error;
use crate::outcomes::{Outcomes, Quantity};
use crate::paths::Paths;
use crate::period::{Exo, Position, State, period};
use crate::policy::{Policy, Seen, Signals};

/// Lanes of a SIMD bundle.
const WIDTH: usize = 16;
/// Exogenous rows before the arrivals: demand, price, cost, value of stock, active.
const PLAIN: usize = 5;

/// Which weeks are scored, and how many before them a policy sees.
///
/// In the weeks of warm-up the record flows into the policy's memory, but nothing is ordered or sold: every policy meets the
/// first scored week with the same stock and the same outstanding orders. A policy that ordered before it is watched could
/// be paid for stock that it bought in a cheap week.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Window {
    /// Weeks whose reward counts.
    pub scored: Range<usize>,
    /// Weeks seen before them; fewer where the panel begins later.
    pub warm_up: usize,
}

impl Window {
    /// All weeks that are seen.
    #[must_use]
    pub fn seen(&self) -> Range<usize> {
        self.scored.start.saturating_sub(self.warm_up)..self.scored.end
    }
}

/// A replay: paths, conventions, a window of weeks and the opening inventory, the same for every policy that is run in it.
#[derive(Debug, Clone)]
pub struct Replay<'p> {
    paths: &'p Paths<'p>,
    conventions: Conventions,
    window: Window,
    /// Opening stock and each opening order, in units, by product.
    opening: Vec<f64>,
}

impl<'p> Replay<'p> {
    /// A replay that opens with a week's reference demand on hand and as much in every outstanding order: `reference` is in units per
    /// week, one number per product.
    ///
    /// # Errors
    /// When the conventions are not valid, the window is empty or ends after the panel, or a reference is negative or not finite.
    pub fn new(
        paths: &'p Paths<'p>,
        conventions: Conventions,
        window: Window,
        reference: &[f64],
    ) -> Result<Self, Error> {
        conventions.validate()?;
        let weeks = paths.panel().weeks();
        if window.scored.is_empty() || window.scored.end > weeks {
            let Range { start, end } = window.scored;
            return Err(Error::Weeks {
                what: "the scored weeks are empty or outside the panel",
                start,
                end,
                weeks,
            });
        }
        if reference.len() != paths.panel().products() {
            let expected = paths.panel().products();
            return Err(Error::Length {
                array: "reference demand".into(),
                expected,
                found: reference.len(),
            });
        }
        for &units in reference {
            crate::error::within(
                "reference demand",
                units,
                0.0,
                f64::MAX,
                "a finite number, at least zero",
            )?;
        }
        Ok(Replay {
            paths,
            conventions,
            window,
            opening: reference.to_vec(),
        })
    }

    /// The paths.
    #[must_use]
    pub fn paths(&self) -> &'p Paths<'p> {
        self.paths
    }

    /// The conventions.
    #[must_use]
    pub fn conventions(&self) -> &Conventions {
        &self.conventions
    }

    /// The window of weeks.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// The weight of a week's reward, and that of the value of the stock at its end.
    #[must_use]
    pub fn weights(&self, week: usize) -> (f64, f64) {
        let Range { start, end } = self.window.scored;
        let power = |n: usize| {
            self.conventions
                .discount
                .powi(i32::try_from(n).unwrap_or(i32::MAX))
        };
        let weight = if week >= start {
            power(week - start)
        } else {
            0.0
        };
        let last = week + 1 == end;
        let terminal = if last {
            power(end - start) * self.conventions.salvage()
        } else {
            0.0
        };
        (weight, terminal)
    }

    /// What a unit of stock counts for where scoring ends: the lowest cost of the scored weeks. With any other, an order in a
    /// week of low cost would pay without ever being sold.
    #[must_use]
    pub fn closing_value(&self, product: usize) -> f64 {
        let panel = self.paths.panel();
        self.window
            .scored
            .clone()
            .map(|t| panel.cost(product, t))
            .fold(f64::INFINITY, f64::min)
    }

    /// Units of a product, on hand and outstanding, with which the replay opens.
    #[must_use]
    pub fn opening_units(&self, product: usize) -> f64 {
        self.opening[product] * crate::outcomes::count(self.paths.longest() + 1)
    }

    /// What the opening stock of a lane is charged: its closing value, the same for every policy.
    #[must_use]
    pub fn opening_charge(&self, lane: usize) -> f64 {
        let product = self.paths.product(lane);
        self.opening_units(product) * self.closing_value(product)
    }

    /// The exogenous rows of a week, by lane, in the order in which [`split`](Self::split) reads them.
    fn rows(
        &self,
        signals: Option<&Signals>,
        week: usize,
        mut emit: impl FnMut(usize, &mut dyn Iterator<Item = f64>),
    ) {
        let (paths, panel) = (self.paths, self.paths.panel());
        let lanes = 0..paths.lanes();
        let closing: Vec<f64> = (0..panel.products())
            .map(|p| self.closing_value(p))
            .collect();
        let by_product = |f: fn(&crate::Panel, usize, usize) -> f64| {
            lanes.clone().map(move |l| f(panel, paths.product(l), week))
        };
        emit(0, &mut by_product(crate::Panel::demand));
        emit(1, &mut by_product(crate::Panel::price));
        emit(2, &mut by_product(crate::Panel::cost));
        emit(3, &mut lanes.clone().map(|l| closing[paths.product(l)]));
        emit(
            4,
            &mut by_product(|panel, product, week| {
                f64::from(u8::from(panel.present(product, week)))
            }),
        );
        let mut row = PLAIN;
        for k in 0..=paths.longest() {
            emit(row, &mut paths.arriving(week, k).iter().copied());
            row += 1;
        }
        for k in 0..paths.longest() {
            emit(row, &mut paths.outstanding(week, k).iter().copied());
            row += 1;
        }
        if let Some(signals) = signals {
            for k in 0..signals.rows() {
                let values = signals.row(week, k);
                emit(row, &mut lanes.clone().map(|l| values[l % values.len()]));
                row += 1;
            }
        }
    }

    /// The number of exogenous rows.
    fn exo_rows(&self, signals: Option<&Signals>) -> usize {
        PLAIN + 2 * self.paths.longest() + 1 + signals.map_or(0, Signals::rows)
    }

    /// The exogenous record and the signals of a week, from its rows.
    fn split<'a, S: Scalar>(&self, rows: &'a [S], weight: S, terminal: S) -> (Exo<'a, S>, &'a [S]) {
        let (plain, rest) = rows.split_at(PLAIN);
        let (arriving, rest) = rest.split_at(self.paths.longest() + 1);
        let (outstanding, signals) = rest.split_at(self.paths.longest());
        let [demand, price, cost, value, active] =
            [plain[0], plain[1], plain[2], plain[3], plain[4]];
        (
            Exo {
                demand,
                price,
                cost,
                value,
                weight,
                terminal,
                active,
                arriving,
                outstanding,
            },
            signals,
        )
    }

    fn opening<S: Scalar>(&self, units: S) -> State<S> {
        State {
            on_hand: units,
            orders: vec![units; self.paths.longest()],
        }
    }

    /// Records the replay of a policy as a program; its objective is what is booked.
    pub(crate) fn program<P: Policy>(&self, policy: &P) -> Program {
        let shape = Shape {
            params: policy.theta().len(),
            lane: 1,
            exo: self.exo_rows(policy.signals()),
            shared: 3,
        };
        Program::record(
            shape,
            |_, inputs| Start {
                state: self.opening(inputs.lane[0]).flat(),
                carry: vec![],
            },
            |_, inputs| {
                let (exo, signals) = self.split(inputs.exo, inputs.shared[0], inputs.shared[1]);
                let mut state = State {
                    on_hand: inputs.state[0],
                    orders: inputs.state[1..].to_vec(),
                };
                let mut seen = Position::empty(self.paths.longest());
                state.observe(&self.conventions, &exo, &mut seen);
                let mut memory = vec![DelayLine::new(); policy.lines()];
                let order = policy.order(
                    inputs.params,
                    &Seen {
                        inventory: &seen,
                        signals,
                    },
                    &mut memory,
                );
                let event = period(&self.conventions, &exo, &state, order);
                state.advance(&event);
                let live = inputs.shared[2];
                let kept = state.flat().into_iter().zip(inputs.state);
                let state = kept
                    .map(|(now, &before)| Scalar::select(live, now, before))
                    .collect();
                Step {
                    state,
                    objective: event.booked,
                    traces: Quantity::of(&event).to_vec(),
                }
            },
        )
    }

    /// The arrays that the recorded program reads.
    pub(crate) fn inputs<F: Real>(&self, signals: Option<&Signals>) -> Inputs<F> {
        let (lanes, weeks) = (self.paths.lanes(), self.window.seen());
        let rows = self.exo_rows(signals);
        let mut exo = Vec::with_capacity(weeks.len() * rows * lanes);
        let mut shared = Vec::with_capacity(weeks.len() * 3);
        for week in weeks.clone() {
            self.rows(signals, week, |_, values| {
                exo.extend(values.map(F::from_f64))
            });
            let (weight, terminal) = self.weights(week);
            let live = f64::from(u8::from(self.window.scored.contains(&week)));
            shared.extend([weight, terminal, live].map(F::from_f64));
        }
        let lane = (0..lanes)
            .map(|l| F::from_f64(self.opening[self.paths.product(l)]))
            .collect();
        Inputs {
            lanes,
            weeks: weeks.len(),
            exo,
            shared,
            lane,
        }
    }

    /// Runs a policy over the window.
    ///
    /// A policy of a few numbers runs on SIMD lanes; a network is recorded and run as a program. The numbers are the same to the
    /// precision of `f32`.
    ///
    /// # Errors
    /// When the policy's signals do not fit the panel.
    pub fn run<P: Policy>(&self, policy: &P, cpu: &Cpu) -> Result<Outcomes, Error> {
        if policy.is_network() {
            let theta: Vec<f32> = policy.theta().iter().map(|&x| f32::from_f64(x)).collect();
            self.check(policy)?;
            let program = self.program(policy);
            let inputs = self.inputs::<f32>(policy.signals());
            let rollout = cpu.forward(&program, &theta, &inputs.batch(&program)?)?;
            return Ok(Outcomes::from_traces(
                policy.name(),
                self,
                &rollout.objective,
                &rollout.traces,
            ));
        }
        self.run_as::<Lanes<WIDTH>, P>(policy, cpu)
    }

    fn check<P: Policy>(&self, policy: &P) -> Result<(), Error> {
        let panel = self.paths.panel();
        policy.signals().map_or(Ok(()), |signals| {
            signals.check(panel.weeks(), panel.products(), self.paths.lanes())
        })
    }

    /// Runs a policy with a chosen number type: `f64` is the reference, [`Lanes`] the fast one.
    ///
    /// # Errors
    /// When the policy's signals do not fit the panel.
    pub fn run_as<S: Bundle, P: Policy>(&self, policy: &P, cpu: &Cpu) -> Result<Outcomes, Error> {
        self.check(policy)?;
        let inputs = self.inputs::<f64>(policy.signals());
        let lanes = inputs.lanes;
        let mut traces = vec![0.0; inputs.weeks * Quantity::COUNT * lanes];
        let mut objective = vec![0.0; lanes];
        let bundles: Vec<usize> = (0..lanes).step_by(S::WIDTH).collect();
        let share = bundles.len().div_ceil(cpu.threads()).max(1);
        let parts: Vec<Vec<(usize, Rolled)>> = std::thread::scope(|scope| {
            let roll = |part: &[usize]| {
                vectorize(
                    #[inline(always)]
                    || {
                        part.iter()
                            .map(|&first| (first, self.roll::<S, P>(policy, &inputs, first)))
                            .collect::<Vec<_>>()
                    },
                )
            };
            let handles: Vec<_> = bundles
                .chunks(share)
                .map(|part| scope.spawn(move || roll(part)))
                .collect();
            handles
                .into_iter()
                .filter_map(|handle| handle.join().ok())
                .collect()
        });
        for (first, rolled) in parts.into_iter().flatten() {
            let count = S::WIDTH.min(lanes - first);
            objective[first..first + count].copy_from_slice(&rolled.booked[..count]);
            for (row, values) in rolled.traces.chunks_exact(S::WIDTH).enumerate() {
                traces[row * lanes + first..][..count].copy_from_slice(&values[..count]);
            }
        }
        Ok(Outcomes::from_traces(
            policy.name(),
            self,
            &objective,
            &traces,
        ))
    }

    /// The whole window of one bundle of lanes.
    #[inline(always)]
    fn roll<S: Bundle, P: Policy>(&self, policy: &P, inputs: &Inputs<f64>, first: usize) -> Rolled {
        let rows = self.exo_rows(policy.signals());
        let theta: Vec<S> = policy.theta().iter().map(|&x| S::constant(x)).collect();
        let mut state = self.opening(S::load(&inputs.lane[first..]));
        let mut seen = Position::empty(self.paths.longest());
        let mut memory = vec![DelayLine::new(); policy.lines()];
        let mut exo_rows = vec![S::constant(0.0); rows];
        let mut traces = vec![0.0; inputs.weeks * Quantity::COUNT * S::WIDTH];
        let mut booked = vec![0.0; S::WIDTH];
        for (t, out) in traces
            .chunks_exact_mut(Quantity::COUNT * S::WIDTH)
            .enumerate()
        {
            for (k, row) in exo_rows.iter_mut().enumerate() {
                *row = S::load(
                    &inputs.exo
                        [(t * rows + k) * inputs.lanes + first..(t * rows + k + 1) * inputs.lanes],
                );
            }
            let [weight, terminal, live] = std::array::from_fn(|k| inputs.shared[3 * t + k]);
            let (exo, signals) = self.split(&exo_rows, S::constant(weight), S::constant(terminal));
            state.observe(&self.conventions, &exo, &mut seen);
            let order = policy.order(
                &theta,
                &Seen {
                    inventory: &seen,
                    signals,
                },
                &mut memory,
            );
            let event = period(&self.conventions, &exo, &state, order);
            if live > 0.0 {
                state.advance(&event);
            }
            for (value, out) in Quantity::of(&event)
                .into_iter()
                .zip(out.chunks_exact_mut(S::WIDTH))
            {
                value.store(out);
            }
            event.booked.add_to(&mut booked);
        }
        Rolled { booked, traces }
    }
}

/// What one bundle returns.
struct Rolled {
    booked: Vec<f64>,
    traces: Vec<f64>,
}

/// The arrays of a program's run.
#[derive(Debug, Clone)]
pub(crate) struct Inputs<F> {
    lanes: usize,
    weeks: usize,
    exo: Vec<F>,
    shared: Vec<F>,
    lane: Vec<F>,
}

impl<F: Real> Inputs<F> {
    /// A batch of all lanes and weeks.
    pub(crate) fn batch(&self, program: &Program) -> Result<Batch<'_, F>, Error> {
        Ok(Batch::new(program, self.lanes, self.weeks)
            .exo(&self.exo)?
            .shared(&self.shared)?
            .lane(&self.lane)?)
    }
}

/// A number type that holds one or several lanes and exchanges them with `f64` arrays.
pub trait Bundle: Scalar {
    /// The lanes that it holds.
    const WIDTH: usize;
    /// The first lanes of a slice; the last one is repeated where there are fewer.
    fn load(values: &[f64]) -> Self;
    /// Writes the lanes.
    fn store(self, out: &mut [f64]);
    /// Adds the lanes.
    fn add_to(self, out: &mut [f64]);
}

impl Bundle for f64 {
    const WIDTH: usize = 1;
    fn load(values: &[f64]) -> Self {
        values[0]
    }
    fn store(self, out: &mut [f64]) {
        out[0] = self;
    }
    fn add_to(self, out: &mut [f64]) {
        out[0] += self;
    }
}

impl<const N: usize> Bundle for Lanes<N> {
    const WIDTH: usize = N;
    #[inline(always)]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "rounded once to the lanes' type"
    )]
    fn load(values: &[f64]) -> Self {
        let last = values.len() - 1;
        Lanes::from(std::array::from_fn(|i| values[i.min(last)] as f32))
    }
    #[inline(always)]
    fn store(self, out: &mut [f64]) {
        for (o, x) in out.iter_mut().zip(self.to_array()) {
            *o = f64::from(x);
        }
    }
    #[inline(always)]
    fn add_to(self, out: &mut [f64]) {
        for (o, x) in out.iter_mut().zip(self.to_array()) {
            *o += f64::from(x);
        }
    }
}
