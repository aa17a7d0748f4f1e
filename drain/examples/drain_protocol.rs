//! The protocol on a drawn map: what the model gets wrong where it was trained and elsewhere, whether it ranks placements as the referee does, and how far it is fooled by the
//! placement that it likes best, before and after refits. Prints the figures of the README.
//!
//! `cargo run --release -p hindsight-drain --example drain_protocol -- [STATES] [STEPS] [MAP]`

use cpu_time::ProcessTime;
use hindsight_drain::gpu::{Device, Stream};
use hindsight_drain::model::{Evaluation, Training};
use hindsight_drain::orders::{Place, Referee, Rules};
use hindsight_drain::protocol::{DistanceBin, Judged, Study, World};
use rand::RngExt;

const WAREHOUSES: usize = 8;
const ZONES: usize = 16;

fn world(seed: u64) -> Result<World, hindsight_drain::DrainError> {
    let mut rng = Stream::new(seed, "map").at(0, 0);
    let mut places = |count: usize| -> Vec<Place> {
        let place = |_| Place {
            east: rng.random_range(0.0..2400.0),
            north: rng.random_range(0.0..1400.0),
        };
        (0..count).map(place).collect()
    };
    let (warehouses, zones) = (places(WAREHOUSES), places(ZONES));
    let rules = Rules {
        split_penalty: 1.0,
        look_ahead_days: 1.0,
        ..Rules::default()
    };
    let referee = Referee::on_map(&warehouses, &zones, 50, rules)?;
    let mean = zones.iter().map(|_| rng.random_range(8.0..45.0));
    World::new(referee, mean.collect())
}

fn show(name: &str, e: &Evaluation) {
    let [proportional, greedy, programme] = e.baseline_wape[..] else {
        return;
    };
    println!(
        "{name}: WAPE {:.4} (proportional {proportional:.4}, greedy {greedy:.4}, programme {programme:.4}, last shares {:.4}); cost WAPE {:.4}, bias {:+.4}",
        e.wape, e.last_period_wape, e.cost_wape, e.cost_bias
    );
    println!(
        "  energy {:.5}, better than independent marginals by {:.4} ± {:.4}; variogram by {:.4} ± {:.4}; correlations off by {:.3} at most",
        e.energy,
        e.joint_skill.skill,
        1.96 * e.joint_skill.standard_error,
        e.joint_variogram_skill.skill,
        1.96 * e.joint_variogram_skill.standard_error,
        e.correlation_gap,
    );
    for c in &e.coverage {
        println!("  coverage at {:.2}: {:.3}", c.level, c.share);
    }
}

fn show_bins(bins: &[DistanceBin]) {
    for b in bins {
        println!(
            "  distance {:.2} to {:.2}: {:4} states, WAPE {:.4}, cost bias {:+.4}",
            b.from, b.to, b.states, b.wape, b.cost_bias
        );
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let mut number = |default: usize| args.next().map_or(Ok(default), |a| a.parse());
    let study = Study {
        states: number(2000)?,
        training: Training {
            steps: number(1500)?,
            ..Training::default()
        },
        ..Study::default()
    };
    let world = world(number(4)? as u64)?;
    let clock = ProcessTime::now();
    let (found, model) = study.run(&world, &Device::cpu(1), |round| {
        let show = |name: &str, j: &Judged| {
            println!(
                "  {name}: {:.1} a week by the model, {:.1} by the referee",
                j.model, j.referee
            );
        };
        println!(
            "round, trained on {} states: optimism gap {:+.4}, Spearman {:.3}",
            round.trained_on,
            round.optimism_gap(),
            round.spearman
        );
        show("proportional", &round.proportional);
        show("optimised", &round.optimised);
        let wape = &round.roll_out_wape;
        let mean = |part: &[f64]| part.iter().sum::<f64>() / f64::from(study.weeks / 2);
        let half = wape.len() / 2;
        println!(
            "  roll-outs: WAPE {:.4} in the first half, {:.4} in the second",
            mean(&wape[..half]),
            mean(&wape[half..])
        );
        println!(
            "  on the states that the optimised placement visits: WAPE {:.4}, cost bias {:+.4}",
            round.visited.wape, round.visited.cost_bias
        );
        show_bins(&round.by_distance);
    })?;
    show("first fit, its own kind of states", &found.in_distribution);
    show_bins(&found.by_distance);
    show(
        "quantile regression, the same states",
        &found.quantile_regression,
    );
    show("last fit, the same states", &found.after);
    println!(
        "{} parameters, {:.1} CPU s",
        model.params(),
        clock.elapsed().as_secs_f64()
    );
    Ok(())
}
