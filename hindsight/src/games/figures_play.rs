//! Figures of the learners.

use games::repeated::{
    BlumMansour, Learner, OracleLearner, ProductActions, RegretAccount, Regrets,
    SampledModifications,
};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::map::{Figure, Parameters, real};
use super::play::{LEARNERS, checkpoints, learner};
use super::problem::Problem;
use report::{Axis, Series, XyChart};

/// Average swap regret against rounds on the same hard sequence: the reward 1 goes to the action with the least probability half of the time, to a drifting action else.
pub(super) fn regret(p: &Parameters) -> Result<Figure, Problem> {
    let (k, rounds) = (p.actions, p.rounds);
    let points = checkpoints(rounds);
    let mut chart = XyChart::new(
        format!("Average regret of learners with {k} actions, against rewards that punish the likely action or drift"),
        Axis::log("Rounds"),
        Axis::log("Average swap regret"),
    )
    .size(720.0, 460.0);
    let mut data = serde_json::Map::new();
    for name in LEARNERS {
        let mut curve: Vec<Regrets> = Vec::new();
        // Rates depend on the horizon: a fresh run for each.
        for &horizon in &points {
            let mut player = learner(name, k, horizon)?;
            curve.push(one_run(&mut *player, horizon, p.seed)?.regrets());
        }
        let swap = curve
            .iter()
            .map(|r| (real(r.rounds), r.average().swap))
            .collect();
        chart = chart.series(Series::line(name, swap));
        data.insert(name.to_owned(), json!(curve));
    }
    let slope = points
        .iter()
        .map(|&t| (real(t), (real(k) * real(k).ln() / (2.0 * real(t))).sqrt()))
        .collect();
    chart = chart.series(Series::line("sqrt(K ln K / 2T), slope -1/2", slope).dashed());
    Ok(Figure {
        svg: chart.svg(),
        data: json!({ "actions": k, "totals": data }),
    })
}

fn one_run(player: &mut dyn Learner, rounds: usize, seed: u64) -> Result<RegretAccount, Problem> {
    let k = player.actions();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut account = RegretAccount::new(k)?;
    let mut g = vec![0.0; k];
    for t in 0..rounds {
        let x = player.play().to_vec();
        g.fill(0.0);
        if rng.random::<bool>() {
            let least = (0..k).min_by(|&a, &b| x[a].total_cmp(&x[b])).unwrap_or(0);
            g[least] = 1.0;
        } else {
            g[t * k / rounds] = 1.0;
        }
        account.record(&x, &g)?;
        player.observe(&g)?;
    }
    Ok(account)
}

/// Regret after a fixed number of rounds against the number of actions: the sampled rule up to a million, Blum-Mansour while it can be run.
pub(super) fn actions(p: &Parameters) -> Result<Figure, Problem> {
    let rounds = p.rounds.min(300);
    let mut curves: [Vec<(f64, f64)>; 3] = std::array::from_fn(|_| Vec::new());
    let mut rows = Vec::new();
    for bits in [2u32, 4, 6, 8, 10, 12, 14, 16, 18, 20] {
        let n = f64::from(1u32 << bits);
        let factors = vec![2; bits as usize];
        let oracle = ProductActions::new(&factors)?;
        let mut sampled = SampledModifications::new(
            oracle.clone(),
            rounds,
            rounds,
            Xoshiro256PlusPlus::seed_from_u64(p.seed),
        )?;
        for _ in 0..rounds {
            let g = against(&oracle, sampled.play()?, bits as usize);
            sampled.observe(&g)?;
        }
        let r = sampled.regrets().average();
        curves[0].push((n, r.external));
        curves[1].push((n, r.internal));
        let mut row = json!({ "actions": n, "sampled": r, "oracle_calls": sampled.oracle_calls() });
        if bits <= 6 {
            let size = 1usize << bits;
            let mut copies = BlumMansour::tuned(size, rounds)?;
            let mut account = RegretAccount::new(size)?;
            for _ in 0..rounds {
                let x = copies.play().to_vec();
                let sparse: Vec<(u64, f64)> =
                    x.iter().enumerate().map(|(i, q)| (i as u64, *q)).collect();
                let v = against(&oracle, &sparse, bits as usize);
                let g: Vec<f64> = (0..size)
                    .map(|a| games::repeated::SmoothOracle::reward(&oracle, &v, a as u64))
                    .collect();
                account.record(&x, &g)?;
                copies.observe(&g)?;
            }
            curves[2].push((n, account.regrets().average().external));
            row["blum_mansour"] = json!(account.regrets().average());
        }
        rows.push(row);
    }
    let scale: Vec<(f64, f64)> = curves[0]
        .iter()
        .map(|&(n, _)| (n, (n.ln() / real(rounds)).sqrt()))
        .collect();
    let svg = XyChart::new(
        format!("Average regret after {rounds} rounds against the number of actions"),
        Axis::log("Actions"),
        Axis::linear("Average regret").with_zero(),
    )
    .series(Series::line(
        "sampled modifications, external",
        curves[0].clone(),
    ))
    .series(Series::line(
        "sampled modifications, internal",
        curves[1].clone(),
    ))
    .series(Series::line("Blum-Mansour, external", curves[2].clone()))
    .series(Series::line("sqrt(ln N / T)", scale).dashed())
    .size(720.0, 420.0)
    .svg();
    Ok(Figure {
        svg,
        data: json!({ "rounds": rounds, "rows": rows }),
    })
}

/// Rewards that pay the less likely option of each factor.
fn against(oracle: &ProductActions, play: &[(u64, f64)], factors: usize) -> Vec<f64> {
    let mut second = vec![0.0; factors];
    for &(action, q) in play {
        for (s, option) in second.iter_mut().zip(oracle.options(action)) {
            if option == 1 {
                *s += q;
            }
        }
    }
    let share = 1.0 / real(factors);
    second
        .into_iter()
        .flat_map(|s| if s <= 0.5 { [0.0, share] } else { [share, 0.0] })
        .collect()
}
