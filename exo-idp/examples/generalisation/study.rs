//! The study on one record: windows, what is learnt before each, paired differences.

use std::error::Error;
use std::ops::ControlFlow;
use std::time::Instant;

use hindsight_exo_idp::compare::Bootstrap;
use hindsight_exo_idp::gpu::Device;
use hindsight_exo_idp::policy::{
    ConstantOrder, LeadTimeDemand, LevelWeights, OrderUpTo, Plan, Policy, PromotionForecast,
    Signals, target_position,
};
use hindsight_exo_idp::train::{Learner, Setting, groups_by_variation, tune_levels};
use hindsight_exo_idp::{Arrivals, Conventions, LeadTimes, Panel, Paths, Replay};

/// A record with what it is judged under.
pub(crate) struct Study<L> {
    pub(crate) panel: Panel,
    pub(crate) law: L,
    pub(crate) conventions: Conventions,
    pub(crate) year: usize,
    pub(crate) weights: LevelWeights,
    /// Weeks to learn from and the end of the held-out weeks, for each window.
    pub(crate) spans: Vec<(usize, usize)>,
}

/// What a policy earned in a window, by product and week.
struct Row {
    name: String,
    heuristic: bool,
    earned: Vec<Vec<f64>>,
}

impl<L: Fn(u64) -> Result<LeadTimes, hindsight_exo_idp::Error>> Study<L> {
    pub(crate) fn run(&self) -> Result<(), Box<dyn Error>> {
        let device = Device::best();
        let mut windows = Vec::new();
        for &(learn, end) in &self.spans {
            windows.push(self.window(learn, end, &device)?);
        }
        // Pooled over the windows, in percent of the best heuristic of each, chosen after the fact.
        let best: Vec<&Row> = windows
            .iter()
            .filter_map(|rows| {
                rows.iter()
                    .filter(|r| r.heuristic)
                    .max_by(|a, b| total(&a.earned).total_cmp(&total(&b.earned)))
            })
            .collect();
        let reference: f64 = best.iter().map(|row| total(&row.earned)).sum();
        println!(
            "pooled over {} windows, percent of the best heuristic of each:",
            windows.len()
        );
        for k in 0..windows[0].len() {
            let mut differences: Vec<Vec<f64>> = vec![Vec::new(); self.panel.products()];
            for (rows, best) in windows.iter().zip(&best) {
                for ((out, own), other) in differences
                    .iter_mut()
                    .zip(&rows[k].earned)
                    .zip(&best.earned)
                {
                    out.extend(own.iter().zip(other).map(|(x, y)| x - y));
                }
            }
            let interval = Bootstrap::default().interval(&differences)?;
            let percent = |x: f64| 100.0 * x / reference;
            let [mid, low, high] = [interval.estimate, interval.low, interval.high].map(percent);
            println!(
                "  {:48} {mid:+6.2} [{low:+.2}, {high:+.2}]",
                windows[0][k].name
            );
        }
        Ok(())
    }

    fn window(
        &self,
        learn: usize,
        end: usize,
        device: &Device,
    ) -> Result<Vec<Row>, Box<dyn Error>> {
        let begun = Instant::now();
        let all: Vec<usize> = (0..self.panel.products()).collect();
        let panel = self.panel.restrict(&all, end)?;
        let (scored, fitting) = ((self.law)(7)?, (self.law)(8)?);
        let setting = Setting {
            panel: &panel,
            lead_times: &scored,
            conventions: self.conventions,
            plan: Plan {
                horizon: scored.max_lead_time(),
                price: true,
            },
            weeks: 0..learn,
            warm_up: 4,
        };
        let learner = Learner {
            year: self.year,
            window: 8.min(end - learn),
            ..Learner::default()
        };
        let go = |_| ControlFlow::Continue(());
        let learned = learner.learn(&setting, &fitting, &self.weights, untuned, device, go)?;
        let seconds = begun.elapsed().as_secs_f64();
        let choice = &learned.choice;
        println!(
            "learn {learn}, end {end}: {} products, learnt in {seconds:.1} s; windows {:?}",
            panel.products(),
            choice.windows
        );
        for (k, (name, _)) in choice.earned.iter().enumerate() {
            let mark = if k == choice.chosen { " <- chosen" } else { "" };
            println!("  {:.4} {name}{mark}", choice.share(k));
        }
        let paths = Paths::new(&panel, &scored, 4)?;
        let replay = setting.replay(&paths, learn..end)?;
        let mut rows = Vec::new();
        for heuristic in tuned(&setting, &fitting, device)? {
            rows.push(row(&replay, &heuristic, true, device)?);
        }
        let reference = setting.reference();
        let mean = Signals::from_fn(panel.weeks(), 1, panel.products(), |_, _, p| reference[p]);
        rows.push(row(&replay, &ConstantOrder::new(1.0, mean), true, device)?);
        for candidate in &learned.candidates {
            rows.push(row(&replay, candidate, false, device)?);
        }
        rows.push(row(
            &replay,
            &learned.policy.renamed("chosen by earlier windows"),
            false,
            device,
        )?);
        Ok(rows)
    }
}

