//! Sales are not demand: policies made from sales lose on the true demand, those made from corrected demand do not, and what a
//! policy sells does not bring back the demand that it lost.

#[path = "../../examples/censoring/experiment.rs"]
mod experiment;

use experiment::{Experiment, Failure, Record};
use hindsight_exo_idp::Panel;
use hindsight_exo_idp::compare::Bootstrap;
use hindsight_exo_idp::policy::{NeuralConfig, Policy};
use hindsight_exo_idp::train::{Recipe, Training};
use hindsight_exo_idp::world::{DemandColumn, World, WorldConfig};

/// A small world whose products are less unlike in size than by default, so that a handful does not hold most of the money.
fn config(safety: f64) -> WorldConfig {
    WorldConfig {
        products: 160,
        demand_spread: 0.5,
        weeks: 120,
        safety,
        seed: 1,
        births: 0.0,
        deaths: 0.0,
        ..WorldConfig::default()
    }
}

fn experiment(safety: f64) -> Experiment {
    let recipe = Recipe {
        network: NeuralConfig {
            channels: 4,
            dilations: vec![1, 2],
            hidden: 8,
        },
        training: Training {
            steps: 80,
            batch: 80,
            learning_rate: 3e-3,
            validate_every: 20,
            ..Training::default()
        },
        ensemble_size: 1,
        samples: 1,
        ..Recipe::default()
    };
    Experiment::new(&config(safety), 84, recipe).unwrap()
}

/// Raw loses to the truth and to the correction, by intervals that exclude zero; the correction is within a twentieth of the truth.
fn raw_must_lose<P: Policy>(
    experiment: &Experiment,
    fit: impl Fn(&Panel) -> Result<P, Failure>,
) -> Result<(), Failure> {
    let judge = |column| experiment.judge(&fit(&experiment.panel(column)?)?);
    let truth = judge(DemandColumn::Truth)?;
    let corrected = judge(DemandColumn::Corrected)?;
    let raw = judge(DemandColumn::Sales)?;
    for better in [&truth, &corrected] {
        let lost = Bootstrap::default().difference(better, &raw)?;
        assert!(lost.low > 0.0, "{}: {lost:?}", raw.policy());
        assert!(lost.estimate > 0.05 * truth.reward(), "{lost:?}");
    }
    let left = corrected.reward() / truth.reward();
    assert!((left - 1.0).abs() < 0.05, "{}: {left}", raw.policy());
    Ok(())
}

#[test]
fn a_target_position_made_from_sales_loses() {
    let experiment = experiment(1.0);
    raw_must_lose(&experiment, |panel| experiment.target(panel)).unwrap();
}

#[test]
fn a_network_trained_on_sales_loses() {
    let experiment = experiment(1.0);
    raw_must_lose(&experiment, |panel| experiment.network(panel)).unwrap();
}

/// Where stock is never short, sales are demand and the correction has nothing to do: the experiment does not find a loss where
/// there is none.
#[test]
fn nothing_is_lost_where_nothing_is_censored() {
    let experiment = experiment(1000.0);
    let fit = |column| {
        experiment
            .target(&experiment.panel(column).unwrap())
            .unwrap()
    };
    let judge = |column| experiment.judge(&fit(column)).unwrap();
    let truth = judge(DemandColumn::Truth);
    for column in [DemandColumn::Sales, DemandColumn::Corrected] {
        let share = judge(column).reward() / truth.reward();
        assert!((share - 1.0).abs() < 0.02, "{column:?} {share}");
    }
}

/// From a well-stocked record belief falls round after round; with the correction it stays where demand is.
#[test]
fn belief_spirals_down_without_the_correction() {
    let experiment = experiment(5.0);
    let raw = experiment
        .spiral(false, |panel| experiment.target(panel))
        .unwrap();
    let corrected = experiment
        .spiral(true, |panel| experiment.target(panel))
        .unwrap();
    let believed: Vec<f64> = raw.iter().map(|round| round.believed).collect();
    assert!(
        believed.windows(2).all(|pair| pair[1] < pair[0]),
        "{believed:?}"
    );
    assert!(believed[3] < believed[0] - 0.05, "{believed:?}");
    for round in &corrected {
        assert!((round.believed - 1.0).abs() < 0.02, "{}", round.believed);
    }
    let fill = |round: &experiment::Round| round.outcomes.fill_rate();
    assert!(fill(&raw[3]) < fill(&raw[0]));
    assert!(fill(&raw[3]) < fill(&corrected[3]));
}

/// The experiment's record is the world's: the same panels from the world's own sales and views.
#[test]
fn the_record_of_the_logged_policy_is_the_worlds() {
    let world = World::new(&config(1.0)).unwrap();
    let truth = world.panel(DemandColumn::Truth).unwrap();
    let record = Record::logged(&world);
    for (corrected, column) in [
        (false, DemandColumn::Sales),
        (true, DemandColumn::Corrected),
    ] {
        assert_eq!(
            record.panel(&truth, corrected).unwrap(),
            world.panel(column).unwrap()
        );
    }
}
