//! Every executor that the laws are checked on. A new back end is a line here.

use hindsight_gpu::{Cpu, Device, Executor, Real};

/// The executors of a number type, each with its name; one that this machine does not have says that it is skipped.
pub(crate) fn executors<F: Real>() -> Vec<(&'static str, Box<dyn Executor<F>>)>
where
    Cpu: Executor<F>,
    Device: Executor<F>,
{
    // A tape so short that every horizon is cut.
    let cut = Cpu::new(2).with_tape(1);
    vec![
        ("processor, one thread", Box::new(Cpu::new(1))),
        ("processor, two threads, horizons cut", Box::new(cut)),
        ("the best device", Box::new(Device::best())),
    ]
}
