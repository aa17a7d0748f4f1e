//! Cross-fitting: every record is recalibrated by a map that never saw it, nor its group.

use super::method::{Calibrator, Method};
use super::status::check_binary;
use super::temperature::Temperature;
use crate::calibration::Logits;
use crate::calibration::Probabilities;
use crate::error::{Allowed, Error, Result, check_len};
use crate::stats::stream::hash;

/// Returns a fold in 0..`folds` for each group: a pure function of the seed and the group's key, so that all records of one document or
/// prompt fall together whatever the order of the log.
///
/// Sizes differ by chance. With as few groups as folds some folds may be empty.
///
/// ```
/// use hindsight_llm_metrics::recalibrate::assign_folds;
/// let folds = assign_folds(&[7, 7, 8], 5, 1)?;
/// assert_eq!(folds[0], folds[1]);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] for fewer than two folds.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // A small count; a remainder below it.
pub fn assign_folds(groups: &[u64], folds: usize, seed: u64) -> Result<Vec<usize>> {
    if folds < 2 {
        return Err(Error::Parameter {
            name: "folds",
            value: folds as f64,
            allowed: Allowed::AtLeast(2.0),
        });
    }
    Ok(groups
        .iter()
        .map(|g| (hash(seed, 0xF01D, *g) % folds as u64) as usize)
        .collect())
}

/// Returns, for each record, the probability by the map of `method` fitted to all records outside its fold, and the maps.
///
/// # Errors
/// As [`Method::fit`] and [`assign_folds`]; [`Error::Length`] for `groups`; [`Error::TooFew`] if all records fall into one fold.
pub fn cross_fit(
    method: Method,
    confidence: &[f64],
    correct: &[bool],
    groups: &[u64],
    folds: usize,
    seed: u64,
) -> Result<(Vec<f64>, Vec<Calibrator>)> {
    check_binary(confidence, correct)?;
    check_len("groups", confidence.len(), groups.len())?;
    let fold = assign_folds(groups, folds, seed)?;
    let mut out = vec![0.0; confidence.len()];
    let mut maps = Vec::with_capacity(folds);
    for f in (0..folds).filter(|f| fold.contains(f)) {
        let rest = || (0..fold.len()).filter(|&i| fold[i] != f);
        let c: Vec<f64> = rest().map(|i| confidence[i]).collect();
        let y: Vec<bool> = rest().map(|i| correct[i]).collect();
        if c.is_empty() {
            return Err(Error::TooFew {
                what: "the number of folds with records",
                needed: 2,
                found: 1,
            });
        }
        let map = method.fit(&c, &y)?;
        for i in (0..fold.len()).filter(|&i| fold[i] == f) {
            out[i] = map.apply(confidence[i]).clamp(0.0, 1.0);
        }
        maps.push(map);
    }
    Ok((out, maps))
}

/// Returns the probabilities of each record at the temperature fitted outside its fold, and the temperatures.
///
/// # Errors
/// As [`Temperature::fit`] and [`cross_fit`].
pub fn cross_fit_temperature(
    logits: &Logits,
    groups: &[u64],
    folds: usize,
    seed: u64,
) -> Result<(Probabilities, Vec<Temperature>)> {
    check_len("groups", logits.len(), groups.len())?;
    let fold = assign_folds(groups, folds, seed)?;
    let k = logits.classes();
    let mut values = vec![0.0; logits.values().len()];
    let mut fits = Vec::with_capacity(folds);
    for f in (0..folds).filter(|f| fold.contains(f)) {
        let outside = logits.subset(|i| fold[i] != f);
        let outside = outside.ok_or(Error::TooFew {
            what: "the number of folds with records",
            needed: 2,
            found: 1,
        })?;
        let fit = Temperature::fit(&outside)?;
        let applied = fit.apply(logits);
        for i in (0..fold.len()).filter(|&i| fold[i] == f) {
            values[i * k..(i + 1) * k].copy_from_slice(&applied.values()[i * k..(i + 1) * k]);
        }
        fits.push(fit);
    }
    Ok((
        Probabilities::new(values, k, logits.labels().to_vec())?,
        fits,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::Binning;
    use crate::recalibrate::PlattTargets;
    use crate::testing::{distorted, uniform};

    #[test]
    fn a_record_never_meets_a_map_that_saw_it() {
        // Pure noise: a histogram of many bins looks calibrated and sharp on its own data, and cannot on held-out data.
        let (conf, y): (Vec<f64>, Vec<bool>) = (0..600)
            .map(|i| (uniform(1, 1, i), uniform(1, 2, i) < 0.5))
            .unzip();
        let method = Method::Histogram(Binning::EqualMass(300));
        let brier = |q: &[f64]| {
            q.iter()
                .zip(&y)
                .map(|(q, y)| (q - f64::from(u8::from(*y))).powi(2))
                .sum::<f64>()
                / 600.0
        };
        let own: Vec<f64> = {
            let m = method.fit(&conf, &y).unwrap();
            conf.iter().map(|c| m.apply(*c)).collect()
        };
        let groups: Vec<u64> = (0..600).collect();
        let (held, maps) = cross_fit(method, &conf, &y, &groups, 5, 1).unwrap();
        assert!(brier(&own) < 0.2 && brier(&held) > 0.25);
        assert_eq!(maps.len(), 5);
    }

    #[test]
    fn groups_stay_together() {
        // Each group has one confidence and one outcome: leaking a group would give it away.
        let groups: Vec<u64> = (0..900).map(|i| i / 3).collect();
        let conf: Vec<f64> = groups.iter().map(|g| uniform(4, 1, *g)).collect();
        let y: Vec<bool> = groups.iter().map(|g| uniform(4, 2, *g) < 0.5).collect();
        let own: Vec<u64> = (0..900).collect();
        let loss = |groups: &[u64]| {
            let (q, _) = cross_fit(
                Method::Histogram(Binning::EqualMass(300)),
                &conf,
                &y,
                groups,
                5,
                2,
            )
            .unwrap();
            q.iter()
                .zip(&y)
                .map(|(q, y)| (q - f64::from(u8::from(*y))).powi(2))
                .sum::<f64>()
                / 900.0
        };
        assert!(loss(&groups) > 0.25);
        assert!(loss(&own) < 0.15, "the planted leak");
    }

    #[test]
    fn every_method_improves_a_distorted_scorer_on_held_out_records() {
        let (conf, y) = distorted(4000, 3, |p| p.powi(3));
        let groups: Vec<u64> = (0..4000).collect();
        let brier = |q: &[f64]| {
            q.iter()
                .zip(&y)
                .map(|(q, y)| (q - f64::from(u8::from(*y))).powi(2))
                .sum::<f64>()
                / 4000.0
        };
        for method in [
            Method::Platt(PlattTargets::Smoothed),
            Method::Platt(PlattTargets::Plain),
            Method::Isotonic,
            Method::Histogram(Binning::EqualMass(15)),
            Method::ScalingBinning(10),
            Method::Beta,
        ] {
            let (q, _) = cross_fit(method, &conf, &y, &groups, 5, 1).unwrap();
            assert!(brier(&q) < brier(&conf) - 0.02, "{method:?}");
        }
    }

    #[test]
    fn one_group_cannot_be_cross_fitted() {
        let r = cross_fit(Method::Isotonic, &[0.5, 0.6], &[true, false], &[1, 1], 2, 1);
        assert!(matches!(r, Err(Error::TooFew { .. })));
        assert!(cross_fit(Method::Isotonic, &[0.5], &[true], &[1], 1, 1).is_err());
    }
}
