//! Memory of the device: asked for, written, read back, and what happens when there is none.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;

use super::adapter::Adapter;
use super::future::block_on;
use super::upload::bytes_of;
use crate::error::Error;

impl Adapter {
    /// A buffer of so many bytes, or why there is none.
    pub(super) fn buffer(
        &self,
        what: &'static str,
        bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer, Error> {
        let available = self
            .limits
            .max_storage_buffer_binding_size
            .min(self.limits.max_buffer_size);
        if bytes > available {
            return Err(Error::DeviceLimit {
                what,
                needed: bytes,
                available,
            });
        }
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(what),
            size: bytes.max(16).next_multiple_of(16),
            usage,
            mapped_at_creation: false,
        });
        let full = block_on(scope.pop()).is_some();
        #[cfg(test)]
        let full = full || self.shortage.strikes();
        if full {
            return Err(Error::OutOfMemory {
                what,
                needed: bytes,
            });
        }
        self.check()?;
        Ok(buffer)
    }

    /// A buffer that the host can read.
    pub(super) fn staging(&self, count: usize) -> Result<wgpu::Buffer, Error> {
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        self.buffer("what comes back", count as u64 * 4, usage)
    }

    /// Sends bytes to the beginning of a buffer.
    pub(super) fn write(&self, buffer: &wgpu::Buffer, bytes: &[u8]) {
        self.traffic.up.fetch_add(bytes.len() as u64, Relaxed);
        self.queue.write_buffer(buffer, 0, bytes);
    }

    /// Sends many numbers in pieces, each there before the next is sent, so that no second copy of all of them waits anywhere.
    pub(super) fn write_many(&self, buffer: &wgpu::Buffer, numbers: &[f32]) -> Result<(), Error> {
        let mut at = 0;
        for (k, piece) in numbers.chunks(PIECE).enumerate() {
            if k > 0 {
                self.queue.submit([]);
                self.wait()?;
            }
            let bytes = bytes_of(piece);
            self.traffic.up.fetch_add(bytes.len() as u64, Relaxed);
            self.queue.write_buffer(buffer, at, &bytes);
            at += bytes.len() as u64;
        }
        Ok(())
    }

    /// Waits for all that was asked of the device.
    pub(super) fn wait(&self) -> Result<(), Error> {
        let poll = || self.device.poll(wgpu::PollType::wait_indefinitely());
        // A driver that finds its device gone while it is waited for makes wgpu panic, when it has told why.
        let waited = catch_unwind(AssertUnwindSafe(poll));
        self.check()?;
        match waited {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Error::Device(error.to_string())),
            Err(_) => Err(Error::Device("it was lost".to_owned())),
        }
    }

    /// The numbers at the beginning of a buffer that the host can read.
    pub(super) fn read(&self, buffer: &wgpu::Buffer, count: usize) -> Result<Vec<f32>, Error> {
        if count == 0 {
            // What was asked is done before more is sent.
            self.wait()?;
            return Ok(Vec::new());
        }
        let bytes = count as u64 * 4;
        self.traffic.down.fetch_add(bytes, Relaxed);
        let (sender, receiver) = std::sync::mpsc::channel();
        buffer.map_async(wgpu::MapMode::Read, 0..bytes, move |done| {
            let _ = sender.send(done);
        });
        self.wait()?;
        match receiver.recv() {
            Ok(Ok(())) => {}
            _ => return Err(Error::Device("results could not be read".to_owned())),
        }
        let view = buffer
            .get_mapped_range(0..bytes)
            .map_err(|e| Error::Device(e.to_string()))?;
        let numbers = view
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let numbers = numbers.collect();
        drop(view);
        buffer.unmap();
        Ok(numbers)
    }
}

/// Numbers that are sent at once.
const PIECE: usize = 1 << 22;
