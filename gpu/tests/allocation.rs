//! Nothing is allocated inside the loop over periods: the number of allocations of a run does not depend on the horizon.

#![allow(unsafe_code, reason = "an allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout as MemoryLayout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::sync::Arc;

use hindsight_gpu::nn::Layout;
use hindsight_gpu::{
    Batch, Cpu, DelayLine, Executor, Program, Scalar, Shape, Start, Step, nn::Activation,
    record::CustomOp,
};

/// Counts the allocations of each thread, so that the test harness does not disturb the count.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

fn count_one() {
    // A thread that is ending has no counter any more, and is not measured.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: MemoryLayout) -> *mut u8 {
        count_one();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: MemoryLayout) -> *mut u8 {
        count_one();
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, old: *mut u8, layout: MemoryLayout, size: usize) -> *mut u8 {
        count_one();
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(old, layout, size) }
    }
    unsafe fn dealloc(&self, old: *mut u8, layout: MemoryLayout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The allocations of this thread while `work` runs.
fn allocations<R>(work: impl FnOnce() -> R) -> usize {
    let before = COUNT.get();
    let result = work();
    let during = COUNT.get() - before;
    drop(result);
    during
}

#[derive(Debug)]
struct Square;

impl CustomOp for Square {
    fn outputs(&self) -> usize {
        1
    }
    fn forward(&self, x: &[f64], y: &mut [f64]) {
        y[0] = x[0] * x[0];
    }
    fn vjp(&self, x: &[f64], _: &[f64], dy: &[f64], dx: &mut [f64]) {
        dx[0] = 2.0 * x[0] * dy[0];
    }
}

/// A program with one of everything.
fn everything(lane_sum: bool) -> Program {
    let mut layout = Layout::new();
    let hidden = layout.dense(4, 9);
    let unit = layout.gru(9, 3);
    let conv = layout.causal_conv(3, 2, 3, 2);
    let shape = Shape {
        params: layout.params(),
        lane: 1,
        exo: 2,
        shared: 1,
    };
    Program::record(
        shape,
        |_, inputs| Start {
            state: vec![inputs.lane[0], Scalar::constant(0.0), Scalar::constant(0.0)],
            carry: vec![],
        },
        |recorder, inputs| {
            let state = inputs.state;
            let (mut h, mut c, mut shares) = (vec![], vec![], vec![]);
            let parts = [&[inputs.lane[0], inputs.shared[0]], inputs.exo];
            hidden.apply(inputs.params, &parts, Activation::Silu, &mut h);
            let mut next = unit.apply(inputs.params, &h, state);
            conv.apply(
                inputs.params,
                &next,
                Activation::Tanh,
                &mut conv.memory(),
                &mut c,
            );
            Scalar::softmax(&c, &mut shares);
            let squared = recorder.custom(Arc::new(Square), &shares[..1]);
            if lane_sum {
                next[0] = next[0] * squared[0].lane_sum().tanh();
            }
            let objective =
                shares[0].min(inputs.exo[0]) + squared[0].delay(1, &mut DelayLine::new());
            Step {
                state: next,
                objective,
                traces: c,
            }
        },
    )
}

#[test]
fn the_number_of_allocations_does_not_depend_on_the_horizon() {
    let cpu = Cpu::new(1);
    for lane_sum in [false, true] {
        let program = everything(lane_sum);
        let params = vec![0.1_f32; program.shape().params];
        let run = |periods: usize| {
            let batch = Batch::new(&program, 150, periods).differentiate_inputs();
            let forward = allocations(|| cpu.forward(&program, &params, &batch));
            let gradient = allocations(|| cpu.gradient(&program, &params, &batch));
            (forward, gradient)
        };
        let short = run(4);
        assert!(
            short.0 > 0 && short.1 > 0,
            "the allocator counts: {short:?}"
        );
        assert_eq!(short, run(400));
        // Nor where the horizon is cut into segments.
        let cut = |periods: usize| {
            let batch = Batch::new(&program, 150, periods).differentiate_inputs();
            let cpu = cpu.with_tape(1 << 18);
            allocations(|| cpu.gradient(&program, &params, &batch))
        };
        assert_eq!(cut(200), cut(400));
    }
}

/// The counter sees what a loop allocates: the planted fault.
#[test]
fn an_allocation_in_a_loop_is_counted() {
    // What is allocated must be seen from outside, or the compiler leaves the allocation out.
    let boxes = |n: usize| allocations(|| (0..n).for_each(|i| _ = black_box(Box::new(i))));
    assert!(boxes(400) > boxes(4), "{} {}", boxes(400), boxes(4));
}
