"""Parts of a data set: stratified, long-tailed, held out."""

import numpy as np

from anomaly_mlflow.errors import BadData, BadOption

__all__ = ["PER_CLASS", "check_class_sizes", "held_out", "long_tailed", "stratified"]

PER_CLASS = 10


def stratified(labels: np.ndarray, size: int | None, seed: int) -> np.ndarray:
    """Ascending positions, int64 (size,), of a random part with every class's share to within one row; all for None.

    Raises BadOption where size exceeds the rows or leaves fewer than 10 rows a class on average.
    """
    n, classes = len(labels), len(np.unique(labels))
    if size is None:
        return np.arange(n)
    if size > n:
        raise BadOption(f"subset={size} is more than the {n} rows that there are; choose at most {n}")
    if size < PER_CLASS * classes:
        raise BadOption(f"subset={size} is too small for {classes} classes; choose at least {PER_CLASS * classes}")
    order = np.random.default_rng(seed).permutation(n)
    order = order[np.argsort(labels[order], kind="stable")]
    return np.sort(order[np.arange(size) * n // size])


def long_tailed(labels: np.ndarray, factor: float, seed: int) -> np.ndarray:
    """Ascending positions, int64 (m,), of a random part whose class sizes fall exponentially; all for a factor of 1.

    Class c of C in the order of the labels keeps floor(n_0 * factor^(-c / (C - 1))) rows, or all it has: n_0 = rows of
    the largest class, factor = largest over smallest class (Cui et al. 2019, CVPR; Cao et al. 2019, NeurIPS, whose code
    rounds so). A larger factor keeps no row that a smaller one drops. Raises BadOption for a factor below 1, and for
    one that leaves a class that had them fewer than 10 rows.
    """
    if factor == 1:
        return np.arange(len(labels))
    counts = np.bincount(labels)
    if not 1 < factor < np.inf or len(counts) < 2:
        raise BadOption(
            f"imbalance={factor:g} of {len(counts)} classes makes no sense; choose a finite factor from 1 on"
        )
    sizes = np.floor(counts.max() * factor ** (-np.arange(len(counts)) / (len(counts) - 1)) + 1e-9).astype(np.int64)
    if (sizes < np.minimum(counts, PER_CLASS)).any():
        most = int(counts.max() / PER_CLASS)
        raise BadOption(f"imbalance={factor:g} leaves a class fewer than {PER_CLASS} rows; choose at most {most}")
    order = np.random.default_rng([seed, len(counts)]).permutation(len(labels))
    kept = [order[labels[order] == label][:size] for label, size in enumerate(sizes)]
    return np.sort(np.concatenate(kept))


def held_out(labels: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    """A tenth of each class, bool (n,), in whole groups; a group counts for the class of its first row.

    At most a tenth: groups larger than that stay on the training side. Raises BadData where nothing can be held out.
    """
    rng = np.random.default_rng(seed)
    _, first, group, sizes = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    held = np.zeros(len(sizes), dtype=bool)
    for label in np.unique(labels[first]):
        mine = rng.permutation(np.flatnonzero(labels[first] == label))
        quota = round(sizes[mine].sum() / 10)
        mine = mine[sizes[mine] <= quota]
        held[mine[np.cumsum(sizes[mine]) <= quota]] = True
    if not held.any():
        raise BadData(f"{len(labels)} rows in {len(sizes)} groups are too few to hold out a tenth; name a test set")
    return held[group]


def check_class_sizes(labels: np.ndarray, classes: tuple[str, ...]) -> None:
    """Raises BadData that names the first class with fewer than 10 training rows, and how many it has."""
    counts = np.bincount(labels, minlength=len(classes))
    small = np.flatnonzero(counts < PER_CLASS)
    if len(small):
        name, count = classes[small[0]], counts[small[0]]
        raise BadData(
            f"class '{name}' has {count} samples; at least {PER_CLASS} are needed for training in every class"
        )
