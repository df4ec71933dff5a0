"""Ours and the peers' scores of the same trainings, higher = more suspicious."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from aum import AUMCalculator
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from scipy.special import log_softmax, softmax
from sklearn.preprocessing import normalize

from anomaly_mlflow.detection.ranking import mean_rank
from anomaly_mlflow.signals.own_prototypes import prototype_margin_of
from anomaly_mlflow.signals.suggestion import of_given_label, others_only
from benchmarks.human_trainings import Round

__all__ = ["FILTERS", "flags", "held_out_probabilities", "ours", "peers"]

QUALITIES = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
FILTERS = (
    "prune_by_noise_rate",
    "prune_by_class",
    "both",
    "confident_learning",
    "predicted_neq_given",
    "low_self_confidence",
    "low_normalized_margin",
)


def ours(found: Round, labels: np.ndarray) -> dict[str, np.ndarray]:
    """The fusion, float (n,), and what it is made of, each from the same five trainings."""
    late = found.trained.shape[1] // 2
    trained = np.nanmean(softmax(found.trained[:, late:], axis=3), axis=(0, 1))
    margins = [prototype_margin_of(normalize(own), labels, trained.shape[1]) for own in found.embeddings]
    parts = {
        "late log-odds (training batches)": _log_odds(trained, labels),
        "log-odds (held out)": _log_odds(held_out_probabilities(found), labels),
        "prototype margin": np.mean(margins, axis=0),
    }
    return {"anomaly-mlflow: mean rank": mean_rank(list(parts.values())), **parts}


def peers(found: Round, labels: np.ndarray) -> dict[str, np.ndarray]:
    """cleanlab's scores, area under the margin and losses, each in the form and over the epochs that serve it best."""
    loss = -np.take_along_axis(log_softmax(found.trained, axis=3), labels[None, None, :, None], 3)[..., 0]
    scores = {f"cleanlab {name}": 1 - _quality(found, labels, name) for name in QUALITIES}
    scores["area under the margin (aum)"] = np.nanmean([-_area(one, labels) for one in found.trained], axis=0)
    for name, epochs in (("mean", slice(None)), ("last 3 epochs", slice(-3, None)), ("final", slice(-1, None))):
        scores[f"loss, {name}"] = np.nanmean(loss[:, epochs], axis=(0, 1))
    return scores


def flags(rounds: list[Round], labels: np.ndarray) -> dict[str, np.ndarray]:
    """What each of cleanlab's filters flags by the mean probabilities of the rounds, bool (n,)."""
    p = np.mean([held_out_probabilities(found) for found in rounds], axis=0)
    return {name: find_label_issues(labels, p, filter_by=name, n_jobs=1) for name in FILTERS}


def held_out_probabilities(found: Round) -> np.ndarray:
    """float64 (n, classes): of the model that did not see the row, at the last epoch, mean with the mirrored image."""
    return _held_out(found, slice(-1, None))


def _held_out(found: Round, epochs: slice) -> np.ndarray:
    p = softmax(found.held_out[:, epochs].astype(np.float64), axis=3).mean(axis=(0, 1))
    return p / p.sum(axis=1, keepdims=True)


def _log_odds(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.log(others_only(p, labels).max(axis=1) + 1e-12) - np.log(of_given_label(p, labels) + 1e-12)


def _quality(found: Round, labels: np.ndarray, name: str) -> np.ndarray:
    return get_label_quality_scores(labels, held_out_probabilities(found), method=name)


def _area(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """float (n,) by the package aum; rows that this training did not see have NaN logits and so no area."""
    seen = np.flatnonzero(~np.isnan(logits[0, :, 0]))
    area = np.full(len(labels), np.nan)
    with tempfile.TemporaryDirectory() as folder:
        calculator = AUMCalculator(folder, compressed=True)
        for epoch in logits:
            calculator.update(torch.from_numpy(epoch[seen]), torch.from_numpy(labels[seen]), seen.tolist())
        calculator.finalize()
        frame = pd.read_csv(Path(folder, "aum_values.csv"))
    area[frame["sample_id"].to_numpy()] = frame["aum"].to_numpy()
    return area
