use hindsight_exo_idp::gpu::Device;
use hindsight_exo_idp::panel::Columns;
use hindsight_exo_idp::policy::{BaseStock, Signals};
use hindsight_exo_idp::{Conventions, LeadTimes, Paths, Window};

use super::*;

const PRODUCTS: usize = 90;
const WEEKS: usize = 40;

fn panel() -> Panel {
    let cells = PRODUCTS * WEEKS;
    let columns = Columns {
        demand: (0..cells).map(|i| (lot(i as u64, 3) % 11) as f64).collect(),
        price: vec![10.0; cells],
        cost: vec![6.0; cells],
        present: vec![true; cells],
        covariates: vec![],
    };
    let names = (0..PRODUCTS).map(|p| format!("product {p}"));
    Panel::new(names.collect(), WEEKS, columns).unwrap()
}

/// The gap of ordering up to a level, among so many products at the most.
fn gap(level: f64, products: usize) -> PolicyGap {
    let panel = panel();
    let paths = Paths::new(&panel, &LeadTimes::uniform(1, 2, 0.0, 1).unwrap(), 2).unwrap();
    let window = Window {
        scored: 8..WEEKS,
        warm_up: 4,
    };
    let replay = Replay::new(&paths, Conventions::default(), window, &[5.0; PRODUCTS]).unwrap();
    let signals = Signals::constant(WEEKS, 1, PRODUCTS, |_, _| level);
    let policy = BaseStock::new("level", 1.0, signals);
    let device = Device::cpu(2);
    let outcomes = replay.run(&policy, &device).unwrap();
    let scored = Scored {
        name: "level",
        role: Role::Heuristic,
        window: 0,
        replay: &replay,
        outcomes: &outcomes,
        plan: Plan {
            horizon: 0,
            price: false,
        },
        device: &device,
    };
    let mut gaps = WindowGaps {
        products,
        ..WindowGaps::default()
    };
    gaps.examine(&scored, &policy);
    gaps.finish().unwrap().remove(0)
}

/// A level that is too low has a gap, whether all products or some of them are looked at; the right one has none.
#[test]
fn some_products_say_what_all_say() {
    let all = gap(8.0, PRODUCTS);
    assert_eq!(all, gap(8.0, usize::MAX));
    let some = gap(8.0, 30);
    assert_eq!((all.products, some.products), (PRODUCTS, 30));
    for found in [&all, &some] {
        assert!(found.interval.lower > 0.0, "{found:?}");
        assert!(found.tweak_interval.lower > 0.0, "{found:?}");
    }
    let shared =
        all.interval.lower < some.interval.upper && some.interval.lower < all.interval.upper;
    assert!(shared, "{:?} {:?}", all.interval, some.interval);
    assert!(some.standard_error > all.standard_error);
    let right = gap(24.0, 30);
    assert!(right.gap < 0.2 * some.gap, "{right:?}");
}

/// The same products whatever their order, and half of them, more or less, choose.
#[test]
fn the_draw_is_a_lot_of_its_own() {
    let numbers: Vec<u64> = (0..1000).collect();
    let places = drawn(&numbers, 400, 1);
    assert_eq!(places.len(), 400);
    let turned: Vec<u64> = numbers.iter().rev().copied().collect();
    let mut again: Vec<usize> = drawn(&turned, 400, 1).iter().map(|p| 999 - p).collect();
    again.sort_unstable();
    assert_eq!(places, again);
    assert_ne!(places, drawn(&numbers, 400, 2));
    let mut lots: Vec<u64> = numbers.iter().map(|n| lot(*n, 1)).collect();
    let own: Vec<u64> = places.iter().map(|p| lots[*p]).collect();
    lots.sort_unstable();
    let choosing = own.iter().filter(|own| **own < lots[500]).count();
    assert!((160..=240).contains(&choosing), "{choosing}");
}
