//! Policies in simulators.

use hindsight_arrivals::exo_idp::market::OrderRule;
use hindsight_arrivals::exo_idp::policy::{BaseStock, Signals};
use hindsight_arrivals::exo_idp::replay::Quantity;
use hindsight_arrivals::model::{GenQot, Training};
use hindsight_arrivals::trial::{
    Catalogue, Simulator, Trial, TrialConfig, implied_lead_times, usual_orders,
};
use hindsight_arrivals::world::VendorWorld;
use hindsight_arrivals::{ArrivalsError, Grid, LeadTimeOnly};
use hindsight_gpu::Device;

use crate::support::panel;

/// Lead times alone deliver every order in full; the generator's market delivers what its shares say, none where they are multiplied by zero; a smallest order makes orders rarer.
#[test]
fn simulators_deliver_what_they_say() {
    let panel = panel(6, 60);
    let (world, device) = (VendorWorld::new(3, 5).unwrap(), Device::cpu(1));
    let grid = Grid::weekly(world.longest()).unwrap();
    let log = world.log(4_000, 104, 1).unwrap();
    let training = Training {
        epochs: 30,
        ..Training::default()
    };
    let model = GenQot::fit(&log, &grid, &training, &device).unwrap();
    let usual = usual_orders(&panel, 0..45);
    let catalogue = Catalogue::of_world(&world, usual.clone(), 60).unwrap();
    let config = TrialConfig {
        held_out: 15,
        samples: 2,
        steps: 2,
        ..TrialConfig::default()
    };
    let law = LeadTimeOnly::fit(&log, &grid).unwrap();
    let trial = Trial::new(&panel, &catalogue, law.clone(), config.clone()).unwrap();
    let level = Signals::constant(60, 1, 6, |_, product| 5.0 * usual[product]);
    let policy = BaseStock::new("base stock", 1.0, level);

    let plain = trial
        .outcomes(&policy, Simulator::LeadTime, &device)
        .unwrap();
    let [supplied, ordered] = [Quantity::Supplied, Quantity::Order].map(|q| plain.total(q));
    assert!((supplied - ordered).abs() < 1e-4 * ordered && ordered > 0.0);
    let generated = trial.generated(&model).unwrap();
    let some = trial
        .outcomes(&policy, Simulator::Generated(&generated), &device)
        .unwrap();
    let nothing = trial.generated(&model).unwrap().biased(0.0).unwrap();
    let none = trial
        .outcomes(&policy, Simulator::Generated(&nothing), &device)
        .unwrap();
    assert!(some.fill_rate() < plain.fill_rate() && none.total(Quantity::Supplied) < 1e-6);

    let rule = |usual: &f64| OrderRule {
        minimum: 4.0 * usual,
        ..OrderRule::default()
    };
    let ruled = catalogue
        .clone()
        .with_rules(usual.iter().map(rule).collect())
        .unwrap();
    let ruled = Trial::new(&panel, &ruled, law.clone(), config.clone()).unwrap();
    let rarer = ruled
        .outcomes(&policy, Simulator::LeadTime, &device)
        .unwrap();
    assert!(ruled.frequency(&rarer) < 0.7 * trial.frequency(&plain));
    let free = ruled.without_rules();
    let again = free
        .outcomes(&policy, Simulator::LeadTime, &device)
        .unwrap();
    assert_eq!(again.reward().to_bits(), plain.reward().to_bits());

    // The generator's own lead times are near those of the log that it learned from.
    let implied = implied_lead_times(&model, &catalogue, &device, 1).unwrap();
    let gaps = implied.probabilities(0).iter().zip(law.probabilities(0));
    assert!(gaps.map(|(a, b)| (a - b).abs()).sum::<f64>() < 0.4);

    let few = Catalogue::of_world(&world, usual[..4].to_vec(), 60).unwrap();
    let refused = Trial::new(&panel, &few, law, config).unwrap_err();
    assert!(
        matches!(
            refused,
            ArrivalsError::Length {
                expected: 6,
                found: 4,
                ..
            }
        ),
        "{refused}"
    );
}

/// The largest order holds in every simulator and whichever rules follow it; one that nothing reaches changes nothing, to the bit.
#[test]
fn no_order_exceeds_the_largest() {
    let panel = panel(6, 60);
    let (world, device) = (VendorWorld::new(3, 5).unwrap(), Device::cpu(1));
    let log = world.log(1_000, 104, 1).unwrap();
    let law = LeadTimeOnly::fit(&log, &Grid::weekly(world.longest()).unwrap()).unwrap();
    let usual = usual_orders(&panel, 0..45);
    let catalogue = Catalogue::of_world(&world, usual.clone(), 60).unwrap();
    let config = TrialConfig {
        held_out: 15,
        samples: 2,
        ..TrialConfig::default()
    };
    let level = Signals::constant(60, 1, 6, |_, product| 5.0 * usual[product]);
    let policy = BaseStock::new("base stock", 1.0, level);
    // The most that is supplied of an order, in usual orders, and the reward.
    let most = |catalogue: &Catalogue, simulator| {
        let trial = Trial::new(&panel, catalogue, law.clone(), config.clone()).unwrap();
        let found = trial.outcomes(&policy, simulator, &device).unwrap();
        let cells = (0..6)
            .flat_map(|p| (0..2).map(move |s| (p, s)))
            .flat_map(|(p, s)| (45..60).map(move |week| (p, s, week)));
        let supplied = cells
            .map(|(p, s, week)| found.sample(Quantity::Supplied, p, s, week) / usual[p])
            .fold(0.0, f64::max);
        (supplied, found.reward().to_bits())
    };
    let bounded = |largest| catalogue.clone().with_largest(largest).unwrap();
    let (unbounded, reward) = most(&catalogue, Simulator::LeadTime);
    assert!(unbounded > 1.6, "{unbounded}");
    let (largest, _) = most(&bounded(1.5), Simulator::LeadTime);
    assert!((largest - 1.5).abs() < 1e-5, "{largest}");
    let (_, far) = most(&bounded(1e6), Simulator::LeadTime);
    assert_eq!(far, reward);

    let truth = world.market(&catalogue, 2, 9).unwrap();
    let (unbounded, _) = most(&catalogue, Simulator::World(&truth));
    let (largest, _) = most(&bounded(0.5), Simulator::World(&truth));
    // Vendors deliver up to 1.3 of an order.
    assert!(unbounded > 0.65 && largest > 0.0 && largest < 0.65 + 1e-5);

    // A smallest order is applied to what the largest leaves: it never lets through what was asked for.
    let rule = |usual: &f64| OrderRule {
        minimum: 2.0 * usual,
        ..OrderRule::default()
    };
    let rules: Vec<OrderRule> = usual.iter().map(rule).collect();
    let ruled = |largest| bounded(largest).with_rules(rules.clone()).unwrap();
    let (raised, _) = most(&ruled(1.5), Simulator::LeadTime);
    assert!((raised - 2.0).abs() < 1e-5, "{raised}");
    let (cut, _) = most(&ruled(3.0), Simulator::LeadTime);
    assert!(cut < 3.0 + 1e-5, "{cut}");

    for largest in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(catalogue.clone().with_largest(largest).is_err());
    }
}
