//! Examples at the end of the help of `hindsight llm`.

pub(super) const CALIBRATION: &str = "\
Examples:
  Confidences and outcomes (conf, correct), the page with the reliability diagram:
    hindsight llm calibration answers.jsonl --report calibration.html

  Samples of lm-evaluation-harness, several files at once:
    hindsight llm calibration samples_*.jsonl.gz

  Other names of the fields, for each topic on its own:
    hindsight llm calibration answers.csv --conf p_true --correct graded --group topic";

pub(super) const RECALIBRATE: &str = "\
Examples:
  Fit on one half, judge on the other:
    hindsight llm recalibrate answers.jsonl

  Save the map, apply it to another log:
    hindsight llm recalibrate answers.jsonl --save map.json
    hindsight llm recalibrate new.jsonl --apply map.json";

pub(super) const PASSK: &str = "\
Examples:
  One record a response (prompt, correct):
    hindsight llm passk responses.jsonl --k 1 --k 10 --k 100

  One record a problem (n, c):
    hindsight llm passk problems.csv --report passk.html";

pub(super) const CBS: &str = "\
Examples:
  Steps to the target (batch, steps):
    hindsight llm cbs steps.csv

  Loss curves of an export of Weights & Biases:
    hindsight llm cbs export.csv --target 3.2 --interpolate log --report cbs.html";

pub(super) const SCALING: &str = "\
Examples:
  One line a run (params, tokens, loss):
    hindsight llm scaling runs.csv --report scaling.html

  Iso-FLOP profiles (flops, params, loss):
    hindsight llm scaling profiles.csv --isoflop";

pub(super) const NOISE_SCALE: &str = "\
Examples:
  Squared gradient norms (small, big) of batches of 8 and 512:
    hindsight llm noise-scale norms.csv --small-batch 8 --big-batch 512";
