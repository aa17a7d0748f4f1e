//! How forecasts fare against what was seen.

use gpu::Stream;
use rand::seq::SliceRandom;

use super::{Baseline, Drain, Forecast, Log, last_period_shares};
use crate::error::{Argument, DrainError};
use crate::scores::{
    Coverage, Estimator, Forecasts, Skill, coverage, energy_score, ranked, skill, variogram_score,
};

/// How forecasts of the entries of a log fared.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Evaluation {
    /// The sum of absolute errors of the mean forecast of units by warehouse, over all units.
    pub wape: f64,
    /// The same of all money of a state.
    pub cost_wape: f64,
    /// The mean error of all money over all money: positive where forecasts are dear.
    pub cost_bias: f64,
    /// The same share of absolute errors of units for each rule, in the order of [`Baseline::ALL`].
    pub baseline_wape: Vec<f64>,
    /// The same for [`last_period_shares`], each entry's last period being the entry before it; the first has none.
    pub last_period_wape: f64,
    /// The mean fair energy score of units and money, in shares of the state's demand and of that at the mean price.
    pub energy: f64,
    /// How much better it is than that of the same samples shuffled warehouse by warehouse, which keeps every marginal law and none of what joins them.
    pub joint_skill: Skill,
    /// The same of the variogram score of order 0.5.
    pub joint_variogram_skill: Skill,
    /// Coverage of units by warehouse at 50, 80 and 95 per cent.
    pub coverage: Vec<Coverage>,
    /// Randomised ranks of units by warehouse among the samples ([`ensemble_pit`](crate::scores::ensemble_pit)), counted in twenty equal bins: flat where forecasts are calibrated.
    pub pit: Vec<u64>,
    /// For each of the levels 0.05, 0.1, ... 0.95, the share of those ranks below it: reliability.
    pub reliability: Vec<(f64, f64)>,
    /// The largest difference between the correlation of two warehouses' shares of demand in the samples and in what was seen, over all states.
    pub correlation_gap: f64,
    /// The root mean square of the same for what is left after the state's mean forecast: of surprises.
    pub surprise_correlation_gap: f64,
}

impl Evaluation {
    /// Scores forecasts, one for each entry of the log, all with as many samples.
    ///
    /// # Errors
    /// No entry, another number of forecasts than entries, fewer than two samples, units that are all zero.
    pub fn of(log: &Log, forecasts: &[Forecast]) -> Result<Self, DrainError> {
        let (found, expected) = (forecasts.len(), log.states().len());
        if found != expected || found == 0 {
            return Err(DrainError::Length {
                argument: Argument::State,
                expected: expected.max(1),
                found,
            });
        }
        let means: Vec<Drain> = forecasts.iter().map(Forecast::mean).collect();
        let truth = log.drains();
        let mut baseline_wape = Vec::new();
        for rule in Baseline::ALL {
            let states = log.states().iter();
            let said = states.map(|state| rule.forecast(log.costs(), state));
            baseline_wape.push(wape(&said.collect::<Result<Vec<_>, _>>()?, truth)?);
        }
        let (states, costs) = (log.states(), log.costs());
        let follow = states.iter().zip(truth).skip(1).zip(truth);
        let said = follow.map(|((state, _), before)| last_period_shares(costs, state, before));
        let said: Vec<Drain> = said.collect::<Result<_, _>>()?;
        let last_period_wape = if said.is_empty() {
            f64::NAN
        } else {
            wape(&said, &truth[1..])?
        };
        let joint = Scaled::new(log, forecasts, None);
        let apart = Scaled::new(log, forecasts, Some(&Stream::new(0, "shuffle")));
        let energy = energy_score(&joint.view()?, Estimator::Fair)?;
        let energy_apart = energy_score(&apart.view()?, Estimator::Fair)?;
        let pairs = |s: &Scaled| variogram_score(&s.view()?, 0.5);
        let (money, paid) = totals(&means, truth);
        let errors = money.iter().zip(&paid).map(|(m, p)| m - p);
        let all_paid: f64 = paid.iter().sum();
        let units = Scaled::units(log, forecasts);
        let (pit, reliability) = ranked(&units.view()?, &mut Stream::new(0, "ranks").at(0, 0));
        Ok(Self {
            wape: wape(&means, truth)?,
            cost_wape: errors.clone().map(f64::abs).sum::<f64>() / all_paid,
            cost_bias: errors.sum::<f64>() / all_paid,
            baseline_wape,
            last_period_wape,
            energy: mean(&energy),
            joint_skill: skill(&energy, &energy_apart, 0)?,
            joint_variogram_skill: skill(&pairs(&joint)?, &pairs(&apart)?, 0)?,
            coverage: coverage(&units.view()?, &[0.5, 0.8, 0.95])?,
            pit,
            reliability,
            correlation_gap: units.correlation_gaps(None).fold(0.0, f64::max),
            surprise_correlation_gap: {
                let gaps: Vec<f64> = units
                    .correlation_gaps(Some((&means, log)))
                    .map(|g| g * g)
                    .collect();
                mean(&gaps).sqrt()
            },
        })
    }
}

fn mean(list: &[f64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "numbers of forecasts")]
    let count = list.len() as f64;
    list.iter().sum::<f64>() / count
}

