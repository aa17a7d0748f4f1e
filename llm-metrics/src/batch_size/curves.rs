//! Steps to a target loss from validation curves, with the runs that never reach it.

use crate::error::{Allowed, Error, Result, check_finite, check_len};

/// One training run: its batch size and its validation loss at the logged steps.
#[derive(Debug, Clone, PartialEq)]
pub struct LossCurve {
    batch: f64,
    steps: Vec<f64>,
    loss: Vec<f64>,
}

impl LossCurve {
    /// Returns a checked curve.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `batch` is positive; [`Error::Length`], [`Error::Empty`], [`Error::NotFinite`];
    /// [`Error::OutOfRange`] at the first step that is not above the one before (or negative). Step 0, before any training, is allowed.
    pub fn new(batch: f64, steps: Vec<f64>, loss: Vec<f64>) -> Result<Self> {
        crate::error::check_positive("batch", batch)?;
        check_len("loss", steps.len(), loss.len())?;
        check_finite("steps", &steps)?;
        check_finite("loss", &loss)?;
        let mut min = 0.0;
        for (index, &value) in steps.iter().enumerate() {
            let late = if index == 0 {
                value < 0.0
            } else {
                value <= min
            };
            if late {
                return Err(Error::OutOfRange {
                    what: "steps",
                    index,
                    value,
                    min,
                    max: f64::INFINITY,
                });
            }
            min = value;
        }
        Ok(Self { batch, steps, loss })
    }
    /// Returns the batch size.
    #[must_use]
    pub fn batch(&self) -> f64 {
        self.batch
    }
    /// Returns the logged steps.
    #[must_use]
    pub fn steps(&self) -> &[f64] {
        &self.steps
    }
    /// Returns the validation losses.
    #[must_use]
    pub fn loss(&self) -> &[f64] {
        &self.loss
    }
}

/// When a curve has reached the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Crossing {
    /// The first logged step whose loss is strictly below the target: the rule of the authors' notebook. The spacing of evaluations
    /// quantises it.
    #[default]
    FirstLogged,
    /// Interpolated between the two evaluations, linearly in the step.
    Linear,
    /// Interpolated linearly in the logarithm of the step.
    LogLinear,
}

/// Steps to target at one batch size.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct BatchSteps {
    /// Batch size.
    pub batch: f64,
    /// The fewest steps over the runs; `None` if no run reached the target (a censored point).
    pub steps: Option<f64>,
    /// Runs at this batch size.
    pub runs: usize,
    /// Runs that reached the target.
    pub reached: usize,
    /// The last step of the longest run: a lower bound for a censored point, if its runs were as good as they could be.
    pub longest: f64,
    /// Distance to the evaluation before the crossing: how coarse `steps` is; NaN if censored.
    pub spacing: f64,
}

