//! Pretraining of level networks on synthetic records.

mod draw;
mod level;
mod money;
mod record;

use std::ops::ControlFlow;

use gpu::optim::{AdamConfig, Optimizer, Rule, Schedule};
use gpu::{Cpu, Executor, Part, Stream};
use rand::RngExt;

use crate::count::count;
use crate::error::Error;
use crate::policy::trailing::{Terms, Trailing};
use crate::policy::{LevelWeights, Normaliser};
use crate::train::windows::{Cut, Source, Windows};
use record::Record;

/// Weeks at the beginning of a record in which nothing is decided yet.
const WARM_UP: usize = 10;
/// Records drawn between two reports.
const AT_ONCE: usize = 40;

/// How level networks are pretrained.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Pretraining {
    /// Synthetic records to train on.
    pub records: usize,
    /// Records that only tell how training goes.
    pub validation: usize,
    /// Products of a record.
    pub products: usize,
    /// Periods of a record.
    pub weeks: usize,
    /// Windows cut from a record.
    pub windows: usize,
    /// Periods of a window.
    pub length: usize,
    /// Steps of the optimiser.
    pub steps: usize,
    /// Records whose gradients a step adds up.
    pub at_once: usize,
    /// Lanes of each of them.
    pub lanes: usize,
    /// Largest learning rate.
    pub learning_rate: f64,
    /// Networks trained from different seeds.
    pub ensemble_size: usize,
    /// Seed of everything.
    pub seed: u64,
}

impl Default for Pretraining {
    fn default() -> Self {
        Pretraining {
            records: 2400,
            validation: 60,
            products: 40,
            weeks: 124,
            windows: 4,
            length: 16,
            steps: 5500,
            at_once: 8,
            lanes: 64,
            learning_rate: 2e-3,
            ensemble_size: 3,
            seed: 0,
        }
    }
}

/// How pretraining goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stage {
    /// So many records have been made.
    Records(usize),
    /// A member has taken so many steps; the objective of the validation records, as a share of what their products sell.
    Steps {
        /// The member, from 0.
        member: usize,
        /// Steps taken.
        step: usize,
        /// Mean objective of training since the last report.
        training: f64,
        /// Mean objective of the validation records under the averaged parameters.
        validation: f64,
    },
}

/// Trains level networks on synthetic records, the same bits for the same settings whatever the number of threads.
///
/// `watch` sees how it goes and may end it early: what has been trained so far is then returned.
///
/// # Errors
/// When a setting is zero or out of range.
pub fn pretrain(
    settings: &Pretraining,
    cpu: &Cpu,
    mut watch: impl FnMut(Stage) -> ControlFlow<()>,
) -> Result<LevelWeights, Error> {
    let drawn = draw(settings, cpu, &mut watch)?;
    let normaliser = Normaliser::fit(drawn.iter().take(200).map(|(_, trailing)| trailing))?;
    let weights = LevelWeights::untrained(normaliser, settings.ensemble_size, settings.seed)?;
    let windows = all(cpu.map(drawn.len(), |at| {
        let (record, trailing) = &drawn[at];
        cut(settings, record, trailing, &weights, at)
    }))?;
    drop(drawn);
    let (validation, training) = windows.split_at(settings.validation.min(windows.len() - 1));
    let mut members = Vec::new();
    for (member, theta) in weights.members().iter().enumerate() {
        let mut stopped = false;
        members.push(ascend(
            settings,
            cpu,
            training,
            validation,
            theta,
            member,
            |stage| {
                let go = watch(stage);
                stopped = go.is_break();
                go
            },
        )?);
        if stopped {
            break;
        }
    }
    LevelWeights::new(weights.normaliser().clone(), members)
}

/// All records with what their weeks tell.
fn draw(
    settings: &Pretraining,
    cpu: &Cpu,
    watch: &mut impl FnMut(Stage) -> ControlFlow<()>,
) -> Result<Vec<(Record, Trailing)>, Error> {
    let records = settings.records + settings.validation;
    let mut drawn = Vec::with_capacity(records);
    while drawn.len() < records {
        let first = drawn.len();
        drawn.extend(all(cpu.map(AT_ONCE.min(records - first), |k| {
            let index = (first + k) as u64;
            let record = Record::draw(settings.seed, index, settings.products, settings.weeks)?;
            let trailing = Trailing::new(&record.terms(), WARM_UP..settings.weeks)?;
            Ok((record, trailing))
        }))?);
        if watch(Stage::Records(drawn.len())).is_break() {
            break;
        }
    }
    Ok(drawn)
}

