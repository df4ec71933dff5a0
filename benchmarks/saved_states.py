"""Saved states as five snapshots of a training of the convnet on CIFAR-10 leave them, and a reference set."""

import numpy as np
from scipy.special import softmax

from anomaly_mlflow.signals.traces import Checkpoint, Traces

__all__ = ["CLASSES", "KNOWN", "STATES", "WIDTH", "saved_states"]

KNOWN, WIDTH, CLASSES, STATES = 2_000, 128, 10, 5


def saved_states(labels: np.ndarray) -> Traces:
    """Of a network that is right about most rows; labels: int64 (n,), below CLASSES."""
    rng = np.random.default_rng(0)
    known = rng.integers(0, CLASSES, KNOWN)
    centres = rng.normal(size=(CLASSES, WIDTH)).astype(np.float32)
    states = [Checkpoint(0.1, *_seen(labels, centres, rng), *_seen(known, centres, rng)) for _ in range(STATES)]
    return Traces(states, labels, known)


def _seen(labels: np.ndarray, centres: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    embeddings = centres[labels] + rng.standard_normal((len(labels), WIDTH), dtype=np.float32)
    return embeddings, softmax(0.1 * embeddings @ centres.T, axis=1)
