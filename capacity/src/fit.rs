//! A coordinator that is trained for as long as held-out cohorts gain, and how it fares on them.

use hindsight_exo_idp::policy::Policy;
use hindsight_gpu::{Device, Executor};

use crate::announced::Announced;
use crate::backtest::{Method, Paired, Study, Trial};
use crate::cases::Cases;
use crate::control::Gate;
use crate::draw::Draw;
use crate::error::{Argument, Error, count};
use crate::joint::{Joint, Loss};
use crate::model::Model;
use crate::train::{Training, single};

/// Cohorts of a round: each round has others.
const COHORTS: usize = 512;
/// Steps of a round, and cohorts of a step.
const STEPS: usize = 800;
const BATCH: usize = 8;
/// Rounds without a gain after which training ends.
const PATIENCE: usize = 2;
/// Held-out cohorts that say which round is kept and how it fares.
const HELD_OUT: usize = 128;

/// A buyer and a coordinator, and how long they were trained for what.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The model after the best round.
    pub model: Model,
    /// The mean objective of held-out cohorts before training and after every round.
    pub rounds: Vec<f64>,
    /// Which of these is the model's: 0 where no round gained anything.
    pub kept: usize,
    /// How it fares on held-out cohorts.
    pub held_out: HeldOut,
}

/// How a coordinator fares on cohorts and limits that it was not trained on, of the weeks and the family of training.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct HeldOut {
    /// Rewards of a pro-rata gate, the coordinator, and the coordinator behind the gate, as shares of that of no control.
    pub reward: [f64; 3],
    /// Mean excess over the limits, as a share of them, of no control and of the coordinator.
    pub excess: [f64; 2],
    /// Reward of the coordinator behind the gate less that of the gate alone, both without excess, as a share of that of no control.
    pub gain: Paired,
    /// Announced prices beside those charged.
    pub announced: Announced,
}

impl Fitted {
    /// The model, and what is to be said of its training.
    #[must_use]
    pub fn told(self) -> (Model, Option<String>) {
        let words = self.to_string();
        (self.model, Some(words))
    }

    /// What is doubtful: that nothing was gained, that the last round still gained, that prices are biased.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        let [low, high] = self.held_out.gain.interval;
        if self.kept == 0 {
            doubts.push("no round of training gained anything on held-out cohorts: the coordinator is the untrained one".to_owned());
        } else if self.kept + 1 == self.rounds.len() {
            doubts.push(
                "the last round still gained on held-out cohorts: more rounds may gain more"
                    .to_owned(),
            );
        }
        if high < 0.0 {
            doubts.push("on held-out cohorts the gate alone earns more than the coordinator with it: take the gate, or train longer".to_owned());
        } else if low <= 0.0 {
            doubts.push("on held-out cohorts the coordinator with a gate does not clearly earn more than the gate alone: more rounds may tell".to_owned());
        }
        doubts
    }
}

impl std::fmt::Display for Fitted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = |x: f64| 100.0 * x;
        let HeldOut {
            reward,
            excess,
            gain,
            announced,
        } = &self.held_out;
        let [gate, own, both] = reward.map(percent);
        let [free, left] = excess.map(percent);
        let [low, high] = gain.interval.map(percent);
        let rounds = self.rounds.len() - 1;
        write!(
            f,
            "Trained for {rounds} rounds of {STEPS} steps, each on {COHORTS} fresh cohorts; kept what stood after round {}. On {HELD_OUT} held-out cohorts of the weeks of training the coordinator \
             keeps {own:.1} % of the reward of no control with a mean excess of {left:.2} % (no control {free:.2} %); with a pro-rata gate behind it {both:.1} %, the gate alone {gate:.1} %: \
             {:+.2} points [{low:+.2}, {high:+.2}]. {announced}",
            self.kept,
            percent(gain.mean),
        )?;
        for doubt in self.doubts() {
            write!(f, " Note: {doubt}.")?;
        }
        Ok(())
    }
}

