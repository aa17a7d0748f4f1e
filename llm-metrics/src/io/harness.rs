//! Samples of lm-evaluation-harness: log-likelihoods of the choices, and which of them is right.
//!
//! A sample says what is right in the field `target`: the place of a choice from 0, its text, or a letter, each perhaps in brackets. Tasks that
//! score one continuation after several contexts put the continuation there instead; then a field of `doc` says it, counted from 0 or from 1. The
//! samples themselves tell which: each holds the harness's own `acc`, so a rule is chosen that agrees with `acc` over the first samples, and every
//! later sample is checked against it.

use std::collections::VecDeque;
use std::io::BufRead;

use super::error::ReadError;
use super::row::{Cell, Row};
use super::rows::Rows;
use super::schema::{
    ACC, ACC_NORM, CHOICES, CHOICES_LISTED, FILTER, FIRST, Fields, GOLD, GROUP, MUTUAL, RESPONSES,
    SECOND,
};
use super::tool::Tool;

mod rule;

use rule::{Form, Rule, named, several, words};

/// So many samples decide which rule holds.
const HEAD: usize = 512;
/// Or so many log-likelihoods.
const HEAD_VALUES: usize = 1 << 20;

/// What lengths divide log-likelihoods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lengths {
    None,
    Bytes,
    Characters,
}

/// One sample: scores of the choices and, by rule, the right choice.
#[derive(Debug)]
struct Sample {
    line: u64,
    /// Whether the scores stand under their usual name, one a choice.
    usual: bool,
    group: Option<u64>,
    scores: Vec<f64>,
    /// Bytes and characters of each choice; empty if unknown.
    lengths: Vec<(f64, f64)>,
    gold: Vec<Option<usize>>,
    acc: Option<bool>,
    acc_norm: Option<bool>,
}

/// Scores of the choices, the right one, and the group.
type Scored<'a> = (&'a [f64], usize, Option<u64>);

/// Reads samples, once it has found out what their fields mean.
#[derive(Debug)]
pub(super) struct Harness {
    rules: Vec<Rule>,
    rule: Option<Rule>,
    lengths: Lengths,
    head: VecDeque<Sample>,
    scores: Vec<f64>,
    filter_seen: Option<String>,
    ended: bool,
}

impl Harness {
    /// A reader of samples whose wanted fields are `wanted`.
    pub(super) fn new(fields: &Fields, wanted: usize) -> Self {
        use Form::{FromOne, FromZero, Letter, Text};
        let mut rules = Vec::new();
        if fields.label.is_none() {
            rules.extend([FromZero, Text, Letter].map(|form| Rule {
                field: SECOND,
                form,
            }));
        }
        for field in GOLD..wanted {
            rules.extend([FromZero, Text, Letter, FromOne].map(|form| Rule { field, form }));
        }
        if let Some(one) = fields.label_from_one {
            let not = if one { FromZero } else { FromOne };
            rules.retain(|r| r.form != not || (r.field == SECOND));
        }
        Self {
            rules,
            rule: None,
            lengths: if fields.per_byte {
                Lengths::Bytes
            } else {
                Lengths::None
            },
            head: VecDeque::new(),
            scores: Vec::new(),
            filter_seen: None,
            ended: false,
        }
    }

