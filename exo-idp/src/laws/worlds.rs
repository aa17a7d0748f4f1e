//! Small random worlds.

use proptest::collection::vec;
use proptest::prelude::{Strategy, any};

use crate::arrivals::Arrivals as _;
use crate::conventions::{Conventions, ObservationTiming, Receipts, Terminal, Unmet};
use crate::error::Error;
use crate::lead_times::LeadTimes;
use crate::panel::{Columns, Covariate, Panel};
use crate::paths::Paths;
use crate::replay::{Opening, Replay, Window};

/// A small random world, and how a replay of it is set up.
#[derive(Debug, Clone)]
pub struct Case {
    /// Demand, prices, costs and a planned covariate `promotion` of 0 and 1, with weeks off sale and weeks of unknown demand.
    pub panel: Panel,
    /// When orders arrive: 0 to 4 weeks later.
    pub lead_times: LeadTimes,
    /// How a week goes, and what it costs.
    pub conventions: Conventions,
    /// Units on hand, and due in the first two weeks, of every product; else ten on hand and ten ordered in every week before.
    pub opening: Option<[f64; 3]>,
}

impl Case {
    /// The panel with `samples` paths of lead times.
    ///
    /// # Errors
    ///
    /// [`Error`] when there is no sample.
    pub fn paths(&self, samples: usize) -> Result<Paths<'_>, Error> {
        Paths::new(&self.panel, &self.lead_times, samples)
    }

    /// The replay from week `warm_up` to the end, with as many weeks of warm-up, from the case's opening.
    ///
    /// # Errors
    ///
    /// [`Error`] when nothing is left to be scored.
    pub fn replay<'p>(&self, paths: &'p Paths<'p>, warm_up: usize) -> Result<Replay<'p>, Error> {
        let panel = paths.panel();
        let all = |units: f64| vec![units; panel.products()];
        let scored = warm_up..panel.weeks();
        let window = Window { scored, warm_up };
        match self.opening {
            Some([on_hand, now, next]) => {
                let due = vec![all(now), all(next)];
                let opening = Opening::new(panel, warm_up, all(on_hand), due)?;
                Replay::stocked(paths, self.conventions, window, &opening)
            }
            None => Replay::new(paths, self.conventions, window, &all(10.0)),
        }
    }
}

/// Conventions of every kind: timing of receipts and of what is seen, lost or waiting demand, what is left at the end, discount, holding,
/// penalty. Units may be fractions.
pub fn conventions() -> impl Strategy<Value = Conventions> {
    let receipts = any::<bool>().prop_map(|after| match after {
        true => Receipts::AfterDemand,
        false => Receipts::BeforeDemand,
    });
    let observation_timing = any::<bool>().prop_map(|after| match after {
        true => ObservationTiming::AfterReceipts,
        false => ObservationTiming::BeforeReceipts,
    });
    let unmet = any::<bool>().prop_map(|waits| match waits {
        true => Unmet::Backordered,
        false => Unmet::Lost,
    });
    let terminal = proptest::sample::select(vec![
        Terminal::Nothing,
        Terminal::AtCost,
        Terminal::ShareOfCost(0.5),
    ]);
    let money = (0.9_f64..1.0, 0.0_f64..0.05, 0.0_f64..0.3, 0.0_f64..2.0);
    (receipts, observation_timing, unmet, terminal, money).prop_map(
        |(receipts, observation_timing, unmet, terminal, money)| Conventions {
            receipts,
            observation_timing,
            unmet,
            terminal,
            discount: money.0,
            holding_share: money.1,
            holding: money.2,
            penalty: money.3,
            whole_units: false,
        },
    )
}

/// Panels of `products` (at least one) over `weeks` (at least one): demand from 0 to 20, prices from 4 to 9, costs from 1 to 5, one week in twelve off sale and as many
/// of unknown demand, a planned covariate `promotion`.
pub fn panels(products: usize, weeks: usize) -> impl Strategy<Value = Panel> {
    let cells = products * weeks;
    let numbers = |range: std::ops::Range<f64>| vec(range, cells);
    (
        numbers(0.0..20.0),
        numbers(4.0..9.0),
        numbers(1.0..5.0),
        vec(any::<bool>(), cells),
        vec(0_u8..12, cells),
    )
        .prop_filter_map("no panel", move |(demand, price, cost, promotion, gaps)| {
            let mut present: Vec<bool> = gaps.iter().map(|&gap| gap > 1).collect();
            present.iter_mut().step_by(weeks).for_each(|p| *p = true);
            let covariates = vec![Covariate {
                name: "promotion".into(),
                planned: true,
                values: promotion
                    .into_iter()
                    .map(|on| f64::from(u8::from(on)))
                    .collect(),
            }];
            let columns = Columns {
                demand,
                price,
                cost,
                present,
                covariates,
            };
            let names = (0..products).map(|p| format!("p{p}")).collect();
            let unknown = gaps.iter().map(|&gap| gap == 1).collect();
            let panel = Panel::new(names, weeks, columns).ok()?;
            panel.with_unknown_demand(unknown).ok()
        })
}

/// Cases: [`panels`] with lead times of 0 to 4 weeks, [`conventions`] and, sometimes, an opening stock.
pub fn cases(products: usize, weeks: usize) -> impl Strategy<Value = Case> {
    let lead_times = (0_usize..3, 0_usize..3, 0.0_f64..0.8, 0_u64..100).prop_filter_map(
        "no law",
        |(low, more, persistence, seed)| {
            LeadTimes::uniform(low, low + more, persistence, seed).ok()
        },
    );
    let opening = proptest::option::of(proptest::array::uniform3(0.0_f64..30.0));
    (panels(products, weeks), conventions(), lead_times, opening).prop_map(
        |(panel, conventions, lead_times, opening)| Case {
            panel,
            // Units due in two weeks were ordered with a lead time that reaches so far.
            opening: opening.filter(|_| lead_times.max_lead_time() >= 2),
            lead_times,
            conventions,
        },
    )
}
