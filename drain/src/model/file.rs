//! Models as text.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::network::{Network, Size};
use super::{DrainModel, network_numbers};
use crate::error::DrainError;

/// The first line, with the version of the form.
const TITLE: &str = "hindsight-drain model 1";
const DIGEST: &str = "sha256 ";

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
        let mut text = format!("{TITLE}\n{hidden} {rank} {rounds} {}\n", self.options);
        for value in &self.params {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{value:e}");
        }
        let digest = digest(&text);
        text + DIGEST + &digest + "\n"
    }

    /// A model from its text.
    ///
    /// # Errors
    /// Text that is no model, of another version, or not as it was written.
    pub fn from_text(text: &str) -> Result<Self, DrainError> {
        let not_a_model = |line: usize| DrainError::NotAModel { line };
        let title = text.lines().next().unwrap_or_default();
        if title != TITLE {
            return Err(match title.strip_prefix("hindsight-drain model ") {
                Some(version) => DrainError::Version {
                    found: version.to_owned(),
                },
                None => not_a_model(1),
            });
        }
        let end = text
            .rfind(DIGEST)
            .ok_or_else(|| not_a_model(text.lines().count()))?;
        let (body, last) = text.split_at(end);
        let (expected, found) = (digest(body), last[DIGEST.len()..].trim());
        if found != expected {
            return Err(DrainError::Corrupt);
        }
        let mut lines = body.lines().enumerate().skip(1);
        let sizes = lines.next().map(|(_, line)| line).unwrap_or_default();
        let sizes: Vec<usize> = sizes
            .split(' ')
            .map_while(|word| word.parse().ok())
            .collect();
        let &[hidden, rank, rounds, options] = &sizes[..] else {
            return Err(not_a_model(2));
        };
        let number = |(k, line): (usize, &str)| line.parse().map_err(|_| not_a_model(k + 1));
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

fn digest(text: &str) -> String {
    let bytes = Sha256::digest(text.as_bytes());
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
