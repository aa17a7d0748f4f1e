//! Dual steepest edge: which violated constraint leaves the basis (Forrest and Goldfarb 1992).
//!
//! The price of a violation $v$ is $v^2/w$, where $w$ is the squared norm of the constraint's row of the inverse of the full basis. Over the small
//! inverse $V$ that is $\lVert V_i\rVert^2$ for basic column $i$ and $1+\lVert G_{r,S}V\rVert^2$ for the slack of row $r$. Both are kept exactly by updates.

/// A constraint that may leave: a basic column by its position, or the slack of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaving {
    Basic(usize),
    Row(usize),
}

/// The squared norms, one a basic column and one a row.
#[derive(Debug, Default)]
pub(super) struct Weights {
    pub(super) basic: Vec<f64>,
    pub(super) slack: Vec<f64>,
}

impl Weights {
    /// The violated constraint with the largest price.
    pub(super) fn leaving(&self, x: &[f64], violation: &[f64], tolerance: f64) -> Option<Leaving> {
        let mut best = None;
        let mut price = 0.0;
        for (r, (&v, &w)) in violation.iter().zip(&self.slack).enumerate() {
            if v > tolerance && v * v > price * w {
                price = v * v / w;
                best = Some(Leaving::Row(r));
            }
        }
        for (i, (&x, &w)) in x.iter().zip(&self.basic).enumerate() {
            if x < -tolerance && x * x > price * w {
                price = x * x / w;
                best = Some(Leaving::Basic(i));
            }
        }
        best
    }

    /// The update of one weight: `share` is the entering column's entry over the pivot, `tau` the entry of the inverse times the leaving row, `leaving` the
    /// weight of the leaving constraint.
    fn moved(weight: f64, share: f64, tau: f64, leaving: f64) -> f64 {
        (weight + share * (share * leaving - 2.0 * tau)).max(1e-4 + share * share)
    }

    /// Updates all weights for a pivot; entries of the leaving constraint are written by the caller afterwards.
    pub(super) fn update(
        &mut self,
        pivot: f64,
        leaving: f64,
        image: (&[f64], &[f64]),
        tau: (&[f64], &[f64]),
    ) {
        let inverse = 1.0 / pivot;
        for ((w, a), t) in self.basic.iter_mut().zip(image.0).zip(tau.0) {
            *w = Self::moved(*w, a * inverse, *t, leaving);
        }
        for ((w, a), t) in self.slack.iter_mut().zip(image.1).zip(tau.1) {
            *w = Self::moved(*w, a * inverse, *t, leaving);
        }
    }
}
