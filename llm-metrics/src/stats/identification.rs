//! Whether the data tell the constants of a fit apart.

use nalgebra::{DMatrix, SVD};

/// Whether the data determine the constants of a fit.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case", tag = "status"))]
#[non_exhaustive]
pub enum Identification {
    /// They do.
    Identified {
        /// Smallest over largest singular value of the Jacobian, its columns scaled to length 1.
        singular_ratio: f64,
    },
    /// They do not: along a direction the fit hardly changes, so that single constants mean nothing, though predictions near the data may.
    NotIdentified {
        /// Why.
        cause: Cause,
        /// Smallest over largest singular value of the Jacobian, its columns scaled to length 1.
        singular_ratio: f64,
        /// The free direction: each constant (or its logarithm) with its part, a vector of length 1.
        direction: Vec<(&'static str, f64)>,
    },
}

/// Why the constants are not determined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Cause {
    /// Tokens follow parameters by a power law in all runs, as on a ladder of 20 tokens a parameter: their exponents are confounded.
    TokensFollowParameters,
    /// All runs have the same number of parameters.
    OneModelSize,
    /// All runs have the same number of tokens.
    OneTokenCount,
    /// Steps fall like 1/B over all batch sizes, within the noise: the data do not bound the critical batch size.
    StepsInverseToBatch,
    /// The Jacobian is singular, or a constant uncertain by more than a factor of 20.
    WeakDesign,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Cause::TokensFollowParameters => {
                "tokens follow parameters in all runs, so that their exponents are confounded"
            }
            Cause::OneModelSize => "all runs have the same number of parameters",
            Cause::OneTokenCount => "all runs have the same number of tokens",
            Cause::StepsInverseToBatch => {
                "steps fall like 1/batch over all batch sizes, so that there is no critical batch in the data"
            }
            Cause::WeakDesign => "the runs are too alike, or too noisy, to tell the constants apart",
        })
    }
}

impl Identification {
    /// Returns whether the constants are determined.
    #[must_use]
    pub fn is_identified(&self) -> bool {
        matches!(self, Identification::Identified { .. })
    }
    /// Returns the cause where they are not.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        match self {
            Identification::NotIdentified { cause, .. } => Some(*cause),
            Identification::Identified { .. } => None,
        }
    }
}

/// The Jacobian of a fit, one row an observation.
pub(crate) struct Jacobian<const P: usize> {
    /// Smallest over largest singular value after scaling.
    pub(crate) ratio: f64,
    /// The unscaled right singular vector of the smallest singular value.
    pub(crate) direction: [f64; P],
    /// $(J^\top J)^{-1}$, infinite on its diagonal if singular.
    pub(crate) inverse_diagonal: [f64; P],
}

impl<const P: usize> Jacobian<P> {
    /// Returns the analysis of at least `P` rows; of fewer, a ratio of 0.
    pub(crate) fn new(rows: &[[f64; P]]) -> Self {
        let mut out = Self {
            ratio: 0.0,
            direction: [0.0; P],
            inverse_diagonal: [f64::INFINITY; P],
        };
        let lengths: [f64; P] =
            std::array::from_fn(|k| rows.iter().map(|r| r[k] * r[k]).sum::<f64>().sqrt());
        let finite = rows.iter().flatten().all(|v| v.is_finite());
        let n = rows.len().max(P);
        let scaled = DMatrix::from_fn(n, P, |i, k| match rows.get(i) {
            Some(row) if finite && lengths[k] > 0.0 => row[k] / lengths[k],
            _ => 0.0,
        });
        let svd = SVD::new(scaled, false, true);
        let Some(v) = &svd.v_t else {
            return out;
        };
        let values = &svd.singular_values;
        let (mut least, mut most) = (0, 0);
        for k in 0..P {
            if values[k] < values[least] {
                least = k;
            }
            if values[k] > values[most] {
                most = k;
            }
        }
        if values[most] > 0.0 && finite {
            out.ratio = values[least] / values[most];
        }
        let longest = lengths.iter().copied().fold(0.0, f64::max);
        out.direction = match lengths.iter().position(|l| !(*l > 1e-150 * longest)) {
            // A constant that nothing depends on is free by itself.
            Some(free) => std::array::from_fn(|k| f64::from(u8::from(k == free))),
            None => {
                let free: [f64; P] =
                    std::array::from_fn(|k| v[(least, k)] * (longest / lengths[k]));
                let most = free.iter().fold(0.0f64, |m, x| m.max(x.abs()));
                let length = most * free.iter().map(|x| (x / most).powi(2)).sum::<f64>().sqrt();
                free.map(|x| x / length)
            }
        };
        if out.ratio > 1e-14 {
            out.inverse_diagonal = std::array::from_fn(|k| {
                (0..P).map(|j| (v[(j, k)] / values[j]).powi(2)).sum::<f64>()
                    / (lengths[k] * lengths[k])
            });
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependent_column_is_found_with_its_direction() {
        let rows: Vec<[f64; 3]> = (0..10)
            .map(f64::from)
            .map(|x| [1.0, x, 3.0 - 2.0 * x])
            .collect();
        let j = Jacobian::new(&rows);
        assert!(j.ratio < 1e-12, "{}", j.ratio);
        // 3 * first - 2 * second - third = 0.
        let scale = j.direction[2] / -1.0;
        for (d, want) in j.direction.iter().zip([3.0, -2.0, -1.0]) {
            assert!((d / scale - want).abs() < 1e-9, "{:?}", j.direction);
        }
        assert!(j.inverse_diagonal.iter().all(|v| v.is_infinite()));
    }

    #[test]
    fn the_inverse_is_that_of_the_normal_equations() {
        let rows: Vec<[f64; 2]> = (0..5).map(|i| [1.0, f64::from(i)]).collect();
        let j = Jacobian::new(&rows);
        // Sum of squares about the mean 10: variance of the slope 1/10, of the intercept 1/5 + 4/10.
        assert!(
            (j.inverse_diagonal[1] - 0.1).abs() < 1e-12
                && (j.inverse_diagonal[0] - 0.6).abs() < 1e-12
        );
        assert!(Jacobian::<3>::new(&[[1.0, 2.0, f64::NAN]]).ratio == 0.0);
    }
}
