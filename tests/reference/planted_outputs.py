"""Probabilities and the labels beside them, for tests against cleanlab."""

import numpy as np

from anomaly_mlflow.signals import Evidence


def outputs(probabilities, labels, needs="out_of_fold"):
    """Evidence whose logits give these probabilities."""
    with np.errstate(divide="ignore"):
        logits = np.maximum(np.log(np.asarray(probabilities, dtype=np.float64)), -745.0)
    return Evidence(np.arange(len(labels)), np.asarray(labels), logits.shape[1], **{needs: logits})


def random_outputs(seed, rows=400, classes=6, sharpness=0.4, absent=()):
    """Probabilities that lean to a true class, and labels of which a fifth is wrong."""
    rng = np.random.default_rng(seed)
    present = np.setdiff1d(np.arange(classes), absent)
    truth = rng.choice(present, rows)
    p = rng.dirichlet(np.full(classes, sharpness), rows) * 0.6 + 0.4 * np.eye(classes)[truth]
    return p / p.sum(axis=1, keepdims=True), np.where(rng.random(rows) < 0.2, rng.choice(present, rows), truth)
