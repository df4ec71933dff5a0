"""T2 table: entropy of near misses against hard images as the noise rate moves, predicted and measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.detection.measures import auroc_of
from anomaly_mlflow.detection.statistics import Interval, interval
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.studies.theory.bayes_entropy import bayes_entropy, transition

__all__ = ["RateCell", "coincidence", "rate_row"]

ARMS = ("predicted", "predicted_independent", "predicted_spared", "measured")


@dataclass(frozen=True)
class RateCell:
    """A study at one noise rate.

    share: near misses, of all images; ledger: the truth; groups: int64 (n,);
    posterior: float64 (n, C), of the true label, out of fold, of the model that chose the hard images;
    independent: float64 (n, C), the same of a model that did not choose them, NaN where it has none;
    entropy: float64 (n,), of a model trained at this rate.
    """

    share: float
    ledger: pd.DataFrame
    groups: np.ndarray
    posterior: np.ndarray
    independent: np.ndarray
    entropy: np.ndarray


def rate_row(cell: RateCell, *, draws: int = 2000, seed: int = 0) -> dict[str, float]:
    """AUROC of entropy, near misses (positive) against hard images, with 95 % intervals over source groups.

    noise_rate: mean rate of near-miss labels among the classes that have any, hard images counted in.
    predicted, predicted_independent: from either posterior, the noise may hit every image (class-conditional).
    predicted_spared: the optimum knows where the hard images lie, which the injection spares. All from the ledger's own
    rates. measured: of the trained model. ambiguity: mean of 1 - max_c posterior over the hard images.
    entropy_predicted, entropy_measured: mean over both types, in nats.
    Raises BadData where there are no near misses or no hard images.
    """
    types = cell.ledger["anomaly_type"].to_numpy()
    true, given = cell.ledger["true_label"].to_numpy(), cell.ledger["given_label"].to_numpy()
    near, hard, known = types == AnomalyType.NEAR_MISS, types == AnomalyType.HARD, true >= 0
    if not near.any() or not hard.any():
        raise BadData(f"near_miss_share={cell.share} leaves no near misses or no hard images; raise both shares")
    num_classes = cell.posterior.shape[1]
    everywhere = transition(true[known], given[known], num_classes)
    elsewhere = transition(true[known & ~hard], given[known & ~hard], num_classes)
    scores = {
        "predicted": bayes_entropy(cell.posterior, everywhere),
        "predicted_independent": bayes_entropy(cell.independent, everywhere),
        "predicted_spared": bayes_entropy(cell.posterior, elsewhere, spared=hard),
        "measured": cell.entropy,
    }
    row = {"share": cell.share, "noise_rate": _noise_rate(true[known], near[known]), "n_near_miss": int(near.sum())}
    row |= {"n_hard": int(hard.sum()), "ambiguity": float(1 - cell.posterior[hard].max(axis=1).mean())}
    row |= {f"entropy_{arm}": float(scores[arm][near | hard].mean()) for arm in ("predicted", "measured")}
    for arm in ARMS:
        rows = (near | hard) & np.isfinite(scores[arm])
        ends = _ends(scores[arm][rows], near[rows], cell.groups[rows], draws, seed)
        row |= {arm: ends.value, f"{arm}_low": ends.low, f"{arm}_high": ends.high}
    return row


def coincidence(rates: Sequence[float], auroc: Sequence[float]) -> float:
    """The rate at which the AUROC crosses .5, between the two rates beside it; NaN where it does not.

    There near misses and hard images coincide for a label-free score. Of several crossings the first.
    """
    order = np.argsort(rates)
    x, y = np.asarray(rates, float)[order], np.asarray(auroc, float)[order] - 0.5
    for left in range(len(x) - 1):
        if y[left] * y[left + 1] <= 0 and y[left] != y[left + 1]:
            return float(x[left] - y[left] * (x[left + 1] - x[left]) / (y[left + 1] - y[left]))
    return float("nan")


def _noise_rate(true: np.ndarray, near: np.ndarray) -> float:
    return float(near.sum() / np.isin(true, np.unique(true[near])).sum())


def _ends(score: np.ndarray, positive: np.ndarray, groups: np.ndarray, draws: int, seed: int) -> Interval:
    measure = auroc_of(score, positive, np.zeros(len(score), np.int64))
    return interval(measure, positive, groups, draws=draws, seed=seed)[0]
