"""Features of a set with planted probes -> for every untouched row how probably its label is wrong, and in what way."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.label_probes import INSTANCE
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.detection.likeness import probe_likeness
from anomaly_mlflow.detection.measures import auroc, average_precision_of
from anomaly_mlflow.detection.precision import precision_at_positives_of
from anomaly_mlflow.detection.probe_calibration import (
    Prior,
    error_probability,
    error_ratio,
    estimate_prior,
    expected_calibration_error,
    recall_at,
    threshold_at,
)
from anomaly_mlflow.detection.probe_types import error_types, probe_f1, probe_probabilities, types_of_probes
from anomaly_mlflow.detection.ranking import suspicion
from anomaly_mlflow.detection.table import matrix

__all__ = ["RATE", "LabelErrors", "estimate", "measures"]

RATE = 0.05
"""False positives at which recall is predicted, share of the rows that are right."""

LIKE_PEOPLE = (AnomalyType.NEAR_MISS, INSTANCE)


@dataclass(frozen=True)
class LabelErrors:
    """What a set with probes tells.

    table: the untouched rows, most suspicious first: sample_id, given_label, suggested_label, probability_of_error,
        suspicion (mean rank, 0..1), rank (1 = most suspicious), `type.NAME` (they sum to probability_of_error).
    prior: share of wrong labels; recall: predicted share of them found at 5 % false positives; types: F1 of the types
        on held-out probes; ratio: density ratio of the rows of the table, so that another prior can be put in.
    """

    table: pd.DataFrame
    prior: Prior
    recall: float
    types: dict[str, float]
    ratio: np.ndarray


def estimate(
    features: pd.DataFrame,
    planted: Samples,
    kinds: np.ndarray,
    probabilities: np.ndarray,
    suggested: np.ndarray,
    *,
    draws: int = 200,
    seed: int = 0,
) -> LabelErrors:
    """Calibrate the suspicion of untouched rows by the probes beside them.

    features: signals of the planted samples; kinds: str (n,), kind of probe or ""; probabilities: float (n, C), out of
    fold; suggested: int64 (n,), in the order of planted. Raises BadData where a signal that the suspicion needs is
    missing.
    """
    score = suspicion([features])
    untouched, probe, instance = kinds == "", np.isin(kinds, LIKE_PEOPLE), kinds == INSTANCE
    X = matrix(features)[1]
    likeness = probe_likeness(X, probe, untouched, planted.groups, seed)
    prior = estimate_prior(likeness, probe, untouched, probabilities, planted.labels, draws=draws, seed=seed)
    ratio = error_ratio(score, probe, untouched)
    wrong = error_probability(ratio, prior.share.value)
    types = types_of_probes(kinds)
    of_types = probe_probabilities(X, types, planted.groups, seed)
    rows = np.flatnonzero(untouched)
    order = np.argsort(-score[rows], kind="stable")
    table = pd.DataFrame(
        {
            "sample_id": planted.sample_id[rows],
            "given_label": planted.labels[rows],
            "suggested_label": suggested[rows],
            "probability_of_error": wrong,
            "suspicion": score[rows],
        }
    )
    table = table.join(error_types(of_types[rows], wrong)).iloc[order].reset_index(drop=True)
    table.insert(5, "rank", np.arange(1, len(table) + 1))
    recall = recall_at(score[instance], threshold_at(score[rows], wrong, RATE))
    return LabelErrors(table, prior, recall, probe_f1(of_types, types, seed), ratio[order])


def measures(found: LabelErrors, wrong: pd.Series | None) -> dict[str, float]:
    """Figures by name; those under `truth.` only where it is known.

    A calibration error says nothing of sharpness: one constant near the true share has next to none. So
    `truth.brier_skill` stands beside it, 1 less the Brier score by that of the true share for every row (Murphy 1973).
    wrong: bool by sample_id, for the untouched rows at least; None where nobody knows.
    """
    share = found.prior.share
    told = {
        "prior": share.value,
        "prior.low": share.low,
        "prior.high": share.high,
        "prior.by_probes": found.prior.by_probes,
        "prior.by_joint": found.prior.by_joint,
        "predicted_recall_at_5": found.recall,
        "type_macro_f1_of_probes": found.types["macro"],
    }
    return told if wrong is None else told | _against_truth(found, wrong)


def _against_truth(found: LabelErrors, wrong: pd.Series) -> dict[str, float]:
    table = found.table
    error, score = wrong.loc[table["sample_id"]].to_numpy(), table["suspicion"].to_numpy()
    if error.all() or not error.any():
        return {"truth.prior": float(error.mean())}
    one = np.ones((1, len(error)))
    true_prior = error_probability(found.ratio, error.mean())
    recall = recall_at(score[error], np.quantile(score[~error], 1 - RATE))
    return {
        "truth.prior": float(error.mean()),
        "truth.calibration_error": expected_calibration_error(table["probability_of_error"].to_numpy(), error),
        "truth.calibration_error_true_prior": expected_calibration_error(true_prior, error),
        "truth.brier_skill": _brier_skill(table["probability_of_error"].to_numpy(), error),
        "truth.recall_at_5": recall,
        "truth.recall_gap": found.recall - recall,
        "truth.auroc": auroc(score, error),
        "truth.average_precision": float(average_precision_of(score, error, np.zeros(len(error), np.int64))(one)[0, 0]),
        "truth.precision_at_errors": float(precision_at_positives_of(score, error)(one)[0, 0]),
    }


def _brier_skill(probability: np.ndarray, error: np.ndarray) -> float:
    return float(1 - ((probability - error) ** 2).mean() / error.var())
