//! Running a random program: one piece of code for the recorder and for every number type.

use std::sync::Arc;

use hindsight_gpu::nn::{CausalConv, Embedding, Gru, Layout};
use hindsight_gpu::{
    Activation, CustomOp, DelayLine, Inputs, Program, Recorder, Scalar, Shape, Start, Step, Var,
};

use crate::spec::{Instruction, Kind, Next, SINGLE, Spec};

/// $\sqrt{1 + x^2 + 2 y^2}$ and $x y / (1 + x^2)$, as an operation of one's own and for any number type.
#[derive(Debug)]
pub(crate) struct Pair;

impl CustomOp for Pair {
    fn outputs(&self) -> usize {
        2
    }
    fn forward(&self, x: &[f64], y: &mut [f64]) {
        y[0] = (1.0 + x[0] * x[0] + 2.0 * x[1] * x[1]).sqrt();
        y[1] = x[0] * x[1] / (1.0 + x[0] * x[0]);
    }
    fn vjp(&self, x: &[f64], y: &[f64], dy: &[f64], dx: &mut [f64]) {
        let one = 1.0 + x[0] * x[0];
        dx[0] = dy[0] * x[0] / y[0] + dy[1] * x[1] * (1.0 - x[0] * x[0]) / (one * one);
        dx[1] = dy[0] * 2.0 * x[1] / y[0] + dy[1] * x[0] / one;
    }
}

/// How a number type calls the operation above.
pub(crate) trait Host<S> {
    fn pair(&self, x: S, y: S) -> Vec<S>;
}

/// Every number type that computes at once.
#[derive(Debug)]
pub(crate) struct Direct;

impl<S: Scalar> Host<S> for Direct {
    fn pair(&self, x: S, y: S) -> Vec<S> {
        let (one, two) = (S::constant(1.0), S::constant(2.0));
        vec![(one + x * x + two * y * y).sqrt(), x * y / (one + x * x)]
    }
}

/// The recorder, with the operation to record.
#[derive(Debug)]
pub(crate) struct Recorded<'r>(pub(crate) &'r Recorder, pub(crate) Arc<dyn CustomOp>);

impl<'r> Host<Var<'r>> for Recorded<'r> {
    fn pair(&self, x: Var<'r>, y: Var<'r>) -> Vec<Var<'r>> {
        self.0.custom(self.1.clone(), &[x, y])
    }
}

/// The parameters of one instruction.
#[derive(Debug, Clone, Copy)]
enum Layer {
    None,
    Dense(usize),
    Gru(Gru),
    Embedding(Embedding),
    Classes(hindsight_gpu::nn::Dense),
    Conv(CausalConv),
}

/// The memory of one instruction.
type Memory<S> = Vec<DelayLine<S>>;

