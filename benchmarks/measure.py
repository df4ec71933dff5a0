"""Interleaved repeats and what is read from them: ratios of medians, exponents, each with an interval."""

import logging
import time
from collections.abc import Callable

import numpy as np
import torch
from scipy.stats import bootstrap
from threadpoolctl import threadpool_limits
from tqdm import tqdm

__all__ = ["difference_of_means", "exponent", "interleaved", "one_thread", "ratio_of_medians"]

DRAWS, LEVEL = 2000, 0.95


def one_thread() -> None:
    """Hold PyTorch and the linear algebra of numpy to one thread, so that CPU seconds are what the work costs."""
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it would tell its precision at each training
    torch.set_num_threads(1)
    threadpool_limits(1)


def interleaved(
    variants: dict[str, Callable[[], object]], rounds: int, clock: Callable[[], float] = time.process_time
) -> dict[str, np.ndarray]:
    """Seconds of each variant in each round, float64 (rounds,); the order is turned round from round to round (ABBA).

    clock: CPU seconds of this process by default. Callers warm up.
    """
    seconds = {name: [] for name in variants}
    with tqdm(total=rounds * len(variants), leave=False) as bar:
        for turn in range(rounds):
            for name in list(variants)[:: -1 if turn % 2 else 1]:
                bar.set_description(name)
                start = clock()
                variants[name]()
                seconds[name].append(clock() - start)
                bar.update()
    return {name: np.array(values) for name, values in seconds.items()}


def ratio_of_medians(above: np.ndarray, below: np.ndarray) -> tuple[float, float, float]:
    """median(above) / median(below) over rounds, with a 95 % percentile bootstrap interval that resamples rounds."""

    def ratio(above: np.ndarray, below: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.median(above, axis) / np.median(below, axis)

    return float(ratio(above, below)), *_interval((above, below), ratio)


def difference_of_means(one: np.ndarray, other: np.ndarray) -> tuple[float, float, float]:
    """mean(one) - mean(other), with an interval as above that resamples both sides for themselves."""

    def difference(one: np.ndarray, other: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.mean(one, axis) - np.mean(other, axis)

    return float(difference(one, other)), *_interval((one, other), difference, paired=False)


def exponent(sizes: np.ndarray, seconds: np.ndarray) -> tuple[float, float, float]:
    """Slope of the least-squares line of ln median seconds on ln size; interval as above.

    sizes: (k,); seconds: (k, rounds).
    """
    x = np.log(sizes) - np.log(sizes).mean()

    def slope(*seconds: np.ndarray, axis: int = -1) -> np.ndarray:
        medians = np.log([np.median(values, axis) for values in seconds])
        return np.tensordot(x, medians, 1) / (x @ x)

    return float(slope(*seconds)), *_interval(tuple(seconds), slope)


def _interval(measured: tuple[np.ndarray, ...], statistic: Callable, paired: bool = True) -> tuple[float, float]:
    found = bootstrap(
        measured, statistic, n_resamples=DRAWS, confidence_level=LEVEL, paired=paired, method="percentile", rng=0
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)
