//! Gains measured in a replay of recorded demand: every change on the same path with and without it.

use std::collections::HashMap;

use hindsight_exo_idp::Replay;
use hindsight_exo_idp::gpu::{Device, Scalar};
use hindsight_exo_idp::market::{Market, MarketInputs};
use hindsight_exo_idp::policy::{Policy, Signals};
use hindsight_exo_idp::replay::{Arm, Deviations, Gains};

use super::map::Map;
use super::table::GainTable;
use crate::error::Result;
use crate::model::Features;

/// What every arm gained in every scored week of a replay, product by product, and the contexts in which it did: see [`GainTable`].
///
/// ```
/// use hindsight_bandit_eval::equilibrium::{MapClass, Question, ReplayedGains};
/// use hindsight_exo_idp::gpu::Device;
/// use hindsight_exo_idp::policy::{BaseStock, Signals};
/// use hindsight_exo_idp::panel::Columns;
/// use hindsight_exo_idp::replay::{Gains, Arm, Deviations};
/// use hindsight_exo_idp::{Conventions, LeadTimes, Panel, Paths, Replay, Window};
/// # let (products, weeks) = (20, 40);
/// # let columns = Columns {
/// #     demand: (0..products * weeks).map(|i| f64::from(i as u32 * 7 % 11)).collect(),
/// #     price: vec![10.0; products * weeks],
/// #     cost: vec![6.0; products * weeks],
/// #     present: vec![true; products * weeks],
/// #     covariates: vec![],
/// # };
/// # let panel = Panel::new((0..products).map(|p| p.to_string()).collect(), weeks, columns)?;
/// # let paths = Paths::new(&panel, &LeadTimes::fixed(1), 1)?;
/// # let replay = Replay::new(&paths, Conventions::default(), Window { scored: 5..40, warm_up: 5 }, &vec![5.0; products])?;
/// // A level that is too low, and one way to change its orders: two units more.
/// let policy = BaseStock::new("low", 1.0, Signals::from_fn(40, 1, 20, |_, _, _| 6.0));
/// let deviations = Deviations { arms: vec![Arm { times: 1.0, plus: 2.0 }], reach: 8, units: None };
/// let gains = ReplayedGains::new(&replay, &policy, &(), &deviations, &Device::best(), 1, |_week, _product, out| out.push(0.0))?;
/// let gap = gains.table()?.gap(MapClass::Global, &Question::default())?;
/// assert!(gap.is_material());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayedGains {
    arms: usize,
    columns: usize,
    gains: Vec<f64>,
    features: Vec<f64>,
    product: Vec<u64>,
    week: Vec<u64>,
    weight: Vec<f64>,
}

impl ReplayedGains {
    /// Replays a policy with every change of [`Deviations`], one decision at a time; `context` appends the `columns` features of a week and product, made of
    /// what is known when the order is placed. A decision weighs as much as its week's reward does; samples of lead times of one product are one
    /// cluster.
    ///
    /// # Errors
    /// As [`Replay::deviations`], and when `context` gives another number of features.
    pub fn new<P: Policy, M: Market>(
        replay: &Replay<'_>,
        policy: &P,
        market: &M,
        deviations: &Deviations,
        device: &Device,
        columns: usize,
        context: impl FnMut(usize, usize, &mut Vec<f64>),
    ) -> Result<Self> {
        let found = replay.deviations(policy, market, deviations, device)?;
        let each: Vec<usize> = (0..found.lanes()).collect();
        Self::gather(replay, &found, &each, columns, context)
    }

