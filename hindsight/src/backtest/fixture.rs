//! A small back-test for tests: real results of 24 products of the synthetic world.

use std::sync::OnceLock;

use exo_idp::backtest::{BackTest, Dataset, Grouping};
use exo_idp::world::{DemandColumn, World, WorldConfig};
use gpu::Device;

use super::document::{Document, Run};
use super::opening;
use super::options::convention_words;

/// The results at two origins, made once.
pub(super) fn fixture() -> Document {
    static MADE: OnceLock<Document> = OnceLock::new();
    MADE.get_or_init(make).clone()
}

fn make() -> Document {
    let config = WorldConfig {
        products: 24,
        weeks: 64,
        ..WorldConfig::default()
    };
    let world = World::new(&config).unwrap();
    let mut data = Dataset::new(world.panel(DemandColumn::Truth).unwrap());
    let values = (0..24).map(|product| format!("brand-{}", product % 3));
    data.groups.push(Grouping {
        name: "brand".to_owned(),
        values: values.collect(),
    });
    let mut backtest = BackTest {
        origins: Some(2),
        held_out: Some(10),
        ..BackTest::default()
    };
    (
        backtest.learner.ensemble_size,
        backtest.learner.fine_tuning.steps,
        backtest.learner.from_scratch.steps,
        backtest.bootstrap.replicates,
    ) = (1, 60, 60, 100);
    let results = backtest.run(&data, &Device::default(), |_| {}).unwrap();
    Document {
        run: Run {
            source: "a fixture".to_owned(),
            rows: 24 * 64,
            products: 24,
            missing_weeks: 0,
            training: results.training.clone(),
            held_out: results.held_out.clone(),
            lead_time: "1 to 3 weeks".to_owned(),
            money: "USD".to_owned(),
            conventions: convention_words(&backtest, opening::MEAN_DEMAND),
        },
        notices: vec!["the records are sales, taken as demand".to_owned()],
        gaps: Vec::new(),
        results,
    }
}
