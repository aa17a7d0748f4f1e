#!/usr/bin/env python3
"""Scores of ensembles: the crate `drain` and its peers one after the other, CPU seconds of one thread, the least of several interleaved rounds.

Usage, from the root of the workspace: PYTHON bench/score_peers.py [--rounds N] [--ours PROGRAM]
PROGRAM is the built example `scores_bench`. Needs numpy and, for each peer, its package: numba, scoringrules, properscoring; a missing one is left
out. The data are SplitMix64 outputs, so any language can rebuild them. Prints PASS or MISSED against the targets; status 1 where one is missed.
"""
import argparse
import importlib.util
import os
import subprocess
import sys
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"
import numpy as np

from common import uniform

MEMBERS, COMPONENTS = 100, 20
# Work, and the most of the best peer's time that ours may take; a loop compiled by Numba for this very comparison is shown beside it and is no target.
TARGETS = {"CRPS": 0.7, "energy": 0.4, "variogram": 0.75}
CHECKS = {"CRPS": 0.16831340906, "fair CRPS": 0.166646668896, "energy": 0.909100248506, "variogram": 18.746665664861}


def crps_numpy(x, y):
    weights, total = 2 * np.arange(1, MEMBERS + 1) - MEMBERS - 1, 0.0
    for i in range(0, len(y), 10**5):
        part = np.sort(x[i : i + 10**5], 1)
        total += (np.abs(part - y[i : i + 10**5, None]).mean(1) - part @ weights / MEMBERS**2).sum()
    return total / len(y)


def energy_numpy(x, y):
    total = 0.0
    for members, outcome in zip(x, y):
        squares = (members * members).sum(1)
        distances = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * members @ members.T, 0))
        np.fill_diagonal(distances, 0)
        total += np.linalg.norm(members - outcome, axis=1).mean() - distances.mean() / 2
    return total / len(y)


def variogram_numpy(x, y):
    total = 0.0
    for members, outcome in zip(x, y):
        forecast = np.sqrt(np.abs(members[:, :, None] - members[:, None, :])).mean(0)
        total += ((np.sqrt(np.abs(outcome[:, None] - outcome[None])) - forecast) ** 2).sum()
    return total / len(y)


def with_numba():
    import numba

    @numba.njit(fastmath=True)
    def crps(x, y):
        total, m = 0.0, x.shape[1]
        for k in range(len(y)):
            s = np.sort(x[k])
            apart, spread = 0.0, 0.0
            for i in range(m):
                apart += abs(s[i] - y[k])
                spread += (2 * i + 1 - m) * s[i]
            total += apart / m - spread / m**2
        return total / len(y)

    @numba.njit(fastmath=True)
    def energy(x, y):
        total, (n, m, d) = 0.0, x.shape
        for k in range(n):
            apart, spread = 0.0, 0.0
            for i in range(m):
                s = 0.0
                for c in range(d):
                    s += (x[k, i, c] - y[k, c]) ** 2
                apart += np.sqrt(s)
                for j in range(i):
                    s = 0.0
                    for c in range(d):
                        s += (x[k, i, c] - x[k, j, c]) ** 2
                    spread += np.sqrt(s)
            total += apart / m - spread / m**2
        return total / n

    @numba.njit(fastmath=True)
    def variogram(x, y):
        total, (n, m, d) = 0.0, x.shape
        for k in range(n):
            for a in range(d):
                for b in range(a):
                    s = 0.0
                    for i in range(m):
                        s += np.sqrt(abs(x[k, i, a] - x[k, i, b]))
                    total += 2 * (np.sqrt(abs(y[k, a] - y[k, b])) - s / m) ** 2
        return total / n

    return crps, energy, variogram


def peers(single, joint):
    small = single[0][:100], single[1][:100]
    yield "CRPS", "NumPy", lambda: crps_numpy(*single)
    yield "energy", "NumPy", lambda: energy_numpy(*joint)
    yield "variogram", "NumPy", lambda: variogram_numpy(*joint)
    if importlib.util.find_spec("numba"):
        crps, energy, variogram = with_numba()
        crps(*small), energy(joint[0][:2], joint[1][:2]), variogram(joint[0][:2], joint[1][:2])
        yield "CRPS", "Numba", lambda: crps(*single)
        yield "energy", "Numba", lambda: energy(*joint)
        yield "variogram", "Numba", lambda: variogram(*joint)
    if importlib.util.find_spec("scoringrules"):
        import scoringrules as sr
        # Not the default: called without a backend, its energy and variogram scores build arrays of n x M x M x D.
        with_backend = {"backend": "numba"} if importlib.util.find_spec("numba") else {}
        sr.crps_ensemble(small[1], small[0], estimator="qd", **with_backend)
        yield "CRPS", "scoringrules", lambda: sr.crps_ensemble(single[1], single[0], estimator="qd", **with_backend).mean()
        if with_backend:
            sr.es_ensemble(joint[1][:2], joint[0][:2], **with_backend)
            sr.vs_ensemble(joint[1][:2], joint[0][:2], p=0.5, **with_backend)
            yield "energy", "scoringrules", lambda: sr.es_ensemble(joint[1], joint[0], **with_backend).mean()
            yield "variogram", "scoringrules", lambda: sr.vs_ensemble(joint[1], joint[0], p=0.5, **with_backend).mean()
    if importlib.util.find_spec("properscoring"):
        import properscoring as ps
        ps.crps_ensemble(small[1], small[0])
        yield "CRPS", "properscoring", lambda: ps.crps_ensemble(single[1], single[0]).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ours", default="target/release/examples/scores_bench")
    options = parser.parse_args()
    single = uniform(7, 10**6 * MEMBERS).reshape(-1, MEMBERS), uniform(8, 10**6)
    joint = uniform(9, 1000 * MEMBERS * COMPONENTS).reshape(-1, MEMBERS, COMPONENTS), uniform(11, 1000 * COMPONENTS).reshape(-1, COMPONENTS)
    best, checks = {}, {}

    def note(work, who, seconds, check):
        best[work, who] = min(seconds, best.get((work, who), np.inf))
        checks[work, who] = check

    runs = list(peers(single, joint))
    for _ in range(options.rounds):
        out = subprocess.run([options.ours, "1"], check=True, capture_output=True, text=True).stdout
        for work, seconds, check in (line.split("\t") for line in out.splitlines()):
            note(work, "ours", float(seconds), float(check))
        for work, who, run in runs:
            start = time.process_time()
            check = float(run())
            note(work, who, time.process_time() - start, check)
    print(f"{'work':14}{'who':16}{'CPU s':>9}{'ours / who':>12}  mean score")
    for (work, who), seconds in sorted(best.items()):
        print(f"{work:14}{who:16}{seconds:9.4f}{best[work, 'ours'] / seconds:12.4f}  {checks[work, who]:.12f}")
    missed = [f"{work} by {who}: {value}" for (work, who), value in checks.items() if abs(value - CHECKS[work]) > 1e-10]
    for work, most in TARGETS.items():
        rivals = [seconds for (name, who), seconds in best.items() if name == work and who not in ("ours", "Numba")]
        ratio = best[work, "ours"] / min(rivals)
        print(f"{'PASS' if ratio <= most else 'MISSED'}  {work}: {ratio:.4f} of the best peer, at most {most}")
        if ratio > most:
            missed.append(work)
    for line in missed:
        print("MISSED", line)
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
