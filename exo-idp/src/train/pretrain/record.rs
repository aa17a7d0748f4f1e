//! One synthetic record: a few dozen products that share a calendar, promotions' effects, a law of lead times and conventions.
//!
//! The family is wide rather than true to any data: what a policy is trained on must hold what it will meet. Weeks and months; smooth, bulky and
//! intermittent demand; seasons of the panel and of groups, promotions with and without a plan, drifting and jumping levels, launches and
//! life cycles, weeks out of stock; margins from thin to fat, costs of holding from none to heavy, lost sales that cost more than their
//! margin, orders that wait. All of it is our own formulation.

use gpu::Stream;
use rand::{Rng, RngExt};

use super::draw::{chance, lead_times, log_uniform, negative_binomial, normal, occurrence, one_of};
use super::level::{Character, levels};
use crate::conventions::{Conventions, Receipts, Unmet};
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
    /// Periods of a year.
    pub(super) year: usize,
    /// Groups of products with a season of their own, where they are known.
    pub(super) hierarchy: Vec<Vec<usize>>,
}

/// Prices and promotions of the products, `[product][period]`.
struct Prices {
    regular: Vec<f64>,
    price: Vec<Vec<f64>>,
    /// What is planned: nothing, one, or two promotions at once.
    promotion: Vec<Vec<f64>>,
    /// What both do to the logarithm of demand.
    effect: Vec<Vec<f64>>,
    promoted: bool,
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
        let monthly = if character == Character::Intermittent {
            0.5
        } else {
            0.1
        };
        let year = if chance(rng, monthly) { 12 } else { 52 };
        let groups: Vec<usize> = (0..products)
            .map(|product| product * 4 / products)
            .collect();
        let mut level = levels(rng, character, &groups, weeks, year);
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
        let cost = costs(rng, &prices);
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
            conventions: conventions(rng, &prices.regular),
            plan: Plan {
                horizon,
                price: chance(rng, 0.8),
            },
            year,
            hierarchy: if chance(rng, 0.5) {
                vec![groups]
            } else {
                vec![]
            },
        })
    }
}

/// Discount, holding and penalty from mild to heavy, given what goods usually cost a customer.
fn conventions<R: Rng>(rng: &mut R, regular: &[f64]) -> Conventions {
    let discount = if chance(rng, 0.2) {
        1.0 - log_uniform(rng, 0.001, 0.02)
    } else {
        one_of(rng, &[0.998, 0.995, 0.99, 0.9995])
    };
    let holding_share = match rng.random::<f64>() {
        x if x < 0.1 => 0.0,
        x if x < 0.85 => log_uniform(rng, 0.001, 0.06),
        _ => log_uniform(rng, 0.06, 0.3),
    };
    let price = regular.iter().sum::<f64>() / count(regular.len());
    let penalty = if chance(rng, 0.15) {
        price * log_uniform(rng, 0.02, 1.0)
    } else {
        0.0
    };
    Conventions {
        discount,
        holding_share,
        penalty,
        receipts: if chance(rng, 0.8) {
            Receipts::BeforeDemand
        } else {
            Receipts::AfterDemand
        },
        unmet: if chance(rng, 0.9) {
            Unmet::Lost
        } else {
            Unmet::Backordered
        },
        ..Conventions::default()
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

/// Costs as a share of prices, steady or moving with them.
fn costs<R: Rng>(rng: &mut R, prices: &Prices) -> Vec<Vec<f64>> {
    let share = match rng.random::<f64>() {
        x if x < 0.6 => rng.random_range(0.3..0.92),
        x if x < 0.9 => rng.random_range(0.5..0.75),
        _ => rng.random_range(0.05..0.3),
    };
    let follows = chance(rng, 0.4);
    let jitter = prices.promoted && chance(rng, 0.5);
    let mut products = Vec::with_capacity(prices.price.len());
    for (path, &regular) in prices.price.iter().zip(&prices.regular) {
        let own = share * (0.08 * normal(rng)).exp();
        let mut week = |price: f64| {
            let base = if follows {
                price.powf(0.7) * regular.powf(0.3)
            } else {
                regular
            };
            let noise = if jitter {
                (0.05 * normal(rng)).exp()
            } else {
                1.0
            };
            (own * base).min(0.97 * regular) * noise
        };
        products.push(path.iter().map(|&price| week(price)).collect());
    }
    products
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
        assert!(of(&|r| r.conventions.unmet == Unmet::Backordered) >= 2);
        assert!(
            of(&|r| r.conventions.penalty > 0.0) >= 3
                && of(&|r| r.conventions.holding_share > 0.06) >= 3
        );
    }
}
