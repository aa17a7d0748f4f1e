//! The critical batch size of each model of a log, and its law in the model size.

use super::curves::BatchSteps;
use super::fit::BatchFit;
use super::intervals::Resampling;
use super::law::PowerLaw;
use super::options::BatchFitOptions;
use crate::error::Result;
use crate::stats::{Identification, Interval};

/// Steps to the target of one model, by batch size.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ModelSteps {
    /// Its size, in the unit of the log.
    #[cfg_attr(feature = "serde", serde(rename = "model"))]
    pub size: Option<f64>,
    /// Batch sizes.
    pub batch: Vec<f64>,
    /// Steps to the target at each.
    pub steps: Vec<f64>,
    /// Batch sizes at which no run reached the target.
    pub censored: Vec<BatchSteps>,
}

/// Choices of a study.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchStudySettings {
    /// How the curve of steps is fitted.
    pub options: BatchFitOptions,
    /// How many more steps than linear scaling are allowed (0.2: 20 %), positive.
    pub tolerance: f64,
    /// The batch size from which linear scaling is measured, positive.
    pub optimal: f64,
    /// Level of the intervals, between 0 and 1.
    pub level: f64,
    /// Replicates of the residual bootstrap, at least 1.
    pub replicates: usize,
    /// Seed of everything drawn.
    pub seed: u64,
}

impl Default for BatchStudySettings {
    fn default() -> Self {
        Self {
            options: BatchFitOptions::default(),
            tolerance: 0.2,
            optimal: 256.0,
            level: 0.95,
            replicates: 1000,
            seed: 0,
        }
    }
}

/// The critical batch size of one model.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ModelBatch {
    /// The steps that it is read off.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub model: ModelSteps,
    /// The critical batch size, where the data determine it.
    pub critical_batch: Option<f64>,
    /// Whether they do.
    pub identification: Identification,
    /// Its interval: profile likelihood, open above where the data do not bound it; with a free exponent the delta method.
    pub interval: Option<Interval>,
    /// Percentiles of the residual bootstrap.
    pub bootstrap: Option<Interval>,
    /// The curve of steps.
    pub fit: BatchFit,
}

/// The critical batch sizes of all models of a log.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct BatchStudy {
    /// The tolerance of the definition.
    pub tolerance: f64,
    /// Its reference batch size.
    pub optimal: f64,
    /// Level of the intervals.
    pub level: f64,
    /// One result a model, by rising size.
    pub models: Vec<ModelBatch>,
    /// The power law in the model size, of at least three models whose critical batch size is determined.
    pub law: Option<PowerLaw>,
}

impl BatchStudy {
    /// Fits every model and the law through them.
    ///
    /// ```
    /// use hindsight_llm_metrics::batch_size::{BatchStudy, BatchStudySettings, ModelSteps};
    /// let batch = vec![64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0];
    /// let steps = batch.iter().map(|b| 1000.0 + 1e6 / b).collect();
    /// let model = ModelSteps { batch, steps, ..ModelSteps::default() };
    /// let study = BatchStudy::new(vec![model], &BatchStudySettings::default())?;
    /// assert!((study.models[0].critical_batch.unwrap() - 507.2).abs() < 1e-6 && study.law.is_none());
    /// # Ok::<(), hindsight_llm_metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`BatchFit::fit`] and [`BatchFit::critical_batch`]; [`crate::Error::Parameter`] for a setting.
    pub fn new(models: Vec<ModelSteps>, settings: &BatchStudySettings) -> Result<Self> {
        crate::error::check_level(settings.level)?;
        let fitted = models.into_iter().map(|m| ModelBatch::new(m, settings));
        let mut study = Self {
            tolerance: settings.tolerance,
            optimal: settings.optimal,
            level: settings.level,
            models: fitted.collect::<Result<_>>()?,
            law: None,
        };
        let (sizes, batches): (Vec<f64>, Vec<f64>) = study.sizes().unzip();
        if sizes.len() >= 3 {
            study.law = PowerLaw::fit(&[&sizes], &batches).ok();
        }
        Ok(study)
    }

    /// Returns size and critical batch size of the models that have both: what the law is fitted to.
    pub fn sizes(&self) -> impl Iterator<Item = (f64, f64)> {
        let models = self.models.iter();
        models.filter_map(|m| Some((m.model.size?, m.critical_batch?)))
    }
}

impl ModelBatch {
    fn new(model: ModelSteps, s: &BatchStudySettings) -> Result<Self> {
        let fit = BatchFit::fit(&model.batch, &model.steps, s.options)?;
        let critical = fit.critical_batch(s.tolerance, s.optimal)?;
        let identification = fit.identification();
        let identified = identification.is_identified();
        let interval = if s.options.free_exponent {
            fit.delta_interval(s.tolerance, s.optimal, s.level)
        } else {
            fit.profile_interval(s.tolerance, s.optimal, s.level)
        };
        let resampled = || {
            fit.bootstrap_interval(
                s.tolerance,
                s.optimal,
                s.level,
                Resampling::Residuals,
                s.replicates.max(1),
                s.seed,
            )
        };
        Ok(Self {
            critical_batch: identified.then_some(critical),
            // Without a critical batch size an interval says above what it lies; of steps that are exactly 1/batch by rounding errors alone.
            interval: interval.ok().filter(|i| {
                identified || fit.residual_sd > 1e-9 && i.upper.is_infinite() && i.lower.is_finite()
            }),
            bootstrap: identified.then(resampled).and_then(Result::ok),
            model,
            identification,
            fit,
        })
    }
}
