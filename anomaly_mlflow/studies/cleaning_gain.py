"""Test accuracy after training on cleaned labels, beside no cleaning, true labels and random removal."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.measures import mean_of
from anomaly_mlflow.detection.statistics import Interval
from anomaly_mlflow.studies.resampled import Resampled, resample

__all__ = ["GIVEN", "ORACLE", "accuracies", "gains_table"]

GIVEN, ORACLE = "given", "oracle"
NONE = Interval(np.nan, np.nan, np.nan)


def accuracies(
    correct: Mapping[str, np.ndarray], labels: np.ndarray, groups: np.ndarray, *, draws: int = 2000, seed: int = 0
) -> Resampled:
    """Mean test accuracy over seeds of each variant, and its draws over seeds and, within classes, groups of test rows.

    correct: variant -> bool (seeds, n), of the same seeds and rows, so that in a draw all variants have the same ones
    and two of them compare as a pair. labels, groups: int64 (n,), of the test rows.
    """
    measures = {name: mean_of(right) for name, right in correct.items()}
    return resample(measures, labels, groups, draws=draws, seed=seed)


def gains_table(found: Resampled, given: str = GIVEN, oracle: str = ORACLE) -> pd.DataFrame:
    """A row for each variant: accuracy, its gain over the labels as given, and that as a share of the oracle's gain.

    found: as `accuracies` gives it, with the variant `given`; where `oracle` is none there are no shares. Columns:
    trained on, accuracy, low, high, gain, gain_low, gain_high (in accuracy, 0 to 1), share, share_low, share_high.
    Ends are 95 % percentile intervals, NaN where a class has too few test groups. The share is told only where the
    oracle's gain lies above 0: of nothing there is no share.
    """
    whole = _gain(found, oracle, given) if oracle in found.value else NONE
    rows = []
    for name in found.value.index:
        share = _share(found, name, given, oracle) if whole.low > 0 and name not in (given, oracle) else NONE
        gain = NONE if name == given else _gain(found, name, given)
        row = {"trained on": name}
        for title, one in (("accuracy", found.interval(name)), ("gain", gain), ("share", share)):
            ends = ("low", "high") if title == "accuracy" else (f"{title}_low", f"{title}_high")
            row |= dict(zip((title, *ends), (one.value, one.low, one.high), strict=True))
        rows.append(row)
    return pd.DataFrame(rows)


def _gain(found: Resampled, name: str, given: str) -> Interval:
    return found.of(lambda figures: figures[name] - figures[given])


def _share(found: Resampled, name: str, given: str, oracle: str) -> Interval:
    def share(figures: pd.DataFrame) -> np.ndarray:
        whole = (figures[oracle] - figures[given]).to_numpy()
        own = (figures[name] - figures[given]).to_numpy()
        return np.divide(own, whole, out=np.full(len(own), np.nan), where=whole > 0)

    return found.of(share)
