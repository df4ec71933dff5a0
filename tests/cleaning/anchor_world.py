"""Embeddings in which hard rows lie between two classes: nearer to the true one, and mostly labelled as the other."""

import numpy as np

from anomaly_mlflow.signals import Evidence, Head
from anomaly_mlflow.training.recording import Recording

CLASSES, WIDTH, EPOCHS = 4, 12, 6


def anchor_world(seed=0, easy=60, hard=30, own=0.62, wrong=0.7):
    """Evidence, the true labels and which rows are hard; own: share of the true class in a hard row's embedding."""
    rng = np.random.default_rng(seed)
    truth = np.tile(np.arange(CLASSES), easy + hard)
    is_hard = np.arange(len(truth)) >= CLASSES * easy
    other = (truth + rng.integers(1, CLASSES, len(truth))) % CLASSES
    centres = np.eye(WIDTH)[:CLASSES]
    share = np.where(is_hard, own, 0.97)[:, None]
    embeddings = share * centres[truth] + (1 - share) * centres[other] + 0.04 * rng.normal(size=(len(truth), WIDTH))
    flipped = is_hard & (rng.random(len(truth)) < wrong)
    labels = np.where(flipped, other, truth)
    order = rng.permutation(len(truth))
    embeddings, labels, truth, is_hard = (values[order] for values in (embeddings, labels, truth, is_hard))
    head = Head(6 * centres.astype(np.float32), np.zeros(CLASSES, np.float32))
    logits = 6 * embeddings[:, :CLASSES] + 0.3 * rng.normal(size=(len(truth), CLASSES))
    resisted = logits + np.where(is_hard, 0.0, 3.0)[:, None] * np.eye(CLASSES)[labels]
    recording = Recording(
        np.repeat(resisted[None], EPOCHS, axis=0).astype(np.float16),
        labels,
        np.arange(len(truth)),
        np.full(EPOCHS, 0.1),
    )
    evidence = Evidence(
        np.arange(len(truth)),
        labels,
        CLASSES,
        embeddings=embeddings.astype(np.float32),
        logits=logits.astype(np.float32),
        head=head,
        recording=recording,
    )
    return evidence, truth, is_hard
