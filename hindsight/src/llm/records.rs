//! Options that name the fields of a log, for the commands that read calibration records.

use llm_metrics::io::Fields;

/// Names of a log's fields.
#[derive(Debug, clap::Args)]
pub(super) struct FieldArgs {
    /// Field of the confidence, if not conf or confidence (in JSON a path: meta.conf).
    #[arg(long, value_name = "FIELD")]
    conf: Option<String>,
    /// Field of the outcome, if not correct.
    #[arg(long, value_name = "FIELD")]
    correct: Option<String>,
    /// Field of the class probabilities, if not probs or probabilities.
    #[arg(long, value_name = "FIELD")]
    probs: Option<String>,
    /// Field of the class logits or log-probabilities, if not logits or logprobs.
    #[arg(long, value_name = "FIELD")]
    logits: Option<String>,
    /// Field of the label (a class number from 0, or a letter), if not label; in lm-evaluation-harness samples the target, or a field of doc where
    /// the target names no choice.
    #[arg(long, value_name = "FIELD")]
    label: Option<String>,
    /// What a number in that field of lm-evaluation-harness samples starts from (0 or 1), where the samples' own acc does not show it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=1))]
    first_label: Option<u8>,
    /// Classes by name and in order, of a log that gives numbers by name (tokens with log-probabilities, say): these are taken and normalised.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    classes: Vec<String>,
    /// Divide the log-likelihoods of lm-evaluation-harness samples by the length of the choice in bytes, as acc_norm has it.
    #[arg(long)]
    per_byte: bool,
    /// Field that names what belongs together: a document, a prompt.
    #[arg(long, value_name = "FIELD")]
    pub(super) group: Option<String>,
    /// The filter to take from lm-evaluation-harness samples (of promptfoo the promptIdx, of HELM the perturbation or none).
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
}

impl FieldArgs {
    pub(super) fn fields(&self) -> Fields {
        Fields {
            confidence: self.conf.clone(),
            correct: self.correct.clone(),
            probabilities: self.probs.clone(),
            logits: self.logits.clone(),
            label: self.label.clone(),
            group: self.group.clone(),
            filter: self.filter.clone(),
            label_from_one: self.first_label.map(|n| n == 1),
            classes: self.classes.clone(),
            per_byte: self.per_byte,
        }
    }
}
