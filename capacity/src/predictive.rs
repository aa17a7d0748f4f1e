//! Model-predictive control: prices by dual ascent on scenarios of the weeks ahead, every week anew.

use hindsight_exo_idp::policy::Policy;
use hindsight_gpu::{Device, Executor};

use crate::buyer::Buyer;
use crate::cases::Cases;
use crate::control::published;
use crate::dual::Ascent;
use crate::error::{Argument, Error, count};
use crate::excess::Scale;
use crate::forecaster::{Forecaster, Law};
use crate::iterates::Iterates;
use crate::joint::{Joint, TRACES, used};
use crate::record::{Record, follow};
use crate::roll::Roll;
use crate::shape::{ACCEPTED, ARRIVING, DEMAND, FAST, HORIZON, LATER, SOON};
use crate::train::single;

/// The budget of model-predictive control.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictive<'a> {
    /// Scenarios of a plan.
    pub scenarios: usize,
    /// Dual ascent of a week, from the prices of the week before moved on by one, its rate in unit prices.
    pub ascent: Ascent,
    /// Share of the limit that is kept free.
    pub margin: f64,
    /// Probabilities of lead times of 0, 1, … weeks.
    pub lead_times: &'a [f64],
    /// Seed of the scenarios.
    pub seed: u64,
}

impl Cases<f32> {
    /// Plays the buyer under model-predictive control: in every week the prices of this week and the [`HORIZON`] weeks ahead are moved by dual
    /// ascent until what the very buyer uses over scenarios meets the outlook of the limits; those of the plan are published.
    ///
    /// Orders arrive by their expected shares in a plan. The last price of the plan holds for what lies beyond.
    ///
    /// # Errors
    /// Cases without limits, no scenario or step, fewer weeks to draw from than a plan has.
    pub fn predictive(
        &self,
        record: &Record<'_>,
        buyer: &Buyer,
        control: &Predictive<'_>,
        forecaster: &Forecaster<'_>,
        device: &Device,
    ) -> Result<Roll, Error> {
        if self.limits.is_empty() {
            return Err(Error::Empty(Argument::Limit));
        }
        if control.scenarios == 0 {
            return Err(Error::Empty(Argument::Baseline));
        }
        control.ascent.check()?;
        let law = forecaster.fitted(record)?;
        let (units, resources) = (self.unit_prices(), self.shape.resources());
        let weeks = HORIZON + 1;
        let start = Iterates::new(vec![0.0; resources * weeks], weeks, &control.ascent);
        let mut plans = vec![start; self.groups()];
        let joint = Joint {
            shape: &self.shape,
            buyer,
            coordinator: None,
            traced: false,
        };
        let program = joint.program();
        let theta: Vec<f32> = buyer.theta().iter().map(|&x| single(x)).collect();
        let money = |group: usize, prices: &[f64]| -> Vec<f64> {
            let price = |(k, price): (usize, &f64)| price * units[group][k / weeks];
            prices.iter().enumerate().map(price).collect()
        };
        self.by_week(buyer, None, device, |before| {
            let week = before.week;
            let mut cases = self.scenarios(record, control, &law, week, before.lane);
            for plan in &mut plans {
                let mut prices = plan.best().to_vec();
                for row in prices.chunks_exact_mut(weeks) {
                    row.rotate_left(1);
                    row[weeks - 1] = row[weeks - 2];
                }
                plan.restart(prices);
            }
            while (plans.iter()).any(|plan| !control.ascent.over(&plan.settled)) {
                for group in 0..cases.groups() {
                    let own = group / control.scenarios;
                    let prices = money(own, &plans[own].prices);
                    let rows: Vec<Vec<f64>> =
                        prices.chunks_exact(weeks).map(<[f64]>::to_vec).collect();
                    for ahead in 0..weeks {
                        cases.post(ahead, group, &published(&rows, ahead));
                    }
                }
                let run = device.forward(&program, &theta, &cases.batch(&program)?)?;
                for (group, plan) in plans.iter_mut().enumerate() {
                    if !control.ascent.over(&plan.settled) {
                        let gaps = self.planned_gaps(&cases, &run.traces, control, week, group);
                        plan.observe(&gaps);
                    }
                }
            }
            let own = plans.iter().enumerate();
            Ok(own.map(|(group, plan)| money(group, plan.best())).collect())
        })
    }

