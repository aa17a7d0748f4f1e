//! What a policy cannot know.

use proptest::test_runner::TestCaseError;

use super::Case;
use crate::arrivals::Arrivals;
use crate::error::Error;
use crate::lead_times::LeadTimes;
use crate::outcomes::{Outcomes, Quantity};
use crate::panel::{Columns, Covariate, Panel};
use crate::paths::Paths;
use crate::policy::{Plan, Policy};

use gpu::Device;

/// What a policy may know beside the weeks before its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Weeks at the start of the panel on which it was fitted: nothing in them is moved, and orders in them are not judged.
    pub fitted: usize,
    /// What the retailer's plan says of the weeks ahead.
    pub plan: Plan,
}

impl Default for Known {
    /// No week was used to fit, and the plan holds this week's promotion.
    fn default() -> Self {
        let plan = Plan {
            horizon: 0,
            price: false,
        };
        Known { fitted: 0, plan }
    }
}

/// Nothing that is not known when an order is placed moves it, by one bit: from a week on, which `seed` draws, demand, prices, costs,
/// covariates, presence and the arrivals of orders still on their way become others, and every order up to that week must stay.
///
/// `make` builds the policy from a panel, which has a covariate `late` beside those of the case that is known a week late.
///
/// # Errors
///
/// [`TestCaseError`] with the first order that moved; errors of `make`.
pub fn sees_no_future<P: Policy>(
    case: &Case,
    seed: u64,
    known: Known,
    make: impl Fn(&Panel) -> Result<P, Error>,
) -> Result<(), TestCaseError> {
    replays_see_no_future(case, seed, known, |panel, arrivals| {
        let policy = make(panel)?;
        let paths = Paths::new(panel, arrivals, 2)?;
        let replay = case.replay(&paths, 1)?;
        Ok(vec![replay.run(&policy, &Device::cpu(2))?])
    })
}

/// The same for whoever makes the replays too, of several policies or of policies that are fitted to arrivals: `replays` is called with
/// one panel and its arrivals, then with the other.
///
/// # Errors
///
/// As [`sees_no_future`].
pub fn replays_see_no_future(
    case: &Case,
    seed: u64,
    known: Known,
    replays: impl Fn(&Panel, &dyn Arrivals) -> Result<Vec<Outcomes>, Error>,
) -> Result<(), TestCaseError> {
    let noise = Noise(seed);
    let panel = with_late_covariate(&case.panel, noise)?;
    // An order needs a week before it and one after it.
    let (first, last) = (known.fitted.max(2), panel.weeks().saturating_sub(1));
    if first >= last {
        return Err(TestCaseError::reject("too few weeks after the fitted ones"));
    }
    let week = first + noise.below(last - first);
    let by = i64::try_from(week).unwrap_or(i64::MAX);
    let run = |panel: &Panel, by: i64| {
        let law = &case.lead_times;
        replays(panel, &Later { law, by })
    };
    let before = run(&panel, i64::MAX)?;
    let after = run(&moved(&panel, week, known.plan, noise)?, by)?;
    for (before, after) in before.iter().zip(&after) {
        let weeks = before.scored().filter(|&w| known.fitted <= w && w <= week);
        for at in weeks {
            for product in 0..before.products() {
                for sample in 0..before.samples() {
                    let order = |o: &Outcomes| o.sample(Quantity::Order, product, sample, at);
                    let (a, b) = (order(before), order(after));
                    if a.to_bits() != b.to_bits() {
                        let name = before.policy();
                        return Err(TestCaseError::fail(format!(
                            "{name}: the order of week {at} moves from {a} to {b} with what comes after week {week}"
                        )));
                    }
                }
            }
        }
    }
    Ok(())
}

/// Numbers by place, from a seed: SplitMix64.
#[derive(Debug, Clone, Copy)]
struct Noise(u64);

