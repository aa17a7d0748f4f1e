#!/usr/bin/env python3
"""Peers of the crate `games` on fixed work, one thread: a name, CPU seconds, a check value a line (tab separated).

Needs numpy, scipy and numba. The data are SplitMix64 outputs, so any language can rebuild them.
The names are those of `cargo run --release -p hindsight-games --example bench`, with the peer in brackets.
"""
import os
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
import itertools
import time

import numpy as np
from numba import njit
from scipy import sparse
from scipy.optimize import linprog

from common import uniform


def clock(name, peer, work, repeats=1):
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        check = work()
        best = min(best, time.process_time() - start)
    print(f"{name}\t{peer}\t{best:.6f}\t{check:.9f}", flush=True)


def incentives(a, b, coarse):
    """Rows G with G p <= 0; p is the joint distribution in row-major order."""
    m, n = a.shape
    rows = []
    for to in range(m):
        gain = a[to][None, :] - a
        if coarse:
            rows.append(gain.ravel())
            continue
        for told in range(m):
            if told != to:
                row = np.zeros((m, n))
                row[told] = gain[told]
                rows.append(row.ravel())
    for to in range(n):
        gain = b[:, [to]] - b
        if coarse:
            rows.append(gain.ravel())
            continue
        for told in range(n):
            if told != to:
                row = np.zeros((m, n))
                row[:, told] = gain[:, told]
                rows.append(row.ravel())
    return sparse.csr_matrix(np.array(rows))


TIGHT = dict(primal_feasibility_tolerance=1e-10, dual_feasibility_tolerance=1e-10)


@njit
def hedge(u, eta):
    rounds, k = u.shape
    total, w, got = np.zeros(k), np.zeros(k), 0.0
    for t in range(rounds):
        top, s = total.max(), 0.0
        for i in range(k):
            w[i] = np.exp(eta * (total[i] - top))
            s += w[i]
        for i in range(k):
            got += w[i] / s * u[t, i]
            total[i] += u[t, i]
    return total.max() - got


def blum_mansour(u, eta):
    k = u.shape[1]
    total, got = np.zeros((k, k)), 0.0
    for g in u:
        q = np.exp(eta * (total - total.max(1, keepdims=True)))
        q /= q.sum(1, keepdims=True)
        system = np.r_[(q.T - np.eye(k))[:-1], np.ones((1, k))]
        x = np.linalg.solve(system, np.r_[np.zeros(k - 1), 1.0])
        got += x @ g
        total += x[:, None] * g[None, :]
    return got


def regret_matching_plus(a, b, rounds):
    n = len(a)
    rx, ry, sx = np.zeros(n), np.zeros(n), np.zeros(n)
    for _ in range(rounds):
        x = rx / rx.sum() if rx.sum() > 0 else np.full(n, 1 / n)
        y = ry / ry.sum() if ry.sum() > 0 else np.full(n, 1 / n)
        ux, uy = a @ y, x @ b
        sx += x
        rx = np.maximum(rx + ux - x @ ux, 0)
        ry = np.maximum(ry + uy - y @ uy, 0)
    return sx.max() / rounds


def stackelberg(a, b):
    m, n = a.shape
    best = -np.inf
    for j in range(n):
        r = linprog(-a[:, j], np.delete((b - b[:, [j]]).T, j, 0), np.zeros(n - 1), np.ones((1, m)), [1.0], (0, None),
                    method="highs-ds", options=TIGHT)
        if r.status == 0:
            best = max(best, -r.fun)
    return best


def normal(seed, n):
    """Box and Muller's cosine of uniform pairs."""
    u = uniform(seed, 2 * n)
    return np.sqrt(-2 * np.log(1 - u[0::2])) * np.cos(2 * np.pi * u[1::2])


