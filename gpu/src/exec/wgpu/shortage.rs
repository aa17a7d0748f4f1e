//! A device whose memory runs out where a test says so, and what becomes of sessions then.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::Gpu;
use super::adapter::lock;
use crate::error::Error;
use crate::exec::{Batch, Cpu, Executor, Part, Session};
use crate::optim::Rule;
use crate::record::{Program, Shape, Start, Step};
use crate::scalar::Scalar;

/// The buffers for which there is no memory, counted from when this was said.
#[derive(Debug, Default)]
pub(super) struct Shortage {
    asked: AtomicUsize,
    refused: Mutex<Range<usize>>,
}

impl Shortage {
    /// Whether this buffer is one of them.
    pub(super) fn strikes(&self) -> bool {
        let own = self.asked.fetch_add(1, Relaxed);
        lock(&self.refused).contains(&own)
    }

    fn plan(&self, refused: Range<usize>) {
        self.asked.store(0, Relaxed);
        *lock(&self.refused) = refused;
    }

    fn asked(&self) -> usize {
        self.asked.load(Relaxed)
    }
}

fn open() -> Option<Gpu> {
    let gpu = Gpu::new();
    if let Err(error) = &gpu {
        eprintln!("SKIPPED, a graphics processor without memory: {error}");
    }
    gpu.ok()
}

const LANES: usize = 96;
const PERIODS: usize = 4;

/// A state and a parameter; lanes that are joined, if wanted.
fn program(joined: bool) -> Program {
    let shape = Shape {
        params: 2,
        exo: 1,
        ..Shape::default()
    };
    Program::record(
        shape,
        |_, _| Start {
            state: vec![Scalar::constant(0.5)],
            carry: vec![],
        },
        |_, i| {
            let all = if joined {
                i.state[0].lane_sum() * Scalar::constant(0.01)
            } else {
                i.state[0]
            };
            let next = (i.params[0] * i.exo[0] + all).tanh();
            Step {
                state: vec![next],
                objective: next * i.params[1] - next * next,
                traces: vec![next],
            }
        },
    )
}

fn inputs() -> Vec<f32> {
    (0..LANES * PERIODS)
        .map(|i| f32::from(u8::try_from(i % 17).unwrap()) / 9.0 - 0.9)
        .collect()
}

/// What two steps, a run and a gradient give, each tried again where there was no memory.
fn used(gpu: &Gpu, program: &Program, exo: &[f32]) -> Result<Vec<f32>, Error> {
    let batch = Batch::new(program, LANES, PERIODS)
        .exo(exo)?
        .groups(&[32, 40, 24])?;
    let mut session = gpu.open(program, batch)?;
    session.load(&[0.3, 0.8])?;
    let mut out = Vec::new();
    for run in [step, step, forward, gradient] {
        let mut done = run(&mut *session);
        for _ in 0..2 {
            if let Err(Error::OutOfMemory { .. }) = done {
                done = run(&mut *session);
            }
        }
        out.extend(done?);
    }
    out.extend(session.params()?);
    Ok(out)
}

fn single(x: f64) -> f32 {
    #[allow(clippy::cast_possible_truncation, reason = "as the device had it")]
    let x = x as f32;
    x
}

fn step(session: &mut dyn Session<f32>) -> Result<Vec<f32>, Error> {
    let objective = session.step(&Part::all(), &Rule::default(), 0.05)?;
    Ok(vec![single(objective)])
}

fn forward(session: &mut dyn Session<f32>) -> Result<Vec<f32>, Error> {
    let rolled = session.forward(&Part::all())?;
    let objective = rolled.objective.iter().map(|&x| single(x));
    Ok(objective.chain(rolled.traces.iter().copied()).collect())
}

fn gradient(session: &mut dyn Session<f32>) -> Result<Vec<f32>, Error> {
    Ok(session.gradient(&Part::all())?.params)
}

