"""The joint training step of the crate `capacity` in JAX: its buyer, coordinator, adherence loss and optimiser on its own numbers.

usage: capacity_jax.py VARIANT PRODUCTS COHORTS STEPS FILE
VARIANT: scan, remat (the week recomputed backwards), chunk, chunk-remat (cohorts one after another); with -rows, products are rows of matrices and not columns
FILE: what the example capacity_step wrote
"""
import json
import math
import sys
import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

variant, products, cohorts, steps, file = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
WEEKS, LEAD, RESOURCES, HORIZON, HIDDEN = 64, 3, 2, 13, 64
AHEAD, EACH = HORIZON + 1, products // cohorts
LANE, EXO = 1 + LEAD + 1 + RESOURCES, 9 + 2 * LEAD + 2
TRAITS = 5 * (RESOURCES + 3)
SHARED = 2 + RESOURCES * AHEAD + TRAITS + RESOURCES * AHEAD
SLACKNESS, STABILITY, REWARD = 0.02, 10.0, 0.3
RATE, FLOOR, COMPARED = 3e-3, 0.02, 5
rows = variant.endswith("-rows")
chunked, remat = variant.startswith("chunk"), "remat" in variant

numbers = np.fromfile(file, np.float32)


def take(*shape):
    global numbers
    n = math.prod(shape)
    part, numbers = numbers[:n], numbers[n:]
    return part.reshape(shape)


def network(inputs, outputs):
    return [(take(m, n), take(m)) for n, m in [(inputs, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, outputs)]]


params = dict(
    buyer=network(6 + RESOURCES * AHEAD, 3),
    coordinator=network(RESOURCES * (4 + LEAD + AHEAD) + 1 + TRAITS, RESOURCES * AHEAD),
)
lane = take(LANE, cohorts, EACH)
exo = take(WEEKS, EXO, cohorts, EACH)
shared = take(WEEKS, SHARED, cohorts)
assert numbers.size == 0
params = jax.tree.map(jnp.asarray, params)
data = tuple(jnp.asarray(np.ascontiguousarray(np.moveaxis(a, 2 if a.ndim > 3 else -1 - (a is lane), 0))) for a in (lane, exo, shared))


def apply(layers, x):
    for k, (w, b) in enumerate(layers):
        x = (x @ w.T + b) if x.ndim == 1 or rows else w @ x + b[:, None]
        x = jax.nn.softplus(x) if k == 2 else jax.nn.silu(x)
    return x


