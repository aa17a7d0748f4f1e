//! Models as text.

use std::fmt::Write;

use gpu::nn::saved;

use super::network::{Network, Size};
use super::{DrainModel, network_numbers};
use crate::error::DrainError;

/// The first line: what it is, and the version of the form.
const KIND: &str = "hindsight-drain model";
const VERSION: u32 = 1;

impl DrainModel {
    /// The model as text: a title with the version, the sizes, a parameter a line, and a digest of all that. The same bits come back.
    ///
    /// ```
    /// # use hindsight_drain::gpu::Device;
    /// # use hindsight_drain::model::*;
    /// # let costs = UnitCosts::new(1, 1, vec![1.0], vec![1.0], vec![1.0])?;
    /// # let mut log = Log::new(costs);
    /// # log.push(State { stock: vec![2.0], demand: vec![1.0] }, Drain { units: vec![1.0], cost: vec![1.0] })?;
    /// # let model = DrainModel::fit(&log, &Training { steps: 1, ..Training::default() }, &Device::cpu(1))?;
    /// let text = model.to_text();
    /// assert_eq!(DrainModel::from_text(&text)?, model);
    /// assert!(DrainModel::from_text(&text.replacen("e-1", "e-2", 1)).is_err());
    /// # Ok::<(), hindsight_drain::DrainError>(())
    /// ```
    #[must_use]
    pub fn to_text(&self) -> String {
        let Size {
            hidden,
            rank,
            rounds,
        } = self.size;
        let mut text = format!(
            "{KIND} {VERSION}\n{hidden} {rank} {rounds} {}\n",
            self.options
        );
        for value in &self.params {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{value:e}");
        }
        saved::seal(text)
    }

    /// A model from its text.
    ///
    /// # Errors
    /// Text that is no model, of another version, or not as it was written.
    pub fn from_text(text: &str) -> Result<Self, DrainError> {
        let not_a_model = |line: usize| DrainError::NotAModel { line };
        let lines = saved::open(KIND, VERSION, text).map_err(unread)?;
        let mut lines = lines.iter().enumerate().skip(1);
        let sizes = lines.next().map_or("", |(_, line)| line);
        let sizes: Vec<usize> = sizes
            .split(' ')
            .map_while(|word| word.parse().ok())
            .collect();
        let &[hidden, rank, rounds, options] = &sizes[..] else {
            return Err(not_a_model(2));
        };
        let number = |(k, line): (usize, &&str)| line.parse().map_err(|_| not_a_model(k + 1));
        let params = lines.map(number).collect::<Result<Vec<f64>, _>>()?;
        let size = Size {
            hidden,
            rank,
            rounds,
        };
        // The smallest sizes that the parameters could fill, before a network of these sizes is laid out.
        let too_large = [hidden, rank, options].iter().any(|n| *n > params.len());
        if too_large || hidden == 0 || options == 0 {
            return Err(not_a_model(2));
        }
        if Network::new(size, options).params() != params.len() {
            return Err(not_a_model(2));
        }
        network_numbers(&params)?;
        Ok(Self {
            size,
            options,
            params,
        })
    }
}

/// Why a text is no model.
fn unread(error: gpu::Error) -> DrainError {
    match error {
        gpu::Error::NotAModel { line } => DrainError::NotAModel { line },
        gpu::Error::Version { found } => DrainError::Version { found },
        gpu::Error::Corrupt => DrainError::Corrupt,
        other => DrainError::Engine(other),
    }
}
