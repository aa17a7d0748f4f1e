//! The study on one record: windows, candidates, the choice among them, paired differences.

use std::error::Error;
use std::ops::Range;
use std::time::Instant;

use gpu::Device;
use hindsight_exo_idp::policy::{
    LeadTimeDemand, LevelNetwork, LevelWeights, OrderUpTo, Plan, PromotionForecast, Signals,
    target_position,
};
use hindsight_exo_idp::trailing::{LEVELS, Terms, Trailing};
use hindsight_exo_idp::train::{Choice, FineTuning, Setting, groups_by_variation, tune_levels};
use hindsight_exo_idp::{Arrivals, Bootstrap, Conventions, LeadTimes, Outcomes, Panel, Paths};

/// A record with what it is judged under.
pub struct Study<L> {
    pub panel: Panel,
    pub law: L,
    pub conventions: Conventions,
    pub year: usize,
    pub weights: LevelWeights,
    /// Weeks to learn from and the end of the held-out weeks, for each window.
    pub spans: Vec<(usize, usize)>,
}

/// Heuristics' levels that the policy is compared with.
const HEURISTICS: usize = 5;

impl<L: Fn(u64) -> Result<LeadTimes, hindsight_exo_idp::Error>> Study<L> {
    pub fn run(&self) -> Result<(), Box<dyn Error>> {
        let device = Device::best();
        let mut windows: Vec<(Vec<String>, Vec<Vec<Vec<f64>>>)> = Vec::new();
        for &(learn, end) in &self.spans {
            windows.push(self.window(learn, end, &device)?);
        }
        // Pooled over the windows: percent of the best heuristic of each.
        let names = windows[0].0.clone();
        let products = self.panel.products();
        let best: Vec<usize> = windows
            .iter()
            .map(|(_, earned)| {
                (0..=HEURISTICS)
                    .max_by(|&a, &b| total(&earned[a]).total_cmp(&total(&earned[b])))
                    .unwrap_or(0)
            })
            .collect();
        let reference: f64 = windows
            .iter()
            .zip(&best)
            .map(|((_, e), &b)| total(&e[b]))
            .sum();
        println!(
            "pooled over {} windows, percent of the best heuristic of each:",
            windows.len()
        );
        for (k, name) in names.iter().enumerate() {
            let mut differences: Vec<Vec<f64>> = vec![Vec::new(); products];
            for ((_, earned), &b) in windows.iter().zip(&best) {
                for (product, out) in differences.iter_mut().enumerate() {
                    out.extend(
                        earned[k][product]
                            .iter()
                            .zip(&earned[b][product])
                            .map(|(x, y)| x - y),
                    );
                }
            }
            let interval = Bootstrap::default().interval(&differences)?;
            let percent = |x: f64| 100.0 * x / reference;
            let n = (products * differences[0].len()) as f64;
            let scale =
                if (interval.estimate * n - total(&differences)).abs() < 1e-6 * reference.abs() {
                    n
                } else {
                    1.0
                };
            println!(
                "  {name:34} {:+6.2} [{:+.2}, {:+.2}]",
                percent(total(&differences)),
                percent(interval.low * scale),
                percent(interval.high * scale)
            );
        }
        Ok(())
    }

