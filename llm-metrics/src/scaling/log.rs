//! Logs of training runs for scaling laws.

use std::io::BufRead;

use crate::error::Result;
use crate::io::{Rows, usual};
use crate::verification::training_flops;

/// Names of the fields of a log with one record per training run, where they differ from the usual ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScalingLog {
    /// Parameters (`params`, `parameters`, `n_params`, `model_size`, `N`).
    pub parameters: Option<String>,
    /// Training tokens (`tokens`, `training_tokens`, `n_tokens`, `D`).
    pub tokens: Option<String>,
    /// Compute (`flops`, `FLOPs`, `compute`, `training_flops`, `C`).
    pub flops: Option<String>,
    /// Final loss (`loss`, `final_loss`, `val_loss`, `eval/loss`, `L`).
    pub loss: Option<String>,
}

/// Training runs, one entry each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrainingRuns {
    /// Parameters.
    pub parameters: Vec<f64>,
    /// Tokens.
    pub tokens: Vec<f64>,
    /// Compute in FLOPs.
    pub flops: Vec<f64>,
    /// Final loss.
    pub loss: Vec<f64>,
}

/// The usual names of parameters, tokens, compute and loss.
const USUAL: [&[&str]; 4] = [
    &["params", "parameters", "n_params", "model_size", "N"],
    &["tokens", "training_tokens", "n_tokens", "D"],
    &["flops", "FLOPs", "compute", "training_flops", "C"],
    &["loss", "final_loss", "val_loss", "eval/loss", "L"],
];
const PARAMETERS: usize = 0;
const TOKENS: usize = 1;
const FLOPS: usize = 2;
const LOSS: usize = 3;

impl ScalingLog {
    /// Reads a log. Of tokens and compute either may be left out: it follows from C = 6 N D. Quantities may be written `70M`, `1.4T`.
    ///
    /// ```
    /// use hindsight_llm_metrics::scaling::ScalingLog;
    /// let runs = ScalingLog::default().read(&b"N,C,loss\n70M,8.4e17,3.1\n"[..])?;
    /// assert!((runs.tokens[0] - 2e9).abs() < 1.0);
    /// # Ok::<(), hindsight_llm_metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Log`](crate::Error::Log), with the line: a field is missing, or a value is not positive.
    pub fn read<R: BufRead>(&self, reader: R) -> Result<TrainingRuns> {
        let mut rows = Rows::new::<&str>(reader, &[])?;
        let given = [&self.parameters, &self.tokens, &self.flops, &self.loss];
        let fields: Vec<String> = given
            .into_iter()
            .zip(USUAL)
            .map(|(given, names)| usual(given.as_deref(), names, rows.found()))
            .collect();
        let has = |field: usize| rows.found().contains(&fields[field]);
        let (by_compute, with_compute) = (!has(TOKENS) && has(FLOPS), has(FLOPS));
        rows.select(&fields)?;
        let mut runs = TrainingRuns::default();
        rows.each(|rows, row| {
            let positive = |field: usize| rows.positive(row, field);
            let (n, loss) = (positive(PARAMETERS)?, positive(LOSS)?);
            let (tokens, flops) = if by_compute {
                let flops = positive(FLOPS)?;
                (flops / (6.0 * n), flops)
            } else {
                let tokens = positive(TOKENS)?;
                let flops = if with_compute {
                    positive(FLOPS)?
                } else {
                    training_flops(n, tokens)
                };
                (tokens, flops)
            };
            runs.parameters.push(n);
            runs.tokens.push(tokens);
            runs.flops.push(flops);
            runs.loss.push(loss);
            Ok(())
        })?;
        Ok(runs)
    }
}
