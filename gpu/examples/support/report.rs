//! What the timed examples share: uniform numbers that any language rebuilds, and times as JSON fields.

use std::time::Instant;

use cpu_time::ProcessTime;

/// The uniform number `index` of a stream: SplitMix64.
pub(crate) fn unit(stream: u64, index: usize) -> f64 {
    let mut z = (index as u64 + 1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(stream.wrapping_mul(0xD1B5_4A32_D192_ED03));
    z ^= z >> 30;
    z = z.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z ^= z >> 27;
    z = z.wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 40) as f64 / f64::from(1 << 24)
}

/// `count` numbers of a stream between two limits, in single precision.
pub(crate) fn uniform(stream: u64, count: usize, low: f64, high: f64) -> Vec<f32> {
    (0..count)
        .map(|i| (low + (high - low) * unit(stream, i)) as f32)
        .collect()
}

/// Runs `work` twice and then `steps` times on the clock; returns the last result, and least and median CPU seconds with the least wall
/// seconds as JSON fields.
pub(crate) fn timed<R>(
    name: &str,
    steps: usize,
    mut work: impl FnMut() -> Result<R, hindsight_gpu::Error>,
) -> Result<(R, String), hindsight_gpu::Error> {
    work()?;
    let mut result = work()?;
    let (mut cpu, mut wall) = (Vec::new(), Vec::new());
    for _ in 0..steps.max(1) {
        let (begun, used) = (Instant::now(), ProcessTime::now());
        result = work()?;
        wall.push(begun.elapsed().as_secs_f64());
        cpu.push(used.elapsed().as_secs_f64());
    }
    [&mut cpu, &mut wall]
        .into_iter()
        .for_each(|times| times.sort_by(f64::total_cmp));
    let (least, median) = (cpu[0], cpu[cpu.len() / 2]);
    let fields = format!(
        "\"{name}_cpu_min\": {least:.4}, \"{name}_cpu_median\": {median:.4}, \"{name}_wall_min\": {:.4}",
        wall[0]
    );
    Ok((result, fields))
}
