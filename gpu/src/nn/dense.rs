//! Dense layers.

use crate::scalar::{Activation, Scalar};

/// A dense layer: $y = f(W x + b)$.
///
/// ```
/// use hindsight_gpu::nn::{Activation, Layout};
/// let mut layout = Layout::new();
/// let layer = layout.dense(2, 1);
/// let theta = [2.0_f64, 3.0, 0.5]; // weights, then bias
/// let mut y = Vec::new();
/// layer.apply(&theta, &[&[1.0], &[10.0]], Activation::Identity, &mut y);
/// assert_eq!(y, [32.5]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Dense {
    first: usize,
    inputs: usize,
    outputs: usize,
}

impl Dense {
    pub(super) fn at(first: usize, inputs: usize, outputs: usize) -> Self {
        Dense {
            first,
            inputs,
            outputs,
        }
    }

    /// The number of inputs.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The number of outputs.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The weights among the parameters, outputs by inputs, row-major.
    pub fn weights_mut<'p, T>(&self, params: &'p mut [T]) -> &'p mut [T] {
        &mut params[self.first..self.first + self.inputs * self.outputs]
    }

    /// The biases among the parameters.
    pub fn bias_mut<'p, T>(&self, params: &'p mut [T]) -> &'p mut [T] {
        let first = self.first + self.inputs * self.outputs;
        &mut params[first..first + self.outputs]
    }

    /// Appends the outputs for inputs that are given in parts, one after another.
    ///
    /// # Panics
    /// When the parts together are not as long as the layer's inputs: a broken network, which no data can cause.
    pub fn apply<S: Scalar>(
        &self,
        params: &[S],
        inputs: &[&[S]],
        activation: Activation,
        out: &mut Vec<S>,
    ) {
        let given: usize = inputs.iter().map(|part| part.len()).sum();
        assert_eq!(given, self.inputs, "inputs of a dense layer");
        let (weights, rest) = params[self.first..].split_at(self.inputs * self.outputs);
        S::dense(weights, &rest[..self.outputs], inputs, activation, out);
    }
}
