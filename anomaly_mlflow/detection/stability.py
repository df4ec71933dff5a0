"""Population stability index of two samples, and how often chance alone makes it as large.

The index is that of credit scoring (Siddiqi 2006, Credit Risk Scorecards). Its rule of thumb, .25, knows no number of
images: a batch of a few hundred passes it by chance. So it is compared with what random divisions of the same images
into two samples of these sizes give (a permutation test: exact, and the reference is a sample too, not a known law).
"""

from collections.abc import Iterator

import numpy as np

__all__ = ["BINS", "PERMUTATIONS", "population_stability_index", "stability_test"]

BINS, EPSILON = 10, 1e-8
PERMUTATIONS = 999
CELLS = 4_000_000  # positions held in memory at a time


def population_stability_index(reference: np.ndarray, batch: np.ndarray) -> float:
    """sum_k (p_k - q_k) ln(p_k / q_k) over 10 bins of equal width over the range of the reference, the outer ones open.

    reference: float (m,); batch: float (n,); p, q: shares of them in the bins after 1e-8 is added to each count. Not
    negative, 0 where all shares agree; in nats.
    """
    pooled, positions = _ranked(reference, batch)
    return float(_indices(pooled, positions, *_ends(positions, len(pooled)))[0])


def stability_test(reference: np.ndarray, batch: np.ndarray, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The index of each quantity and its one-sided permutation p value, both float64 (quantities,).

    reference: float (m, quantities); batch: float (n, quantities). p = (1 + permutations at least as large) / 1000,
    so that a test at any level errs no more often than that (Phipson and Smyth 2010).
    """
    m, n = len(reference), len(batch)
    ranked = [_ranked(*pair) for pair in zip(reference.T, batch.T, strict=True)]
    observed = np.array([_indices(pooled, own, *_ends(own, m + n))[0] for pooled, own in ranked])
    as_large = np.zeros(len(ranked))
    for positions in _divisions(m, n, seed):
        ends = _ends(positions, m + n)
        for quantity, (pooled, _) in enumerate(ranked):
            as_large[quantity] += (_indices(pooled, positions, *ends) >= observed[quantity]).sum()
    return observed, (1 + as_large) / (1 + PERMUTATIONS)


def _ranked(reference: np.ndarray, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All values in ascending order (N,), and at which of these positions the batch stands (1, n)."""
    both = np.concatenate([reference, batch]).astype(np.float64)
    order = np.argsort(both, kind="stable")
    return both[order], np.flatnonzero(order >= len(reference))[None]


def _divisions(m: int, n: int, seed: int) -> Iterator[np.ndarray]:
    """Ascending positions of a random batch among the m + n sorted values, int64 (some permutations, n).

    The same divisions serve every quantity, whatever the order of its values: each is tested by itself.
    """
    rng, step = np.random.default_rng(seed), max(1, CELLS // n)
    for start in range(0, PERMUTATIONS, step):
        count = min(step, PERMUTATIONS - start)
        yield np.sort([rng.choice(m + n, n, replace=False, shuffle=False) for _ in range(count)], axis=1)


def _ends(positions: np.ndarray, whole: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the smallest and of the largest value of the reference, for each division."""
    n = positions.shape[1]
    before = (positions == np.arange(n)).cumprod(axis=1).sum(axis=1)
    behind = (positions == np.arange(whole - n, whole))[:, ::-1].cumprod(axis=1).sum(axis=1)
    return before, whole - 1 - behind


def _indices(pooled: np.ndarray, positions: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """The index of each division, float64 (divisions,)."""
    whole, (divisions, n) = len(pooled), positions.shape
    low, width = pooled[first], (pooled[last] - pooled[first]) / BINS
    edges = low[:, None] + width[:, None] * np.arange(1, BINS)
    below = np.searchsorted(pooled, edges)  # a value at an edge counts to the right, as in np.histogram
    row = np.arange(divisions)[:, None]
    of_batch = np.searchsorted((positions + whole * row).ravel(), (below + whole * row).ravel())
    of_batch = of_batch.reshape(divisions, BINS - 1) - n * row
    p, q = _shares(below - of_batch, whole - n), _shares(of_batch, n)
    return ((p - q) * np.log(p / q)).sum(axis=1)


def _shares(below: np.ndarray, total: int) -> np.ndarray:
    """Smoothed shares of the bins, from the counts below each inner edge."""
    counts = np.diff(below, axis=1, prepend=0, append=total) + EPSILON
    return counts / counts.sum(axis=1, keepdims=True)
