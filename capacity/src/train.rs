//! Training: first the buyer at random prices, then the coordinator with the buyer as it is, then both if wanted.

use hindsight_gpu::optim::{Rule, Schedule};
use hindsight_gpu::{Device, Executor, Part, Session, Stream};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use crate::cases::Cases;
use crate::constraint_paths::wavelets;
use crate::error::{Argument, Error, count};
use crate::joint::{Joint, Loss};
use crate::limits::Kind;
use crate::model::Model;
use crate::shape::{COST, DEMAND, HORIZON};

/// How either is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Training {
    /// Steps of the optimiser, at least 1.
    pub steps: usize,
    /// Cohorts of a step, at least 1.
    pub batch: usize,
    /// Largest learning rate, above 0; it warms up over a twentieth of the steps and falls along a cosine to a fiftieth.
    pub rate: f64,
    /// Seed of mini-batches and random prices.
    pub seed: u64,
    /// What a buyer's random prices are multiplied with: at zero it is trained at no prices, and does not answer to any.
    pub prices: f64,
}

impl Default for Training {
    fn default() -> Self {
        Training {
            steps: 800,
            batch: 16,
            rate: 3e-3,
            seed: 0,
            prices: 1.0,
        }
    }
}

/// Random forecasts of prices, `[week][resource][week ahead]`, in shares of the unit price.
///
/// A path is a level and Haar wavelets, cut off at zero, times a scale that is log-uniform in the range of its resource: from prices that hardly
/// matter to prices at which most goods are not worth their room. Three in ten are zero throughout. What is published of the weeks ahead is the path
/// times a factor whose logarithm wanders the more, the further ahead, so that forecasts are revised. Our own formulation.
pub(crate) fn random_prices(weeks: usize, kinds: &[Kind], seed: u64, path: u64) -> Vec<f64> {
    let rng = &mut Stream::new(seed, "random prices").at(path, 0);
    let resources = kinds.len();
    let mut all = vec![0.0; weeks * resources * (HORIZON + 1)];
    for (resource, kind) in kinds.iter().enumerate() {
        if rng.random_bool(0.3) {
            continue;
        }
        let [least, most] = scales(*kind);
        let largest = least * (most / least).powf(rng.random_range(0.0..1.0));
        let (level, decay) = (rng.random_range(-0.3..0.5), rng.random_range(0.3..1.0));
        let waves = wavelets(weeks + HORIZON, decay, 0.4, rng);
        let price = |t: usize| largest * (level + waves[t]).max(0.0);
        let revision = 0.3 * rng.random_range(0.0_f64..1.0);
        let mut wander = vec![0.0_f64; weeks + HORIZON];
        for week in 0..weeks {
            for ahead in 0..=HORIZON {
                let normal: f64 = StandardNormal.sample(rng);
                let far = (count(ahead) / count(HORIZON)).sqrt();
                let log = &mut wander[week + ahead];
                *log = if ahead == 0 {
                    0.0
                } else {
                    0.8 * *log + 0.6 * revision * far * normal
                };
                let at = (week * resources + resource) * (HORIZON + 1) + ahead;
                all[at] = price(week + ahead) * log.exp();
            }
        }
    }
    all
}

/// Scales of the prices that a buyer is trained on, in shares of the unit price: of a week's storage, of inbound labour.
pub(crate) fn scales(kind: Kind) -> [f64; 2] {
    match kind {
        Kind::Storage => [0.005, 0.4],
        Kind::Inbound => [0.02, 1.5],
    }
}

impl Model {
    /// Trains the buyer on priced reward, at random prices and their forecasts (stage 1); returns the course of the objective.
    ///
    /// Every product weighs as much as another: its reward counts over what a week of its demand costs.
    ///
    /// # Errors
    /// A setting of zero, or training that diverges.
    pub fn train_buyer(
        &mut self,
        cases: &Cases<f32>,
        training: &Training,
        device: &Device,
    ) -> Result<Vec<f64>, Error> {
        let mut cases = cases.clone();
        let units = cases.unit_prices();
        let each = HORIZON + 1;
        for (group, units) in units.iter().enumerate() {
            let weeks = cases.course.weeks;
            let mut all = random_prices(weeks, &cases.shape.kinds, training.seed, group as u64);
            for (week, prices) in all.chunks_exact_mut(units.len() * each).enumerate() {
                for (price, k) in prices.iter_mut().zip(0..) {
                    *price *= training.prices * units[k / each];
                }
                cases.post(week, group, prices);
            }
        }
        let joint = Joint {
            shape: &cases.shape,
            buyer: &self.buyer,
            coordinator: None,
            traced: false,
        };
        let weights = cases.money_weights(training.batch);
        let range = 0..joint.params()[0];
        let (theta, curve) = ascend(&joint, &cases, Some(&weights), range, training, device)?;
        self.buyer = self.buyer.clone().with_theta(theta)?;
        Ok(curve)
    }

