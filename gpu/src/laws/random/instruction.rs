//! What one instruction of a random program does, for the recorder and for every number type.

use crate::nn::{CausalConv, Embedding, Gru, Layout};
use crate::{DelayLine, Scalar, nn::Activation};

use super::case::{Instruction, Kind};
use super::interpret::Host;

/// The parameters of one instruction.
#[derive(Debug, Clone, Copy)]
pub(super) enum Layer {
    None,
    Dense(usize),
    Gru(Gru),
    Embedding(Embedding),
    Classes(crate::nn::Dense),
    Conv(CausalConv),
}

/// The memory of one instruction.
pub(super) type Memory<S> = Vec<DelayLine<S>>;

impl Instruction {
    pub(super) fn layer(&self, layout: &mut Layout) -> Layer {
        match self.kind {
            Kind::Dense(..) => Layer::Dense(layout.scalars(self.n * self.width() + self.n)),
            Kind::Lookup => Layer::Embedding(layout.embedding(self.n, 1 + self.c % 3)),
            Kind::Likelihood => Layer::Classes(layout.dense(self.width(), self.n)),
            Kind::Gru => Layer::Gru(layout.gru(self.n.min(3), 1 + self.n / 2)),
            Kind::Conv(_) => Layer::Conv(layout.causal_conv(
                1 + self.n / 3,
                1 + self.b % 3,
                1 + self.b % 3,
                1 + self.c % 2,
            )),
            _ => Layer::None,
        }
    }

    fn width(&self) -> usize {
        1 + self.c % 9
    }

    fn lag(&self) -> usize {
        self.b % 4
    }

    pub(super) fn memory<S: Scalar>(&self, layer: Layer) -> Memory<S> {
        match (self.kind, layer) {
            (Kind::Delay, _) => vec![DelayLine::new(); self.n],
            (_, Layer::Conv(conv)) => conv.memory(),
            _ => Vec::new(),
        }
    }

    /// Runs the instruction: appends its results to the pool. `class` is a number in $[0, 1]$ that no parameter moves.
    pub(super) fn run<S: Scalar>(
        &self,
        layer: Layer,
        params: &[S],
        class: S,
        memory: &mut Memory<S>,
        pool: &mut Vec<S>,
        host: &impl Host<S>,
    ) {
        let out = match (self.kind, layer) {
            (Kind::Custom, _) => host.pair(at(pool, self.a, 0), at(pool, self.b, 0)),
            (Kind::Delay, _) => {
                let lines = many(pool, self.a, self.n).into_iter().zip(memory);
                lines.map(|(x, line)| x.delay(self.lag(), line)).collect()
            }
            (Kind::DenseOfValues(f), _) => self.dense_of_values(f, pool),
            (_, Layer::None) => self
                .of_values(pool)
                .unwrap_or_else(|| self.of_classes(class, pool)),
            _ => self.of_parameters(layer, params, class, memory, pool),
        };
        pool.extend(out);
    }

    /// Functions of values, one by one or in pairs; none for other kinds.
    fn of_values<S: Scalar>(&self, pool: &[S]) -> Option<Vec<S>> {
        let (half, one) = (S::constant(0.5), S::constant(1.0));
        let (xs, ys) = (many(pool, self.a, self.n), many(pool, self.b, self.n));
        let (low, high) = (at(pool, self.b, 0), at(pool, self.c, 0));
        let each = |f: &dyn Fn(S) -> S| xs.iter().map(|&x| f(x)).collect::<Vec<S>>();
        let pairs = |f: &dyn Fn(S, S) -> S| {
            let both = xs.iter().zip(&ys);
            both.map(|(&x, &y)| f(x, y)).collect::<Vec<S>>()
        };
        // What is done in two steps is done so for all values: a recorder joins the steps.
        let then = |first: &dyn Fn(S) -> S, f: fn(S) -> S| each(first).into_iter().map(f).collect();
        Some(match self.kind {
            Kind::Add => pairs(&|x, y| x + y),
            Kind::Sub => pairs(&|x, y| x - y),
            // One factor is bounded, so that values do not run away.
            Kind::Mul => {
                let factors = each(&S::tanh);
                factors.iter().zip(&ys).map(|(&f, &y)| f * y).collect()
            }
            Kind::Div => {
                let divisors: Vec<S> = ys.iter().map(|&y| y * y + one).collect();
                xs.iter().zip(&divisors).map(|(&x, &d)| x / d).collect()
            }
            Kind::Neg => each(&|x| -x),
            Kind::Exp => then(&S::tanh, S::exp),
            Kind::Ln => then(&|x| x * x + half, S::ln),
            Kind::Sqrt => then(&|x| x * x + half, S::sqrt),
            Kind::Tanh => each(&S::tanh),
            Kind::Sigmoid => each(&S::sigmoid),
            Kind::Softplus => each(&S::softplus),
            Kind::Silu => each(&S::silu),
            Kind::Erf => each(&S::erf),
            Kind::Detach => each(&S::detach),
            Kind::Min => pairs(&S::min),
            Kind::Max => pairs(&S::max),
            Kind::Abs => each(&S::abs),
            Kind::Relu => each(&S::relu),
            Kind::Clip => each(&|x| x.clip(low, high)),
            Kind::Positive => each(&S::positive),
            Kind::Select => pairs(&|x, y| S::select(high.positive(), x, y)),
            Kind::Round(gradient) => {
                let scaled = each(&|x| x * S::constant(3.0));
                scaled.into_iter().map(|x| x.round(gradient)).collect()
            }
            Kind::LaneMax => each(&|x| x.tanh().lane_max()),
            Kind::LaneSum => each(&|x| x.tanh().lane_sum() * S::constant(0.1)),
            _ => return None,
        })
    }

