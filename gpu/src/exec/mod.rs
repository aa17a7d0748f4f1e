//! Running programs.

mod adjoint;
mod adjoint_dense;
mod arena;
mod batch;
mod classes;
mod cpu;
mod device;
mod forward;
mod indices;
mod period_major;
mod reverse;
mod ring;
mod segment;
mod session;
mod source;
mod workers;

pub use batch::Batch;
pub use cpu::Cpu;
pub use device::Device;
pub use session::{Executor, Gradient, Part, Rollout, Session};
