#!/usr/bin/env python3
"""Rebuilds orange_juice.csv.gz from the R package bayesm, as Debian ships it.

    apt-get download r-cran-bayesm && dpkg -x r-cran-bayesm_*.deb bayesm
    pip install rdata pandas numpy
    python3 data/rebuild.py bayesm/usr/lib/R/site-library/bayesm/data/orangeJuice.rda

With --check the file beside this script is compared with what would be written, and nothing is written.
The source, the licence and the columns are in README.md beside it.
"""

import argparse
import gzip
import io
import pathlib
import sys
import warnings

import numpy as np
import pandas as pd
import rdata

# The brands in the package's order, with the ounces a carton holds (the package's help page names both).
BRANDS = [
    ("tropicana-premium-64", 64),
    ("tropicana-premium-96", 96),
    ("floridas-natural-64", 64),
    ("tropicana-64", 64),
    ("minute-maid-64", 64),
    ("minute-maid-96", 96),
    ("citrus-hill-64", 64),
    ("tree-fresh-64", 64),
    ("florida-gold-64", 64),
    ("dominicks-64", 64),
    ("dominicks-128", 128),
]
OUTPUT = pathlib.Path(__file__).with_name("orange_juice.csv.gz")


def table(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw = rdata.read_rda(path)["orangeJuice"]["yx"]
    brand = raw["brand"].to_numpy().astype(int) - 1
    ounces = np.array([size for _, size in BRANDS], dtype=float)
    per_ounce = raw[[f"price{n + 1}" for n in range(len(BRANDS))]].to_numpy(dtype=float)
    rows = np.arange(len(raw))

    # logmove is the natural logarithm of ounces sold; in cartons every value is whole to within 4e-6.
    cartons = np.exp(raw["logmove"].to_numpy(dtype=float)) / ounces[brand]
    assert np.abs(cartons - np.round(cartons)).max() < 1e-4, "sales are not whole cartons"

    price = per_ounce[rows, brand] * ounces[brand]
    margin = raw["profit"].to_numpy(dtype=float) / 100.0
    assert (price > 0).all() and (margin >= 0).all() and (margin < 1).all()
    rivals = per_ounce.copy()
    rivals[rows, brand] = np.inf

    names = np.array([name for name, _ in BRANDS])
    store = raw["store"].to_numpy().astype(int)
    out = pd.DataFrame(
        {
            "product": [f"{name}_{number}" for name, number in zip(names[brand], store)],
            "store": store,
            "brand": names[brand],
            "week": raw["week"].to_numpy().astype(int),
            "demand": np.round(cartons).astype(int),
            "price": np.round(price, 4),
            "cost": np.round(price * (1.0 - margin), 4),
            "deal": raw["deal"].to_numpy().astype(int),
            "feat": np.round(raw["feat"].to_numpy(dtype=float), 4),
            "rival_price": np.round(rivals.min(axis=1) * 64.0, 4),
        }
    )
    out = out.assign(order=brand).sort_values(["order", "store", "week"]).drop(columns="order")
    assert not out.duplicated(["product", "week"]).any()
    assert (out["cost"] > 0).all() and (out["demand"] >= 1).all()
    return out


def text(frame):
    buffer = io.StringIO()
    frame.to_csv(buffer, index=False, lineterminator="\n", float_format=lambda x: f"{x:.4f}".rstrip("0").rstrip("."))
    return buffer.getvalue().encode("ascii")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rda", help="orangeJuice.rda of the package")
    parser.add_argument("--check", action="store_true", help="compare with the file that is there")
    arguments = parser.parse_args()
    content = text(table(arguments.rda))
    if arguments.check:
        with gzip.open(OUTPUT, "rb") as file:
            same = file.read() == content
        print("same" if same else "different")
        return 0 if same else 1
    with open(OUTPUT, "wb") as file, gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=9, mtime=0) as packed:
        packed.write(content)
    rows = content.count(b"\n") - 1
    print(f"{OUTPUT.name}: {rows} rows, {OUTPUT.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
