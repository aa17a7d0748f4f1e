//! Tables, page and JSON of the protocol.

use llm_metrics::recalibrate::{OverSeeds, Regime, ShotSummary};

use super::{Args, plots};
use crate::document::Run;
use crate::error::CliError;
use report::number::{fixed, interval, percent};
use report::{Axis, Column, Ink, Page, Series, Svg, Table, XyChart};

/// Which maps a summary has, by regime.
type Maps = fn(&ShotSummary) -> &Vec<(Regime, OverSeeds)>;

const MAPS: [(&str, Maps); 2] = [
    ("temperature", |s| &s.temperature),
    ("scaling-binning", |s| &s.scaling_binning),
];

/// What is stored.
#[derive(Debug, serde::Serialize)]
struct Protocol<'a> {
    files: Vec<String>,
    bins: usize,
    shots: &'a [ShotSummary],
}

/// Reports the summaries by number of shots.
pub(super) fn report(args: &Args, rows: &[ShotSummary], run: &Run) -> Result<(), CliError> {
    let mut scores = Table::new([
        Column::number("shots"),
        Column::number("seeds"),
        Column::number("accuracy"),
        Column::number("confidence"),
        Column::number("selective").optional(),
        Column::number("ECE"),
        Column::number("range"),
        Column::number("sd").optional(),
    ]);
    let mut maps = Table::new([
        Column::number("shots"),
        Column::text("map"),
        Column::number("fitted on zero-shot"),
        Column::number("on fresh"),
        Column::number("on the same prompt"),
    ]);
    let spread = |v: &OverSeeds| {
        let sd = if v.sd.is_finite() {
            fixed(v.sd, 4)
        } else {
            "-".to_owned()
        };
        [fixed(v.mean, 4), interval(v.min, v.max, 4), sd]
    };
    for r in rows {
        let [ece, range, sd] = spread(&r.ece);
        scores.row([
            r.shots.to_string(),
            r.seeds.to_string(),
            percent(r.accuracy.mean, 2),
            percent(r.confidence.mean, 2),
            fixed(r.selective.mean, 4),
            ece,
            range,
            sd,
        ]);
        for (map, of) in MAPS {
            if of(r).is_empty() {
                continue;
            }
            let [zero, fresh, same] = Regime::ALL.map(|regime| {
                of(r).iter().find(|m| m.0 == regime).map_or_else(
                    || "-".to_owned(),
                    |(_, v)| format!("{} {}", fixed(v.mean, 4), interval(v.min, v.max, 4)),
                )
            });
            maps.row([r.shots.to_string(), map.to_owned(), zero, fresh, same]);
        }
    }
    let lead = format!(
        "{} prompts with {} numbers of shots; {} bins (lo, hi] of equal width. Means, least and largest over seeds.",
        rows.iter().map(|r| r.seeds).sum::<usize>(),
        rows.len(),
        args.bins
    );
    let width = crate::output::width();
    let finding = finding(rows);
    let mut text = format!("{finding}\n\n{}", scores.render(width));
    let mut page = Page::new("Calibration of in-context learning", lead.clone());
    page.note(&finding).section("Shots");
    let figures = [accuracy(rows), against_shots("No map", rows, None)];
    page.figures([
        (
            &figures[0],
            "Accuracy and mean confidence over seeds, with the least and the largest.",
        ),
        (
            &figures[1],
            "Expected calibration error over seeds, with the least and the largest.",
        ),
    ]);
    page.table(
        &scores,
        "Scores by number of shots; selective is one minus the area under risk and coverage.",
    );
    if maps.rows().next().is_some() {
        text = format!("{text}\n{}", maps.render(width));
        page.section("Maps");
        let figures = MAPS.map(|(map, of)| against_shots(map, rows, Some(of)));
        page.figures([
            (&figures[0], "After temperature scaling, by what it was fitted on; bars reach from the least to the largest seed."),
            (&figures[1], "After scaling-binning (ten bins a class, rows made to sum to one)."),
        ]);
        page.table(&maps, "Mean calibration error over seeds after recalibration, with the least and the largest. A regime that one seed lacks is left out for that number of shots.");
    }
    let results = Protocol {
        files: args.files.iter().map(|f| f.display().to_string()).collect(),
        bins: args.bins,
        shots: rows,
    };
    run.finish(&results, || page, &format!("{text}\n{lead}"))
}

