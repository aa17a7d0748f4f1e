//! Shares that have arrived, period by period.

use std::ops::RangeInclusive;

use crate::sampler::Path;

/// The share of an order that has arrived by each period: its mean over some paths, and the range that holds four fifths of them.
///
/// ```
/// use hindsight_arrivals::{Curve, Path, Piece};
/// let whole = Path { pieces: vec![Piece { time: 1, share: 1.0 }] };
/// let curve = Curve::of(&[whole, Path::default()], 0..=2);
/// assert_eq!(curve.mean, [0.0, 0.5, 0.5]);
/// assert_eq!((curve.low[2], curve.high[2]), (0.0, 1.0));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Curve {
    /// The first period; the others follow.
    pub first: i64,
    /// The mean.
    pub mean: Vec<f64>,
    /// The tenth percentile.
    pub low: Vec<f64>,
    /// The ninetieth percentile.
    pub high: Vec<f64>,
}

impl Curve {
    /// The curve of some paths; of none it is zero.
    #[must_use]
    pub fn of(paths: &[Path], periods: RangeInclusive<i64>) -> Self {
        let mut curve = Curve {
            first: *periods.start(),
            mean: Vec::new(),
            low: Vec::new(),
            high: Vec::new(),
        };
        let last = paths.len().saturating_sub(1);
        for period in periods {
            let mut shares: Vec<f64> = paths.iter().map(|path| path.by(period)).collect();
            shares.sort_by(f64::total_cmp);
            let at = |rank: usize| shares.get(rank).copied().unwrap_or(0.0);
            #[expect(clippy::cast_precision_loss, reason = "numbers of paths")]
            let count = paths.len().max(1) as f64;
            curve.mean.push(shares.iter().sum::<f64>() / count);
            curve.low.push(at(last / 10));
            curve.high.push(at(last - last / 10));
        }
        curve
    }

    /// Periods and values as points, one of the lists of this curve.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "periods")]
    pub fn points(&self, values: &[f64]) -> Vec<(f64, f64)> {
        let periods = (self.first..).map(|period| period as f64);
        periods.zip(values.iter().copied()).collect()
    }
}
