//! The back-test over held-out families of limits: all methods on the same paths, paired.
//!
//! `cargo run --release -p hindsight-capacity --example capacity_protocol -- [PATHS] [SIZE]`

#![expect(clippy::cast_precision_loss, reason = "small counts")]

use std::error::Error;
use std::time::Instant;

use hindsight_capacity::gpu::{Device, Stream};
use hindsight_capacity::{
    Ascent, Buyer, Cases, Course, Draw, Family, Forecaster, Gate, Loss, Model, Predictive, Record,
    Roll, Score, Training, World,
};
use hindsight_exo_idp::Paths;
use rand::RngExt;

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The 95 % interval of a mean of paired differences, over (cohort, path) draws.
fn interval(differences: &[f64]) -> [f64; 2] {
    let mut means: Vec<f64> = (0..2000_u64)
        .map(|number| {
            let rng = &mut Stream::new(1, "bootstrap").at(number, 0);
            let n = differences.len();
            (0..n)
                .map(|_| differences[rng.random_range(0..n)])
                .sum::<f64>()
                / n as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    [means[49], means[1949]]
}

struct Method {
    name: String,
    scores: Vec<Score>,
    seconds: f64,
}

/// What cohorts are drawn from for training: the first products and weeks, under limits of the sampler.
fn training_draw(size: usize, cohorts: usize, seed: u64) -> Draw {
    Draw {
        products: 0..400,
        weeks: 0..150,
        size,
        cohorts,
        families: vec![Family::Haar],
        roomy: 0.25,
        notice: 13,
        seed,
    }
}

/// Methods, each tried on the same cases.
struct Trial<'a> {
    cases: &'a Cases<f32>,
    methods: Vec<Method>,
}

impl Trial<'_> {
    fn tried(
        &mut self,
        name: impl Into<String>,
        run: impl FnOnce(&Cases<f32>) -> Result<Roll, hindsight_capacity::Error>,
    ) -> Result<(), hindsight_capacity::Error> {
        let begun = Instant::now();
        let scores = self.cases.scores(&run(self.cases)?);
        let seconds = begun.elapsed().as_secs_f64();
        self.methods.push(Method {
            name: name.into(),
            scores,
            seconds,
        });
        Ok(())
    }

    /// Model-predictive control, fitted and with the true law, with two margins.
    fn predictive(
        &mut self,
        record: &Record<'_>,
        world: &World,
        buyer: &Buyer,
        device: &Device,
    ) -> Result<(), hindsight_capacity::Error> {
        for (margin, rate, steps) in [(0.0, 0.1, 8), (0.1, 0.1, 8)] {
            let control = Predictive {
                scenarios: 4,
                steps,
                rate,
                margin,
                lead_times: &[0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0],
                seed: 3,
            };
            for (who, forecaster) in [
                ("fitted", Forecaster::Fitted(150)),
                ("true law", Forecaster::True(world)),
            ] {
                let name = format!("MPC, {who}, margin {margin}, {steps} steps of {rate}");
                self.tried(name, |cases| {
                    cases.predictive(record, buyer, &control, &forecaster, device)
                })?;
            }
        }
        Ok(())
    }

    /// The table, paired against the method at a place; the first one is no control.
    fn print(&self, against: usize) {
        let free: Vec<f64> = self.methods[0].scores.iter().map(|s| s.reward).collect();
        println!(
            "| method | reward, % of no control | violation, % | P95, % | weeks above 0, 5, 10 % | forecast error at 1, 4, 8, 13 | against it: violation, reward of the coordinator, points [95 %] | s |"
        );
        println!("|---|---|---|---|---|---|---|---|");
        for method in &self.methods {
            let of = |f: &dyn Fn(&Score) -> f64| {
                mean(&method.scores.iter().map(f).collect::<Vec<f64>>())
            };
            let pair = |f: &dyn Fn(&Score, f64) -> f64| -> String {
                let own = &self.methods[against].scores;
                let both = own.iter().zip(&method.scores).zip(&free);
                let gaps: Vec<f64> = both
                    .map(|((a, b), &free)| 100.0 * (f(a, free) - f(b, free)))
                    .collect();
                let [low, high] = interval(&gaps);
                format!("{:.2} [{low:.2}, {high:.2}]", mean(&gaps))
            };
            let above = [0, 1, 2].map(|k| 100.0 * of(&|s| s.violated[k]));
            let errors = [0, 1, 2, 3].map(|k| of(&|s| s.forecast_error[k]));
            println!(
                "| {} | {:.2} | {:.2} | {:.1} | {:.1}, {:.1}, {:.1} | {:.2}, {:.2}, {:.2}, {:.2} | {}; {} | {:.1} |",
                method.name,
                100.0 * of(&|s| s.reward) / mean(&free),
                100.0 * of(&|s| s.violation),
                100.0 * of(&|s| s.violation_p95),
                above[0],
                above[1],
                above[2],
                errors[0],
                errors[1],
                errors[2],
                errors[3],
                pair(&|s, _| s.violation),
                pair(&|s, free| s.reward / free),
                method.seconds,
            );
        }
    }
}

