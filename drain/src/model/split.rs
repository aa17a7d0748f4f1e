//! The capacity-limited split of a total.

use gpu::Scalar;

/// Newton steps towards the level, before the one that is differentiated.
const STEPS: usize = 8;
/// Keeps quotients of zeros away; amounts are of the order of one.
const TINY: f64 = 1e-12;

/// What a lane takes of its group's `total`: its weight times a level that the whole group has in common, at most its `capacity`.
///
/// $$y_w = \min(c_w, \tau \pi_w), \qquad \sum_w y_w = S$$
///
/// Weights and capacities are not negative, the total is at most the sum of the capacities, all of them in a unit in which the total is of the order of one.
/// The level $\tau$ is found by Newton's method from below, where it never overshoots; what eight steps leave over, in groups where the lanes fill up in more waves than
/// that, is shared in proportion to the room that is left. So a split is feasible by construction: $0 \le y \le c$, and the sum is the total up to rounding.
///
/// The derivative is that of the split, not of the iteration:
/// $d \tau = (d S - \sum_\text{full} d c_w - \tau \sum_\text{free} d \pi_w) / \sum_\text{free} \pi_w$. It has kinks where a lane just fills up.
///
/// ```
/// use hindsight_gpu::{Batch, Device, Executor, Program, Shape, Start, Step};
/// use hindsight_drain::model::water_filling;
/// let shape = Shape { lane: 3, ..Shape::default() };
/// let program = Program::record(shape, |_, _| Start::default(), |_, i| Step {
///     traces: vec![water_filling(i.lane[0], i.lane[1], i.lane[2])],
///     ..Step::new()
/// });
/// // Weights, capacities and the total of three warehouses.
/// let lanes = [1.0, 1.0, 2.0, 0.1, 1.0, 1.0, 1.0, 1.0, 1.0];
/// let batch = Batch::new(&program, 3, 1).lane(&lanes)?;
/// let split = Device::cpu(1).forward(&program, &[], &batch)?.traces;
/// for (y, expected) in split.into_iter().zip([0.1, 0.3, 0.6]) {
///     assert!((y - expected as f64).abs() < 1e-12);
/// }
/// # Ok::<(), hindsight_gpu::Error>(())
/// ```
pub fn water_filling<S: Scalar>(weight: S, capacity: S, total: S) -> S {
    let tiny = S::constant(TINY);
    let share = weight / (weight.lane_sum() + tiny);
    let (p, c, s) = (share.detach(), capacity.detach(), total.detach());
    let free = |level: S| (p * (c - p * level).positive()).lane_sum() + tiny;
    let newton = |level: S| level + (s - c.min(p * level).lane_sum()) / free(level);
    let level = (0..STEPS).fold(s, |level, _| newton(level));
    let level = level + (total - capacity.min(share * level).lane_sum()) / free(level);
    let taken = capacity.min(share * level);
    let rest = total - taken.lane_sum();
    let room = capacity - taken;
    (taken + room * (rest / (room.lane_sum() + tiny)))
        .min(capacity)
        .relu()
}
