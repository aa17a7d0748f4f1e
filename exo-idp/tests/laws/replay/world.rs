//! A small random world and its settings.

use hindsight_exo_idp::conventions::{ObservationTiming, Receipts, Terminal, Unmet};
use hindsight_exo_idp::panel::{Columns, Covariate};
use hindsight_exo_idp::policy::{Anchor, Neural, NeuralConfig, Observation, Plan, Policy, Signals};
use hindsight_exo_idp::{Conventions, LeadTimes, Panel, Paths, Replay, Window, replay::Opening};
use hindsight_gpu::{DelayLine, Device, Scalar};
use proptest::prelude::*;
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) panel: Panel,
    pub(super) law: LeadTimes,
    pub(super) conventions: Conventions,
    /// Units on hand, and due in the first two weeks, of every product; else ten everywhere.
    pub(super) opening: Option<[f64; 3]>,
}

pub(super) const WEEKS: usize = 26;

pub(super) fn conventions() -> impl Strategy<Value = Conventions> {
    (
        0.9_f64..1.0,
        0.0_f64..0.05,
        0.0_f64..0.3,
        0.0_f64..2.0,
        0_u8..2,
        0_u8..2,
        0_u8..2,
        0_u8..3,
    )
        .prop_map(
            |(discount, holding_share, holding, penalty, receipts, sight, unmet, terminal)| {
                Conventions {
                    receipts: [Receipts::BeforeDemand, Receipts::AfterDemand]
                        [usize::from(receipts)],
                    observation_timing: [
                        ObservationTiming::BeforeReceipts,
                        ObservationTiming::AfterReceipts,
                    ][usize::from(sight)],
                    unmet: [Unmet::Lost, Unmet::Backordered][usize::from(unmet)],
                    terminal: [
                        Terminal::Nothing,
                        Terminal::AtCost,
                        Terminal::ShareOfCost(0.5),
                    ][usize::from(terminal)],
                    discount,
                    holding_share,
                    holding,
                    penalty,
                    whole_units: false,
                }
            },
        )
}

pub(super) fn panel(products: usize) -> impl Strategy<Value = Panel> {
    let cells = products * WEEKS;
    let numbers = |range: std::ops::Range<f64>| prop::collection::vec(range, cells);
    (
        numbers(0.0..20.0),
        numbers(4.0..9.0),
        numbers(1.0..5.0),
        numbers(0.0..1.0),
        prop::collection::vec(0_u8..12, cells),
    )
        .prop_map(move |(demand, price, cost, promotion, gaps)| {
            let mut present: Vec<bool> = gaps.iter().map(|&g| g > 1).collect();
            present.iter_mut().step_by(WEEKS).for_each(|p| *p = true);
            let covariates = vec![Covariate {
                name: "promotion".into(),
                planned: true,
                values: promotion.iter().map(|p| p.round()).collect(),
            }];
            let names = (0..products).map(|p| format!("p{p}")).collect();
            let columns = Columns {
                demand,
                price,
                cost,
                present,
                covariates,
            };
            let panel = Panel::new(names, WEEKS, columns).unwrap();
            let unknown = gaps.iter().map(|&gap| gap == 1).collect();
            panel.with_unknown_demand(unknown).unwrap()
        })
}

pub(super) fn case(products: usize) -> impl Strategy<Value = Case> {
    (
        panel(products),
        conventions(),
        0_usize..3,
        0_usize..3,
        0.0_f64..0.8,
        0_u64..100,
        prop::option::of(prop::array::uniform3(0.0_f64..30.0)),
    )
        .prop_map(
            |(panel, conventions, low, more, persistence, seed, opening)| Case {
                panel,
                law: LeadTimes::uniform(low, low + more, persistence, seed).unwrap(),
                conventions,
                opening: opening.filter(|_| low + more >= 2),
            },
        )
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

/// A policy run as a recorded program rather than on lanes.
#[derive(Debug)]
pub(super) struct Recorded<'a, P>(pub(super) &'a P);
impl<P: Policy> Policy for Recorded<'_, P> {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn theta(&self) -> &[f64] {
        self.0.theta()
    }
    fn signals(&self) -> Option<&Signals> {
        self.0.signals()
    }
    fn delay_lines(&self) -> usize {
        self.0.delay_lines()
    }
    fn is_network(&self) -> bool {
        true
    }
    fn order<S: Scalar>(
        &self,
        theta: &[S],
        seen: &Observation<'_, S>,
        memory: &mut [DelayLine<S>],
    ) -> S {
        self.0.order(theta, seen, memory)
    }
}

pub(super) fn replay<'p>(paths: &'p Paths<'p>, case: &Case, warm_up: usize) -> Replay<'p> {
    let scored = warm_up..WEEKS;
    let products = paths.panel().products();
    let window = Window { scored, warm_up };
    match case.opening {
        Some([on_hand, now, next]) => {
            let due = vec![vec![now; products], vec![next; products]];
            let opening = Opening::new(paths.panel(), warm_up, vec![on_hand; products], due);
            Replay::stocked(paths, case.conventions, window, &opening.unwrap()).unwrap()
        }
        None => Replay::new(paths, case.conventions, window, &vec![10.0; products]).unwrap(),
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
