//! One-step deviations from a base path: the two sizes that the design of the crate is held to, in processor seconds on one thread,
//! checked on some of them against full replays.
//!
//! `cargo run --release -p hindsight-exo-idp --features studies --example deviations`

use cpu_time::ProcessTime;
use hindsight_exo_idp::market::{OrderRule, PostProcess};
use hindsight_exo_idp::panel::Columns;
use hindsight_exo_idp::policy::{BaseStock, Signals};
use hindsight_exo_idp::replay::{Arm, Deviations};
use hindsight_exo_idp::{Conventions, Error, LeadTimes, Panel, Paths, Replay, Window};
use hindsight_gpu::{Device, Stream};
use rand::RngExt;

const FIRST: usize = 8;
const ARMS: [f64; 7] = [0.0, 0.5, 0.8, 0.9, 1.1, 1.25, 2.0];

fn panel(products: usize, weeks: usize) -> Result<Panel, Error> {
    let mut rng = Stream::new(3, "deviations").at(0, 0);
    let cells = products * weeks;
    let columns = Columns {
        demand: (0..cells).map(|_| rng.random_range(0.0..10.0)).collect(),
        price: vec![10.0; cells],
        cost: vec![7.0; cells],
        present: vec![true; cells],
        covariates: vec![],
    };
    let names = (0..products).map(|p| p.to_string()).collect();
    Panel::new(names, weeks, columns)
}

fn main() -> Result<(), Error> {
    let device = Device::cpu(1);
    for (products, weeks) in [(100, 52), (913, 30)] {
        let panel = panel(products, FIRST + weeks)?;
        let law = LeadTimes::uniform(1, 4, 0.5, 7)?;
        let paths = Paths::new(&panel, &law, 1)?;
        let window = Window {
            scored: FIRST..FIRST + weeks,
            warm_up: FIRST,
        };
        let replay = Replay::new(&paths, Conventions::default(), window, &vec![5.0; products])?;
        let level = Signals::from_fn(FIRST + weeks, 1, products, |_, _, _| 20.0);
        let policy = BaseStock::new("base stock", 1.0, level);
        let arms = ARMS.map(|times| Arm { times, plus: 0.0 }).to_vec();
        let deviations = Deviations {
            arms,
            reach: 12,
            units: None,
        };
        let time = |work: &dyn Fn() -> Result<f64, Error>| -> Result<(f64, f64), Error> {
            let mut least = f64::INFINITY;
            let mut sum = 0.0;
            for _ in 0..5 {
                let begun = ProcessTime::now();
                sum = work()?;
                least = least.min(begun.elapsed().as_secs_f64());
            }
            Ok((least, sum))
        };
        let total = |gains: &hindsight_exo_idp::replay::Gains| -> f64 {
            let weeks = gains.weeks();
            weeks
                .flat_map(|week| (0..gains.arms()).flat_map(move |arm| gains.of(week, arm)))
                .sum()
        };
        let (plain, sum) = time(&|| {
            Ok(total(&replay.deviations(
                &policy,
                &(),
                &deviations,
                &device,
            )?))
        })?;
        let exact = replay.deviations_as::<f64, _, _>(&policy, &(), &deviations, &device)?;
        let rule = OrderRule {
            batch: 2.0,
            minimum: 4.0,
            ..OrderRule::default()
        };
        let market = PostProcess::new(FIRST + weeks, &vec![rule; products])?;
        let (traded, _) = time(&|| {
            Ok(total(&replay.deviations(
                &policy,
                &market,
                &deviations,
                &device,
            )?))
        })?;
        println!(
            "{products} products x {weeks} weeks x 7 arms, 12 weeks each: {plain:.4} s, in a market of minimum and batch {traded:.4} s; \
             sum of gains {sum:.2}, in double precision {:.2}",
            total(&exact)
        );
    }
    Ok(())
}
