//! What the records of a log are, recognised by the names of their fields.

use super::error::ReadError;
use super::tool::Tool;

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
    /// Label (`label`); in lm-evaluation-harness samples `target`, or a field of `doc` where `target` names no choice.
    pub label: Option<String>,
    /// Whether a number in the label field of lm-evaluation-harness samples counts from 1; by default the samples' own `acc` tells.
    pub label_from_one: Option<bool>,
    /// Group of records that belong together (a document, a prompt).
    pub group: Option<String>,
    /// The filter to take from the records of a tool that scores a prompt several times, as [`Rows::one_filter`](super::Rows::one_filter) has it.
    pub filter: Option<String>,
    /// Whether log-likelihoods of lm-evaluation-harness samples are divided by the length of the choice in bytes, as `acc_norm` has it.
    pub per_byte: bool,
    /// The classes by name, in order, where a record gives numbers by name (an object, a list of tokens with their log-probabilities). Of a log that names more, these
    /// are taken and normalised; without them the classes are the names of the first record, sorted.
    pub classes: Vec<String>,
}

const NAMES: [(&str, &[&str]); 5] = [
    ("confidence", &["conf", "confidence"]),
    ("correct", &["correct", "is_correct"]),
    ("probabilities", &["probs", "probabilities"]),
    ("logits", &["logits", "logprobs"]),
    ("label", &["label", "target"]),
];

// Columns of the wanted fields.
pub(super) const FIRST: usize = 0;
pub(super) const SECOND: usize = 1;
pub(super) const GROUP: usize = 2;
pub(super) const RESPONSES: usize = 3;
/// The first of [`Tool::others`], of records that are no harness samples.
pub(super) const OTHERS: usize = 3;
pub(super) const FILTER: usize = 4;
pub(super) const ACC: usize = 5;
pub(super) const ACC_NORM: usize = 6;
pub(super) const MUTUAL: usize = 7;
pub(super) const CHOICES: usize = 8;
pub(super) const CHOICES_LISTED: usize = 9;
/// The first field that may name the right choice where the target does not.
pub(super) const GOLD: usize = 10;

/// Columns p0, p1, ... (or p_NAME, prob_NAME, logit_NAME) that together give a distribution: their common beginning with a star.
fn columns(found: &[String], role: &str) -> Option<String> {
    let beginnings: &[&str] = match role {
        "probabilities" => &["prob_", "probs_", "prob", "p_", "p"],
        "logits" => &["logit_", "logits_", "logprob_", "logit", "z"],
        _ => return None,
    };
    let several = |beginning: &str| {
        let rest = found.iter().filter_map(|f| f.strip_prefix(beginning));
        let (mut named, mut numbered) = (0, 0);
        for name in rest.filter(|r| !r.is_empty()) {
            named += 1;
            numbered += usize::from(name.bytes().all(|b| b.is_ascii_digit()));
        }
        numbered >= 2 && numbered == named || (beginning.ends_with('_') && named >= 2)
    };
    beginnings
        .iter()
        .find(|b| several(b))
        .map(|b| format!("{b}*"))
}

/// The schema that the fields found in a log fit, and the fields to read, in the order of the columns above.
pub(super) fn choose(
    found: &[String],
    tool: Option<Tool>,
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
            .or_else(|| columns(found, role))
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
    // Of a known tool, its own fields stand in for those that are not named.
    if options.is_empty()
        && let Some(tool) = tool.filter(|t| *t != Tool::Harness)
    {
        let expected = || ["answer", "expected", "ideal"].into_iter().find(|n| has(n));
        let label = label.or_else(|| expected().map(str::to_owned));
        options.extend(of_tool(tool, found, fields, logits, label));
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
    Ok((schema, wanted(schema, [first, second], tool, fields)))
}

/// What a known tool's own fields give.
fn of_tool(
    tool: Tool,
    found: &[String],
    fields: &Fields,
    logits: Option<String>,
    label: Option<String>,
) -> Option<(Schema, String, String)> {
    let own = |given: &Option<String>, own: Option<&str>| given.clone().or(own.map(str::to_owned));
    let confidence = own(&fields.confidence, tool.confidence(found));
    match (confidence, own(&fields.correct, tool.correct(found))) {
        (Some(a), Some(b)) => Some((Schema::Binary, a, b)),
        _ if tool == Tool::ChatCompletions => {
            let tokens = "choices.0.logprobs.content.0.top_logprobs";
            let logits = logits.unwrap_or_else(|| tokens.to_owned());
            Some((Schema::Logits, logits, label?))
        }
        _ => None,
    }
}

/// The fields to read, in the order of the columns above.
fn wanted(
    schema: Schema,
    [first, second]: [&String; 2],
    tool: Option<Tool>,
    fields: &Fields,
) -> Vec<String> {
    let group = fields.group.clone().unwrap_or_default();
    let mut wanted = vec![first.clone(), second.clone(), group];
    match tool {
        Some(Tool::Helm) if schema == Schema::Binary => wanted.extend(Tool::Helm.others()),
        Some(Tool::ChatCompletions) if schema == Schema::Logits && fields.logits.is_none() => {
            wanted.extend(Tool::ChatCompletions.others());
        }
        _ => {}
    }
    if schema == Schema::LmEval {
        let others = [
            "resps",
            "filter",
            "acc",
            "acc_norm",
            "acc_mutual_info",
            "arguments.*.arg_1",
            "arguments.*.1",
        ];
        wanted.extend(others.map(str::to_owned));
        let names = [
            "gold",
            "label",
            "answer",
            "answerKey",
            "answer_idx",
            "answer_index",
            "correct",
        ];
        match &fields.label {
            Some(gold) => wanted.push(gold.clone()),
            None => wanted.extend(names.map(|name| format!("doc.{name}"))),
        }
        if fields.group.is_none() {
            wanted[GROUP] = "doc_id".to_owned();
        }
    }
    wanted
}