/// The windows of a record.
fn cut(
    settings: &Pretraining,
    record: &Record,
    trailing: &Trailing,
    weights: &LevelWeights,
    seed: usize,
) -> Result<Windows, Error> {
    let one = weights.with_members(weights.members()[..1].to_vec())?;
    let source = Source {
        panel: &record.panel,
        arrivals: &record.lead_times,
        conventions: record.conventions,
        trailing,
        weights: &one,
    };
    let cut = Cut {
        weeks: WARM_UP..settings.weeks,
        length: settings.length,
        count: settings.windows,
        products: settings.products,
        seed: settings.seed ^ seed as u64,
    };
    Windows::cut(&source, &cut)
}

/// The ascent of one member.
fn ascend(
    settings: &Pretraining,
    cpu: &Cpu,
    training: &[Windows],
    validation: &[Windows],
    theta: &[f64],
    member: usize,
    mut watch: impl FnMut(Stage) -> ControlFlow<()>,
) -> Result<Vec<f64>, Error> {
    let schedule = Schedule::cosine(
        settings.learning_rate,
        settings.steps / 30,
        settings.steps,
        0.02,
    )?;
    let rule = Rule {
        clip: 1.0,
        adam: AdamConfig::default(),
        averaging: 0.995,
    };
    let mut optimizer = Optimizer::new(single(theta));
    let stream = Stream::new(settings.seed.wrapping_add(member as u64), "pretraining");
    let (mut sum, mut steps) = (0.0, 0);
    for step in 0..settings.steps {
        let picks: Vec<(usize, Vec<usize>)> = (0..settings.at_once)
            .map(|k| {
                let mut rng = stream.at(k as u64, u32::try_from(step).unwrap_or(u32::MAX));
                let record = rng.random_range(0..training.len());
                let lanes = training[record].money.len();
                let pick = |_| rng.random_range(0..lanes);
                (record, (0..settings.lanes).map(pick).collect())
            })
            .collect();
        let params = optimizer.params();
        let gradients = all(cpu.map(picks.len(), |at| {
            let (record, lanes) = &picks[at];
            let windows = &training[*record];
            let weights = windows.weights(settings.length);
            let batch = windows.arrays.batch(&windows.program)?.weights(&weights)?;
            let one = Cpu::new(1);
            let mut session = one.open(&windows.program, batch)?;
            session.load(params)?;
            Ok(session.gradient(&Part::lanes(lanes))?)
        }))?;
        let share = 1.0 / (count(settings.at_once) * count(settings.lanes));
        let mut total = vec![0.0_f64; params.len()];
        for gradient in &gradients {
            sum += gradient.objective * share;
            for (total, &g) in total.iter_mut().zip(&gradient.params) {
                *total += f64::from(g) * share;
            }
        }
        steps += 1;
        optimizer.ascend(&rule, &mut single(&total), schedule.rate(step));
        if (step + 1) % 250 == 0 || step + 1 == settings.steps {
            let stage = Stage::Steps {
                member,
                step: step + 1,
                training: sum / count(steps),
                validation: judge(settings, cpu, validation, optimizer.average())?,
            };
            (sum, steps) = (0.0, 0);
            if watch(stage).is_break() {
                break;
            }
        }
    }
    Ok(optimizer.average().iter().map(|&x| f64::from(x)).collect())
}

/// The mean objective of windows.
fn judge(
    settings: &Pretraining,
    cpu: &Cpu,
    windows: &[Windows],
    params: &[f32],
) -> Result<f64, Error> {
    let means = all(cpu.map(windows.len(), |at| {
        let windows = &windows[at];
        let batch = windows.arrays.batch(&windows.program)?;
        let run = Cpu::new(1).forward(&windows.program, params, &batch)?;
        let weights = windows.weights(settings.length);
        let weighted = run.objective.iter().zip(&weights);
        let sum: f64 = weighted.map(|(o, &w)| o * f64::from(w)).sum();
        Ok(sum / count(weights.len()))
    }))?;
    Ok(means.iter().sum::<f64>() / count(means.len().max(1)))
}

impl Record {
    fn terms(&self) -> Terms<'_> {
        Terms {
            panel: &self.panel,
            lead_times: &self.lead_times,
            conventions: self.conventions,
            plan: self.plan,
            year: self.year,
            hierarchy: &self.hierarchy,
        }
    }
}

impl Windows {
    /// One over what a lane sells in a window, so that every product counts the same.
    fn weights(&self, length: usize) -> Vec<f32> {
        let each = self.money.iter().map(|money| 1.0 / (money * count(length)));
        single(&each.collect::<Vec<f64>>())
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "training runs in single precision"
)]
fn single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&x| x as f32).collect()
}

/// All results, or the first failure.
fn all<R>(results: Vec<Result<R, Error>>) -> Result<Vec<R>, Error> {
    results.into_iter().collect()
}
