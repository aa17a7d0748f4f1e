"""The generator of arrivals beside the same model in JAX, interleaved in one run; see arrivals.sh. Exits with 1 where a target is missed."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--examples", type=pathlib.Path, required=True, help="folder of the built examples")
options = parser.parse_args()

cpu = str(max(os.sched_getaffinity(0)))
environment = dict(os.environ, XLA_FLAGS="--xla_cpu_multi_thread_eigen=false", OMP_NUM_THREADS="1")
speed = options.examples / "speed"


def run(*command):
    command = ["taskset", "-c", cpu, *map(str, command)]
    out = subprocess.run(command, env=environment, cwd=HERE, check=True, capture_output=True, text=True)
    return json.loads(out.stdout)


# Training by mini-batches of one size is the same work; both are timed at the default of 256, and at the size where JAX does best.
batches = [256, 1024]
training = [(variant, batch) for batch in batches for variant in ("scan", "batched", "batched-epoch")]
sampling = [(variant, chunk) for chunk in (1024, 8192) for variant in ("threefry", "rbg")]
with tempfile.TemporaryDirectory() as folder:
    first = run(speed, "time", 256, folder)
    ours = {batch: [] for batch in batches}
    jax = {key: [] for key in [("train", *t) for t in training] + [("sample", *s) for s in sampling]}
    for _ in range(options.rounds):
        for batch in batches:
            ours[batch].append(run(speed, "time", batch))
        for key in jax:
            jax[key].append(run(sys.executable, HERE / "arrivals_jax.py", folder, *key))


def least(runs, key):
    return min(r[key] for r in runs)


missed = []


def verdict(what, value, bound):
    holds = value <= bound
    print(f"  {what:<62} {value:9.3g}   target <= {bound:<6} {'holds' if holds else 'MISSED'}")
    if not holds:
        missed.append(what)


print(f"one thread, least CPU seconds of {options.rounds} rounds")
for batch in batches:
    print(f"  an epoch over 250,000 orders, {batch} orders a step: this crate {least(ours[batch], 'epoch_cpu'):.2f}")
for (what, variant, size), runs in jax.items():
    name = f"an epoch, {size} a step, JAX {variant}" if what == "train" else f"a million orders, {size} together, JAX {variant}"
    print(f"  {name:<62} {least(runs, 'cpu'):.2f}")
epoch = {batch: min(least(jax["train", v, b], "cpu") for v, b in training if b == batch) for batch in batches}
for batch in batches:
    verdict(f"epoch, {batch} orders a step / JAX at its best", least(ours[batch], "epoch_cpu") / epoch[batch], 0.6)
own = min(least(runs, "sample_cpu") for runs in ours.values())
best = min(least(jax["sample", v, c], "cpu") for v, c in sampling)
print(f"  a million orders sampled: this crate {own:.2f}, JAX {best:.2f}")
verdict("sampling / JAX at its best", own / best, 0.6)
verdict("sampling a million orders, CPU s", own, 6.0)
# The same model: JAX's likelihood of this crate's parameters and orders, and the mean number of pieces that it draws with them.
check = jax["train", *training[0]][0]["nats"]
verdict("likelihood, relative distance x 1e6", abs(check / first["nats"] - 1) * 1e6, 5.0)
pieces = jax["sample", *sampling[0]][0]["pieces"]
verdict("mean number of pieces drawn, relative distance", abs(pieces / first["pieces"] - 1), 0.005)
sizes = [250_000, 1_000_000]
small, large = (run(speed, "memory", n) for n in sizes)
print(f"peak memory, MiB: {small}\n                  {large}")
log = (large["log_mib"] - small["log_mib"]) * 2**20 / (sizes[1] - sizes[0])
fit = (large["fitted_mib"] - small["fitted_mib"]) * 2**20 / (sizes[1] - sizes[0])
# An order is 26 numbers, and twelve for each of four pieces, in single precision; and the numbers of its mini-batches.
print(f"  bytes an order: its log {log:.0f}, with training on it {fit:.0f}")
verdict("bytes an order of training beyond its own data", fit - log - 4 * (26 + 4 * 12), 64)
sys.exit(1 if missed else 0)
