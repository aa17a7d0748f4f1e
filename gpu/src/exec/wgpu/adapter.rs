//! A graphics processor: found, opened, asked.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::future::block_on;
use super::pipelines::Compiled;
use crate::error::Error;

/// The interfaces that are asked.
pub(in crate::exec) const INTERFACES: &str = "Vulkan, Metal, Direct3D 12";

/// A graphics processor that is open.
#[derive(Debug)]
pub(super) struct Adapter {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) info: wgpu::AdapterInfo,
    pub(super) limits: wgpu::Limits,
    pub(super) layout: wgpu::BindGroupLayout,
    pub(super) rule_layout: wgpu::BindGroupLayout,
    /// The period of a dispatch, for programs of which each phase is one.
    pub(super) when_layout: wgpu::BindGroupLayout,
    pub(super) pipelines: Mutex<Compiled>,
    /// What the device complained of outside an error scope.
    fault: Arc<Mutex<Option<String>>>,
    /// Why there is no device any more.
    gone: Arc<Mutex<Option<String>>>,
    pub(super) traffic: Counts,
    clock: Option<Clock>,
    /// Which buffer there is no memory for.
    #[cfg(test)]
    pub(super) shortage: super::shortage::Shortage,
}

/// When a run began and ended, on the device.
#[derive(Debug)]
struct Clock {
    times: wgpu::QuerySet,
    resolved: wgpu::Buffer,
}

/// What has been asked of a device.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) dispatches: AtomicU64,
    pub(super) up: AtomicU64,
    pub(super) down: AtomicU64,
}

/// Storage buffers of a run, in the order of their bindings; whether a shader writes them.
pub(super) const BUFFERS: [bool; 9] = [false, false, false, false, false, true, true, true, true];
const RULE_BUFFERS: [bool; 6] = [false, false, true, true, true, true];

