//! `hindsight llm protocol`.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::PathBuf;

use llm_metrics::io::{ReadError, Row, Rows};
use llm_metrics::{
    Logits, OverSeeds, PromptRun, Regime, ShotSummary, in_context_protocol, text_key,
};
use serde_json::json;

use super::{Outputs, Targets, each_row, fault, plots, value};
use crate::chart::{Axis, Ink, Series, Svg, XyChart};
use crate::error::{CliError, Place};
use crate::number::{fixed, interval, percent};
use crate::page::Page;
use crate::table::{Column, Table, Width};

const EXAMPLES: &str = "\
A log has one line per item and prompt, as JSON lines or CSV (an array in a CSV cell is written \"[0.1, -2.3]\"):
  {\"shots\": 4, \"seed\": 1, \"regime\": \"test\", \"item\": 17, \"logits\": [0.3, -1.2], \"label\": 0}

  shots   number of demonstrations in the prompt
  seed    which draw of demonstrations: a number or a name
  regime  test, or what recalibration maps are fitted on:
            zero-shot  items under prompts without demonstrations; without shots and seed they serve all prompts
            fresh      items under prompts with as many demonstrations, freshly drawn
            same       items under the very prompt of the test
  logits  one score per label (or logprobs, or probs that sum to 1)
  label   the right label: its number from 0, or its letter
  item    name of the item, if given: an item must not serve both the fit and the test of one prompt

Examples:
  hindsight llm protocol sst2.jsonl
  hindsight llm protocol runs/*.jsonl.gz --bins 15 --html protocol.html";

/// Arguments of `hindsight llm protocol`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Logs of label scores under prompts with different numbers of shots and seeds; their form is told below.
    #[arg(required = true, value_name = "LOG")]
    files: Vec<PathBuf>,
    /// Number of bins of equal width; the paper has 10.
    #[arg(long, default_value_t = 10)]
    bins: usize,
    #[command(flatten)]
    outputs: Outputs,
}

// The wanted fields.
const FIELDS: [&str; 8] = [
    "shots", "seed", "regime", "logits", "logprobs", "probs", "label", "item",
];
const SHOTS: usize = 0;
const SEED: usize = 1;
const REGIME: usize = 2;
const SCORES: [usize; 3] = [3, 4, 5];
const PROBS: usize = 5;
const LABEL: usize = 6;
const ITEM: usize = 7;

const REGIMES: [(Regime, &str); 3] = [
    (Regime::ZeroShot, "zero-shot"),
    (Regime::FreshPrompt, "fresh"),
    (Regime::SamePrompt, "same"),
];

/// Items of one prompt and part.
#[derive(Default)]
struct Pile {
    scores: Vec<f64>,
    labels: Vec<usize>,
    /// Key of the item's name, with the file and the line.
    items: Vec<(u64, usize, u64)>,
}

/// The items of one number of shots and one seed: the test, then what maps are fitted on.
#[derive(Default)]
struct Prompt {
    shots: usize,
    seed: String,
    test: Pile,
    fits: [Pile; 3],
}

#[derive(Default)]
struct Logs {
    prompts: Vec<Prompt>,
    place: HashMap<(usize, u64), usize>,
    /// Items under prompts without demonstrations that serve all prompts.
    shared: Pile,
    classes: Option<usize>,
}

/// Runs `hindsight llm protocol`.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let targets = args.outputs.check()?;
    if !(1..=4096).contains(&args.bins) {
        return Err(CliError::argument(
            "--bins",
            args.bins,
            "must be between 1 and 4096",
        ));
    }
    let mut logs = Logs::default();
    for (number, file) in args.files.iter().enumerate() {
        each_row(file, &FIELDS.map(str::to_owned), |rows, row| {
            logs.take(rows, row, number)
        })?;
    }
    let runs = logs.runs(&args.files)?;
    let rows = in_context_protocol(&runs, args.bins).map_err(|e| fault(&args.files[0], &e))?;
    report(args, &rows, &targets)
}

impl Logs {
    fn take<R: BufRead>(
        &mut self,
        rows: &Rows<R>,
        row: &Row,
        file: usize,
    ) -> Result<(), ReadError> {
        let regime = rows.text(row, REGIME)?;
        let part = match regime.as_str() {
            "test" => None,
            other => Some(REGIMES.iter().position(|r| r.1 == other).ok_or_else(|| {
                rows.fault(
                    row,
                    REGIME,
                    format!("{other:?} is not test, zero-shot, fresh or same"),
                )
            })?),
        };
        let scores = scores(rows, row)?;
        let label = rows.class(row, LABEL)?;
        let classes = *self.classes.get_or_insert(scores.len());
        if scores.len() != classes {
            let problem = format!(
                "{} labels, where earlier records have {classes}",
                scores.len()
            );
            return Err(rows.fault(row, LABEL, problem));
        }
        if label >= classes {
            let problem =
                format!("the label {label} is outside the {classes} classes (they count from 0)");
            return Err(rows.fault(row, LABEL, problem));
        }
        let shared =
            part == Some(0) && rows.text(row, SHOTS).is_err() && rows.text(row, SEED).is_err();
        let pile = if shared {
            &mut self.shared
        } else {
            let shots = rows.number(row, SHOTS)?;
            if !(0.0..=1e6).contains(&shots) || shots.fract() != 0.0 {
                return Err(rows.fault(
                    row,
                    SHOTS,
                    format!("{shots} is not a whole number from 0"),
                ));
            }
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Checked above.
            let shots = shots as usize;
            let prompt = self.prompt(shots, rows.text(row, SEED)?);
            match part {
                None => &mut prompt.test,
                Some(at) => &mut prompt.fits[at],
            }
        };
        pile.scores.extend(scores);
        pile.labels.push(label);
        if let Ok(item) = rows.text(row, ITEM) {
            pile.items.push((text_key(&item), file, row.line()));
        }
        Ok(())
    }

    fn prompt(&mut self, shots: usize, seed: String) -> &mut Prompt {
        let at = *self
            .place
            .entry((shots, text_key(&seed)))
            .or_insert(self.prompts.len());
        if at == self.prompts.len() {
            self.prompts.push(Prompt {
                shots,
                seed,
                ..Prompt::default()
            });
        }
        &mut self.prompts[at]
    }

    /// The runs of the protocol, once every prompt has a test and no item is on both sides.
    fn runs(&self, files: &[PathBuf]) -> Result<Vec<PromptRun>, CliError> {
        let classes = self.classes.unwrap_or(2);
        let lib = |e: llm_metrics::Error| fault(&files[0], &e);
        let logits = |pile: &Pile| {
            Logits::new(pile.scores.clone(), classes, pile.labels.clone()).map_err(lib)
        };
        let mut runs = Vec::new();
        for prompt in &self.prompts {
            let name = format!("shots {}, seed {}", prompt.shots, prompt.seed);
            if prompt.test.labels.is_empty() {
                return Err(CliError::Input(format!(
                    "{}: {name}: there are no items of regime test",
                    files[0].display()
                )));
            }
            let tested: HashMap<u64, u64> = prompt.test.items.iter().map(|i| (i.0, i.2)).collect();
            let mut fits = Vec::new();
            for (at, (regime, _)) in REGIMES.into_iter().enumerate() {
                let own = &prompt.fits[at];
                let pile = if at == 0 && own.labels.is_empty() {
                    &self.shared
                } else {
                    own
                };
                for (item, file, line) in &pile.items {
                    if let Some(test) = tested.get(item) {
                        return Err(Place::file(&files[*file])
                            .line(*line)
                            .column(FIELDS[ITEM])
                            .error(format!(
                                "the item is also in the test of {name} (line {test})"
                            )));
                    }
                }
                if !pile.labels.is_empty() {
                    fits.push((regime, logits(pile)?));
                }
            }
            runs.push(PromptRun {
                shots: prompt.shots,
                test: logits(&prompt.test)?,
                fits,
            });
        }
        if runs.is_empty() {
            return Err(CliError::Input(format!(
                "{}: there are no items of regime test",
                files[0].display()
            )));
        }
        Ok(runs)
    }
}

/// One logit per label.
fn scores<R: BufRead>(rows: &Rows<R>, row: &Row) -> Result<Vec<f64>, ReadError> {
    let field = SCORES
        .into_iter()
        .find(|f| rows.array(row, *f).is_ok())
        .unwrap_or(SCORES[0]);
    let values = rows.array(row, field)?;
    let wrong = |problem: String| Err(rows.fault(row, field, problem));
    if values.len() < 2 {
        return wrong(format!("{} labels; at least 2 are needed", values.len()));
    }
    if field == PROBS {
        if let Some(v) = values.iter().find(|v| !(0.0..=1.0).contains(*v)) {
            return wrong(format!(
                "the probability {v} is outside [0, 1]; are these logits?"
            ));
        }
        let sum: f64 = values.iter().sum();
        if !((sum - 1.0).abs() <= 2e-3) {
            return wrong(format!("the probabilities sum to {sum}, not to 1"));
        }
        return Ok(values.iter().map(|p| p.ln()).collect());
    }
    if let Some(v) = values.iter().find(|v| v.is_nan() || **v == f64::INFINITY) {
        return wrong(format!("the logit {v} is not a number below infinity"));
    }
    if values.iter().all(|v| v.is_infinite()) {
        return wrong("all logits are minus infinity".to_owned());
    }
    Ok(values.to_vec())
}

/// Which maps a summary has, by regime.
type Maps = fn(&ShotSummary) -> &Vec<(Regime, OverSeeds)>;

const MAPS: [(&str, Maps); 2] = [
    ("temperature", |s| &s.temperature),
    ("scaling-binning", |s| &s.scaling_binning),
];

fn report(args: &Args, rows: &[ShotSummary], targets: &Targets) -> Result<(), CliError> {
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
            let [zero, fresh, same] = REGIMES.map(|(regime, _)| {
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
    let width = Width::of_stdout();
    let mut text = scores.render(width);
    let mut page = Page::new("Calibration of in-context learning", lead.clone());
    page.section("Shots");
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
    let results = json!({ "files": args.files.iter().map(|f| f.display().to_string()).collect::<Vec<_>>(), "bins": args.bins, "shots": value(&rows)? });
    targets.finish("llm protocol", &format!("{text}\n{lead}"), results, &page)
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
        for (i, (regime, words)) in (0u32..).zip(REGIMES) {
            let points = of(&|r| maps(r).iter().find(|m| m.0 == regime).map(|m| m.1));
            if !points.is_empty() {
                chart = chart.series(bars(words, &points, (f64::from(i) * 0.1 - 0.05) * gap));
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
