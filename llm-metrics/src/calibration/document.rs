//! The form of [`Scores`] in documents.

use serde::{Serialize, Serializer};

use super::reliability::Reliability;
use super::scores::Scores;
use super::smooth::SmoothEce;
use crate::stats::Interval;

#[derive(Serialize)]
struct Document<'a> {
    level: f64,
    records: u64,
    accuracy: f64,
    accuracy_interval: Option<Interval>,
    mean_confidence: f64,
    ece: Errors,
    smooth_ece: SmoothEce,
    /// Of the answer and its confidence.
    binary: Answer,
    /// Of the whole distribution.
    multiclass: Option<Distribution>,
    brier_interval: Option<Interval>,
    nll_interval: Option<Interval>,
    selective: Selective,
    without_interval: Option<&'a str>,
    reliability: &'a Reliability,
}

#[derive(Serialize)]
struct Errors {
    l1: f64,
    l1_interval: Option<Interval>,
    l1_debiased: f64,
    noise_floor: f64,
    l2: f64,
    l2_interval: Option<Interval>,
    l2_squared_debiased: f64,
    max: f64,
    max_interval: Option<Interval>,
    signed: f64,
    signed_interval: Option<Interval>,
    average: f64,
}

#[derive(Serialize)]
struct Answer {
    brier: f64,
    #[serde(serialize_with = "number_or_word")]
    nll: f64,
    impossible: u64,
}

#[derive(Serialize)]
struct Distribution {
    brier: f64,
    #[serde(serialize_with = "number_or_word")]
    nll: f64,
    class_wise_ece: f64,
    ties: Option<u64>,
}

#[derive(Serialize)]
struct Selective {
    aurc: f64,
    aurc_interval: Option<Interval>,
    excess_aurc: f64,
    accuracy_top_tenth: f64,
    accuracy_top_tenth_interval: Option<Interval>,
}

/// Infinity has no number in JSON: it is written as a word.
fn number_or_word<S: Serializer>(v: &f64, out: S) -> Result<S::Ok, S::Error> {
    if v.is_finite() {
        out.serialize_f64(*v)
    } else {
        out.collect_str(v)
    }
}

impl Serialize for Scores {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        Document {
            level: self.level,
            records: self.records,
            accuracy: self.accuracy.value,
            accuracy_interval: self.accuracy.interval,
            mean_confidence: self.mean_confidence,
            ece: Errors {
                l1: self.ece.value,
                l1_interval: self.ece.interval,
                l1_debiased: self.ece_debiased,
                noise_floor: self.noise_floor,
                l2: self.rms.value,
                l2_interval: self.rms.interval,
                l2_squared_debiased: self.rms_squared_debiased,
                max: self.largest.value,
                max_interval: self.largest.interval,
                signed: self.signed.value,
                signed_interval: self.signed.interval,
                average: self.average,
            },
            smooth_ece: self.smooth,
            binary: Answer {
                brier: self.answer[0],
                nll: self.answer[1],
                impossible: self.impossible,
            },
            multiclass: self.class_wise_ece.map(|class_wise_ece| Distribution {
                brier: self.brier.value,
                nll: self.log_loss.value,
                class_wise_ece,
                ties: self.ties,
            }),
            brier_interval: self.brier.interval,
            nll_interval: self.log_loss.interval,
            selective: Selective {
                aurc: self.aurc.value,
                aurc_interval: self.aurc.interval,
                excess_aurc: self.excess_aurc,
                accuracy_top_tenth: self.accuracy_top_tenth.value,
                accuracy_top_tenth_interval: self.accuracy_top_tenth.interval,
            },
            without_interval: self.without_interval.as_deref(),
            reliability: &self.reliability,
        }
        .serialize(out)
    }
}
