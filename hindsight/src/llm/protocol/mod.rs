//! `hindsight llm protocol`.

use std::path::PathBuf;

use llm_metrics::Error;
use llm_metrics::recalibrate::{ProtocolLog, in_context_protocol};

use super::{fault, opened, plots};
use crate::document::{Outputs, Run};
use crate::error::{CliError, Complain as _, Place};

mod report;

const EXAMPLES: &str = "\
A log has one line per item and prompt, as JSON lines or CSV (an array in a CSV cell is written \"[0.1, -2.3]\"):
  {\"shots\": 4, \"seed\": 1, \"regime\": \"test\", \"item\": 17, \"logits\": [0.3, -1.2], \"label\": 0}

  shots   number of demonstrations in the prompt
  seed    which draw of demonstrations: a number or a name
  regime  test, or what recalibration maps are fitted on:
            zero-shot  items under prompts without demonstrations; without shots and seed they serve all prompts
            fresh      items under prompts with as many demonstrations, freshly drawn
            same       items under the very prompt of the test
  logits  one score per label (or logprobs, or probs that sum to 1)
  label   the right label: its number from 0, or its letter
  item    name of the item, if given: an item must not serve both the fit and the test of one prompt

Examples:
  hindsight llm protocol sst2.jsonl
  hindsight llm protocol runs/*.jsonl.gz --bins 15 --report protocol.html";

/// Arguments of `hindsight llm protocol`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::llm) struct Args {
    /// Logs of label scores under prompts with different numbers of shots and seeds; their form is told below.
    #[arg(required = true, value_name = "LOG")]
    files: Vec<PathBuf>,
    /// Number of bins of equal width; the paper has 10.
    #[arg(long, default_value_t = 10)]
    bins: usize,
    #[command(flatten)]
    outputs: Outputs,
}

/// Runs `hindsight llm protocol`.
pub(in crate::llm) fn run(args: &Args) -> Result<(), CliError> {
    let files = args.files.iter().map(PathBuf::as_path);
    let run = Run::begin("llm protocol", &args.outputs, None, files)?;
    if !(1..=4096).contains(&args.bins) {
        return Err(CliError::argument(
            "--bins",
            args.bins,
            "must be between 1 and 4096",
        ));
    }
    let mut log = ProtocolLog::default();
    for file in &args.files {
        log.read(opened(run.inputs(), file)?)
            .map_err(|e| fault(file, e))?;
    }
    let word = |e| match e {
        Error::SharedItem {
            log,
            line,
            shots,
            seed,
            test,
        } => Place::file(args.files.get(log).unwrap_or(&args.files[0]))
            .line(line)
            .column("item")
            .error(format!(
                "the item is also in the test of shots {shots}, seed {seed} (line {test})"
            )),
        other => fault(&args.files[0], other),
    };
    let rows = log
        .runs()
        .and_then(|runs| in_context_protocol(&runs, args.bins))
        .map_err(word)?;
    report::report(args, &rows, &run)
}
