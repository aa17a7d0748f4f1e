//! The whole protocol.

use gpu::Device;

use super::distance::{DistanceBin, by_distance};
use super::rank::spearman;
use super::world::World;
use crate::error::DrainError;
use crate::model::{
    Drain, DrainModel, Evaluation, Forecast, Horizon, Log, Placement, QuantileRegression, Search,
    Training,
};

/// Settings of the protocol.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Study {
    /// States to train on. Default 2,000.
    pub states: usize,
    /// States of other placements and weeks to test on. Default 600.
    pub test_states: usize,
    /// All stock of a placement, in weeks of mean demand. Default 1.25.
    pub cover: f64,
    /// Money for every unit that is not shipped. Default 25.
    pub lost_penalty: f64,
    /// Weeks of a roll-out. Default 26.
    pub weeks: u32,
    /// Placements that are ranked. Default 24.
    pub candidates: usize,
    /// Times that the model is refitted. Default 2.
    pub refits: usize,
    /// Sample paths of a roll-out. Default 32.
    pub paths: usize,
    /// How the model is trained, and, at half the rate, trained further.
    pub training: Training,
    /// How placements are optimised.
    pub search: Search,
    /// Seed of everything that the training does not seed. Default 1.
    pub seed: u64,
}

impl Default for Study {
    fn default() -> Self {
        Self {
            states: 2000,
            test_states: 600,
            cover: 1.25,
            lost_penalty: 25.0,
            weeks: 26,
            candidates: 24,
            refits: 2,
            paths: 32,
            training: Training::default(),
            search: Search::default(),
            seed: 1,
        }
    }
}

/// What a placement costs a week, by two judges.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Judged {
    /// The placement.
    pub placement: Placement,
    /// Money a week by the model's roll-outs.
    pub model: f64,
    /// Money a week by the referee, on the same demand.
    pub referee: f64,
}

/// One fit of the model, and how it stood the referee.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Round {
    /// States that the model was trained on.
    pub trained_on: usize,
    /// Stock where demand is.
    pub proportional: Judged,
    /// The placement that the model likes best.
    pub optimised: Judged,
    /// Placements of the same budget, far apart.
    pub candidates: Vec<Judged>,
    /// Agreement of both judges over the candidates.
    pub spearman: f64,
    /// Shares of absolute errors of units by warehouse in roll-outs of the candidates, week by week.
    pub roll_out_wape: Vec<f64>,
    /// The model on the referee's states of the optimised placement, which it was not trained on.
    pub visited: Evaluation,
    /// The same on those of the candidates, by distance from the states that it was trained on.
    pub by_distance: Vec<DistanceBin>,
}

impl Round {
    /// By how much the optimised placement is dearer than the model says, as a share.
    #[must_use]
    pub fn optimism_gap(&self) -> f64 {
        self.optimised.referee / self.optimised.model - 1.0
    }
}

/// What the protocol found.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Findings {
    /// The first fit on states of its own kind.
    pub in_distribution: Evaluation,
    /// [`QuantileRegression`] on the same states, fitted to the same log.
    pub quantile_regression: Evaluation,
    /// The same by distance from the states that it was trained on.
    pub by_distance: Vec<DistanceBin>,
    /// The first fit, then each refit.
    pub rounds: Vec<Round>,
    /// The last fit on the states of `in_distribution`.
    pub after: Evaluation,
}

/// Samples of a forecast that is evaluated.
const SAMPLES: usize = 64;

impl Study {
    /// Runs the protocol; `report` is called with each round as it ends.
    ///
    /// # Errors
    /// A setting that makes no sense, or numbers that the engine refuses.
    pub fn run(
        &self,
        world: &World,
        device: &Device,
        mut report: impl FnMut(&Round),
    ) -> Result<(Findings, DrainModel), DrainError> {
        let seed = |purpose: u64| {
            self.seed
                .wrapping_mul(1_000_003)
                .wrapping_add(purpose << 32)
        };
        let mut train = world.log(self.states, seed(0))?;
        let test = world.log(self.test_states, seed(1))?;
        let mut model = DrainModel::fit(&train, &self.training, device)?;
        let (in_distribution, by_distance) = self.evaluate(&model, &train, &test, device)?;
        let simple = QuantileRegression::fit(&train)?;
        let simple = simple.forecast(test.costs(), test.states(), SAMPLES, self.seed)?;
        let quantile_regression = Evaluation::of(&test, &simple)?;
        let mut rounds = Vec::new();
        for k in 0..=self.refits {
            let judge = Judge {
                study: self,
                world,
                model: &model,
                device,
                seed: seed(2),
            };
            let mut tempted = Log::new(world.costs().clone());
            let mut visited = tempted.clone();
            let round = judge.round(&train, (&mut tempted, &mut visited), seed(3 + k as u64))?;
            report(&round);
            rounds.push(round);
            if k < self.refits {
                train.extend(&tempted)?;
                train.extend(&visited)?;
                let further = Training {
                    rate: 0.5 * self.training.rate,
                    ..self.training
                };
                model = model.refit(&train, &further, device)?;
            }
        }
        let (after, _) = self.evaluate(&model, &train, &test, device)?;
        let findings = Findings {
            in_distribution,
            quantile_regression,
            by_distance,
            rounds,
            after,
        };
        Ok((findings, model))
    }

