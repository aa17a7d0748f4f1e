"""The generator of arrivals in JAX: the network, likelihood and draws of the crate `arrivals`, from its model and orders.

usage: arrivals_jax.py FOLDER train VARIANT BATCH | FOLDER sample VARIANT CHUNK
FOLDER: what `speed time BATCH FOLDER` leaves
train: scan (everything in the loop over pieces), batched (only the recurrence in the loop, the heads for all pieces at once), batched-epoch
(and all steps of an epoch in one loop)
sample: threefry or rbg, the generator of random numbers; CHUNK orders together
"""
import json
import math
import pathlib
import sys
import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from common import BETA1, BETA2, EPSILON

folder, what, variant, size = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
lines = (folder / "model.txt").read_text().splitlines()
hidden, context, embedding, vendors, covariates, PIECES = map(int, lines[1].split())
times = np.array(lines[2].split(), int)
limits = np.array(lines[3].split(), float)
TIMES, SHARES, LAST, CHANNELS, MASKED = len(times) - 1, len(limits), times[-1] - 1, 8, -1e4
numbers = np.array([float(x) for x in lines[4:] if x and x[0] in "-0123456789"], np.float64)
at = 0


def take(count):
    global at
    at += count
    return numbers[at - count : at].astype(np.float32)


def dense(inputs, outputs):
    weights = take(inputs * outputs).reshape(outputs, inputs).T
    return jnp.asarray(weights.copy()), jnp.asarray(take(outputs))


params = dict(
    vendor=jnp.asarray(take(vendors * embedding).reshape(vendors, embedding)),
    history=[dense(4, CHANNELS), dense(2 * CHANNELS, CHANNELS), dense(2 * CHANNELS, CHANNELS)],
    context=dense(8 + covariates + embedding + CHANNELS, hidden),
    summary=dense(hidden, context),
    first=dense(hidden, hidden),
    gates=dense(6 + context + hidden, 2 * hidden),
    input=dense(6 + context, hidden),
    hidden=dense(hidden, hidden),
    time=dense(hidden, TIMES + 1),
    time_embedding=jnp.asarray(take((TIMES + 1) * embedding).reshape(TIMES + 1, embedding)),
    share_hidden=dense(hidden + embedding, hidden),
    share=dense(hidden, SHARES),
)
assert at == len(numbers), (at, len(numbers))

data = np.fromfile(folder / "orders.f64").reshape(-1, 35)
N = len(data)
season = 2 * np.pi * data[:, 5]
plain = np.column_stack([data[:, 1:5], np.sin(season), np.cos(season), data[:, 6:8]])
rows = np.concatenate([plain, data[:, 8:25]], axis=1).astype(np.float32)
vendor = data[:, 0].astype(np.int32)


def tokens():
    """Of every period: whether time, share and "not yet" count; the cells; periods seen; the piece before."""
    seen, count = data[:, 25], data[:, 26].astype(int)
    opened = (seen >= 0) & (seen < LAST)
    exo = np.zeros((PIECES, N, 6 + 6))
    before = np.tile([0.0, 0, 0, 0, 1, 0], (N, 1))
    for k in range(PIECES):
        t, s = np.clip(data[:, 27 + k], 0, LAST), data[:, 31 + k]
        piece, end = count > k, count == k
        full = (np.abs(before[:, 3] + s - 1) <= 1e-9) & (before[:, 3] < 1 - 1e-9)
        cell = np.clip(np.searchsorted(limits, s, "left"), 1, SHARES - 1)
        exo[k, :, 0] = piece | (end & ~opened)
        exo[k, :, 1] = piece
        exo[k, :, 2] = end & opened
        exo[k, :, 3] = np.where(piece, np.clip(t - before[:, 1], 0, LAST), np.where(end, TIMES, 0))
        exo[k, :, 4] = np.where(piece, np.where(full, 0, cell), 0)
        exo[k, :, 5] = np.where(end & opened, seen - before[:, 1], 0)
        exo[k, :, 6:] = before
        so_far = before[:, 3] + s
        after = np.column_stack([t - before[:, 1], t, s, so_far, np.zeros(N), so_far > 1 - 1e-6])
        before = np.where(piece[:, None], after, before)
    return np.moveaxis(exo, 0, 1).astype(np.float32)


def affine(layer, x):
    return x @ layer[0] + layer[1]


