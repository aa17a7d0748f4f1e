//! Running programs.

mod adjoint;
mod adjoint_dense;
mod apply;
mod arrangement;
mod batch;
mod bridges;
mod checkpoint;
mod classes;
mod cpu;
mod cpu_session;
mod crew;
mod device;
mod direct;
mod disjoint;
mod exchange;
mod forward;
mod indices;
mod inputs;
mod part;
mod picks;
mod reverse;
mod ring;
mod segment;
mod session;
mod source;
mod tile;
#[cfg(feature = "wgpu")]
mod wgpu;
mod workers;

#[cfg(feature = "wgpu")]
pub use self::wgpu::{Gpu, Traffic};
pub use batch::Batch;
pub use cpu::Cpu;
pub use device::{Device, Kind, Used, Wanted};
pub use part::Part;
pub use session::{Executor, Gradient, Rollout, Session};
