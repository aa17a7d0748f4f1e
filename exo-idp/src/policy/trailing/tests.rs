use proptest::prelude::*;

use super::*;
use crate::LeadTimes;
use crate::conventions::{Conventions, Receipts, Unmet};
use crate::panel::{Columns, Covariate, Panel};
use crate::policy::Plan;

const WEEKS: usize = 72;
const PRODUCTS: usize = 4;

/// A record of a few products with gaps, promotions, moving prices and costs; the last column is a promotion.
#[derive(Debug, Clone)]
struct Cells {
    demand: Vec<f64>,
    price: Vec<f64>,
    cost: Vec<f64>,
    present: Vec<bool>,
    promotion: Vec<f64>,
}

impl Cells {
    fn panel(&self) -> Panel {
        let columns = Columns {
            demand: self.demand.clone(),
            price: self.price.clone(),
            cost: self.cost.clone(),
            present: self.present.clone(),
            covariates: vec![Covariate {
                name: "promotion".into(),
                planned: true,
                values: self.promotion.clone(),
            }],
        };
        let names = (0..PRODUCTS).map(|p| p.to_string()).collect();
        Panel::new(names, WEEKS, columns).unwrap()
    }

    /// Changes everything from `week` on by the numbers of another record; what is known of `week` itself and of the plan stays.
    fn with_future_of(&self, other: &Cells, week: usize, plan: Plan) -> Cells {
        let mut cells = self.clone();
        let covariates = week + plan.horizon + 1;
        let prices = if plan.price { covariates } else { week + 1 };
        for at in 0..PRODUCTS * WEEKS {
            let then = at % WEEKS;
            if then >= week {
                cells.demand[at] = other.demand[at];
            }
            if then > week {
                cells.cost[at] = other.cost[at];
            }
            if then >= prices {
                cells.price[at] = other.price[at];
            }
            if then >= covariates {
                // A plan says for which weeks it holds.
                cells.present[at] = other.present[at];
                cells.promotion[at] = other.promotion[at];
            }
        }
        cells
    }
}

fn cells() -> impl Strategy<Value = Cells> {
    let each = PRODUCTS * WEEKS;
    let demand = prop_oneof![3 => 1.0_f64..40.0, 1 => Just(0.0)];
    (
        prop::collection::vec(demand, each),
        prop::collection::vec(4.0_f64..6.0, each),
        prop::collection::vec(2.0_f64..3.5, each),
        prop::collection::vec(prop::bool::weighted(0.9), each),
        prop::collection::vec(prop_oneof![4 => Just(0.0), 1 => Just(1.0)], each),
    )
        .prop_map(|(demand, price, cost, mut present, promotion)| {
            // Every product is there in the first weeks: before its launch nothing can be said of it.
            present
                .chunks_exact_mut(WEEKS)
                .for_each(|p| p[..2].fill(true));
            Cells {
                demand,
                price,
                cost,
                present,
                promotion,
            }
        })
}

fn law() -> LeadTimes {
    LeadTimes::new(vec![0.0, 0.3, 0.5, 0.2], 0.0, 1).unwrap()
}

fn terms<'a>(
    panel: &'a Panel,
    law: &'a LeadTimes,
    plan: Plan,
    hierarchy: &'a [Vec<usize>],
) -> Terms<'a> {
    Terms {
        panel,
        lead_times: law,
        conventions: Conventions {
            discount: 0.99,
            holding_share: 0.002,
            ..Conventions::default()
        },
        plan,
        year: 52,
        hierarchy,
    }
}

