//! The executor on a graphics processor.

mod adapter;
mod adjoints;
mod blocks;
mod bridges;
mod classes;
mod declarations;
mod emitter;
mod frame;
mod functions;
mod future;
mod join;
mod joined;
mod kernels;
mod layers;
mod layers_back;
#[cfg(test)]
mod measure;
mod memory;
mod optimiser;
mod order;
mod packing;
mod periods;
mod pipelines;
mod placement;
mod places;
mod plain;
mod plain_back;
#[cfg(test)]
mod resources;
mod results;
mod room;
mod schedule;
mod session;
mod shape;
#[cfg(test)]
mod shortage;
mod stream;
mod upload;
mod work;

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use adapter::Adapter;
pub(super) use adapter::INTERFACES;
use session::GpuSession;

use super::batch::Batch;
use super::indices;
use super::session::{Executor, Session};
use crate::error::Error;
use crate::record::Program;

/// Runs programs on a graphics processor, in single precision.
#[derive(Debug, Clone)]
pub struct Gpu {
    adapter: Arc<Adapter>,
    memory: u64,
}

impl Gpu {
    /// The fastest graphics processor of this machine.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] where there is none, or none that can be opened.
    pub fn new() -> Result<Gpu, Error> {
        Ok(Gpu {
            adapter: Arc::new(Adapter::open()?),
            memory: u64::MAX,
        })
    }

    /// The graphics processor that was opened last in this way and is still there, or else the fastest.
    pub(super) fn found() -> Result<Gpu, Error> {
        static FOUND: Mutex<Option<Gpu>> = Mutex::new(None);
        let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        match &*found {
            Some(gpu) if !gpu.adapter.is_gone() => Ok(gpu.clone()),
            _ => Ok(found.insert(Gpu::new()?).clone()),
        }
    }

    /// The same, with at most about so many bytes of it for a session. What does not fit goes there a lot of lanes or groups after another, in
    /// every run; without this a session takes what the device's limits allow, and less when the device runs out of memory.
    #[must_use]
    pub fn with_memory(self, bytes: u64) -> Gpu {
        Gpu {
            memory: bytes,
            ..self
        }
    }

    /// Gives the device back: what is asked of it from now on, by sessions that are open too, is [`Error::Device`].
    pub fn close(&self) {
        self.adapter.close();
    }

    /// Its name, its driver, and the interface through which it is reached.
    #[must_use]
    pub fn name(&self) -> String {
        let info = &self.adapter.info;
        format!(
            "{} ({} {}, {:?})",
            info.name, info.driver, info.driver_info, info.backend
        )
    }

    /// Whether it is an emulation on the processor.
    #[must_use]
    pub fn is_software(&self) -> bool {
        self.adapter.info.device_type == wgpu::DeviceType::Cpu
    }

    /// What it can hold, each with its unit: the largest buffer, the largest that a program sees, the memory and the threads of a workgroup, the
    /// workgroups of a dispatch.
    #[must_use]
    pub fn limits(&self) -> [(&'static str, u64); 5] {
        let limits = &self.adapter.limits;
        [
            ("bytes of a buffer", limits.max_buffer_size),
            (
                "bytes that a program sees of a buffer",
                limits.max_storage_buffer_binding_size,
            ),
            (
                "bytes of memory of a workgroup",
                u64::from(limits.max_compute_workgroup_storage_size),
            ),
            (
                "threads of a workgroup",
                u64::from(limits.max_compute_invocations_per_workgroup),
            ),
            (
                "workgroups of a dispatch",
                u64::from(limits.max_compute_workgroups_per_dimension),
            ),
        ]
    }

    /// What has been asked of it since it was opened.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        let counts = &self.adapter.traffic;
        Traffic {
            dispatches: counts.dispatches.load(Relaxed),
            sent: counts.up.load(Relaxed),
            received: counts.down.load(Relaxed),
        }
    }

    /// Seconds that the last run took on the device, by its own clock; none where it has none.
    ///
    /// # Errors
    /// When the device fails.
    pub fn last_seconds(&self) -> Result<Option<f64>, Error> {
        self.adapter.last_seconds()
    }
}

/// What has been asked of a graphics processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Traffic {
    /// Programs started.
    pub dispatches: u64,
    /// Bytes sent to it.
    pub sent: u64,
    /// Bytes brought back.
    pub received: u64,
}

impl Executor<f32> for Gpu {
    fn open<'a>(
        &'a self,
        program: &'a Program,
        batch: Batch<'a, f32>,
    ) -> Result<Box<dyn Session<f32> + 'a>, Error> {
        batch.validate(program)?;
        indices::check(program, &batch)?;
        Ok(Box::new(GpuSession::new(
            &self.adapter,
            program,
            batch,
            self.memory,
        )?))
    }
}
