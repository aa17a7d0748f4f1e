//! Wall and CPU seconds of repeated work.

use std::time::Instant;

use cpu_time::ProcessTime;

/// Repetitions before the clock counts.
pub(crate) const WARM: usize = 2;

/// Wall and CPU seconds of each repetition.
#[derive(Debug, Default)]
pub(crate) struct Times {
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

impl Times {
    pub(crate) fn take<R>(&mut self, work: impl FnOnce() -> R) -> R {
        let (begun, used) = (Instant::now(), ProcessTime::now());
        let result = work();
        self.wall.push(begun.elapsed().as_secs_f64());
        self.cpu.push(used.elapsed().as_secs_f64());
        result
    }

    /// Median and least, as JSON fields.
    pub(crate) fn fields(&self, name: &str) -> String {
        let one = |kind: &str, times: &[f64]| {
            let mut times = times[WARM..].to_vec();
            times.sort_by(f64::total_cmp);
            let (least, median) = (times[0], times[times.len() / 2]);
            format!("\"{name}_{kind}_median\": {median:.4}, \"{name}_{kind}_min\": {least:.4}")
        };
        format!("{}, {}", one("wall", &self.wall), one("cpu", &self.cpu))
    }
}
