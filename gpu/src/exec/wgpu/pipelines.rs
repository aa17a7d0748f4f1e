//! Shaders compiled, and kept for the next session that has the same.

use std::collections::HashMap;

use super::adapter::{Adapter, lock};
use super::future::block_on;
use crate::error::Error;

/// Shaders of which compiled entry points are kept.
const CACHED: usize = 64;

/// Compiled entry points, by the text of the shader, then by name.
pub(super) type Compiled = HashMap<String, HashMap<String, wgpu::ComputePipeline>>;

impl Adapter {
    /// Compiled entry points of a shader. Others may compile theirs at the same time.
    pub(super) fn pipelines(
        &self,
        text: &str,
        entries: &[&str],
        layouts: &[&wgpu::BindGroupLayout],
    ) -> Result<Vec<wgpu::ComputePipeline>, Error> {
        let mut there: HashMap<String, wgpu::ComputePipeline> =
            lock(&self.pipelines).get(text).cloned().unwrap_or_default();
        let mut missing: Vec<&str> = entries.to_vec();
        missing.retain(|&entry| !there.contains_key(entry));
        if !missing.is_empty() {
            let compiled = self.compile(text, &missing, layouts)?;
            there.extend(missing.iter().map(|&e| e.to_owned()).zip(compiled));
            let mut kept = lock(&self.pipelines);
            if kept.len() >= CACHED {
                kept.clear();
            }
            kept.insert(text.to_owned(), there.clone());
        }
        Ok(entries.iter().map(|&entry| there[entry].clone()).collect())
    }

    fn compile(
        &self,
        text: &str,
        entries: &[&str],
        layouts: &[&wgpu::BindGroupLayout],
    ) -> Result<Vec<wgpu::ComputePipeline>, Error> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let descriptor = wgpu::ShaderModuleDescriptor {
            label: entries.first().copied(),
            source: wgpu::ShaderSource::Wgsl(text.into()),
        };
        let module = trusted(&self.device, descriptor);
        let layouts: Vec<Option<&wgpu::BindGroupLayout>> =
            layouts.iter().copied().map(Some).collect();
        let layout = self
            .device
            .create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: None,
                bind_group_layouts: &layouts,
                ..wgpu::PipelineLayoutDescriptor::default()
            });
        let pipeline = |entry: &&str| {
            self.device
                .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                    label: Some(entry),
                    layout: Some(&layout),
                    module: &module,
                    entry_point: Some(entry),
                    compilation_options: wgpu::PipelineCompilationOptions {
                        zero_initialize_workgroup_memory: false,
                        ..wgpu::PipelineCompilationOptions::default()
                    },
                    cache: None,
                })
        };
        let pipelines = entries.iter().map(pipeline).collect();
        if let Some(error) = block_on(scope.pop()) {
            return Err(Error::Device(error.to_string()));
        }
        self.check()?;
        Ok(pipelines)
    }
}

/// A module of a shader that this crate has written.
#[allow(
    unsafe_code,
    reason = "shaders without checks of bounds are a third faster; their indices are this crate's own"
)]
fn trusted(
    device: &wgpu::Device,
    descriptor: wgpu::ShaderModuleDescriptor<'_>,
) -> wgpu::ShaderModule {
    // SAFETY: every index in the text is a place in a buffer whose size the session computes from the same frame, every loop is counted, and
    // no divisor is zero. Operations of the caller's own have arrays in registers alone.
    unsafe {
        device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
    }
}
