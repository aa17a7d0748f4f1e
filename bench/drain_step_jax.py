"""The drain model's training step in JAX: the same network, samples, scores and sizes as `drain/examples/model_bench.rs`, Adam with clipping.
The states are drawn once and stay in cache; ours are picked anew from two thousand in each step. Prints the least CPU seconds of a step."""
import os

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["OMP_NUM_THREADS"] = "1"

import time

import jax
import jax.numpy as jnp
import numpy as np

STATES, WAREHOUSES, ZONES, OPTIONS, SAMPLES, HIDDEN, RANK, ROUNDS = 128, 8, 16, 3, 8, 32, 3, 4
FEATURES, LATENTS = 12, RANK + 1
OUTPUTS = 4 + OPTIONS + 2 * LATENTS
fixed = jax.lax.stop_gradient
rng = np.random.default_rng(0)


def uniform(*shape):
    return jnp.asarray(rng.uniform(0, 1, shape), jnp.float32)


def layer(inputs, outputs):
    weights = rng.uniform(-1, 1, (inputs, outputs)) * np.sqrt(3 / inputs)
    return jnp.asarray(weights, jnp.float32), jnp.zeros(outputs, jnp.float32)


def apply(layer, x):
    return x @ layer[0] + layer[1]


def batch():
    stock = uniform(STATES, WAREHOUSES) * 60
    demand = uniform(STATES, ZONES)
    demand = demand / demand.sum(1, keepdims=True)
    price = 0.5 + uniform(STATES, WAREHOUSES, OPTIONS, ZONES)
    own = jnp.asarray(rng.normal(size=(SAMPLES, 2, STATES, WAREHOUSES)), jnp.float32)
    latent = jnp.asarray(rng.normal(size=(SAMPLES, LATENTS, STATES)), jnp.float32)
    units, money = uniform(STATES, WAREHOUSES) * 0.1, uniform(STATES, WAREHOUSES) * 0.1
    return stock, demand, price, own, latent, units, money


SIZE = jnp.full((STATES, 1), 420.0)
LOW, HIGH = jnp.full((STATES, WAREHOUSES), 0.3), jnp.full((STATES, WAREHOUSES), 3.0)
LOGIT = jnp.full((STATES,), 6.0)


def water_filling(weight, capacity, total):
    tiny = 1e-12
    share = weight / (weight.sum(-1, keepdims=True) + tiny)
    total = total[..., None]
    p, c, s = fixed(share), fixed(capacity), fixed(total)

    def free(level):
        return (p * (c - p * level > 0)).sum(-1, keepdims=True) + tiny

    level = s
    for _ in range(8):
        level = level + (s - jnp.minimum(c, p * level).sum(-1, keepdims=True)) / free(level)
    level = level + (total - jnp.minimum(capacity, share * level).sum(-1, keepdims=True)) / free(level)
    taken = jnp.minimum(capacity, share * level)
    rest, room = total - taken.sum(-1, keepdims=True), capacity - taken
    return jax.nn.relu(jnp.minimum(taken + rest * room / (room.sum(-1, keepdims=True) + tiny), capacity))


def spill(capacity, demand, cost, steepness):
    score = -steepness * cost
    wish = jnp.exp(score - fixed(score.max(1, keepdims=True)))
    open_, left, flow = demand, capacity, jnp.zeros((STATES, WAREHOUSES, ZONES))
    for r in range(ROUNDS):
        weight = wish * (left / (left + 0.02))[..., None]
        asked = open_[:, None] * weight / (weight.sum(1, keepdims=True) + 1e-9)
        load = asked.sum(-1)
        shipped = jnp.minimum(left, load)
        units = asked * (shipped / (load + 1e-9))[..., None]
        flow, open_ = flow + units, jax.nn.relu(open_ - units.sum(1))
        if r == 0:
            pull, local = load, shipped
        left = jax.nn.relu(left - shipped)
    unmet = open_.sum(-1, keepdims=True) + jnp.zeros((STATES, WAREHOUSES))
    return jax.nn.relu(capacity - left), pull, local, flow, unmet


