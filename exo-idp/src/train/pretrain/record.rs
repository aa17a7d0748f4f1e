//! One synthetic record: a few dozen products that share a calendar, promotions' effects, a law of lead times and conventions.
//!
//! The family is wide rather than true to any data: what a policy is trained on must hold what it will meet. Days, weeks and months; smooth, bulky and
//! intermittent demand; seasons of the panel and of groups, promotions with and without a plan, drifting and jumping levels, launches and
//! life cycles, weeks out of stock; margins from thin to fat, costs of holding from none to heavy, lost sales that cost more than their
//! margin, costs alone, orders that wait. All of it is our own formulation.

use gpu::Stream;
use rand::{Rng, RngExt};

use super::draw::{chance, lead_times, negative_binomial, normal, occurrence, one_of};
use super::level::{Character, Period, levels};
use super::money::{Account, conventions, costs};
use crate::conventions::Conventions;
use crate::count::count;
use crate::error::Error;
use crate::lead_times::LeadTimes;
use crate::panel::{Columns, Covariate, Panel};
use crate::policy::Plan;

/// Longest lead time of a synthetic record, in periods.
const LONGEST: usize = 8;

/// A record with the setting that it is replayed in.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) panel: Panel,
    pub(super) lead_times: LeadTimes,
    pub(super) conventions: Conventions,
    pub(super) plan: Plan,
    /// Periods after which seasons come back.
    pub(super) year: usize,
    /// Groups of products with a season of their own, where they are known.
    pub(super) hierarchy: Vec<Vec<usize>>,
}

/// Prices and promotions of the products, `[product][period]`.
pub(super) struct Prices {
    pub(super) regular: Vec<f64>,
    pub(super) price: Vec<Vec<f64>>,
    /// What is planned: nothing, one, or two promotions at once.
    promotion: Vec<Vec<f64>>,
    /// What both do to the logarithm of demand.
    effect: Vec<Vec<f64>>,
    pub(super) promoted: bool,
}

impl Record {
    /// Record number `index` of a seed.
    pub(super) fn draw(
        seed: u64,
        index: u64,
        products: usize,
        weeks: usize,
    ) -> Result<Self, Error> {
        let rng = &mut Stream::new(seed, "synthetic records").at(index, 0);
        let character = Character::draw(rng);
        let (period, account) = (Period::draw(rng, character), Account::draw(rng));
        let groups: Vec<usize> = (0..products)
            .map(|product| product * 4 / products)
            .collect();
        let mut level = levels(rng, character, period, &groups, weeks);
        let prices = Prices::draw(rng, character, products, weeks);
        for (level, effect) in level.iter_mut().zip(&prices.effect) {
            level.iter_mut().zip(effect).for_each(|(l, e)| *l += e);
        }
        let base = rng.random_range(-1.0..5.0);
        let spread = rng.random_range(0.3..1.3);
        let shape = one_of(rng, &[0.5, 1.5, 4.0, 20.0]);
        let bulk =
            character == Character::Bulky || (character == Character::Retail && chance(rng, 0.4));
        let cases = if character == Character::Retail && chance(rng, 0.15) {
            one_of(rng, &[6.0, 12.0])
        } else {
            1.0
        };
        let mut demand = Vec::with_capacity(products * weeks);
        for level in &level {
            let path = if character == Character::Intermittent {
                intermittent(rng, level)
            } else {
                let mean = (base + spread * normal(rng)).exp();
                let shape = shape * (0.5 * normal(rng)).exp();
                counts(rng, level, mean, shape, bulk)
            };
            demand.extend(path.into_iter().map(|d| d * cases));
        }
        let mut present = launches(rng, products, weeks);
        stock_outs(rng, &mut present, weeks);
        let cost = costs(rng, account, &prices);
        let columns = Columns {
            demand,
            price: prices.price.concat(),
            cost: cost.concat(),
            present,
            covariates: vec![Covariate {
                name: "promotion".into(),
                planned: true,
                values: prices.promotion.concat(),
            }],
        };
        let names = (0..products).map(|p| p.to_string()).collect();
        let persistence = if chance(rng, 0.5) {
            0.0
        } else {
            rng.random_range(0.0..0.8)
        };
        let law = lead_times(rng, LONGEST);
        let horizon = if chance(rng, 0.8) { law.len() - 1 } else { 0 };
        Ok(Record {
            panel: Panel::new(names, weeks, columns)?,
            lead_times: LeadTimes::new(law, persistence, seed ^ index.rotate_left(17))?,
            conventions: conventions(rng, account, period, &prices.regular),
            plan: Plan {
                horizon,
                price: chance(rng, 0.8),
            },
            year: period.cycle(),
            hierarchy: if chance(rng, 0.5) {
                vec![groups]
            } else {
                vec![]
            },
        })
    }
}

