//! The study on one record: windows, what is learnt before each, paired differences.

use std::error::Error;
use std::ops::ControlFlow;
use std::time::Instant;

use hindsight_exo_idp::compare::Bootstrap;
use hindsight_exo_idp::gpu::Device;
use hindsight_exo_idp::policy::trailing::{Terms, Trailing};
use hindsight_exo_idp::policy::{
    ConstantOrder, LeadTimeDemand, LevelWeights, OrderUpTo, Plan, Policy, PromotionForecast,
    Signals, target_position,
};
use hindsight_exo_idp::replay::Opening;
use hindsight_exo_idp::train::{
    Choice, Learner, Material, Setting, Trial, groups_by_variation, tune_levels,
};
use hindsight_exo_idp::{Arrivals, Conventions, LeadTimes, Panel, Paths, Replay};

/// Heuristics, the last ones of [`tuned`], that are not part of the reference.
const LATER: usize = 2;

/// A record with what it is judged under.
pub(crate) struct Study<L> {
    pub(crate) panel: Panel,
    pub(crate) law: L,
    pub(crate) conventions: Conventions,
    /// What was really there once.
    pub(crate) opening: Option<Opening>,
    pub(crate) learner: Learner,
    /// Periods of a year.
    pub(crate) year: usize,
    /// Groups of products, from coarse to fine.
    pub(crate) hierarchy: Vec<Vec<usize>>,
    pub(crate) weights: LevelWeights,
    /// Weeks to learn from and the end of the held-out weeks, for each window; each is chosen for by those before it.
    pub(crate) spans: Vec<(usize, usize)>,
    /// How many windows, the first ones, only serve the choice.
    pub(crate) unjudged: usize,
    /// Weeks at the beginning of each window that are not scored, for no order can touch them.
    pub(crate) unscored: usize,
}

/// What a policy earned in a window, by product and week.
#[derive(Clone)]
struct Row {
    name: String,
    heuristic: bool,
    earned: Vec<Vec<f64>>,
}

/// A window: the rows of all policies, and the trial of the candidates that later windows choose by.
struct Window {
    rows: Vec<Row>,
    names: Vec<String>,
    trial: Trial,
}

impl<L: Fn(u64) -> Result<LeadTimes, hindsight_exo_idp::Error>> Study<L> {
    pub(crate) fn run(&self) -> Result<(), Box<dyn Error>> {
        let device = Device::best();
        let (mut trials, mut windows) = (Vec::new(), Vec::new());
        for (at, &(learn, end)) in self.spans.iter().enumerate() {
            let Window {
                mut rows,
                names,
                trial,
            } = self.window(learn, end, &device)?;
            let over = |t: &&Trial| t.weeks.end <= learn;
            let before: Vec<Trial> = trials.iter().filter(over).cloned().collect();
            let seen = before.len();
            let choice = Choice::among(names, before)?;
            let earned = trial.earned.iter().map(|e| format!("{e:.6e}"));
            println!("  tried: {}", earned.collect::<Vec<_>>().join(" "));
            trials.push(trial);
            if at < self.unjudged {
                continue;
            }
            println!("  chosen by {seen} earlier windows: {}", choice.name());
            let chosen = rows.iter().find(|r| r.name == choice.name());
            let chosen = chosen.ok_or("a choice among the rows")?;
            rows.push(Row {
                name: "chosen by earlier windows".into(),
                heuristic: false,
                earned: chosen.earned.clone(),
            });
            windows.push(rows);
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
            let (mut each, mut sum) = (Vec::new(), 0.0);
            for (rows, best) in windows.iter().zip(&best) {
                for ((out, own), other) in differences
                    .iter_mut()
                    .zip(&rows[k].earned)
                    .zip(&best.earned)
                {
                    out.extend(own.iter().zip(other).map(|(x, y)| x - y));
                }
                let (own, best) = (total(&rows[k].earned), total(&best.earned));
                each.push(format!("{:+.1}", 100.0 * (own - best) / best.abs()));
                sum += own;
            }
            let interval = Bootstrap::default().interval(&differences)?;
            let percent = |x: f64| 100.0 * x / reference.abs();
            let [mid, low, high] = [interval.estimate, interval.low, interval.high].map(percent);
            println!(
                "  {:48} {mid:+6.2} [{low:+.2}, {high:+.2}]   {}   {:.1} a window",
                windows[0][k].name,
                each.join(" "),
                sum / f64::from(u32::try_from(windows.len())?),
            );
        }
        Ok(())
    }

