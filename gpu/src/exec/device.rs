//! Where programs run.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use super::batch::Batch;
use super::cpu::Cpu;
use super::session::{Executor, Session};
use crate::error::Error;
use crate::record::Program;

/// Which device is asked for.
///
/// ```
/// use hindsight_gpu::{Device, exec::Wanted};
/// let device = Device::choose("cpu".parse()?, std::num::NonZeroUsize::new(2))?;
/// assert_eq!(device.name(), "processor, 2 threads");
/// # Ok::<(), hindsight_gpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wanted {
    /// The processor.
    Cpu,
    /// A graphics processor and nothing else; one in software counts.
    Gpu,
    /// A graphics processor if there is one in hardware, the processor for what does not run there.
    #[default]
    Auto,
}

impl Wanted {
    const NAMES: [(&'static str, Wanted); 3] = [
        ("cpu", Wanted::Cpu),
        ("gpu", Wanted::Gpu),
        ("auto", Wanted::Auto),
    ];
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = Wanted::NAMES.iter().find(|(_, wanted)| wanted == self);
        f.write_str(own.map_or("", |(name, _)| name))
    }
}

impl FromStr for Wanted {
    type Err = Error;

    /// Reads `cpu`, `gpu` or `auto`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let own = Wanted::NAMES.iter().find(|(name, _)| *name == text);
        own.map(|(_, wanted)| *wanted)
            .ok_or_else(|| Error::NotADevice(text.to_owned()))
    }
}

/// What a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Kind {
    /// The processor.
    Cpu,
    /// A graphics processor, in hardware or in software.
    Gpu,
    /// An executor of the caller's.
    Other,
}

/// What results say of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Used {
    /// What it is.
    pub kind: Kind,
    /// The device; of a processor without the number of its threads, which changes no number.
    pub name: String,
    /// As [`Device::remarks`].
    pub remarks: Vec<String>,
}

impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.remarks
            .iter()
            .try_for_each(|remark| write!(f, "; {remark}"))
    }
}

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
    kind: Kind,
    name: String,
    /// Whether what the executor refuses runs on the processor.
    lenient: bool,
    /// Why the processor does what a graphics processor might have done.
    remarks: Arc<Mutex<BTreeSet<String>>>,
}

impl Device {
    /// The processor, with a number of threads; zero counts as one.
    #[must_use]
    pub fn cpu(threads: usize) -> Self {
        Device::from(Cpu::new(threads))
    }

    /// The best that this machine has and this build knows, as [`Wanted::Auto`] says: a graphics processor in hardware, or a processor with all
    /// its cores.
    #[must_use]
    pub fn best() -> Self {
        Device::automatic(Cpu::default())
    }

    /// The fastest graphics processor, beside a processor with all its cores.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] where there is none, or none that can be opened.
    #[cfg(feature = "wgpu")]
    #[cfg_attr(docsrs, doc(cfg(feature = "wgpu")))]
    pub fn gpu() -> Result<Self, Error> {
        Device::graphics(Cpu::default())
    }

    /// The device that is asked for, beside a processor with so many threads, or all cores.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] where a graphics processor is asked for and there is none that can be opened, or this build knows none.
    pub fn choose(wanted: Wanted, threads: Option<NonZeroUsize>) -> Result<Self, Error> {
        let host = threads.map_or_else(Cpu::default, |threads| Cpu::new(threads.get()));
        match wanted {
            Wanted::Cpu => Ok(Device::from(host)),
            Wanted::Auto => Ok(Device::automatic(host)),
            Wanted::Gpu => Device::graphics(host),
        }
    }

    /// An executor for programs beside a processor for all else.
    #[must_use]
    pub fn new(host: Cpu, programs: Arc<dyn Executor<f32>>) -> Self {
        Device {
            host,
            programs,
            kind: Kind::Other,
            name: "an executor of the caller's".to_owned(),
            lenient: false,
            remarks: Arc::default(),
        }
    }

    fn automatic(host: Cpu) -> Self {
        match Device::hardware(host) {
            Ok(device) => Device {
                lenient: true,
                ..device
            },
            Err(error) => {
                let device = Device::from(host);
                device.remark(error.to_string());
                device
            }
        }
    }

    #[cfg(feature = "wgpu")]
    fn graphics(host: Cpu) -> Result<Self, Error> {
        Ok(Device::on(host, super::Gpu::found()?))
    }

    #[cfg(feature = "wgpu")]
    fn hardware(host: Cpu) -> Result<Self, Error> {
        let gpu = super::Gpu::found()?;
        if gpu.is_software() {
            return Err(Error::NoAdapter {
                looked_for: super::wgpu::INTERFACES.to_owned(),
                reason: format!("{} is software", gpu.name()),
            });
        }
        Ok(Device::on(host, gpu))
    }

    #[cfg(feature = "wgpu")]
    fn on(host: Cpu, gpu: super::Gpu) -> Self {
        Device {
            kind: Kind::Gpu,
            name: gpu.name(),
            ..Device::new(host, Arc::new(gpu))
        }
    }

    #[cfg(not(feature = "wgpu"))]
    fn graphics(_: Cpu) -> Result<Self, Error> {
        Err(Error::NoAdapter {
            looked_for: "none".to_owned(),
            reason: "this build knows no graphics processors (feature wgpu)".to_owned(),
        })
    }