    /// Trains the coordinator through the joint roll-out, the buyer as it is (stage 2); returns the course of the objective.
    ///
    /// # Errors
    /// Cases without limits, a setting of zero, or training that diverges.
    pub fn train_coordinator(
        &mut self,
        cases: &Cases<f32>,
        loss: &Loss,
        training: &Training,
        device: &Device,
    ) -> Result<Vec<f64>, Error> {
        self.train_joint(cases, loss, training, device, false)
    }

    /// Trains both on reward less the loss (stage 3), from where they are.
    ///
    /// # Errors
    /// As [`train_coordinator`](Model::train_coordinator).
    pub fn fine_tune(
        &mut self,
        cases: &Cases<f32>,
        loss: &Loss,
        training: &Training,
        device: &Device,
    ) -> Result<Vec<f64>, Error> {
        self.train_joint(cases, loss, training, device, true)
    }

    fn train_joint(
        &mut self,
        cases: &Cases<f32>,
        loss: &Loss,
        training: &Training,
        device: &Device,
        both: bool,
    ) -> Result<Vec<f64>, Error> {
        if cases.limits.is_empty() {
            return Err(Error::Empty(Argument::Limit));
        }
        let joint = Joint {
            shape: &cases.shape,
            buyer: &self.buyer,
            coordinator: Some((&self.coordinator, *loss)),
            traced: false,
        };
        let [own, all] = joint.params();
        let range = if both { 0..all } else { own..all };
        let (theta, curve) = ascend(&joint, cases, None, range, training, device)?;
        let (buyer, coordinator) = theta.split_at(own);
        if both {
            self.buyer = self.buyer.clone().with_theta(buyer.to_vec())?;
        }
        self.coordinator = self.coordinator.clone().with_theta(coordinator.to_vec())?;
        Ok(curve)
    }
}

/// Steps up the objective in a range of parameters; returns the running average of all, and the objective of every step.
fn ascend(
    joint: &Joint<'_>,
    cases: &Cases<f32>,
    weights: Option<&[f32]>,
    range: std::ops::Range<usize>,
    training: &Training,
    device: &Device,
) -> Result<(Vec<f64>, Vec<f64>), Error> {
    for (value, least) in [
        (count(training.steps), 1.0),
        (count(training.batch), 1.0),
        (training.rate, f64::MIN_POSITIVE),
        (training.prices, 0.0),
    ] {
        if value < least || !value.is_finite() {
            return Err(Error::Setting {
                argument: Argument::Training,
                value,
            });
        }
    }
    let program = joint.program().train(&[range])?;
    let mut batch = cases.batch(&program)?;
    if let Some(weights) = weights {
        batch = batch.weights(weights)?;
    }
    let mut session: Box<dyn Session<f32> + '_> = device.open(&program, batch)?;
    let single: Vec<f32> = joint.theta().into_iter().map(single).collect();
    session.load(&single)?;
    let rule = Rule {
        clip: 1.0,
        averaging: 0.99,
        ..Rule::default()
    };
    let schedule = Schedule::cosine(training.rate, training.steps / 20, training.steps, 0.02)?;
    let picks = Stream::new(training.seed, "mini-batches of cohorts");
    let mut curve = Vec::with_capacity(training.steps);
    for step in 0..training.steps {
        let mut rng = picks.at(step as u64, 0);
        let pick = |_| rng.random_range(0..cases.groups());
        let chosen: Vec<usize> = if cases.groups() <= training.batch {
            (0..cases.groups()).collect()
        } else {
            (0..training.batch).map(pick).collect()
        };
        let value = session.step(&Part::groups(&chosen), &rule, schedule.rate(step))?;
        if !value.is_finite() {
            return Err(Error::Diverged { step });
        }
        curve.push(value);
    }
    let average = session.average()?;
    Ok((average.into_iter().map(f64::from).collect(), curve))
}

#[expect(clippy::cast_possible_truncation, reason = "training runs in f32")]
pub(crate) fn single(x: f64) -> f32 {
    x as f32
}

/// The least that a week of a product's demand counts as, as a share of the mean over all products.
const LEAST: f64 = 0.02;

impl Cases<f32> {
    /// Each lane's weight in a mini-batch: one over what a week of its demand costs on average over the roll-out, and over the lanes. The level that demand
    /// begins with would not do: what hardly sells at first and much later would outweigh all others.
    fn money_weights(&self, batch: usize) -> Vec<f32> {
        let lanes = self.lanes() * batch.min(self.groups()) / self.groups();
        let mut money = vec![0.0; self.lanes()];
        for week in 0..self.course.weeks {
            let (cost, demand) = (self.row(week, COST), self.row(week, DEMAND));
            for ((money, &cost), &demand) in money.iter_mut().zip(cost).zip(demand) {
                *money += f64::from(cost * demand) / count(self.course.weeks);
            }
        }
        let least = LEAST * money.iter().sum::<f64>() / count(money.len());
        let weight = |money: f64| 1.0 / (money.max(least).max(f64::MIN_POSITIVE) * count(lanes));
        money
            .into_iter()
            .map(|money| single(weight(money)))
            .collect()
    }
}
