struct Rule {
  params: u32, slots: u32, partial: u32, sums: u32,
  clip: f32, beta1: f32, beta2: f32, epsilon: f32,
  rest1: f32, rest2: f32, correct1: f32, correct2: f32,
  rate: f32, decay: f32, mean: f32, rest_of_mean: f32,
  adds: u32, a: u32, b: u32, c: u32,
}
@group(0) @binding(0) var<uniform> R: Rule;
@group(0) @binding(1) var<storage, read> GP: array<f32>;
@group(0) @binding(2) var<storage, read> MAP: array<u32>;
@group(0) @binding(3) var<storage, read_write> G: array<f32>;
@group(0) @binding(4) var<storage, read_write> P: array<f32>;
@group(0) @binding(5) var<storage, read_write> PK: array<f32>;
@group(0) @binding(6) var<storage, read_write> STATE: array<f32>;
var<workgroup> parts: array<f32, 256>;

fn finite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }

// The workgroups' gradients as one, in an order that depends on their number alone, behind those of the lots before where it adds; 32 parameters a workgroup, the objective behind them.
@compute @workgroup_size(256)
fn reduce(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) tid: u32) {
  let i = wg.x * 32u + tid % 32u;
  var sum = 0.0;
  if (i <= R.params) {
    for (var slot = tid / 32u; slot < R.slots; slot += 8u) { sum += GP[slot * R.partial + i]; }
  }
  parts[tid] = sum;
  workgroupBarrier();
  if (tid < 32u) {
    var total = 0.0;
    for (var k = 0u; k < 8u; k += 1u) { total += parts[k * 32u + tid]; }
    if (R.adds != 0u && i <= R.params) { total += G[i]; }
    var square = 0.0;
    if (i < R.params) {
      if (MAP[i] == 0u) { total = 0.0; }
      square = total * total;
    }
    if (i <= R.params) { G[i] = total; }
    parts[tid] = square;
  }
  workgroupBarrier();
  if (tid == 0u) {
    var total = 0.0;
    for (var k = 0u; k < 32u; k += 1u) { total += parts[k]; }
    G[R.params + 1u + wg.x] = total;
  }
}

// Clip, Adam up the gradient, average, and the weights packed anew.
@compute @workgroup_size(256)
fn ascend(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) tid: u32) {
  var sum = 0.0;
  for (var k = tid; k < R.sums; k += 256u) { sum += G[R.params + 1u + k]; }
  parts[tid] = sum;
  workgroupBarrier();
  for (var half = 128u; half > 0u; half /= 2u) {
    if (tid < half) { parts[tid] += parts[tid + half]; }
    workgroupBarrier();
  }
  let norm = sqrt(parts[0]);
  let i = wg.x * 256u + tid;
  if (i >= R.params || MAP[i] == 0u) { return; }
  var g = -G[i];
  if (!finite(norm)) { g = 0.0; } else if (norm > R.clip) { g *= R.clip / norm; }
  let n = R.params;
  let m = R.beta1 * STATE[i] + R.rest1 * g;
  let v = R.beta2 * STATE[n + i] + R.rest2 * g * g;
  STATE[i] = m;
  STATE[n + i] = v;
  let before = P[i];
  let now = before - R.rate * (m / R.correct1 / (sqrt(v / R.correct2) + R.epsilon) + R.decay * before);
  P[i] = now;
  STATE[2u * n + i] = R.mean * STATE[2u * n + i] + R.rest_of_mean * now;
  for (var j = MAP[n + i]; j < MAP[n + i + 1u]; j += 1u) { PK[MAP[2u * n + 1u + j]] = now; }
}
