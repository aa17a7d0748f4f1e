//! Where networks are trained: `--device`, and what is said of it.

use std::fmt::Write as _;
use std::num::NonZeroUsize;

use gpu::Device;
use gpu::exec::{Used, Wanted};

use crate::error::CliError;

/// The device of a run.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct Choice {
    /// Where networks are trained and replayed: cpu, gpu (one in software counts), or auto, a graphics processor in hardware if this build knows
    /// one and the processor for the rest [default: auto]
    #[arg(long, value_name = "DEVICE")]
    device: Option<Wanted>,
}

/// The device that a run works on, and whether it was asked for.
#[derive(Debug)]
pub(crate) struct Chosen(Device, bool);

impl Choice {
    /// Opens the device, beside a processor with so many threads, or all cores.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] if there is no such device.
    pub(crate) fn open(self, threads: Option<NonZeroUsize>) -> Result<Chosen, CliError> {
        let wanted = self.device.unwrap_or_default();
        let device = Device::choose(wanted, threads)
            .map_err(|error| CliError::argument("--device", wanted, error))?;
        Ok(Chosen(device, self.device.is_some()))
    }
}

impl Chosen {
    pub(crate) fn device(&self) -> &Device {
        &self.0
    }

    /// What is said of it, where it was asked for or this build knows graphics processors.
    pub(crate) fn used(&self) -> Option<Used> {
        (self.1 || cfg!(feature = "wgpu")).then(|| self.0.used())
    }
}

/// The program's version, and what it finds on this machine.
pub(crate) fn version() -> String {
    let mut text = format!("{}\n", crate::output::GENERATOR);
    let _ = writeln!(text, "{}", Device::from(gpu::Cpu::default()).name());
    #[cfg(feature = "wgpu")]
    match gpu::exec::Gpu::new() {
        Ok(gpu) => {
            let _ = writeln!(text, "{}", gpu.name());
            for (what, limit) in gpu.limits() {
                let _ = writeln!(text, "  {what}: {limit}");
            }
        }
        Err(error) => {
            let _ = writeln!(text, "{error}");
        }
    }
    #[cfg(not(feature = "wgpu"))]
    text.push_str("no graphics processors in this build (feature wgpu)\n");
    text
}
