//! Where programs run.

use std::sync::Arc;

use super::batch::Batch;
use super::cpu::Cpu;
use super::session::{Executor, Session};
use crate::error::Error;
use crate::record::Program;

/// Where programs run: in `f32` on the device that was chosen, in `f64` (which checks of derivatives want) always on the processor.
///
/// Everything that runs programs takes a `&Device`; what the processor must do itself uses [`host`](Device::host).
///
/// ```
/// use hindsight_gpu::Device;
/// assert_eq!(Device::cpu(2).host().threads(), 2);
/// ```
#[derive(Debug, Clone)]
pub struct Device {
    host: Cpu,
    programs: Arc<dyn Executor<f32>>,
}

impl Device {
    /// The processor, with a number of threads; zero counts as one.
    #[must_use]
    pub fn cpu(threads: usize) -> Self {
        Device::from(Cpu::new(threads))
    }

    /// The best that this machine has and this build knows: a processor with all its cores.
    #[must_use]
    pub fn best() -> Self {
        Device::from(Cpu::default())
    }

    /// The fastest graphics processor, beside a processor with all its cores.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] where there is none, or none that can be opened.
    #[cfg(feature = "wgpu")]
    #[cfg_attr(docsrs, doc(cfg(feature = "wgpu")))]
    pub fn gpu() -> Result<Self, Error> {
        Ok(Device::new(Cpu::default(), Arc::new(super::Gpu::new()?)))
    }

    /// An executor for programs beside a processor for all else.
    #[must_use]
    pub fn new(host: Cpu, programs: Arc<dyn Executor<f32>>) -> Self {
        Device { host, programs }
    }

    /// The processor.
    #[must_use]
    pub fn host(&self) -> &Cpu {
        &self.host
    }
}

impl Default for Device {
    fn default() -> Self {
        Device::best()
    }
}

impl From<Cpu> for Device {
    fn from(cpu: Cpu) -> Self {
        Device::new(cpu, Arc::new(cpu))
    }
}

impl Executor<f32> for Device {
    fn open<'a>(
        &'a self,
        program: &'a Program,
        batch: Batch<'a, f32>,
    ) -> Result<Box<dyn Session<f32> + 'a>, Error> {
        self.programs.open(program, batch)
    }
}

impl Executor<f64> for Device {
    fn open<'a>(
        &'a self,
        program: &'a Program,
        batch: Batch<'a, f64>,
    ) -> Result<Box<dyn Session<f64> + 'a>, Error> {
        self.host.open(program, batch)
    }
}
