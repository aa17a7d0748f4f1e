"""The training step of gpu/examples/device_lost_sales.rs in JAX and PyTorch on a graphics processor.

usage: gpu_peers.py VARIANT STEPS
VARIANT: jax-scan, jax-unroll (eight periods a turn), jax-chunk (four chunks of paths), jax-exact (products in full single precision),
         torch-eager, torch-graph (the whole step captured as a CUDA graph)
Prints milliseconds a step: medians of STEPS after warm-up, with the device waited for.
"""
import json
import math
import statistics
import sys
import time

from common import BETA1, BETA2, EPSILON, GAMMA, RATE, SCALE, lost_sales

PATHS, PERIODS = 8192, 64
variant, steps = sys.argv[1], int(sys.argv[2])
data, params = lost_sales(PATHS, PERIODS)
WARM = 5


def jax_step():
    import jax
    import jax.numpy as jnp
    from functools import partial

    if variant == "jax-exact":
        jax.config.update("jax_default_matmul_precision", "highest")
    chunks = 4 if variant == "jax-chunk" else 1
    unroll = 8 if variant == "jax-unroll" else 1

    def policy(p, inv, pipe, feat):
        x = jnp.concatenate([SCALE * inv[:, None], SCALE * pipe, feat], axis=1)
        h = jax.nn.silu(x @ p["w1"] + p["b1"])
        h = jax.nn.silu(h @ p["w2"] + p["b2"])
        return jax.nn.softplus(h @ p["w3"] + p["b3"])[:, 0]

    def total(p, d):
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

        start = (d["inv0"], d["pipe0"], jnp.asarray(1.0, jnp.float32))
        return -jax.lax.scan(step, start, (d["demand"], d["feat"]), unroll=unroll)[1].sum()

    def split(d):
        size = PATHS // chunks
        period_first = ("demand", "feat")
        return [
            {k: v[:, i * size:(i + 1) * size] if k in period_first else v[i * size:(i + 1) * size] for k, v in d.items()}
            for i in range(chunks)
        ]

    parts = [{k: jnp.asarray(v) for k, v in part.items()} for part in split(data)]

    @partial(jax.jit, donate_argnums=(0, 1, 2))
    def train(p, m, v, t, parts):
        both = [jax.value_and_grad(total)(p, d) for d in parts]
        loss = sum(b[0] for b in both) / PATHS
        g = jax.tree.map(lambda *gs: sum(gs) / PATHS, *[b[1] for b in both])
        m = jax.tree.map(lambda a, b: BETA1 * a + (1 - BETA1) * b, m, g)
        v = jax.tree.map(lambda a, b: BETA2 * a + (1 - BETA2) * b * b, v, g)
        c1, c2 = (-jnp.expm1(t * math.log(beta)) for beta in (BETA1, BETA2))
        p = jax.tree.map(lambda w, a, b: w - RATE * (a / c1) / (jnp.sqrt(b / c2) + EPSILON), p, m, v)
        return p, m, v, loss

    first = {k: jnp.asarray(v) for k, v in params.items()}
    state = [first, jax.tree.map(jnp.zeros_like, first), jax.tree.map(jnp.zeros_like, first)]

    def step(i):
        *state[:], loss = train(*state, jnp.asarray(i + 1.0, jnp.float32), parts)
        jax.block_until_ready(state)
        return float(loss)

    return step, f"jax {jax.__version__} on {jax.devices()[0].device_kind}"


def torch_step():
    import torch
    import torch.nn.functional as F

    d = {k: torch.from_numpy(v).cuda() for k, v in data.items()}
    p = {k: torch.from_numpy(v).cuda().requires_grad_(True) for k, v in params.items()}
    graph = variant == "torch-graph"
    optimizer = torch.optim.Adam(list(p.values()), lr=RATE, betas=(BETA1, BETA2), eps=EPSILON, capturable=graph)

    def total():
        inv, pipe, g, sums = d["inv0"], list(d["pipe0"].unbind(1)), 1.0, 0.0
        for t in range(PERIODS):
            x = torch.cat([SCALE * torch.stack([inv] + pipe, 1), d["feat"][t]], 1)
            h = F.silu(torch.addmm(p["b1"], x, p["w1"]))
            h = F.silu(torch.addmm(p["b2"], h, p["w2"]))
            q = F.softplus(torch.addmm(p["b3"], h, p["w3"]))[:, 0]
            avail = inv + pipe[0]
            sales = torch.minimum(d["demand"][t], avail)
            inv = avail - sales
            reward = d["price"] * sales - d["cost"] * q - d["hold"] * inv
            sums = sums + g * reward.sum()
            g *= GAMMA
            pipe = pipe[1:] + [q]
        return -sums / PATHS

    def whole():
        optimizer.zero_grad(set_to_none=False)
        loss = total()
        loss.backward()
        optimizer.step()
        return loss

    name = f"torch {torch.__version__} on {torch.cuda.get_device_name()}"
    if not graph:
        return lambda i: whole().item(), name
    keep = {k: v.detach().clone() for k, v in p.items()}
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            whole()
    torch.cuda.current_stream().wait_stream(side)
    captured = torch.cuda.CUDAGraph()
    with torch.cuda.graph(captured):
        loss = whole()
    with torch.no_grad():
        for k, v in p.items():
            v.copy_(keep[k])
        for state in optimizer.state.values():
            for moment in state.values():
                moment.zero_()

    def step(i):
        captured.replay()
        return loss.item()

    return step, name


begun = time.perf_counter()
step, name = (jax_step if variant.startswith("jax") else torch_step)()
losses = [step(0)]
first = time.perf_counter() - begun
times = []
for i in range(1, WARM + steps):
    begun = time.perf_counter()
    losses.append(step(i))
    if i >= WARM:
        times.append(time.perf_counter() - begun)
print(json.dumps(dict(
    variant=variant, version=name, first_step_s=round(first, 2), step_ms=1e3 * statistics.median(times), losses=losses[:4],
)))