    /// How far the mean use over the scenarios of a cohort is above what is kept of its limits, as shares of them, `[resource][week ahead]`.
    fn planned_gaps(
        &self,
        cases: &Cases<f32>,
        traces: &[f32],
        control: &Predictive<'_>,
        week: usize,
        group: usize,
    ) -> Vec<f64> {
        let (lanes, firsts) = (cases.lanes(), cases.firsts());
        let own = group * control.scenarios;
        let own = firsts[own]..firsts[own + control.scenarios];
        let mut all = Vec::with_capacity(self.shape.published());
        // What is received before any order of now arrives is settled: its price stays as it was announced.
        let least = control.lead_times.iter().position(|&p| p > 0.0);
        let least = least.unwrap_or(0);
        for (r, &kind) in self.shape.kinds.iter().enumerate() {
            let outlook =
                |ahead| self.limits[group].outlook(r, week, ahead) * (1.0 - control.margin);
            let kept: Vec<f64> = (0..=HORIZON).map(outlook).collect();
            let scale = Scale::of(&kept);
            for ahead in 0..=HORIZON {
                if ahead < least {
                    all.push(0.0);
                    continue;
                }
                let trace = &traces[ahead * TRACES * lanes..];
                let lane = |l: usize| {
                    let own = std::array::from_fn(|k| f64::from(trace[k * lanes + l]));
                    cases.volume(r, l) * used(kind, &own)
                };
                let mean = own.clone().map(lane).sum::<f64>() / count(control.scenarios);
                all.push(scale.gap(mean, kept[ahead]));
            }
        }
        all
    }

    /// The weeks ahead as scenarios: every cohort as many times, one after another.
    fn scenarios(
        &self,
        record: &Record<'_>,
        control: &Predictive<'_>,
        law: &Law<'_>,
        week: usize,
        lane: &[f32],
    ) -> Cases<f32> {
        let (shape, times, weeks) = (&self.shape, control.scenarios, HORIZON + 1);
        let (firsts, all) = (self.firsts(), self.lanes() * times);
        let mut cases = Cases {
            shape: shape.clone(),
            course: crate::Course {
                weeks,
                ..self.course
            },
            cohorts: Vec::new(),
            limits: Vec::new(),
            lane: vec![0.0; shape.lane() * all],
            exo: vec![0.0; weeks * shape.exo() * all],
            shared: vec![0.0; weeks * shape.shared() * self.groups() * times],
            groups: self.groups.iter().flat_map(|&n| vec![n; times]).collect(),
        };
        let later = |k: usize| control.lead_times.iter().skip(k).sum::<f64>();
        let share = |k: usize| control.lead_times.get(k).copied().unwrap_or(0.0);
        let mut into = 0;
        for (group, cohort) in self.cohorts.iter().enumerate() {
            for scenario in 0..times {
                let number = (group * times + scenario) as u64;
                let start = cohort.start + week;
                let demand = law.draw(record, control.seed, cohort, start, number);
                for (p, &product) in cohort.products.iter().enumerate() {
                    let from = firsts[group] + p;
                    for row in 0..shape.lane() {
                        cases.lane[row * all + into] = lane[row * self.lanes() + from];
                    }
                    let mut level = record.level(product, start);
                    for ahead in 0..weeks {
                        let base = ahead * shape.exo() * all + into;
                        let mut set =
                            |row: usize, value: f64| cases.exo[base + row * all] = single(value);
                        // Prices and costs are expected to stay.
                        set(crate::shape::PRICE, record.panel().price(product, start));
                        set(crate::shape::COST, record.panel().cost(product, start));
                        set(shape.worth(), record.panel().cost(product, start));
                        set(ACCEPTED, 1.0);
                        let d = demand[ahead * cohort.products.len() + p];
                        set(DEMAND, d);
                        for (k, &value) in level.iter().enumerate() {
                            set(FAST + k, value);
                        }
                        let [soon, after] = record.ahead(product, start + ahead);
                        set(SOON, soon);
                        set(LATER, after);
                        level = follow(level, d / record.index(product, start + ahead));
                        for k in 0..=shape.lead {
                            // Of an order placed before the plan what is open is known, and its rest by the law; of a later one the law.
                            let open = |now: f64| match k.checked_sub(ahead + 1) {
                                Some(placed) => {
                                    let row = shape.outstanding() + placed;
                                    let known = f64::from(self.row(week, row)[from]);
                                    known * now / later(placed + 1).max(1e-9)
                                }
                                None => now,
                            };
                            set(ARRIVING + k, open(share(k)));
                            if k > 0 {
                                set(shape.outstanding() + k - 1, open(later(k)));
                            }
                        }
                    }
                    into += 1;
                }
            }
        }
        cases
    }
}
