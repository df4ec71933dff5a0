"""A clean side of one fold, and points on the circle."""

import numpy as np

from anomaly_mlflow.signals import CrossFit, Evidence, find


def value(name, evidence):
    return find(name)(evidence)


def one_fold(embeddings, labels, references, reference_labels, num_classes):
    n, r = len(labels), len(reference_labels)
    fold = CrossFit(
        np.arange(n),
        np.asarray(embeddings, np.float32),
        np.arange(n),
        np.asarray(references, np.float32),
        np.asarray(reference_labels, np.int64),
        np.arange(n, n + r),
    )
    return Evidence(np.arange(n), np.asarray(labels), num_classes, references=[fold])


def circle(*degrees):
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def clouds(seed, n, r, classes=3, d=5):
    """Judged rows, their labels, references, their labels: a Gaussian cloud for each class."""
    rng = np.random.default_rng(seed)
    labels, known = rng.integers(0, classes, n), rng.permutation(np.arange(r) % classes)
    centres = 2 * rng.normal(size=(classes, d))
    stretch = rng.normal(size=(d, d))
    judged, references = (centres[rows] + rng.normal(size=(len(rows), d)) @ stretch for rows in (labels, known))
    return judged.astype(np.float32), labels, references.astype(np.float32), known
