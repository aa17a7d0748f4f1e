"""A base-stock policy, 8192 paths of 64 periods, lead time 5: NumPy, JAX and Numba on the work of
gpu/examples/base_stock_rollout.rs. Million period-steps per CPU second, and the mean cost to check them."""
import json
import time

import jax
import jax.numpy as jnp
import numba
import numpy as np

from common import unit

PATHS, PERIODS, LEAD, LEVEL, PENALTY = 8192, 64, 5, 35.0, 9.0
demand = (15.0 * unit(1, PATHS * PERIODS) ** 2).astype(np.float32).reshape(PERIODS, PATHS)


def in_numpy():
    stock = np.full(PATHS, LEVEL, np.float32)
    pipe = np.zeros((LEAD, PATHS), np.float32)
    cost = np.zeros(PATHS, np.float32)
    for t in range(PERIODS):
        order = np.maximum(LEVEL - stock - pipe.sum(0), 0)
        avail = stock + pipe[t % LEAD]
        pipe[t % LEAD] = order
        sold = np.minimum(demand[t], avail)
        stock = avail - sold
        cost += stock + PENALTY * (demand[t] - sold)
    return cost


@numba.njit(fastmath=True)
def in_numba(demand, level, lead):
    periods, paths = demand.shape
    out = np.zeros(paths, np.float32)
    for n in range(paths):
        stock, pipe = level, np.zeros(lead, np.float32)
        on_order, k, cost = np.float32(0), 0, np.float32(0)
        for t in range(periods):
            order = max(level - stock - on_order, np.float32(0))
            avail = stock + pipe[k]
            on_order += order - pipe[k]
            pipe[k] = order
            k = k + 1 if k + 1 < lead else 0
            d = demand[t, n]
            sold = min(d, avail)
            stock = avail - sold
            cost += stock + np.float32(PENALTY) * (d - sold)
        out[n] = cost
    return out


def roll(demand, level):
    def step(carry, d):
        stock, pipe, cost = carry
        order = jnp.maximum(level - stock - pipe.sum(0), 0)
        avail = stock + pipe[0]
        sold = jnp.minimum(d, avail)
        left = avail - sold
        pipe = jnp.concatenate([pipe[1:], order[None]])
        return (left, pipe, cost + left + PENALTY * (d - sold)), None

    zeros = jnp.zeros(PATHS, jnp.float32)
    start = (zeros + level, jnp.zeros((LEAD, PATHS), jnp.float32), zeros)
    (_, _, cost), _ = jax.lax.scan(step, start, demand)
    return cost.mean()


in_jax, slope_in_jax = jax.jit(roll), jax.jit(jax.grad(roll, 1))
device_demand, level = jnp.asarray(demand), jnp.float32(LEVEL)


def rate(work, repeats=30):
    work()
    times = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return PATHS * PERIODS / min(times) / 1e6


print(json.dumps(dict(
    numpy=rate(in_numpy),
    numba=rate(lambda: in_numba(demand, np.float32(LEVEL), LEAD)),
    jax=rate(lambda: in_jax(device_demand, level).block_until_ready()),
    jax_slope=rate(lambda: slope_in_jax(device_demand, level).block_until_ready()),
    mean_costs=[float(in_numpy().mean()), float(in_numba(demand, np.float32(LEVEL), LEAD).mean()),
                float(in_jax(device_demand, level))],
    mean_slope=float(slope_in_jax(device_demand, level)),
)))