fn plans() -> impl Strategy<Value = Plan> {
    (0_usize..4, any::<bool>()).prop_map(|(horizon, price)| Plan { horizon, price })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Nothing that happens later moves a number of a week by one bit: demand from the week itself on, presence, price and cost after
    /// it, covariates and planned prices beyond the plan.
    #[test]
    fn no_number_knows_what_comes_later(now in cells(), later in cells(), week in 8_usize..WEEKS, plan in plans()) {
        let (panel, other) = (now.panel(), now.with_future_of(&later, week, plan).panel());
        let hierarchy = [vec![0, 0, 1, 1]];
        let of = |panel: &Panel| Trailing::new(&terms(panel, &law(), plan, &hierarchy), week..week + 1).unwrap();
        prop_assert_eq!(of(&panel), of(&other));
    }

    /// And what happened before does: of two records every input that is not a matter of the terms differs in some week.
    #[test]
    fn every_number_but_those_of_the_terms_follows_the_record(now in cells(), other in cells()) {
        let plan = Plan { horizon: 2, price: true };
        let of = |cells: &Cells| {
            let panel = cells.panel();
            let weeks = WEEKS - 12..WEEKS;
            let trailing = Trailing::new(&terms(&panel, &law(), plan, &[]), weeks.clone()).unwrap();
            let input = |k| weeks.clone().flat_map(move |week| (0..PRODUCTS).map(move |p| (k, week, p)));
            (0..INPUTS.len())
                .map(|k| input(k).map(|(k, week, p)| trailing.input(k, week, p)).collect())
                .collect::<Vec<Vec<f64>>>()
        };
        let fixed = ["season known", "holding", "discount", "penalty", "orders wait", "mean lead", "longest lead", "deviation of lead", "cover", "plan 3"];
        for ((name, a), b) in INPUTS.iter().zip(of(&now)).zip(of(&other)) {
            prop_assert!(a.iter().all(|x| x.is_finite() && x.abs() < 12.0), "{name}: {a:?}");
            prop_assert!(fixed.contains(name) || a != b, "{name}: {a:?} in both");
        }
    }

    /// The number of threads moves no bit.
    #[test]
    fn threads_move_nothing(cells in cells()) {
        let (panel, plan) = (cells.panel(), Plan { horizon: 2, price: true });
        let law = law();
        let terms = terms(&panel, &law, plan, &[]);
        let of = |threads| Trailing::on(&terms, 10..WEEKS, &gpu::Device::cpu(threads)).unwrap();
        prop_assert_eq!(of(1), of(3));
    }

    /// Counted in other units of goods and money the inputs are the same, and the levels are in those units.
    #[test]
    fn numbers_are_free_of_units(cells in cells(), units in prop_oneof![Just(1.0 / 12.0), Just(12.0), Just(1000.0)], money in prop_oneof![Just(0.01), Just(7.0)]) {
        let plan = Plan { horizon: 2, price: true };
        let mut other = cells.clone();
        other.demand.iter_mut().for_each(|d| *d *= units);
        other.price.iter_mut().chain(&mut other.cost).for_each(|p| *p *= money / units);
        let (panel, scaled) = (cells.panel(), other.panel());
        let (a, b) = (Trailing::new(&terms(&panel, &law(), plan, &[]), 10..WEEKS).unwrap(), Trailing::new(&terms(&scaled, &law(), plan, &[]), 10..WEEKS).unwrap());
        for week in 10..WEEKS {
            for product in 0..PRODUCTS {
                for (k, name) in INPUTS.iter().enumerate() {
                    let (x, y) = (a.input(k, week, product), b.input(k, week, product));
                    prop_assert!((x - y).abs() < 1e-5 * (1.0 + x.abs()), "{name}: {x} {y}");
                }
                for (k, level) in LEVELS.iter().enumerate() {
                    let (x, y) = (a.level(k, week, product) * units, b.level(k, week, product));
                    prop_assert!((x - y).abs() <= 1e-5 * x.abs().max(y.abs()), "{level}: {x} {y}");
                }
            }
        }
    }
}

/// Where demand never varies every level is the mean over lead time and review, whatever the conventions.
#[test]
fn levels_of_a_constant_demand_are_its_cover() {
    let each = PRODUCTS * WEEKS;
    let cells = Cells {
        demand: vec![8.0; each],
        price: vec![5.0; each],
        cost: vec![3.0; each],
        present: vec![true; each],
        promotion: vec![0.0; each],
    };
    let panel = cells.panel();
    let (any, fixed) = (law(), LeadTimes::fixed(2));
    for receipts in [Receipts::BeforeDemand, Receipts::AfterDemand] {
        let mut terms = terms(
            &panel,
            &any,
            Plan {
                horizon: 1,
                price: true,
            },
            &[],
        );
        terms.lead_times = &fixed;
        terms.conventions = Conventions {
            receipts,
            unmet: Unmet::Backordered,
            ..Conventions::default()
        };
        let trailing = Trailing::new(&terms, 60..70).unwrap();
        let cover = if receipts == Receipts::BeforeDemand {
            3.0
        } else {
            4.0
        };
        for (k, name) in LEVELS.iter().enumerate() {
            let level = trailing.level(k, 65, 1);
            assert!((level - 8.0 * cover).abs() < 1e-4, "{name}: {level}");
        }
    }
}