    /// The next sample's scores, right choice and group; `None` at the end.
    pub(super) fn next<R: BufRead>(
        &mut self,
        rows: &mut Rows<R>,
        fields: &Fields,
    ) -> Result<Option<Scored<'_>>, ReadError> {
        if self.rule.is_none() && !self.ended {
            let mut values = 0;
            while self.head.len() < HEAD && values < HEAD_VALUES {
                let Some(sample) = self.read(rows, fields)? else {
                    self.ended = true;
                    break;
                };
                values += sample.scores.len();
                self.head.push_back(sample);
            }
            if !self.head.is_empty() {
                self.rule = Some(self.choose(rows)?);
                self.choose_lengths(fields)?;
                self.keep_what_is_needed(rows);
            }
        }
        let sample = match self.head.pop_front() {
            Some(sample) => sample,
            None if self.ended => return Ok(None),
            None => match self.read(rows, fields)? {
                Some(sample) => sample,
                None => return Ok(None),
            },
        };
        let gold = self.checked(&sample, rows)?;
        let Sample {
            group,
            scores,
            lengths,
            ..
        } = sample;
        self.scores = scores;
        divide(&mut self.scores, &lengths, self.lengths);
        Ok(Some((&self.scores, gold, group)))
    }

    /// Reads no more from now on than the rule needs, where all samples so far had their scores under the usual name.
    fn keep_what_is_needed<R: BufRead>(&self, rows: &mut Rows<R>) {
        let (Some(rule), true) = (self.rule, self.head.iter().all(|s| s.usual)) else {
            return;
        };
        let lengths = self.lengths != Lengths::None || self.head.iter().any(|s| s.acc.is_none());
        let texts = lengths || rule.form == Form::Text;
        rows.keep(|field| match field {
            FIRST | SECOND | GROUP | FILTER | ACC | MUTUAL => true,
            RESPONSES => false,
            ACC_NORM => lengths,
            CHOICES | CHOICES_LISTED => texts,
            gold => gold == rule.field,
        });
    }

    /// The next row of the wanted filter.
    fn wanted<R: BufRead>(
        &mut self,
        rows: &mut Rows<R>,
        fields: &Fields,
    ) -> Result<Option<Row>, ReadError> {
        let chosen = fields.filter.as_deref();
        while let Some(row) = rows.next_row()? {
            if filter_wanted(rows, &row, FILTER, chosen, &mut self.filter_seen)? {
                return Ok(Some(row));
            }
            rows.recycle(row);
        }
        Ok(None)
    }

    /// Reads one sample of the wanted filter.
    fn read<R: BufRead>(
        &mut self,
        rows: &mut Rows<R>,
        fields: &Fields,
    ) -> Result<Option<Sample>, ReadError> {
        let Some(row) = self.wanted(rows, fields)? else {
            return Ok(None);
        };
        let (scores, texts) = choices(rows, &row)?;
        let gold = self
            .rules
            .iter()
            .map(|r| {
                if self.rule.is_some_and(|rule| rule != *r) {
                    return None;
                }
                // A list of one is what is in it.
                let single = match row.cell(r.field) {
                    Cell::Numbers(..) => Some(row.single(r.field)),
                    _ => None,
                };
                let cell = single.as_ref().unwrap_or_else(|| row.cell(r.field));
                named(cell, r.form, &texts, scores.len())
            })
            .collect();
        let apart = texts.windows(2).any(|w| w[0] != w[1]);
        let sample = Sample {
            line: row.line(),
            usual: row.numbers(FIRST).is_some_and(|v| !v.is_empty())
                && *row.cell(MUTUAL) == Cell::Missing,
            group: group(rows, &row)?,
            gold,
            acc: own(rows, &row, ACC)?,
            acc_norm: own(rows, &row, ACC_NORM)?,
            lengths: texts
                .iter()
                .filter(|_| apart)
                .map(|t| (count(t.len()), count(t.chars().count())))
                .collect(),
            scores,
        };
        if self.lengths != Lengths::None && sample.lengths.is_empty() {
            return Err(rows.fault(
                &row,
                CHOICES,
                "the texts of the choices, whose lengths are asked for, are not there".to_owned(),
            ));
        }
        let none = self
            .rules
            .iter()
            .zip(&sample.gold)
            .all(|(r, g)| r.field != SECOND || g.is_none());
        if none && several(row.cell(SECOND)) && sample.gold.iter().all(Option::is_none) {
            return Err(rows.fault(
                &row,
                SECOND,
                "several choices are right; calibration needs a single one".to_owned(),
            ));
        }
        rows.recycle(row);
        Ok(Some(sample))
    }

    /// The first rule that names a choice in every sample of the head and agrees with its `acc`. Rules on `target` come first; of two that differ
    /// nothing is guessed.
    fn choose<R: BufRead>(&self, rows: &Rows<R>) -> Result<Rule, ReadError> {
        let holds = |r: usize| {
            self.head
                .iter()
                .all(|s| s.gold[r].is_some_and(|g| agrees(s, g)))
        };
        let same = |a: usize, b: usize| self.head.iter().all(|s| s.gold[a] == s.gold[b]);
        let passing: Vec<usize> = (0..self.rules.len()).filter(|r| holds(*r)).collect();
        let on_target: Vec<usize> = passing
            .iter()
            .copied()
            .filter(|r| self.rules[*r].field == SECOND)
            .collect();
        let candidates = if on_target.is_empty() {
            passing
        } else {
            on_target
        };
        if let Some(&first) = candidates.first() {
            let rule = self.rules[first];
            let other = candidates.iter().copied().find(|&r| {
                let form = self.rules[r].form;
                let rival = matches!(
                    (rule.form, form),
                    (Form::FromZero, Form::Text | Form::FromOne)
                );
                rival && self.rules[r].field == rule.field && !same(first, r)
            });
            return match other {
                None => Ok(rule),
                Some(r) => Err(ReadError::Value {
                    line: self.head[0].line,
                    field: rows.field_name(rule.field),
                    problem: format!(
                        "the samples do not show whether it is {} or {}: name the first label (0 or 1), or another field of the label",
                        words(rule.form),
                        words(self.rules[r].form)
                    ),
                }),
            };
        }
        // Nothing holds everywhere: report the rule that goes furthest, at its first failure.
        let reach = |r: usize| {
            let fails = self
                .head
                .iter()
                .position(|s| !s.gold[r].is_some_and(|g| agrees(s, g)));
            fails.unwrap_or(self.head.len())
        };
        let best = (0..self.rules.len())
            .max_by_key(|r| (reach(*r), std::cmp::Reverse(*r)))
            .unwrap_or(0);
        let rule = self.rules[best];
        let sample = &self.head[reach(best).min(self.head.len() - 1)];
        Err(self.disagreement(sample, rule, best, rows))
    }

    fn disagreement<R: BufRead>(
        &self,
        sample: &Sample,
        rule: Rule,
        index: usize,
        rows: &Rows<R>,
    ) -> ReadError {
        let field = rows.field_name(rule.field);
        match sample.gold[index] {
            None => ReadError::Value {
                line: sample.line,
                problem: format!(
                    "it names none of the {} choices, read as {}",
                    sample.scores.len(),
                    words(rule.form)
                ),
                field,
            },
            Some(gold) => {
                let (name, own) = match sample.acc {
                    Some(acc) => ("acc", acc),
                    None => ("acc_norm", sample.acc_norm.unwrap_or(false)),
                };
                ReadError::Value {
                    line: sample.line,
                    problem: format!(
                        "the sample's own {name} is {}, but {field} read as {} makes choice {gold} the right one and the log-likelihoods prefer choice {}",
                        u8::from(own),
                        words(rule.form),
                        best(&sample.scores)
                    ),
                    field: name.to_owned(),
                }
            }
        }
    }

    /// Lengths in bytes, or in characters where the samples' own `acc_norm` says so.
    fn choose_lengths(&mut self, fields: &Fields) -> Result<(), ReadError> {
        if !fields.per_byte {
            return Ok(());
        }
        let index = self
            .rules
            .iter()
            .position(|r| Some(*r) == self.rule)
            .unwrap_or(0);
        let holds = |lengths: Lengths| {
            self.head.iter().all(|s| {
                let Some((own, gold)) = s.acc_norm.zip(s.gold[index]) else {
                    return true;
                };
                (preferred(s, lengths) == gold) == own
            })
        };
        if !holds(Lengths::Bytes) && holds(Lengths::Characters) {
            self.lengths = Lengths::Characters;
        }
        Ok(())
    }

    /// The right choice of a sample, checked against what the harness found.
    fn checked<R: BufRead>(&self, sample: &Sample, rows: &Rows<R>) -> Result<usize, ReadError> {
        let index = self
            .rules
            .iter()
            .position(|r| Some(*r) == self.rule)
            .unwrap_or(0);
        let rule = self.rules[index];
        let Some(gold) = sample.gold[index].filter(|g| agrees(sample, *g)) else {
            return Err(self.disagreement(sample, rule, index, rows));
        };
        if let (Some(own), true) = (sample.acc_norm, self.lengths != Lengths::None) {
            let preferred = preferred(sample, self.lengths);
            if (preferred == gold) != own {
                return Err(ReadError::Value {
                    line: sample.line,
                    field: "acc_norm".to_owned(),
                    problem: format!(
                        "the sample's own acc_norm is {}, but by length choice {preferred} is preferred and choice {gold} is right",
                        u8::from(own)
                    ),
                });
            }
        }
        Ok(gold)
    }
}

