//! A whole log at once: estimates, intervals, diagnostics, by parts of the log too.

use std::collections::BTreeMap;
use std::io::BufRead;

use super::error::{Problem, ReadError};
use super::log::{Columns, LogReader};
use crate::estimator::Estimator;
use crate::evaluation::{Evaluation, Range};
use crate::interval::Interval;
use crate::verdict::{Diagnostics, Limits};

/// Most parts of a log.
const SEGMENTS: usize = 10_000;

/// What is asked of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// Its columns.
    pub columns: Columns,
    /// The estimators; empty for the usual ones: IPS, SNIPS and the control variate, with predicted rewards DM, DR, SNDR and Switch-DR too.
    pub estimators: Vec<Estimator>,
    /// The range of rewards, if it is known: rounds outside it are errors, and IPS has an empirical Bernstein interval.
    pub range: Option<Range>,
    /// Level of the intervals.
    pub level: f64,
    /// When there is no answer.
    pub limits: Limits,
}

impl Default for Study {
    fn default() -> Self {
        Study {
            columns: Columns::default(),
            estimators: Vec::new(),
            range: None,
            level: 0.95,
            limits: Limits::default(),
        }
    }
}

/// What a log says.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Findings {
    /// Names of the actions, in the order of [`Diagnostics::actions`].
    pub actions: Vec<String>,
    /// What the weights are like.
    pub diagnostics: Diagnostics,
    /// Mean reward of the log itself, under the policy that made it.
    pub logged: f64,
    /// One finding per estimator.
    pub estimates: Vec<Finding>,
    /// The same for each part of the log, at a level that is corrected (by Bonferroni) for their number.
    pub segments: BTreeMap<String, Vec<Finding>>,
}

impl Findings {
    /// All findings with the part of the log that they are about: `all`, then part by part.
    pub fn by_part(&self) -> impl Iterator<Item = (&str, &Finding)> {
        let parts = self.segments.iter();
        let parts = parts.flat_map(|(part, all)| all.iter().map(move |f| (part.as_str(), f)));
        self.estimates.iter().map(|f| ("all", f)).chain(parts)
    }

    /// The estimate of the whole log that rests on least: doubly robust where rewards are predicted, else self-normalised, else the first that was asked for.
    #[must_use]
    pub fn preferred(&self) -> Option<&Finding> {
        let named = |name: &str| self.estimates.iter().find(|f| f.estimator == name);
        named("DR").or(named("SNIPS")).or(self.estimates.first())
    }

    /// The parts of the log in which an estimator's value is least and greatest; nothing where fewer than two parts have one.
    #[must_use]
    pub fn extremes(&self, estimator: &str) -> Option<[(&str, &Finding); 2]> {
        let parts = self.by_part().skip(self.estimates.len());
        let valued = parts.filter(|(_, f)| f.estimator == estimator && f.value.is_some());
        let valued: Vec<(&str, &Finding)> = valued.collect();
        let by_value = |a: &&(&str, &Finding), b: &&(&str, &Finding)| {
            let value = |f: &Finding| f.value.unwrap_or(f64::NAN);
            value(a.1).total_cmp(&value(b.1))
        };
        match (
            valued.iter().min_by(by_value),
            valued.iter().max_by(by_value),
        ) {
            (Some(&least), Some(&greatest)) if valued.len() > 1 => Some([least, greatest]),
            _ => None,
        }
    }
}

/// An estimate with its intervals, or why there is none.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Finding {
    /// The estimator.
    pub estimator: String,
    /// Reward per round; `None` where the log cannot tell.
    pub value: Option<f64>,
    /// Its standard error.
    pub standard_error: Option<f64>,
    /// Interval for one look.
    pub interval: Option<Interval>,
    /// Interval for any number of looks.
    pub anytime: Option<Interval>,
    /// Empirical Bernstein interval, for a stated range.
    pub bernstein: Option<Interval>,
    /// Effective number of rounds.
    pub effective: Option<f64>,
    /// Why there is no estimate, and what could be evaluated instead.
    pub refusal: Option<String>,
}

