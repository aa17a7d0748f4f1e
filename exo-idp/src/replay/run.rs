//! Running a policy over a replay: on SIMD lanes, or as a program.

use std::panic::resume_unwind;

use gpu::{DelayLine, Device, Executor, Lanes, Real, Scalar, vectorize};

use super::{Inputs, Replay};
use crate::error::Error;
use crate::outcomes::{Outcomes, Quantity};
use crate::period::{Position, period};
use crate::policy::{Policy, Seen};

/// Lanes of a SIMD bundle.
const WIDTH: usize = 16;

impl Replay<'_> {
    /// Runs a policy over the window.
    ///
    /// A policy of a few numbers runs on SIMD lanes; a network is recorded and run as a program. The numbers are the same to the
    /// precision of `f32`.
    ///
    /// # Errors
    /// When the policy's signals do not fit the panel.
    pub fn run<P: Policy>(&self, policy: &P, device: &Device) -> Result<Outcomes, Error> {
        if policy.is_network() {
            let theta: Vec<f32> = policy.theta().iter().map(|&x| f32::from_f64(x)).collect();
            self.check(policy)?;
            let program = self.program(policy);
            let inputs = self.inputs::<f32>(policy.signals());
            let rollout = device.forward(&program, &theta, &inputs.batch(&program)?)?;
            return Ok(Outcomes::from_traces(
                policy.name(),
                self,
                &rollout.objective,
                &rollout.traces,
            ));
        }
        self.run_as::<Lanes<WIDTH>, P>(policy, device)
    }

    fn check<P: Policy>(&self, policy: &P) -> Result<(), Error> {
        let panel = self.paths.panel();
        policy.signals().map_or(Ok(()), |signals| {
            signals.check(panel.weeks(), panel.products(), self.paths.lanes())
        })
    }

    /// Runs a policy with a chosen number type: `f64` is the reference, [`Lanes`] the fast one.
    ///
    /// # Errors
    /// When the policy's signals do not fit the panel.
    pub fn run_as<S: Bundle, P: Policy>(
        &self,
        policy: &P,
        device: &Device,
    ) -> Result<Outcomes, Error> {
        self.check(policy)?;
        let inputs = self.inputs::<f64>(policy.signals());
        let lanes = inputs.lanes;
        let mut traces = vec![0.0; inputs.weeks * Quantity::COUNT * lanes];
        let mut objective = vec![0.0; lanes];
        let bundles: Vec<usize> = (0..lanes).step_by(S::WIDTH).collect();
        let share = bundles.len().div_ceil(device.host().threads()).max(1);
        let parts: Vec<Vec<(usize, Rolled)>> = std::thread::scope(|scope| {
            let roll = |part: &[usize]| {
                vectorize(
                    #[inline(always)]
                    || {
                        part.iter()
                            .map(|&first| (first, self.roll::<S, P>(policy, &inputs, first)))
                            .collect::<Vec<_>>()
                    },
                )
            };
            let handles: Vec<_> = bundles
                .chunks(share)
                .map(|part| scope.spawn(move || roll(part)))
                .collect();
            handles
                .into_iter()
                .map(|handle| handle.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        });
        for (first, rolled) in parts.into_iter().flatten() {
            let count = S::WIDTH.min(lanes - first);
            objective[first..first + count].copy_from_slice(&rolled.booked[..count]);
            for (row, values) in rolled.traces.chunks_exact(S::WIDTH).enumerate() {
                traces[row * lanes + first..][..count].copy_from_slice(&values[..count]);
            }
        }
        Ok(Outcomes::from_traces(
            policy.name(),
            self,
            &objective,
            &traces,
        ))
    }

    /// The whole window of one bundle of lanes.
    #[inline(always)]
    fn roll<S: Bundle, P: Policy>(&self, policy: &P, inputs: &Inputs<f64>, first: usize) -> Rolled {
        let rows = self.exo_rows(policy.signals());
        let theta: Vec<S> = policy.theta().iter().map(|&x| S::constant(x)).collect();
        let mut state = self.opening(
            S::load(&inputs.lane[first..inputs.lanes]),
            S::load(&inputs.lane[inputs.lanes + first..]),
        );
        let mut seen = Position::empty(self.paths.longest());
        let mut memory = vec![DelayLine::new(); policy.lines()];
        let mut exo_rows = vec![S::constant(0.0); rows];
        let mut traces = vec![0.0; inputs.weeks * Quantity::COUNT * S::WIDTH];
        let mut booked = vec![0.0; S::WIDTH];
        for (t, out) in traces
            .chunks_exact_mut(Quantity::COUNT * S::WIDTH)
            .enumerate()
        {
            for (k, row) in exo_rows.iter_mut().enumerate() {
                *row = S::load(
                    &inputs.exo
                        [(t * rows + k) * inputs.lanes + first..(t * rows + k + 1) * inputs.lanes],
                );
            }
            let [weight, terminal, live] = std::array::from_fn(|k| inputs.shared[3 * t + k]);
            let (exo, signals) = self.split(&exo_rows, S::constant(weight), S::constant(terminal));
            state.observe(&self.conventions, &exo, &mut seen);
            let order = policy.order(
                &theta,
                &Seen {
                    inventory: &seen,
                    signals,
                },
                &mut memory,
            );
            let event = period(&self.conventions, &exo, &state, order);
            if live > 0.0 {
                state.advance(&event);
            }
            for (value, out) in Quantity::of(&event)
                .into_iter()
                .zip(out.chunks_exact_mut(S::WIDTH))
            {
                value.store(out);
            }
            event.booked.add_to(&mut booked);
        }
        Rolled { booked, traces }
    }
}

/// What one bundle returns.
struct Rolled {
    booked: Vec<f64>,
    traces: Vec<f64>,
}

/// A number type that holds one or several lanes and exchanges them with `f64` arrays.
pub trait Bundle: Scalar {
    /// The lanes that it holds.
    const WIDTH: usize;
    /// The first lanes of a slice; the last one is repeated where there are fewer.
    fn load(values: &[f64]) -> Self;
    /// Writes the lanes.
    fn store(self, out: &mut [f64]);
    /// Adds the lanes.
    fn add_to(self, out: &mut [f64]);
}

impl Bundle for f64 {
    const WIDTH: usize = 1;
    fn load(values: &[f64]) -> Self {
        values[0]
    }
    fn store(self, out: &mut [f64]) {
        out[0] = self;
    }
    fn add_to(self, out: &mut [f64]) {
        out[0] += self;
    }
}

impl<const N: usize> Bundle for Lanes<N> {
    const WIDTH: usize = N;
    #[inline(always)]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "rounded once to the lanes' type"
    )]
    fn load(values: &[f64]) -> Self {
        let last = values.len() - 1;
        Lanes::from(std::array::from_fn(|i| values[i.min(last)] as f32))
    }
    #[inline(always)]
    fn store(self, out: &mut [f64]) {
        for (o, x) in out.iter_mut().zip(self.to_array()) {
            *o = f64::from(x);
        }
    }
    #[inline(always)]
    fn add_to(self, out: &mut [f64]) {
        for (o, x) in out.iter_mut().zip(self.to_array()) {
            *o += f64::from(x);
        }
    }
}
