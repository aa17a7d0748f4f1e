"""A buyer and a coordinator trained together in JAX, as in gpu/examples/joint.rs.

usage: joint_jax.py VARIANT COHORTS STEPS
VARIANT: scan (as most people write it), remat (the period recomputed backwards), chunk (cohorts one after another), chunk-remat
"""
import json
import math
import sys
import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from common import BETA1, BETA2, EPSILON, RATE, unit

LANES, PERIODS, LEAD, HORIZON, HIDDEN = 2000, 64, 4, 8, 64
variant, cohorts, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
each = LANES // cohorts


def uniform(stream, shape, low, high):
    numbers = low + (high - low) * unit(stream, int(np.prod(shape)))
    return numbers.astype(np.float32).reshape(shape)


def network(stream, inputs, outputs):
    layers = []
    for k, (n, m) in enumerate([(inputs, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, outputs)]):
        scale = 1 / np.sqrt(n)
        weights = uniform(stream + k, (m, n), -scale, scale).T
        layers.append((jnp.asarray(weights), jnp.zeros(m, jnp.float32)))
    return layers


params = dict(buyer=network(11, 1 + LEAD + 3 + HORIZON, 1), coordinator=network(14, 2 + LEAD + HORIZON, HORIZON))
exo = uniform(4, (PERIODS, 2, cohorts, each), 0.0, 3.0)
# By cohort: the products' own numbers, and of every period demand, forecast and the limits now and ahead.
data = dict(
    price=uniform(1, (cohorts, each), 8.0, 12.0),
    cost=uniform(2, (cohorts, each), 3.0, 5.0),
    volume=uniform(3, (cohorts, each), 0.5, 1.5),
    demand=np.moveaxis(exo[:, 0], 1, 0),
    forecast=np.moveaxis(exo[:, 1], 1, 0),
    limits=np.moveaxis(uniform(5, (PERIODS, HORIZON, cohorts), 0.6, 1.4), 2, 0),
)
data = {k: jnp.asarray(v) for k, v in data.items()}


def apply(layers, x):
    (w1, b1), (w2, b2), (w3, b3) = layers
    h = jax.nn.silu(x @ w1 + b1)
    h = jax.nn.silu(h @ w2 + b2)
    return jax.nn.softplus(h @ w3 + b3)


def objective(p, d, remat):
    """The sum over the products of one cohort."""
    price, cost, volume = d["price"], d["cost"], d["volume"]

    def step(state, inputs):
        demand, forecast, limits = inputs
        seen = jnp.concatenate([state, forecast[:, None]], axis=1)
        means = (volume[:, None] * seen).mean(axis=0)
        prices = apply(p["coordinator"], jnp.concatenate([means, limits]))
        own = [state, forecast[:, None], price[:, None], cost[:, None], prices[None, :] * volume[:, None]]
        order = apply(p["buyer"], jnp.concatenate(own, axis=1))[:, 0]
        stock = state[:, 0] + state[:, 1]
        sold = jnp.minimum(stock, demand)
        left = stock - sold
        reward = price * sold - cost * order
        used, limit = (volume * left).mean(), limits[0]
        over = jax.nn.relu(used - limit) / limit
        slack = jax.nn.relu(limit - used) * prices[0]
        state = jnp.concatenate([left[:, None], state[:, 2:], order[:, None]], axis=1)
        return state, (0.01 * reward - over * over - 0.1 * slack).sum()

    body = jax.checkpoint(step) if remat else step
    start = jnp.ones((each, 1 + LEAD), jnp.float32)
    _, rewards = jax.lax.scan(body, start, (d["demand"], d["forecast"], d["limits"]))
    return rewards.sum()


chunked, remat = variant.startswith("chunk"), variant.endswith("remat")


def loss_and_gradient(p, d):
    if chunked:
        def body(sums, cohort):
            value = jax.value_and_grad(partial(objective, remat=remat))(p, cohort)
            return jax.tree.map(jnp.add, sums, value), None

        zero = (jnp.zeros((), jnp.float32), jax.tree.map(jnp.zeros_like, p))
        (total, grad), _ = jax.lax.scan(body, zero, d)
    else:
        def together(p):
            if cohorts == 1:
                return objective(p, jax.tree.map(lambda a: a[0], d), remat)
            return jax.vmap(lambda cohort: objective(p, cohort, remat))(d).sum()

        total, grad = jax.value_and_grad(together)(p)
    return -total / LANES, jax.tree.map(lambda g: -g / LANES, grad)


@partial(jax.jit, donate_argnums=(0, 1, 2))
def train(p, m, v, t, d):
    loss, g = loss_and_gradient(p, d)
    m = jax.tree.map(lambda a, b: BETA1 * a + (1 - BETA1) * b, m, g)
    v = jax.tree.map(lambda a, b: BETA2 * a + (1 - BETA2) * b * b, v, g)
    # 1 - beta^t without the cancellation that single precision leaves of it: 1.3e-5 at the first step.
    c1, c2 = (-jnp.expm1(t * math.log(beta)) for beta in (BETA1, BETA2))
    p = jax.tree.map(lambda w, a, b: w - RATE * (a / c1) / (jnp.sqrt(b / c2) + EPSILON), p, m, v)
    return p, m, v, loss


state = [jax.tree.map(f, params) for f in (jnp.array, jnp.zeros_like, jnp.zeros_like)]
losses, times = [], []
for i in range(2 + max(steps, 3)):
    begun = time.process_time()
    *state[:], loss = train(*state, jnp.asarray(i + 1.0, jnp.float32), data)
    jax.block_until_ready(state)
    if i >= 2:
        times.append(time.process_time() - begun)
    losses.append(float(loss))
print(json.dumps(dict(variant=variant, cohorts=cohorts, step_cpu_min=min(times), losses=losses[:5])))