/// The sum of absolute errors of units by warehouse, over all units that were seen.
///
/// # Errors
/// Units that are all zero.
pub fn wape(said: &[Drain], truth: &[Drain]) -> Result<f64, DrainError> {
    let all: f64 = truth.iter().map(Drain::total_units).sum();
    if all <= 0.0 {
        return Err(DrainError::NoScale {
            argument: Argument::Drain,
        });
    }
    let errors = said.iter().zip(truth).flat_map(|(said, truth)| {
        let pairs = said.units.iter().zip(&truth.units);
        pairs.map(|(a, b)| (a - b).abs())
    });
    Ok(errors.sum::<f64>() / all)
}

fn totals(said: &[Drain], truth: &[Drain]) -> (Vec<f64>, Vec<f64>) {
    let sum = |list: &[Drain]| list.iter().map(Drain::total_cost).collect();
    (sum(said), sum(truth))
}

/// Samples and outcomes in shares of demand.
struct Scaled {
    members: Vec<f64>,
    outcomes: Vec<f64>,
    components: usize,
}

impl Scaled {
    /// Units and money; with a stream, each warehouse's samples in an order of their own.
    fn new(log: &Log, forecasts: &[Forecast], shuffle: Option<&Stream>) -> Self {
        let warehouses = log.costs().warehouses();
        let (mut members, mut outcomes) = (Vec::new(), Vec::new());
        for (k, (forecast, drain)) in forecasts.iter().zip(log.drains()).enumerate() {
            let size = log.states()[k].demand.iter().sum::<f64>().max(1e-9);
            let money = size * log.costs().mean();
            let count = forecast.samples.len();
            let mut places: Vec<Vec<usize>> = vec![(0..count).collect(); warehouses];
            if let Some(stream) = shuffle {
                let mut rng = stream.at(k as u64, 0);
                places
                    .iter_mut()
                    .for_each(|places| places.shuffle(&mut rng));
            }
            (0..count).for_each(|m| {
                let sample = |w: usize| &forecast.samples[places[w][m]];
                members.extend((0..warehouses).map(|w| sample(w).units[w] / size));
                members.extend((0..warehouses).map(|w| sample(w).cost[w] / money));
            });
            outcomes.extend(drain.units.iter().map(|units| units / size));
            outcomes.extend(drain.cost.iter().map(|cost| cost / money));
        }
        Self {
            members,
            outcomes,
            components: 2 * warehouses,
        }
    }

    /// Units alone.
    fn units(log: &Log, forecasts: &[Forecast]) -> Self {
        let all = Self::new(log, forecasts, None);
        let half = all.components / 2;
        let first = |list: &[f64]| -> Vec<f64> {
            let rows = list.chunks_exact(all.components);
            rows.flat_map(|row| row[..half].iter().copied()).collect()
        };
        Self {
            members: first(&all.members),
            outcomes: first(&all.outcomes),
            components: half,
        }
    }

    fn view(&self) -> Result<Forecasts<'_>, DrainError> {
        Forecasts::joint(&self.members, &self.outcomes, self.components)
    }

    /// For each pair of components, the difference of their correlations in samples and outcomes; less the states' means where these are given.
    fn correlation_gaps(
        &self,
        about: Option<(&[Drain], &Log)>,
    ) -> impl Iterator<Item = f64> + use<> {
        let parts = self.components;
        let states = self.outcomes.len() / parts;
        let per_state = self.members.len() / states;
        let mut said = Covariance::new(parts);
        let mut seen = Covariance::new(parts);
        for k in 0..states {
            let mean: Vec<f64> = about.map_or_else(
                || vec![0.0; parts],
                |(means, log)| {
                    let size = log.states()[k].demand.iter().sum::<f64>().max(1e-9);
                    means[k].units.iter().map(|units| units / size).collect()
                },
            );
            let gap =
                |row: &[f64]| -> Vec<f64> { row.iter().zip(&mean).map(|(v, m)| v - m).collect() };
            seen.add(&gap(&self.outcomes[k * parts..][..parts]));
            let samples = self.members[k * per_state..][..per_state].chunks_exact(parts);
            samples.for_each(|row| said.add(&gap(row)));
        }
        let pairs = (0..parts).flat_map(|a| (0..a).map(move |b| (a, b)));
        pairs.map(move |(a, b)| (said.correlation(a, b) - seen.correlation(a, b)).abs())
    }
}

/// Sums of squares and products about the mean, of deviations whose mean is near zero.
struct Covariance {
    count: f64,
    sum: Vec<f64>,
    product: Vec<f64>,
}

impl Covariance {
    fn new(parts: usize) -> Self {
        Self {
            count: 0.0,
            sum: vec![0.0; parts],
            product: vec![0.0; parts * parts],
        }
    }

    fn add(&mut self, row: &[f64]) {
        let parts = row.len();
        self.count += 1.0;
        for (a, x) in row.iter().enumerate() {
            self.sum[a] += x;
            for (b, y) in row.iter().enumerate() {
                self.product[a * parts + b] += x * y;
            }
        }
    }

    fn correlation(&self, a: usize, b: usize) -> f64 {
        let parts = self.sum.len();
        let moment = |a: usize, b: usize| {
            self.product[a * parts + b] - self.sum[a] * self.sum[b] / self.count
        };
        let scale = (moment(a, a) * moment(b, b)).sqrt();
        if scale > 0.0 {
            moment(a, b) / scale
        } else {
            0.0
        }
    }
}
