//! What every model of arrivals does.

use std::fmt::Debug;

use crate::error::{Argument, ArrivalsError};
use crate::log::{Order, Request};

/// A part of an order that arrives at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Piece {
    /// Periods since the order.
    pub time: i64,
    /// Share of the units ordered.
    pub share: f64,
}

/// How one order arrives: its pieces by rising time, none where nothing ever comes.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Path {
    /// The pieces.
    pub pieces: Vec<Piece>,
}

impl Path {
    /// The share of the order that has arrived by a time, that time included.
    #[must_use]
    pub fn by(&self, time: i64) -> f64 {
        let come = self.pieces.iter().take_while(|piece| piece.time <= time);
        come.fold(0.0, |sum, piece| sum + piece.share)
    }

    /// The share of the order that ever arrives.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.by(i64::MAX)
    }

    /// The share of some paths in which nothing comes; of none it is zero.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "numbers of paths")]
    pub fn nothing(paths: &[Path]) -> f64 {
        let none = paths.iter().filter(|path| path.pieces.is_empty());
        none.count() as f64 / paths.len().max(1) as f64
    }

    /// What was received of an order, as shares of it.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        let piece = |receipt: &crate::log::Receipt| Piece {
            time: receipt.time,
            share: receipt.units / order.request.units,
        };
        Path {
            pieces: order.receipts.iter().map(piece).collect(),
        }
    }

    /// Adds a piece; at the time of the last one they are one.
    pub(crate) fn push(&mut self, piece: Piece) {
        match self.pieces.last_mut() {
            Some(last) if last.time == piece.time => last.share += piece.share,
            _ => self.pieces.push(piece),
        }
    }
}

/// A seed, and which of the samples that it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Samples {
    /// The seed.
    pub seed: u64,
    /// The number of the sample.
    pub sample: u32,
}

/// A model of how orders arrive.
///
/// A path depends on the request, the seed, the request's place in the list and the number of the sample alone: two policies whose orders
/// stand at the same places are compared under common random numbers.
pub trait ArrivalModel: Debug + Sync {
    /// Its name.
    fn name(&self) -> &str;

    /// A path for each request.
    ///
    /// # Errors
    /// A request that the model does not know how to read: an unknown vendor, covariates missing, numbers outside their range.
    fn sample(&self, requests: &[Request], samples: Samples) -> Result<Vec<Path>, ArrivalsError>;

    /// `count` paths for each request, `[request][sample]`.
    ///
    /// # Errors
    /// As [`sample`](ArrivalModel::sample); no sample.
    fn samples(
        &self,
        requests: &[Request],
        count: u32,
        seed: u64,
    ) -> Result<Vec<Vec<Path>>, ArrivalsError> {
        if count == 0 {
            let argument = Argument::Samples;
            return Err(ArrivalsError::Empty { argument });
        }
        let mut paths = vec![Vec::new(); requests.len()];
        for sample in 0..count {
            let drawn = self.sample(requests, Samples { seed, sample })?;
            for (paths, path) in paths.iter_mut().zip(drawn) {
                paths.push(path);
            }
        }
        Ok(paths)
    }
}
