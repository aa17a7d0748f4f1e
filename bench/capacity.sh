#!/usr/bin/env bash
# A joint training step of the crate capacity beside the same in JAX, interleaved in one run, in CPU seconds.
# usage: bench/capacity.sh [PYTHON] [--rounds N] [--steps N]
# PYTHON has numpy and jax; the default is python3.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=python3
if [ $# -gt 0 ] && [ "${1#--}" = "$1" ]; then
  python=$1
  shift
fi
cd "$here/.."
cargo build --release -q -p hindsight-capacity --example capacity_step
target=$(cargo metadata --format-version 1 --no-deps | "$python" -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
exec "$python" -B "$here/capacity.py" --examples "$target/release/examples" "$@"
