#!/usr/bin/env python3
"""Fulfilment programmes: the crate `drain` and its peers one after the other, CPU seconds of one thread, the least of several interleaved rounds.

Usage, from the root of the workspace: PYTHON bench/drain_peers.py [--rounds N] [--ours PROGRAM]
PROGRAM is the built example `drain_bench`. Needs numpy and, for each peer, its package: POT (`ot`), highspy, scipy; a missing one is left out.
The data are SplitMix64 outputs, so any language can rebuild them. Prints PASS or MISSED against the targets; status 1 where one is missed.
"""
import argparse
import importlib.util
import os
import subprocess
import sys
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
import numpy as np

from common import uniform

WAREHOUSES, REGIONS, PROGRAMMES, PENALTY = 20, 50, 1000, 150.0
# Work, peer, the most of the peer's time that ours may take.
TARGETS = [("1000 programmes", "POT", 0.6), ("1000 demands", "highspy warm", 0.06)]
CHECKS = {"1000 programmes": 12030585.0, "1000 demands": 8230990.0}


def programme(i):
    cost = 1 + np.floor(100 * uniform(10**6 + i, WAREHOUSES * REGIONS)).reshape(WAREHOUSES, REGIONS)
    demand = 1 + np.floor(50 * uniform(2 * 10**6 + i, REGIONS))
    stock = np.floor(150 * uniform(3 * 10**6 + i, WAREHOUSES))
    return stock, demand, cost


def matrix():
    from scipy import sparse
    sent = sparse.kron(sparse.eye(WAREHOUSES), np.ones((1, REGIONS)))
    served = sparse.kron(np.ones((1, WAREHOUSES)), sparse.eye(REGIONS))
    top = sparse.hstack([sent, sparse.csr_matrix((WAREHOUSES, REGIONS))])
    return sparse.vstack([top, sparse.hstack([served, sparse.eye(REGIONS)])]).tocsc()


def pot(programmes):
    import ot
    total = 0.0
    for stock, demand, cost in programmes:  # a warehouse of lost demand, a region of unused stock
        table = np.zeros((WAREHOUSES + 1, REGIONS + 1))
        table[:-1, :-1] = cost
        table[-1, :-1] = PENALTY
        plan = ot.emd(np.r_[stock, demand.sum()], np.r_[demand, stock.sum()], table)
        total += float((plan * table).sum())
    return total


def highs(programmes, warm):
    import highspy
    a = matrix()
    columns, rows = a.shape[1], a.shape[0]
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    h.setOptionValue("threads", 1)
    h.setOptionValue("presolve", "off")
    total = 0.0
    every = np.arange(rows, dtype=np.int32)
    for k, (stock, demand, cost) in enumerate(programmes):
        lower, upper = np.r_[np.full(WAREHOUSES, -np.inf), demand], np.r_[stock, demand]
        if k == 0 or not warm:
            lp = highspy.HighsLp()
            lp.num_col_, lp.num_row_ = columns, rows
            lp.col_cost_ = np.r_[cost.ravel(), np.full(REGIONS, PENALTY)]
            lp.col_lower_, lp.col_upper_ = np.zeros(columns), np.full(columns, np.inf)
            lp.row_lower_, lp.row_upper_ = lower, upper
            lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
            lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = a.indptr, a.indices, a.data
            h.passModel(lp)
        elif hasattr(h, "changeRowsBounds"):
            h.changeRowsBounds(rows, every, lower, upper)
        else:
            for row in every:
                h.changeRowBounds(int(row), lower[row], upper[row])
        h.run()
        total += h.getInfo().objective_function_value
    return total


def scipy(programmes):
    from scipy.optimize import linprog
    a = matrix().tocsr()
    total = 0.0
    for stock, demand, cost in programmes:
        c = np.r_[cost.ravel(), np.full(REGIONS, PENALTY)]
        total += linprog(c, a[:WAREHOUSES], stock, a[WAREHOUSES:], demand, (0, None), method="highs-ds").fun
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ours", default="target/release/examples/drain_bench")
    options = parser.parse_args()
    programmes = [programme(i) for i in range(PROGRAMMES)]
    demands = [(programmes[0][0], demand, programmes[0][2]) for _, demand, _ in programmes]
    peers = [
        ("1000 programmes", "POT", "ot", options.rounds, lambda: pot(programmes)),
        ("1000 programmes", "highspy", "highspy", 1, lambda: highs(programmes, False)),
        ("1000 programmes", "SciPy", "scipy", 1, lambda: scipy(programmes)),
        ("1000 demands", "highspy warm", "highspy", options.rounds, lambda: highs(demands, True)),
    ]
    best, checks = {}, {}

    def note(work, who, seconds, check):
        best[work, who] = min(seconds, best.get((work, who), np.inf))
        checks[work, who] = check

    for k in range(options.rounds):
        out = subprocess.run([options.ours, "1"], check=True, capture_output=True, text=True).stdout
        for work, seconds, check in (line.split("\t") for line in out.splitlines()):
            note(work, "ours", float(seconds), float(check))
        for work, who, package, rounds, run in peers:
            if k < rounds and importlib.util.find_spec(package):
                start = time.process_time()
                check = run()
                note(work, who, time.process_time() - start, check)
    print(f"{'work':28}{'who':14}{'CPU s':>9}{'ours / who':>12}  sum of costs")
    for (work, who), seconds in sorted(best.items()):
        print(f"{work:28}{who:14}{seconds:9.4f}{best[work, 'ours'] / seconds:12.4f}  {checks[work, who]:.3f}")
    missed = [f"{k}: {v}" for k, v in checks.items() if k[0] in CHECKS and abs(v - CHECKS[k[0]]) > 1e-2]
    for work, who, most in TARGETS:
        if (work, who) in best:
            ratio = best[work, "ours"] / best[work, who]
            print(f"{'PASS' if ratio <= most else 'MISSED'}  {work}: {ratio:.4f} of {who}, at most {most}")
            if ratio > most:
                missed.append(work)
    for line in missed:
        print("MISSED", line)
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