def objective(p, data, remat):
    """The sum over the weeks of one cohort."""
    lane, exo, shared = data
    leads, volumes = lane[1 + LEAD], lane[2 + LEAD:]
    # What does not change from week to week is made once.
    own = 0.25 * leads

    def step(state, inputs):
        on_hand, orders, last = state
        exo, shared = inputs
        demand, price, cost, accepted, fast, slow, deviation, soon, later = exo[:9]
        arriving, outstanding = exo[9:10 + LEAD] * accepted, exo[10 + LEAD:10 + 2 * LEAD]
        pipeline = outstanding * orders
        position = on_hand + pipeline.sum(0)
        features = jnp.concatenate([jnp.stack([fast, slow, slow * soon, slow * later, on_hand]), pipeline])
        sums = volumes @ features.T
        spent, margin = (cost * slow).sum(), ((price - cost) * slow).sum()
        rate = sums[:, 1] + 1e-9
        unit = spent / rate
        outlook = shared[2:2 + RESOURCES * AHEAD].reshape(RESOURCES, AHEAD)
        seen = jnp.concatenate([
            jnp.log((sums[:, :1] + 0.1 * rate[:, None]) / rate[:, None]),
            sums[:, 2:] / rate[:, None] * 0.5,
            outlook / (outlook + 3.0 * rate[:, None]) * 2.0,
        ], axis=1).reshape(-1)
        traits = shared[2 + RESOURCES * AHEAD:][:TRAITS]
        outputs = apply(p["coordinator"], jnp.concatenate([seen, (margin / (spent + 1e-9))[None], traits]))
        prices = outputs.reshape(RESOURCES, AHEAD) * (unit * 0.05)[:, None]
        level = slow + 1e-6
        if rows:
            asked = prices[None] * volumes.T[:, :, None]
            asked = (asked * 5.0 / (asked + 0.25 * cost[:, None, None])).reshape(EACH, -1)
            known = jnp.stack([jnp.log((fast + 0.1 * level) / level), deviation / level, jnp.log(price / cost), soon / (leads + 1.0), later * 0.25, own], axis=1)
            g = apply(p["buyer"], jnp.concatenate([known, asked], axis=1)).T
        else:
            asked = prices[:, :, None] * volumes[:, None]
            asked = (asked * 5.0 / (asked + 0.25 * cost)).reshape(-1, EACH)
            known = jnp.stack([jnp.log((fast + 0.1 * level) / level), deviation / level, jnp.log(price / cost), soon / (leads + 1.0), later * 0.25, own])
            g = apply(p["buyer"], jnp.concatenate([known, asked]))
        order = jax.nn.relu(fast * soon * g[0] + slow * soon * g[1] + slow * later * g[2] - position)
        received = order * arriving[0] + (orders * arriving[1:]).sum(0)
        stock = on_hand + received
        sold = jnp.minimum(demand, stock)
        left = stock - sold
        worth = exo[10 + 2 * LEAD] * (left + pipeline.sum(0) + order - received)
        money = shared[0] * (price * sold - cost * order) + shared[1] * worth
        used = jnp.stack([volumes[0] @ left, volumes[1] @ received])
        limit = outlook[:, 0]
        scale = limit + 1e-9
        over = jax.nn.relu(used - limit) / scale
        slack = SLACKNESS * prices[:, 0] / unit * jax.nn.relu(limit - used) / scale
        moved = ((prices[:, :-1] - last) / unit[:, None]) ** 2
        lost = (over + over * over + slack).sum() + STABILITY * moved.sum()
        value = REWARD * money.sum() / spent - shared[0] * lost
        state = (left, jnp.concatenate([order[None], orders[:-1]]), prices[:, 1:])
        return state, value

    body = jax.checkpoint(step) if remat else step
    start = (lane[0], lane[1:1 + LEAD], jnp.zeros((RESOURCES, HORIZON), jnp.float32))
    _, values = jax.lax.scan(body, start, (exo, shared))
    return values.sum()


def objective_and_gradient(p, data):
    if cohorts == 1:
        return jax.value_and_grad(lambda p: objective(p, jax.tree.map(lambda a: a[0], data), remat))(p)
    if chunked:
        def body(sums, cohort):
            value = jax.value_and_grad(partial(objective, remat=remat))(p, cohort)
            return jax.tree.map(jnp.add, sums, value), None

        zero = (jnp.zeros((), jnp.float32), jax.tree.map(jnp.zeros_like, p))
        sums, _ = jax.lax.scan(body, zero, data)
    else:
        sums = jax.value_and_grad(lambda p: jax.vmap(lambda d: objective(p, d, remat))(data).sum())(p)
    return jax.tree.map(lambda x: x / cohorts, sums)


@partial(jax.jit, donate_argnums=(0, 1, 2, 3))
def train(p, mean, m, v, t, rate, data):
    value, g = objective_and_gradient(p, data)
    norm = jnp.sqrt(sum((x * x).sum() for x in jax.tree.leaves(g)))
    g = jax.tree.map(lambda x: x * jnp.minimum(1.0, 1.0 / norm), g)
    m = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, m, g)
    v = jax.tree.map(lambda a, b: 0.999 * a + 0.001 * b * b, v, g)
    c1, c2 = (-jnp.expm1(t * math.log(beta)) for beta in (0.9, 0.999))
    p = jax.tree.map(lambda w, a, b: w + rate * (a / c1) / (jnp.sqrt(b / c2) + 1e-8), p, m, v)
    decay = jnp.minimum(0.99, t / (t + 9.0))
    mean = jax.tree.map(lambda a, b: decay * a + (1.0 - decay) * b, mean, p)
    return p, mean, m, v, value


state = [jax.tree.map(f, params) for f in (jnp.array, jnp.array, jnp.zeros_like, jnp.zeros_like)]
losses, times = [], []
for i in range(COMPARED + max(steps, 3)):
    progress = min(i / COMPARED, 1.0)
    rate = RATE * (FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * progress)))
    begun = time.process_time()
    *state[:], value = train(*state, jnp.asarray(i + 1.0, jnp.float32), jnp.asarray(rate, jnp.float32), data)
    jax.block_until_ready(state)
    if i >= 2:
        times.append(time.process_time() - begun)
    losses.append(float(value))
print(json.dumps(dict(variant=variant, cohorts=cohorts, step_cpu_min=min(times), losses=losses[:COMPARED])))