/// Returns, by rising batch size, the fewest steps in which a run went strictly below `target` and stayed there for `sustained`
/// evaluations (1: the first alone decides).
///
/// ```
/// use hindsight_llm_metrics::batch_size::{Crossing, LossCurve, steps_to_target};
/// let runs = [
///     LossCurve::new(64.0, vec![100.0, 200.0, 300.0], vec![3.5, 3.1, 2.9])?,
///     LossCurve::new(128.0, vec![100.0, 200.0], vec![3.4, 3.05])?,
/// ];
/// let s = steps_to_target(&runs, 3.0, Crossing::FirstLogged, 1)?;
/// assert_eq!(s[0].steps, Some(300.0));
/// assert_eq!(s[1].steps, None); // never reached: reported, not dropped
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Empty`] for no runs; [`Error::NotFinite`] for the target; [`Error::Parameter`] for `sustained` = 0.
pub fn steps_to_target(
    runs: &[LossCurve],
    target: f64,
    crossing: Crossing,
    sustained: usize,
) -> Result<Vec<BatchSteps>> {
    if runs.is_empty() {
        return Err(Error::Empty { what: "runs" });
    }
    check_finite("target", &[target])?;
    if sustained == 0 {
        return Err(Error::Parameter {
            name: "sustained",
            value: 0.0,
            allowed: Allowed::AtLeast(1.0),
        });
    }
    let mut order: Vec<&LossCurve> = runs.iter().collect();
    order.sort_by(|a, b| a.batch.total_cmp(&b.batch));
    let groups = order.chunk_by(|a, b| a.batch.total_cmp(&b.batch).is_eq());
    Ok(groups
        .map(|group| {
            let found: Vec<(f64, f64)> = group
                .iter()
                .filter_map(|run| cross(run, target, crossing, sustained))
                .collect();
            let best = found.iter().copied().min_by(|a, b| a.0.total_cmp(&b.0));
            BatchSteps {
                batch: group[0].batch,
                steps: best.map(|b| b.0),
                runs: group.len(),
                reached: found.len(),
                longest: group
                    .iter()
                    .filter_map(|r| r.steps.last().copied())
                    .fold(0.0, f64::max),
                spacing: best.map_or(f64::NAN, |b| b.1),
            }
        })
        .collect())
}

/// The crossing step of a run and the spacing of its evaluations there.
fn cross(run: &LossCurve, target: f64, crossing: Crossing, sustained: usize) -> Option<(f64, f64)> {
    let below = |i: usize| run.loss[i] < target;
    let at = (0..run.loss.len())
        .find(|&i| i + sustained <= run.loss.len() && (i..i + sustained).all(below))?;
    let step = run.steps[at];
    if at == 0 {
        return Some((step, step));
    }
    let before = run.steps[at - 1];
    // A share in (0, 1]; the loss before may itself be below when "sustained" rejected it.
    let share = ((run.loss[at - 1] - target) / (run.loss[at - 1] - run.loss[at])).clamp(0.0, 1.0);
    let share = if share.is_nan() { 1.0 } else { share };
    let steps = match crossing {
        Crossing::FirstLogged => step,
        Crossing::Linear => before + share * (step - before),
        // Step 0 has no logarithm.
        Crossing::LogLinear if before > 0.0 => before * (step / before).powf(share),
        Crossing::LogLinear => step,
    };
    Some((steps, step - before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn crossings_are_ordered_and_exact_on_their_own_curves(a in 0.5f64..3.0, target in 2.1f64..3.9) {
            // Loss 4 - a log10(step), linear in the log: the log-linear crossing is exact whatever the spacing.
            let steps: Vec<f64> = (1..=40).map(|i| 10f64.powf(f64::from(i) / 8.0)).collect();
            let loss: Vec<f64> = steps.iter().map(|s| 4.0 - a * s.log10()).collect();
            let run = [LossCurve::new(8.0, steps, loss).unwrap()];
            let get = |c| steps_to_target(&run, target, c, 1).unwrap()[0].steps;
            let truth = 10f64.powf((4.0 - target) / a);
            if let (Some(first), Some(lin), Some(log)) = (get(Crossing::FirstLogged), get(Crossing::Linear), get(Crossing::LogLinear)) {
                if truth > 1.34 { prop_assert!((log / truth - 1.0).abs() < 1e-9); }
                prop_assert!(log <= lin + 1e-9 && lin <= first + 1e-9);
            } else {
                prop_assert!(truth >= 1e5 * 0.999);
            }
        }
    }

    #[test]
    fn the_best_run_counts_and_a_dip_can_be_refused() {
        let runs = [
            LossCurve::new(2.0, vec![1.0, 2.0, 3.0, 4.0], vec![5.0, 2.9, 3.1, 2.8]).unwrap(),
            LossCurve::new(2.0, vec![1.0, 2.0, 3.0, 4.0], vec![5.0, 4.0, 2.9, 2.8]).unwrap(),
        ];
        let s = steps_to_target(&runs, 3.0, Crossing::FirstLogged, 1).unwrap();
        assert_eq!((s[0].steps, s[0].runs, s[0].reached), (Some(2.0), 2, 2));
        let s = steps_to_target(&runs, 3.0, Crossing::FirstLogged, 2).unwrap();
        assert_eq!((s[0].steps, s[0].reached), (Some(3.0), 1));
        // Strictly below: equality does not reach the target.
        assert_eq!(
            steps_to_target(&runs[1..], 2.8, Crossing::FirstLogged, 1).unwrap()[0].steps,
            None
        );
    }

    #[test]
    fn bad_curves_are_named() {
        assert!(matches!(
            LossCurve::new(2.0, vec![1.0, 1.0], vec![1.0, 1.0]),
            Err(Error::OutOfRange { index: 1, .. })
        ));
        assert!(matches!(
            LossCurve::new(0.0, vec![1.0], vec![1.0]),
            Err(Error::Parameter { .. })
        ));
        assert!(matches!(
            LossCurve::new(2.0, vec![1.0], vec![f64::NAN]),
            Err(Error::NotFinite { .. })
        ));
        assert!(steps_to_target(&[], 1.0, Crossing::Linear, 1).is_err());
    }
}
