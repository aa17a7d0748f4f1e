//! The gated recurrent unit.

use super::Dense;
use crate::scalar::{Activation, Scalar};

/// A gated recurrent unit (Cho et al., 2014), in the form whose reset gate acts after the product:
///
/// $$ (r, z) = \sigma(W [x; h] + b), \quad n = \tanh(W_n x + b_n + r \odot (U h + u)), \quad h' = (1 - z) \odot n + z \odot h $$
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Gru {
    gates: Dense,
    input: Dense,
    hidden: Dense,
}

impl Gru {
    pub(super) fn new(gates: Dense, input: Dense, hidden: Dense) -> Self {
        Gru {
            gates,
            input,
            hidden,
        }
    }

    /// The length of the hidden state.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.hidden.outputs()
    }

    /// The layers: the two gates together, the candidate's products with the inputs, and those with the state.
    #[must_use]
    pub fn layers(&self) -> [Dense; 3] {
        [self.gates, self.input, self.hidden]
    }

    /// The next hidden state.
    ///
    /// # Panics
    /// When `inputs` or `state` has another length than the unit: a broken network, which no data can cause.
    #[must_use]
    pub fn apply<S: Scalar>(&self, params: &[S], inputs: &[S], state: &[S]) -> Vec<S> {
        let n = self.hidden();
        let mut gates = Vec::with_capacity(2 * n);
        self.gates
            .apply(params, &[inputs, state], Activation::Sigmoid, &mut gates);
        let (reset, update) = gates.split_at(n);
        let mut fresh = Vec::with_capacity(n);
        self.input
            .apply(params, &[inputs], Activation::Identity, &mut fresh);
        let mut past = Vec::with_capacity(n);
        self.hidden
            .apply(params, &[state], Activation::Identity, &mut past);
        // One operation at a time over all units, so that a recorder joins them.
        let gated: Vec<S> = reset.iter().zip(&past).map(|(&r, &u)| r * u).collect();
        let sum: Vec<S> = fresh.iter().zip(&gated).map(|(&w, &g)| w + g).collect();
        let candidate: Vec<S> = sum.into_iter().map(S::tanh).collect();
        let change: Vec<S> = state.iter().zip(&candidate).map(|(&h, &c)| h - c).collect();
        let kept: Vec<S> = update.iter().zip(&change).map(|(&z, &d)| z * d).collect();
        candidate.iter().zip(&kept).map(|(&c, &k)| c + k).collect()
    }
}