def begin(p, rows, vendor):
    units, usual = jnp.maximum(rows[:, 0], 1e-6), rows[:, 1]
    features = [
        jnp.log(1 + units) * 0.2,
        jnp.clip(jnp.log(units / usual), -4, 4),
        jnp.minimum(rows[:, 2] / units, 4),
        jnp.minimum(rows[:, 3] / units, 4),
        rows[:, 4],
        rows[:, 5],
        rows[:, 6] * (4 / (LAST + 1)),
        rows[:, 7],
    ]
    covariate, past = rows[:, 8 : 8 + covariates], rows[:, 8 + covariates :]
    x = jnp.log(1 + past / usual[:, None])
    for layer in p["history"]:
        x = jax.nn.silu(affine(layer, x.reshape(x.shape[0], -1, layer[0].shape[0])))
        x = x.reshape(x.shape[0], -1)
    inputs = jnp.concatenate([jnp.stack(features, axis=1), covariate, p["vendor"][vendor], x], axis=1)
    h = jax.nn.silu(affine(p["context"], inputs))
    return jax.nn.silu(affine(p["summary"], h)), jnp.tanh(affine(p["first"], h))


def scaled(before):
    return before * jnp.array([2 / (LAST + 1), 2 / (LAST + 1), 1, 1, 1, 1], jnp.float32)


def advance(p, c, h, before):
    x = jnp.concatenate([scaled(before), c], axis=1)
    r, z = jnp.split(jax.nn.sigmoid(affine(p["gates"], jnp.concatenate([x, h], axis=1))), 2, axis=1)
    n = jnp.tanh(affine(p["input"], x) + r * affine(p["hidden"], h))
    return n + z * (h - n)


CELLS = np.arange(TIMES + 1)


def time_logs(p, h, before):
    later = 1 - before[..., 4:5]
    beyond = (before[..., 1:2] > LAST - CELLS + 0.5) & (CELLS < TIMES) & (CELLS > 0)
    masked = jnp.where(CELLS == 0, later, beyond) * MASKED
    return jax.nn.log_softmax(affine(p["time"], h) + masked)


def share_logs(p, h, time, complete):
    inner = jnp.concatenate([h, p["time_embedding"][time]], axis=-1)
    logits = affine(p["share"], jax.nn.silu(affine(p["share_hidden"], inner)))
    return jax.nn.log_softmax(logits.at[..., 0].add(complete * MASKED))


def pick(logs, index):
    return jnp.take_along_axis(logs, index[..., None], axis=-1)[..., 0]


def heads(p, h, exo):
    before, time, share = exo[..., 6:], exo[..., 3].astype(jnp.int32), exo[..., 4].astype(jnp.int32)
    logs = time_logs(p, h, before)
    shares = share_logs(p, h, time, before[..., 5])
    unseen = jnp.clip(CELLS[:TIMES] - exo[..., 5:6], 0, 1)
    later = jnp.log((unseen * jnp.exp(logs[..., :TIMES])).sum(-1) + jnp.exp(logs[..., TIMES]) + 1e-30)
    return exo[..., 0] * pick(logs, time) + exo[..., 1] * pick(shares, share) + exo[..., 2] * later


def likelihood(p, rows, vendor, exo, batched):
    c, h = begin(p, rows, vendor)
    exo = jnp.moveaxis(exo, 1, 0)

    def step(h, exo):
        h = advance(p, c, h, exo[:, 6:])
        return h, h if batched else heads(p, h, exo)

    _, out = jax.lax.scan(step, h, exo)
    return (heads(p, out, exo) if batched else out).sum()


def update(state, batch, t, all_rows, all_vendor, all_exo):
    p, m, v, mean = state
    own = [jnp.take(a, batch, axis=0) for a in (all_rows, all_vendor, all_exo)]
    loss = lambda p: -likelihood(p, *own, variant != "scan") / batch.shape[0]
    g = jax.grad(loss)(p)
    norm = jnp.sqrt(sum((a * a).sum() for a in jax.tree.leaves(g)))
    g = jax.tree.map(lambda a: a * jnp.minimum(1, 1 / norm), g)
    m = jax.tree.map(lambda a, b: BETA1 * a + (1 - BETA1) * b, m, g)
    v = jax.tree.map(lambda a, b: BETA2 * a + (1 - BETA2) * b * b, v, g)
    c1, c2 = (-jnp.expm1(t * math.log(beta)) for beta in (BETA1, BETA2))
    p = jax.tree.map(lambda w, a, b: w - 1e-3 * (a / c1) / (jnp.sqrt(b / c2) + EPSILON), p, m, v)
    decay = jnp.minimum(0.995, t / (t + 9))
    mean = jax.tree.map(lambda a, b: decay * a + (1 - decay) * b, mean, p)
    return p, m, v, mean


