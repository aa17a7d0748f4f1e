//! The lanes of each group as one number: threads share a group's lanes, add up or compare their own, and join what they have in pairs.

use std::fmt::Write;

use super::emitter::{Emitter, number};
use super::frame::Frame;
use super::shape::{THREADS, VECTORS};
use crate::record::Reduce;

/// What every such entry point begins with: the group, the thread's number among those that share it, and the lanes.
const OF_GROUP: &str = "
  let t = W.period; let each = U.join; let j = tid % each;
  let group = wg.x * (THREADS / each) + tid / each; let there = group < U.groups;
  let own = min(group, U.groups - 1u); let begins = I[U.starts_at + own];
  let ends = select(begins, I[U.starts_at + own + 1u], there);
  var sum = 0.0;
";

/// What a thread knows of lane `i`.
const OF_LANE: &str = "let s4 = (i / TILE) * U.slot; let lane = i % TILE; let l4 = lane >> 2u; let lc = lane & 3u; let src = I[i]; let gid = own;";

/// The text of an entry point that joins some rows, one a number of `wg.y`, and puts the results where the groups look for them; `value` is what
/// a row's number of lane `i` is called once it is written.
pub(super) fn join(
    e: &mut Emitter<'_>,
    name: &str,
    group: &Frame,
    rows: &[Reduce],
    mut value: impl FnMut(&mut Emitter<'_>, usize) -> String,
) -> String {
    let mut text = format!(
        "@compute @workgroup_size({THREADS})\nfn {name}(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) tid: u32) {{{OF_GROUP}"
    );
    for (b, f) in rows.iter().enumerate() {
        e.begin(format_args!("if (wg.y == {b}u)"));
        e.line(format_args!("sum = {};", number(f.nothing())));
        e.begin("for (var i = begins + j; i < ends; i += each)");
        e.line(OF_LANE);
        let x = value(e, b);
        e.line(format_args!("sum = {};", both(*f, "sum", &x)));
        e.forget();
        e.end();
        e.end();
    }
    text.push_str(&e.take());
    let most: Vec<String> = rows
        .iter()
        .enumerate()
        .filter(|(_, f)| **f == Reduce::Max)
        .map(|(b, _)| format!("wg.y == {b}u"))
        .collect();
    let mut joined = both(Reduce::Sum, "a", "b");
    if !most.is_empty() {
        let largest = both(Reduce::Max, "a", "b");
        joined = format!("select({joined}, {largest}, {})", most.join(" || "));
    }
    let _ = write!(
        text,
        "  sh[tid >> 2u][tid & 3u] = sum; workgroupBarrier();
  for (var half = each / 2u; half > 0u; half /= 2u) {{
    if (j < half) {{
      let a = sh[tid >> 2u][tid & 3u]; let b = sh[(tid + half) >> 2u][(tid + half) & 3u];
      sh[tid >> 2u][tid & 3u] = {joined};
    }}
    workgroupBarrier();
  }}
  if (j == 0u && there) {{
    let g = group % TILE;
    M[U.groups_at + (group / TILE) * U.group_slot + {}u + wg.y * {VECTORS}u + (g >> 2u)][g & 3u] = sh[tid >> 2u][tid & 3u];
  }}
}}
",
        group.joined * VECTORS
    );
    text
}

fn both(f: Reduce, a: &str, b: &str) -> String {
    match f {
        Reduce::Sum => format!("{a} + {b}"),
        Reduce::Max => format!("max({a}, {b})"),
    }
}

/// Threads that share a group where the largest has so many lanes: enough to keep each to a few lanes, all of a workgroup at most.
pub(super) fn threads(largest: usize) -> usize {
    (largest / 4).next_power_of_two().min(THREADS)
}
