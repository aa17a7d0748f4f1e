//! Running programs.

mod adjoint;
mod adjoint_dense;
mod arrangement;
mod batch;
mod classes;
mod cpu;
mod cpu_session;
mod crew;
mod device;
mod forward;
mod indices;
mod reverse;
mod ring;
mod segment;
mod session;
mod source;
mod tile;
mod workers;

pub use batch::Batch;
pub use cpu::Cpu;
pub use device::Device;
pub use session::{Executor, Gradient, Part, Rollout, Session};
