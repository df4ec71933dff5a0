"""A made-up training history of the size of CIFAR-10: 50,000 samples, 20 epochs, 10 classes."""

import numpy as np

from anomaly_mlflow.training.recording import Recording

__all__ = ["CLASSES", "EPOCHS", "ROWS", "epochs"]

ROWS, EPOCHS, CLASSES = 50_000, 20, 10


def epochs() -> list[Recording]:
    """One recording an epoch: random logits that lean ever more to the given label, for some samples never.

    Noise hardly compresses, so that sizes on disk are at their worst.
    """
    rng = np.random.default_rng(0)
    labels, sample_id = rng.integers(0, CLASSES, ROWS), rng.permutation(ROWS)
    lean = np.zeros((ROWS, CLASSES), np.float32)
    lean[np.arange(ROWS), labels] = rng.normal(4, 3, ROWS)
    parts = []
    for epoch in range(EPOCHS):
        logits = rng.normal(size=(ROWS, CLASSES)).astype(np.float32) * 2 + lean * (epoch + 1) / EPOCHS
        parts.append(Recording(logits.astype(np.float16)[None], labels, sample_id, np.array([0.1])))
    return parts
