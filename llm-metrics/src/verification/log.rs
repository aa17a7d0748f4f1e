//! Logs of responses with verifiers' scores, and outcomes by problem.

use std::collections::HashMap;
use std::io::BufRead;

use super::responses::Responses;
use crate::error::{Error, Result};
use crate::io::{Outcome, OutcomeFields, OutcomeReader, ReadError, Rows};
use crate::stats::text_key;

/// Names of the fields of a log with one record per response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapLog {
    /// The prompt.
    pub prompt: String,
    /// The true utility: 0 to 1, or true and false.
    pub utility: String,
    /// The verifiers' scores.
    pub scores: Vec<String>,
    /// What the log is divided by: the generator, or the round.
    pub part: Option<String>,
    /// The pre-training FLOPs of a part, the same in all its records.
    pub flops: Option<String>,
    /// The filter to take from lm-evaluation-harness samples.
    pub filter: Option<String>,
}

/// The responses of one generator or one round.
#[derive(Debug, Clone, PartialEq)]
pub struct GapPart {
    /// Its name; empty where the log is not divided.
    pub name: String,
    /// Its pre-training FLOPs, if the log has them.
    pub flops: Option<f64>,
    /// The responses by prompt.
    pub responses: Responses,
    /// Each verifier's scores, in the order of the responses.
    pub scores: Vec<Vec<f64>>,
}

#[derive(Default)]
struct Raw {
    name: String,
    flops: Option<f64>,
    prompt: Vec<u64>,
    utility: Vec<f64>,
    scores: Vec<Vec<f64>>,
}

const PROMPT: usize = 0;
const UTILITY: usize = 1;
const SCORES: usize = 2;

impl GapLog {
    /// Reads a log; its parts come in the order of their first records.
    ///
    /// ```
    /// use hindsight_llm_metrics::verification::GapLog;
    /// let [prompt, utility, score] = ["prompt", "correct", "score"].map(str::to_owned);
    /// let log = GapLog { prompt, utility, scores: vec![score], part: None, flops: None, filter: None };
    /// let parts = log.read(&b"prompt,correct,score\na,1,0.9\nb,0,0.3\na,0,0.2\n"[..])?;
    /// assert_eq!((parts[0].responses.utilities(0), &parts[0].scores[0][..]), (&[1.0, 0.0][..], &[0.9, 0.2, 0.3][..]));
    /// # Ok::<(), hindsight_llm_metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Log`], with the line: a field is missing or cannot be used, the FLOPs of a part differ between records, filters are mixed.
    pub fn read<R: BufRead>(&self, reader: R) -> Result<Vec<GapPart>> {
        let mut fields = vec![self.prompt.clone(), self.utility.clone()];
        fields.extend(self.scores.iter().cloned());
        let (part_field, flops_field) = (fields.len(), fields.len() + 1);
        fields.push(self.part.clone().unwrap_or_default());
        fields.push(self.flops.clone().unwrap_or_default());
        let mut rows = Rows::new(reader, &fields)?;
        rows.one_filter(self.filter.clone());
        let mut parts: Vec<Raw> = Vec::new();
        rows.each(|rows, row| {
            let name = match self.part {
                Some(_) => rows.text(row, part_field)?,
                None => String::new(),
            };
            let at = parts.iter().position(|p| p.name == name);
            let at = at.unwrap_or_else(|| {
                parts.push(Raw {
                    name,
                    scores: vec![Vec::new(); self.scores.len()],
                    ..Raw::default()
                });
                parts.len() - 1
            });
            let part = &mut parts[at];
            part.prompt.push(text_key(&rows.text(row, PROMPT)?));
            part.utility.push(rows.utility(row, UTILITY)?);
            for (i, scores) in part.scores.iter_mut().enumerate() {
                scores.push(rows.number(row, SCORES + i)?);
            }
            if self.flops.is_some() {
                let flops = rows.number(row, flops_field)?;
                if part.flops.is_some_and(|f| (f - flops).abs() > 1e-9 * f) {
                    let problem = format!("{flops} differs from earlier records of this generator");
                    return Err(rows.fault(row, flops_field, problem));
                }
                part.flops = Some(flops);
            }
            Ok(())
        })?;
        parts.into_iter().map(Raw::grouped).collect()
    }
}

impl Raw {
    fn grouped(self) -> Result<GapPart> {
        let (responses, order) = Responses::from_log(&self.prompt, &self.utility)?;
        let scores = self.scores.iter().map(|s| Responses::arrange(&order, s));
        Ok(GapPart {
            scores: scores.collect::<Result<_>>()?,
            name: self.name,
            flops: self.flops,
            responses,
        })
    }
}

/// Right and wrong answers by problem, with the place of each problem in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Problems {
    /// The outcomes, each 0 or 1.
    pub responses: Responses,
    /// By problem, its prompt (none where the log gives counts) and the line that it begins on.
    pub places: Vec<(Option<String>, u64)>,
}

impl Problems {
    /// Reads outcomes, one record a response or one a problem, of any log that [`OutcomeReader`] reads.
    ///
    /// ```
    /// use hindsight_llm_metrics::io::OutcomeFields;
    /// use hindsight_llm_metrics::verification::Problems;
    /// let problems = Problems::read(&b"n,c\n4,1\n3,3\n"[..], &OutcomeFields::default())?;
    /// assert_eq!((problems.responses.prompts(), problems.responses.len()), (2, 7));
    /// # Ok::<(), hindsight_llm_metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`OutcomeReader::next_outcome`]; [`Error::Log`] for an outcome between right and wrong.
    pub fn read<R: BufRead>(reader: R, fields: &OutcomeFields) -> Result<Self> {
        let mut lists: Vec<Vec<f64>> = Vec::new();
        let mut places = Vec::new();
        let mut place: HashMap<u64, usize> = HashMap::new();
        let mut reader = OutcomeReader::new(reader, fields)?;
        while let Some((line, outcome)) = reader.next_outcome()? {
            let (prompt, utility) = match outcome {
                Outcome::Counts { n, c } => {
                    lists.push((0..n).map(|i| f64::from(u8::from(i < c))).collect());
                    places.push((None, line));
                    continue;
                }
                Outcome::Response { prompt, utility } => (prompt, utility),
            };
            if utility > 0.0 && utility < 1.0 {
                return Err(Error::Log(ReadError::Value {
                    line,
                    field: reader.outcome_field(),
                    problem: format!("the outcome {utility} is neither right (1) nor wrong (0)"),
                }));
            }
            let at = *place.entry(text_key(&prompt)).or_insert(lists.len());
            if at == lists.len() {
                lists.push(Vec::new());
                places.push((Some(prompt), line));
            }
            lists[at].push(utility);
        }
        Ok(Self {
            responses: Responses::new(&lists)?,
            places,
        })
    }
}