def outlook(p, stock, demand, price):
    capacity = stock / SIZE
    cost = jnp.einsum("o,bwoz->bwz", jax.nn.softmax(p["scalars"][1:]), price)
    drain, pull, local, flow, unmet = spill(capacity, demand, cost, jnp.exp(p["scalars"][0] + 2))
    together = capacity.sum(-1, keepdims=True) + jnp.zeros((STATES, WAREHOUSES))

    def log(x):
        return jnp.log(x + 1e-2)

    mean_price, paid = (demand[:, None] * price[:, :, 0]).sum(-1), (flow * price[:, :, 0]).sum(-1)
    x = [log(capacity), capacity / (together + 1e-6), log(together), log(drain), drain / (capacity + 0.01), log(pull), log(capacity) - log(pull)]
    x += [local / (drain + 0.01), mean_price, paid / (drain + 0.01), log(unmet), (log(SIZE) - 5) * 0.5 + jnp.zeros((STATES, WAREHOUSES))]
    h = jax.nn.silu(apply(p["one"], jnp.stack(x, -1)))
    pooled = jax.nn.silu(apply(p["pool"], h.mean(1)))
    weights, bias = p["two"]
    h = jax.nn.silu(h @ weights[:HIDDEN] + (pooled @ weights[HIDDEN:])[:, None] + bias)
    t, rate = apply(p["head"], h), apply(p["rate"], pooled)

    def deviation(raw, least):
        return jnp.exp(jnp.clip(raw - 2, least, 1.0))

    prior, served = drain + 0.01 * capacity / (together + 1e-6), flow + 1e-3 * demand[:, None]
    options = jax.nn.softmax(t[..., 4 : 4 + OPTIONS])
    unit = jnp.einsum("bwo,bwoz,bwz->bw", options, price, served) / (served.sum(-1) + 1e-6)
    fulfilment = rate[:, 0] + 5, deviation(rate[:, 1], -4.0)
    split = jnp.log(prior + 1e-9) + t[..., 0], deviation(t[..., 1], -6.0)
    money = jnp.log(unit + 1e-9) + t[..., 2], deviation(t[..., 3], -6.0)
    return capacity, fulfilment, split, money, 0.3 * t[..., 4 + OPTIONS :]


def loss(p, stock, demand, price, own, latent, units, money):
    capacity, (mean, deviation), split, unit, loads = outlook(p, stock, demand, price)
    rate = jnp.minimum(1.02 * jax.nn.sigmoid(mean + deviation * latent[:, 0]), 1.0)
    weight = split[0] + jnp.einsum("bwl,mlb->mbw", loads[..., :LATENTS], latent) + split[1] * own[:, 0]
    weight = jnp.exp(weight - fixed(weight.max(-1, keepdims=True)))
    y = water_filling(weight, capacity + jnp.zeros_like(weight), jnp.minimum(capacity.sum(-1), 1.0) * rate)
    log_unit = unit[0] + jnp.einsum("bwl,mlb->mbw", loads[..., LATENTS:], latent) + unit[1] * own[:, 1]
    k = y * jnp.exp(jnp.clip(log_unit, jnp.log(LOW), jnp.log(HIGH)))
    i, j = np.triu_indices(SAMPLES, 1)

    def distance(a, b, c, d):
        return jnp.sqrt(((a - b) ** 2 + (c - d) ** 2).sum(-1) + 1e-12)

    pairs = SAMPLES * (SAMPLES - 1)
    energy = distance(y, units, k, money).mean(0) - distance(y[i], y[j], k[i], k[j]).sum(0) / pairs
    crps = 0
    for sample, seen in ((y, units), (k, money)):
        a, b = sample.sum(-1), seen.sum(-1)
        crps = crps + jnp.abs(a - b).mean(0) - jnp.abs(a[i] - a[j]).sum(0) / pairs

    def unlikely(gap, variance):
        return 0.5 * (gap * gap / variance + jnp.log(variance))

    variance = unit[1] ** 2 + (loads[..., LATENTS:] ** 2).sum(-1)
    log_seen = jnp.log(jnp.maximum(money, 1e-6) / jnp.maximum(units, 1e-6))
    likelihood = unlikely(LOGIT - mean, deviation**2) + (units * unlikely(log_seen - unit[0], variance)).sum(-1)
    return (energy + 0.5 * crps + 0.01 * likelihood).mean()


@jax.jit
def step(p, m, v, n, *batch):
    value, g = jax.value_and_grad(loss)(p, *batch)
    norm = jnp.sqrt(sum((x * x).sum() for x in jax.tree.leaves(g)))
    g = jax.tree.map(lambda x: x * jnp.minimum(1.0, 1.0 / norm), g)
    m = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, m, g)
    v = jax.tree.map(lambda a, b: 0.999 * a + 0.001 * b * b, v, g)

    def move(a, b, c):
        return a - 4e-3 * (b / (1 - 0.9**n)) / (jnp.sqrt(c / (1 - 0.999**n)) + 1e-8)

    return jax.tree.map(move, p, m, v), m, v, n + 1, value


def main():
    params = {
        "scalars": jnp.zeros(1 + OPTIONS),
        "one": layer(FEATURES, HIDDEN),
        "pool": layer(HIDDEN, HIDDEN),
        "two": layer(2 * HIDDEN, HIDDEN),
        "head": layer(HIDDEN, OUTPUTS),
        "rate": layer(HIDDEN, 2),
    }
    zeros = jax.tree.map(jnp.zeros_like, params)
    state, data = (params, zeros, zeros, 1.0), batch()
    best = float("inf")
    for _ in range(6):
        begun = time.process_time()
        for _ in range(50):
            *state, value = step(*state, *data)
        value.block_until_ready()
        best = min(best, (time.process_time() - begun) / 50)
    print(best)


if __name__ == "__main__":
    main()