/// The log-likelihoods of the choices, and their texts where each has one.
fn choices<'r, R: BufRead>(
    rows: &Rows<R>,
    row: &'r Row,
) -> Result<(Vec<f64>, Vec<&'r str>), ReadError> {
    let filtered = row.numbers(FIRST).is_some_and(|v| !v.is_empty());
    let field = if filtered || *row.cell(RESPONSES) == Cell::Missing {
        FIRST
    } else {
        RESPONSES
    };
    let mut scores = match row.cell(field) {
        Cell::Missing => rows.array(row, field)?,
        _ => row.numbers(field).unwrap_or_default(),
    }
    .to_vec();
    let mut texts: Vec<&str> = [CHOICES, CHOICES_LISTED]
        .iter()
        .find_map(|f| row.texts(*f))
        .unwrap_or(&[])
        .iter()
        .map(|t| t.trim())
        .collect();
    if texts.len() != scores.len() {
        texts.clear();
    }
    // Mutual information asks for each choice twice, with and without the context.
    if *row.cell(MUTUAL) != Cell::Missing && scores.len() % 2 == 0 {
        let half = scores.len() / 2;
        if texts.is_empty() || texts[..half] == texts[half..] {
            scores.truncate(half);
            texts.truncate(half);
        }
    }
    if scores.len() < 2 {
        let problem = "fewer than two log-likelihoods: the task generates text or scores a single continuation; name the field of a confidence";
        return Err(rows.fault(row, field, problem.to_owned()));
    }
    if let Some(v) = scores.iter().find(|v| v.is_nan() || **v == f64::INFINITY) {
        return Err(rows.fault(
            row,
            field,
            format!("the log-likelihood {v} is not a number below infinity"),
        ));
    }
    if scores.iter().all(|v| v.is_infinite()) {
        return Err(rows.fault(
            row,
            field,
            "all log-likelihoods are minus infinity".to_owned(),
        ));
    }
    Ok((scores, texts))
}