/// Counts about a level, in some records with orders in bulk now and then.
fn counts<R: Rng>(rng: &mut R, level: &[f64], mean: f64, shape: f64, bulk: bool) -> Vec<f64> {
    let often = rng.random_range(0.01..0.15);
    let (size, spread) = (rng.random_range(0.5..2.0), rng.random_range(0.3..0.9));
    let mut week = |level: f64| {
        let rate = mean * level.clamp(-5.0, 4.0).exp();
        let plain = negative_binomial(rng, rate, shape);
        if bulk && chance(rng, often) {
            plain + (rate * (size + spread * normal(rng)).exp()).round()
        } else {
            plain
        }
    };
    level.iter().map(|&l| week(l)).collect()
}

/// Demand in some periods only, one unit or a few.
fn intermittent<R: Rng>(rng: &mut R, level: &[f64]) -> Vec<f64> {
    let often = occurrence(rng);
    let size = (rng.random_range(0.0..2.0) + 0.5 * normal(rng)).exp();
    let random_size = chance(rng, 0.7);
    let mut week = |level: f64| {
        if !chance(rng, (often * level.clamp(-2.0, 1.0).exp()).clamp(0.01, 1.0)) {
            0.0
        } else if random_size {
            1.0 + negative_binomial(rng, size, 1.0)
        } else {
            size.ceil()
        }
    };
    level.iter().map(|&l| week(l)).collect()
}

/// Which products are there when: in some records many are launched on the way.
fn launches<R: Rng>(rng: &mut R, products: usize, weeks: usize) -> Vec<bool> {
    let some = chance(rng, 0.3);
    let mut present = Vec::with_capacity(products * weeks);
    for _ in 0..products {
        let born = if some && chance(rng, 0.5) {
            rng.random_range(0..weeks * 2 / 5)
        } else {
            0
        };
        present.extend((0..weeks).map(|week| week >= born));
    }
    present
}

/// In some records weeks now and then whose demand is not known, alone or in runs.
fn stock_outs<R: Rng>(rng: &mut R, present: &mut [bool], weeks: usize) {
    if !chance(rng, 0.25) {
        return;
    }
    let (begins, lasts) = (rng.random_range(0.005..0.06), rng.random_range(1..6_usize));
    for product in present.chunks_exact_mut(weeks) {
        let mut left = 0;
        for week in product {
            if left == 0 && chance(rng, begins) {
                left = rng.random_range(1..=lasts);
            }
            if left > 0 {
                *week = false;
                left -= 1;
            }
        }
    }
}

impl Prices {
    fn draw<R: Rng>(rng: &mut R, character: Character, products: usize, weeks: usize) -> Self {
        let regular: Vec<f64> = (0..products).map(|_| (1.5 + normal(rng)).exp()).collect();
        let promoted = character == Character::Promoted || chance(rng, 0.25);
        let mut prices = Prices {
            price: regular.iter().map(|&p| vec![p; weeks]).collect(),
            promotion: vec![vec![0.0; weeks]; products],
            effect: vec![vec![0.0; weeks]; products],
            regular,
            promoted,
        };
        if promoted {
            prices.promote(rng, weeks);
        } else if chance(rng, 0.3) {
            for path in &mut prices.price {
                let mut walk = 0.0;
                for price in path {
                    walk += 0.01 * normal(rng);
                    *price *= f64::exp(walk);
                }
            }
        }
        prices
    }