@partial(jax.jit, donate_argnums=0)
def one_step(state, batch, t, *arrays):
    return update(state, batch, t, *arrays)


@partial(jax.jit, donate_argnums=0)
def one_epoch(state, batches, *arrays):
    ts = jnp.arange(1.0, len(batches) + 1)
    return jax.lax.scan(lambda s, b: (update(s, b[0], b[1], *arrays), None), state, (batches, ts))[0]


def train():
    exo = tokens()
    p = params
    parts = range(0, N, 50_000)
    total = jax.jit(partial(likelihood, batched=True))
    nats = -sum(float(total(p, rows[i : i + 50_000], vendor[i : i + 50_000], exo[i : i + 50_000])) for i in parts) / N
    arrays = [jnp.asarray(a) for a in (rows, vendor, exo)]
    state = tuple(jax.tree.map(f, p) for f in (jnp.array, jnp.zeros_like, jnp.zeros_like, jnp.array))
    generator, least = np.random.default_rng(0), math.inf
    for epoch in range(3):
        begun = time.process_time()
        # As many whole mini-batches as there are: JAX compiles for one size.
        batches = generator.permutation(N)[: N // size * size].reshape(-1, size).astype(np.int32)
        if variant == "batched-epoch":
            state = one_epoch(state, jnp.asarray(batches), *arrays)
        else:
            for t, batch in enumerate(batches):
                state = one_step(state, batch, jnp.float32(t + 1), *arrays)
        jax.block_until_ready(state)
        if epoch > 0:
            least = min(least, time.process_time() - begun)
    return dict(cpu=least, nats=nats)


# Sums of the classes before each, as a product: faster here than a cumulative sum.
def below(logs):
    n = logs.shape[-1]
    return jnp.exp(logs) @ jnp.triu(jnp.ones((n, n - 1), jnp.float32))


LOW = np.concatenate([[0], limits[:-1]]).astype(np.float32)
HIGH = np.concatenate([[0], limits[1:]]).astype(np.float32)


@jax.jit
def draw(p, key, rows, vendor):
    c, h = begin(p, rows, vendor)
    uniform = jax.random.uniform(key, (PIECES, 3, rows.shape[0]))

    def step(state, u):
        h, before, opened = state
        h = advance(p, c, h, before)
        time_cell = (u[0][:, None] > below(time_logs(p, h, before))).sum(1)
        some = opened * (time_cell < TIMES)
        gap = jnp.where(before[:, 4] > 0, time_cell, jnp.maximum(time_cell, 1)).astype(jnp.float32)
        when = jnp.minimum(before[:, 1] + gap, LAST)
        cell = (u[1][:, None] > below(share_logs(p, h, time_cell, before[:, 5]))).sum(1)
        low, high = jnp.asarray(LOW)[cell], jnp.asarray(HIGH)[cell]
        share = jnp.where(cell == 0, jax.nn.relu(1 - before[:, 3]), low + (high - low) * u[2]) * some
        so_far = before[:, 3] + share
        before = jnp.stack([gap, when, share, so_far, 0 * gap, (so_far > 1 - 1e-6) * 1.0], axis=1)
        return (h, before, some), (when, share, some)

    start = jnp.tile(jnp.array([0.0, 0, 0, 0, 1, 0]), (rows.shape[0], 1))
    return jax.lax.scan(step, (h, start, jnp.ones(rows.shape[0])), uniform)[1]


def sample():
    impl = "threefry2x32" if variant == "threefry" else "unsafe_rbg"
    key = jax.random.key(1, impl=impl)
    arrays = [jnp.asarray(a) for a in (rows, vendor)]
    whole = N // size * size
    jax.block_until_ready(draw(params, key, arrays[0][:size], arrays[1][:size]))
    begun, pieces = time.process_time(), 0.0
    for number in range(4):
        for i in range(0, whole, size):
            own = [a[i : i + size] for a in arrays]
            when, share, some = draw(params, jax.random.fold_in(key, number * N + i), *own)
            pieces += float(np.asarray(some).sum())
            np.asarray(when), np.asarray(share)
    return dict(cpu=(time.process_time() - begun) * N / whole, pieces=pieces / (4 * whole))


print(json.dumps(train() if what == "train" else sample()))
