//! Figures of the learners.

use games::repeated::{LearnerKind, Regrets, adaptive_regret, checkpoints, many_actions};
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use serde_json::json;

use super::map::{Figure, Parameters, real};
use super::problem::Problem;
use report::number::{count, fixed, list, plain};
use report::{Axis, Ink, Series, XyChart};

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
    let mut last: Vec<(f64, &str)> = Vec::new();
    for (at, kind) in LearnerKind::ALL.into_iter().enumerate() {
        let mut curve: Vec<Regrets> = Vec::new();
        // Rates depend on the horizon: a fresh run for each.
        for &horizon in &points {
            let mut learner = kind.learner(k, horizon)?;
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(p.seed);
            curve.push(adaptive_regret(&mut *learner, horizon, &mut rng)?.regrets());
        }
        let swap = curve
            .iter()
            .map(|r| (real(r.rounds), r.average().swap))
            .collect::<Vec<_>>();
        last.extend(swap.last().map(|(_, regret)| (*regret, kind.name())));
        chart = chart.series(Series::line(kind.name(), swap).marked().dash(at / 4));
        data.insert(kind.name().to_owned(), json!(curve));
    }
    let slope = points
        .iter()
        .map(|&t| (real(t), (real(k) * real(k).ln() / (2.0 * real(t))).sqrt()))
        .collect();
    chart = chart.series(
        Series::line("√(K ln K / 2T), slope −1/2", slope)
            .ink(Ink::Muted)
            .dotted(),
    );
    let least = last.iter().map(|end| end.0).fold(f64::INFINITY, f64::min);
    let best = last.iter().filter(|end| end.0.total_cmp(&least).is_le());
    let best: Vec<String> = best.map(|end| end.1.to_owned()).collect();
    let have = if best.len() > 1 { "have" } else { "has" };
    let (names, rounds, least) = (list(&best), count(rounds), plain(least, 3));
    Ok(Figure {
        svg: chart.svg(),
        finding: format!(
            "After {rounds} rounds {names} {have} the least average swap regret, {least}"
        ),
        data: json!({ "actions": k, "totals": data }),
    })
}

/// Regret after a fixed number of rounds against the number of actions: the sampled rule up to a million, Blum-Mansour while it can be run.
pub(super) fn actions(p: &Parameters) -> Result<Figure, Problem> {
    let rounds = p.rounds.min(300);
    let mut curves: [Vec<(f64, f64)>; 3] = std::array::from_fn(|_| Vec::new());
    let mut rows = Vec::new();
    for factors in [2u32, 4, 6, 8, 10, 12, 14, 16, 18, 20] {
        let n = f64::from(1u32 << factors);
        let rng = Xoshiro256PlusPlus::seed_from_u64(p.seed);
        let study = many_actions(factors as usize, rounds, rng)?;
        curves[0].push((n, study.sampled.external));
        curves[1].push((n, study.sampled.internal));
        let mut row =
            json!({ "actions": n, "sampled": study.sampled, "oracle_calls": study.oracle_calls });
        if let Some(listed) = study.blum_mansour {
            curves[2].push((n, listed.external));
            row["blum_mansour"] = json!(listed);
        }
        rows.push(row);
    }
    let (n, last) = curves[0].last().copied().unwrap_or_default();
    let scale: Vec<(f64, f64)> = curves[0]
        .iter()
        .map(|&(n, _)| (n, (n.ln() / real(rounds)).sqrt()))
        .collect();
    let chart = XyChart::new(
        format!("Average regret after {rounds} rounds against the number of actions"),
        Axis::log("Actions"),
        Axis::linear("Average regret").with_zero(),
    )
    .series(Series::line("√(ln N / T)", scale).ink(Ink::Muted).dashed())
    .size(720.0, 420.0);
    let names = [
        "sampled modifications, external",
        "sampled modifications, internal",
        "Blum-Mansour, external",
    ];
    let lines = names.into_iter().zip(&curves);
    let chart = lines.fold(chart, |chart, (name, curve)| {
        chart.series(Series::line(name, curve.clone()).marked())
    });
    Ok(Figure {
        svg: chart.svg(),
        finding: format!(
            "After {rounds} rounds the sampled rule with {} actions regrets {} a round",
            fixed(n, 0),
            plain(last, 3)
        ),
        data: json!({ "rounds": rounds, "rows": rows }),
    })
}