impl Study {
    /// Reads a log to its end.
    ///
    /// # Errors
    /// What is wrong with the log, with line and column, or with the question.
    pub fn run(&self, reader: impl BufRead) -> Result<Findings, ReadError> {
        let estimators = self.estimators();
        let setting = |error| ReadError::file(Problem::Round(error));
        crate::error::check_level(self.level).map_err(setting)?;
        let mut fresh = Evaluation::new(&estimators).map_err(setting)?;
        if let Some(range) = self.range {
            fresh = fresh.with_range(range).map_err(setting)?;
        }
        let mut log = LogReader::new(reader, &self.columns)?;
        let mut whole = fresh.clone();
        let mut parts: BTreeMap<String, Evaluation> = BTreeMap::new();
        let mut logged = 0.0;
        while log.next_round()? {
            log.push_to(&mut whole)?;
            logged += log.round().reward;
            if self.columns.segment.is_some() {
                let name = log.segment();
                if !parts.contains_key(&*name) && parts.len() == SEGMENTS {
                    return Err(ReadError::at(
                        log.line(),
                        Problem::TooManySegments(SEGMENTS),
                    ));
                }
                let part = parts
                    .entry(name.into_owned())
                    .or_insert_with(|| fresh.clone());
                log.push_to(part)?;
            }
        }
        if whole.rounds() == 0 {
            return Err(ReadError::file(Problem::Empty));
        }
        #[allow(clippy::cast_precision_loss, reason = "counts")]
        let (rounds, looks) = (whole.rounds() as f64, parts.len().max(1) as f64);
        let corrected = 1.0 - (1.0 - self.level) / looks;
        let segment =
            |(name, part): (String, Evaluation)| Ok((name, self.findings(&part, corrected)?));
        Ok(Findings {
            actions: log.actions().to_vec(),
            diagnostics: whole.diagnostics(),
            logged: logged / rounds,
            estimates: self.findings(&whole, self.level).map_err(setting)?,
            segments: parts
                .into_iter()
                .map(segment)
                .collect::<crate::Result<_>>()
                .map_err(setting)?,
        })
    }

    fn estimators(&self) -> Vec<Estimator> {
        if !self.estimators.is_empty() {
            return self.estimators.clone();
        }
        let mut usual = vec![Estimator::Ips, Estimator::Snips, Estimator::ControlVariate];
        if self.columns.predicted.is_some() {
            usual.extend([
                Estimator::Dm,
                Estimator::Dr,
                Estimator::Sndr,
                Estimator::SwitchDr(10.0),
            ]);
        } else {
            usual.push(Estimator::Clipped(10.0));
        }
        usual
    }

    fn findings(&self, evaluation: &Evaluation, level: f64) -> crate::Result<Vec<Finding>> {
        let diagnostics = evaluation.diagnostics();
        #[allow(clippy::cast_precision_loss, reason = "a number of rounds")]
        let rounds = (evaluation.rounds() as f64).max(1.0);
        let one = |estimator: &Estimator| {
            let mut finding = Finding {
                estimator: estimator.to_string(),
                value: None,
                standard_error: None,
                interval: None,
                anytime: None,
                bernstein: None,
                effective: None,
                refusal: None,
            };
            match evaluation.judge(*estimator, &self.limits, &diagnostics)? {
                Err(refusal) => finding.refusal = Some(refusal.to_string()),
                Ok(estimate) => {
                    finding.value = Some(estimate.value);
                    finding.standard_error = Some(estimate.standard_error);
                    finding.interval = Some(estimate.interval(level)?);
                    finding.anytime = Some(estimate.anytime(level, rounds)?);
                    finding.bernstein = evaluation.bernstein(*estimator, level)?;
                    finding.effective = Some(estimate.effective);
                }
            }
            Ok(finding)
        };
        evaluation.estimators().iter().map(one).collect()
    }
}
