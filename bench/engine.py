"""The engine beside its peers, interleaved in one run; see engine.sh. Exits with 1 where a target is missed."""
import argparse
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
# Matrix products of one training step: 9,600 flop a path and period forward, twice that backward.
STEP_GFLOP = 3 * 9600 * 8192 * 64 / 1e9
# Losses before the first five steps, from two other implementations.
LOSSES = [-393.95984, -394.61343, -395.26967, -395.93313, -396.60740]

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--steps", type=int, default=5)
parser.add_argument("--examples", type=pathlib.Path, required=True, help="folder of the built examples")
options = parser.parse_args()

cpu = str(max(os.sched_getaffinity(0)))
environment = dict(os.environ, XLA_FLAGS="--xla_cpu_multi_thread_eigen=false", OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1")
for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    environment.pop(variable, None)


def run(*command, pinned=True):
    prefix = ["taskset", "-c", cpu] if pinned else []
    out = subprocess.run(prefix + [str(c) for c in command], env=environment, cwd=HERE, check=True, capture_output=True, text=True)
    return json.loads(out.stdout)


def ours(threads, pinned):
    return run(options.examples / "dbp_lost_sales", threads, options.steps, pinned=pinned)


def peer(script, *arguments):
    return run(sys.executable, HERE / script, *arguments)


variants = ["scan", "chunk", "chunk-remat"]
sgemm, jax, one, two, rollout, peers = [], {v: [] for v in variants}, [], [], [], []
for _ in range(options.rounds):
    sgemm.append(peer("engine_sgemm.py"))
    for variant in variants:
        jax[variant].append(peer("engine_jax.py", variant, options.steps))
    one.append(ours(1, pinned=True))
    two.append(ours(2, pinned=False))
    rollout.append(run(options.examples / "base_stock_rollout"))
    peers.append(peer("engine_rollout.py"))


def least(runs, key):
    return min(r[key] for r in runs)


def most(runs, key):
    return max(r[key] for r in runs)


missed = []


def verdict(what, value, bound, holds, reason=""):
    print(f"  {what:<58} {value:8.2f}   target {bound}   {'holds' if holds else 'MISSED'}{reason}")
    if not holds:
        missed.append(what)


rate = most(sgemm, "gflops")
step, forward = least(one, "step_cpu_min"), least(one, "forward_cpu_min")
best = min(least(runs, "step_cpu_min") for runs in jax.values())
best_forward = min(least(runs, "forward_cpu_min") for runs in jax.values())
print(f"one training step, 8192 paths x 64 periods, one thread, least CPU seconds of {options.rounds} rounds of {options.steps} steps")
for variant, runs in jax.items():
    print(f"  JAX {variant:<12} step {least(runs, 'step_cpu_min'):.3f}   forward {least(runs, 'forward_cpu_min'):.3f}")
print(f"  this engine      step {step:.3f}   forward {forward:.3f}")
print(f"  sgemm {rate:.1f} GFLOP/s ({', '.join(sgemm[0]['kernels'])}); a step's products at that rate: {STEP_GFLOP / rate:.3f}")
verdict("step / JAX at its best", step / best, "<= 0.52", step / best <= 0.52)
verdict("products of a step per CPU second / sgemm", STEP_GFLOP / step / rate, ">= 0.65", STEP_GFLOP / step / rate >= 0.65)
print(f"  {'forward / JAX at its best':<58} {forward / best_forward:8.2f}")
off = max(abs(a / b - 1) for r in one for a, b in zip(r["losses"], LOSSES))
verdict("loss before steps 1 to 5, relative error x 1e6", off * 1e6, "<= 2.00", off <= 2e-6)
same = all(r["losses"] == one[0]["losses"] for r in one + two)
verdict("losses on one and two threads are the same numbers", float(same), "   1.00", same)
overhead = least(two, "step_cpu_min") / step
print(f"  {'CPU seconds of a step, two threads / one':<58} {overhead:8.2f}")
scaling, load, processors = least(one, "step_wall_min") / least(two, "step_wall_min"), os.getloadavg()[0], os.cpu_count()
if load <= processors + 1:
    verdict("two threads, wall clock of one / two", scaling, ">= 1.80", scaling >= 1.8)
else:
    print(f"  {'two threads, wall clock of one / two':<58} {scaling:8.2f}   not judged: load {load:.1f} on {processors} processors")
print("base stock, 8192 paths x 64 periods, one thread, million period-steps per CPU second")
for name in ("numpy", "jax", "numba", "jax_slope"):
    print(f"  {name:<12} {most(peers, name):6.0f}")
lanes, slope = most(rollout, "forward_million_per_cpu_s"), most(rollout, "derivative_million_per_cpu_s")
verdict("on lanes", lanes, ">= 500", lanes >= 500)
verdict("on lanes with the derivative", slope, ">= 250", slope >= 250)
costs = peers[0]["mean_costs"] + [rollout[0]["mean_cost"]]
spread = max(costs) / min(costs) - 1
verdict("mean cost, spread over all programs x 1e6", spread * 1e6, "<= 5.00", spread <= 5e-6)
gap = abs(peers[0]["mean_slope"] - rollout[0]["mean_slope"])
verdict("mean slope, distance from JAX x 1e3", gap * 1e3, "<= 1.00", gap <= 1e-3)
sys.exit(1 if missed else 0)
