//! A replay as a recorded program, and the arrays that it reads.

use gpu::{Batch, DelayLine, Program, Real, Scalar, Shape, Start, Step};

use super::Replay;
use crate::error::Error;
use crate::outcomes::Quantity;
use crate::period::{Exo, Position, State, period};
use crate::policy::{Policy, Seen, Signals};

/// Exogenous rows before the arrivals: demand, price, cost, active.
const PLAIN: usize = 4;

impl Replay<'_> {
    /// The exogenous rows of a week, by lane, in the order in which [`split`](Self::split) reads them.
    fn rows(
        &self,
        signals: Option<&Signals>,
        week: usize,
        mut emit: impl FnMut(usize, &mut dyn Iterator<Item = f64>),
    ) {
        let (paths, panel) = (self.paths, self.paths.panel());
        let lanes = 0..paths.lanes();
        let by_product = |f: fn(&crate::Panel, usize, usize) -> f64| {
            lanes.clone().map(move |l| f(panel, paths.product(l), week))
        };
        emit(0, &mut by_product(crate::Panel::demand));
        emit(1, &mut by_product(crate::Panel::price));
        emit(2, &mut by_product(crate::Panel::cost));
        emit(
            3,
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
    pub(super) fn exo_rows(&self, signals: Option<&Signals>) -> usize {
        PLAIN + 2 * self.paths.longest() + 1 + signals.map_or(0, Signals::rows)
    }

    /// The exogenous record and the signals of a week, from its rows.
    pub(super) fn split<'a, S: Scalar>(
        &self,
        rows: &'a [S],
        weight: S,
        terminal: S,
    ) -> (Exo<'a, S>, &'a [S]) {
        let (plain, rest) = rows.split_at(PLAIN);
        let (arriving, rest) = rest.split_at(self.paths.longest() + 1);
        let (outstanding, signals) = rest.split_at(self.paths.longest());
        let [demand, price, cost, active] = [plain[0], plain[1], plain[2], plain[3]];
        (
            Exo {
                demand,
                price,
                cost,
                weight,
                terminal,
                active,
                arriving,
                outstanding,
            },
            signals,
        )
    }

    pub(super) fn opening<S: Scalar>(&self, units: S, book: S) -> State<S> {
        State {
            on_hand: units,
            orders: vec![units; self.paths.longest()],
            book,
        }
    }

    /// Records the replay of a policy as a program; its objective is what is booked.
    pub(crate) fn program<P: Policy>(&self, policy: &P) -> Program {
        let shape = Shape {
            params: policy.theta().len(),
            lane: 2,
            exo: self.exo_rows(policy.signals()),
            shared: 3,
        };
        Program::record(
            shape,
            |_, inputs| Start {
                state: self.opening(inputs.lane[0], inputs.lane[1]).flat(),
                carry: vec![],
            },
            |_, inputs| {
                let (exo, signals) = self.split(inputs.exo, inputs.shared[0], inputs.shared[1]);
                let mut state = State {
                    on_hand: inputs.state[0],
                    book: inputs.state[1],
                    orders: inputs.state[2..].to_vec(),
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
        let units = (0..lanes).map(|l| F::from_f64(self.opening[self.paths.product(l)]));
        let book = (0..lanes).map(|l| F::from_f64(self.opening_charge(l)));
        let lane = units.chain(book).collect();
        Inputs {
            lanes,
            weeks: weeks.len(),
            exo,
            shared,
            lane,
        }
    }
}

/// The arrays of a program's run.
#[derive(Debug, Clone)]
pub(crate) struct Inputs<F> {
    pub(super) lanes: usize,
    pub(super) weeks: usize,
    pub(super) exo: Vec<F>,
    pub(super) shared: Vec<F>,
    pub(super) lane: Vec<F>,
}

impl<F: Real> Inputs<F> {
    /// A batch of all lanes and weeks.
    pub(crate) fn batch(&self, program: &Program) -> Result<Batch<'_, F>, Error> {
        Ok(Batch::new(program, self.lanes, self.weeks)
            .exo(&self.exo)?
            .shared(&self.shared)?
            .lane(&self.lane)?)
    }

    /// The same with the rows of a lane side by side, for mini-batches.
    pub(crate) fn by_lane(self) -> ByLane<F> {
        let rows = self.exo.len() / (self.lanes * self.weeks).max(1);
        let week = (rows * self.lanes).max(1);
        let mut exo = Vec::with_capacity(self.exo.len());
        for rows in self.exo.chunks_exact(week) {
            for lane in 0..self.lanes {
                exo.extend(rows.iter().skip(lane).step_by(self.lanes));
            }
        }
        ByLane(Inputs { exo, ..self })
    }
}

/// The arrays of a run of mini-batches, `[week][lane][row]`.
#[derive(Debug, Clone)]
pub(crate) struct ByLane<F>(Inputs<F>);

impl<F: Real> ByLane<F> {
    /// A batch of all lanes and weeks.
    pub(crate) fn batch(&self, program: &Program) -> Result<Batch<'_, F>, Error> {
        let Inputs {
            lanes,
            weeks,
            exo,
            shared,
            lane,
        } = &self.0;
        Ok(Batch::new(program, *lanes, *weeks)
            .exo_by_lane(exo)?
            .shared(shared)?
            .lane(lane)?)
    }
}
