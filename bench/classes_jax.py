"""One training step of the decoder in JAX, as in gpu/examples/decoder.rs.

usage: classes_jax.py VARIANT CHUNK STEPS
VARIANT: scan (everything in the loop over tokens), batched (only the recurrence in the loop; embeddings, inputs of the gates and the
head for all tokens at once), batched-remat (and the head recomputed backwards)
CHUNK: orders at a time; 4096 is all of them
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

ORDERS, TOKENS, CLASSES, CONTEXT, EMBEDDING, HIDDEN = 4096, 8, 281, 16, 16, 64
variant, chunk, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def between(stream, shape, low, high):
    return (low + (high - low) * unit(stream, int(np.prod(shape))).reshape(shape)).astype(np.float32)


def layer(stream, inputs, outputs):
    """Weights as the layer's products take them, inputs by outputs, and biases."""
    limit = 1 / np.sqrt(inputs)
    return jnp.asarray(between(stream, (outputs, inputs), -limit, limit).T.copy()), jnp.zeros(outputs, jnp.float32)


params = dict(
    table=jnp.asarray(between(31, (CLASSES, EMBEDDING), -1, 1)),
    first=layer(32, CONTEXT, HIDDEN),
    gates=layer(33, EMBEDDING + CONTEXT + HIDDEN, 2 * HIDDEN),
    input=layer(34, EMBEDDING + CONTEXT, HIDDEN),
    hidden=layer(35, HIDDEN, HIDDEN),
    head=layer(36, HIDDEN, CLASSES),
)
token = np.floor(CLASSES * unit(23, TOKENS * ORDERS).reshape(TOKENS, ORDERS) ** 2).astype(np.int32)
length = 1 + np.floor(TOKENS * unit(22, ORDERS))
data = dict(
    context=between(21, (CONTEXT, ORDERS), -1, 1).T.copy(),
    counts=(np.arange(TOKENS)[:, None] < length).astype(np.float32),
    before=np.concatenate([np.full((1, ORDERS), CLASSES - 1, np.int32), token[:-1]]),
    token=token,
)


def split(name, a):
    """Chunks of orders along a new first axis."""
    if name == "context":
        return a.reshape(-1, chunk, CONTEXT)
    return np.moveaxis(a.reshape(TOKENS, -1, chunk), 1, 0)


inputs = {k: jnp.asarray(np.ascontiguousarray(split(k, v))) for k, v in data.items()}


def affine(layer, x):
    return x @ layer[0] + layer[1]


def log_likelihood(p, h, token):
    log_p = jax.nn.log_softmax(affine(p["head"], h))
    return jnp.take_along_axis(log_p, token[..., None], axis=-1)[..., 0]


def cell(h, gates, fresh, past):
    """The next state from what the layers say of inputs and state."""
    r, z = jnp.split(jax.nn.sigmoid(gates), 2, axis=-1)
    n = jnp.tanh(fresh + r * past)
    return n + z * (h - n)


def in_the_loop(p, d):
    def step(h, inputs):
        before, token, counts = inputs
        x = jnp.concatenate([p["table"][before], d["context"]], axis=1)
        gates = affine(p["gates"], jnp.concatenate([x, h], axis=1))
        h = cell(h, gates, affine(p["input"], x), affine(p["hidden"], h))
        return h, (counts * log_likelihood(p, h, token)).sum()

    h = jnp.tanh(affine(p["first"], d["context"]))
    _, rewards = jax.lax.scan(step, h, (d["before"], d["token"], d["counts"]))
    return -rewards.sum()


def batched(p, d):
    x = jnp.concatenate([p["table"][d["before"]], jnp.broadcast_to(d["context"], (TOKENS, *d["context"].shape))], axis=2)
    weights, bias = p["gates"]
    of_x, of_h = weights[: EMBEDDING + CONTEXT], weights[EMBEDDING + CONTEXT :]

    def step(h, inputs):
        gates, fresh = inputs
        h = cell(h, gates + h @ of_h, fresh, affine(p["hidden"], h))
        return h, h

    h = jnp.tanh(affine(p["first"], d["context"]))
    _, states = jax.lax.scan(step, h, (x @ of_x + bias, affine(p["input"], x)))
    head = jax.checkpoint(log_likelihood) if variant == "batched-remat" else log_likelihood
    return -(d["counts"] * head(p, states, d["token"])).sum()


total = in_the_loop if variant == "scan" else batched


def over_chunks(f, zero, d):
    sums, _ = jax.lax.scan(lambda sums, part: (jax.tree.map(jnp.add, sums, f(part)), None), zero, d)
    return jax.tree.map(lambda s: s / ORDERS, sums)


@jax.jit
def forward(p, d):
    return over_chunks(partial(total, p), jnp.zeros(()), d)


@partial(jax.jit, donate_argnums=(0, 1, 2))
def train(p, m, v, t, d):
    zero = (jnp.zeros(()), jax.tree.map(jnp.zeros_like, p))
    loss, g = over_chunks(partial(jax.value_and_grad(total), p), zero, d)
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


forward_cpu = cpu_seconds(lambda _: forward(params, inputs).block_until_ready())
state = [jax.tree.map(jnp.array, params), jax.tree.map(jnp.zeros_like, params), jax.tree.map(jnp.zeros_like, params)]
losses = []


def one_step(i):
    *state[:], loss = train(*state, jnp.asarray(i + 1.0, jnp.float32), inputs)
    jax.block_until_ready(state)
    losses.append(float(loss))


step_cpu = cpu_seconds(one_step)
print(json.dumps(dict(variant=variant, chunk=chunk, step_cpu_min=step_cpu, forward_cpu_min=forward_cpu, losses=losses)))
