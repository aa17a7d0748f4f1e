"""Data that any language rebuilds bit for bit, and the constants of the training task."""
import numpy as np

MASK = (1 << 64) - 1
GAMMA, RATE, BETA1, BETA2, EPSILON, SCALE = 0.99, 1e-3, 0.9, 0.999, 1e-8, 0.1


def uniform(seed, n):
    """The first n numbers of a seed: SplitMix64, uniform in [0, 1) with 53 bits."""
    with np.errstate(over="ignore"):
        z = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)
        z ^= z >> np.uint64(30)
        z *= np.uint64(0xBF58476D1CE4E5B9)
        z ^= z >> np.uint64(27)
        z *= np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) / 2.0**53


def unit(stream, n):
    """The first n numbers of a stream: SplitMix64, uniform in [0, 1) with 24 bits."""
    i = np.arange(n, dtype=np.uint64)
    with np.errstate(over="ignore"):
        z = (i + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z += np.uint64((stream * 0xD1B54A32D192ED03) & MASK)
        z ^= z >> np.uint64(30)
        z *= np.uint64(0xBF58476D1CE4E5B9)
        z ^= z >> np.uint64(27)
        z *= np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) / float(1 << 24)


def lost_sales(paths, periods, lead=5, hidden=64, features=4, dtype=np.float32):
    """Inputs and first weights of the training task, computed in double precision and rounded once."""
    n, t = paths, periods

    def rounded(a):
        return np.ascontiguousarray(a.astype(np.float32).astype(dtype))

    def weights(stream, rows, columns):
        u = unit(stream, rows * columns).reshape(rows, columns)
        return rounded((2 * u - 1) / np.sqrt(rows))

    u = unit(1, t * n).reshape(t, n)
    data = dict(
        demand=rounded(15.0 * u * u),
        feat=rounded(2 * unit(2, t * n * features).reshape(t, n, features) - 1),
        price=rounded(8 + 4 * unit(3, n)),
        cost=rounded(3 + 2 * unit(4, n)),
        hold=rounded(0.5 + unit(5, n)),
        inv0=rounded(10 * unit(6, n)),
        pipe0=rounded(10 * unit(7, n * lead).reshape(n, lead)),
    )
    inputs = 1 + lead + features
    params = dict(
        w1=weights(11, inputs, hidden), b1=np.zeros(hidden, dtype),
        w2=weights(13, hidden, hidden), b2=np.zeros(hidden, dtype),
        w3=weights(15, hidden, 1), b3=np.zeros(1, dtype),
    )
    return data, params
