//! What is conserved, what is kept, and the programme below.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::error::{Argument, DrainError};
use crate::fulfilment::{NetworkSimplex, Solver};

#[derive(Debug, Clone)]
struct Case {
    network: OutboundNetwork,
    stock: Vec<u32>,
    orders: Vec<Order>,
    forecast: Vec<f64>,
    rules: Rules,
}

impl Case {
    fn ledger(&self) -> Ledger {
        fulfil(
            &self.network,
            &self.stock,
            &self.orders,
            &self.forecast,
            &self.rules,
        )
        .unwrap()
    }
}

const BANDS: usize = 3;

fn option() -> impl Strategy<Value = ShipOption> {
    let days = prop::collection::vec(0u32..5, BANDS);
    let steps = prop::collection::vec(1u8..20, BANDS * 3);
    (days, steps).prop_map(|(transit_days, steps)| ShipOption {
        transit_days,
        weight_limits: vec![1.0, 3.0, 12.0],
        price: steps
            .chunks(3)
            .map(|s| {
                let mut price = 0.0;
                s.iter()
                    .map(|&step| {
                        price += f64::from(step);
                        price
                    })
                    .collect()
            })
            .collect(),
    })
}

prop_compose! {
    fn cases()(
        (w, z, p) in (1usize..5, 1usize..6, 1usize..4),
        options in prop::collection::vec(option(), 1..4),
        places in prop::collection::vec((0.0..1.0, 0u32..12), 4),
        bands in prop::collection::vec(0..BANDS, 20),
        weights in prop::collection::vec(0.1..3.0, 3),
        stock in prop::collection::vec(0u32..12, 12),
        mut drafts in prop::collection::vec((0u32..4, 0.0..1.0, any::<usize>(), 0u32..6, prop::collection::vec((any::<usize>(), 0u32..4), 0..3)), 0..60),
        forecast in prop::collection::vec(0.0..3.0, 15),
        (split, lost, ahead, seed) in (0.0..5.0, 0.0..60.0, prop_oneof![Just(0.0), 0.0..4.0], any::<u64>()),
    ) -> Case {
        drafts.sort_by(|a, b| (a.0, a.1).partial_cmp(&(b.0, b.1)).unwrap());
        let orders = drafts
            .into_iter()
            .map(|(day, time, zone, promise_days, lines)| Order {
                day,
                time,
                zone: zone % z,
                promise_days,
                lines: lines.into_iter().map(|(product, units)| Line { product: product % p, units }).collect(),
            })
            .collect();
        let warehouses = places[..w].iter().map(|&(cut_off, daily_picks)| Warehouse { cut_off, daily_picks }).collect();
        Case {
            network: OutboundNetwork::new(warehouses, options, bands[..w * z].to_vec(), weights[..p].to_vec()).unwrap(),
            stock: stock[..w * p].to_vec(),
            orders,
            forecast: forecast[..z * p].to_vec(),
            rules: Rules { split_penalty: split, lost_penalty: lost, look_ahead_days: ahead, seed },
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn units_and_money_are_conserved(case in cases()) {
        let ledger = case.ledger();
        let products = case.network.products();
        let mut left = case.stock.clone();
        let mut drain = vec![0; case.network.warehouses()];
        let mut open: HashMap<(usize, usize), i64> = HashMap::new();
        for (o, order) in case.orders.iter().enumerate() {
            for line in &order.lines {
                *open.entry((o, line.product)).or_default() += i64::from(line.units);
            }
        }
        for parcel in &ledger.parcels {
            prop_assert!(parcel.units() > 0);
            for line in &parcel.lines {
                left[parcel.warehouse * products + line.product] -= line.units; // panics below zero
                drain[parcel.warehouse] += u64::from(line.units);
                *open.get_mut(&(parcel.order, line.product)).unwrap() -= i64::from(line.units);
            }
        }
        prop_assert_eq!(&left, &ledger.stock);
        prop_assert_eq!(&drain, &ledger.drain);
        prop_assert!(open.values().all(|units| *units >= 0));
        let missing: i64 = open.values().sum();
        prop_assert_eq!(missing as u64, ledger.lost.iter().sum::<u64>());
        let carriers: f64 = ledger.parcels.iter().map(|p| p.price).sum();
        let cost = carriers + ledger.splits as f64 * case.rules.split_penalty + missing as f64 * case.rules.lost_penalty;
        prop_assert!((cost - ledger.cost).abs() <= 1e-9 * (1.0 + cost));
        prop_assert!((carriers - ledger.shipping.iter().sum::<f64>()).abs() <= 1e-9 * (1.0 + cost));
        let met: std::collections::HashSet<usize> = ledger.parcels.iter().map(|p| p.order).collect();
        prop_assert_eq!(ledger.splits as usize, ledger.parcels.len() - met.len());
    }

    #[test]
    fn promises_cut_offs_picks_and_tariffs_are_kept(case in cases()) {
        let ledger = case.ledger();
        let mut picked: HashMap<(usize, u32), u64> = HashMap::new();
        for parcel in &ledger.parcels {
            let (order, place) = (&case.orders[parcel.order], case.network.warehouses[parcel.warehouse]);
            let way = &case.network.options[parcel.option];
            let band = case.network.band(parcel.warehouse, order.zone);
            prop_assert!(parcel.day + way.transit_days[band] <= order.day + order.promise_days);
            prop_assert!(parcel.day >= order.day + u32::from(order.time > place.cut_off));
            let weight: f64 = parcel.lines.iter().map(|l| f64::from(l.units) * case.network.weights[l.product]).sum();
            prop_assert_eq!(way.parcel_price(band, weight), Some(parcel.price));
            *picked.entry((parcel.warehouse, parcel.day)).or_default() += parcel.units();
        }
        for ((w, _), units) in picked {
            prop_assert!(units <= u64::from(case.network.warehouses[w].daily_picks));
        }
    }

    #[test]
    fn no_order_is_lost_that_one_unit_could_still_meet(case in cases()) {
        // An order of one unit is lost only if no warehouse has stock, picks and an option in time.
        let mut case = case;
        case.orders.retain(|order| order.units() == 1);
        let ledger = case.ledger();
        let met: std::collections::HashSet<usize> = ledger.parcels.iter().map(|p| p.order).collect();
        let end = ledger.parcels.iter().fold(HashMap::<(usize, u32), u64>::new(), |mut used, p| {
            *used.entry((p.warehouse, p.day)).or_default() += 1;
            used
        });
        for (o, order) in case.orders.iter().enumerate().filter(|(o, _)| !met.contains(o)) {
            let product = order.lines.iter().find(|l| l.units > 0).unwrap().product;
            for (w, place) in case.network.warehouses.iter().enumerate() {
                let band = case.network.band(w, order.zone);
                let first = order.day + u32::from(order.time > place.cut_off);
                // What is free at the end was free when the order came.
                let possible = case.network.options.iter().any(|way| {
                    way.parcel_price(band, case.network.weights[product]).is_some()
                        && (first..order.day + order.promise_days + 1).any(|day| {
                            day + way.transit_days[band] <= order.day + order.promise_days
                                && end.get(&(w, day)).copied().unwrap_or(0) < u64::from(place.daily_picks)
                        })
                });
                let stock = ledger.stock[w * case.network.products() + product];
                prop_assert!(!possible || stock == 0, "order {} could come from {}", o, w);
            }
        }
    }

    #[test]
    fn the_programme_is_a_lower_bound(case in cases()) {
        let problem = relaxation(&case.network, &case.stock, &case.orders, &case.rules).unwrap();
        let bound = NetworkSimplex::new().solve(&problem).unwrap().cost;
        let cost = case.ledger().cost;
        prop_assert!(bound <= cost + 1e-9 * (1.0 + cost), "{bound} above {cost}");
    }

    #[test]
    fn with_plenty_of_stock_and_time_single_units_cost_what_the_programme_says(case in cases()) {
        let mut case = case;
        case.stock.fill(1000);
        case.network.warehouses.iter_mut().for_each(|w| w.daily_picks = 1000);
        case.network.weights.fill(1.0);
        case.rules.lost_penalty = 1e4;
        for order in &mut case.orders {
            order.promise_days = 20;
            order.lines = vec![Line { product: 0, units: 1 }];
        }
        let problem = relaxation(&case.network, &case.stock, &case.orders, &case.rules).unwrap();
        let bound = NetworkSimplex::new().solve(&problem).unwrap().cost;
        case.rules.look_ahead_days = 0.0;
        prop_assert_eq!(case.ledger().cost, bound);
    }
}

/// Two warehouses, each near one zone, one product of weight 1.
fn two_coasts(stock: [u32; 2], zones: &[usize], rules: Rules) -> Ledger {
    let ground = ShipOption {
        transit_days: vec![1, 4],
        weight_limits: vec![10.0],
        price: vec![vec![5.0], vec![9.0]],
    };
    let house = Warehouse {
        cut_off: 0.5,
        daily_picks: 9,
    };
    let network =
        OutboundNetwork::new(vec![house; 2], vec![ground], vec![0, 1, 1, 0], vec![1.0]).unwrap();
    let orders: Vec<Order> = zones
        .iter()
        .map(|&zone| Order {
            day: 0,
            time: 0.2,
            zone,
            promise_days: 6,
            lines: vec![Line {
                product: 0,
                units: 1,
            }],
        })
        .collect();
    fulfil(&network, &stock, &orders, &[1.0, 1.0], &rules).unwrap()
}

#[test]
fn stock_is_held_for_local_demand_until_an_order_would_be_lost() {
    let ahead = Rules {
        look_ahead_days: 2.0,
        ..Rules::default()
    };
    // The only stock is far from zone 0 and within the reserve: it is released.
    let ledger = two_coasts([0, 2], &[0], ahead);
    assert_eq!((ledger.released, &ledger.drain[..]), (1, &[0, 1][..]));
    // Above the reserve nothing needs releasing.
    assert_eq!(two_coasts([0, 3], &[0], ahead).released, 0);
    assert_eq!(two_coasts([0, 2], &[0], Rules::default()).released, 0);
}

#[test]
fn ties_follow_the_seed_alone() {
    let house = Warehouse {
        cut_off: 1.0,
        daily_picks: 100,
    };
    let flat = ShipOption {
        transit_days: vec![1],
        weight_limits: vec![10.0],
        price: vec![vec![5.0]],
    };
    let network = OutboundNetwork::new(vec![house; 2], vec![flat], vec![0, 0], vec![1.0]).unwrap();
    let order = Order {
        day: 0,
        time: 0.0,
        zone: 0,
        promise_days: 99,
        lines: vec![Line {
            product: 0,
            units: 1,
        }],
    };
    let orders = vec![order; 400];
    let run = |seed| {
        let rules = Rules {
            seed,
            ..Rules::default()
        };
        fulfil(&network, &[400, 400], &orders, &[0.0], &rules).unwrap()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    // Fair coins: five standard deviations.
    assert!((run(1).drain[0] as f64 - 200.0).abs() < 50.0);
}

#[test]
fn wrong_input_is_named() {
    let house = |cut_off| Warehouse {
        cut_off,
        daily_picks: 1,
    };
    let way = |price: Vec<f64>| ShipOption {
        transit_days: vec![1],
        weight_limits: vec![1.0, 2.0],
        price: vec![price],
    };
    let network = |cut_off, price, band| {
        OutboundNetwork::new(
            vec![house(cut_off)],
            vec![way(price)],
            vec![band],
            vec![1.0],
        )
    };
    assert!(matches!(
        network(f64::NAN, vec![1.0, 2.0], 0),
        Err(DrainError::NotAShare {
            argument: Argument::CutOff,
            ..
        })
    ));
    let falls = DrainError::NotAscending {
        argument: Argument::Price,
        index: 1,
    };
    assert_eq!(network(0.5, vec![2.0, 1.0], 0), Err(falls));
    let beyond = DrainError::OutOfBounds {
        argument: Argument::Band,
        index: 1,
        count: 1,
    };
    assert_eq!(network(0.5, vec![1.0, 2.0], 1), Err(beyond));
    let good = network(0.5, vec![1.0, 2.0], 0).unwrap();
    let order = |day, zone| Order {
        day,
        time: 0.0,
        zone,
        promise_days: 1,
        lines: vec![],
    };
    let run =
        |orders: &[Order]| fulfil(&good, &[1], orders, &[0.0], &Rules::default()).unwrap_err();
    assert_eq!(
        run(&[order(1, 0), order(0, 0)]),
        DrainError::NotAscending {
            argument: Argument::OrderTime,
            index: 1
        }
    );
    assert_eq!(
        run(&[order(0, 3)]),
        DrainError::OutOfBounds {
            argument: Argument::Zone,
            index: 3,
            count: 1
        }
    );
    let short = fulfil(&good, &[], &[], &[0.0], &Rules::default());
    assert_eq!(
        short,
        Err(DrainError::Length {
            argument: Argument::Stock,
            expected: 1,
            found: 0
        })
    );
}
