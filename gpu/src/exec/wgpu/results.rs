//! What comes back of a run.

use super::upload::Sizes;
use super::work::Work;
use crate::error::Error;

/// Numbers that come back: of a buffer, from where, how many.
pub(super) type Back = (wgpu::Buffer, usize, usize);

impl Work<'_> {
    /// What comes back of a forward run: objectives, traces, states.
    pub(super) fn of_forward(&self, sizes: &Sizes) -> Vec<Back> {
        let [_, _, end, ..] = sizes.outputs();
        vec![(self.buffers["results"].clone(), 0, end)]
    }

    /// What comes back of a gradient: the sums once, the adjoints of inputs of each lot.
    pub(super) fn of_gradient(&self, sizes: &Sizes, sums: bool) -> Vec<Back> {
        let [_, _, lane, _, end] = sizes.outputs();
        let count = if sums { sizes.params + 1 } else { 0 };
        vec![
            (self.optimiser.gradient.clone(), 0, count),
            (self.buffers["results"].clone(), lane, end - lane),
        ]
    }

    /// What comes back of a step: its objective.
    pub(super) fn of_step(&self, sums: bool) -> Vec<Back> {
        let gradient = self.optimiser.gradient.clone();
        vec![(gradient, self.params(), usize::from(sums))]
    }

    /// Where so many numbers come back.
    pub(super) fn staging(&mut self, wanted: &[Back]) -> Result<wgpu::Buffer, Error> {
        let count = wanted.iter().map(|&(_, _, count)| count).sum();
        if let Some((room, staging)) = &self.staging
            && *room == count
        {
            return Ok(staging.clone());
        }
        self.staging = None;
        let staging = self.adapter.staging(count)?;
        self.staging = Some((count, staging.clone()));
        Ok(staging)
    }

    /// Submits, and brings numbers of some buffers back, one after another.
    pub(super) fn bring(
        &self,
        mut encoder: wgpu::CommandEncoder,
        staging: &wgpu::Buffer,
        wanted: &[Back],
    ) -> Result<Vec<f32>, Error> {
        let mut there = 0;
        for (buffer, first, count) in wanted.iter().filter(|part| part.2 > 0) {
            let [first, at, bytes] = [*first, there, *count].map(|count| count as u64 * 4);
            encoder.copy_buffer_to_buffer(buffer, first, staging, at, bytes);
            there += count;
        }
        self.adapter.submit(encoder);
        self.adapter.read(staging, there)
    }

    /// Brings numbers back without a run.
    fn fetch(&mut self, wanted: &[Back]) -> Result<Vec<f32>, Error> {
        let staging = self.staging(wanted)?;
        self.bring(self.encoder(), &staging, wanted)
    }

    pub(super) fn parameters(&mut self) -> Result<Vec<f32>, Error> {
        let numbers = self.optimiser.numbers.clone();
        self.fetch(&[(numbers, 0, self.params())])
    }

    pub(super) fn average(&mut self) -> Result<Vec<f32>, Error> {
        let (state, params) = (self.optimiser.state.clone(), self.params());
        self.fetch(&[(state, 2 * params, params)])
    }
}
