//! `hindsight llm protocol`.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::PathBuf;

use llm_metrics::io::{ReadError, Row, Rows};
use llm_metrics::{
    calibration::Logits,
    recalibrate::{PromptRun, Regime, in_context_protocol},
    stats::text_key,
};

use super::{each_row, fault, plots, value};
use crate::document::{Outputs, Run};
use crate::error::{CliError, Place};

mod report;

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
  hindsight llm protocol runs/*.jsonl.gz --bins 15 --report protocol.html";

/// Arguments of `hindsight llm protocol`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::llm) struct Args {
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
pub(in crate::llm) fn run(args: &Args) -> Result<(), CliError> {
    let run = Run::begin(
        "llm protocol",
        &args.outputs,
        None,
        args.files.iter().map(PathBuf::as_path),
    )?;
    if !(1..=4096).contains(&args.bins) {
        return Err(CliError::argument(
            "--bins",
            args.bins,
            "must be between 1 and 4096",
        ));
    }
    let mut logs = Logs::default();
    for (number, file) in args.files.iter().enumerate() {
        each_row(
            run.inputs(),
            file,
            &FIELDS.map(str::to_owned),
            None,
            |rows, row| logs.take(rows, row, number),
        )?;
    }
    let runs = logs.runs(&args.files)?;
    let rows = in_context_protocol(&runs, args.bins).map_err(|e| fault(&args.files[0], &e))?;
    report::report(args, &rows, &run)
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
        if (sum - 1.0).abs() > 2e-3 {
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
