#!/usr/bin/env python3
"""Times llm-metrics and its peers on the same work, turn and turn about, and judges the figures against their targets.

    cargo build --release -p hindsight-llm-metrics --features io --example llm_bench
    PYTHON bench/llm_peers.py [N] [--ours target/release/examples/llm_bench] [--log-bytes 2e8] [--large-bytes 2e9]

CPU seconds of one thread: for each piece of work ours and every peer run in two rounds, and the least figure counts (a peer that takes
more than ten seconds runs once). A peer that is not installed is left out and named. Values are compared where they must agree.
Ends with status 1 if a target is missed or a value differs.
"""
import os

for v in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[v] = "1"
import argparse
import importlib.abc
import importlib.machinery
import json
import re
import subprocess
import sys
import tempfile
import time
import types
import warnings

import numpy as np

from common import unit

warnings.filterwarnings("ignore")


class Stub(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands in for packages that netcal imports at its start and that its ECE, which is NumPy, never calls."""

    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in ("torch", "pyro", "gpytorch", "tensorboard"):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__path__ = []

        def attribute(name):
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (), {"__init__": lambda self, *a, **k: None, "__call__": lambda self, f=None, *a, **k: f})

        module.__getattr__ = attribute
        return module

    def exec_module(self, module):
        pass


def load_peers(p, y):
    """The peers' work by name: lists of (peer, function, records)."""
    work = {name: [] for name in ("scores", "logloss", "smooth", "isotonic", "bootstrap")}
    n = len(p)

    def ece():
        i = np.minimum((p * 15).astype(np.int64), 14)
        return float(np.abs(np.bincount(i, weights=p - y, minlength=15)).sum() / n)

    def log_loss():
        return float(-np.log(np.where(y == 1, p, 1 - p)).mean())

    work["scores"].append(("NumPy (ECE, Brier, log loss)", lambda: [ece(), float(np.mean((p - y) ** 2)), log_loss()], n))
    work["logloss"].append(("NumPy", log_loss, n))
    try:
        from sklearn.calibration import calibration_curve
        from sklearn.isotonic import IsotonicRegression
        from sklearn.metrics import log_loss as sk_log_loss

        work["scores"].append(("scikit-learn (curve alone)", lambda: len(calibration_curve(y, p, n_bins=15)[0]), n))
        work["logloss"].append(("scikit-learn", lambda: float(sk_log_loss(y, p)), n))
        work["isotonic"].append(("scikit-learn", lambda: len(IsotonicRegression().fit(p, y).X_thresholds_), n))
    except ImportError as error:
        print("left out: scikit-learn,", error)
    try:
        try:
            from netcal.metrics import ECE
        except ModuleNotFoundError as error:
            if error.name == "netcal":
                raise
            sys.meta_path.append(Stub())
            for name in [m for m in sys.modules if m.startswith("netcal")]:
                del sys.modules[name]
            from netcal.metrics import ECE
        work["scores"].append(("netcal (ECE alone)", lambda: float(ECE(15).measure(p, y)), n))
    except ImportError as error:
        print("left out: netcal,", error)
    try:
        import relplot

        work["smooth"].append(("relplot", lambda: float(relplot.smECE(p, y.astype(float))), n))
    except ImportError as error:
        print("left out: relplot,", error)
    try:
        import calibration as uc

        k = max(n // 1000, 100)
        bootstrap = lambda: float(uc.get_calibration_error_uncertainties(p[:k], y[:k])[1])
        work["bootstrap"].append(("uncertainty-calibration (100 replicates)", bootstrap, k))
    except ImportError as error:
        print("left out: uncertainty-calibration,", error)
    return work


def from_log(path, shape):
    """What Python's json and NumPy do with a log."""
    conf, right = [], []
    with open(path) as lines:
        if shape in ("text", "short"):
            for line in lines:
                record = json.loads(line)
                conf.append(record["conf"])
                right.append(record["correct"])
            c, r = np.array(conf), np.array(right)
        else:
            for line in lines:
                record = json.loads(line)
                if shape == "harness":
                    conf.append([float(pair[0]) for pair in record["filtered_resps"]])
                    right.append(record["doc"]["gold"])
                else:
                    conf.append(record[shape])
                    right.append(record["label"])
            q = np.array(conf)
            if shape != "probs":
                q = np.exp(q - q.max(axis=1, keepdims=True))
                q /= q.sum(axis=1, keepdims=True)
            c, r = q.max(axis=1), q.argmax(axis=1) == np.array(right)
    i = np.minimum((c * 15).astype(np.int64), 14)
    return float(np.abs(np.bincount(i, weights=c - r, minlength=15)).sum() / len(c))


def cpu(f):
    before = time.process_time()
    value = f()
    return time.process_time() - before, value


class Verdict:
    def __init__(self):
        self.failed = False

    def __call__(self, what, good, told):
        self.failed |= not good
        print(f"  {'PASS' if good else 'MISSED'}  {what}: {told}", flush=True)


def in_memory(ours, n, verdict):
    # work: (what, target in seconds, replicates and records per run relative to the peer's)
    targets = {
        "scores": ("ECE, Brier score and log loss together", 0.10),
        "logloss": ("log loss alone", 0.10),
        "smooth": ("smooth ECE", 0.5),
        "isotonic": ("isotonic regression", 2.0),
        "bootstrap": ("bootstrap of ECE, 1,000 replicates", 3.0),
    }
    p = np.clip(unit(1, n) + unit(3, n) / (1 << 24), 1e-9, 1 - 1e-9)
    y = (unit(2, n) < p**1.2).astype(np.int64)
    peers = load_peers(p, y)
    for name, (what, target) in targets.items():
        print(what)
        own, best, values = float("inf"), {}, {}
        for turn in range(2):
            line = subprocess.run([ours, "work", name, str(n)], check=True, capture_output=True, text=True).stdout
            seconds, records, value = re.fullmatch(r"\w+ +n= *(\d+) +([\d.]+) s +value Ok\((.*)\)\n", line).group(2, 1, 3)
            own, values["ours"] = min(own, float(seconds)), json.loads(value)
            for peer, f, _ in peers[name]:
                if turn == 0 or best[peer] < 10:
                    seconds, values[peer] = cpu(f)
                    best[peer] = min(best.get(peer, float("inf")), seconds)
        print(f"  ours  {own:9.4f} s  n={records:>9}  {values['ours']}")
        for peer, _, count in peers[name]:
            per_record = best[peer] / count / (100 if name == "bootstrap" else 1)
            ratio = per_record / (own / int(records) / (1000 if name == "bootstrap" else 1))
            unit_ = " per record and replicate (ours draws records of one cell at once)" if name == "bootstrap" else ""
            print(f"  peer  {best[peer]:9.4f} s  n={count:>9}  {values[peer]}  {peer}: {ratio:.1f} times ours{unit_}")
        # Targets are for 10^7 records (10^6 for the bootstrap).
        allowed = target * n / 1e7
        verdict(what, own <= allowed, f"{own:.4f} s, at most {allowed:.4g} s")
        agree = {"scores": ("NumPy (ECE, Brier, log loss)", 1e-9), "logloss": ("NumPy", 1e-9), "smooth": ("relplot", 1e-3)}
        if name in agree and agree[name][0] in values:
            peer, tolerance = agree[name]
            gap = float(np.max(np.abs(np.array(values["ours"]) - np.array(values[peer]))))
            verdict(f"same value as {peer}", gap <= tolerance, f"they differ by {gap:.1e}, at most {tolerance}")


def read_log(ours, path):
    out = subprocess.run([ours, "jsonl", path], check=True, capture_output=True, text=True).stdout
    rate, ece, peak = re.search(r": (\d+) MB/s; ECE ([\d.]+),.*peak memory (\d+) kB", out).groups()
    return float(rate), float(ece), int(peak)


def logs(ours, size, large, verdict):
    shapes = {
        "text": "with text",
        "short": "short lines",
        "probs": "arrays of probabilities",
        "logits": "arrays of logits, with their softmax",
        "harness": "samples of lm-evaluation-harness, numbers in quotes",
    }
    for shape, words in shapes.items():
        print(f"JSON lines, {words}")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "log.jsonl")
            make = lambda bytes_: subprocess.run([ours, "make", path, str(int(bytes_)), shape], check=True, capture_output=True)
            make(size)
            best, peer = 0.0, float("inf")
            for _ in range(3):
                rate, ece, small_peak = read_log(ours, path)
                best = max(best, rate)
                if peer > 10:
                    seconds, theirs = cpu(lambda: from_log(path, shape))
                    peer = min(peer, seconds)
            megabytes = os.path.getsize(path) / 1e6
            print(f"  ours  {best:.0f} MB/s, peak memory {small_peak} kB for {megabytes:.0f} MB")
            print(f"  peer  {megabytes / peer:.0f} MB/s  Python's json with NumPy: {best / (megabytes / peer):.1f} times slower")
            verdict("rate", best >= 500, f"{best:.0f} MB/s a core, at least 500")
            verdict("same ECE as Python", abs(ece - theirs) < 1e-8, f"they differ by {abs(ece - theirs):.1e}")
            if large:
                make(large)
                rate, _, large_peak = read_log(ours, path)
                megabytes = os.path.getsize(path) / 1e6
                told = f"peak {large_peak} kB at {megabytes:.0f} MB ({rate:.0f} MB/s), {small_peak} kB before"
                verdict("memory independent of the file", large_peak <= 1.25 * small_peak, told)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("n", nargs="?", type=float, default=1e7)
    args.add_argument("--ours", default="target/release/examples/llm_bench")
    args.add_argument("--log-bytes", type=float, default=2e8)
    args.add_argument("--large-bytes", type=float, default=2e9, help="size of the log that must need no more memory; 0 for none")
    args = args.parse_args()
    verdict = Verdict()
    in_memory(args.ours, int(args.n), verdict)
    logs(args.ours, args.log_bytes, args.large_bytes, verdict)
    sys.exit(1 if verdict.failed else 0)


if __name__ == "__main__":
    main()
