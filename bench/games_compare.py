#!/usr/bin/env python3
"""Runs the crate's timed work and its peers' one after the other and prints the ratio of CPU seconds (peer / ours).

Usage, from the root of the workspace: PYTHON bench/games_compare.py [BENCH], with BENCH the built example `bench` where cargo shall not run.
"""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def lines(command):
    out = subprocess.run(command, check=True, capture_output=True, text=True, cwd=HERE.parent).stdout
    return [line.split("\t") for line in out.splitlines() if line.count("\t") >= 2]


def main():
    ours = {name: (float(seconds), float(check)) for name, seconds, check in lines(
        sys.argv[1:] or ["cargo", "run", "--release", "--quiet", "-p", "hindsight-games", "--example", "bench"])}
    print(f"{'work':34}{'peer':16}{'peer s':>10}{'ours s':>10}{'ratio':>8}  checks")
    for name, peer, seconds, check in lines([sys.executable, str(HERE / "games_peers.py")]):
        mine, value = ours[name]
        same = "agree" if abs(value - float(check)) <= 1e-6 * (1 + abs(value)) else f"{value} against {check}"
        print(f"{name:34}{peer:16}{float(seconds):10.4f}{mine:10.5f}{float(seconds) / mine:8.1f}  {same}")


if __name__ == "__main__":
    main()