    fn setting<'a>(&'a self, panel: &'a Panel, law: &'a LeadTimes, learn: usize) -> Setting<'a> {
        Setting {
            panel,
            lead_times: law,
            conventions: self.conventions,
            plan: Plan {
                horizon: law.longest(),
                price: true,
            },
            weeks: 0..learn,
            warm_up: 4,
        }
    }

    fn window(
        &self,
        learn: usize,
        end: usize,
        device: &Device,
    ) -> Result<(Vec<String>, Vec<Vec<Vec<f64>>>), Box<dyn Error>> {
        let begun = Instant::now();
        let all: Vec<usize> = (0..self.panel.products()).collect();
        let panel = self.panel.part(&all, end)?;
        let (scored, fitting) = ((self.law)(7)?, (self.law)(8)?);
        let setting = self.setting(&panel, &scored, learn);
        let terms = Terms {
            panel: &panel,
            lead_times: &scored,
            conventions: self.conventions,
            plan: setting.plan,
            year: self.year,
            hierarchy: &[],
        };
        let trailing = Trailing::new(&terms, 4..end)?;
        let made = begun.elapsed().as_secs_f64();
        let weeks = Choice::windows(&(0..learn), 8.min(end - learn), 4, 16);
        let paths = Paths::new(&panel, &fitting, 2)?;
        let candidates =
            |window: &Range<usize>| self.candidates(&setting, &trailing, &fitting, window, device);
        let choice = Choice::run(&setting, &paths, &weeks, device, candidates)?;
        let held_out = candidates(&(learn..end))?;
        let paths = Paths::new(&panel, &scored, 4)?;
        let replay = setting.replay(&paths, learn..end)?;
        let (mut names, mut earned) = (Vec::new(), Vec::new());
        for candidate in held_out.iter().chain([&held_out[choice.chosen]]) {
            let outcomes: Outcomes = replay.run(candidate, device)?;
            names.push(outcomes.policy().to_owned());
            earned.push((0..panel.products()).map(|p| outcomes.earned(p)).collect());
        }
        if let Some(last) = names.last_mut() {
            *last = "chosen".into();
        }
        let shares: Vec<String> = (0..choice.earned.len())
            .map(|k| format!("{} {:.3}", choice.earned[k].0, choice.share(k)))
            .collect();
        println!(
            "learn {learn}, end {end}: {} products, {:.1} s (trailing {made:.1}); inner windows {:?}",
            panel.products(),
            begun.elapsed().as_secs_f64(),
            choice.windows
        );
        println!("  shares: {}", shares.join("; "));
        if let Some((name, _)) = choice.earned.get(choice.chosen) {
            println!("  chosen: {name}");
        }
        Ok((names, earned))
    }

    /// Heuristics first, then levels of the trailing kind, then networks and half-blends.
    fn candidates(
        &self,
        setting: &Setting<'_>,
        trailing: &Trailing,
        fitting: &LeadTimes,
        window: &Range<usize>,
        device: &Device,
    ) -> Result<Vec<OrderUpTo>, hindsight_exo_idp::Error> {
        let panel = setting.panel;
        let setting = Setting {
            weeks: 0..window.start,
            ..setting.clone()
        };
        let paths = Paths::new(panel, fitting, 2)?;
        let replay = setting.replay(&paths, setting.scored())?;
        let groups = groups_by_variation(&replay, 10.min(panel.products()));
        let factors: Vec<f64> = (0..47).map(|step| 0.2 + 0.05 * f64::from(step)).collect();
        let tuned = |levels: &Signals| tune_levels(&replay, levels, &groups, &factors, device);
        let target = |treatment| {
            target_position(
                panel,
                setting.weeks.clone(),
                setting.lead_times,
                treatment,
                &setting.conventions,
            )
        };
        let untuned = target(LeadTimeDemand::Convolved)?;
        let naive = target(LeadTimeDemand::MeanLeadTime)?;
        let reference = setting.reference();
        let coverage = setting.lead_times.mean(0) + 1.0;
        let mean = Signals::from_fn(panel.weeks(), 1, panel.products(), |_, _, p| {
            coverage * reference[p]
        });
        let forecast = PromotionForecast::fit(
            panel,
            setting.weeks.clone(),
            setting.plan,
            setting.longest() + 1,
        )?;
        let promoted = forecast.target_position(panel, setting.lead_times, &setting.conventions)?;
        let mut out = vec![
            OrderUpTo::uncapped("promotion-aware newsvendor", tuned(&promoted)?)?,
            OrderUpTo::uncapped("target position, tuned", tuned(&untuned)?)?,
            OrderUpTo::uncapped("base stock", tuned(&mean)?)?,
            OrderUpTo::uncapped("target position, untuned", untuned.clone())?,
            OrderUpTo::uncapped("target position, mean lead", naive)?,
            OrderUpTo::uncapped("promotion-aware, untuned", promoted.clone())?,
        ];
        for (k, name) in LEVELS.iter().enumerate() {
            out.push(OrderUpTo::uncapped(
                format!("trailing {name}"),
                trailing.signal(k, panel.weeks()),
            )?);
        }
        let two = OrderUpTo::blend(
            "two levels",
            &[
                (0.5, &OrderUpTo::uncapped("", promoted)?),
                (0.5, &OrderUpTo::uncapped("", untuned)?),
            ],
        )?;
        let zero = self.weights.clone();
        let tuned = FineTuning::from_pretrained().run(
            &setting,
            4..window.start,
            trailing,
            fitting,
            &zero,
            device,
        )?;
        let blank = LevelWeights::untrained(zero.normaliser().clone(), 2, 11)?;
        let scratch = FineTuning::from_scratch().run(
            &setting,
            4..window.start,
            trailing,
            fitting,
            &blank,
            device,
        )?;
        for (name, weights) in [
            ("zero-shot", &zero),
            ("fine-tuned", &tuned),
            ("from scratch", &scratch),
        ] {
            let network = LevelNetwork::new(trailing, panel.weeks(), weights).levels(name)?;
            let half = OrderUpTo::blend(format!("half {name}"), &[(0.5, &network), (0.5, &two)])?;
            out.extend([network, half]);
        }
        Ok(out)
    }
}

fn total(earned: &[Vec<f64>]) -> f64 {
    earned.iter().flatten().sum()
}