impl Noise {
    fn at(self, stream: u64, place: usize) -> f64 {
        let place = u64::try_from(place).unwrap_or(u64::MAX);
        let mut z = (self.0 ^ stream << 56)
            .wrapping_add(place.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        // Sixteen bits are exact in any float.
        f64::from(u16::try_from((z ^ (z >> 31)) >> 48).unwrap_or(0)) / 65_536.0
    }

    fn below(self, end: usize) -> usize {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "a number of weeks"
        )]
        let place = (self.at(1, 0) * end as f64) as usize;
        place
    }

    /// A factor from 0.5 to 2 for a cell.
    fn factor(self, cell: usize) -> f64 {
        0.5 + 1.5 * self.at(2, cell)
    }
}

/// The same panel with a further covariate that is known a week late.
fn with_late_covariate(panel: &Panel, noise: Noise) -> Result<Panel, Error> {
    let cells = panel.products() * panel.weeks();
    let mut covariates = panel.covariates().to_vec();
    covariates.push(Covariate {
        name: "late".into(),
        planned: false,
        values: (0..cells).map(|cell| noise.at(3, cell)).collect(),
    });
    rebuilt(panel, covariates, |_, _| (1.0, 1.0, 1.0, true))
}

/// A panel whose demand, prices and costs are multiplied by factors, and that misses weeks.
fn rebuilt(
    panel: &Panel,
    covariates: Vec<Covariate>,
    of: impl Fn(usize, usize) -> (f64, f64, f64, bool),
) -> Result<Panel, Error> {
    let mut columns = Columns {
        covariates,
        ..Columns::default()
    };
    let mut unknown = Vec::new();
    for product in 0..panel.products() {
        for week in 0..panel.weeks() {
            let (demand, price, cost, kept) = of(product, week);
            let present = panel.present(product, week);
            columns.demand.push(panel.demand(product, week) * demand);
            columns.price.push(panel.price(product, week) * price);
            columns.cost.push(panel.cost(product, week) * cost);
            columns.present.push(present && kept);
            unknown.push(panel.on_sale(product, week) && !present && kept);
        }
    }
    Panel::new(panel.names().to_vec(), panel.weeks(), columns)?.with_unknown_demand(unknown)
}

/// Everything that is not known when week `t` is ordered is another: demand and late covariates from week `t` on, costs after it,
/// prices and planned covariates beyond the plan, and whether a product is on sale there, which is part of the plan.
fn moved(panel: &Panel, t: usize, plan: Plan, noise: Noise) -> Result<Panel, Error> {
    let weeks = panel.weeks();
    let planned = t + plan.horizon;
    let priced = if plan.price { planned } else { t };
    let after = |week: usize, known: usize, factor: f64| if week > known { factor } else { 1.0 };
    let mut covariates = panel.covariates().to_vec();
    for covariate in &mut covariates {
        let known = if covariate.planned { planned } else { t - 1 };
        for (cell, value) in covariate.values.iter_mut().enumerate() {
            *value += after(cell % weeks, known, noise.factor(cell)) - 1.0;
        }
    }
    rebuilt(panel, covariates, |product, week| {
        let factor = noise.factor(product * weeks + week);
        (
            after(week, t - 1, factor),
            after(week, priced, factor),
            after(week, t, factor),
            week <= planned || factor < 1.7,
        )
    })
}

/// Lead times that are those of a law, except for orders that have not arrived by the end of week `by`: those take longer.
#[derive(Debug)]
pub struct Later<'a> {
    /// The law.
    pub law: &'a LeadTimes,
    /// The last week in which orders arrive as the law says.
    pub by: i64,
}

impl Arrivals for Later<'_> {
    fn max_lead_time(&self) -> usize {
        self.law.max_lead_time() + 1
    }

    fn shares(&self, product: usize, sample: usize, week: i64, shares: &mut [f64]) {
        let lead = self.law.lead_time(product, sample, week);
        let arrives = week.saturating_add(i64::try_from(lead).unwrap_or(i64::MAX));
        shares.fill(0.0);
        shares[lead + usize::from(arrives > self.by)] = 1.0;
    }
}
