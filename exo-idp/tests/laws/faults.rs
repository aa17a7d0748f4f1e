//! What is broken is an error or a panic in the caller's hands, never a plausible number.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use hindsight_exo_idp::compare::Bootstrap;
use hindsight_exo_idp::panel::Columns;
use hindsight_exo_idp::policy::{BaseStock, Observation, Policy, Signals};
use hindsight_exo_idp::train::{Training, direct_backprop};
use hindsight_exo_idp::{Arrivals, Conventions, Error, LeadTimes, Panel, Paths, Replay, Window};
use hindsight_gpu::{DelayLine, Device, Scalar};

const WEEKS: usize = 12;
const PRODUCTS: usize = 40;

fn panel() -> Panel {
    let cells = PRODUCTS * WEEKS;
    let columns = Columns {
        demand: vec![4.0; cells],
        price: vec![6.0; cells],
        cost: vec![3.0; cells],
        present: vec![true; cells],
        covariates: vec![],
    };
    let names = (0..PRODUCTS).map(|p| p.to_string()).collect();
    Panel::new(names, WEEKS, columns).unwrap()
}

fn on_replay<T>(work: impl FnOnce(&Replay<'_>) -> T) -> T {
    let panel = panel();
    let paths = Paths::new(&panel, &LeadTimes::fixed(1), 1).unwrap();
    let window = Window {
        scored: 2..WEEKS,
        warm_up: 2,
    };
    let replay = Replay::new(&paths, Conventions::default(), window, &[4.0; PRODUCTS]).unwrap();
    work(&replay)
}

/// Orders what its signal says, as a network or not.
#[derive(Debug)]
struct Orders {
    signals: Signals,
    network: bool,
}
impl Policy for Orders {
    fn name(&self) -> &'static str {
        "orders"
    }
    fn signals(&self) -> Option<&Signals> {
        Some(&self.signals)
    }
    fn is_network(&self) -> bool {
        self.network
    }
    fn order<S: Scalar>(&self, _: &[S], seen: &Observation<'_, S>, _: &mut [DelayLine<S>]) -> S {
        seen.signals[0]
    }
}

/// One order of one product that is no number of units is reported with its place, on lanes and as a program.
#[test]
fn an_order_that_is_no_number_of_units_is_reported() {
    for bad in [f64::NAN, f64::INFINITY, -2.0] {
        for network in [false, true] {
            let signals = Signals::from_fn(WEEKS, 1, PRODUCTS, |week, _, product| {
                if (week, product) == (7, 33) { bad } else { 4.0 }
            });
            let policy = Orders { signals, network };
            let found = on_replay(|replay| replay.run(&policy, &Device::cpu(2)));
            let Err(Error::Order {
                product,
                week,
                order,
                ..
            }) = found
            else {
                panic!("{bad} was taken: {found:?}");
            };
            assert_eq!((product, week), (33, 7));
            assert_eq!(order.to_bits(), bad.to_bits());
        }
    }
}

#[test]
fn signals_without_rows_are_refused() {
    for network in [false, true] {
        let signals = Signals::from_fn(WEEKS, 0, PRODUCTS, |_, _, _| 0.0);
        let policy = Orders { signals, network };
        let found = on_replay(|replay| replay.run(&policy, &Device::cpu(2)));
        assert!(matches!(found, Err(Error::Empty(_))), "{found:?}");
    }
}

/// A policy that panics in one bundle of lanes panics in the caller, for any number of threads.
#[test]
fn a_panic_of_a_policy_reaches_the_caller() {
    #[derive(Debug)]
    struct Panics(Signals);
    impl Policy for Panics {
        fn name(&self) -> &'static str {
            "panics"
        }
        fn signals(&self) -> Option<&Signals> {
            Some(&self.0)
        }
        fn order<S: Scalar>(
            &self,
            _: &[S],
            seen: &Observation<'_, S>,
            _: &mut [DelayLine<S>],
        ) -> S {
            // Not while it is recorded: a debug text is not what a policy should look at, but it can.
            let text = format!("{:?}", seen.signals[0]);
            assert!(!text.contains("77.0"), "planted");
            seen.signals[0]
        }
    }
    let signals = Signals::from_fn(WEEKS, 1, PRODUCTS, |week, _, product| {
        if (week, product) == (5, 39) {
            77.0
        } else {
            4.0
        }
    });
    let policy = Panics(signals);
    for threads in [1, 2, 3] {
        let caught = on_replay(|replay| {
            let run = || replay.run(&policy, &Device::cpu(threads));
            catch_unwind(AssertUnwindSafe(run))
        });
        let panic = caught.expect_err("the panic was swallowed");
        let words = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
        let words = words.or_else(|| panic.downcast_ref::<String>().cloned());
        assert!(words.unwrap().contains("planted"));
    }
}

#[test]
fn products_that_do_not_exist_are_an_error() {
    let panel = panel();
    for result in [
        panel.select(&[3, PRODUCTS]),
        panel.restrict(&[PRODUCTS + 7], 5),
    ] {
        assert!(matches!(
            result,
            Err(Error::Product {
                products: PRODUCTS,
                ..
            })
        ));
    }
}

#[test]
fn tables_of_unequal_rows_are_an_error() {
    let table = [vec![1.0; 8], vec![1.0; 8], vec![1.0; 7]];
    let found = Bootstrap::default().replicates(&table);
    assert_eq!(
        found.unwrap_err(),
        Error::Length {
            array: "weeks of a product".into(),
            expected: 8,
            found: 7,
        }
    );
}

#[test]
fn training_without_patience_is_refused() {
    let level = Signals::from_fn(WEEKS, 1, PRODUCTS, |_, _, _| 10.0);
    let policy = BaseStock::new("base stock", 1.0, level);
    for training in [
        Training {
            patience: 0,
            ..Training::default()
        },
        Training {
            steps: 0,
            ..Training::default()
        },
        Training {
            batch: 0,
            ..Training::default()
        },
    ] {
        let found = on_replay(|replay| {
            let weights = [1.0; PRODUCTS];
            let go = |_: &_| ControlFlow::Continue(());
            direct_backprop(
                &policy,
                &(),
                replay,
                Some(replay),
                &weights,
                &training,
                &Device::cpu(1),
                go,
            )
        });
        assert!(matches!(found, Err(Error::Empty(_))), "{training:?}");
    }
}

/// Arrivals may exceed an order; what is no share is refused.
#[test]
fn shares_are_finite_and_not_negative() {
    #[derive(Debug)]
    struct Shares(f64);
    impl Arrivals for Shares {
        fn max_lead_time(&self) -> usize {
            1
        }
        fn shares(&self, _: usize, _: usize, _: i64, shares: &mut [f64]) {
            shares.copy_from_slice(&[0.5, self.0]);
        }
    }
    let panel = panel();
    for (share, ok) in [
        (0.9, true),
        (0.0, true),
        (-0.1, false),
        (f64::NAN, false),
        (f64::INFINITY, false),
    ] {
        assert_eq!(Paths::new(&panel, &Shares(share), 1).is_ok(), ok, "{share}");
    }
}
