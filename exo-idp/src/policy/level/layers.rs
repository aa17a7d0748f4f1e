//! The layers of a member.

use gpu::nn::{Dense, Layout};
use gpu::{Scalar, nn::Activation};

use crate::count::count;
use crate::policy::trailing::{INPUTS, LEVELS};

/// Width of the two hidden layers.
const HIDDEN: usize = 64;
/// Levels and the cap.
const OUTPUTS: usize = LEVELS.len() + 1;
/// What an untrained network limits the order to, in weeks of mean demand.
const CAP: f64 = 6.0;

/// Places of the layers among the parameters of one member.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layers {
    first: Dense,
    second: Dense,
    last: Dense,
    pub(super) params: usize,
}

impl Layers {
    pub(super) fn new() -> (Self, Layout) {
        let mut layout = Layout::new();
        let layers = Layers {
            first: layout.dense(INPUTS.len(), HIDDEN),
            second: layout.dense(HIDDEN, HIDDEN),
            last: layout.dense(HIDDEN, OUTPUTS),
            params: layout.params(),
        };
        (layers, layout)
    }

    /// Softplus outputs of one member.
    pub(super) fn outputs<S: Scalar>(&self, theta: &[S], inputs: &[S]) -> Vec<S> {
        let (mut h, mut next, mut out) = (Vec::new(), Vec::new(), Vec::new());
        self.first.apply(theta, &[inputs], Activation::Silu, &mut h);
        self.second.apply(theta, &[&h], Activation::Silu, &mut next);
        let h: Vec<S> = h.iter().zip(next).map(|(&a, b)| a + b).collect();
        self.last
            .apply(theta, &[&h], Activation::Softplus, &mut out);
        out
    }
}

/// Members whose levels and caps are averaged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ensemble {
    layers: Layers,
    members: usize,
}

impl Ensemble {
    pub(super) fn new(members: usize) -> Self {
        Ensemble {
            layers: Layers::new().0,
            members,
        }
    }

    /// Parameters of all members.
    pub(super) fn params(&self) -> usize {
        self.members * self.layers.params
    }

    /// Level and cap from the signals of a product and week: the means of the members'.
    pub(super) fn decide<S: Scalar>(&self, theta: &[S], signals: &[S]) -> (S, S) {
        let (inputs, units) = signals.split_at(INPUTS.len());
        let mut sums: Vec<S> = vec![S::constant(0.0); OUTPUTS];
        for theta in theta.chunks_exact(self.layers.params) {
            let outputs = self.layers.outputs(theta, inputs);
            sums = sums.into_iter().zip(outputs).map(|(a, b)| a + b).collect();
        }
        let share = S::constant(1.0 / count(self.members));
        let level = sums[..LEVELS.len()]
            .iter()
            .zip(units)
            .fold(S::constant(0.0), |level, (&s, &units)| {
                level + s * share * units
            });
        (level, sums[LEVELS.len()] * share * units[LEVELS.len()])
    }
}

/// Parameters of an untrained member.
pub(super) fn untrained(seed: u64) -> Vec<f64> {
    let (layers, layout) = Layers::new();
    let mut theta = layout.initial(seed);
    layers
        .last
        .weights_mut(&mut theta)
        .iter_mut()
        .for_each(|w| *w *= 0.1);
    let bias = layers.last.bias_mut(&mut theta);
    // What softplus turns into one over the number of levels.
    bias.fill((1.0 / count(LEVELS.len())).exp_m1().ln());
    bias[LEVELS.len()] = CAP.exp_m1().ln();
    theta
}
