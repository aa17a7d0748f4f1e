use super::*;
use crate::panel::Columns;
use crate::policy::trailing::Terms;
use crate::policy::{Plan, Signals};
use crate::{Conventions, LeadTimes, Panel};

const WEEKS: usize = 48;
const LEARN: usize = 40;

/// Three products counted in `units` and paid in `money`; from week `altered` on demand is another.
fn panel(units: f64, money: f64, altered: usize) -> Panel {
    let cells = || (0..3 * WEEKS).map(|i| (i / WEEKS, i % WEEKS));
    let demand = |(product, week): (usize, usize)| {
        let wave = (week * 7 + product * 5) % 9 + 12 * usize::from(week % 6 == product);
        let plain = 4.0 + f64::from(u32::try_from(wave).unwrap());
        units * if week >= altered { 3.0 * plain } else { plain }
    };
    let columns = Columns {
        demand: cells().map(demand).collect(),
        price: vec![5.0 * money / units; 3 * WEEKS],
        cost: vec![3.0 * money / units; 3 * WEEKS],
        present: vec![true; 3 * WEEKS],
        covariates: vec![],
    };
    let names = ["tea", "mate", "coffee"].map(str::to_owned).to_vec();
    Panel::new(names, WEEKS, columns).unwrap()
}

/// The candidates for the last weeks of a panel, and what they earn there.
fn learn(panel: &Panel, law: &LeadTimes) -> (Candidates, Vec<f64>) {
    let (conventions, device) = (Conventions::default(), Device::cpu(1));
    let plan = Plan {
        horizon: 2,
        price: true,
    };
    let terms = Terms {
        panel,
        lead_times: law,
        conventions,
        plan,
        year: 52,
        hierarchy: &[],
    };
    let setting = Setting {
        panel,
        lead_times: law,
        conventions,
        plan,
        weeks: 0..LEARN,
        warm_up: 4,
        opening: None,
    };
    let material = Material {
        setting: &setting,
        arrivals: law,
        trailing: &Trailing::new(&terms, 8..WEEKS).unwrap(),
        pretrained: LevelWeights::pretrained(),
        device: &device,
    };
    let mut learner = Learner {
        ensemble_size: 1,
        ..Learner::default()
    };
    learner.training_windows.lanes = 100;
    (learner.fine_tuning.steps, learner.from_scratch.steps) = (6, 6);
    let reference = setting.reference();
    let level = |weeks: f64| Signals::from_fn(WEEKS, 1, 3, |_, _, p| weeks * reference[p]);
    let rules = [("two weeks", 2.0), ("three weeks", 3.0)];
    let rules = rules.map(|(name, weeks)| OrderUpTo::uncapped(name, level(weeks)).unwrap());
    let go = |_| ControlFlow::Continue(());
    let candidates = learner.candidates(&material, rules.to_vec(), go).unwrap();
    let paths = Paths::new(panel, law, 2).unwrap();
    let replay = setting.replay(&paths, LEARN..WEEKS).unwrap();
    let earned = candidates.trial(&replay, &device).unwrap().earned;
    (candidates, earned)
}

/// Counted in other units, or paid in another currency, every candidate earns the same money, trained ones included.
#[test]
fn units_do_not_matter() {
    let law = LeadTimes::uniform(1, 2, 0.0, 3).unwrap();
    let (candidates, plain) = learn(&panel(1.0, 1.0, WEEKS), &law);
    assert_eq!(candidates.policies.len(), 8);
    for (units, money) in [(12.0, 1.0), (1.0 / 6.0, 1.0), (1.0, 0.01), (1000.0, 7.0)] {
        let (_, other) = learn(&panel(units, money, WEEKS), &law);
        for ((policy, a), b) in candidates.policies.iter().zip(&plain).zip(&other) {
            let b = b / money;
            assert!((a - b).abs() < 1e-3 * a.abs(), "{}: {a} {b}", policy.name());
        }
    }
}

/// What happens in the weeks decided for moves no candidate's first level by a bit; what happens in the week before moves those of all.
#[test]
fn candidates_do_not_know_the_weeks_they_decide_for() {
    let law = LeadTimes::uniform(1, 2, 0.0, 3).unwrap();
    let levels = |altered: usize| -> Vec<f64> {
        let (candidates, _) = learn(&panel(1.0, 1.0, altered), &law);
        candidates
            .policies
            .iter()
            .map(|p| p.level(LEARN, 1))
            .collect()
    };
    let plain = levels(WEEKS);
    assert_eq!(plain, levels(LEARN));
    let moved = levels(LEARN - 1);
    assert!(
        plain.iter().zip(&moved).all(|(a, b)| (a - b).abs() > 0.0),
        "{plain:?} {moved:?}"
    );
}