def competitive():
    """Correlated equilibria of games in conflict: their programmes are the most degenerate."""
    def best(name, a, b, objective):
        g = incentives(a, b, False)
        clock(name, "HiGHS", lambda: -linprog(-objective.ravel(), g, np.zeros(g.shape[0]), np.ones((1, a.size)), [1.0], (0, None),
                                              method="highs-ds").fun)
    n = 40
    own, other = np.arange(n)[:, None] + 2.0, np.arange(n)[None] + 2.0
    a = np.minimum(own, other) + 2.0 * (own < other) - 2.0 * (own > other)
    best(f"traveller {n}x{n}", a, a.T, a + a.T)
    n = 30
    for seed in (11, 13):
        a = normal(seed, n * n).reshape(n, n)
        b = np.sqrt(0.19) * normal(seed + 1000, n * n).reshape(n, n) - 0.9 * a
        best(f"correlation -0.9 ({seed}) welfare", a, b, a + b)
        best(f"correlation -0.9 ({seed}) against", a, b, -a)
    a, b = uniform(1, n * n).reshape(n, n), uniform(2, n * n).reshape(n, n)
    best(f"CE least welfare {n}x{n}", a, b, -a - b)
    for n in (20, 35, 40):
        a = uniform(1, n * n).reshape(n, n)
        best(f"zero-sum as CE {n}x{n}", a, -a, a)


def support_enumeration(a, b):
    """Equilibria of a nondegenerate game by equal supports."""
    m, n = a.shape
    count = 0
    for size in range(1, min(m, n) + 1):
        for rows in itertools.combinations(range(m), size):
            for columns in itertools.combinations(range(n), size):
                def side(u):
                    s = np.r_[np.c_[u, -np.ones(size)], [np.r_[np.ones(size), 0]]]
                    try:
                        return np.linalg.solve(s, np.r_[np.zeros(size), 1.0])
                    except np.linalg.LinAlgError:
                        return None
                y, x = side(a[np.ix_(rows, columns)]), side(b[np.ix_(rows, columns)].T)
                if x is None or y is None or (x[:-1] < 0).any() or (y[:-1] < 0).any():
                    continue
                if (a[:, columns] @ y[:-1] <= y[-1] + 1e-12).all() and (b[list(rows)].T @ x[:-1] <= x[-1] + 1e-12).all():
                    count += 1
    return count


def main():
    for n in (10, 30):
        a, b = uniform(1, n * n).reshape(n, n), uniform(2, n * n).reshape(n, n)
        for name, coarse in (("CE", False), ("CCE", True)):
            g = incentives(a, b, coarse)
            for peer, options in (("HiGHS", {}), ("HiGHS 1e-10", TIGHT)):
                clock(f"{name} welfare {n}x{n}", peer, lambda: -linprog(
                    -(a + b).ravel(), g, np.zeros(g.shape[0]), np.ones((1, n * n)), [1.0], (0, None), method="highs-ds", options=options).fun, 3)
    competitive()
    for n in (100, 300):
        a = uniform(5, n * n).reshape(n, n)
        clock(f"zero-sum {n}x{n}", "HiGHS", lambda: -linprog(
            np.r_[np.zeros(n), -1], np.c_[-a.T, np.ones(n)], np.zeros(n), np.r_[np.ones(n), 0][None], [1.0],
            [(0, None)] * n + [(None, None)], method="highs-ds").fun * 1.0, 2)
    k, rounds = 10, 10**6
    u = uniform(3, k * rounds).reshape(rounds, k)
    eta = float(np.sqrt(8 * np.log(k) / rounds))
    hedge(u[:10], eta)
    clock("Hedge K=10 T=1e6", "numba", lambda: hedge(u, eta), 3)
    actions = (uniform(4, rounds) * k).astype(int)

    def swap():
        gains = np.zeros((k, k))
        np.add.at(gains, actions, u)
        return gains.max(1).sum() - np.trace(gains)
    clock("swap regret K=10 T=1e6", "NumPy", swap, 3)
    clock("Blum-Mansour K=10 T=1e4", "NumPy", lambda: blum_mansour(u[:10**4], 0.05))
    a, b = uniform(1, 900).reshape(30, 30), uniform(2, 900).reshape(30, 30)
    clock("RM+ self-play 30x30 T=1e5", "NumPy", lambda: regret_matching_plus(a, b, 10**5))
    clock("Stackelberg 30x30", "HiGHS", lambda: stackelberg(a, b))
    a, b = uniform(1, 36).reshape(6, 6), uniform(2, 36).reshape(6, 6)
    clock("all Nash 6x6", "NumPy supports", lambda: support_enumeration(a, b))


if __name__ == "__main__":
    main()