/// A trained buyer with an untrained coordinator.
fn with_buyer(
    record: &Record<'_>,
    course: Course,
    device: &Device,
) -> Result<Model, Box<dyn Error>> {
    let begun = Instant::now();
    let mut model = Model::new(&record.shape(), 32, 3);
    let training = Training {
        steps: 1500,
        ..Training::default()
    };
    let pool = Cases::new(record, &training_draw(8, 256, 1).cohorts(course)?, course)?;
    model.train_buyer(&pool, &training, device)?;
    println!("buyer trained in {:.0} s", begun.elapsed().as_secs_f64());
    Ok(model)
}

/// Coordinators from close adherence to more reward, each with its name.
fn coordinators(
    model: &Model,
    lesson: &Cases<f32>,
    device: &Device,
) -> Result<Vec<(String, Model)>, hindsight_capacity::Error> {
    let begun = Instant::now();
    let training = Training {
        batch: 8,
        steps: 800,
        ..Training::default()
    };
    let mut models = Vec::new();
    for reward in [0.0, 0.2, 0.6] {
        let mut model = model.clone();
        let loss = Loss {
            reward,
            ..Loss::default()
        };
        model.train_coordinator(lesson, &loss, &training, device)?;
        models.push((format!("neural coordinator, reward weight {reward}"), model));
    }
    println!(
        "coordinators trained in {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    Ok(models)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut number = |default: usize| args.next().map_or(Ok(default), |a| a.parse());
    let (paths_tried, size) = (number(200)?, number(25)?);
    let (device, products) = (Device::best(), 600);
    let world = World::new(products, 220, 1)?;
    let paths = Paths::new(world.panel(), &world.lead_times()?, 1)?;
    let (resources, index) = (world.resources()?, world.index().to_vec());
    let record = Record::new(&paths, resources, index, vec![2.0; products])?;
    let course = Course::default();
    let model = with_buyer(&record, course, &device)?;
    let buyer = &model.buyer;
    let lesson = training_draw(size, 256, 2).cases(&record, buyer, course, &device)?;
    let models = coordinators(&model, &lesson, &device)?;
    let constant =
        lesson.best_constant(buyer, &[0.0, 0.003, 0.01, 0.03, 0.06, 0.1], 5.0, &device)?;

    let test = Draw {
        products: 400..600,
        weeks: 150..220,
        families: Family::HELD_OUT.to_vec(),
        roomy: 0.0,
        ..training_draw(size, paths_tried, 5)
    };
    let cases = test.cases(&record, buyer, course, &device)?;
    let mut trial = Trial {
        cases: &cases,
        methods: Vec::new(),
    };
    trial.tried("no control", |c| c.play(buyer, None, &device))?;
    trial.tried(format!("constant price {constant}"), |c| {
        c.at_constant(buyer, &[constant; 2], &device)
    })?;
    trial.tried("pro-rata at the gate", |c| {
        c.gated(buyer, Gate::ProRata, &device)
    })?;
    trial.tried("greedy at the gate", |c| {
        c.gated(buyer, Gate::Greedy, &device)
    })?;
    trial.predictive(&record, &world, buyer, &device)?;
    for (name, model) in &models {
        trial.tried(name.as_str(), |c| c.coordinate(model, &device))?;
    }
    let ascent = Ascent {
        steps: 120,
        rate: 0.2,
    };
    trial.tried("hindsight dual", |c| {
        c.hindsight_dual(buyer, &ascent, &device)
    })?;
    // Against the second of the three coordinators, which the hindsight dual follows.
    trial.print(trial.methods.len() - 3);
    Ok(())
}