fn close(found: &[f32], right: &[f32]) -> bool {
    found.len() == right.len()
        && found
            .iter()
            .zip(right)
            .all(|(a, b)| (a - b).abs() <= 1e-5 * b.abs().max(1.0))
}

/// Whichever buffer there is no memory for, once or from then on: an error that says what for, or the run in smaller lots; never a step that is taken
/// twice. The same session goes on when there is memory again, and so does the processor.
#[test]
fn memory_that_runs_out_anywhere() {
    let Some(gpu) = open() else { return };
    let exo = inputs();
    for joined in [false, true] {
        let program = program(joined);
        let right = used(&gpu, &program, &exo).unwrap();
        gpu.adapter.shortage.plan(0..0);
        used(&gpu, &program, &exo).unwrap();
        let all = gpu.adapter.shortage.asked();
        let mut survived = 0;
        for k in 0..all {
            gpu.adapter.shortage.plan(k..k + 1);
            match used(&gpu, &program, &exo) {
                Ok(found) => {
                    assert!(close(&found, &right), "buffer {k}: {found:?} {right:?}");
                    survived += 1;
                }
                Err(error) => assert!(matches!(error, Error::OutOfMemory { .. }), "{error}"),
            }
            gpu.adapter.shortage.plan(k..usize::MAX);
            let (ended, asked) = (used(&gpu, &program, &exo), gpu.adapter.shortage.asked());
            let error = ended.unwrap_err();
            assert!(matches!(error, Error::OutOfMemory { .. }), "{error}");
            assert!(asked < all + 200, "{asked} buffers asked for in vain");
            let batch = Batch::new(&program, LANES, PERIODS).exo(&exo).unwrap();
            Cpu::new(1).gradient(&program, &[0.3, 0.8], &batch).unwrap();
        }
        assert!(survived > all / 2, "{survived} of {all} survived");
        gpu.adapter.shortage.plan(0..0);
        assert_eq!(used(&gpu, &program, &exo).unwrap(), right);
    }
}

/// Says that this is the process whose address space is limited.
#[cfg(unix)]
const LIMITED: &str = "HINDSIGHT_LIMITED_MEMORY";

/// A driver that is out of memory: the same test in a process of its own, whose address space ends. Software Vulkan alone takes its memory there.
#[cfg(unix)]
#[test]
fn memory_that_the_driver_refuses() {
    let Some(gpu) = open() else { return };
    if std::env::var_os(LIMITED).is_some() {
        refused_for_real(&gpu);
        return;
    }
    if !gpu.is_software() {
        eprintln!("SKIPPED, a driver that is out of memory: only software can be made to be");
        return;
    }
    let own = std::env::current_exe().unwrap();
    let limit = "ulimit -v 6000000 && exec \"$0\" memory_that_the_driver_refuses --nocapture";
    let mut process = std::process::Command::new("sh");
    let done = process.args(["-c", limit]).arg(own).env(LIMITED, "1");
    let done = done.output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.contains("refused"), "{said}");
}

/// Buffers until there is no memory for one more; then the device and the processor run on.
#[cfg(unix)]
fn refused_for_real(gpu: &Gpu) {
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
    let mut kept = Vec::new();
    let error = loop {
        match gpu.adapter.buffer("ballast", 100 << 20, usage) {
            Ok(buffer) => kept.push(buffer),
            Err(error) => break error,
        }
        assert!(kept.len() < 100, "no buffer was refused");
    };
    let needed = 100 << 20;
    let what = "ballast";
    assert_eq!(error, Error::OutOfMemory { what, needed });
    eprintln!("refused after {} buffers", kept.len());
    drop(kept);
    let (program, exo) = (program(false), inputs());
    used(gpu, &program, &exo).unwrap();
    let batch = Batch::new(&program, LANES, PERIODS).exo(&exo).unwrap();
    Cpu::new(1).gradient(&program, &[0.3, 0.8], &batch).unwrap();
}
