//! Maps that are constant on bins: histogram binning and scaling-binning.

use super::platt::{Platt, PlattTargets};
use super::status::{FitStatus, check_binary};
use crate::calibration::Binning;
use crate::calibration::Reliability;
use crate::calibration::{EdgeRule, Edges};
use crate::error::Result;

/// Histogram binning (Zadrozny and Elkan, 2001): each bin answers with its own accuracy, an empty bin with its middle.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HistogramBinning {
    steps: Steps,
}

/// A step function on bins (l, u].
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Steps {
    /// Inner edges.
    cuts: Vec<f64>,
    values: Vec<f64>,
}

impl Steps {
    fn new(edges: &Edges, values: Vec<f64>) -> Self {
        Self {
            cuts: edges.values()[1..edges.len()].to_vec(),
            values,
        }
    }
    fn at(&self, p: f64) -> f64 {
        let bin = self.cuts.partition_point(|e| p > *e);
        self.values.get(bin).copied().unwrap_or(p)
    }
}

impl HistogramBinning {
    /// Returns the fitted map.
    ///
    /// # Errors
    /// [`crate::Error::Length`], [`crate::Error::Empty`], [`crate::Error::OutOfRange`]; [`crate::Error::Parameter`] for the number of bins.
    pub fn fit(confidence: &[f64], correct: &[bool], binning: Binning) -> Result<Self> {
        check_binary(confidence, correct)?;
        let edges = binning.edges(confidence, EdgeRule::UpperClosed)?;
        let table = Reliability::new(confidence, correct, edges.clone())?;
        let middle = |b: &crate::calibration::Bin| f64::midpoint(b.lower(), b.upper());
        let values = table
            .bins()
            .iter()
            .map(|b| b.accuracy().unwrap_or_else(|| middle(b)))
            .collect();
        Ok(Self {
            steps: Steps::new(&edges, values),
        })
    }

    /// Returns the recalibrated probability.
    #[must_use]
    pub fn apply(&self, confidence: f64) -> f64 {
        self.steps.at(confidence)
    }
}

/// Scaling-binning (Kumar, Liang and Ma, 2019): Platt scaling on log-odds, cut into equal-mass bins of its outputs, each of which
/// answers with its mean Platt output. The output takes few values, so that its calibration can be measured.
///
/// The variant of arXiv:2312.04021: maximum-likelihood Platt, 10 bins, one data set for both steps.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ScalingBinning {
    platt: Platt,
    steps: Steps,
}

impl ScalingBinning {
    /// Returns the fitted map with at most `bins` values.
    ///
    /// # Errors
    /// [`crate::Error::Length`], [`crate::Error::Empty`], [`crate::Error::OutOfRange`]; [`crate::Error::Parameter`] for `bins`.
    pub fn fit(confidence: &[f64], correct: &[bool], bins: usize) -> Result<Self> {
        let platt = Platt::fit(confidence, correct, PlattTargets::Plain)?;
        let scaled: Vec<f64> = confidence.iter().map(|c| platt.apply(*c)).collect();
        let edges = Edges::equal_mass(&scaled, bins, EdgeRule::UpperClosed)?;
        let table = Reliability::new(&scaled, correct, edges.clone())?;
        let middle = |b: &crate::calibration::Bin| f64::midpoint(b.lower(), b.upper());
        let values = table
            .bins()
            .iter()
            .map(|b| b.confidence().unwrap_or_else(|| middle(b)))
            .collect();
        Ok(Self {
            platt,
            steps: Steps::new(&edges, values),
        })
    }

    /// Returns the recalibrated probability.
    #[must_use]
    pub fn apply(&self, confidence: f64) -> f64 {
        self.steps.at(self.platt.apply(confidence))
    }
    /// Returns how the Platt step ended.
    #[must_use]
    pub fn status(&self) -> FitStatus {
        self.platt.status()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::distorted;

    #[test]
    fn histogram_binning_is_calibrated_on_its_own_data() {
        let (conf, y) = distorted(2000, 1, |p| p * p);
        for binning in [Binning::EqualWidth(12), Binning::EqualMass(12)] {
            let map = HistogramBinning::fit(&conf, &y, binning).unwrap();
            let after: Vec<f64> = conf.iter().map(|c| map.apply(*c)).collect();
            let edges = Edges::equal_width(4096, EdgeRule::default()).unwrap();
            assert!(Reliability::new(&after, &y, edges).unwrap().max() < 1e-9);
        }
    }

    #[test]
    fn scaling_binning_takes_few_values_and_keeps_the_mean() {
        let (conf, y) = distorted(2000, 1, |p| p * p);
        let map = ScalingBinning::fit(&conf, &y, 10).unwrap();
        let mut after: Vec<f64> = conf.iter().map(|c| map.apply(*c)).collect();
        let mean = after.iter().sum::<f64>() / 2000.0;
        // Platt's intercept equation and averaging within bins both preserve the total.
        assert!((mean - y.iter().filter(|y| **y).count() as f64 / 2000.0).abs() < 1e-9);
        after.sort_by(f64::total_cmp);
        after.dedup();
        assert_eq!(after.len(), 10);
    }

    #[test]
    fn an_empty_bin_answers_with_its_middle() {
        let map =
            HistogramBinning::fit(&[0.1, 0.9], &[false, true], Binning::EqualWidth(10)).unwrap();
        assert!((map.apply(0.55) - 0.55).abs() < 1e-12);
        assert!(map.apply(0.9) == 1.0);
    }
}
