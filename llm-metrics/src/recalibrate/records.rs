//! Records in memory, the maps fitted to them, and the scores before and after.

use super::crossfit::{cross_fit, cross_fit_temperature};
use super::method::{Calibrator, Method};
use super::status::FitStatus;
use super::temperature::Temperature;
use crate::calibration::{Accumulator, EdgeRule, Edges, Logits, Summary};
use crate::error::{Error, Result};

/// Answers with their confidences, in the order of a log.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Records {
    /// Confidences in [0, 1].
    pub confidence: Vec<f64>,
    /// Whether each answer is right.
    pub correct: Vec<bool>,
    /// What belongs together: records of one group share a fold.
    pub groups: Vec<u64>,
    /// Logits over classes, where every record has them for the same number of classes.
    pub logits: Option<Logits>,
}

/// Which map is fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum MapMethod {
    /// One temperature for the logits.
    Temperature,
    /// A map of the answer's confidence.
    Answer(Method),
}

/// A fitted map. With the feature `serde` it goes to JSON and back.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum FittedMap {
    /// One temperature for the logits.
    Temperature(Temperature),
    /// A map of the answer's confidence.
    Calibrator(Calibrator),
}

/// Answers after a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapped {
    /// Confidences.
    pub confidence: Vec<f64>,
    /// Whether each answer is right (a temperature may break ties another way).
    pub correct: Vec<bool>,
    /// How the fits ended.
    pub statuses: Vec<FitStatus>,
}

impl Records {
    fn logits(&self) -> Result<&Logits> {
        self.logits.as_ref().ok_or(Error::NoLogits)
    }

    /// Returns the scores over bins of equal width.
    ///
    /// # Errors
    /// [`Error::Parameter`] for the number of bins; [`Error::Empty`].
    pub fn scores(&self, bins: usize) -> Result<Summary> {
        summary(&self.confidence, &self.correct, bins)
    }

    /// Returns the records after maps that did not see them: `folds` of whole groups, each mapped by a fit to the others.
    ///
    /// ```
    /// use hindsight_llm_metrics::recalibrate::{MapMethod, Method, Records};
    /// let records = Records {
    ///     confidence: (0..200).map(|i| 0.8 + 0.0005 * f64::from(i)).collect(),
    ///     correct: (0..200).map(|i| i % 2 == 0).collect(),
    ///     groups: (0..200).collect(),
    ///     logits: None,
    /// };
    /// let after = records.held_out(MapMethod::Answer(Method::Isotonic), 5, 1)?;
    /// assert!(after.scores(10)?.brier < records.scores(10)?.brier);
    /// # Ok::<(), hindsight_llm_metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`cross_fit`] and [`cross_fit_temperature`]; [`Error::NoLogits`].
    pub fn held_out(&self, method: MapMethod, folds: usize, seed: u64) -> Result<Mapped> {
        Ok(match method {
            MapMethod::Answer(method) => {
                let (confidence, maps) = cross_fit(
                    method,
                    &self.confidence,
                    &self.correct,
                    &self.groups,
                    folds,
                    seed,
                )?;
                Mapped {
                    confidence,
                    correct: self.correct.clone(),
                    statuses: maps.iter().map(Calibrator::status).collect(),
                }
            }
            MapMethod::Temperature => {
                let (q, fits) = cross_fit_temperature(self.logits()?, &self.groups, folds, seed)?;
                let top = q.top_label();
                Mapped {
                    confidence: top.confidence,
                    correct: top.correct,
                    statuses: fits.iter().map(Temperature::status).collect(),
                }
            }
        })
    }

    /// Returns the map fitted to all records.
    ///
    /// # Errors
    /// As [`Method::fit`] and [`Temperature::fit`]; [`Error::NoLogits`].
    pub fn fit(&self, method: MapMethod) -> Result<FittedMap> {
        Ok(match method {
            MapMethod::Answer(m) => FittedMap::Calibrator(m.fit(&self.confidence, &self.correct)?),
            MapMethod::Temperature => FittedMap::Temperature(Temperature::fit(self.logits()?)?),
        })
    }
}

impl FittedMap {
    /// Returns the records after the map.
    ///
    /// # Errors
    /// [`Error::NoLogits`].
    pub fn apply(&self, records: &Records) -> Result<Mapped> {
        Ok(match self {
            FittedMap::Calibrator(map) => {
                let mapped = records.confidence.iter().map(|c| map.apply(*c));
                Mapped {
                    confidence: mapped.map(|q| q.clamp(0.0, 1.0)).collect(),
                    correct: records.correct.clone(),
                    statuses: vec![map.status()],
                }
            }
            FittedMap::Temperature(t) => {
                let top = t.apply(records.logits()?).top_label();
                Mapped {
                    confidence: top.confidence,
                    correct: top.correct,
                    statuses: vec![t.status()],
                }
            }
        })
    }
}

impl Mapped {
    /// Returns the scores over bins of equal width.
    ///
    /// # Errors
    /// As [`Records::scores`].
    pub fn scores(&self, bins: usize) -> Result<Summary> {
        summary(&self.confidence, &self.correct, bins)
    }

    /// Returns the first status that is not [`FitStatus::Converged`], if there is one.
    #[must_use]
    pub fn status(&self) -> FitStatus {
        let wrong = self.statuses.iter().find(|s| **s != FitStatus::Converged);
        wrong.copied().unwrap_or(FitStatus::Converged)
    }
}

fn summary(confidence: &[f64], correct: &[bool], bins: usize) -> Result<Summary> {
    let mut scores = Accumulator::new(Edges::equal_width(bins, EdgeRule::UpperClosed)?);
    scores.extend(confidence, correct)?;
    scores.summary()
}

#[cfg(feature = "io")]
impl Records {
    /// Reads all records of a log; of distributions the answer's confidence, and logits if every record has as many.
    ///
    /// ```
    /// use hindsight_llm_metrics::io::Fields;
    /// use hindsight_llm_metrics::recalibrate::Records;
    /// let log = b"{\"logits\": [2.0, 0.0], \"label\": 0}\n{\"logits\": [0.0, 1.0], \"label\": 0}\n";
    /// let records = Records::read(&log[..], &Fields::default())?;
    /// assert_eq!((records.correct, records.logits.map(|z| z.classes())), (vec![true, false], Some(2)));
    /// # Ok::<(), hindsight_llm_metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Log`]; as [`Logits::new`].
    pub fn read<R: std::io::BufRead>(reader: R, fields: &crate::io::Fields) -> Result<Self> {
        use crate::io::{CalibrationReader, Record};
        let mut reader = CalibrationReader::new(reader, fields)?;
        let mut out = Self::default();
        let (mut logits, mut labels, mut equal) = (Vec::new(), Vec::new(), None);
        while reader.next_record(|record, group| {
            out.groups.push(group.unwrap_or(out.groups.len() as u64));
            let (confidence, correct) = record.top_label();
            out.confidence.push(confidence);
            out.correct.push(correct);
            if let Record::Logits(z, label) = record {
                equal = Some(equal.map_or(z.len(), |n: usize| if n == z.len() { n } else { 0 }));
                logits.extend_from_slice(z);
                labels.push(*label);
            }
        })? {}
        if let Some(classes) = equal.filter(|n| *n > 0) {
            out.logits = Some(Logits::new(logits, classes, labels)?);
        }
        Ok(out)
    }
}
