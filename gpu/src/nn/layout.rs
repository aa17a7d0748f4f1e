//! Places of layers in the vector of parameters.

use rand::RngExt;

use super::{CausalConv, Dense, Embedding, Gru};
use crate::stream::Stream;

/// Hands out places in one vector of parameters, and draws their first values.
///
/// ```
/// use hindsight_gpu::nn::Layout;
/// let mut layout = Layout::new();
/// let hidden = layout.dense(3, 8);
/// let output = layout.dense(8, 1);
/// assert_eq!(layout.params(), 3 * 8 + 8 + 8 + 1);
/// let theta = layout.initial(42);
/// assert_eq!(theta.len(), layout.params());
/// # let _ = (hidden, output);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Layout {
    params: usize,
    /// First weight, number of weights and fan-in of each part that starts at random.
    random: Vec<(usize, usize, usize)>,
}

impl Layout {
    /// An empty layout.
    #[must_use]
    pub fn new() -> Self {
        Layout::default()
    }

    /// The number of parameters handed out.
    #[must_use]
    pub fn params(&self) -> usize {
        self.params
    }

    /// The place of a dense layer: weights outputs by inputs, then biases.
    pub fn dense(&mut self, inputs: usize, outputs: usize) -> Dense {
        let first = self.take(inputs * outputs, inputs);
        self.params += outputs;
        Dense::at(first, inputs, outputs)
    }

    /// The place of a causal convolution with `kernel` taps, `dilation` periods apart.
    pub fn causal_conv(
        &mut self,
        inputs: usize,
        outputs: usize,
        kernel: usize,
        dilation: usize,
    ) -> CausalConv {
        CausalConv::new(
            self.dense(inputs * kernel, outputs),
            inputs,
            kernel,
            dilation,
        )
    }

    /// The place of a vector of `width` numbers for each of `classes` classes.
    pub fn embedding(&mut self, classes: usize, width: usize) -> Embedding {
        // Variance one, as a dense layer expects of its inputs.
        Embedding::at(self.take(classes * width, 1), classes, width)
    }

    /// The place of a gated recurrent unit.
    pub fn gru(&mut self, inputs: usize, hidden: usize) -> Gru {
        Gru::new(
            self.dense(inputs + hidden, 2 * hidden),
            self.dense(inputs, hidden),
            self.dense(hidden, hidden),
        )
    }

    /// The place of `count` single parameters that start at zero; returns the first.
    pub fn scalars(&mut self, count: usize) -> usize {
        self.params += count;
        self.params - count
    }

    fn take(&mut self, count: usize, fan_in: usize) -> usize {
        let first = self.params;
        self.random.push((first, count, fan_in));
        self.params += count;
        first
    }

    /// First values: weights uniform in $\pm \sqrt{3 / \text{inputs}}$ (variance one over the inputs, LeCun), embeddings in
    /// $\pm \sqrt 3$ (variance one), all else zero.
    #[must_use]
    #[allow(
        clippy::cast_precision_loss,
        reason = "layer widths are far below 2^52"
    )]
    pub fn initial(&self, seed: u64) -> Vec<f64> {
        let stream = Stream::new(seed, "initial weights");
        let mut theta = vec![0.0; self.params];
        for (part, &(first, count, fan_in)) in self.random.iter().enumerate() {
            let mut rng = stream.at(part as u64, 0);
            let limit = (3.0 / fan_in as f64).sqrt();
            for w in &mut theta[first..first + count] {
                *w = limit * (2.0 * rng.random::<f64>() - 1.0);
            }
        }
        theta
    }
}
