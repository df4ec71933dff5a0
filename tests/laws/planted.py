"""One planted world for all signals: what a network that learns easy rows first would leave behind.

Six classes in three pairs (c, c ^ 1) that look alike. Easy rows, each with an ease of its own, are learnt within two
epochs, hard rows late and with setbacks. Wrong labels are resisted, and some of them memorised in the last quarter:
20 % within a pair, 4 % across (shares as measured on CIFAR-10). Strangers look like nothing. Nothing here knows of
any signal.
"""

from dataclasses import replace
from functools import cache

import numpy as np

from anomaly_mlflow.anomalies.types import MADE, AnomalyType
from anomaly_mlflow.signals import CrossFit, Evidence
from anomaly_mlflow.training.recording import Recording

CLASSES, EPOCHS, PASSES, FOLDS, DIMENSIONS = 6, 12, 8, 4, 16
COUNTS = {AnomalyType.CLEAN: 300} | {kind: 60 for kind in MADE[1:]}
JITTER = {"clean": 0.1, "hard": 1.2, "near_miss": 0.7, "gross": 0.5, "random_flip": 0.5, "ood": 0.5}
STOCHASTIC = {"clean": 0.3, "hard": 1.0, "near_miss": 0.7, "gross": 0.3, "random_flip": 0.3, "ood": 0.7}


@cache
def world(seed=0):
    """Evidence with everything in it, and the type of each row."""
    rng = np.random.default_rng(seed)
    types = rng.permutation(np.repeat([kind.value for kind in COUNTS], list(COUNTS.values())))
    truth = rng.integers(0, CLASSES, len(types))
    labels = _given_labels(types, truth, rng)
    sample_id = rng.permutation(10 * len(types))[: len(types)]
    means = _mean_logits(types, truth, labels, rng)
    jittered = means + _spread(types, JITTER)[:, None] * rng.normal(size=means.shape)
    passes = means[-1] + _spread(types, STOCHASTIC)[:, None] * rng.normal(size=(PASSES, *means.shape[1:]))
    recording = Recording(jittered.astype(np.float16), labels, sample_id, np.linspace(0.1, 0.01, EPOCHS))
    evidence = Evidence(
        sample_id,
        labels,
        CLASSES,
        logits=means[-1].astype(np.float32),
        stochastic=passes.astype(np.float32),
        recording=recording,
        references=_cross_fitted(types, truth, labels, rng),
    )
    return evidence, types


def permuted(evidence, order, rng):
    """The same evidence with its samples in another order, and the rows of every fold shuffled."""
    where = np.argsort(order)
    record = evidence.recording
    return replace(
        evidence,
        sample_id=evidence.sample_id[order],
        labels=evidence.labels[order],
        logits=evidence.logits[order],
        stochastic=evidence.stochastic[:, order],
        recording=Recording(
            record.logits[:, order], record.labels[order], record.sample_id[order], record.learning_rate
        ),
        references=[_shuffled(fold, where, rng) for fold in evidence.references],
    )


def _shuffled(fold, where, rng):
    judged, known = rng.permutation(len(fold.rows)), rng.permutation(len(fold.reference_labels))
    return CrossFit(
        where[fold.rows[judged]],
        fold.embeddings[judged],
        judged,
        fold.reference_embeddings[known],
        fold.reference_labels[known],
        len(fold.rows) + known,
    )


def _given_labels(types, truth, rng):
    partner, elsewhere = truth ^ 1, (truth // 2 * 2 + rng.integers(2, CLASSES, len(truth))) % CLASSES
    other = (truth + rng.integers(1, CLASSES, len(truth))) % CLASSES
    anything = rng.integers(0, CLASSES, len(truth))
    choices = {"near_miss": partner, "gross": elsewhere, "random_flip": other, "ood": anything}
    return np.select([types == kind for kind in choices], list(choices.values()), truth)


def _mean_logits(types, truth, labels, rng):
    """(epochs, n, classes): looks of the image, learnt at its pace, plus what is memorised of the given label."""
    t = np.arange(EPOCHS)[:, None, None]
    early, late = 1 - np.exp(-(t + 1.0)), 1 / (1 + np.exp((6 - t) / 1.5))
    own, twin = np.eye(CLASSES)[truth], np.eye(CLASSES)[truth ^ 1]
    ease = np.exp(0.3 * rng.normal(size=(len(truth), 1)))
    easy = early * ease * (7 * own + 3 * twin) * (1 + 0.05 * t)
    hard = early * (1.5 * own + 3 * twin) + 2.5 * late * own
    strange = early * rng.normal(scale=0.7, size=own.shape)
    kind = types[:, None]
    looks = np.where(kind == "hard", hard, np.where(kind == "ood", strange, easy))
    return looks + _memorised(types, truth, labels, rng)


def _memorised(types, truth, labels, rng):
    """A label from the pair confuses from the start; some wrong labels are learnt by heart in the last quarter."""
    wrong, paired = np.isin(types, ["near_miss", "gross", "random_flip"]), labels == truth ^ 1
    confusing = 2.0 * (wrong & paired) * rng.random(len(types))
    by_heart = 8.0 * (wrong & (rng.random(len(types)) < np.where(paired, 0.2, 0.04)))
    last = np.clip((np.arange(EPOCHS) - 8) / 3, 0, 1)[:, None]
    ramp = 1 - np.exp(-np.arange(1.0, EPOCHS + 1))[:, None]
    return (ramp * confusing + last * by_heart)[:, :, None] * np.eye(CLASSES)[labels]


def _cross_fitted(types, truth, labels, rng):
    """Folds with an encoder each: rotated and shifted differently, the clean rows of the others as references."""
    rows, fold_of, clean = np.arange(len(types)), rng.integers(0, FOLDS, len(types)), types == "clean"
    directions = _directions(types, truth, rng)
    folds = []
    for fold in range(FOLDS):
        turn, _ = np.linalg.qr(rng.normal(size=(DIMENSIONS, DIMENSIONS)))
        seen = ((directions + fold * 0.2 / np.sqrt(DIMENSIONS)) @ turn).astype(np.float32)
        judged, known = rows[fold_of == fold], rows[(fold_of != fold) & clean]
        folds.append(CrossFit(judged, seen[judged], judged, seen[known], labels[known], known))
    return folds


def _directions(types, truth, rng):
    axes = np.eye(DIMENSIONS)
    centres = 0.75 * axes[np.arange(CLASSES) // 2] + 0.65 * axes[3 + np.arange(CLASSES)]
    own, twin = centres[truth], centres[truth ^ 1]
    strange = rng.normal(scale=1 / np.sqrt(DIMENSIONS), size=own.shape)
    kind = types[:, None]
    looks = np.where(kind == "hard", 0.55 * own + 0.45 * twin, np.where(kind == "ood", strange, own))
    return looks + rng.uniform(0.06, 0.16, size=(len(truth), 1)) * rng.normal(size=looks.shape)


def _spread(types, table):
    return np.array([table[kind] for kind in types])
