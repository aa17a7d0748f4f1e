//! Calibration records from logs of any known schema.

use std::io::BufRead;

use super::error::ReadError;
use super::harness::Harness;
use super::plain;
use super::record::Record;
use super::row::{Cell, Row, parse_class};
use super::rows::Rows;
use super::schema::{FIRST, Fields, GROUP, OTHERS, SECOND, Schema, choose};
use super::tool::{self, Tool};

/// Reads calibration records one at a time; the schema is recognised by the first record's fields.
///
/// ```
/// use hindsight_llm_metrics::io::{CalibrationReader, Fields, Record};
/// let log = b"conf,correct\n0.9,1\n0.4,0\n";
/// let mut reader = CalibrationReader::new(&log[..], &Fields::default())?;
/// let mut right = 0;
/// while reader.next_record(|record, _| right += u32::from(matches!(record, Record::Binary(_, true))))? {}
/// assert_eq!(right, 1);
/// # Ok::<(), hindsight_llm_metrics::io::ReadError>(())
/// ```
#[derive(Debug)]
pub struct CalibrationReader<R> {
    rows: Rows<R>,
    schema: Schema,
    fields: Fields,
    classes: Option<usize>,
    harness: Harness,
    /// The classes by name, of a log that names them.
    names: Vec<String>,
    values: Vec<f64>,
    suspects: u64,
    records: u64,
}

impl<R: BufRead> CalibrationReader<R> {
    /// Returns a reader of the log.
    ///
    /// # Errors
    /// [`ReadError::Schema`] if the fields fit no schema or more than one; as [`Rows::new`].
    pub fn new(reader: R, fields: &Fields) -> Result<Self, ReadError> {
        let mut rows = Rows::<R>::new::<&str>(reader, &[])?;
        let (schema, wanted) = choose(rows.found(), rows.tool(), fields)?;
        rows.want(&wanted);
        if schema != Schema::LmEval {
            rows.one_filter(fields.filter.clone());
        }
        let harness = Harness::new(fields, wanted.len());
        Ok(Self {
            rows,
            schema,
            fields: fields.clone(),
            classes: None,
            harness,
            names: Vec::new(),
            values: Vec::new(),
            suspects: 0,
            records: 0,
        })
    }