    fn window(&self, learn: usize, end: usize, device: &Device) -> Result<Window, Box<dyn Error>> {
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
            warm_up: 12.min(learn / 3),
            opening: self.opening.as_ref(),
        };
        let terms = Terms {
            panel: &panel,
            lead_times: &scored,
            conventions: self.conventions,
            plan: setting.plan,
            year: self.year,
            hierarchy: &self.hierarchy,
        };
        let trailing = Trailing::new(&terms, 8.min(learn / 3)..end)?;
        let material = Material {
            setting: &setting,
            arrivals: &fitting,
            trailing: &trailing,
            pretrained: &self.weights,
            device,
        };
        let heuristics = tuned(&setting, &trailing, &fitting, device)?;
        let go = |_| ControlFlow::Continue(());
        let candidates = self.learner.candidates(&material, heuristics.clone(), go)?;
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "learn {learn}, end {end}: {} products, learnt in {seconds:.1} s",
            panel.products(),
        );
        let (paths, other) = (
            Paths::new(&panel, &scored, 4)?,
            Paths::new(&panel, &fitting, 2)?,
        );
        let replay = setting.replay(&paths, learn..end)?;
        let mut rows = Vec::new();
        for policy in &candidates.policies {
            // The reference is the best of the six heuristics that the first studies had; those that came later are rows of their own.
            let heuristics = &heuristics[..heuristics.len() - LATER];
            let heuristic = heuristics.iter().any(|h| h.name() == policy.name());
            rows.push(row(&replay, policy, heuristic, self.unscored, device)?);
        }
        let reference = setting.reference();
        let mean = Signals::from_fn(panel.weeks(), 1, panel.products(), |_, _, p| reference[p]);
        let constant = ConstantOrder::new(1.0, mean);
        rows.push(row(&replay, &constant, true, self.unscored, device)?);
        Ok(Window {
            rows,
            names: candidates.names(),
            trial: candidates.trial(&setting.replay(&other, learn..end)?, device)?,
        })
    }
}

fn row<P: Policy>(
    replay: &Replay<'_>,
    policy: &P,
    heuristic: bool,
    unscored: usize,
    device: &Device,
) -> Result<Row, Box<dyn Error>> {
    let outcomes = replay.run(policy, device)?;
    let products = 0..replay.paths().panel().products();
    let earned = |p| outcomes.accrued_reward(p).split_off(unscored);
    Ok(Row {
        name: policy.name().to_owned(),
        heuristic,
        earned: products.map(earned).collect(),
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
    trailing: &Trailing,
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
    let weeks = panel.weeks();
    let seasonal = OrderUpTo::uncapped("seasonal", trailing.seasonal(weeks))?;
    let smoothed = OrderUpTo::uncapped("smoothed", trailing.safety_stock(weeks))?;
    Ok(vec![
        tuned(&plain[0], "promotion-aware newsvendor, tuned")?,
        plain[1].clone(),
        tuned(&plain[1], "target position, tuned")?,
        tuned(&mean, "base stock, tuned")?,
        plain[2].clone(),
        tuned(&seasonal, "seasonal base stock, tuned")?,
        tuned(&smoothed, "safety stock, tuned")?,
    ])
}

fn total(earned: &[Vec<f64>]) -> f64 {
    earned.iter().flatten().sum()
}