/// Whether a row passes the filter; mixed filters without a choice are an error, since each document would count several times.
pub(super) fn filter_wanted<R: BufRead>(
    rows: &Rows<R>,
    row: &Row,
    field: usize,
    chosen: Option<&str>,
    seen: &mut Option<String>,
) -> Result<bool, ReadError> {
    let place;
    let filter = match row.cell(field) {
        Cell::Text(filter) => filter,
        Cell::Number(number) => {
            place = number.to_string();
            &place
        }
        // HELM says of an instance as it is nothing.
        Cell::Missing if rows.tool() == Some(Tool::Helm) => "none",
        _ => return Ok(true),
    };
    if let Some(chosen) = chosen {
        return Ok(filter == chosen);
    }
    match seen {
        None => *seen = Some(filter.to_owned()),
        Some(seen) if seen != filter => {
            let problem = format!(
                "the log mixes the filters {seen:?} and {filter:?}: each document would count twice; name one"
            );
            return Err(rows.fault(row, field, problem));
        }
        Some(_) => {}
    }
    Ok(true)
}

fn group<R: BufRead>(rows: &Rows<R>, row: &Row) -> Result<Option<u64>, ReadError> {
    Ok(match row.cell(GROUP) {
        Cell::Missing => None,
        Cell::Number(v) => Some(v.to_bits()),
        _ => Some(crate::stats::text_key(&rows.text(row, GROUP)?)),
    })
}

/// The harness's own finding, 0 or 1.
#[allow(clippy::float_cmp)] // 0 and 1 exactly.
fn own<R: BufRead>(rows: &Rows<R>, row: &Row, field: usize) -> Result<Option<bool>, ReadError> {
    if *row.cell(field) == Cell::Missing {
        return Ok(None);
    }
    if let Cell::Bool(b) = row.cell(field) {
        return Ok(Some(*b));
    }
    match rows.number(row, field)? {
        v if v == 0.0 || v == 1.0 => Ok(Some(v == 1.0)),
        v => Err(rows.fault(
            row,
            field,
            format!("{v} is neither 0 nor 1: the task does not score a single right choice"),
        )),
    }
}

/// Whether the right choice agrees with what the harness found, if it says so.
fn agrees(sample: &Sample, gold: usize) -> bool {
    match (sample.acc, sample.acc_norm) {
        (Some(own), _) => (best(&sample.scores) == gold) == own,
        (None, Some(own)) if !sample.lengths.is_empty() => [Lengths::Bytes, Lengths::Characters]
            .iter()
            .any(|l| (preferred(sample, *l) == gold) == own),
        _ => true,
    }
}

fn preferred(sample: &Sample, lengths: Lengths) -> usize {
    let mut scores = sample.scores.clone();
    divide(&mut scores, &sample.lengths, lengths);
    best(&scores)
}

fn divide(scores: &mut [f64], by: &[(f64, f64)], lengths: Lengths) {
    for (s, (bytes, characters)) in scores.iter_mut().zip(by) {
        let length = match lengths {
            Lengths::None => 1.0,
            Lengths::Bytes => *bytes,
            Lengths::Characters => *characters,
        };
        *s /= length.max(1.0);
    }
}

/// The first of the largest.
fn best(scores: &[f64]) -> usize {
    crate::calibration::largest(scores.iter().copied()).1
}

#[allow(clippy::cast_precision_loss)] // Lengths of texts.
fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests;