    fn evaluate(
        &self,
        model: &DrainModel,
        train: &Log,
        log: &Log,
        device: &Device,
    ) -> Result<(Evaluation, Vec<DistanceBin>), DrainError> {
        let forecasts = model.forecast(log.costs(), log.states(), SAMPLES, self.seed, device)?;
        Ok((
            Evaluation::of(log, &forecasts)?,
            by_distance(train, log, &forecasts)?,
        ))
    }
}

/// A model on trial.
struct Judge<'a> {
    study: &'a Study,
    world: &'a World,
    model: &'a DrainModel,
    device: &'a Device,
    /// Of the demand on which placements are judged.
    seed: u64,
}

impl Judge<'_> {
    /// Optimises, ranks, and collects the states that the placements visit, which are filled into the logs.
    fn round(
        &self,
        train: &Log,
        (tempted, visited): (&mut Log, &mut Log),
        seed: u64,
    ) -> Result<Round, DrainError> {
        let (study, world) = (self.study, self.world);
        let budget = study.cover * world.mean();
        let proportional = Placement::shares(budget, &world.local());
        let demand = self.demand(seed);
        let planning = Horizon {
            costs: world.costs(),
            demand: &demand,
            lost_penalty: study.lost_penalty,
            paths: study.paths.min(8),
            seed,
        };
        let found = self
            .model
            .place(&proportional, &planning, &study.search, self.device)?;
        let many = world.candidates(budget, study.candidates, study.seed);
        let (two, _) = self.judge(&[proportional, found.clone()])?;
        let (candidates, roll_out_wape) = self.judge(&many)?;
        let costs = |cost: fn(&Judged) -> f64| candidates.iter().map(cost).collect::<Vec<_>>();
        tempted.extend(&world.roll_out(&found, 4 * study.weeks, seed)?)?;
        for (k, placement) in many.iter().enumerate().filter(|(k, _)| k % 2 == 0) {
            let own = seed.wrapping_add(10_000 * (k as u64 + 1));
            visited.extend(&world.roll_out(placement, study.weeks, own)?)?;
        }
        let [proportional, optimised] = <[Judged; 2]>::try_from(two)
            .unwrap_or_else(|_| unreachable!("two placements were judged"));
        Ok(Round {
            trained_on: train.states().len(),
            proportional,
            optimised,
            spearman: spearman(&costs(|j| j.model), &costs(|j| j.referee)),
            candidates,
            roll_out_wape,
            visited: study.evaluate(self.model, train, tempted, self.device)?.0,
            by_distance: study.evaluate(self.model, train, visited, self.device)?.1,
        })
    }

    fn demand(&self, seed: u64) -> Vec<Vec<f64>> {
        let weeks = 0..self.study.weeks;
        weeks.map(|week| self.world.demand(seed, week)).collect()
    }

    /// Costs of placements on the same demand, and the errors of the model's roll-outs week by week.
    fn judge(&self, placements: &[Placement]) -> Result<(Vec<Judged>, Vec<f64>), DrainError> {
        let (study, world) = (self.study, self.world);
        let demand = self.demand(self.seed);
        let horizon = Horizon {
            costs: world.costs(),
            demand: &demand,
            lost_penalty: study.lost_penalty,
            paths: study.paths,
            seed: study.seed,
        };
        let mut judged = Vec::new();
        let mut errors = vec![[0.0, 0.0]; demand.len()];
        for placement in placements {
            let log = world.roll_out(placement, study.weeks, self.seed)?;
            let paths = self.model.roll_out(placement, &horizon, self.device)?;
            let (mut by_model, mut by_referee) = (0.0, 0.0);
            for (week, asked) in demand.iter().enumerate() {
                let size: f64 = asked.iter().sum();
                let cost = |drain: &Drain| Placement::period_cost(drain, size, study.lost_penalty);
                let samples: Vec<Drain> = paths.iter().map(|path| path[week].clone()).collect();
                let total: f64 = samples.iter().map(cost).sum();
                #[expect(clippy::cast_precision_loss, reason = "numbers of paths")]
                let count = samples.len() as f64;
                let truth = &log.drains()[week];
                by_model += total / count;
                by_referee += cost(truth);
                let mean = Forecast { samples }.mean();
                let gaps = mean.units.iter().zip(&truth.units);
                errors[week][0] += gaps.map(|(a, b)| (a - b).abs()).sum::<f64>();
                errors[week][1] += truth.total_units();
            }
            let weeks = f64::from(study.weeks);
            judged.push(Judged {
                placement: placement.clone(),
                model: by_model / weeks,
                referee: by_referee / weeks,
            });
        }
        let wape = errors.iter().map(|[gaps, units]| gaps / units).collect();
        Ok((judged, wape))
    }
}