fn row<P: Policy>(
    replay: &Replay<'_>,
    policy: &P,
    heuristic: bool,
    device: &Device,
) -> Result<Row, Box<dyn Error>> {
    let outcomes = replay.run(policy, device)?;
    let products = 0..replay.paths().panel().products();
    Ok(Row {
        name: policy.name().to_owned(),
        heuristic,
        earned: products.map(|p| outcomes.accrued_reward(p)).collect(),
    })
}

/// The levels that need no tuning, the promotion-aware newsvendor's and the target position first.
fn untuned(setting: &Setting<'_>) -> Result<Vec<OrderUpTo>, hindsight_exo_idp::Error> {
    let panel = setting.panel;
    let forecast = PromotionForecast::fit(
        panel,
        setting.weeks.clone(),
        setting.plan,
        setting.max_lead_time() + 1,
    )?;
    let promoted = forecast.target_position(panel, setting.lead_times, &setting.conventions)?;
    let target = |treatment| {
        target_position(
            panel,
            setting.weeks.clone(),
            setting.lead_times,
            treatment,
            &setting.conventions,
        )
    };
    Ok(vec![
        OrderUpTo::uncapped("promotion-aware newsvendor, untuned", promoted)?,
        OrderUpTo::uncapped(
            "target position, untuned",
            target(LeadTimeDemand::Convolved)?,
        )?,
        OrderUpTo::uncapped(
            "target position, mean lead time",
            target(LeadTimeDemand::MeanLeadTime)?,
        )?,
    ])
}

/// The heuristics of the back-test that are levels: tuned in groups of products where they are tuned there.
fn tuned(
    setting: &Setting<'_>,
    fitting: &LeadTimes,
    device: &Device,
) -> Result<Vec<OrderUpTo>, hindsight_exo_idp::Error> {
    let panel = setting.panel;
    let paths = Paths::new(panel, fitting, 2)?;
    let replay = setting.replay(&paths, setting.scored())?;
    let groups = groups_by_variation(&replay, 10.min(panel.products()));
    let factors: Vec<f64> = (0..47).map(|step| 0.2 + 0.05 * f64::from(step)).collect();
    let tuned = |levels: &OrderUpTo, name: &str| {
        let plain = Signals::from_fn(panel.weeks(), 1, panel.products(), |week, _, p| {
            levels.level(week, p)
        });
        OrderUpTo::uncapped(
            name,
            tune_levels(&replay, &plain, &groups, &factors, device)?,
        )
    };
    let reference = setting.reference();
    let cover = |p: usize| setting.lead_times.mean(p) + 1.0;
    let mean = Signals::from_fn(panel.weeks(), 1, panel.products(), |_, _, p| {
        cover(p) * reference[p]
    });
    let mean = OrderUpTo::uncapped("mean", mean)?;
    let plain = untuned(setting)?;
    Ok(vec![
        tuned(&plain[0], "promotion-aware newsvendor, tuned")?,
        tuned(&plain[1], "target position, tuned")?,
        tuned(&mean, "base stock, tuned")?,
        plain[1].clone(),
        plain[2].clone(),
    ])
}

fn total(earned: &[Vec<f64>]) -> f64 {
    earned.iter().flatten().sum()
}