impl Instruction {
    fn layer(&self, layout: &mut Layout) -> Layer {
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

    fn memory<S: Scalar>(&self, layer: Layer) -> Memory<S> {
        match (self.kind, layer) {
            (Kind::Delay, _) => vec![DelayLine::new(); self.n],
            (_, Layer::Conv(conv)) => conv.memory(),
            _ => Vec::new(),
        }
    }

    /// Runs the instruction: appends its results to the pool. `class` is a number in $[0, 1]$ that no parameter moves.
    fn run<S: Scalar>(
        &self,
        layer: Layer,
        params: &[S],
        class: S,
        memory: &mut Memory<S>,
        pool: &mut Vec<S>,
        host: &impl Host<S>,
    ) {
        let size = pool.len();
        let at = |from: usize, i: usize| pool[(from + i) % size];
        let many = |from: usize, n: usize| (0..n).map(|i| at(from, i)).collect::<Vec<S>>();
        let (half, one) = (S::constant(0.5), S::constant(1.0));
        let (xs, ys) = (many(self.a, self.n), many(self.b, self.n));
        let each = |f: &dyn Fn(S) -> S| xs.iter().map(|&x| f(x)).collect::<Vec<S>>();
        let pairs = |f: &dyn Fn(S, S) -> S| {
            let both = xs.iter().zip(&ys);
            both.map(|(&x, &y)| f(x, y)).collect::<Vec<S>>()
        };
        let mut out = Vec::new();
        match self.kind {
            Kind::Add => out = pairs(&|x, y| x + y),
            Kind::Sub => out = pairs(&|x, y| x - y),
            // One factor is bounded, so that values do not run away.
            Kind::Mul => {
                let factors = each(&S::tanh);
                out = factors.iter().zip(&ys).map(|(&f, &y)| f * y).collect();
            }
            Kind::Div => {
                let divisors: Vec<S> = ys.iter().map(|&y| y * y + one).collect();
                out = xs.iter().zip(&divisors).map(|(&x, &d)| x / d).collect();
            }
            Kind::Neg => out = each(&|x| -x),
            Kind::Exp => out = each(&S::tanh).into_iter().map(S::exp).collect(),
            Kind::Ln => out = each(&|x| x * x + half).into_iter().map(S::ln).collect(),
            Kind::Sqrt => out = each(&|x| x * x + half).into_iter().map(S::sqrt).collect(),
            Kind::Tanh => out = each(&S::tanh),
            Kind::Sigmoid => out = each(&S::sigmoid),
            Kind::Softplus => out = each(&S::softplus),
            Kind::Silu => out = each(&S::silu),
            Kind::Erf => out = each(&S::erf),
            Kind::Detach => out = each(&S::detach),
            Kind::Min => out = pairs(&S::min),
            Kind::Max => out = pairs(&S::max),
            Kind::Abs => out = each(&S::abs),
            Kind::Relu => out = each(&S::relu),
            Kind::Clip => out = each(&|x| x.clip(at(self.b, 0), at(self.c, 0))),
            Kind::Positive => out = each(&S::positive),
            Kind::Select => out = pairs(&|x, y| S::select(at(self.c, 0).positive(), x, y)),
            Kind::Round(gradient) => {
                let scaled = each(&|x| x * S::constant(3.0));
                out = scaled.into_iter().map(|x| x.round(gradient)).collect();
            }
            Kind::Softmax => S::softmax(&xs, &mut out),
            Kind::LogSoftmax => S::log_softmax(&xs, &mut out),
            Kind::Pick => out = vec![S::pick(&xs, named(class, xs.len()))],
            Kind::PickByValue => out = vec![S::pick(&xs, named(ys[0].sigmoid(), xs.len()))],
            Kind::Lookup => {
                let Layer::Embedding(table) = layer else {
                    return;
                };
                table.apply(params, named(class, table.classes()), &mut out);
            }
            Kind::LookupOfValues => {
                let width = 1 + self.c % 3;
                let table = many(self.a, width * self.n);
                S::lookup(&table, width, named(class, self.n), &mut out);
            }
            Kind::Likelihood => {
                let Layer::Classes(layer) = layer else { return };
                let (mut logits, mut logs) = (Vec::new(), Vec::new());
                let inputs = many(self.a, layer.inputs());
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
            Kind::Custom => out = host.pair(xs[0], ys[0]),
            Kind::LaneMax => out = each(&|x| x.tanh().lane_max()),
            Kind::LaneSum => out = each(&|x| x.tanh().lane_sum() * S::constant(0.1)),
            Kind::Delay => {
                let lines = xs.iter().zip(memory);
                out = lines.map(|(&x, line)| x.delay(self.lag(), line)).collect();
            }
            Kind::Dense(f, bias) => {
                let Layer::Dense(first) = layer else { return };
                let (weights, rest) = params[first..].split_at(self.n * self.width());
                let bias = if bias { &rest[..self.n] } else { &[] };
                // One part taken in order, one scattered.
                let whole = many(self.a, self.width() / 2);
                let scattered: Vec<S> = (whole.len()..self.width())
                    .map(|i| at(self.b, i * 3))
                    .collect();
                S::dense(weights, bias, &[&whole, &scattered], f, &mut out);
            }
            Kind::DenseOfValues(f) => {
                let weights = many(self.c, 2 * self.n);
                let weights: Vec<S> = weights.into_iter().map(S::tanh).collect();
                S::dense(
                    &weights,
                    &ys[..1.min(ys.len())],
                    &[&many(self.a, 2 * self.n)],
                    f,
                    &mut out,
                );
            }
            Kind::Gru => {
                let Layer::Gru(gru) = layer else { return };
                let state = many(self.b, gru.hidden());
                out = gru.apply(params, &many(self.a, self.n.min(3)), &state);
            }
            Kind::Conv(f) => {
                let Layer::Conv(conv) = layer else { return };
                let inputs = many(self.a, 1 + self.n / 3);
                conv.apply(params, &inputs, f, memory, &mut out);
            }
        }
        pool.extend(out);
    }
}

/// What one lane (or a bundle of them) returns.
#[derive(Debug, Clone)]
pub(crate) struct Outcome<S> {
    pub(crate) objective: S,
    pub(crate) traces: Vec<S>,
    pub(crate) state: Vec<S>,
}

impl Spec {
    fn layers(&self) -> (Vec<Layer>, Vec<Layer>, Layout) {
        let mut layout = Layout::new();
        layout.scalars(SINGLE);
        let mut of = |block: &[Instruction]| -> Vec<Layer> {
            block.iter().map(|i| i.layer(&mut layout)).collect()
        };
        let (start, period) = (of(&self.start), of(&self.period));
        (start, period, layout)
    }

    pub(crate) fn shape(&self) -> Shape {
        Shape {
            params: self.layers().2.params(),
            lane: self.lane,
            exo: self.exo,
            shared: self.shared,
        }
    }

    /// The start, for any number type.
    fn begin<S: Scalar>(&self, params: &[S], lane: &[S], host: &impl Host<S>) -> Start<S> {
        let (layers, ..) = self.layers();
        let mut pool = pool(params, &[lane]);
        let class = class(lane);
        for (instruction, &layer) in self.start.iter().zip(&layers) {
            let mut memory = instruction.memory(layer);
            instruction.run(layer, params, class, &mut memory, &mut pool, host);
        }
        let last = pool.len() - 1;
        let state = (0..self.next.len()).map(|k| pool[last - k % (last + 1)].tanh());
        Start {
            state: state.collect(),
            carry: pool[pool.len() - 2..].to_vec(),
        }
    }

    fn memories<S: Scalar>(&self) -> Vec<Memory<S>> {
        let (_, layers, _) = self.layers();
        let both = self.period.iter().zip(&layers);
        let mut memories: Vec<Memory<S>> = both.map(|(i, &layer)| i.memory(layer)).collect();
        memories.push(vec![DelayLine::new(); self.next.len()]);
        memories
    }

    /// A period, for any number type.
    fn step<S: Scalar>(
        &self,
        inputs: Inputs<'_, S>,
        memories: &mut [Memory<S>],
        host: &impl Host<S>,
    ) -> Step<S> {
        let (_, layers, _) = self.layers();
        let parts = [
            inputs.exo,
            inputs.state,
            inputs.lane,
            inputs.shared,
            inputs.carry,
        ];
        let mut pool = pool(inputs.params, &parts);
        let given = pool.len();
        let class = class(&[inputs.exo, inputs.lane].concat());
        for ((instruction, &layer), memory) in self.period.iter().zip(&layers).zip(&mut *memories) {
            instruction.run(layer, inputs.params, class, memory, &mut pool, host);
        }
        let mut late = memories.last_mut().into_iter().flatten();
        let state = self.next.iter().map(|next| {
            let line = late.next();
            match (next, line) {
                (Next::Bounded(i), _) => (pool[i % pool.len()] * S::constant(0.5)).tanh(),
                (Next::Late(i, lag), Some(line)) => pool[i % given].delay(*lag, line),
                (Next::Input(i) | Next::Late(i, _), _) => pool[i % given],
            }
        });
        let state = state.collect();
        let last = pool.iter().rev().take(6).enumerate();
        let objective = last.fold(S::constant(0.0), |sum, (i, &x)| {
            sum + x * S::constant([1.0, -0.5, 0.75, 0.3, -0.2, 0.4][i])
        });
        let traces = pool.iter().rev().step_by(2).take(4).copied().collect();
        Step {
            state,
            objective,
            traces,
        }
    }

    /// The program, with the operation to record as [`Pair`].
    pub(crate) fn program_with(&self, op: Arc<dyn CustomOp>) -> Program {
        let op = &op;
        Program::record(
            self.shape(),
            |recorder, inputs| {
                let host = Recorded(recorder, op.clone());
                self.begin(inputs.params, inputs.lane, &host)
            },
            |recorder, inputs| {
                let host = Recorded(recorder, op.clone());
                self.step(inputs, &mut self.memories(), &host)
            },
        )
    }

    pub(crate) fn program(&self) -> Program {
        self.program_with(Arc::new(Pair))
    }

    /// Evaluates period by period; `lane`, `exo` and `shared` as the batch's arrays, of one lane or a bundle of lanes.
    pub(crate) fn evaluate<S: Scalar>(
        &self,
        params: &[S],
        lane: &[S],
        exo: &[Vec<S>],
        shared: &[Vec<S>],
    ) -> Outcome<S> {
        let start = self.begin(params, lane, &Direct);
        let mut memories = self.memories();
        let (mut state, mut objective) = (start.state, S::constant(0.0));
        let mut traces = Vec::new();
        for (exo, shared) in exo.iter().zip(shared) {
            let inputs = Inputs {
                params,
                lane,
                exo,
                shared,
                state: &state,
                carry: &start.carry,
            };
            let step = self.step(inputs, &mut memories, &Direct);
            state = step.state;
            objective = objective + step.objective;
            traces.extend(step.traces);
        }
        Outcome {
            objective,
            traces,
            state,
        }
    }
}

/// A number in $[0, 1]$ made of inputs, which lie in $[-2, 2]$.
fn class<S: Scalar>(inputs: &[S]) -> S {
    let half = S::constant(0.5);
    inputs.first().map_or(half, |&x| x.abs() * half)
}

/// One of `count` indices, with a fraction to be rounded away.
fn named<S: Scalar>(unit: S, count: usize) -> S {
    unit * S::constant(u32::try_from(count - 1).map_or(0.0, f64::from))
}

/// The values that a block begins with; never empty.
fn pool<S: Scalar>(params: &[S], parts: &[&[S]]) -> Vec<S> {
    let mut pool: Vec<S> = parts.concat();
    pool.extend([S::constant(0.7), S::constant(-1.25)]);
    pool.extend(&params[..SINGLE]);
    pool
}
