#!/usr/bin/env bash
# The engine on a graphics processor: its laws, then the training step beside JAX and PyTorch on the same card, in one run.
# usage: [PATHS=8192] [STEPS=20] bench/gpu.sh FOLDER [PYTHON]
# FOLDER has the two programs that `bench/gpu.sh --build FOLDER` puts there, so that the machine with the card need build nothing.
# All of it ends within eight minutes, whatever hangs: 120 s of laws, three runs of ours of 30 to 45 s, five peers of 50 s at most.
# PYTHON has numpy, jax and torch with the card's libraries; the default is python3. A peer that is missing says so, and each says what it ran on.
# With other PATHS, where the device is software, only our own step is timed, and may take 200 s.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ "${1:-}" = --build ]; then
  folder=$(mkdir -p "$2" && cd "$2" && pwd)
  cd "$here/.."
  target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
  CARGO_INCREMENTAL=0 cargo build --release -q -p hindsight-gpu --features wgpu --example device_lost_sales
  suite=$(CARGO_INCREMENTAL=0 cargo test --release -p hindsight-gpu --features wgpu --test device --no-run 2>&1 | sed -n "s|.*tests/device.*(\(.*\))\$|\1|p")
  strip -o "$folder/device_lost_sales" "$target/release/examples/device_lost_sales"
  strip -o "$folder/device_laws" "$suite"
  exit 0
fi
folder=$(cd "$1" && pwd)
python=${2:-python3}
paths=${PATHS:-8192} steps=${STEPS:-20}
# Says how a command ended that did not end well: `timeout` has 124 for what it cut off.
ended() { if [ "$2" = 124 ]; then echo "$1 cut off: out of time"; else echo "$1 FAILED"; fi; }
ours() { timeout "$1" "$folder/device_lost_sales" "$steps" "$2" || ended "the step" $?; }
echo "== the laws, on the device"
PROPTEST_CASES=${PROPTEST_CASES:-40} RUST_BACKTRACE=0 timeout 120 "$folder/device_laws" --nocapture 2>&1 | { grep -v '^$' || true; } || ended "the laws" $?
echo "== a training step: $paths paths, 64 periods, 4,929 parameters; milliseconds, medians of $steps after warm-up"
if [ "$paths" != 8192 ]; then
  ours 200 "$paths"
  exit 0
fi
ours 30 8192
for variant in jax-scan jax-unroll jax-exact torch-graph torch-eager; do
  timeout 50 "$python" -B "$here/gpu_peers.py" "$variant" "$steps" 2>/dev/null || echo "{\"variant\": \"$variant\", \"missing\": true}"
done
ours 30 8192
echo "== the same with 65,536 paths"
ours 45 65536