impl Adapter {
    /// Opens the fastest device.
    pub(super) fn open() -> Result<Adapter, Error> {
        let backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
        let mut wanted = wgpu::InstanceDescriptor::new_without_display_handle();
        wanted.backends = backends;
        let instance = wgpu::Instance::new(wanted);
        let none = |reason: String| Error::NoAdapter {
            looked_for: INTERFACES.to_owned(),
            reason,
        };
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..wgpu::RequestAdapterOptions::default()
        };
        let adapter =
            block_on(instance.request_adapter(&options)).map_err(|e| none(e.to_string()))?;
        let timestamps = adapter.features().contains(wgpu::Features::TIMESTAMP_QUERY);
        let features = if timestamps {
            wgpu::Features::TIMESTAMP_QUERY
        } else {
            wgpu::Features::empty()
        };
        let limits = adapter.limits();
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("hindsight"),
            required_features: features,
            required_limits: limits.clone(),
            ..wgpu::DeviceDescriptor::default()
        };
        let (device, queue) =
            block_on(adapter.request_device(&descriptor)).map_err(|e| none(e.to_string()))?;
        let fault = Arc::new(Mutex::new(None));
        let heard = Arc::clone(&fault);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            lock(&heard).get_or_insert_with(|| error.to_string());
        }));
        let gone = Arc::new(Mutex::new(None));
        let lost = Arc::clone(&gone);
        device.set_device_lost_callback(move |reason, message| {
            // Said on every call from now on. A device that nobody holds any more is destroyed too.
            let what = match reason {
                wgpu::DeviceLostReason::Destroyed => "it was closed".to_owned(),
                wgpu::DeviceLostReason::Unknown => format!("it was lost: {message}"),
            };
            lock(&lost).get_or_insert(what);
        });
        let clock = timestamps.then(|| Clock {
            times: device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            }),
            resolved: device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("times"),
                size: 16,
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            }),
        });
        let layout = layout_of(&device, &BUFFERS);
        let rule_layout = layout_of(&device, &RULE_BUFFERS);
        let when_layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: None,
            entries: &[entry(0, wgpu::BufferBindingType::Uniform, true)],
        });
        let opened = Adapter {
            info: adapter.get_info(),
            device,
            queue,
            limits,
            layout,
            rule_layout,
            when_layout,
            pipelines: Mutex::default(),
            fault,
            gone,
            traffic: Counts::default(),
            clock,
            #[cfg(test)]
            shortage: super::shortage::Shortage::default(),
        };
        opened.check().map_err(|e| none(e.to_string()))?;
        Ok(opened)
    }

    /// Gives the device back.
    pub(super) fn close(&self) {
        lock(&self.gone).get_or_insert_with(|| "it was closed".to_owned());
        self.device.destroy();
    }

    pub(super) fn is_gone(&self) -> bool {
        lock(&self.gone).is_some()
    }

    /// What has gone wrong since the last time that this was asked; a device that is gone stays so.
    pub(super) fn check(&self) -> Result<(), Error> {
        if let Some(message) = lock(&self.gone).clone() {
            return Err(Error::Device(message));
        }
        match lock(&self.fault).take() {
            Some(message) => Err(Error::Device(message)),
            None => Ok(()),
        }
    }

    /// Binds buffers, the uniform one first.
    pub(super) fn bind(
        &self,
        layout: &wgpu::BindGroupLayout,
        buffers: &[&wgpu::Buffer],
    ) -> wgpu::BindGroup {
        let entries = (0..)
            .zip(buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding,
                resource: buffer.as_entire_binding(),
            });
        let entries: Vec<wgpu::BindGroupEntry<'_>> = entries.collect();
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout,
            entries: &entries,
        })
    }

    /// Binds the numbers of periods, of which a dispatch is told one.
    pub(super) fn bind_period(&self, buffer: &wgpu::Buffer) -> wgpu::BindGroup {
        let binding = wgpu::BufferBinding {
            buffer,
            offset: 0,
            size: std::num::NonZeroU64::new(4),
        };
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &self.when_layout,
            entries: &[wgpu::BindGroupEntry {
                binding: 0,
                resource: wgpu::BindingResource::Buffer(binding),
            }],
        })
    }

    /// Begins the dispatches of a run, on the device's clock where it has one.
    pub(super) fn begin<'e>(&self, encoder: &'e mut wgpu::CommandEncoder) -> wgpu::ComputePass<'e> {
        let clock = self
            .clock
            .as_ref()
            .map(|clock| wgpu::ComputePassTimestampWrites {
                query_set: &clock.times,
                beginning_of_pass_write_index: Some(0),
                end_of_pass_write_index: Some(1),
            });
        encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: None,
            timestamp_writes: clock,
        })
    }

    pub(super) fn dispatch(&self, pass: &mut wgpu::ComputePass<'_>, workgroups: [usize; 2]) {
        self.traffic.dispatches.fetch_add(1, Relaxed);
        let [x, y] = workgroups.map(super::packing::as_u32);
        pass.dispatch_workgroups(x, y, 1);
    }

    pub(super) fn submit(&self, mut encoder: wgpu::CommandEncoder) {
        if let Some(clock) = &self.clock {
            encoder.resolve_query_set(&clock.times, 0..2, &clock.resolved, 0);
        }
        self.queue.submit([encoder.finish()]);
    }

    /// Seconds that the last run took on the device, by its own clock; none where it has none.
    pub(super) fn last_seconds(&self) -> Result<Option<f64>, Error> {
        let Some(clock) = &self.clock else {
            return Ok(None);
        };
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let staging = self.buffer("times", 16, usage)?;
        let mut encoder = self
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(&clock.resolved, 0, &staging, 0, 16);
        self.queue.submit([encoder.finish()]);
        let words = self.read(&staging, 4)?;
        let tick = |low: f32, high: f32| u64::from(low.to_bits()) | u64::from(high.to_bits()) << 32;
        let ticks = tick(words[2], words[3]).saturating_sub(tick(words[0], words[1]));
        #[allow(
            clippy::cast_precision_loss,
            reason = "a run lasts fewer than 2^52 ticks"
        )]
        let ticks = ticks as f64;
        Ok(Some(
            ticks * f64::from(self.queue.get_timestamp_period()) * 1e-9,
        ))
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn storage(binding: u32, written: bool) -> wgpu::BindGroupLayoutEntry {
    let read_only = !written;
    entry(
        binding,
        wgpu::BufferBindingType::Storage { read_only },
        false,
    )
}

fn entry(binding: u32, ty: wgpu::BufferBindingType, offset: bool) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset: offset,
            min_binding_size: None,
        },
        count: None,
    }
}

fn layout_of(device: &wgpu::Device, buffers: &[bool]) -> wgpu::BindGroupLayout {
    let mut entries = vec![entry(0, wgpu::BufferBindingType::Uniform, false)];
    entries.extend((1..).zip(buffers).map(|(k, &written)| storage(k, written)));
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: None,
        entries: &entries,
    })
}
