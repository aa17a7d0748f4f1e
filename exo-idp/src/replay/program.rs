//! A replay as a recorded program, and what its run says.

use gpu::{Program, Real, Scalar, Shape, Start, Step, exec::Rollout};

use super::arrays::Arrays;
use super::rows::Source;
use super::setup::Replay;
use super::week::Week;
use crate::error::Error;
use crate::market::Market;
use crate::outcomes::{Outcomes, Quantity};
use crate::policy::Policy;
use crate::states::States;

impl<'p> Replay<'p> {
    /// The replay of a policy in a market, as a program: its parameters are the policy's, then the market's; its objective is what
    /// is booked, opening stock not yet charged.
    ///
    /// Together with [`arrays`](Replay::arrays) and [`outcomes`](Replay::outcomes) it gives the replay into other hands: other
    /// parameters, gradients, mini-batches, another executor.
    ///
    /// ```
    /// use hindsight_gpu::{Device, Executor};
    /// use hindsight_exo_idp::policy::{ConstantOrder, Policy, Signals};
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
    /// let policy = ConstantOrder::new(0.9, Signals::from_fn(30, 1, 1, |_, _, _| 4.0));
    /// let program = replay.record(&policy, &())?;
    /// let arrays = replay.arrays::<f64, _, _>(&policy, &())?;
    /// let gradient = Device::best().gradient(&program, policy.theta(), &arrays.batch(&program)?)?;
    /// assert!(gradient.params[0] > 0.0, "ordering more would pay");
    /// # Ok::<(), hindsight_exo_idp::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the signals of the policy or the market have no rows or do not fit the panel.
    pub fn record<P: Policy, M: Market>(&self, policy: &P, market: &M) -> Result<Program, Error> {
        let source = Source::new(self, policy, market)?;
        let week = Week::new(&source, policy, market);
        let layout = source.layout();
        let shape = Shape {
            params: week.params(),
            lane: layout.states(),
            exo: layout.rows(),
            shared: 3,
        };
        Ok(Program::record(
            shape,
            |_, inputs| Start {
                state: inputs.lane.to_vec(),
                carry: vec![],
            },
            |_, inputs| {
                let parameters = week.parameters(inputs.params);
                let mut traveller = week.traveller(inputs.state);
                let mut scratch = week.scratch();
                let [weight, terminal, live] =
                    [inputs.shared[0], inputs.shared[1], inputs.shared[2]];
                let weights = [weight, terminal];
                let booked = week.play(
                    &parameters,
                    inputs.exo,
                    weights,
                    true,
                    &mut traveller,
                    &mut scratch,
                    |order| order,
                );
                let kept = traveller.rows().into_iter().zip(inputs.state);
                let state = kept
                    .map(|(now, &before)| Scalar::select(live, now, before))
                    .collect();
                Step {
                    state,
                    objective: booked.money,
                    traces: Quantity::of(&booked.event).to_vec(),
                }
            },
        ))
    }

    /// The arrays that the recorded program reads.
    ///
    /// # Errors
    /// As [`record`](Replay::record).
    pub fn arrays<F: Real, P: Policy, M: Market>(
        &self,
        policy: &P,
        market: &M,
    ) -> Result<Arrays<F>, Error> {
        Arrays::new(&Source::new(self, policy, market)?)
    }

    /// What a run of the recorded program over all lanes and weeks says.
    ///
    /// # Errors
    /// When the run is of another number of lanes or weeks, or the policy ordered what is not a finite number of units, at least
    /// zero.
    pub fn outcomes<F: Real, P: Policy, M: Market>(
        &self,
        policy: &P,
        market: &M,
        run: &Rollout<F>,
    ) -> Result<Outcomes, Error> {
        let layout = Source::new(self, policy, market)?.layout();
        let (lanes, longest) = (self.paths().lanes(), self.paths().max_lead_time());
        let traces = self.window().seen().len() * Quantity::COUNT * lanes;
        for (array, expected, found) in [
            ("lanes of the run", lanes, run.objective.len()),
            ("traces of the run", traces, run.traces.len()),
            (
                "states of the run",
                layout.states() * lanes,
                run.state.len(),
            ),
        ] {
            if expected != found {
                return Err(Error::Length {
                    array: array.into(),
                    expected,
                    found,
                });
            }
        }
        let double = |values: &[F]| values.iter().map(|x| x.to_f64()).collect();
        let closing = States::from_rows(lanes, longest, layout.scheduled(), double(&run.state));
        let (frame, booked) = (self.frame(), run.objective.clone());
        let traces = double(&run.traces);
        self.checked(Outcomes::new(policy.name(), frame, booked, traces, closing))
    }

    /// The outcomes, unless an order in a scored week is not a finite number of units, at least zero.
    pub(super) fn checked(&self, outcomes: Outcomes) -> Result<Outcomes, Error> {
        for week in self.window().scored.clone() {
            let row = outcomes.row(Quantity::Order, week);
            let bad = |&(_, order): &(usize, &f64)| !(order.is_finite() && *order >= 0.0);
            if let Some((lane, &order)) = row.iter().enumerate().find(bad) {
                return Err(Error::Order {
                    policy: outcomes.policy().to_owned(),
                    product: self.paths().product(lane),
                    week,
                    order,
                });
            }
        }
        Ok(outcomes)
    }
}
