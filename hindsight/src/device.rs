//! Where networks are trained: `--device`, and what is said of it.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::sync::OnceLock;

use gpu::Device;
use gpu::exec::Wanted;
use serde::Serialize;

use crate::error::CliError;

/// The device of a run.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct Choice {
    /// Where networks are trained and replayed: cpu, gpu (one in software counts), or auto, a graphics processor in hardware if this build knows
    /// one and the processor for the rest [default: auto]
    #[arg(long, value_name = "DEVICE")]
    device: Option<Wanted>,
}

/// The device that the subcommand works on, and whether it was asked for. Set once, by the subcommand.
static CHOSEN: OnceLock<(Device, bool)> = OnceLock::new();

impl Choice {
    /// Opens the device, beside a processor with so many threads, or all cores; results name it from now on.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] if there is no such device.
    pub(crate) fn open(self, threads: Option<NonZeroUsize>) -> Result<Device, CliError> {
        let wanted = self.device.unwrap_or_default();
        let device = Device::choose(wanted, threads)
            .map_err(|error| CliError::argument("--device", wanted, error))?;
        let chosen = CHOSEN.get_or_init(|| (device, self.device.is_some()));
        Ok(chosen.0.clone())
    }
}

/// What results say of the device.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Used {
    name: String,
    /// Why the processor did what a graphics processor might have done.
    remarks: Vec<String>,
}

impl Used {
    /// One line.
    pub(crate) fn text(&self) -> String {
        let mut text = self.name.clone();
        for remark in &self.remarks {
            let _ = write!(text, "; {remark}");
        }
        text
    }
}

/// The device, where it was asked for or this build knows graphics processors.
pub(crate) fn used() -> Option<Used> {
    let (device, asked) = CHOSEN.get()?;
    // The number of threads changes no number, and is not said.
    let name = device.name().split(',').next().unwrap_or_default();
    (*asked || cfg!(feature = "wgpu")).then(|| Used {
        name: if name == "processor" {
            name
        } else {
            device.name()
        }
        .to_owned(),
        remarks: device.remarks(),
    })
}

/// The program's version, and what it finds on this machine.
pub(crate) fn version() -> String {
    let mut text = format!("{}\n", crate::output::GENERATOR);
    let _ = writeln!(
        text,
        "{}",
        Device::cpu(Device::default().host().threads()).name()
    );
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
