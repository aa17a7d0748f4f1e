#!/usr/bin/env python3
"""Times the peers of llm-metrics on the work of its example `llm_bench`, then runs that example on the same data, and prints the ratios.

    python bench/llm_peers.py [n] [--ours PATH_OF_llm_bench] [--log FILE.jsonl]

CPU seconds of one thread, the least of two runs (one for anything above ten seconds). Peers that are not installed are left out and named.
"""
import os

for v in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[v] = "1"
import argparse
import json
import subprocess
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")
MASK = (1 << 64) - 1


def unit(stream, n):
    """n uniforms of 24 bits, a pure function of (stream, index)."""
    i = np.arange(n, dtype=np.uint64)
    with np.errstate(over="ignore"):
        z = (i + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + np.uint64((stream * 0xD1B54A32D192ED03) & MASK)
        z ^= z >> np.uint64(30)
        z *= np.uint64(0xBF58476D1CE4E5B9)
        z ^= z >> np.uint64(27)
        z *= np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) / float(1 << 24)


def timed(name, n, f, known):
    best, value = float("inf"), None
    for _ in range(2):
        before = time.process_time()
        value = f()
        best = min(best, time.process_time() - before)
        if best > 10:
            break
    shown = f"{value:.9f}" if np.isscalar(value) else value
    print(f"{name:46s} n={n:>9d} {best:9.4f} s  value {shown}", flush=True)
    known.setdefault(name, (best, n))


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("n", nargs="?", type=float, default=1e7)
    args.add_argument("--ours")
    args.add_argument("--log")
    args = args.parse_args()
    n = int(args.n)
    p = np.clip(unit(1, n) + unit(3, n) / (1 << 24), 1e-9, 1 - 1e-9)
    y = (unit(2, n) < p**1.2).astype(np.int64)
    known = {}

    def plain_ece():
        i = np.minimum((p * 15).astype(np.int64), 14)
        return float(np.abs(np.bincount(i, weights=p - y, minlength=15)).sum() / n)

    def plain_all():
        q = np.where(y == 1, p, 1 - p)
        return plain_ece() + 0 * float(np.mean((p - y) ** 2)) + 0 * float(-np.log(q).mean())

    timed("NumPy: ECE", n, plain_ece, known)
    timed("NumPy: ECE, Brier and log loss", n, plain_all, known)
    try:
        from sklearn.calibration import calibration_curve
        from sklearn.isotonic import IsotonicRegression
        from sklearn.metrics import brier_score_loss, log_loss

        timed("scikit-learn: calibration_curve", n, lambda: calibration_curve(y, p, n_bins=15)[0].shape, known)
        timed("scikit-learn: Brier", n, lambda: brier_score_loss(y, p), known)
        timed("scikit-learn: log loss", n, lambda: log_loss(y, p), known)
        timed("scikit-learn: isotonic", n, lambda: len(IsotonicRegression().fit(p, y).X_thresholds_), known)
    except ImportError:
        print("scikit-learn is not installed")
    try:
        from netcal.metrics import ECE

        timed("netcal: ECE", n, lambda: float(ECE(15).measure(p, y)), known)
    except ImportError:
        print("netcal is not installed")
    try:
        import relplot

        timed("relplot: smooth ECE", n, lambda: float(relplot.smECE(p, y.astype(float))), known)
    except ImportError:
        print("relplot is not installed")
    try:
        import calibration as uc

        k = max(n // 1000, 100)
        timed(
            "uncertainty-calibration: bootstrap (100)",
            k,
            lambda: float(uc.get_calibration_error_uncertainties(p[:k], y[:k])[1]),
            known,
        )
    except ImportError:
        print("uncertainty-calibration is not installed")
    if args.log:

        def from_log():
            conf, right = [], []
            with open(args.log) as lines:
                for line in lines:
                    record = json.loads(line)
                    conf.append(record["conf"])
                    right.append(record["correct"])
            c, r = np.array(conf), np.array(right)
            i = np.minimum((c * 15).astype(np.int64), 14)
            return float(np.abs(np.bincount(i, weights=c - r, minlength=15)).sum() / len(c))

        timed("Python json: ECE of a log", os.path.getsize(args.log), from_log, known)
    if args.ours:
        text = subprocess.run([args.ours, str(n)], check=True, capture_output=True, text=True).stdout
        print(text, end="")
        ours = {}
        for line in text.splitlines():
            if " n=" in line:
                name, rest = line.split(" n=", 1)
                ours[name.strip()] = float(rest.split()[1])
        pairs = [
            ("NumPy: ECE, Brier and log loss", "ECE, Brier and log loss together"),
            ("scikit-learn: calibration_curve", "ECE, Brier and log loss together"),
            ("scikit-learn: log loss", "ECE, Brier and log loss together"),
            ("netcal: ECE", "ECE, Brier and log loss together"),
            ("relplot: smooth ECE", "smooth ECE"),
            ("scikit-learn: isotonic", "isotonic regression"),
        ]
        for peer, own in pairs:
            if peer in known and own in ours:
                print(f"{peer} / ours: {known[peer][0] / ours[own]:.1f}")
        if args.log:
            print(subprocess.run([args.ours, "jsonl", args.log], check=True, capture_output=True, text=True).stdout, end="")
            print(f"Python: {os.path.getsize(args.log) / 1e6 / known['Python json: ECE of a log'][0]:.0f} MB/s")


if __name__ == "__main__":
    main()