    #[cfg(not(feature = "wgpu"))]
    fn hardware(host: Cpu) -> Result<Self, Error> {
        Device::graphics(host)
    }

    /// The processor.
    #[must_use]
    pub fn host(&self) -> &Cpu {
        &self.host
    }

    /// What programs run on: the processor and its threads, or a graphics processor with its driver and interface.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why the processor did what a graphics processor might have done, so far: there is none, or it does not run a program. Empty where nothing
    /// but the processor was asked for, and where all ran on the graphics processor.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        remarks.iter().cloned().collect()
    }

    /// What results say of it, so far.
    #[must_use]
    pub fn used(&self) -> Used {
        let name = match self.kind {
            Kind::Cpu => "processor",
            Kind::Gpu | Kind::Other => &self.name,
        };
        Used {
            kind: self.kind,
            name: name.to_owned(),
            remarks: self.remarks(),
        }
    }

    fn remark(&self, remark: String) {
        let mut remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        remarks.insert(remark);
    }
}

impl Default for Device {
    fn default() -> Self {
        Device::best()
    }
}

impl From<Cpu> for Device {
    fn from(cpu: Cpu) -> Self {
        let threads = cpu.threads();
        let plural = if threads == 1 { "" } else { "s" };
        Device {
            kind: Kind::Cpu,
            name: format!("processor, {threads} thread{plural}"),
            ..Device::new(cpu, Arc::new(cpu))
        }
    }
}

impl Executor<f32> for Device {
    fn open<'a>(
        &'a self,
        program: &'a Program,
        batch: Batch<'a, f32>,
    ) -> Result<Box<dyn Session<f32> + 'a>, Error> {
        if !self.lenient {
            return self.programs.open(program, batch);
        }
        match self.programs.open(program, batch.clone()) {
            Err(
                error @ (Error::NotOnDevice(_)
                | Error::NoShader { .. }
                | Error::DeviceLimit { .. }
                | Error::OutOfMemory { .. }),
            ) => {
                self.remark(error.to_string());
                self.host.open(program, batch)
            }
            opened => opened,
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::Part;
    use crate::record::{Shape, Start, Step};

    /// Refuses everything, as a graphics processor may.
    #[derive(Debug)]
    struct Small;

    impl Executor<f32> for Small {
        fn open<'a>(
            &'a self,
            _: &'a Program,
            _: Batch<'a, f32>,
        ) -> Result<Box<dyn Session<f32> + 'a>, Error> {
            Err(Error::NotOnDevice("this program"))
        }
    }

    #[test]
    fn what_a_device_refuses_runs_on_the_processor_if_it_may() {
        let shape = Shape {
            lane: 1,
            ..Shape::default()
        };
        let program = Program::record(
            shape,
            |_, _| Start::default(),
            |_, inputs| Step {
                objective: inputs.lane[0],
                ..Step::new()
            },
        );
        let strict = Device::new(Cpu::new(1), Arc::new(Small));
        let lenient = Device {
            lenient: true,
            ..strict.clone()
        };
        let lane = [2.0_f32, 3.0];
        let batch = Batch::new(&program, 2, 1).lane(&lane).unwrap();
        let refused: Result<Box<dyn Session<f32>>, Error> = strict.open(&program, batch.clone());
        assert_eq!(refused.err(), Some(Error::NotOnDevice("this program")));
        assert!(lenient.remarks().is_empty() && strict.remarks().is_empty());
        let mut session: Box<dyn Session<f32>> = lenient.open(&program, batch).unwrap();
        assert_eq!(session.forward(&Part::all()).unwrap().objective, [2.0, 3.0]);
        assert_eq!(
            lenient.remarks(),
            ["this program does not run on a graphics processor yet"]
        );
    }

    #[test]
    fn devices_have_names() {
        for name in ["cpu", "gpu", "auto"] {
            assert_eq!(name.parse::<Wanted>().unwrap().to_string(), name);
        }
        let error = "cuda".parse::<Wanted>().unwrap_err();
        assert_eq!(error, Error::NotADevice("cuda".to_owned()));
        assert_eq!(
            Device::choose(Wanted::Cpu, None).unwrap().remarks(),
            Vec::<String>::new()
        );
        let two = Device::cpu(2);
        two.remark("why".to_owned());
        assert_eq!(two.used().to_string(), "processor; why");
        let best = Device::best();
        assert!(!best.name().is_empty());
        // Either the processor and why, or a graphics processor that has refused nothing yet.
        let used = best.used();
        assert_eq!(used.kind == Kind::Cpu, !used.remarks.is_empty());
        assert_eq!(
            Device::new(Cpu::new(1), Arc::new(Small)).used().kind,
            Kind::Other
        );
    }

    /// Where there is none, the error says what was looked for.
    #[test]
    fn a_graphics_processor_or_why_not() {
        match Device::choose(Wanted::Gpu, None) {
            Ok(device) => assert_eq!(device.used().kind, Kind::Gpu),
            Err(error) => {
                eprintln!("SKIPPED, a graphics processor by name: {error}");
                assert!(error.to_string().contains("looked for"), "{error}");
            }
        }
    }
}
