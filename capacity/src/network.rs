//! Three layers.

use hindsight_gpu::Scalar;
use hindsight_gpu::nn::{Activation, Dense, Layout};

/// Two hidden layers, outputs above zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Network {
    layers: [Dense; 3],
    params: usize,
}

impl Network {
    /// The network, and its first parameters: outputs near `outputs[k]` whatever the inputs.
    pub(crate) fn new(
        inputs: usize,
        hidden: usize,
        outputs: &[f64],
        seed: u64,
    ) -> (Self, Vec<f64>) {
        let mut layout = Layout::new();
        let sizes = [(inputs, hidden), (hidden, hidden), (hidden, outputs.len())];
        let layers = sizes.map(|(from, to)| layout.dense(from, to));
        let mut theta = layout.initial(seed);
        for weight in layers[2].weights_mut(&mut theta) {
            *weight *= 0.1;
        }
        for (bias, &output) in layers[2].bias_mut(&mut theta).iter_mut().zip(outputs) {
            *bias = output.exp_m1().ln();
        }
        let params = layout.params();
        (Network { layers, params }, theta)
    }

    pub(crate) fn params(&self) -> usize {
        self.params
    }

    pub(crate) fn outputs<S: Scalar>(&self, theta: &[S], inputs: &[S]) -> Vec<S> {
        let (mut a, mut b, mut out) = (Vec::new(), Vec::new(), Vec::new());
        self.layers[0].apply(theta, &[inputs], Activation::Silu, &mut a);
        self.layers[1].apply(theta, &[&a], Activation::Silu, &mut b);
        self.layers[2].apply(theta, &[&b], Activation::Softplus, &mut out);
        out
    }
}
