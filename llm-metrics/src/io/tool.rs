//! Logs of evaluation tools, recognised by their records' fields, and where these keep what is asked of them.

use super::row::Row;

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
const HELM_CORRECT: [&str; 4] = [
    "exact_match",
    "quasi_exact_match",
    "prefix_exact_match",
    "quasi_prefix_exact_match",
];

impl Tool {
    /// The tool whose records have the given fields.
    pub(super) fn of(found: &[String]) -> Option<Self> {
        let has = |names: &[&str]| names.iter().all(|n| found.iter().any(|f| f == n));
        let any = |names: &[&str]| names.iter().any(|n| has(&[n]));
        if has(&["resps", "doc_id"]) {
            Some(Tool::Harness)
        } else if has(&["epoch", "scores"]) {
            Some(Tool::InspectAi)
        } else if has(&["spec"]) || has(&["event_id", "sample_id", "type", "data"]) {
            Some(Tool::OpenAiEvals)
        } else if has(&["success"]) && any(&["metricsData", "metrics_data", "metricsMetadata"]) {
            Some(Tool::DeepEval)
        } else if has(&["success"]) && any(&["testIdx", "gradingResult", "promptIdx", "vars"]) {
            Some(Tool::Promptfoo)
        } else if has(&["instance_id", "stats"]) {
            Some(Tool::Helm)
        } else if has(&["choices"]) && any(&["usage", "object", "model", "created"]) {
            Some(Tool::ChatCompletions)
        } else {
            None
        }
    }

    /// Where a record says which prompt it answers.
    #[must_use]
    pub fn prompt(self) -> &'static str {
        match self {
            Tool::InspectAi | Tool::ChatCompletions => "id",
            Tool::OpenAiEvals => "sample_id",
            Tool::Promptfoo => "testIdx",
            Tool::DeepEval => "name",
            Tool::Helm => "instance_id",
            Tool::Harness => "doc_id",
        }
    }

    /// Where a record says whether the answer is right.
    #[must_use]
    pub fn correct(self) -> Option<&'static str> {
        match self {
            Tool::InspectAi => Some("scores.*.value"),
            Tool::OpenAiEvals => Some("data.correct"),
            Tool::Promptfoo | Tool::DeepEval => Some("success"),
            Tool::Helm => Some("stats.*.mean"),
            Tool::Harness | Tool::ChatCompletions => None,
        }
    }

    /// Where a record has a confidence, if it has one.
    #[must_use]
    pub fn confidence(self) -> Option<&'static str> {
        match self {
            Tool::InspectAi => Some("output.choices.0.logprobs.content.*.logprob"),
            Tool::Promptfoo => Some("score"),
            Tool::DeepEval => Some("metricsData.0.score"),
            Tool::Helm => Some("stats.*.mean"),
            Tool::OpenAiEvals | Tool::Harness | Tool::ChatCompletions => None,
        }
    }

    /// A hidden field and the value of it that records have.
    pub(super) fn kept(self) -> Option<(&'static str, &'static str)> {
        (self == Tool::OpenAiEvals).then_some(("type", "match"))
    }
}

/// HELM keeps one list of statistics: the mean of the one that is asked for.
pub(super) fn helm(row: &Row, names: usize, means: usize, confidence: bool) -> Option<f64> {
    let (names, means) = (row.texts(names)?, row.numbers(means)?);
    if names.len() != means.len() {
        return None;
    }
    let wanted: &[&str] = if confidence {
        &["max_prob"]
    } else {
        &HELM_CORRECT
    };
    let at = wanted
        .iter()
        .find_map(|w| names.iter().position(|n| n == w))?;
    means.get(at).copied()
}