    /// Returns the schema.
    #[must_use]
    pub fn schema(&self) -> Schema {
        self.schema
    }
    /// Returns the number of classes, once a record has shown it; `None` for binary records.
    #[must_use]
    pub fn classes(&self) -> Option<usize> {
        self.classes
    }
    /// Returns the number of records so far.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Hands the next record, and the key of its group if there is one, to `take`; returns false at the end.
    ///
    /// # Errors
    /// As [`Rows::next_row`]; [`ReadError::Missing`], [`ReadError::Value`] for a field that is not there, outside its range, or a number of
    /// classes that changes; for lm-evaluation-harness samples also if filters mix and none was named; [`ReadError::Empty`] if the log ends before the
    /// first record.
    pub fn next_record(
        &mut self,
        take: impl FnOnce(&Record<'_>, Option<u64>),
    ) -> Result<bool, ReadError> {
        let mut suspect = false;
        let more = self.read_record(|record, group| {
            if let Record::Logits(z, _) = record {
                suspect = like_probabilities(z);
            }
            take(record, group);
        })?;
        self.suspects += u64::from(suspect);
        Ok(more)
    }

    fn read_record(
        &mut self,
        take: impl FnOnce(&Record<'_>, Option<u64>),
    ) -> Result<bool, ReadError> {
        let (schema, before) = (self.schema, self.classes);
        let grouped = self.fields.group.is_some();
        let mut take = Some(take);
        let taken = match schema {
            Schema::Binary => self.rows.next_plain(|values, _| {
                let (record, group) = plain::binary(values, grouped)?;
                take.take()?(&record, group);
                Some(None)
            })?,
            Schema::Probabilities | Schema::Logits => self.rows.next_plain(|values, numbers| {
                let logits = schema == Schema::Logits;
                let (record, classes, group) =
                    plain::distribution(values, numbers, logits, before, grouped)?;
                take.take()?(&record, group);
                Some(Some(classes))
            })?,
            Schema::LmEval => {
                let Some((scores, label, group)) =
                    self.harness.next(&mut self.rows, &self.fields)?
                else {
                    return self.end();
                };
                if let Some(take) = take.take() {
                    take(&Record::Logits(scores, label), group);
                }
                self.records += 1;
                return Ok(true);
            }
        };
        if let Some(classes) = taken {
            self.classes = classes;
            self.records += 1;
            return Ok(true);
        }
        let Some(take) = take else {
            return Ok(true);
        };
        let Some(row) = self.rows.next_row()? else {
            return self.end();
        };
        self.records += 1;
        let group = match row.cell(GROUP) {
            Cell::Missing if self.fields.group.is_some() => {
                return Err(ReadError::Missing {
                    line: row.line(),
                    field: self.fields.group.clone().unwrap_or_default(),
                });
            }
            Cell::Missing => None,
            Cell::Number(v) => Some(v.to_bits()),
            _ => Some(crate::stats::stream::text_key(
                &self.rows.text(&row, GROUP)?,
            )),
        };
        match self.schema {
            Schema::Binary => {
                let confidence = self.confidence(&row)?;
                if !(0.0..=1.0).contains(&confidence) {
                    let problem = format!(
                        "the confidence {confidence} is outside [0, 1]; is it a logit or a percentage?"
                    );
                    return Err(self.rows.fault(&row, FIRST, problem));
                }
                let correct = self.correct(&row)?;
                take(&Record::Binary(confidence, correct), group);
            }
            _ => {
                let (logits, label) = self.distribution(&row)?;
                self.classes = Some(self.values.len());
                if logits {
                    take(&Record::Logits(&self.values, label), group);
                } else {
                    take(&Record::Probabilities(&self.values, label), group);
                }
            }
        }
        self.rows.recycle(row);
        Ok(true)
    }

    fn end(&self) -> Result<bool, ReadError> {
        if self.records == 0 {
            Err(ReadError::Empty)
        } else {
            Ok(false)
        }
    }

    fn confidence(&self, row: &Row) -> Result<f64, ReadError> {
        match self.rows.tool() {
            Some(Tool::Helm) => {
                match tool::helm(row, FIRST, &self.rows.field_name(FIRST), OTHERS) {
                    None if self.fields.confidence.is_none() => {
                        let problem = "the instance has no statistic max_prob; name the field of the confidence";
                        Err(self.rows.fault(row, FIRST, problem.to_owned()))
                    }
                    None => self.rows.number(row, FIRST),
                    Some(v) => Ok(v),
                }
            }
            // The log-probabilities of an answer's tokens: its probability.
            Some(Tool::InspectAi) if self.fields.confidence.is_none() => match row.numbers(FIRST) {
                Some(logs) => Ok(logs.iter().sum::<f64>().exp()),
                None => self.rows.number(row, FIRST),
            },
            _ => self.rows.number(row, FIRST),
        }
    }

    fn correct(&self, row: &Row) -> Result<bool, ReadError> {
        match self.rows.tool() {
            Some(Tool::Helm) => {
                let found = match self.fields.correct {
                    None => tool::helm_correct(row, OTHERS),
                    Some(_) => tool::helm(row, SECOND, &self.rows.field_name(SECOND), OTHERS),
                };
                match found {
                    Some(v) if [0.0, 1.0].contains(&v) => Ok(v > 0.5),
                    _ if self.fields.correct.is_some() => self.rows.outcome(row, SECOND),
                    _ => {
                        let problem = "none of the instance's statistics says 0 or 1 whether it was answered right";
                        Err(self.rows.fault(row, SECOND, problem.to_owned()))
                    }
                }
            }
            _ => self.rows.outcome(row, SECOND),
        }
    }

    /// Puts the distribution of a record into `values`; returns whether they are logits, and the label.
    fn distribution(&mut self, row: &Row) -> Result<(bool, usize), ReadError> {
        let mut logits = self.schema == Schema::Logits;
        let first = self.distribution_field(row);
        let label = if let (Some(names), Some(numbers)) = (row.texts(first), row.numbers(first)) {
            if self.names.is_empty() {
                self.names = if self.fields.classes.is_empty() {
                    sorted(names)
                } else {
                    self.fields.classes.clone()
                };
            }
            let chosen = !self.fields.classes.is_empty();
            if let Err(problem) = by_name(
                &self.names,
                chosen,
                logits,
                names,
                numbers,
                &mut self.values,
            ) {
                return Err(self.rows.fault(row, FIRST, problem));
            }
            logits |= chosen;
            self.label_by_name(row)?
        } else {
            self.values.clear();
            self.values.extend_from_slice(self.rows.array(row, first)?);
            self.rows.class(row, SECOND)?
        };
        self.check_classes(row, FIRST, self.values.len(), SECOND, label)?;
        let fault = |problem: String| Err(self.rows.fault(row, FIRST, problem));
        let values = &self.values;
        if logits {
            if let Some(v) = values.iter().find(|v| v.is_nan() || **v == f64::INFINITY) {
                return fault(format!("the logit {v} is not a number below infinity"));
            }
            if values.iter().all(|v| v.is_infinite()) {
                return fault("all logits are minus infinity".to_owned());
            }
        } else {
            if let Some(v) = values.iter().find(|v| !(0.0..=1.0).contains(*v)) {
                return fault(format!(
                    "the probability {v} is outside [0, 1]; are these logits?"
                ));
            }
            let sum: f64 = values.iter().sum();
            if !((sum - 1.0).abs() <= 2e-3) {
                return fault(format!(
                    "the probabilities sum to {sum}, not to 1; are these scores of another kind?"
                ));
            }
        }
        Ok((logits, label))
    }

    /// The field that holds a record's distribution: responses keep their log-probabilities in several places.
    fn distribution_field(&self, row: &Row) -> usize {
        let responses = self.rows.tool() == Some(Tool::ChatCompletions)
            && self.schema == Schema::Logits
            && self.fields.logits.is_none();
        if !responses || *row.cell(FIRST) != Cell::Missing {
            return FIRST;
        }
        let others = OTHERS..OTHERS + Tool::ChatCompletions.others().len();
        others
            .into_iter()
            .find(|f| *row.cell(*f) != Cell::Missing)
            .unwrap_or(FIRST)
    }

    /// The class whose name the label is; a number that is no name is the place of one.
    fn label_by_name(&self, row: &Row) -> Result<usize, ReadError> {
        let text = self.rows.text(row, SECOND)?;
        let class = match self.names.iter().position(|n| n.trim() == text.trim()) {
            None if matches!(row.cell(SECOND), Cell::Number(_)) => {
                self.rows.class(row, SECOND).ok()
            }
            class => class,
        };
        class.filter(|c| *c < self.names.len()).ok_or_else(|| {
            let problem = format!("{text:?} is none of the classes {}", self.names.join(", "));
            self.rows.fault(row, SECOND, problem)
        })
    }

    /// Returns the number of records so far whose logits are all in [0, 1] and sum to 1: probabilities, most likely, taken for logits.
    #[must_use]
    pub fn probabilities_as_logits(&self) -> u64 {
        self.suspects
    }

    fn check_classes(
        &self,
        row: &Row,
        field: usize,
        classes: usize,
        label_field: usize,
        label: usize,
    ) -> Result<(), ReadError> {
        if classes < 2 {
            return Err(self.rows.fault(
                row,
                field,
                format!("{classes} classes; at least 2 are needed"),
            ));
        }
        if let Some(before) = self.classes.filter(|c| *c != classes) {
            return Err(self.rows.fault(
                row,
                field,
                format!("{classes} classes, where earlier records have {before}"),
            ));
        }
        if label >= classes {
            let problem =
                format!("the label {label} is outside the {classes} classes (they count from 0)");
            return Err(self.rows.fault(row, label_field, problem));
        }
        Ok(())
    }
}

/// Whether logits could be probabilities.
#[inline]
fn like_probabilities(z: &[f64]) -> bool {
    z[0] >= 0.0
        && z.iter().all(|v| (0.0..=1.0).contains(v))
        && (z.iter().sum::<f64>() - 1.0).abs() <= 2e-3
}

/// Names of classes in their order: by number or letter where all have one, else by alphabet.
fn sorted(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    let class = |n: &String| parse_class(&Cell::Text(n.clone()));
    if names.iter().all(|n| class(n).is_some()) {
        names.sort_by_key(class);
    } else {
        names.sort();
    }
    names
}

/// Puts numbers in the order of the classes. Chosen classes are taken out of more, as logits: one that is missing has none, and tokens that differ in
/// blanks alone go together.
fn by_name(
    classes: &[String],
    chosen: bool,
    logits: bool,
    names: &[String],
    numbers: &[f64],
    values: &mut Vec<f64>,
) -> Result<(), String> {
    values.clear();
    if chosen {
        for class in classes {
            let own = names
                .iter()
                .zip(numbers)
                .filter(|(n, _)| n.trim() == class.trim());
            let logs: Vec<f64> = own.map(|(_, v)| if logits { *v } else { v.ln() }).collect();
            values.push(crate::calibration::log_sum_exp(&logs));
        }
        return Ok(());
    }
    if names.len() != classes.len() {
        return Err(format!(
            "{} classes, where the first record has {}; name the classes",
            names.len(),
            classes.len()
        ));
    }
    for class in classes {
        match names.iter().position(|n| n == class) {
            Some(at) => values.push(numbers[at]),
            None => {
                return Err(format!(
                    "there is no class {class:?}, which the first record has; name the classes"
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
