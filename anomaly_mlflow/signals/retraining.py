"""What became of the given label in further trainings on the same rows (part of the family `dynamics`)."""

import numpy as np

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.training.probes import SUITES

__all__ = ["probe_random_input", "probe_wrong_label", "second_split_forgetting"]

LABEL_ERRORS = (AnomalyType.NEAR_MISS, AnomalyType.GROSS, AnomalyType.RANDOM_FLIP)
MAP_D = "Siddiqui et al. (2022), arXiv:2209.10015 (MAP-D)"


@signal(
    "dynamics", ("second_split",), LABEL_ERRORS, "Maini et al. (2022), NeurIPS (second-split forgetting time)", "nT"
)
def second_split_forgetting(evidence: Evidence) -> np.ndarray:
    """T + 1 - SSFT, where SSFT in 1 .. T + 1 is the first of T epochs on other rows from which on y is not predicted.

    Mean over the models that were trained on the row; T where it is lost at once or was never learnt, 0 where it is
    never lost. T is a third of the epochs of a training, and its levels are few.
    """
    total, models = np.zeros(len(evidence.labels)), np.zeros(len(evidence.labels))
    for split in evidence.second_split:
        total[split.rows] += np.logical_and.accumulate(~split.correct[::-1], axis=0).sum(axis=0)
        models[split.rows] += 1
    if not models.all():
        raise BadData(f"{(models == 0).sum()} samples are in no split; train the folds again")
    return total / models


@signal("dynamics", ("probes",), LABEL_ERRORS, MAP_D, "nrT")
def probe_wrong_label(evidence: Evidence) -> np.ndarray:
    """Share of wrong labels among the 20 probes whose loss over the epochs is nearest (Euclidean), mean over runs."""
    return evidence.suite_shares[:, SUITES.index("wrong_label")]


@signal("dynamics", ("probes",), (AnomalyType.OOD,), MAP_D, "nrT")
def probe_random_input(evidence: Evidence) -> np.ndarray:
    """Share of random images among the 20 probes whose loss over the epochs is nearest (Euclidean), mean over runs."""
    return evidence.suite_shares[:, SUITES.index("random_input")]
