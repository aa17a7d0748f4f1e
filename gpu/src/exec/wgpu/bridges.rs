//! What passes between lanes and their groups.

use super::blocks::Kind;
use super::emitter::Emitter;
use super::periods::live_rows;
use crate::record::Space;

/// In a shader of groups: adds the adjoints that the lanes left of what they read, group by group, each by one thread in the order of its
/// lanes.
pub(super) fn from_lanes(e: &mut Emitter<'_>, space: Space, period: &str) {
    let live = live_rows(&e.plan.lane, space);
    if live.is_empty() {
        return;
    }
    e.enter(Kind::Narrow, false);
    for (b, (_, from)) in live.into_iter().enumerate() {
        let sum = e.fresh("part");
        e.line(format_args!("var {sum} = 0.0;"));
        e.line(format_args!(
            "if (alive) {{ for (var i = I[U.starts_at + mine]; i < I[U.starts_at + mine + 1u]; i += 1u) {{ {sum} += BA[({period}) * U.over_stride + {b}u * U.lanes_padded + i]; }} }}"
        ));
        e.add(from, 0, &sum);
    }
}
