//! Gradient clipping.

use crate::kernel::real::Real;

/// Scales the gradient down to norm `limit` where its Euclidean norm is larger, and returns the norm before. A gradient with a
/// value that is not finite becomes zero, so that one bad batch does not spoil the parameters; the returned norm tells.
///
/// ```
/// use hindsight_gpu::optim::clip_norm;
/// let mut g = [3.0_f64, 4.0];
/// assert_eq!(clip_norm(&mut g, 1.0), 5.0);
/// assert!((g[0] - 0.6).abs() < 1e-15);
/// ```
pub fn clip_norm<F: Real>(gradient: &mut [F], limit: f64) -> f64 {
    let norm = gradient
        .iter()
        .map(|g| g.to_f64() * g.to_f64())
        .sum::<f64>()
        .sqrt();
    if !norm.is_finite() {
        gradient.fill(F::default());
    } else if norm > limit {
        let scale = F::from_f64(limit / norm);
        for g in gradient {
            *g = *g * scale;
        }
    }
    norm
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact cases")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_norm_never_exceeds_the_limit(mut g in prop::collection::vec(-1e3_f64..1e3, 1..20), limit in 1e-3_f64..1e3) {
            let before = g.clone();
            let norm = clip_norm(&mut g, limit);
            let after = g.iter().map(|x| x * x).sum::<f64>().sqrt();
            prop_assert!(after <= limit * (1.0 + 1e-12));
            if norm <= limit {
                prop_assert_eq!(before, g);
            }
        }
    }

    #[test]
    fn a_gradient_that_is_not_finite_is_dropped() {
        let mut g = [1.0, f64::NAN];
        assert!(clip_norm(&mut g, 1.0).is_nan());
        assert_eq!(g, [0.0, 0.0]);
    }
}
