//! Logs of evaluation tools, recognised by their records' fields, and where these keep what is asked of them.

use super::row::{Cell, Row};

/// A tool whose records have a known shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tool {
    /// Samples of inspect_ai (`.json`, `.eval`).
    InspectAi,
    /// Events of OpenAI's evals; those of type `match` are records.
    OpenAiEvals,
    /// Results of promptfoo (`output.json`).
    Promptfoo,
    /// Test cases of DeepEval.
    DeepEval,
    /// `per_instance_stats.json` of HELM.
    Helm,
    /// Responses of the OpenAI interface, or of vLLM, with log-probabilities of the answer's first token.
    ChatCompletions,
    /// Samples of lm-evaluation-harness.
    Harness,
}

/// Names of HELM's statistics that say whether an instance was answered right, by preference.
pub(super) const HELM_CORRECT: [&str; 11] = [
    "exact_match",
    "quasi_exact_match",
    "prefix_exact_match",
    "quasi_prefix_exact_match",
    "final_number_exact_match",
    "exact_match_indicator",
    "chain_of_thought_correctness",
    "math_equiv",
    "math_equiv_chain_of_thought",
    "code_eval_acc",
    "pass",
];

/// Where a response has the log-probabilities of its first token: of the completions interface, of batches of either, of the responses interface, of
/// vLLM's own outputs.
const FIRST_TOKEN: [&str; 5] = [
    "choices.0.logprobs.top_logprobs.0",
    "response.body.choices.0.logprobs.content.0.top_logprobs",
    "response.body.choices.0.logprobs.top_logprobs.0",
    "output.*.content.*.logprobs.0.top_logprobs",
    "outputs.0.logprobs.0",
];

impl Tool {
    /// The tool whose records have the given fields.
    pub(super) fn of(found: &[String]) -> Option<Self> {
        let has = |names: &[&str]| names.iter().all(|n| found.iter().any(|f| f == n));
        let any = |names: &[&str]| names.iter().any(|n| has(&[n]));
        if has(&["resps", "doc_id"]) {
            Some(Tool::Harness)
        } else if has(&["epoch"]) && any(&["scores", "score"]) {
            Some(Tool::InspectAi)
        } else if has(&["spec"]) || has(&["event_id", "sample_id", "type", "data"]) {
            Some(Tool::OpenAiEvals)
        } else if has(&["success"]) && any(&["metricsData", "metrics_data", "metricsMetadata"]) {
            Some(Tool::DeepEval)
        } else if has(&["success"]) && any(&["testIdx", "gradingResult", "promptIdx", "vars"]) {
            Some(Tool::Promptfoo)
        } else if has(&["instance_id", "stats"]) {
            Some(Tool::Helm)
        } else if has(&["choices"]) && any(&["usage", "object", "model", "created"])
            || has(&["custom_id", "response"])
            || has(&["output", "object"])
            || has(&["prompt", "outputs"])
        {
            Some(Tool::ChatCompletions)
        } else {
            None
        }
    }

    /// Where a record says which prompt it answers.
    pub(super) fn prompt(self, found: &[String]) -> &'static str {
        match self {
            Tool::InspectAi => "id",
            Tool::ChatCompletions if found.iter().any(|f| f == "custom_id") => "custom_id",
            Tool::ChatCompletions => "id",
            Tool::OpenAiEvals => "sample_id",
            Tool::Promptfoo if found.iter().any(|f| f == "testIdx") => "testIdx",
            Tool::Promptfoo => "vars.*",
            Tool::DeepEval => "name",
            Tool::Helm => "instance_id",
            Tool::Harness => "doc_id",
        }
    }

    /// Where a record says whether the answer is right.
    pub(super) fn correct(self, found: &[String]) -> Option<&'static str> {
        match self {
            Tool::InspectAi if found.iter().any(|f| f == "scores") => Some("scores.*.value"),
            Tool::InspectAi => Some("score.value"),
            Tool::OpenAiEvals => Some("data.correct"),
            Tool::Promptfoo | Tool::DeepEval => Some("success"),
            Tool::Helm => Some("stats.exact_match"),
            Tool::Harness | Tool::ChatCompletions => None,
        }
    }

    /// Where a record has a confidence, if it has one.
    pub(super) fn confidence(self, found: &[String]) -> Option<&'static str> {
        match self {
            Tool::InspectAi => Some("output.choices.0.logprobs.content.*.logprob"),
            Tool::Promptfoo => Some("score"),
            Tool::DeepEval if found.iter().any(|f| f == "metrics_data") => {
                Some("metrics_data.0.score")
            }
            Tool::DeepEval => Some("metricsData.0.score"),
            Tool::Helm => Some("stats.max_prob"),
            Tool::OpenAiEvals | Tool::Harness | Tool::ChatCompletions => None,
        }
    }

    /// Where a record says which of several answers to one prompt it scores, of which a log must hold one: the harness's filter, promptfoo's prompt (with its provider),
    /// HELM's perturbation.
    pub(super) fn filter(self) -> Option<&'static str> {
        match self {
            Tool::Harness => Some("filter"),
            Tool::Promptfoo => Some("promptIdx"),
            Tool::Helm => Some("perturbation.name"),
            _ => None,
        }
    }

    /// More fields in which a record may have what its own ones lack.
    pub(super) fn others(self) -> Vec<String> {
        match self {
            Tool::Helm => ["stats.*.name.name", "stats.*.mean"]
                .map(str::to_owned)
                .into_iter()
                .chain(HELM_CORRECT.map(|name| format!("stats.{name}")))
                .collect(),
            Tool::ChatCompletions => FIRST_TOKEN.map(str::to_owned).to_vec(),
            Tool::OpenAiEvals => ["data.accuracy", "data.score"].map(str::to_owned).to_vec(),
            _ => Vec::new(),
        }
    }

    /// A hidden field and its values in records, of which the first to be met is kept.
    pub(super) fn kept(self) -> Option<(&'static str, &'static [&'static str])> {
        (self == Tool::OpenAiEvals).then_some(("type", &["match", "metrics"]))
    }
}

/// A statistic of HELM: the value of field number `field`, or, where a list holds the statistics, the mean of the one that the field's path names; `others` is
/// the first of [`Tool::others`].
pub(super) fn helm(row: &Row, field: usize, path: &str, others: usize) -> Option<f64> {
    match row.cell(field) {
        Cell::Number(v) => return Some(*v),
        Cell::Bool(b) => return Some(f64::from(u8::from(*b))),
        _ => {}
    }
    let name = path.strip_prefix("stats.")?;
    let (names, means) = (row.texts(others)?, row.numbers(others + 1)?);
    if names.len() != means.len() {
        return None;
    }
    let at = names.iter().position(|n| n == name)?;
    means.get(at).copied()
}

/// The statistic that says whether an instance was answered right.
pub(super) fn helm_correct(row: &Row, others: usize) -> Option<f64> {
    HELM_CORRECT
        .iter()
        .zip(others + 2..)
        .find_map(|(name, field)| helm(row, field, &format!("stats.{name}"), others))
}
