"""The drain model's training step beside JAX, one thread each, interleaved in one run. Exits with 1 where the target is missed.

Needs `cargo build --release -p hindsight-drain --example model_bench`, and JAX."""
import argparse
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
# Ours at most this share of JAX.
TARGET = 0.60

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--ours", default=HERE.parent / "target/release/examples/model_bench", help="the built example")
options = parser.parse_args()
cpu = str(max(os.sched_getaffinity(0)))


def run(*command):
    command = ["taskset", "-c", cpu, *map(str, command)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


ours, jax = [], []
for _ in range(options.rounds):
    jax.append(float(run(sys.executable, HERE / "drain_step_jax.py")))
    # The difference of two trainings, of each the shortest of three: one of them cut short by chance would pass for fast steps.
    ours.append(float(run(options.ours, 3, "step").split("\t")[1]))
ratio = min(ours) / min(jax)
holds = ratio <= TARGET
print(f"training step of 128 states, 8 warehouses, 16 zones, 8 samples; least CPU seconds of {options.rounds} rounds")
print(f"  JAX {min(jax):.5f}   this engine {min(ours):.5f}")
print(f"  step / JAX {ratio:.2f}   target <= {TARGET:.2f}   {'holds' if holds else 'MISSED'}")
sys.exit(0 if holds else 1)
