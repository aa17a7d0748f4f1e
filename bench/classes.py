"""A decoder's training step beside JAX, interleaved in one run; see classes.sh. Exits with 1 where a target is missed."""
import argparse
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--steps", type=int, default=5)
parser.add_argument("--examples", type=pathlib.Path, required=True, help="folder of the built examples")
options = parser.parse_args()

cpu = str(max(os.sched_getaffinity(0)))
environment = dict(os.environ, XLA_FLAGS="--xla_cpu_multi_thread_eigen=false", OMP_NUM_THREADS="1")


def run(*command):
    command = ["taskset", "-c", cpu, *map(str, command)]
    out = subprocess.run(command, env=environment, cwd=HERE, check=True, capture_output=True, text=True)
    return json.loads(out.stdout)


# As most people write it, and every way of cutting it that has been the fastest on some machine.
variants = [("scan", 4096), ("scan", 512), ("scan", 256), ("scan", 128), ("scan", 64), ("batched", 128), ("batched-remat", 128)]
jax, ours = {v: [] for v in variants}, []
for _ in range(options.rounds):
    for variant in variants:
        jax[variant].append(run(sys.executable, HERE / "classes_jax.py", *variant, options.steps))
    ours.append(run(options.examples / "decoder", 1, options.steps))


def least(runs, key):
    return min(r[key] for r in runs)


missed = []


def verdict(what, value, bound, holds):
    print(f"  {what:<58} {value:8.2f}   target {bound}   {'holds' if holds else 'MISSED'}")
    if not holds:
        missed.append(what)


step, forward = least(ours, "step_cpu_min"), least(ours, "forward_cpu_min")
best = min(least(runs, "step_cpu_min") for runs in jax.values())
best_forward = min(least(runs, "forward_cpu_min") for runs in jax.values())
print(f"one training step, 4096 orders x 8 tokens x 281 classes, one thread, least CPU seconds of {options.rounds} rounds of {options.steps} steps")
for (variant, chunk), runs in jax.items():
    name = f"JAX {variant}, {chunk} orders at a time"
    print(f"  {name:<40} step {least(runs, 'step_cpu_min'):.3f}   forward {least(runs, 'forward_cpu_min'):.3f}")
print(f"  {'this engine':<40} step {step:.3f}   forward {forward:.3f}")
verdict("step / JAX at its best", step / best, "<= 0.60", step / best <= 0.6)
print(f"  {'forward / JAX at its best':<58} {forward / best_forward:8.2f}")
peer = jax[variants[0]][0]["losses"]
off = max(abs(a / b - 1) for r in ours for a, b in zip(r["losses"], peer))
verdict("loss before each step, relative distance from JAX x 1e6", off * 1e6, "<= 2.00", off <= 2e-6)
sys.exit(1 if missed else 0)