    /// The same with the means over samples of lead times: one decision per product and week.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn averaged<P: Policy, M: Market>(
        replay: &Replay<'_>,
        policy: &P,
        market: &M,
        deviations: &Deviations,
        device: &Device,
        columns: usize,
        context: impl FnMut(usize, usize, &mut Vec<f64>),
    ) -> Result<Self> {
        let found = replay.deviations(policy, market, deviations, device)?;
        let mut places: HashMap<usize, usize> = HashMap::new();
        let of_product: Vec<usize> = (0..found.lanes())
            .map(|lane| {
                let next = places.len();
                *places.entry(replay.paths().product(lane)).or_insert(next)
            })
            .collect();
        Self::gather(replay, &found, &of_product, columns, context)
    }

    /// Week by week, the means over the lanes of each decision; `decision` names that of each lane, numbered in their order.
    fn gather(
        replay: &Replay<'_>,
        found: &Gains,
        decision: &[usize],
        columns: usize,
        mut context: impl FnMut(usize, usize, &mut Vec<f64>),
    ) -> Result<Self> {
        let mut products: Vec<usize> = Vec::new();
        for (lane, of) in decision.iter().enumerate() {
            if *of == products.len() {
                products.push(replay.paths().product(lane));
            }
        }
        let (arms, weeks) = (found.arms(), found.weeks());
        let decisions = weeks.len() * products.len();
        let mut all = ReplayedGains {
            arms,
            columns,
            gains: vec![0.0; decisions * arms],
            features: Vec::with_capacity(decisions * columns),
            product: Vec::with_capacity(decisions),
            week: Vec::with_capacity(decisions),
            weight: Vec::with_capacity(decisions),
        };
        let blocks = all.gains.chunks_exact_mut((products.len() * arms).max(1));
        let mut counts = vec![0.0; products.len()];
        for (week, gains) in weeks.zip(blocks) {
            let (weight, _) = replay.weights(week);
            for product in &products {
                context(week, *product, &mut all.features);
                all.product.push(*product as u64);
                all.week.push(week as u64);
                all.weight.push(weight);
            }
            counts.fill(0.0);
            for (lane, of) in decision.iter().enumerate() {
                counts[*of] += 1.0;
                for (arm, mean) in gains[of * arms..][..arms].iter_mut().enumerate() {
                    *mean += (found.of(week, arm)[lane] - *mean) / counts[*of];
                }
            }
        }
        crate::error::check_len(
            "features of the contexts",
            decisions * columns,
            all.features.len(),
        )?;
        Ok(all)
    }

    /// The same with other numbers of the products, by their place in the panel.
    pub(super) fn renumbered(mut self, numbers: &[u64]) -> Self {
        for product in &mut self.product {
            #[allow(clippy::cast_possible_truncation, reason = "a place in the panel")]
            let place = *product as usize;
            *product = numbers[place];
        }
        self
    }

    /// The table of these gains.
    ///
    /// # Errors
    /// When a feature is not finite.
    pub fn table(&self) -> Result<GainTable<'_>> {
        let features = Features::new(self.columns, &self.features)?;
        GainTable::new(
            self.arms,
            &self.gains,
            features,
            &self.product,
            Some(&self.weight),
        )?
        .with_weeks(&self.week)
    }
}

/// A market in which the orders of some decisions are changed as a map says: the policy as it would be with the tweak.
#[derive(Debug, Clone, PartialEq)]
pub struct Tweak {
    factors: Signals,
}

impl Tweak {
    /// Returns the tweak of a replay's policy by a map over `arms`, where `context` is as in [`ReplayedGains::new`]; `follows` says whether the map is
    /// followed in a week for a product, for a change of a share of the decisions.
    #[must_use]
    pub fn new(
        replay: &Replay<'_>,
        map: &Map,
        arms: &[Arm],
        mut context: impl FnMut(usize, usize, &mut Vec<f64>),
        mut follows: impl FnMut(usize, usize) -> bool,
    ) -> Self {
        let panel = replay.paths().panel();
        let mut features = Vec::new();
        let mut arm = |week: usize, product: usize| {
            if !replay.window().scored.contains(&week) {
                return None;
            }
            features.clear();
            context(week, product, &mut features);
            let arm = map.arm(&features);
            if arm > 0 && follows(week, product) {
                arms.get(arm - 1).copied()
            } else {
                None
            }
        };
        let mut chosen = vec![None; panel.weeks() * panel.products()];
        for week in 0..panel.weeks() {
            for product in 0..panel.products() {
                chosen[week * panel.products() + product] = arm(week, product);
            }
        }
        let factors = Signals::from_fn(panel.weeks(), 2, panel.products(), |week, row, product| {
            let arm = chosen[week * panel.products() + product];
            let kept = Arm {
                times: 1.0,
                plus: 0.0,
            };
            let arm: Arm = arm.unwrap_or(kept);
            if row == 0 { arm.times } else { arm.plus }
        });
        Tweak { factors }
    }
}

impl Market for Tweak {
    fn signals(&self) -> Vec<&Signals> {
        vec![&self.factors]
    }

    #[inline(always)]
    fn order<S: Scalar>(&self, inputs: &MarketInputs<'_, S>, order: S) -> S {
        (order * inputs.rows[0] + inputs.rows[1]).relu()
    }
}