    /// Shares of classes, and what an index names among values.
    fn of_classes<S: Scalar>(&self, class: S, pool: &[S]) -> Vec<S> {
        let (xs, ys) = (many(pool, self.a, self.n), many(pool, self.b, self.n));
        let mut out = Vec::new();
        match self.kind {
            Kind::Softmax => S::softmax(&xs, &mut out),
            Kind::LogSoftmax => S::log_softmax(&xs, &mut out),
            Kind::Pick => out.push(S::pick(&xs, named(class, xs.len()))),
            Kind::PickByValue => out.push(S::pick(&xs, named(ys[0].sigmoid(), xs.len()))),
            Kind::LookupOfValues => {
                let width = 1 + self.c % 3;
                let table = many(pool, self.a, width * self.n);
                S::lookup(&table, width, named(class, self.n), &mut out);
            }
            other => unreachable!("{other:?} has parameters"),
        }
        out
    }

    fn dense_of_values<S: Scalar>(&self, f: Activation, pool: &[S]) -> Vec<S> {
        let weights = many(pool, self.c, 2 * self.n);
        let weights: Vec<S> = weights.into_iter().map(S::tanh).collect();
        let (inputs, bias) = (many(pool, self.a, 2 * self.n), [at(pool, self.b, 0)]);
        let mut out = Vec::new();
        S::dense(&weights, &bias, &[&inputs], f, &mut out);
        out
    }

    /// Layers.
    fn of_parameters<S: Scalar>(
        &self,
        layer: Layer,
        params: &[S],
        class: S,
        memory: &mut Memory<S>,
        pool: &[S],
    ) -> Vec<S> {
        let mut out = Vec::new();
        match (self.kind, layer) {
            (Kind::Lookup, Layer::Embedding(table)) => {
                table.apply(params, named(class, table.classes()), &mut out);
            }
            (Kind::Likelihood, Layer::Classes(layer)) => {
                let (mut logits, mut logs) = (Vec::new(), Vec::new());
                let inputs = many(pool, self.a, layer.inputs());
                layer.apply(params, &[&inputs], Activation::Identity, &mut logits);
                S::log_softmax(&logits, &mut logs);
                out = vec![S::pick(&logs, named(class, logs.len()))];
                // Now and then something else reads what lies between.
                match self.b % 4 {
                    0 => out.push(logs[0]),
                    1 => out.push(logits[0]),
                    _ => {}
                }
            }
            (Kind::Dense(f, bias), Layer::Dense(first)) => {
                let (weights, rest) = params[first..].split_at(self.n * self.width());
                let bias = if bias { &rest[..self.n] } else { &[] };
                // One part taken in order, one scattered.
                let whole = many(pool, self.a, self.width() / 2);
                let scattered: Vec<S> = (whole.len()..self.width())
                    .map(|i| at(pool, self.b, i * 3))
                    .collect();
                S::dense(weights, bias, &[&whole, &scattered], f, &mut out);
            }
            (Kind::Gru, Layer::Gru(gru)) => {
                let state = many(pool, self.b, gru.hidden());
                out = gru.apply(params, &many(pool, self.a, self.n.min(3)), &state);
            }
            (Kind::Conv(f), Layer::Conv(conv)) => {
                let inputs = many(pool, self.a, 1 + self.n / 3);
                conv.apply(params, &inputs, f, memory, &mut out);
            }
            (kind, _) => unreachable!("{kind:?} has no parameters"),
        }
        out
    }
}

/// A value of the pool.
fn at<S: Scalar>(pool: &[S], from: usize, i: usize) -> S {
    pool[(from + i) % pool.len()]
}

/// Neighbouring values of the pool.
fn many<S: Scalar>(pool: &[S], from: usize, n: usize) -> Vec<S> {
    (0..n).map(|i| at(pool, from, i)).collect()
}

/// One of `count` indices, with a fraction to be rounded away.
fn named<S: Scalar>(unit: S, count: usize) -> S {
    unit * S::constant(u32::try_from(count - 1).map_or(0.0, f64::from))
}
