//! Running a random program: one piece of code for the recorder and for every number type.

use std::sync::Arc;

use crate::nn::Layout;
use crate::{
    DelayLine, Inputs, Program, Recorder, Scalar, Shape, Start, Step, Var, record::CustomOp,
};

use super::case::{Case, Instruction, Next, SINGLE};
use super::instruction::{Layer, Memory};

/// $\sqrt{1 + x^2 + 2 y^2}$ and $x y / (1 + x^2)$, as an operation of one's own and for any number type.
#[derive(Debug)]
pub struct Pair;

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
    fn shader(&self) -> Option<&str> {
        Some(
            "fn forward(x: ptr<function, array<f32, 2>>, y: ptr<function, array<f32, 2>>) {
               y[0] = sqrt(1.0 + x[0] * x[0] + 2.0 * x[1] * x[1]);
               y[1] = x[0] * x[1] / (1.0 + x[0] * x[0]);
             }
             fn vjp(x: ptr<function, array<f32, 2>>, y: ptr<function, array<f32, 2>>,
                    dy: ptr<function, array<f32, 2>>, dx: ptr<function, array<f32, 2>>) {
               let one = 1.0 + x[0] * x[0];
               dx[0] = dy[0] * x[0] / y[0] + dy[1] * x[1] * (1.0 - x[0] * x[0]) / (one * one);
               dx[1] = dy[0] * 2.0 * x[1] / y[0] + dy[1] * x[0] / one;
             }",
        )
    }
}

/// How a number type calls the operation above.
pub(super) trait Host<S> {
    fn pair(&self, x: S, y: S) -> Vec<S>;
}

/// Every number type that computes at once.
#[derive(Debug)]
pub(super) struct Direct;

impl<S: Scalar> Host<S> for Direct {
    fn pair(&self, x: S, y: S) -> Vec<S> {
        let (one, two) = (S::constant(1.0), S::constant(2.0));
        vec![(one + x * x + two * y * y).sqrt(), x * y / (one + x * x)]
    }
}

/// The recorder, with the operation to record.
#[derive(Debug)]
pub(super) struct Recorded<'r>(&'r Recorder, Arc<dyn CustomOp>);

impl<'r> Host<Var<'r>> for Recorded<'r> {
    fn pair(&self, x: Var<'r>, y: Var<'r>) -> Vec<Var<'r>> {
        self.0.custom(self.1.clone(), &[x, y])
    }
}

/// What one lane (or a bundle of them) returns.
#[derive(Debug, Clone)]
pub struct Outcome<S> {
    pub objective: S,
    pub traces: Vec<S>,
    pub state: Vec<S>,
}

impl Case {
    fn layers(&self) -> (Vec<Layer>, Vec<Layer>, Layout) {
        let mut layout = Layout::new();
        layout.scalars(SINGLE);
        let mut of = |block: &[Instruction]| -> Vec<Layer> {
            block.iter().map(|i| i.layer(&mut layout)).collect()
        };
        let (start, period) = (of(&self.start), of(&self.period));
        (start, period, layout)
    }

    /// The sizes of its inputs.
    #[must_use]
    pub fn shape(&self) -> Shape {
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

    #[doc(hidden)]
    /// The program, with the operation to record as [`Pair`].
    pub fn program_with(&self, op: Arc<dyn CustomOp>) -> Program {
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

    /// The program.
    #[must_use]
    pub fn program(&self) -> Program {
        self.program_with(Arc::new(Pair))
    }

    #[doc(hidden)]
    /// Evaluates period by period; `lane`, `exo` and `shared` as the batch's arrays, of one lane or a bundle of lanes.
    pub fn evaluate<S: Scalar>(
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

/// The values that a block begins with; never empty.
fn pool<S: Scalar>(params: &[S], parts: &[&[S]]) -> Vec<S> {
    let mut pool: Vec<S> = parts.concat();
    pool.extend([S::constant(0.7), S::constant(-1.25)]);
    pool.extend(&params[..SINGLE]);
    pool
}
