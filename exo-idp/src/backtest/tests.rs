//! The back-test as a dependant calls it.

use super::*;
use crate::world::{DemandColumn, World, WorldConfig};

fn data() -> Dataset {
    let config = WorldConfig {
        products: 8,
        weeks: 64,
        ..WorldConfig::default()
    };
    Dataset::new(
        World::new(&config)
            .unwrap()
            .panel(DemandColumn::Truth)
            .unwrap(),
    )
}

fn quick() -> BackTest {
    let mut backtest = BackTest::default();
    (
        backtest.learner.ensemble_size,
        backtest.learner.fine_tuning.steps,
        backtest.learner.from_scratch.steps,
        backtest.bootstrap.replicates,
    ) = (1, 10, 10, 50);
    backtest
}

#[test]
fn progress_rises_to_its_end_and_the_results_hold_every_policy() {
    let mut seen = Vec::new();
    let backtest = BackTest {
        origins: Some(2),
        held_out: Some(8),
        ..quick()
    };
    let results = backtest
        .run(&data(), &Device::default(), |progress| seen.push(progress))
        .unwrap();
    assert_eq!(results.policies.len(), 11);
    assert!(
        results
            .policies
            .windows(2)
            .all(|pair| pair[0].total >= pair[1].total)
    );
    assert!(seen.windows(2).all(|pair| pair[0].done <= pair[1].done));
    assert!(seen.iter().all(|progress| progress.done <= progress.total));
    assert_eq!(seen[0].stage, Stage::Heuristics);
    assert_eq!(
        seen.last().map(|p| (p.window, p.windows, p.stage)),
        Some((4, 5, Stage::Scoring))
    );
    let origins = results.origins.unwrap();
    assert_eq!(
        origins.origins[0].held_out,
        ("48".to_owned(), "55".to_owned())
    );
    assert_eq!(origins.pooled.weeks, 16);
}

#[test]
fn settings_outside_their_ranges_are_refused() {
    let wrong: [fn(&mut BackTest); 7] = [
        |b| b.origins = Some(0),
        |b| b.samples = 0,
        |b| b.lead_time = vec![0.5, 0.6],
        |b| b.lead_time = vec![1.0; 54],
        |b| b.lead_time_persistence = 1.0,
        |b| b.conventions.discount = 0.0,
        |b| b.learner.ensemble_size = 0,
    ];
    for change in wrong {
        let mut backtest = quick();
        change(&mut backtest);
        assert!(backtest.run(&data(), &Device::default(), |_| {}).is_err());
    }
    let long = BackTest {
        held_out: Some(60),
        ..quick()
    };
    let error = long.run(&data(), &Device::default(), |_| {}).unwrap_err();
    assert!(
        matches!(error, Error::TooFewWeeks { training: 4, .. }),
        "{error}"
    );
}

#[test]
fn labels_that_do_not_fit_the_panel_are_refused() {
    let mut data = data();
    data.weeks.pop();
    assert!(matches!(data.until(9), Err(Error::Length { .. })));
}
