//! Logs of an in-context protocol: label scores of items under prompts with different numbers of shots and seeds.

use std::collections::HashMap;
use std::io::BufRead;

use super::in_context::{PromptRun, Regime};
use crate::calibration::Logits;
use crate::error::{Error, Result};
use crate::io::{ReadError, Row, Rows};
use crate::stats::text_key;

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

impl Regime {
    /// The regimes, in the order of the paper.
    pub const ALL: [Regime; 3] = [Regime::ZeroShot, Regime::FreshPrompt, Regime::SamePrompt];

    /// Returns the name of the regime in a log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Regime::ZeroShot => "zero-shot",
            Regime::FreshPrompt => "fresh",
            Regime::SamePrompt => "same",
        }
    }
}

/// Items of one prompt and part.
#[derive(Debug, Clone, Default)]
struct Pile {
    scores: Vec<f64>,
    labels: Vec<usize>,
    /// Key of the item's name, with the log and the line.
    items: Vec<(u64, usize, u64)>,
}

/// The items of one number of shots and one seed: the test, then what maps are fitted on.
#[derive(Debug, Clone, Default)]
struct Prompt {
    shots: usize,
    seed: String,
    test: Pile,
    fits: [Pile; 3],
}

/// Adds up the logs of a protocol: one record an item and prompt, with `shots`, `seed`, `regime` (`test`, or one of [`Regime::name`]), `logits` (or `logprobs`, or
/// `probs`) over the labels, `label`, and `item` where items have names. Zero-shot items without shots and seed serve all prompts.
///
/// ```
/// use hindsight_llm_metrics::recalibrate::{ProtocolLog, in_context_protocol};
/// let mut log = ProtocolLog::default();
/// log.read(&b"shots,seed,regime,probs,label\n0,a,test,\"[0.9, 0.1]\",B\n0,b,test,\"[0.2, 0.8]\",1\n"[..])?;
/// let by_shots = in_context_protocol(&log.runs()?, 10)?;
/// assert_eq!((by_shots[0].seeds, by_shots[0].accuracy.mean), (2, 0.5));
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ProtocolLog {
    prompts: Vec<Prompt>,
    place: HashMap<(usize, u64), usize>,
    /// Items under prompts without demonstrations that serve all prompts.
    shared: Pile,
    classes: Option<usize>,
    logs: usize,
}

impl ProtocolLog {
    /// Reads one log more.
    ///
    /// # Errors
    /// [`Error::Log`], with the line: a field is missing or cannot be used, or the number of labels differs from that of earlier records.
    pub fn read<R: BufRead>(&mut self, reader: R) -> Result<()> {
        Rows::new(reader, &FIELDS)?.each(|rows, row| self.take(rows, row))?;
        self.logs += 1;
        Ok(())
    }

    fn take<R: BufRead>(
        &mut self,
        rows: &Rows<R>,
        row: &Row,
    ) -> std::result::Result<(), ReadError> {
        let regime = rows.text(row, REGIME)?;
        let part = Regime::ALL.iter().position(|r| r.name() == regime);
        if part.is_none() && regime != "test" {
            let problem = format!("{regime:?} is not test, zero-shot, fresh or same");
            return Err(rows.fault(row, REGIME, problem));
        }
        let scores = scores(rows, row)?;
        let label = rows.class(row, LABEL)?;
        let classes = *self.classes.get_or_insert(scores.len());
        if scores.len() != classes {
            let found = scores.len();
            let problem = format!("{found} labels, where earlier records have {classes}");
            return Err(rows.fault(row, LABEL, problem));
        }
        if label >= classes {
            let problem =
                format!("the label {label} is outside the {classes} classes (they count from 0)");
            return Err(rows.fault(row, LABEL, problem));
        }
        let log = self.logs;
        let pile = self.pile(rows, row, part)?;
        pile.scores.extend(scores);
        pile.labels.push(label);
        if let Ok(item) = rows.text(row, ITEM) {
            pile.items.push((text_key(&item), log, row.line()));
        }
        Ok(())
    }

    /// Where an item belongs.
    fn pile<R: BufRead>(
        &mut self,
        rows: &Rows<R>,
        row: &Row,
        part: Option<usize>,
    ) -> std::result::Result<&mut Pile, ReadError> {
        if part == Some(0) && rows.text(row, SHOTS).is_err() && rows.text(row, SEED).is_err() {
            return Ok(&mut self.shared);
        }
        let shots = rows.number(row, SHOTS)?;
        if !(0.0..=1e6).contains(&shots) || shots.fract() != 0.0 {
            let problem = format!("{shots} is not a whole number from 0");
            return Err(rows.fault(row, SHOTS, problem));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Checked above.
        let shots = shots as usize;
        let seed = rows.text(row, SEED)?;
        let place = self.place.entry((shots, text_key(&seed)));
        let at = *place.or_insert(self.prompts.len());
        if at == self.prompts.len() {
            self.prompts.push(Prompt {
                shots,
                seed,
                ..Prompt::default()
            });
        }
        let prompt = &mut self.prompts[at];
        Ok(match part {
            None => &mut prompt.test,
            Some(regime) => &mut prompt.fits[regime],
        })
    }

    /// Returns the runs of the protocol, one a prompt.
    ///
    /// # Errors
    /// [`Error::NoTest`] for a prompt without a test; [`Error::SharedItem`] for an item that serves both the fit and the test of one prompt;
    /// [`Error::Empty`] without any prompt.
    pub fn runs(&self) -> Result<Vec<PromptRun>> {
        if self.prompts.is_empty() {
            return Err(Error::Empty {
                what: "the items of regime test",
            });
        }
        self.prompts.iter().map(|prompt| self.run(prompt)).collect()
    }

    fn run(&self, prompt: &Prompt) -> Result<PromptRun> {
        let classes = self.classes.unwrap_or(2);
        let logits = |pile: &Pile| Logits::new(pile.scores.clone(), classes, pile.labels.clone());
        if prompt.test.labels.is_empty() {
            return Err(Error::NoTest {
                shots: prompt.shots,
                seed: prompt.seed.clone(),
            });
        }
        let tested: HashMap<u64, u64> = prompt.test.items.iter().map(|i| (i.0, i.2)).collect();
        let mut fits = Vec::new();
        for (regime, own) in Regime::ALL.into_iter().zip(&prompt.fits) {
            let pile = if regime == Regime::ZeroShot && own.labels.is_empty() {
                &self.shared
            } else {
                own
            };
            for (item, log, line) in &pile.items {
                if let Some(test) = tested.get(item) {
                    return Err(Error::SharedItem {
                        log: *log,
                        line: *line,
                        shots: prompt.shots,
                        seed: prompt.seed.clone(),
                        test: *test,
                    });
                }
            }
            if !pile.labels.is_empty() {
                fits.push((regime, logits(pile)?));
            }
        }
        Ok(PromptRun {
            shots: prompt.shots,
            test: logits(&prompt.test)?,
            fits,
        })
    }
}

/// One logit per label.
fn scores<R: BufRead>(rows: &Rows<R>, row: &Row) -> std::result::Result<Vec<f64>, ReadError> {
    let given = SCORES.into_iter().find(|f| rows.array(row, *f).is_ok());
    let field = given.unwrap_or(SCORES[0]);
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