/// What more shots do.
fn finding(rows: &[ShotSummary]) -> String {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return String::new();
    };
    format!(
        "From {} to {} shots accuracy goes from {} to {} and the calibration error from {} to {}.",
        first.shots,
        last.shots,
        percent(first.accuracy.mean, 1),
        percent(last.accuracy.mean, 1),
        fixed(first.ece.mean, 3),
        fixed(last.ece.mean, 3)
    )
}

/// Ticks at the numbers of shots, and the smallest distance between two.
fn ticks(rows: &[ShotSummary]) -> (Vec<(f64, String)>, f64) {
    let at: Vec<f64> = rows.iter().map(|r| plots::count(r.shots as u64)).collect();
    let gap = at
        .windows(2)
        .map(|w| w[1] - w[0])
        .fold(f64::INFINITY, f64::min);
    let ticks = plots::ticks(rows.iter().map(|r| r.shots));
    (ticks, if gap.is_finite() { gap } else { 1.0 })
}

/// Means with bars from the least to the largest seed, moved sideways so that series do not hide each other.
fn bars(words: &str, points: &[(f64, OverSeeds)], move_by: f64) -> Series {
    let line = points.iter().map(|(x, v)| (x + move_by, v.mean)).collect();
    let band = points
        .iter()
        .map(|(x, v)| (x + move_by, v.min, v.max))
        .collect();
    Series::points(words, line).band(band)
}

fn against_shots(title: &str, rows: &[ShotSummary], maps: Option<Maps>) -> Svg {
    let (ticks, gap) = ticks(rows);
    let of = |pick: &dyn Fn(&ShotSummary) -> Option<OverSeeds>| -> Vec<(f64, OverSeeds)> {
        rows.iter()
            .filter_map(|r| Some((plots::count(r.shots as u64), pick(r)?)))
            .collect()
    };
    let mut chart = XyChart::new(
        format!("ECE and shots: {title}"),
        Axis::linear("Demonstrations in the prompt").ticks(ticks),
        Axis::linear("Expected calibration error").with_zero(),
    )
    .size(460.0, 380.0);
    let plain = bars(
        "no map",
        &of(&|r| Some(r.ece)),
        if maps.is_some() { -0.15 * gap } else { 0.0 },
    );
    chart = chart.series(if maps.is_some() {
        plain.ink(Ink::Muted)
    } else {
        plain
    });
    if let Some(maps) = maps {
        for (i, regime) in (0u32..).zip(Regime::ALL) {
            let points = of(&|r| maps(r).iter().find(|m| m.0 == regime).map(|m| m.1));
            if !points.is_empty() {
                chart = chart.series(bars(
                    regime.name(),
                    &points,
                    (f64::from(i) * 0.1 - 0.05) * gap,
                ));
            }
        }
    }
    chart.svg()
}

fn accuracy(rows: &[ShotSummary]) -> Svg {
    let (ticks, gap) = ticks(rows);
    let of = |pick: fn(&ShotSummary) -> OverSeeds| -> Vec<(f64, OverSeeds)> {
        rows.iter()
            .map(|r| (plots::count(r.shots as u64), pick(r)))
            .collect()
    };
    XyChart::new(
        "Accuracy and confidence",
        Axis::linear("Demonstrations in the prompt").ticks(ticks),
        Axis::linear("Share").percent(),
    )
    .size(460.0, 380.0)
    .series(bars("accuracy", &of(|r| r.accuracy), -0.04 * gap))
    .series(bars("mean confidence", &of(|r| r.confidence), 0.04 * gap))
    .svg()
}
