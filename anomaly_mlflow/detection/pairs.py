"""Which signals separate which pair of types, and whether seeds agree on the ranking of signals."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from anomaly_mlflow.anomalies.types import AnomalyType

__all__ = ["pair_importance", "rank_stability"]

STEP = 50  # draws held in memory at a time
TINY = 1e-12


def pair_importance(
    values: np.ndarray, types: np.ndarray, kinds: Sequence[AnomalyType], columns: Sequence[str]
) -> pd.DataFrame:
    """What each signal adds to telling two types apart, strongest first within a pair.

    values: (n, signals, kinds), SHAP values in log-odds; types: names (n,). For the pair a, b a signal's part in the
    log of the odds of a against b is SHAP_a - SHAP_b. `separation`: the mean of that part over rows of a less its mean
    over rows of b; summed over signals it is the gap of the mean log odds of the two types (negative: the signal
    misleads). `share`: of the sum of absolute separations; `mean_abs`: mean of |part| over rows of both.
    """
    frames = []
    for a, b in combinations([kind for kind in kinds if (types == kind).any()], 2):
        part = values[:, :, kinds.index(a)] - values[:, :, kinds.index(b)]
        of_a, of_b = part[types == a], part[types == b]
        separation = of_a.mean(axis=0, dtype=np.float64) - of_b.mean(axis=0, dtype=np.float64)
        frame = pd.DataFrame({"first": str(a), "second": str(b), "signal": list(columns), "separation": separation})
        frame["share"] = separation / max(np.abs(separation).sum(), TINY)
        frame["mean_abs"] = np.abs(np.concatenate([of_a, of_b])).mean(axis=0, dtype=np.float64)
        frames.append(frame.sort_values("separation", ascending=False, kind="stable"))
    return pd.concat(frames, ignore_index=True)


def rank_stability(
    strength: Sequence[np.ndarray], groups: np.ndarray, names: Sequence[str], *, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Spearman's rank correlation between seeds of the signals' mean absolute SHAP values, mean over pairs of seeds.

    strength: one array per seed, |SHAP| as float (n, signals, kinds); groups: int64 (n,); names: of the kinds. One row
    per kind and one for `all`: `type`, `correlation`, `low`, `high` (95 %), `lowest` (of the pairs). A draw resamples
    source groups, the same for all seeds, then signals. Empty where there is one seed.
    """
    if len(strength) < 2:
        return pd.DataFrame(columns=["type", "correlation", "low", "high", "lowest"])
    generator = np.random.default_rng(seed)
    codes = np.unique(groups, return_inverse=True)[1]
    sums = np.stack([_sums(one, codes) for one in strength])  # (seeds, groups, signals, kinds + 1)
    value = _correlations(sums.sum(axis=1))
    count, signals = sums.shape[1:3]
    drawn = []
    for _ in range(-(-draws // STEP)):
        picked = generator.integers(0, count, (STEP, count)) + count * np.arange(STEP)[:, None]
        weights = np.bincount(picked.ravel(), minlength=STEP * count).reshape(STEP, count).astype(np.float32)
        for resampled in np.tensordot(weights, sums, axes=(1, 1)):
            drawn.append(_correlations(resampled[:, generator.integers(0, signals, signals)]).mean(axis=0))
    low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0)
    labels = [*map(str, names), "all"]
    return pd.DataFrame(
        {
            "type": labels,
            "correlation": value.mean(axis=0),
            "low": low,
            "high": high,
            "lowest": value.min(axis=0),
        }
    )


def _sums(strength: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """(groups, signals, kinds + 1): sums over the rows of each group; the last column is the sum over kinds."""
    found = np.zeros((codes.max() + 1, *strength.shape[1:]), np.float32)
    np.add.at(found, codes, strength)
    return np.concatenate([found, found.sum(axis=2, keepdims=True)], axis=2)


def _correlations(strength: np.ndarray) -> np.ndarray:
    """(pairs of seeds, kinds): Spearman's rank correlation over signals; strength (seeds, signals, kinds)."""
    ranks = np.apply_along_axis(rankdata, 1, strength)
    ranks = ranks - ranks.mean(axis=1, keepdims=True)
    scale = np.sqrt((ranks**2).sum(axis=1))
    pairs = list(combinations(range(len(strength)), 2))
    with np.errstate(invalid="ignore"):
        return np.stack([(ranks[a] * ranks[b]).sum(axis=0) / (scale[a] * scale[b]) for a, b in pairs])
