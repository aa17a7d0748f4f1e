//! Anticipation of an announced notch, a coordinator with another buyer than it was trained with, and what its parts are worth.
//!
//! `cargo run --release -p hindsight-capacity --features studies --example capacity_checks`

use std::error::Error;

use hindsight_capacity::backtest::{Method, Paired, Trial};
use hindsight_capacity::gpu::Device;
use hindsight_capacity::limits::{Family, Limits};
use hindsight_capacity::{
    Cases, Coordinator, Course, Draw, HORIZON, Loss, Model, Record, Training, World,
};
use hindsight_exo_idp::{LeadTimes, Paths};

type Outcome<T> = Result<T, Box<dyn Error>>;

const PRODUCTS: usize = 400;

/// A facility with lead times of a law, up to six weeks.
fn with_record<T>(
    law: &LeadTimes,
    mean: f64,
    run: impl FnOnce(&Record<'_>) -> Outcome<T>,
) -> Outcome<T> {
    let world = World::new(PRODUCTS, 220, 1)?;
    let paths = Paths::new(world.panel(), law, 1)?;
    let (resources, index) = (world.resources()?, world.index().to_vec());
    run(&Record::new(
        &paths,
        resources,
        index,
        vec![mean; PRODUCTS],
    )?)
}

fn draw(size: usize, cohorts: usize, seed: u64) -> Draw {
    Draw {
        products: 0..300,
        weeks: 0..150,
        size,
        cohorts,
        families: vec![Family::Haar],
        roomy: 0.25,
        notice: 13,
        seed,
    }
}

fn held_out(seed: u64) -> Draw {
    Draw {
        products: 300..PRODUCTS,
        weeks: 150..220,
        families: Family::HELD_OUT.to_vec(),
        roomy: 0.0,
        ..draw(50, 40, seed)
    }
}

fn with_buyer(record: &Record<'_>, prices: f64, device: &Device) -> Outcome<Model> {
    let mut model = Model::new(&record.shape(), 32, 3);
    let training = Training {
        steps: 3000,
        batch: 64,
        prices,
        ..Training::default()
    };
    let pool = draw(2, 1024, 1).cohorts(Course::default())?;
    let pool = Cases::new(record, &pool, Course::default())?;
    model.train_buyer(&pool, &training, device)?;
    Ok(model)
}

fn coordinated(record: &Record<'_>, model: &Model, loss: &Loss, device: &Device) -> Outcome<Model> {
    let mut model = model.clone();
    let lesson = draw(40, 1024, 2).cases(record, &model.buyer, Course::default(), device)?;
    let training = Training {
        batch: 8,
        steps: 2400,
        ..Training::default()
    };
    model.train_coordinator(&lesson, loss, &training, device)?;
    Ok(model)
}

fn tried(
    record: &Record<'_>,
    cases: &Cases<f32>,
    model: &Model,
    method: Method<'_>,
    device: &Device,
) -> Outcome<Trial> {
    Ok(cases.tried(record, &model.buyer, &(String::new(), method), device)?)
}

/// Reward and violation of a model's coordinator on the held-out families.
fn print_held_out(name: &str, record: &Record<'_>, model: &Model, device: &Device) -> Outcome<()> {
    let cases = held_out(9).cases(record, &model.buyer, Course::default(), device)?;
    let free = tried(record, &cases, model, Method::NoControl, device)?;
    let own = tried(record, &cases, model, Method::Coordinator(model), device)?;
    let price = |t: &Trial| {
        let all = t.roll.prices.iter().zip(cases.unit_prices());
        let sum: f64 = all
            .map(|(weeks, unit)| weeks.iter().map(|w| w[0] / unit[0]).sum::<f64>())
            .sum();
        sum / 40.0 / 52.0
    };
    println!(
        "{name}: reward {:.2} % of no control, violation {:.2} % (without control {:.2} %), mean price of storage {:.4} unit prices",
        100.0 * own.reward_of(&free),
        100.0 * own.mean(|s| s.violation),
        100.0 * free.mean(|s| s.violation),
        price(&own),
    );
    Ok(())
}

/// The first week of the notch.
const FIRST: usize = 28;

/// Held-out cohorts under a notch of eight weeks in limits that otherwise leave room, and the same without the notch.
fn notches(record: &Record<'_>, model: &Model, device: &Device) -> Outcome<[Cases<f32>; 2]> {
    let course = Course::default();
    let cohorts = Draw {
        size: 100,
        cohorts: 24,
        ..held_out(11)
    }
    .cohorts(course)?;
    let bare = Cases::new(record, &cohorts, course)?;
    let free = bare.play(&model.buyer, None, device)?;
    let limits = |depth: f64| -> Result<Vec<Limits>, hindsight_capacity::Error> {
        let of = |usage: &Vec<Vec<f64>>| {
            let row = |row: &Vec<f64>| {
                let level = row[8..].iter().sum::<f64>() / 44.0;
                let within = |t: usize| (FIRST..FIRST + 8).contains(&t);
                let factor = |t: usize| if within(t) { depth } else { 1.5 };
                (0..52).map(|t| level * factor(t)).collect()
            };
            Limits::new(usage.iter().map(row).collect(), 13)
        };
        free.usage.iter().map(of).collect()
    };
    Ok([
        bare.clone().with_limits(&limits(0.6)?)?,
        bare.with_limits(&limits(1.5)?)?,
    ])
}

/// A mean over cohorts and its interval.
fn spread(values: &[f64], digits: usize) -> String {
    let Paired { mean, interval } = Paired::of(values, 1);
    let [low, high] = interval;
    format!("{mean:.digits$} [{low:.digits$}, {high:.digits$}]")
}

/// Feedback with the gain that violates least, chosen on these very paths.
fn best_feedback(
    record: &Record<'_>,
    cases: &Cases<f32>,
    model: &Model,
    device: &Device,
) -> Outcome<(f64, Trial)> {
    let mut best: Option<(f64, Trial)> = None;
    for gain in [0.01, 0.03, 0.1, 0.3, 1.0] {
        let trial = tried(record, cases, model, Method::Feedback(gain), device)?;
        let least = best
            .as_ref()
            .map_or(f64::INFINITY, |(_, t)| t.mean(|s| s.violation));
        if trial.mean(|s| s.violation) < least {
            best = Some((gain, trial));
        }
    }
    best.ok_or_else(|| "no gain".into())
}

/// N4: a notch of eight weeks, announced 13 weeks ahead, in limits that otherwise leave room. Then what a coordinator without forecasts makes of it.
fn anticipation(
    record: &Record<'_>,
    model: &Model,
    scalar: &Model,
    device: &Device,
) -> Outcome<()> {
    let [notched, even] = notches(record, model, device)?;
    let own = tried(record, &notched, model, Method::Coordinator(model), device)?;
    let calm = tried(record, &even, model, Method::Coordinator(model), device)?;
    let (gain, feedback) = best_feedback(record, &notched, model, device)?;
    println!(
        "notch from week {FIRST} on, announced in week {}",
        FIRST - 13
    );
    println!(
        "| week | announced price of storage in the notch, unit prices: with it less without it | orders, % of those without a notch: coordinator | feedback |"
    );
    println!("|---|---|---|---|");
    let quiet = tried(record, &even, model, Method::Feedback(gain), device)?;
    let units = notched.unit_prices();
    // By cohort, what is announced for the third week of the notch, or for the end of the horizon; and orders over those without a notch.
    let announced = |week: usize| -> Vec<f64> {
        let ahead = (FIRST + 2).saturating_sub(week).min(HORIZON);
        let pairs = own.roll.prices.iter().zip(&calm.roll.prices).zip(&units);
        pairs
            .map(|((a, b), unit)| (a[week][ahead] - b[week][ahead]) / unit[0])
            .collect()
    };
    let ordered = |with: &Trial, without: &Trial, weeks: std::ops::Range<usize>| -> Vec<f64> {
        let sum = |orders: &Vec<f64>| orders[weeks.clone()].iter().sum::<f64>();
        let pairs = with.roll.orders.iter().zip(&without.roll.orders);
        pairs.map(|(a, b)| 100.0 * sum(a) / sum(b)).collect()
    };
    for week in FIRST - 14..FIRST + 8 {
        println!(
            "| {week} | {} | {} | {} |",
            spread(&announced(week), 4),
            spread(&ordered(&own, &calm, week..week + 1), 1),
            spread(&ordered(&feedback, &quiet, week..week + 1), 1),
        );
    }
    let lead: Vec<Vec<f64>> = (FIRST - 8..FIRST - 1).map(announced).collect();
    let before: Vec<f64> = (0..24)
        .map(|c| lead.iter().map(|week| week[c]).sum::<f64>() / 7.0)
        .collect();
    println!(
        "two to eight weeks before the notch: price announced for it {} unit prices above that without it, orders {} % (feedback {} %)",
        spread(&before, 4),
        spread(&ordered(&own, &calm, FIRST - 8..FIRST - 1), 1),
        spread(&ordered(&feedback, &quiet, FIRST - 8..FIRST - 1), 1),
    );
    let none = tried(record, &notched, model, Method::NoControl, device)?;
    let scalar = tried(
        record,
        &notched,
        scalar,
        Method::Coordinator(scalar),
        device,
    )?;
    let name = format!("feedback, gain {gain}");
    print_comparison(
        &own,
        &[(&name, &feedback), ("without forecasts", &scalar)],
        &none,
    );
    Ok(())
}

/// What a notch costs the coordinator, the others, and no control; and the coordinator less the others.
fn print_comparison(own: &Trial, others: &[(&str, &Trial)], none: &Trial) {
    let ends = [("coordinator", own), ("no control", none)];
    for (name, trial) in ends.iter().chain(others) {
        println!(
            "{name}: violation {:.2} %, P95 {:.1} %, reward {:.2} % of no control",
            100.0 * trial.mean(|s| s.violation),
            100.0 * trial.mean(|s| s.violation_p95),
            100.0 * trial.reward_of(none),
        );
    }
    for (name, other) in others {
        let percent = |p: Paired| {
            let [low, high] = p.interval.map(|x| 100.0 * x);
            format!("{:.2} [{low:.2}, {high:.2}]", 100.0 * p.mean)
        };
        println!(
            "coordinator less {name}: violation {}, reward {} points",
            percent(own.violation_against(other, 1)),
            percent(own.reward_against(other, none, 1)),
        );
    }
}

/// N6: coordinators with and without forecasts on the held-out families, paired.
fn forecasts(
    record: &Record<'_>,
    model: &Model,
    scalars: &[(&str, &Model)],
    device: &Device,
) -> Outcome<()> {
    let cases = held_out(9).cases(record, &model.buyer, Course::default(), device)?;
    let of = |model: &Model| tried(record, &cases, model, Method::Coordinator(model), device);
    let none = tried(record, &cases, model, Method::NoControl, device)?;
    let others = scalars.iter().map(|(name, model)| Ok((*name, of(model)?)));
    let others = others.collect::<Outcome<Vec<(&str, Trial)>>>()?;
    let others: Vec<(&str, &Trial)> = others.iter().map(|(name, trial)| (*name, trial)).collect();
    print_comparison(&of(model)?, &others, &none);
    Ok(())
}

/// Use at a price of a tenth of the unit price less that at none, as a share of it.
fn print_elasticity(
    name: &str,
    record: &Record<'_>,
    model: &Model,
    device: &Device,
) -> Outcome<()> {
    let cases = held_out(9).cases(record, &model.buyer, Course::default(), device)?;
    let total = |t: &Trial| t.roll.usage.iter().flat_map(|u| &u[0][8..]).sum::<f64>();
    let free = tried(record, &cases, model, Method::NoControl, device)?;
    let dear = tried(record, &cases, model, Method::Constant(0.1), device)?;
    println!(
        "{name}: storage at a price of 0.1 changes by {:.1} %, reward without prices {:.0}",
        100.0 * (total(&dear) / total(&free) - 1.0),
        free.mean(|s| s.reward),
    );
    Ok(())
}

fn main() -> Outcome<()> {
    let device = Device::best();
    let loss = Loss {
        reward: 2.0,
        ..Loss::default()
    };
    let varied = LeadTimes::uniform(4, 6, 0.5, 1)?;
    let own = with_record(&varied, 5.0, |record| {
        let buyer = with_buyer(record, 1.0, &device)?;
        let own = coordinated(record, &buyer, &loss, &device)?;
        let mut scalar = buyer.clone();
        scalar.coordinator = Coordinator::without_forecasts(&record.shape(), 32, 4);
        let dearer = Loss {
            reward: 3.0,
            ..loss
        };
        let generous = coordinated(record, &scalar, &dearer, &device)?;
        let scalar = coordinated(record, &scalar, &loss, &device)?;
        anticipation(record, &own, &scalar, &device)?;
        print_held_out("as trained", record, &own, &device)?;
        let scalars = [
            ("without forecasts, reward weight 2", &scalar),
            ("without forecasts, reward weight 3", &generous),
        ];
        forecasts(record, &own, &scalars, &device)?;
        for slackness in [0.1, 0.0] {
            let loss = Loss {
                reward: 0.0,
                slackness,
                ..loss
            };
            let bare = coordinated(record, &buyer, &loss, &device)?;
            print_held_out(
                &format!("adherence alone, slackness {slackness}"),
                record,
                &bare,
                &device,
            )?;
        }
        let dual = Loss {
            form: hindsight_capacity::Form::Dual,
            reward: 0.0,
            ..loss
        };
        let dual = coordinated(record, &buyer, &dual, &device)?;
        print_held_out("amortised dual", record, &dual, &device)?;
        print_elasticity("buyer of random prices", record, &buyer, &device)?;
        let deaf = with_buyer(record, 0.0, &device)?;
        print_elasticity("buyer of no prices", record, &deaf, &device)?;
        Ok(own)
    })?;
    // Another law of lead times: six weeks, always.
    with_record(&LeadTimes::fixed(6), 6.0, |record| {
        let buyer = with_buyer(record, 1.0, &device)?;
        let home = coordinated(record, &buyer, &loss, &device)?;
        print_held_out("lead time six, its own coordinator", record, &home, &device)?;
        let swapped = Model {
            buyer: buyer.buyer,
            coordinator: own.coordinator,
        };
        print_held_out(
            "lead time six, the other's coordinator",
            record,
            &swapped,
            &device,
        )
    })
}
