//! What the records of a log are, recognised by the names of their fields.

use super::error::ReadError;

/// What a log's records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Schema {
    /// A confidence and whether the answer was right.
    Binary,
    /// Probabilities over classes and the label.
    Probabilities,
    /// Logits (or log-probabilities) over classes and the label.
    Logits,
    /// A sample of lm-evaluation-harness with one log-likelihood per choice.
    LmEval,
}

/// Names of fields where they differ from the usual ones; a JSON path may have dots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// Confidence (usually `conf` or `confidence`).
    pub confidence: Option<String>,
    /// Outcome (`correct`).
    pub correct: Option<String>,
    /// Probabilities (`probs` or `probabilities`).
    pub probabilities: Option<String>,
    /// Logits (`logits` or `logprobs`).
    pub logits: Option<String>,
    /// Label (`label`); in lm-evaluation-harness samples `target`, `doc.gold`, `doc.label` or `doc.answer`.
    pub label: Option<String>,
    /// Group of records that belong together (a document, a prompt).
    pub group: Option<String>,
    /// The filter to take from lm-evaluation-harness samples, which hold one line per document and filter.
    pub filter: Option<String>,
}

const NAMES: [(&str, &[&str]); 5] = [
    ("confidence", &["conf", "confidence"]),
    ("correct", &["correct"]),
    ("probabilities", &["probs", "probabilities"]),
    ("logits", &["logits", "logprobs"]),
    ("label", &["label"]),
];

// Columns of the wanted fields.
pub(super) const FIRST: usize = 0;
pub(super) const SECOND: usize = 1;
pub(super) const GROUP: usize = 2;
pub(super) const RESPONSES: usize = 3;
pub(super) const FILTER: usize = 4;
pub(super) const GOLD: usize = 5;

/// The schema that the fields found in a log fit, and the fields to read, in the order of the columns above.
pub(super) fn choose(
    found: &[String],
    fields: &Fields,
) -> Result<(Schema, Vec<String>), ReadError> {
    let has = |name: &str| {
        found
            .iter()
            .any(|f| f == name.split('.').next().unwrap_or(name))
    };
    let pick = |given: &Option<String>, role: &str| -> Option<String> {
        let usual = NAMES.iter().find(|n| n.0 == role).map_or(&[][..], |n| n.1);
        given
            .clone()
            .or_else(|| usual.iter().find(|n| has(n)).map(|n| (*n).to_owned()))
    };
    let (conf, correct) = (
        pick(&fields.confidence, "confidence"),
        pick(&fields.correct, "correct"),
    );
    let (probs, logits) = (
        pick(&fields.probabilities, "probabilities"),
        pick(&fields.logits, "logits"),
    );
    let label = pick(&fields.label, "label");
    let mut options = Vec::new();
    if let (Some(a), Some(b)) = (&conf, &correct) {
        options.push((Schema::Binary, a.clone(), b.clone()));
    }
    if let (Some(a), Some(b)) = (&probs, &label) {
        options.push((Schema::Probabilities, a.clone(), b.clone()));
    }
    if let (Some(a), Some(b)) = (&logits, &label) {
        options.push((Schema::Logits, a.clone(), b.clone()));
    }
    // Fields that the caller names decide.
    if fields.confidence.is_some() || fields.correct.is_some() {
        options.retain(|o| o.0 == Schema::Binary);
    } else if fields.probabilities.is_some() {
        options.retain(|o| o.0 == Schema::Probabilities);
    } else if fields.logits.is_some() {
        options.retain(|o| o.0 == Schema::Logits);
    }
    if options.is_empty() && has("resps") && has("doc_id") {
        options.push((
            Schema::LmEval,
            "filtered_resps".to_owned(),
            "target".to_owned(),
        ));
    }
    let [(schema, first, second)] = options.as_slice() else {
        return Err(ReadError::Schema {
            expected: "conf and correct, or probs and label, or logits and label (one of them; name others by option), or an \
                       lm-evaluation-harness sample"
                .to_owned(),
            found: found.join(", "),
        });
    };
    let schema = *schema;
    let mut wanted = vec![
        first.clone(),
        second.clone(),
        fields.group.clone().unwrap_or_default(),
    ];
    if schema == Schema::LmEval {
        wanted.extend(["resps", "filter"].map(str::to_owned));
        match &fields.label {
            Some(gold) => wanted.push(gold.clone()),
            None => wanted.extend(
                [
                    "doc.gold",
                    "doc.label",
                    "doc.answer",
                    "doc.answerKey",
                    "target",
                ]
                .map(str::to_owned),
            ),
        }
        if fields.group.is_none() {
            wanted[GROUP] = "doc_id".to_owned();
        }
    }
    Ok((schema, wanted))
}
