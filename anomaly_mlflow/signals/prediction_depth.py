"""How deep in the network a prediction is made (part of the family `representation`)."""

import numpy as np
from sklearn.preprocessing import normalize

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.evidence import NEIGHBOURS, Evidence
from anomaly_mlflow.signals.neighbour_labels import votes
from anomaly_mlflow.signals.neighbours import Neighbours, nearest

__all__ = ["prediction_depth"]

NEEDS = ("layers", "embeddings", "logits")


@signal(
    "representation",
    NEEDS,
    (AnomalyType.HARD, AnomalyType.OOD),
    "Baldock, Maennel and Neyshabur (2021), NeurIPS",
    "L n^2 d",
)
def prediction_depth(evidence: Evidence) -> np.ndarray:
    """Smallest l such that the probes of the layers l .. L - 1 all agree with the network's final prediction; L where
    the last one does not.

    The probe of a layer is the most frequent given label among the 30 nearest other rows on unit vectors; the smallest
    class among equals.
    """
    earlier = [nearest(normalize(layer.astype(np.float64)), NEIGHBOURS) for layer in evidence.layers[:-1]]
    final = evidence.logits.argmax(axis=1)
    agrees = np.stack([_probe(near, evidence) == final for near in [*earlier, evidence.neighbours]])
    return len(agrees) - np.logical_and.accumulate(agrees[::-1]).sum(axis=0)


def _probe(near: Neighbours, evidence: Evidence) -> np.ndarray:
    return votes(evidence.labels[near.index], np.ones(near.index.shape), evidence.num_classes).argmax(axis=1)
