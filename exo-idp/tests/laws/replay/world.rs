//! A small random world and its settings.

use hindsight_exo_idp::laws::{Case, cases};
use hindsight_exo_idp::policy::{Anchor, Neural, NeuralConfig, Observation, Plan, Policy, Signals};
use hindsight_exo_idp::{Conventions, Panel};
use hindsight_gpu::{DelayLine, Device, Scalar};
use proptest::prelude::*;

pub(super) const WEEKS: usize = 26;

pub(super) fn case(products: usize) -> impl Strategy<Value = Case> {
    cases(products, WEEKS)
}

/// Orders that are given: the signal itself.
#[derive(Debug)]
pub(super) struct Given(pub(super) Signals);
impl Policy for Given {
    fn name(&self) -> &str {
        "given"
    }
    fn signals(&self) -> Option<&Signals> {
        Some(&self.0)
    }
    fn order<S: Scalar>(&self, _: &[S], seen: &Observation<'_, S>, _: &mut [DelayLine<S>]) -> S {
        seen.signals[0]
    }
}

pub(super) fn flat(panel: &Panel, units: f64) -> Signals {
    Signals::from_fn(panel.weeks(), 1, panel.products(), |_, _, _| units)
}

pub(super) fn network(
    panel: &Panel,
    longest: usize,
    conventions: &Conventions,
    anchored: bool,
    seed: u64,
) -> Neural {
    let plan = Plan {
        horizon: 2,
        price: true,
    };
    planned_network(panel, longest, conventions, plan, anchored, seed)
}

pub(super) fn planned_network(
    panel: &Panel,
    longest: usize,
    conventions: &Conventions,
    plan: Plan,
    anchored: bool,
    seed: u64,
) -> Neural {
    let config = NeuralConfig {
        channels: 4,
        dilations: vec![1, 2],
        hidden: 6,
    };
    let levels = vec![flat(panel, 30.0), flat(panel, 20.0)];
    let anchor = Anchor::new(levels, Some(flat(panel, 0.5))).unwrap();
    let anchor = anchored.then_some(&anchor);
    Neural::new(
        panel,
        0..16,
        longest,
        plan,
        conventions,
        &config,
        anchor,
        seed,
    )
    .unwrap()
}

pub(super) fn device() -> Device {
    Device::cpu(2)
}
