//! What a fitted scaling law says: its constants and the optimal sizes at compute budgets.

use super::chinchilla::{Chinchilla, ChinchillaFit, ChinchillaIntervals};
use crate::error::Result;
use crate::stats::{Identification, Interval};

/// Parameters and tokens that minimise the fitted loss at a compute budget.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct OptimalSize {
    /// The budget, 6 N D.
    pub flops: f64,
    /// Parameters N.
    pub parameters: f64,
    /// Tokens D.
    pub tokens: f64,
    /// The loss there.
    pub loss: f64,
    /// Interval of the parameters: percentiles over refits to resampled runs.
    pub parameters_interval: Option<Interval>,
    /// Interval of the tokens.
    pub tokens_interval: Option<Interval>,
}

/// A fitted law with what follows from it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ScalingStudy {
    /// The law.
    pub fit: Chinchilla,
    /// Whether the runs determine it.
    pub identification: Identification,
    /// Profile-likelihood intervals of the constants, where they do.
    pub intervals: Option<ChinchillaIntervals>,
    /// How the optimal parameters grow with compute.
    pub optimal_exponent: f64,
    /// Its interval: percentiles over refits.
    pub optimal_exponent_interval: Option<Interval>,
    /// Optimal sizes; none where the law is not identified, since they would mean nothing.
    pub optimal: Vec<OptimalSize>,
    /// Level of the intervals.
    pub level: f64,
}

impl ScalingStudy {
    /// Returns the study of a fit at compute `budgets`.
    ///
    /// ```
    /// use hindsight_llm_metrics::scaling::{ChinchillaOptions, ScalingStudy, fit_chinchilla};
    /// let (mut n, mut d, mut l) = (vec![], vec![], vec![]);
    /// for i in 0..4 {
    ///     for j in 0..4 {
    ///         n.push(1e8 * 4f64.powi(i));
    ///         d.push(1e9 * 6f64.powi(j));
    ///         l.push(1.8 + 480.0 * n[n.len() - 1].powf(-0.35) + 2000.0 * d[d.len() - 1].powf(-0.37));
    ///     }
    /// }
    /// let fit = fit_chinchilla(&n, &d, &l, ChinchillaOptions { replicates: 0, ..ChinchillaOptions::default() })?;
    /// let study = ScalingStudy::new(&fit, &[1e21])?;
    /// let size = study.optimal[0];
    /// assert!((6.0 * size.parameters * size.tokens / 1e21 - 1.0).abs() < 1e-9);
    /// # Ok::<(), hindsight_llm_metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Chinchilla::optimal`].
    pub fn new(fit: &ChinchillaFit, budgets: &[f64]) -> Result<Self> {
        let size = |flops: &f64| -> Result<OptimalSize> {
            let (parameters, tokens) = fit.law.optimal(*flops)?;
            let intervals = fit.optimal_intervals(*flops)?;
            Ok(OptimalSize {
                flops: *flops,
                parameters,
                tokens,
                loss: fit.law.loss(parameters, tokens),
                parameters_interval: intervals.map(|i| i.0),
                tokens_interval: intervals.map(|i| i.1),
            })
        };
        let budgets = budgets
            .iter()
            .filter(|_| fit.identification.is_identified());
        Ok(Self {
            optimal: budgets.map(size).collect::<Result<_>>()?,
            fit: fit.law,
            identification: fit.identification.clone(),
            intervals: fit.intervals,
            optimal_exponent: fit.law.optimal_exponent(),
            optimal_exponent_interval: fit.optimal_exponent_interval(),
            level: fit.level,
        })
    }
}
