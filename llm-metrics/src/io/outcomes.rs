//! Responses with their outcomes, of any log: the prompt that each answers, and how good it is.

use std::io::BufRead;

use super::error::ReadError;
use super::row::{Cell, Row};
use super::rows::Rows;
use super::tool::{self, Tool};

/// Names of fields where they differ from the usual ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutcomeFields {
    /// The prompt (`prompt`; of a known tool, its own name for it).
    pub prompt: Option<String>,
    /// The outcome (`correct`; of a known tool, its own).
    pub correct: Option<String>,
    /// The filter to take from the records of a tool that scores a prompt several times, as [`Rows::one_filter`] has it.
    pub filter: Option<String>,
}

/// One response, or a problem with so many of them right.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// One response.
    Response {
        /// The prompt, written out.
        prompt: String,
        /// Utility in [0, 1].
        utility: f64,
    },
    /// A problem with n responses, c of them right.
    Counts {
        /// Responses.
        n: usize,
        /// Right ones.
        c: usize,
    },
}

/// Reads outcomes one at a time.
///
/// ```
/// use hindsight_llm_metrics::io::{Outcome, OutcomeFields, OutcomeReader};
/// let log = b"prompt,correct\nq1,yes\n";
/// let mut reader = OutcomeReader::new(&log[..], &OutcomeFields::default())?;
/// let (line, outcome) = reader.next_outcome()?.unwrap();
/// assert_eq!((line, outcome), (2, Outcome::Response { prompt: "q1".to_owned(), utility: 1.0 }));
/// # Ok::<(), hindsight_llm_metrics::io::ReadError>(())
/// ```
#[derive(Debug)]
pub struct OutcomeReader<R> {
    rows: Rows<R>,
    tool: Option<Tool>,
    own: bool,
    counts: bool,
    any: bool,
}

const PROMPT: usize = 0;
const CORRECT: usize = 1;
const N: usize = 2;
const C: usize = 3;
/// The first of [`Tool::others`].
const OTHERS: usize = 4;

impl<R: BufRead> OutcomeReader<R> {
    /// Returns a reader of the log.
    ///
    /// # Errors
    /// As [`Rows::new`].
    pub fn new(reader: R, fields: &OutcomeFields) -> Result<Self, ReadError> {
        let mut rows = Rows::<R>::new::<&str>(reader, &[])?;
        let tool = rows.tool();
        let has = |name: &str| rows.found().iter().any(|f| f == name);
        let usual = |given: &Option<String>, own: Option<&str>, name: &str| {
            given
                .clone()
                .or_else(|| (!has(name)).then_some(own).flatten().map(str::to_owned))
                .unwrap_or_else(|| name.to_owned())
        };
        let prompt = match (tool, &fields.prompt) {
            // Its field prompt is the template, the same for all.
            (Some(Tool::Promptfoo), None) => Tool::Promptfoo.prompt(rows.found()).to_owned(),
            _ => usual(
                &fields.prompt,
                tool.map(|t| t.prompt(rows.found())),
                "prompt",
            ),
        };
        let own = fields.correct.is_none() && !has("correct");
        let tools = tool.and_then(|t| t.correct(rows.found()));
        let correct = usual(&fields.correct, tools, "correct");
        let counts = has("n") && has("c") && !has(&prompt);
        let mut wanted = [&prompt, &correct, "n", "c"].map(str::to_owned).to_vec();
        wanted.extend(tool.into_iter().flat_map(Tool::others));
        rows.want(&wanted);
        rows.one_filter(fields.filter.clone());
        Ok(Self {
            rows,
            tool,
            own,
            counts,
            any: false,
        })
    }

    /// Returns the next outcome with the line it stands on, or `None` at the end.
    ///
    /// # Errors
    /// As [`Rows::next_row`]; [`ReadError::Missing`], [`ReadError::Value`]; mixed filters of lm-evaluation-harness; [`ReadError::Empty`] if there is none.
    pub fn next_outcome(&mut self) -> Result<Option<(u64, Outcome)>, ReadError> {
        let Some(row) = self.rows.next_row()? else {
            return if self.any {
                Ok(None)
            } else {
                Err(ReadError::Empty)
            };
        };
        self.any = true;
        let outcome = if self.counts {
            counted(&self.rows, &row)?
        } else {
            Outcome::Response {
                prompt: self.rows.text(&row, PROMPT)?,
                utility: self.utility(&row)?,
            }
        };
        let line = row.line();
        self.rows.recycle(row);
        Ok(Some((line, outcome)))
    }

    /// The field that the outcome is read from.
    pub(crate) fn outcome_field(&self) -> String {
        self.rows.field_name(CORRECT)
    }

    fn utility(&self, row: &Row) -> Result<f64, ReadError> {
        match self.tool {
            Some(Tool::Helm) => {
                let found = if self.own {
                    tool::helm_correct(row, OTHERS)
                } else {
                    tool::helm(row, CORRECT, &self.outcome_field(), OTHERS)
                };
                return found.ok_or_else(|| {
                    self.rows.fault(
                        row,
                        CORRECT,
                        "none of the instance's statistics says whether it was answered right"
                            .to_owned(),
                    )
                });
            }
            // Graded by a model, an event has a score in place of a match.
            Some(Tool::OpenAiEvals) if self.own && *row.cell(CORRECT) == Cell::Missing => {
                let given = (OTHERS..OTHERS + 2).find(|f| *row.cell(*f) != Cell::Missing);
                return self.rows.utility(row, given.unwrap_or(CORRECT));
            }
            _ => {}
        }
        if let Cell::Texts(..) | Cell::Numbers(..) = row.cell(CORRECT)
            && row.numbers(CORRECT).map_or(0, <[f64]>::len)
                + row.texts(CORRECT).map_or(0, <[String]>::len)
                > 1
        {
            return Err(self.rows.fault(
                row,
                CORRECT,
                "there are several scores; name the field of one".to_owned(),
            ));
        }
        self.rows.utility(row, CORRECT)
    }
}

/// The outcomes of a problem given by its counts.
fn counted<R: BufRead>(rows: &Rows<R>, row: &Row) -> Result<Outcome, ReadError> {
    let whole = |field: usize, least: f64, most: f64| {
        let v = rows.number(row, field)?;
        if v < least || v.fract() != 0.0 || v > most {
            let problem = format!("{v} is not a whole number from {least} to {most}");
            return Err(rows.fault(row, field, problem));
        }
        Ok(v)
    };
    let n = whole(N, 1.0, 1e7)?;
    let c = whole(C, 0.0, n)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Whole and at most 10^7.
    Ok(Outcome::Counts {
        n: n as usize,
        c: c as usize,
    })
}