    /// Promotions: when, how deep, and what they do.
    fn promote<R: Rng>(&mut self, rng: &mut R, weeks: usize) {
        let (often, lasts) = (rng.random_range(0.03..0.3), rng.random_range(1..4_usize));
        let depth = rng.random_range(0.05..0.4);
        let elasticity = rng.random_range(0.5..4.0);
        let dip = one_of(rng, &[0.0, -0.2]);
        let drift = one_of(rng, &[0.0, 0.01]);
        // Whether, how often and with what effect promotions are announced.
        let announced = if chance(rng, 0.6) {
            rng.random_range(0.4..1.0)
        } else {
            0.0
        };
        let twice = chance(rng, 0.5);
        let lift = rng.random_range(0.0..0.8);
        let common: Vec<bool> = (0..weeks)
            .map(|_| chance(rng, often / count(lasts)))
            .collect();
        let shared = chance(rng, 0.5);
        for product in 0..self.regular.len() {
            let start: Vec<bool> = (0..weeks)
                .map(|week| {
                    if shared {
                        common[week] && chance(rng, 0.8)
                    } else {
                        chance(rng, often / count(lasts))
                    }
                })
                .collect();
            let own_elasticity = (elasticity - 0.5 * normal(rng)).max(0.0);
            let own_lift = lift + 0.2 * normal(rng);
            let (mut walk, mut before) = (0.0, false);
            for week in 0..weeks {
                let on = start[week.saturating_sub(lasts - 1)..=week].contains(&true);
                walk += drift * normal(rng);
                let cut = if on {
                    depth * rng.random_range(0.3..1.5)
                } else {
                    0.0
                };
                let log: f64 = walk - cut;
                let mut planned = f64::from(u8::from(on && chance(rng, announced)));
                if planned > 0.0 && twice && chance(rng, 0.4) {
                    planned += 1.0;
                }
                self.price[product][week] *= log.exp();
                self.promotion[product][week] = planned;
                self.effect[product][week] =
                    -own_elasticity * log + own_lift * planned + if before { dip } else { 0.0 };
                before = on;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrivals::LeadTimeLaw;
    use crate::conventions::Unmet;

    /// Records are made from their seed and number alone, and the family holds what it promises.
    #[test]
    fn records_are_reproducible_and_varied() {
        let draw = |index| Record::draw(3, index, 12, 100).unwrap();
        let records: Vec<Record> = (0..60).map(draw).collect();
        for (index, record) in records.iter().enumerate() {
            let again = draw(index as u64);
            assert_eq!(
                (&record.panel, record.conventions),
                (&again.panel, again.conventions)
            );
            assert!(record.lead_times.probabilities(0).len() <= LONGEST + 1);
        }
        let cells = |r: &Record| {
            (0..12)
                .flat_map(move |p| (0..100).map(move |w| (p, w)))
                .collect::<Vec<_>>()
                .into_iter()
                .map(|(p, w)| r.panel.demand(p, w))
                .collect::<Vec<f64>>()
        };
        let idle = |r: &Record| count(cells(r).iter().filter(|&&d| d <= 0.0).count()) / 1200.0;
        let of = |test: &dyn Fn(&Record) -> bool| records.iter().filter(|r| test(r)).count();
        assert!(of(&|r| idle(r) > 0.5) >= 5 && of(&|r| idle(r) < 0.05) >= 5);
        assert!(of(&|r| r.panel.covariates()[0].values.iter().any(|&v| v > 0.0)) >= 5);
        assert!(of(&|r| r.lead_times.probabilities(0).len() == 1) >= 1);
        assert!(of(&|r| r.lead_times.probabilities(0).len() > 5) >= 5);
        let launched = |r: &Record| (0..12).any(|p| (0..20).all(|w| !r.panel.present(p, w)));
        let missing = |r: &Record| {
            (0..12).any(|p| r.panel.present(p, 60) && (61..100).any(|w| !r.panel.present(p, w)))
        };
        assert!(of(&launched) >= 2 && of(&missing) >= 4);
        assert!(of(&|r| r.year == 12) >= 5 && of(&|r| !r.hierarchy.is_empty()) >= 10);
        assert!(of(&|r| r.year == 7) >= 2);
        let even = |r: &Record| (0..12).all(|p| r.panel.price(p, 9) <= r.panel.cost(p, 9));
        assert!(of(&even) >= 2);
        assert!(of(&|r| r.conventions.unmet == Unmet::Backordered) >= 2);
        assert!(
            of(&|r| r.conventions.penalty > 0.0) >= 3
                && of(&|r| r.conventions.holding_share > 0.06) >= 3
        );
    }
}
