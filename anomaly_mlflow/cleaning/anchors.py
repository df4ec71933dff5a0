"""Anchor hallucination: easy rows of two classes make an anchor between them, anchors vote on the hard rows near them.

A reconstruction of arXiv 2407.07331, whose full text was not at hand: threshold, K, the least number of votes, that an
anchor votes on all hard rows near it and not on the nearest alone, and the losses are this project's. Linear anchors
need no network and are the baseline that the learned ones have to beat.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.preprocessing import normalize

from anomaly_mlflow.cleaning.easy_set import EasySet
from anomaly_mlflow.cleaning.hallucinator import fit_hallucinator, hallucinate
from anomaly_mlflow.signals.evidence import Head
from anomaly_mlflow.signals.neighbours import nearest

__all__ = ["AnchorSettings", "Votes", "count_votes", "draw_pairs", "linear_anchors", "vote_by_anchors"]


ROUNDING = 1e-9
"""Of a cosine that is computed twice."""


@dataclass(frozen=True)
class AnchorSettings:
    """All that shapes the votes.

    learned: hallucinated anchors, else linear ones. lambda_p: share of the anchor's own class, .5 (hardest) to 1.
    per_easy: anchors that each easy row begins. quantile: share of the anchors that are too far from every hard row to
    be valid; the cosine of the last valid one is tau. neighbours: at most so many valid anchors vote on a hard row (K),
    the nearest, none farther than tau; least_valid: so many at least. least_share: share of them that has to agree.
    beta: weight of the likeness in the hallucinator's loss. balanced: whether the easy set is cut to balanced classes.
    """

    learned: bool = False
    lambda_p: float = 0.65
    per_easy: int = 8
    quantile: float = 0.6
    neighbours: int = 9
    least_valid: int = 3
    least_share: float = 0.5
    beta: float = 1.0
    balanced: bool = True


@dataclass(frozen=True)
class Votes:
    """What the anchors say of n rows.

    labels: int64 (n,), the class of most votes; the given label where there is no result. shares: float64 (n, C), of
    the votes on each row; 0 where too few are. valid: int64 (n,), anchors that vote. decided: bool (n,), enough vote
    and agree.
    """

    labels: np.ndarray
    shares: np.ndarray
    valid: np.ndarray
    decided: np.ndarray


def vote_by_anchors(
    embeddings: np.ndarray,
    labels: np.ndarray,
    num_classes: int,
    rows: EasySet,
    settings: AnchorSettings = AnchorSettings(),
    *,
    seed: int,
    head: Head | None = None,
) -> Votes:
    """Let anchors between the easy rows vote on the hard ones.

    embeddings: float32 (n, d), input of the head; labels: int64 (n,), as given; head: the classifier on the embedding,
    needed where anchors are learned. No row is decided where there is no hard row, or easy ones of fewer than two
    classes. Reproducible from the seed.
    """
    shares, valid, winner = np.zeros((len(labels), num_classes)), np.zeros(len(labels), np.int64), labels.copy()
    easy, hard = np.flatnonzero(rows.easy), np.flatnonzero(rows.hard)
    if len(hard) and len(np.unique(labels[easy])) > 1:
        first, second = draw_pairs(labels[easy], settings.per_easy, np.random.default_rng(seed))
        features = embeddings[easy].astype(np.float32)
        anchors = _anchors(features, labels[easy], first, second, settings, head, seed)
        unit = normalize(embeddings[hard].astype(np.float64))
        to_hard = 1 - nearest(unit, 1, anchors).cosine_distance[:, 0]
        tau = np.quantile(to_hard, settings.quantile)
        near = to_hard >= tau
        voters = nearest(anchors[near], settings.neighbours, unit)
        votes = labels[easy][first][near][voters.index]
        found = count_votes(1 - voters.cosine_distance, votes, tau, num_classes, settings.least_valid)
        shares[hard], winner[hard], valid[hard] = found
    decided = (valid >= settings.least_valid) & (shares.max(axis=1) >= settings.least_share)
    return Votes(np.where(decided, winner, labels), shares, valid, decided)


def draw_pairs(labels: np.ndarray, per_row: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Each row `per_row` times, and beside it a row of another class drawn evenly among these: int64 (n * per_row,).

    labels: int64 (n,), of two classes at least.
    """
    first = np.repeat(np.arange(len(labels)), per_row)
    second = np.empty(len(first), np.int64)
    for label in np.unique(labels):
        own = labels[first] == label
        second[own] = rng.choice(np.flatnonzero(labels != label), own.sum())
    return first, second


def linear_anchors(unit: np.ndarray, first: np.ndarray, second: np.ndarray, lambda_p: float) -> np.ndarray:
    """lambda_p z_i + (1 - lambda_p) z_j, scaled to length 1, float64 (m, d); unit: (n, d), of length 1."""
    return normalize(lambda_p * unit[first] + (1 - lambda_p) * unit[second])


def count_votes(
    cosine: np.ndarray, votes: np.ndarray, tau: float, num_classes: int, least_valid: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares of the votes on each row, float64 (m, C); the class of most, and how many vote, int64 (m,) each.

    cosine: float (m, K), to the anchors nearest to each row; votes: int64 (m, K), their classes. An anchor votes where
    it is as near as tau; shares are 0 where fewer than `least_valid` do. Of classes with equally many votes the one of
    the larger summed cosine is named.
    """
    counts = cosine >= tau - ROUNDING
    valid = counts.sum(axis=1)
    each = np.eye(num_classes)[votes] * counts[:, :, None]
    found = each.sum(axis=1)
    likeness = (each * np.clip(cosine, 0, 1)[:, :, None]).sum(axis=1)  # no more than K: it only breaks ties
    winner = (found + likeness / (cosine.shape[1] + 1)).argmax(axis=1)
    found[valid < least_valid] = 0.0
    return found / np.maximum(found.sum(axis=1, keepdims=True), 1.0), winner, valid


def _anchors(
    features: np.ndarray,
    labels: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    settings: AnchorSettings,
    head: Head | None,
    seed: int,
) -> np.ndarray:
    if not settings.learned:
        return linear_anchors(normalize(features.astype(np.float64)), first, second, settings.lambda_p)
    loss = {"lambda_p": settings.lambda_p, "beta": settings.beta}
    model = fit_hallucinator(features, labels, first, second, head, **loss, seed=seed)
    return normalize(hallucinate(model, features, first, second).astype(np.float64))
