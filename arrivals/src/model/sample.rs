//! Sampling.

use gpu::{Batch, Device, Executor, Program, Scalar, Shape, Start, Step, Stream, Var};
use rand::RngExt;

use super::network::{BEFORE, Decoder, Network};
use super::{GenQot, arrays};
use crate::error::ArrivalsError;
use crate::log::Request;
use crate::sampler::{ArrivalModel, Path, Piece, Samples};

/// Uniform numbers of a piece.
pub(super) const UNIFORM: usize = 3;
/// Orders that are drawn together: memory does not grow with their number. No power of two, whose rows would share their places in the cache.
const TOGETHER: usize = 30_000;

/// A generator on a device: what samples.
#[derive(Debug)]
pub struct Generator<'a> {
    model: &'a GenQot,
    device: &'a Device,
    network: Network,
    programs: [Program; 2],
}

impl GenQot {
    /// The model as something that samples on a device, in single precision.
    #[must_use]
    pub fn on<'a>(&'a self, device: &'a Device) -> Generator<'a> {
        let network = self.network();
        Generator {
            programs: [first(&network), next(&network)],
            model: self,
            device,
            network,
        }
    }
}

/// Traces of a drawn piece: its time, its share, whether there is one, then what the next piece needs: state, the piece.
fn piece<'r>(
    network: &Network,
    theta: &[Var<'r>],
    context: &[Var<'r>],
    mut decoder: Decoder<Var<'r>>,
    uniform: &[Var<'r>],
) -> Step<Var<'r>> {
    let open = Scalar::constant(1.0);
    let drawn = network.draw(theta, context, &mut decoder, open, uniform);
    let mut traces = vec![drawn.time, drawn.share, drawn.some];
    traces.extend(decoder.hidden);
    traces.extend(decoder.before);
    Step {
        traces,
        ..Step::new()
    }
}

/// The first piece of an order; the context, which stays, follows its traces.
fn first(network: &Network) -> Program {
    let shape = Shape {
        params: network.with_constants(&[]).len(),
        lane: network.rows(),
        exo: UNIFORM,
        shared: 0,
    };
    Program::record(
        shape,
        |_, _| Start::default(),
        |_, inputs| {
            let (context, decoder) = network.begin(inputs.params, inputs.lane);
            let mut step = piece(network, inputs.params, &context, decoder, inputs.exo);
            step.traces.extend(context);
            step
        },
    )
}

/// A further piece, from the traces of the one before.
fn next(network: &Network) -> Program {
    let (context, hidden) = (network.size.context, network.size.hidden);
    let shape = Shape {
        params: network.with_constants(&[]).len(),
        lane: context + hidden + BEFORE,
        exo: UNIFORM,
        shared: 0,
    };
    Program::record(
        shape,
        |_, _| Start::default(),
        |_, inputs| {
            let (context, rest) = inputs.lane.split_at(context);
            let (hidden, own) = rest.split_at(hidden);
            let mut before = [Var::constant(0.0); BEFORE];
            before.copy_from_slice(own);
            let decoder = Decoder {
                hidden: hidden.to_vec(),
                before,
            };
            piece(network, inputs.params, context, decoder, inputs.exo)
        },
    )
}

/// Rows of [`piece`]'s traces that are its result.
const RESULT: usize = 3;

impl Generator<'_> {
    /// Rows that a piece hands to the next, beside the context.
    fn carried(&self) -> usize {
        self.network.size.hidden + BEFORE
    }

    /// Draws the paths of some orders together.
    fn together(
        &self,
        theta: &[f32],
        requests: &[&Request],
        uniform: &[f32],
    ) -> Result<Vec<Path>, ArrivalsError> {
        let pieces = self.model.grid.pieces();
        let mut paths = vec![Path::default(); requests.len()];
        let mut open: Vec<usize> = (0..requests.len()).collect();
        let mut lane = arrays::columns::<f32>(requests, self.network.rows());
        for number in 0..pieces {
            let program = &self.programs[number.min(1)];
            let mut exo = Vec::with_capacity(UNIFORM * open.len());
            for row in 0..UNIFORM {
                let at = |order: &usize| uniform[(order * pieces + number) * UNIFORM + row];
                exo.extend(open.iter().map(at));
            }
            let batch = Batch::new(program, open.len(), 1).lane(&lane)?.exo(&exo)?;
            let traces = self.device.forward(program, theta, &batch)?.traces;
            let (count, mut stay) = (open.len(), Vec::new());
            for (at, &order) in open.iter().enumerate() {
                if traces[2 * count + at] > 0.5 {
                    #[expect(clippy::cast_possible_truncation, reason = "a time of the grid")]
                    paths[order].push(Piece {
                        time: traces[at].round() as i64,
                        share: f64::from(traces[count + at]),
                    });
                    stay.push(at);
                }
            }
            if stay.is_empty() || number + 1 == pieces {
                break;
            }
            // The context, which does not change, then the state and the piece.
            let (own, first) = traces[RESULT * count..].split_at(count * self.carried());
            let context = match number {
                0 => first,
                _ => &lane[..self.network.size.context * count],
            };
            let mut next = Vec::with_capacity((context.len() + own.len()) / count * stay.len());
            for row in context.chunks_exact(count).chain(own.chunks_exact(count)) {
                next.extend(stay.iter().map(|&at| row[at]));
            }
            lane = next;
            open = stay.into_iter().map(|at| open[at]).collect();
        }
        Ok(paths)
    }
}

impl ArrivalModel for Generator<'_> {
    fn name(&self) -> &'static str {
        "Gen-QOT"
    }

    fn sample(&self, requests: &[Request], samples: Samples) -> Result<Vec<Path>, ArrivalsError> {
        let theta = self.network.with_constants(&self.model.params);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "samples are single precision"
        )]
        let theta: Vec<f32> = theta.into_iter().map(|x| x as f32).collect();
        let stream = Stream::new(samples.seed, "pieces");
        let numbers = self.model.grid.pieces() * UNIFORM;
        let mut paths = Vec::with_capacity(requests.len());
        let mut uniform = Vec::new();
        for (block, requests) in requests.chunks(TOGETHER).enumerate() {
            uniform.clear();
            for (at, request) in requests.iter().enumerate() {
                let index = block * TOGETHER + at;
                request.check(index, self.model.vendors, self.model.covariates)?;
                let mut rng = stream.at(index as u64, samples.sample);
                uniform.extend((0..numbers).map(|_| rng.random::<f32>()));
            }
            let requests: Vec<&Request> = requests.iter().collect();
            paths.extend(self.together(&theta, &requests, &uniform)?);
        }
        Ok(paths)
    }
}
