//! Dilated causal convolutions over time.

use super::Dense;
use crate::scalar::{Activation, DelayLine, Scalar};

/// A dilated causal convolution: the output of a period depends on this period and those `dilation`, $2 \cdot$ `dilation`, …
/// before it, never on later ones. Before the first period the past is zero.
///
/// $$ y_t = f\Bigl(b + \sum_{j=0}^{k-1} W_j\thinspace x_{t - j d}\Bigr) $$
///
/// It is called once per period, inside the period; what it needs of the past it keeps in a [`DelayLine`] per input and tap
/// (a recorded program looks back by itself).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CausalConv {
    taps: Dense,
    inputs: usize,
    kernel: usize,
    dilation: usize,
}

impl CausalConv {
    pub(super) fn new(taps: Dense, inputs: usize, kernel: usize, dilation: usize) -> Self {
        CausalConv {
            taps,
            inputs,
            kernel,
            dilation,
        }
    }

    /// The number of channels out.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.taps.outputs()
    }

    /// How many periods back the first tap reaches.
    #[must_use]
    pub fn reach(&self) -> usize {
        (self.kernel - 1) * self.dilation
    }

    /// The layer that joins the taps: inputs are the channels now, then `dilation` periods ago, and so on.
    #[must_use]
    pub fn taps(&self) -> Dense {
        self.taps
    }

    /// The memory that one use of this layer needs: one empty line per input and earlier tap.
    #[must_use]
    pub fn memory<S: Scalar>(&self) -> Vec<DelayLine<S>> {
        vec![DelayLine::new(); self.inputs * (self.kernel - 1)]
    }

    /// Appends the outputs of this period.
    ///
    /// # Panics
    /// When `inputs` or `memory` has another length than the layer: a broken network, which no data can cause.
    pub fn apply<S: Scalar>(
        &self,
        params: &[S],
        inputs: &[S],
        activation: Activation,
        memory: &mut [DelayLine<S>],
        out: &mut Vec<S>,
    ) {
        assert_eq!(inputs.len(), self.inputs, "channels of a convolution");
        assert_eq!(
            memory.len(),
            self.inputs * (self.kernel - 1),
            "memory of a convolution"
        );
        let mut past = Vec::with_capacity(memory.len());
        for (tap, lines) in memory.chunks_mut(self.inputs).enumerate() {
            let lag = (tap + 1) * self.dilation;
            past.extend(
                inputs
                    .iter()
                    .zip(lines)
                    .map(|(&x, line)| x.delay(lag, line)),
            );
        }
        self.taps.apply(params, &[inputs, &past], activation, out);
    }
}
