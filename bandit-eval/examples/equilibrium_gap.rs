//! The equilibrium gaps of the trained policy and of the tuned target position on the bundled record's last weeks, the curve of gains
//! against the window, and what following the found map does.
//!
//! `cargo run --release -p hindsight-bandit-eval --features exo-idp,studies --example equilibrium_gap -- data/orange_juice.csv.gz`

#![allow(clippy::cast_precision_loss, reason = "weeks and products")]

use std::collections::BTreeMap;
use std::error::Error;
use std::ops::ControlFlow;

use cpu_time::ProcessTime;
use flate2::read::GzDecoder;
use hindsight_bandit_eval::equilibrium::{MapClass, Question, ReplayedGains, Tweak, plateau};
use hindsight_exo_idp::backtest::{BackTest, Split};
use hindsight_exo_idp::gpu::Device;
use hindsight_exo_idp::panel::{Columns, Covariate};
use hindsight_exo_idp::policy::trailing::{Terms, Trailing};
use hindsight_exo_idp::policy::{
    LeadTimeDemand, LevelWeights, OrderUpTo, Plan, Policy, target_position,
};
use hindsight_exo_idp::replay::{Arm, Deviations};
use hindsight_exo_idp::train::{Learner, Material, Setting, groups_by_variation, tune_levels};
use hindsight_exo_idp::{Arrivals, LeadTimes, Panel, Paths, Replay};

type Outcome<T> = Result<T, Box<dyn Error>>;

const TIMES: [f64; 7] = [0.0, 0.5, 0.8, 0.9, 1.1, 1.25, 2.0];

/// The panel of the bundled file.
fn read(path: &str) -> Outcome<Panel> {
    let mut reader = csv::Reader::from_reader(GzDecoder::new(std::fs::File::open(path)?));
    let mut rows: BTreeMap<String, BTreeMap<usize, [f64; 5]>> = BTreeMap::new();
    for record in reader.records() {
        let record = record?;
        let number = |i: usize| record[i].parse::<f64>();
        let row = [number(4)?, number(5)?, number(6)?, number(7)?, number(8)?];
        rows.entry(record[0].to_owned())
            .or_default()
            .insert(record[3].parse()?, row);
    }
    let all = || rows.values().flat_map(BTreeMap::keys);
    let (first, last) = (
        all().min().copied().unwrap_or(0),
        all().max().copied().unwrap_or(0),
    );
    let weeks = last - first + 1;
    let mut columns = Columns::default();
    let mut planned = [Vec::new(), Vec::new()];
    for product in rows.values() {
        let mut row = product.values().next().copied().unwrap_or_default();
        for week in first..=last {
            let known = product.get(&week);
            columns.present.push(known.is_some());
            row = known.copied().unwrap_or([0.0, row[1], row[2], 0.0, 0.0]);
            columns.demand.push(row[0]);
            columns.price.push(row[1]);
            columns.cost.push(row[2]);
            planned[0].push(row[3]);
            planned[1].push(row[4]);
        }
    }
    let covariate = |(name, values): (&str, Vec<f64>)| Covariate {
        name: name.into(),
        planned: true,
        values,
    };
    columns.covariates = ["deal", "feat"]
        .into_iter()
        .zip(planned)
        .map(covariate)
        .collect();
    Ok(Panel::new(rows.into_keys().collect(), weeks, columns)?)
}

/// The tuned target position, and what is learnt.
fn policies(
    setting: &Setting<'_>,
    fitting: &LeadTimes,
    device: &Device,
) -> Outcome<Vec<OrderUpTo>> {
    let panel = setting.panel;
    let paths = Paths::new(panel, fitting, 2)?;
    let replay = setting.replay(&paths, setting.scored())?;
    let groups = groups_by_variation(&replay, 10);
    let factors: Vec<f64> = (0..47).map(|step| 0.2 + 0.05 * f64::from(step)).collect();
    let levels = target_position(
        panel,
        setting.weeks.clone(),
        setting.lead_times,
        LeadTimeDemand::Convolved,
        &setting.conventions,
    )?;
    let plain = OrderUpTo::uncapped("target position, untuned", levels.clone())?;
    let levels = tune_levels(&replay, &levels, &groups, &factors, device)?;
    let tuned = OrderUpTo::uncapped("target position, tuned", levels)?;
    let terms = Terms {
        panel,
        lead_times: setting.lead_times,
        conventions: setting.conventions,
        plan: setting.plan,
        year: 52,
        hierarchy: &[],
    };
    let trailing = Trailing::new(&terms, 8..panel.weeks())?;
    let material = Material {
        setting,
        arrivals: fitting,
        trailing: &trailing,
        pretrained: LevelWeights::pretrained(),
        device,
    };
    let heuristics = vec![tuned.clone(), plain];
    let made =
        Learner::default().candidates(&material, heuristics, |_| ControlFlow::Continue(()))?;
    println!("candidates: {:?}", made.names());
    let trained = made.policies.into_iter().next().ok_or("no candidate")?;
    Ok(vec![trained, tuned])
}

