"""Rows whose image is there once more (part of the family `representation`)."""

import numpy as np

from anomaly_mlflow.anomalies.types import ImageDefect
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.signals.pixels import by_block, thumbnails

__all__ = ["near_duplicate"]

CANDIDATES = 10
LEAST = 1e-6
SOURCE = "cleanlab Datalab (near-duplicate score), on pixels of embedding neighbours: this project"


@signal("representation", ("embeddings", "images"), (ImageDefect.DUPLICATE,), SOURCE, "n^2 d")
def near_duplicate(evidence: Evidence) -> np.ndarray:
    """exp(-d / median d), in 0 .. 1, 1 for a copy: d = smallest Euclidean distance between the thumbnails of the image
    and of its 10 nearest in the noisy model's embedding.

    The embedding proposes, pixels decide: images of a class that the model tells no further apart are no duplicates.
    Thumbnails have 8 x 8 pixels, mean 0 and length 1, so that small shifts, JPEG, brightness and contrast do not hide a
    copy; a mirrored image is another one, blank images are all the same.
    """
    small = thumbnails(evidence.images)
    candidates = evidence.neighbours.index[:, :CANDIDATES]
    if candidates.size == 0:
        return np.zeros(len(small))
    distance = by_block(small, lambda rows, near: _smallest(rows, small[near]), candidates, copies=CANDIDATES)
    return np.exp(-distance / max(float(np.median(distance)), LEAST))


def _smallest(rows: np.ndarray, near: np.ndarray) -> np.ndarray:
    return np.sqrt(((rows[:, None] - near) ** 2).sum(axis=2).min(axis=1))
