"""The machine's own rate of single-precision matrix products: NumPy's OpenBLAS on one thread, GFLOP per CPU second."""
import os

# Together these can choose a kernel for another processor.
os.environ.pop("OPENBLAS_CORETYPE", None)
os.environ.pop("OPENBLAS_L2_SIZE", None)
os.environ["OPENBLAS_NUM_THREADS"] = "1"
import json
import time

import numpy as np
from threadpoolctl import threadpool_info

rates = {}
for n in (1024, 2048):
    a = np.random.default_rng(1).random((n, n), dtype=np.float32)
    b, c = a.T.copy(), np.empty((n, n), np.float32)
    repeats = max(1, 2048**3 // n**3)
    times = []
    for _ in range(8):
        begun = time.process_time()
        for _ in range(repeats):
            np.dot(a, b, out=c)
        times.append((time.process_time() - begun) / repeats)
    rates[n] = 2.0 * n**3 / min(times) / 1e9
kernels = [f"{d['internal_api']} {d['version']} {d.get('architecture')}" for d in threadpool_info()]
print(json.dumps(dict(gflops=max(rates.values()), by_size=rates, kernels=kernels)))
