//! Calibration records from logs of any known schema.

use std::io::BufRead;

use super::error::ReadError;
use super::harness::Harness;
use super::plain;
use super::record::Record;
use super::row::{Cell, Row, parse_class};
use super::rows::Rows;
use super::schema::{FIRST, Fields, GROUP, RESPONSES, SECOND, Schema, choose};
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
            Some(Tool::Helm) if self.fields.confidence.is_none() => {
                tool::helm(row, RESPONSES, FIRST, true).ok_or_else(|| {
                    self.rows.fault(
                        row,
                        FIRST,
                        "the instance has no statistic max_prob; name the field of the confidence"
                            .to_owned(),
                    )
                })
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
            Some(Tool::Helm) if self.fields.correct.is_none() => match tool::helm(
                row, RESPONSES, SECOND, false,
            ) {
                Some(v) if [0.0, 1.0].contains(&v) => Ok(v > 0.5),
                _ => Err(self.rows.fault(
                    row,
                    SECOND,
                    "none of the instance's statistics says 0 or 1 whether it was answered right"
                        .to_owned(),
                )),
            },
            _ => self.rows.outcome(row, SECOND),
        }
    }

    /// Puts the distribution of a record into `values`; returns whether they are logits, and the label.
    fn distribution(&mut self, row: &Row) -> Result<(bool, usize), ReadError> {
        let mut logits = self.schema == Schema::Logits;
        let label = if let (Some(names), Some(numbers)) = (row.texts(FIRST), row.numbers(FIRST)) {
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
            self.values.extend_from_slice(self.rows.array(row, FIRST)?);
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Owned = (Vec<f64>, usize, Option<u64>);

    fn read(log: &str, fields: &Fields) -> Result<Vec<Owned>, ReadError> {
        let mut reader = CalibrationReader::new(log.as_bytes(), fields)?;
        let mut out = vec![];
        while reader.next_record(|r, g| {
            out.push(match r {
                Record::Binary(c, y) => (vec![*c], usize::from(*y), g),
                Record::Probabilities(v, l) | Record::Logits(v, l) => (v.to_vec(), *l, g),
            });
        })? {}
        Ok(out)
    }

    fn error(log: &str) -> String {
        read(log, &Fields::default()).unwrap_err().to_string()
    }

    #[test]
    fn every_schema_is_told_by_its_fields() {
        let d = Fields::default();
        assert_eq!(
            read("{\"conf\":0.5,\"correct\":1}", &d).unwrap(),
            [(vec![0.5], 1, None)]
        );
        assert_eq!(
            read("confidence,correct\n0.5,False\n", &d).unwrap(),
            [(vec![0.5], 0, None)]
        );
        assert_eq!(
            read("{\"probs\":[0.4,0.6],\"label\":1}", &d).unwrap(),
            [(vec![0.4, 0.6], 1, None)]
        );
        assert_eq!(
            read("{\"logits\":[-4,6],\"label\":\"B\"}", &d).unwrap(),
            [(vec![-4.0, 6.0], 1, None)]
        );
        let named = Fields {
            confidence: Some("meta.p".into()),
            correct: Some("ok".into()),
            group: Some("q".into()),
            ..d
        };
        let got = read(
            "{\"meta\":{\"p\":0.25},\"ok\":true,\"q\":7,\"probs\":[1,0],\"label\":0}",
            &named,
        )
        .unwrap();
        assert_eq!(got, [(vec![0.25], 1, Some(7.0f64.to_bits()))]);
    }

    #[test]
    fn samples_of_the_harness_are_read_through_their_strings() {
        let sample = |doc: u32, filter: &str| {
            format!(
                "{{\"doc_id\":{doc},\"doc\":{{\"question\":\"?\",\"gold\":2}},\"target\":\" blue\",\"arguments\":{{\"gen_args_0\":{{\"arg_0\":\"x\"}}}},\
                 \"resps\":[[[\"-3.5\",\"False\"]],[[\"-2.25\",\"True\"]],[[\"-9\",\"False\"]]],\
                 \"filtered_resps\":[[\"-3.5\",\"False\"],[\"-2.25\",\"True\"],[\"-9\",\"False\"]],\"filter\":\"{filter}\",\"acc\":0.0}}\n"
            )
        };
        let one = sample(0, "none") + &sample(1, "none");
        let got = read(&one, &Fields::default()).unwrap();
        assert_eq!(
            got.iter().map(|g| (&g.0[..], g.1)).collect::<Vec<_>>(),
            [(&[-3.5, -2.25, -9.0][..], 2); 2]
        );
        let two = sample(0, "strict") + &sample(0, "flexible");
        let e = error(&two);
        assert!(
            e.contains("line 2") && e.contains("strict") && e.contains("flexible"),
            "{e}"
        );
        let chosen = Fields {
            filter: Some("flexible".into()),
            ..Fields::default()
        };
        assert_eq!(read(&two, &chosen).unwrap().len(), 1);
        let lost = Fields {
            filter: Some("other".into()),
            ..Fields::default()
        };
        assert!(matches!(read(&two, &lost), Err(ReadError::Empty)));
    }

    #[test]
    fn bad_records_are_told_by_line_field_and_value() {
        let good = "{\"conf\":0.5,\"correct\":1}\n";
        for (line, words) in [
            (
                "{\"conf\":1.5,\"correct\":1}",
                "line 2, field \"conf\": the confidence 1.5 is outside [0, 1]",
            ),
            ("{\"conf\":NaN,\"correct\":1}", "line 2, column 9: NaN"),
            ("{\"correct\":1}", "line 2: there is no field \"conf\""),
            (
                "{\"conf\":0.5,\"correct\":2}",
                "line 2, field \"correct\": 2 is not true or false",
            ),
            (
                "{\"conf\":0.5,\"correct\":1",
                "line 2, column 24: expected a comma",
            ),
        ] {
            let e = error(&format!("{good}{line}\n"));
            assert!(e.starts_with(words), "{e}");
        }
        let good = "{\"probs\":[0.5,0.5],\"label\":1}\n";
        for (line, words) in [
            (
                "{\"probs\":[2.5,-1.5],\"label\":1}",
                "line 2, field \"probs\": the probability 2.5 is outside [0, 1]; are these logits?",
            ),
            (
                "{\"probs\":[0.5,0.9],\"label\":1}",
                "line 2, field \"probs\": the probabilities sum to 1.4",
            ),
            (
                "{\"probs\":[0.5,0.5],\"label\":2}",
                "line 2, field \"label\": the label 2 is outside the 2 classes",
            ),
            (
                "{\"probs\":[0.5,0.25,0.25],\"label\":2}",
                "line 2, field \"probs\": 3 classes, where earlier records have 2",
            ),
            (
                "{\"probs\":[1],\"label\":0}",
                "line 2, field \"probs\": 1 classes",
            ),
            (
                "{\"probs\":[0.5,0.5],\"label\":\"maybe\"}",
                "line 2, field \"label\": \"maybe\" is not the number or the letter",
            ),
        ] {
            let e = error(&format!("{good}{line}\n"));
            assert!(e.starts_with(words), "{e}");
        }
        assert!(error("{\"a\":1}").contains("fit no schema"));
        assert!(
            error("{\"conf\":0.5,\"correct\":1,\"probs\":[1,0],\"label\":0}")
                .contains("fit no schema")
        );
        assert_eq!(error(""), "there are no records");
        assert_eq!(error("conf,correct\n"), "there are no records");
    }

    fn line() -> impl Strategy<Value = Vec<u8>> {
        let conf = prop_oneof![
            8 => (0.0f64..1.0).prop_map(|v| v.to_string()),
            1 => (-0.1f64..1.2).prop_map(|v| format!("{v:.2e}")),
            1 => prop_oneof![Just("null"), Just("\"0.5\""), Just("NaN"), Just("true"), Just("1.")].prop_map(str::to_owned),
        ];
        let outcome = prop_oneof![6 => Just("true"), 6 => Just("false"), 3 => Just("1"), 3 => Just("0.0"), 1 => Just("\"yes\""), 1 => Just("2")];
        let plain = (conf, outcome, "[a-z\\\\ ]{0,6}", 0u8..8, 0u32..5).prop_map(
            |(c, y, text, layout, group)| match layout {
                0 => format!("{{\"correct\":{y},\"conf\":{c},\"g\":{group}}}"),
                1 => format!("{{\"conf\":{c},\"g\":{group}}}"),
                2 => String::new(),
                _ => format!(
                    "{{\"conf\": {c}, \"t\": \"{text}\", \"correct\": {y}, \"g\": {group}}}"
                ),
            },
        );
        (
            plain,
            proptest::option::weighted(0.03, (0usize..60, any::<u8>())),
        )
            .prop_map(|(line, damage)| {
                let mut line = line.into_bytes();
                if let Some((at, byte)) = damage
                    && at < line.len()
                {
                    line[at] = byte;
                }
                line.push(b'\n');
                line
            })
    }

    proptest! {
        /// An array in the first line keeps the layout from being learnt for the next 256: the same lines then go to the scanner.
        #[test]
        fn layout_and_scanner_give_the_same_records_or_the_same_error(
            lines in proptest::collection::vec(line(), 1..40), grouped in any::<bool>(), buffer in 1usize..300,
        ) {
            let fields = Fields {
                confidence: Some("conf".into()), correct: Some("correct".into()), group: grouped.then(|| "g".to_owned()), ..Fields::default()
            };
            let all = |first: &str| {
                let log = [first.as_bytes(), b"\n", &lines.concat()].concat();
                let mut out = vec![];
                let mut reader = CalibrationReader::new(std::io::BufReader::with_capacity(buffer, &log[..]), &fields).unwrap();
                let end = loop {
                    match reader.next_record(|r, g| out.push(format!("{r:?} {g:?}"))) {
                        Ok(true) => {}
                        Ok(false) => break String::new(),
                        Err(e) => break e.to_string(),
                    }
                };
                (out, end)
            };
            prop_assert_eq!(all("{\"conf\":0.5,\"correct\":1,\"g\":0}"), all("{\"conf\":0.5,\"correct\":1,\"g\":0,\"a\":[]}"));
        }
    }
}
