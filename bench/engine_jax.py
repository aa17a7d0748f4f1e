"""One Direct Backprop training step in JAX, as in gpu/examples/dbp_lost_sales.rs.

usage: engine_jax.py VARIANT STEPS
VARIANT: scan (as most people write it), chunk (paths in chunks of 512), chunk-remat (and the period recomputed backwards)
"""
import json
import math
import sys
import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from common import BETA1, BETA2, EPSILON, GAMMA, RATE, SCALE, lost_sales

PATHS, PERIODS, CHUNK = 8192, 64, 512
variant, steps = sys.argv[1], int(sys.argv[2])
data, params = lost_sales(PATHS, PERIODS)
data = {k: jnp.asarray(v) for k, v in data.items()}
params = {k: jnp.asarray(v) for k, v in params.items()}


def policy(p, inv, pipe, feat):
    x = jnp.concatenate([SCALE * inv[:, None], SCALE * pipe, feat], axis=1)
    h = jax.nn.silu(x @ p["w1"] + p["b1"])
    h = jax.nn.silu(h @ p["w2"] + p["b2"])
    return jax.nn.softplus(h @ p["w3"] + p["b3"])[:, 0]


def total(p, d, remat):
    def step(carry, inputs):
        inv, pipe, g = carry
        demand, feat = inputs
        q = policy(p, inv, pipe, feat)
        avail = inv + pipe[:, 0]
        sales = jnp.minimum(demand, avail)
        left = avail - sales
        reward = d["price"] * sales - d["cost"] * q - d["hold"] * left
        pipe = jnp.concatenate([pipe[:, 1:], q[:, None]], axis=1)
        return (left, pipe, g * GAMMA), g * reward.sum()

    body = jax.checkpoint(step) if remat else step
    start = (d["inv0"], d["pipe0"], jnp.asarray(1.0, jnp.float32))
    _, rewards = jax.lax.scan(body, start, (d["demand"], d["feat"]))
    return -rewards.sum()


def split(d):
    """Chunks of paths along a new first axis."""
    chunks = PATHS // CHUNK
    out = {}
    for k, v in d.items():
        if k in ("demand", "feat"):
            out[k] = jnp.moveaxis(v.reshape((PERIODS, chunks, CHUNK) + v.shape[2:]), 1, 0)
        else:
            out[k] = v.reshape((chunks, CHUNK) + v.shape[1:])
    return out


chunked, remat = variant != "scan", variant == "chunk-remat"
inputs = split(data) if chunked else data


def loss_and_gradient(p, d):
    f = jax.value_and_grad(partial(total, remat=remat))
    if not chunked:
        loss, grad = f(p, d)
    else:
        def body(sums, chunk):
            return jax.tree.map(jnp.add, sums, f(p, chunk)), None

        zero = (jnp.zeros((), jnp.float32), jax.tree.map(jnp.zeros_like, p))
        (loss, grad), _ = jax.lax.scan(body, zero, d)
    return loss / PATHS, jax.tree.map(lambda g: g / PATHS, grad)


def forward(p, d):
    if not chunked:
        return total(p, d, False) / PATHS
    _, losses = jax.lax.scan(lambda c, chunk: (c, total(p, chunk, False)), 0, d)
    return losses.sum() / PATHS


@partial(jax.jit, donate_argnums=(0, 1, 2))
def train(p, m, v, t, d):
    loss, g = loss_and_gradient(p, d)
    m = jax.tree.map(lambda a, b: BETA1 * a + (1 - BETA1) * b, m, g)
    v = jax.tree.map(lambda a, b: BETA2 * a + (1 - BETA2) * b * b, v, g)
    # 1 - beta^t without the cancellation that single precision leaves of it: 1.3e-5 at the first step.
    c1, c2 = (-jnp.expm1(t * math.log(beta)) for beta in (BETA1, BETA2))
    p = jax.tree.map(lambda w, a, b: w - RATE * (a / c1) / (jnp.sqrt(b / c2) + EPSILON), p, m, v)
    return p, m, v, loss


def cpu_seconds(work, warm=2):
    times = []
    for i in range(warm + steps):
        begun = time.process_time()
        work(i)
        if i >= warm:
            times.append(time.process_time() - begun)
    return min(times)


once = jax.jit(forward)
forward_cpu = cpu_seconds(lambda _: once(params, inputs).block_until_ready())
state = [
    jax.tree.map(jnp.array, params),
    jax.tree.map(jnp.zeros_like, params),
    jax.tree.map(jnp.zeros_like, params),
]
losses = []


def one_step(i):
    *state[:], loss = train(*state, jnp.asarray(i + 1.0, jnp.float32), inputs)
    jax.block_until_ready(state)
    losses.append(float(loss))


step_cpu = cpu_seconds(one_step)
print(json.dumps(dict(variant=variant, step_cpu_min=step_cpu, forward_cpu_min=forward_cpu, losses=losses)))
