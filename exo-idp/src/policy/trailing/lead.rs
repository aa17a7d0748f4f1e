//! Lead times as an order sees them.

use crate::conventions::Conventions;
use crate::count::count;
use crate::policy::coverage;

/// The law of a product's lead times, as an order sees it.
#[derive(Debug, PartialEq)]
pub(super) struct Lead {
    pub(super) probabilities: Vec<f64>,
    /// Lengths of lead time and review with their probabilities.
    pub(super) spans: Vec<(usize, f64)>,
    /// Probability that a span is longer than h weeks, by h.
    pub(super) survival: Vec<f64>,
    pub(super) mean: f64,
    pub(super) deviation: f64,
}

impl Lead {
    pub(super) fn new(probabilities: &[f64], conventions: &Conventions) -> Self {
        let law = probabilities.iter().copied().enumerate();
        let law = law.filter(|&(_, p)| p > 0.0);
        let spans: Vec<(usize, f64)> = law
            .clone()
            .map(|(lead, p)| (coverage(lead, conventions), p))
            .collect();
        let longest = spans.iter().map(|&(span, _)| span).max().unwrap_or(1);
        let beyond = |h: usize| spans.iter().filter(move |&&(span, _)| span > h);
        let survival = (0..longest)
            .map(|h| beyond(h).map(|&(_, p)| p).sum())
            .collect();
        let moment = |power: i32| {
            law.clone()
                .map(|(l, p)| p * count(l).powi(power))
                .sum::<f64>()
        };
        let mean = moment(1);
        Lead {
            probabilities: probabilities.to_vec(),
            survival,
            mean,
            deviation: (moment(2) - mean * mean).max(0.0).sqrt(),
            spans,
        }
    }

    /// Mean length of lead time and review.
    pub(super) fn cover(&self) -> f64 {
        self.survival.iter().sum()
    }
}
