"""T3: predicted loss trajectories and learning order of every row, and how they agree with the recorded ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from anomaly_mlflow.anomalies.types import listed
from anomaly_mlflow.detection.statistics import Interval
from anomaly_mlflow.signals.evidence import CrossFit
from anomaly_mlflow.studies.theory.gradient_flow import Flow
from anomaly_mlflow.studies.theory.rank_correlation import correlation_interval, spearman_of

__all__ = ["Recorded", "Trajectories", "epoch_times", "predict_trajectories", "type_table"]

LONGEST = 1e9  # flow time that counts as the end of the flow


@dataclass(frozen=True)
class Trajectories:
    """What the flow predicts: loss float64 (epochs, n), |f - y|^2; correct bool (epochs, n); times (epochs,).

    A time at `LONGEST` says that the flow's end lies above the recorded loss of that epoch.
    """

    loss: np.ndarray
    correct: np.ndarray
    times: np.ndarray


@dataclass(frozen=True)
class Recorded:
    """What was recorded over the seeds, each (seeds, epochs, n): loss (nats), brier |p - y|^2, correct (bool)."""

    loss: np.ndarray
    brier: np.ndarray
    correct: np.ndarray


def epoch_times(flows: Sequence[Flow], brier: np.ndarray) -> np.ndarray:
    """The flow time at which the mean loss of all rows is the recorded one: float64 (epochs,), one scalar an epoch.

    brier: float64 (epochs,), mean recorded |p - y|^2 over all rows; no type plays a part. 0 where above the start.
    """
    n = sum(len(flow.labels) for flow in flows)

    def gap(log_time: float, target: float) -> float:
        return sum(flow.total_loss(np.exp(log_time)) for flow in flows) / n - target

    low, high, times = np.log(1e-6), np.log(LONGEST), []
    for target in brier:
        if gap(low, target) <= 0:
            times.append(0.0)
        elif gap(high, target) >= 0:
            times.append(LONGEST)
        else:
            times.append(np.exp(brentq(gap, low, high, args=(target,))))
    return np.array(times)


def predict_trajectories(
    folds: Sequence[CrossFit], given: np.ndarray, num_classes: int, brier: np.ndarray
) -> Trajectories:
    """One flow per fold, on its own rows and given labels alone, in the embedding of the encoder that saw none of them.

    given: int64 (n,); brier: as in `epoch_times`.
    """
    flows = [Flow(fold.unit, given[fold.rows], num_classes) for fold in folds]
    times = epoch_times(flows, brier)
    shape = (len(times), len(given))
    loss, correct = np.empty(shape), np.empty(shape, bool)
    for fold, flow in zip(folds, flows, strict=True):
        for epoch, time in enumerate(times):
            loss[epoch, fold.rows], correct[epoch, fold.rows] = flow.loss(time), flow.correct(time)
    return Trajectories(loss, correct, times)


def type_table(
    predicted: Trajectories,
    recorded: Recorded,
    types: np.ndarray,
    groups: np.ndarray,
    static: np.ndarray,
    *,
    draws: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Spearman's correlations of predicted and recorded learning, one row per type and one for `all`.

    types: str (n,), from the ledger; groups: int64 (n,); static: float64 (n,), a score without time to compare with.
    loss: mean loss over the epochs, predicted |f - y|^2 against recorded cross-entropy; brier: against |p - y|^2;
    order: first epoch of the given label (T for never); static: the static score against the recorded mean loss.
    Each with 95 % ends over seeds and groups. between_seeds: what one seed's recorded mean loss says of another's, NaN
    for one seed: the most that a prediction without luck can reach.
    mean_predicted, mean_recorded: mean |f - y|^2 and |p - y|^2; learnt_predicted, learnt_recorded: mean first epoch.
    """
    first = _first(predicted.correct[None])[0], _first(recorded.correct)
    mean = predicted.loss.mean(axis=0), recorded.loss.mean(axis=1)
    brier = recorded.brier.mean(axis=1)
    sides = {"loss": mean, "brier": (mean[0], brier), "order": first, "static": (static, mean[1])}
    rows = []
    for kind in ("all", *listed(types)):
        mine = np.ones(len(types), bool) if kind == "all" else types == kind
        if mine.sum() < 3:
            continue
        row: dict[str, object] = {"anomaly_type": str(kind), "n": int(mine.sum())}
        for name, (one, other) in sides.items():
            found = correlation_interval(one[mine], other[:, mine], groups[mine], draws=draws, seed=seed)
            row |= _named(name, found)
        row["between_seeds"] = _between(mean[1][:, mine])
        row |= {"mean_predicted": mean[0][mine].mean(), "mean_recorded": brier[:, mine].mean()}
        rows.append(row | {"learnt_predicted": first[0][mine].mean(), "learnt_recorded": first[1][:, mine].mean()})
    return pd.DataFrame(rows)


def _between(values: np.ndarray) -> float:
    """Mean over pairs of seeds of Spearman's correlation: (seeds, n) -> one number."""
    once = np.ones((1, values.shape[1]))
    pairs = [spearman_of(one, other)(once)[0] for one, other in combinations(values, 2)]
    return float(np.mean(pairs)) if pairs else float("nan")


def _named(name: str, found: Interval) -> dict[str, float]:
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def _first(correct: np.ndarray) -> np.ndarray:
    """First epoch of True, T where there is none: (seeds, epochs, n) -> (seeds, n)."""
    return np.where(correct.any(axis=1), correct.argmax(axis=1), correct.shape[1])
