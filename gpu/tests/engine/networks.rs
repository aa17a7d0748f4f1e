//! Layers against their formulas, written out by hand.

use hindsight_gpu::nn::Layout;
use hindsight_gpu::{DelayLine, Scalar, nn::Activation};
use proptest::prelude::*;

fn numbers(n: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-1.5..1.5_f64, n)
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

proptest! {
    /// The unit of the documentation, gate by gate.
    #[test]
    fn a_recurrent_unit_is_its_formula(theta in numbers(2 * 2 * 5 + 4 + 2 * 3 + 2 + 2 * 2 + 2), x in numbers(3), h in numbers(2)) {
        let mut layout = Layout::new();
        let gru = layout.gru(3, 2);
        prop_assert_eq!(layout.params(), theta.len());
        let next = gru.apply(&theta, &x, &h);
        let joined = [x.clone(), h.clone()].concat();
        let affine = |first: usize, row: usize, rows: usize, inputs: &[f64]| -> f64 {
            let weights = &theta[first + row * inputs.len()..][..inputs.len()];
            let bias = theta[first + rows * inputs.len() + row];
            bias + weights.iter().zip(inputs).map(|(w, x)| w * x).sum::<f64>()
        };
        for unit in 0..2 {
            let reset = sigmoid(affine(0, unit, 4, &joined));
            let update = sigmoid(affine(0, 2 + unit, 4, &joined));
            let fresh = affine(24, unit, 2, &x);
            let past = affine(32, unit, 2, &h);
            let candidate = (fresh + reset * past).tanh();
            let expected = (1.0 - update) * candidate + update * h[unit];
            prop_assert!((next[unit] - expected).abs() < 1e-13);
        }
    }

    /// The output of a period is the formula's sum over taps, and no later input changes it.
    #[test]
    fn a_convolution_is_causal(
        theta in numbers(2 * 6 + 2), series in prop::collection::vec(numbers(2), 1..9), dilation in 1..4_usize, cut in 0..9_usize,
    ) {
        let mut layout = Layout::new();
        let conv = layout.causal_conv(2, 2, 3, dilation);
        prop_assert_eq!((layout.params(), conv.reach()), (theta.len(), 2 * dilation));
        let run = |series: &[Vec<f64>]| -> Vec<Vec<f64>> {
            let mut memory = conv.memory();
            let one = |x: &Vec<f64>| {
                let mut out = Vec::new();
                conv.apply(&theta, x, Activation::Tanh, &mut memory, &mut out);
                out
            };
            series.iter().map(one).collect()
        };
        let out = run(&series);
        for (t, row) in out.iter().enumerate() {
            for (o, &y) in row.iter().enumerate() {
                let mut z = theta[12 + o];
                for tap in 0..3 {
                    if let Some(then) = t.checked_sub(tap * dilation) {
                        z += (0..2).map(|i| theta[o * 6 + tap * 2 + i] * series[then][i]).sum::<f64>();
                    }
                }
                prop_assert!((y - z.tanh()).abs() < 1e-13);
            }
        }
        let cut = cut % series.len() + 1;
        prop_assert_eq!(&run(&series[..cut]), &out[..cut].to_vec());
    }

    /// Shifting all values changes no share, the shares sum to one, and large values do not overflow.
    #[test]
    fn shares_do_not_see_a_shift(xs in prop::collection::vec(-3.0..3.0_f64, 1..7), shift in -1e3..1e3_f64) {
        let shares = |shift: f64| {
            let moved: Vec<f64> = xs.iter().map(|x| x + shift).collect();
            let mut out = Vec::new();
            f64::softmax(&moved, &mut out);
            out
        };
        let (here, there) = (shares(0.0), shares(shift));
        prop_assert!((here.iter().sum::<f64>() - 1.0).abs() < 1e-14);
        for (a, b) in here.iter().zip(&there) {
            prop_assert!((a - b).abs() < 1e-12);
        }
    }

    /// A line returns what it was given `lag` periods ago, and zero before.
    #[test]
    fn a_delay_is_a_shift(series in prop::collection::vec(-9.0..9.0_f64, 1..9), lag in 0..10_usize) {
        let mut line = DelayLine::new();
        for (t, &x) in series.iter().enumerate() {
            let expected = t.checked_sub(lag).map_or(0.0, |then| series[then]);
            prop_assert_eq!(x.delay(lag, &mut line), expected);
        }
    }

    /// Weights have mean zero and variance one over the inputs; biases are zero; another seed, other weights.
    #[test]
    fn first_weights_keep_the_variance(seed in 0..1000_u64) {
        let mut layout = Layout::new();
        let mut layer = layout.dense(50, 40);
        let mut theta = layout.initial(seed);
        prop_assert!(layer.bias_mut(&mut theta).iter().all(|&b| b == 0.0));
        let weights = layer.weights_mut(&mut theta);
        let mean = weights.iter().sum::<f64>() / 2000.0;
        let variance = weights.iter().map(|w| w * w).sum::<f64>() / 2000.0 * 50.0;
        // Six standard errors: of the mean, sqrt(1/50/2000); of the variance, sqrt(0.8/2000).
        prop_assert!(mean.abs() < 6.0 * 0.0032 && (variance - 1.0).abs() < 6.0 * 0.02);
        prop_assert!(layout.initial(seed) != layout.initial(seed + 1));
        layer = layout.dense(1, 1);
        prop_assert_eq!(layer.inputs(), 1);
    }
}
