"""Anchors as cleaners: learned, linear, and the classifier's own answer on the same hard rows."""

import numpy as np

from anomaly_mlflow.cleaning.anchors import AnchorSettings, vote_by_anchors
from anomaly_mlflow.cleaning.base import Cleaned, cleaner
from anomaly_mlflow.cleaning.easy_set import EasySet, easy_set, late_loss
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.signals.suggestion import of_given_label

__all__ = ["anchors_learned", "anchors_linear", "classifier_argmax", "clean_by_anchors"]

PAPER = "after arXiv 2407.07331 (2024), anchor hallucination"


@cleaner(("recording", "embeddings"), "embedding", f"{PAPER}; linear anchors, the baseline", reconstruction=True)
def anchors_linear(evidence: Evidence, *, seed: int) -> Cleaned:
    """The majority of the linear anchors between easy rows that lie next to a hard row."""
    return clean_by_anchors(evidence, AnchorSettings(), seed=seed)


@cleaner(("recording", "embeddings", "head"), "embedding", f"{PAPER}; learned anchors", reconstruction=True)
def anchors_learned(evidence: Evidence, *, seed: int) -> Cleaned:
    """The majority of the hallucinated anchors between easy rows that lie next to a hard row."""
    return clean_by_anchors(evidence, AnchorSettings(learned=True), seed=seed)


@cleaner(("recording", "logits"), "training", f"{PAPER}; its baseline without anchors", reconstruction=True)
def classifier_argmax(evidence: Evidence, *, seed: int) -> Cleaned:
    """What the noisy model itself answers on the rows that are hard for `anchors_linear` too."""
    rows = easy_set(late_loss(evidence), evidence.labels, evidence.num_classes, seed=seed)
    answers = np.where(rows.hard, evidence.probabilities.argmax(axis=1), evidence.labels)
    return _cleaned(evidence.labels, rows, evidence.probabilities, answers, rows.hard)


def clean_by_anchors(evidence: Evidence, settings: AnchorSettings, *, seed: int) -> Cleaned:
    """Easy rows keep their label; hard ones are given that of the anchors near them, where these decide.

    trust: the posterior of the small loss; of a row on which anchors vote the mean of it and the share of votes for the
    given label. Evidence: recording, embeddings, and the head where anchors are learned.
    """
    labels, classes = evidence.labels, evidence.num_classes
    rows = easy_set(late_loss(evidence), labels, classes, seed=seed, balanced=settings.balanced)
    votes = vote_by_anchors(evidence.embeddings, labels, classes, rows, settings, seed=seed, head=evidence.head)
    return _cleaned(labels, rows, votes.shares, votes.labels, votes.decided)


def _cleaned(
    labels: np.ndarray, rows: EasySet, shares: np.ndarray, settled: np.ndarray, decided: np.ndarray
) -> Cleaned:
    """shares: float64 (n, C), of the classes; settled: int64 (n,), labels of the rows that are decided, bool (n,)."""
    voted = rows.hard & (shares.sum(axis=1) > 0)
    trust = np.where(voted, (rows.posterior + of_given_label(shares, labels)) / 2, rows.posterior)
    confidence = np.where(decided, of_given_label(shares, settled), trust)
    return Cleaned(trust, rows.easy | (decided & (settled == labels)), settled, confidence)