fn main() -> Outcome<()> {
    let path = std::env::args()
        .nth(1)
        .ok_or("usage: equilibrium_gap FILE")?;
    let panel = read(&path)?;
    let settings = BackTest::default();
    let law = |seed| {
        LeadTimes::new(
            settings.lead_time.clone(),
            settings.lead_time_persistence,
            seed,
        )
    };
    let split = Split::all(panel.weeks(), None, None)?
        .pop()
        .ok_or("no split")?;
    let (scored, fitting) = (law(7)?, law(8)?);
    let setting = Setting {
        panel: &panel,
        lead_times: &scored,
        conventions: settings.conventions,
        plan: Plan {
            horizon: scored.max_lead_time(),
            price: true,
        },
        weeks: split.training.clone(),
        warm_up: 12,
        opening: None,
    };
    let device = Device::best();
    let policies = policies(&setting, &fitting, &device)?;
    let paths = Paths::new(&panel, &scored, 4)?;
    let replay = setting.replay(&paths, split.held_out.clone())?;
    println!("{} products, weeks {:?}", panel.products(), split.held_out);
    let single = Paths::new(&panel, &scored, 1)?;
    let one = setting.replay(&single, panel.weeks() - 30..panel.weeks())?;
    for policy in &policies {
        report(policy, &replay, &device)?;
        let begun = ProcessTime::now();
        one.deviations(policy, &(), &deviations(12), &device)?;
        println!(
            "  deviations of {} products x 30 weeks x 7 arms: {:.4} CPU s",
            panel.products(),
            begun.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

fn deviations(reach: usize) -> Deviations {
    Deviations {
        arms: TIMES.map(|times| Arm { times, plus: 0.0 }).to_vec(),
        reach,
        units: None,
    }
}

/// What is known of a product when an order is placed: whether this and the next weeks have a deal, price over cost, demand a week ago.
fn context(panel: &Panel, week: usize, product: usize, out: &mut Vec<f64>) {
    let deal = |ahead: usize| {
        let at = (week + ahead).min(panel.weeks() - 1);
        panel.covariates()[0].values[product * panel.weeks() + at]
    };
    out.extend([deal(0), deal(1), deal(2), deal(3)]);
    out.push(panel.price(product, week) / panel.cost(product, week).max(1e-9));
    out.push((1.0 + panel.demand(product, week.saturating_sub(1))).ln());
}

fn report(policy: &OrderUpTo, replay: &Replay<'_>, device: &Device) -> Outcome<()> {
    let panel = replay.paths().panel();
    println!("{}:", policy.name());
    let gains = |reach: usize, market: Option<&Tweak>| {
        let of =
            |week: usize, product: usize, out: &mut Vec<f64>| context(panel, week, product, out);
        match market {
            None => ReplayedGains::new(replay, policy, &(), &deviations(reach), device, 6, of),
            Some(tweak) => {
                ReplayedGains::new(replay, policy, tweak, &deviations(reach), device, 6, of)
            }
        }
    };
    let windows: Vec<usize> = (2..=15).collect();
    let mut curve = Vec::new();
    for reach in &windows {
        curve.push(
            gains(*reach, None)?
                .table()?
                .gap(MapClass::Global, &Question::default())?
                .gain,
        );
    }
    println!(
        "  gain of one arm for all by window {:?}: {curve:.3?}, {:?}",
        windows,
        plateau(&windows, &curve, 0.1)?
    );
    let reach = 12;
    let measured = gains(reach, None)?;
    let table = measured.table()?;
    for class in [
        MapClass::Global,
        MapClass::Linear { penalty: 1.0 },
        MapClass::Tree {
            depth: 3,
            least: 200,
        },
    ] {
        let gap = table.gap(class, &Question::default())?;
        println!(
            "  {class:?}: {:.3} [{:.3}, {:.3}] USD a decision, changes {:.0} % of them",
            gap.gain,
            gap.interval.lower,
            gap.interval.upper,
            100.0 * gap.changed
        );
    }
    let gap = table.gap(
        MapClass::Tree {
            depth: 3,
            least: 200,
        },
        &Question::default(),
    )?;
    let arms = deviations(reach).arms;
    let total: f64 = replay
        .window()
        .scored
        .clone()
        .map(|w| replay.weights(w).0)
        .sum::<f64>()
        * panel.products() as f64;
    let base = replay.run(policy, device)?.reward();
    for rate in [0.05, 0.2, 1.0] {
        let follows = |week: usize, product: usize| {
            ((week * 7919 + product * 104_729) % 1000) as f64 <= 1000.0 * rate
        };
        let of =
            |week: usize, product: usize, out: &mut Vec<f64>| context(panel, week, product, out);
        let tweak = Tweak::new(replay, &gap.map, &arms, of, follows);
        let reward = replay.run_in(policy, &tweak, device)?.reward();
        let left = gains(reach, Some(&tweak))?;
        let left = left.table()?.gap(
            MapClass::Tree {
                depth: 3,
                least: 200,
            },
            &Question::default(),
        )?;
        println!(
            "  followed in {:.0} % of decisions: reward per decision and share {:+.3}, gap then {:.3} [{:.3}, {:.3}]",
            100.0 * rate,
            (reward - base) / total / rate,
            left.gain,
            left.interval.lower,
            left.interval.upper
        );
    }
    Ok(())
}