impl Study<'_> {
    /// A trained buyer and coordinator; `tell` hears what is trained now.
    ///
    /// The buyer is trained first. The coordinator is then trained in rounds, each on cohorts and limits of its own and from where the last one ended, as long
    /// as the objective of held-out cohorts grows: until two rounds in a row have not improved on the best, which is kept.
    ///
    /// # Errors
    /// Too few weeks or products, a setting of zero, training that diverges.
    pub fn train(&self, device: &Device, tell: &mut dyn FnMut(&str)) -> Result<Fitted, Error> {
        if self.rounds == 0 {
            return Err(Error::Setting {
                argument: Argument::Training,
                value: 0.0,
            });
        }
        tell("the buyer");
        let mut model = self.trained_buyer(device)?;
        let loss = Loss {
            reward: 3.0,
            ..Loss::default()
        };
        let held_out = Draw {
            seed: self.seed.wrapping_add(2),
            ..self.draw(self.size, HELD_OUT)
        };
        let held_out = held_out.cases(self.record, &model.buyer, self.course, device)?;
        let mut rounds = vec![held_out.objective(&model, &loss, device)?];
        let (mut best, mut kept) = (model.clone(), 0);
        for round in 1..=self.rounds {
            tell(&format!("the coordinator, round {round}"));
            // Of the seeds those from 3 on are the rounds'.
            let seed = self.seed.wrapping_add(round as u64 + 2);
            let lesson = Draw {
                seed,
                ..self.draw(self.size, COHORTS)
            };
            let lesson = lesson.cases(self.record, &model.buyer, self.course, device)?;
            let training = Training {
                steps: STEPS,
                batch: BATCH,
                seed,
                ..Training::default()
            };
            model.train_coordinator(&lesson, &loss, &training, device)?;
            let objective = held_out.objective(&model, &loss, device)?;
            if objective > rounds[kept] {
                (best, kept) = (model.clone(), round);
            }
            rounds.push(objective);
            if round >= kept + PATIENCE {
                break;
            }
        }
        tell("held-out cohorts");
        Ok(Fitted {
            held_out: self.fares(&best, device)?,
            model: best,
            rounds,
            kept,
        })
    }

    fn trained_buyer(&self, device: &Device) -> Result<Model, Error> {
        let mut model = Model::new(&self.record.shape(), 32, self.seed);
        // Many paths of prices matter more than many products on each.
        let pool = self.draw(2.min(self.record.panel().products()), 2048);
        let pool = Cases::new(self.record, &pool.cohorts(self.course)?, self.course)?;
        let training = Training {
            steps: self.steps,
            batch: 64,
            seed: self.seed,
            ..Training::default()
        };
        model.train_buyer(&pool, &training, device)?;
        Ok(model)
    }

    /// How a model fares on held-out cohorts, all of them with limits about what is used.
    fn fares(&self, model: &Model, device: &Device) -> Result<HeldOut, Error> {
        let draw = Draw {
            seed: self.seed.wrapping_add(2),
            roomy: 0.0,
            ..self.draw(self.size, HELD_OUT)
        };
        let cases = draw.cases(self.record, &model.buyer, self.course, device)?;
        let tried = |method| -> Result<Trial, Error> {
            cases.tried(self.record, &model.buyer, &(String::new(), method), device)
        };
        let free = tried(Method::NoControl)?;
        let gate = tried(Method::Gate(Gate::ProRata))?;
        let own = tried(Method::Coordinator(model))?;
        let both = tried(Method::CoordinatorAtGate(model, Gate::ProRata))?;
        Ok(HeldOut {
            reward: [&gate, &own, &both].map(|trial| trial.reward_of(&free)),
            excess: [&free, &own].map(|trial| trial.mean(|score| score.violation)),
            gain: both.reward_against(&gate, &free, 1),
            announced: Announced::of(&own),
        })
    }
}

impl Cases<f32> {
    /// The mean over the cohorts of what training of a coordinator makes large.
    pub(crate) fn objective(
        &self,
        model: &Model,
        loss: &Loss,
        device: &Device,
    ) -> Result<f64, Error> {
        let joint = Joint {
            shape: &self.shape,
            buyer: &model.buyer,
            coordinator: Some((&model.coordinator, *loss)),
            traced: false,
        };
        let program = joint.program();
        let theta = [model.buyer.theta(), model.coordinator.theta()].concat();
        let theta: Vec<f32> = theta.into_iter().map(single).collect();
        let run = device.forward(&program, &theta, &self.batch(&program)?)?;
        let sum: f64 = run.objective.iter().sum();
        Ok(sum / count(self.lanes()))
    }
}
