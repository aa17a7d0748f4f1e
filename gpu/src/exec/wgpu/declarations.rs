//! What every shader begins with: the numbers of a run, buffers, functions, operations of the caller's own.

use std::fmt::Write;

use super::plain::custom_name;
use super::shape::{THREADS, TILE};
use crate::error::Error;
use crate::record::{Op, Plan};

/// The numbers that a run tells its shaders, in this order, each a `u32`.
pub(super) const RUN: [&str; 31] = [
    "lanes",
    "periods",
    "window",
    "groups",
    "tiles",
    "group_tiles",
    "workgroups",
    "exo_period",
    "exo_input",
    "exo_lane",
    "lane_total",
    "weights_at",
    "shared_at",
    "shared_period",
    "shared_groups",
    "gid_at",
    "starts_at",
    "picked_at",
    "scalars_at",
    "slot",
    "group_slot",
    "groups_at",
    "traces_at",
    "state_at",
    "lane_grad_at",
    "exo_grad_at",
    "params",
    "partial",
    "over_stride",
    "lanes_padded",
    "join",
];

const HELPERS: &str = "
fn exo_1(t: u32, k: u32, lane: u32) -> f32 {
  return X[(U.window + t) * U.exo_period + k * U.exo_input + lane * U.exo_lane];
}
fn exo_4(t: u32, k: u32, lane: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(exo_1(t, k, lane.x), exo_1(t, k, lane.y), exo_1(t, k, lane.z), exo_1(t, k, lane.w));
}
fn shared_1(t: u32, k: u32, group: u32) -> f32 {
  return D[U.shared_at + ((U.window + t) * U.shared_period + k) * U.shared_groups + I[U.picked_at + group]];
}
fn shared_4(t: u32, k: u32, group: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(shared_1(t, k, group.x), shared_1(t, k, group.y), shared_1(t, k, group.z), shared_1(t, k, group.w));
}
fn over_1(place: u32, group: u32) -> f32 {
  let g = group % TILE;
  return M[U.groups_at + (group / TILE) * U.group_slot + place + (g >> 2u)][g & 3u];
}
fn over_4(place: u32, group: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(over_1(place, group.x), over_1(place, group.y), over_1(place, group.z), over_1(place, group.w));
}
";

/// Declarations and functions.
pub(super) fn head(plan: &Plan, shared: usize, joined: bool) -> Result<String, Error> {
    let mut text = String::from("struct Run {\n");
    for name in RUN {
        let _ = writeln!(text, "  {name}: u32,");
    }
    text.push_str("  infinity: u32,\n  nan: u32,\n  mean: f32,\n  weighted: u32,\n}\n");
    let storage = [
        ("read", "D: array<f32>"),
        ("read", "X: array<f32>"),
        ("read", "I: array<u32>"),
        ("read", "P: array<f32>"),
        ("read", "PK: array<vec4<f32>>"),
        ("read_write", "M: array<vec4<f32>>"),
        ("read_write", "GP: array<f32>"),
        ("read_write", "OUT: array<f32>"),
        ("read_write", "BA: array<f32>"),
    ];
    text.push_str("@group(0) @binding(0) var<uniform> U: Run;\n");
    for (k, (access, name)) in storage.into_iter().enumerate() {
        let _ = writeln!(
            text,
            "@group(0) @binding({}) var<storage, {access}> {name};",
            k + 1
        );
    }
    if joined {
        text.push_str("struct When { period: u32 }\n@group(1) @binding(0) var<uniform> W: When;\n");
    }
    let _ = writeln!(text, "const TILE = {TILE}u; const THREADS = {THREADS}u;");
    let _ = writeln!(text, "var<workgroup> sh: array<vec4<f32>, {shared}>;");
    text.push_str(HELPERS);
    let prelude = include_str!("prelude.wgsl");
    for (n, t) in [("1", "f32"), ("4", "vec4<f32>")] {
        let functions = prelude
            .replace("_N(", &format!("_{n}("))
            .replace("T(", &format!("{t}("));
        text.push_str(
            &functions
                .replace(": T", &format!(": {t}"))
                .replace("-> T", &format!("-> {t}")),
        );
    }
    customs(plan, &mut text)?;
    Ok(text)
}

/// The functions of the caller's own operations.
///
/// # Errors
/// When one has none.
pub(super) fn customs(plan: &Plan, text: &mut String) -> Result<(), Error> {
    let mut there = std::collections::HashSet::new();
    let codes = plan.sides().into_iter().flat_map(|side| side.codes());
    for op in codes.flat_map(|code| &code.ops) {
        let Op::Custom { op, inputs, .. } = op else {
            continue;
        };
        let Some(shader) = op.shader() else {
            return Err(Error::NoShader {
                operation: format!("{op:?}"),
            });
        };
        let forward = custom_name(op.as_ref(), "forward", inputs.len());
        if there.insert(forward.clone()) {
            let back = custom_name(op.as_ref(), "vjp", inputs.len());
            let own = shader.replace("fn forward(", &format!("fn {forward}("));
            text.push_str(&own.replace("fn vjp(", &format!("fn {back}(")));
            text.push('\n');
        }
    }
    Ok(())
}
