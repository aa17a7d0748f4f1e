#!/usr/bin/env bash
# The engine on a graphics processor: its laws, then the training step beside JAX and PyTorch on the same card, in one run.
# usage: bench/gpu.sh FOLDER [PYTHON]
# FOLDER has the two programs that `bench/gpu.sh --build FOLDER` puts there, so that the machine with the card need build nothing.
# All of it ends within eight minutes, whatever hangs: 120 s of laws, three runs of ours of 30 to 45 s, five peers of 50 s at most.
# PYTHON has numpy, jax and torch with the card's libraries; the default is python3. A peer that is missing says so.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ "${1:-}" = --build ]; then
  folder=$(mkdir -p "$2" && cd "$2" && pwd)
  cd "$here/.."
  target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
  CARGO_INCREMENTAL=0 cargo build --release -q -p hindsight-gpu --features wgpu --example device_lost_sales
  suite=$(CARGO_INCREMENTAL=0 cargo test --release -p hindsight-gpu --features wgpu --test engine --no-run 2>&1 | sed -n "s|.*tests/engine.*(\(.*\))\$|\1|p")
  strip -o "$folder/device_lost_sales" "$target/release/examples/device_lost_sales"
  strip -o "$folder/engine" "$suite"
  exit 0
fi
folder=$(cd "$1" && pwd)
python=${2:-python3}
echo "== the laws, on the device"
PROPTEST_CASES=${PROPTEST_CASES:-40} RUST_BACKTRACE=0 timeout 120 "$folder/engine" device --nocapture 2>&1 | grep -v '^$' || echo "the laws FAILED or were cut off"
echo "== a training step: 8192 paths, 64 periods, 4,929 parameters; milliseconds, medians of 20 after warm-up"
timeout 30 "$folder/device_lost_sales" 20 8192 || echo "the step FAILED or was cut off"
for variant in jax-scan jax-unroll jax-exact torch-graph torch-eager; do
  timeout 50 "$python" -B "$here/gpu_peers.py" "$variant" 20 2>/dev/null || echo "{\"variant\": \"$variant\", \"missing\": true}"
done
timeout 30 "$folder/device_lost_sales" 20 8192 || echo "the step FAILED or was cut off"
echo "== the same with 65,536 paths"
timeout 45 "$folder/device_lost_sales" 20 65536 || echo "the step FAILED or was cut off"
