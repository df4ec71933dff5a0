"""A network that has put what it learnt by heart into directions of small variance."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from anomaly_mlflow.cleaning.base import find_cleaner
from anomaly_mlflow.cleaning.spectral_truncation import chosen_dimension, truncated_logits
from anomaly_mlflow.signals.evidence import Evidence, Head

N, CLASSES, D = 900, 4, 24


@pytest.fixture(scope="module")
def memorised():
    """Class in the first directions, given label in the last; a head that reads both and predicts what is given."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, CLASSES, N)
    given = np.where(rng.random(N) < 0.3, (truth + rng.integers(1, CLASSES, N)) % CLASSES, truth)
    embeddings = 0.05 * rng.normal(size=(N, D))
    embeddings[:, :CLASSES] += 4 * np.eye(CLASSES)[truth] + 0.8 * rng.normal(size=(N, CLASSES))
    embeddings[:, -CLASSES:] += 0.2 * np.eye(CLASSES)[given]
    weight = np.zeros((CLASSES, D))
    weight[:, :CLASSES], weight[:, -CLASSES:] = np.eye(CLASSES), 40 * np.eye(CLASSES)
    held_out = 3 * np.eye(CLASSES)[truth] + rng.normal(size=(N, CLASSES))
    turn = np.linalg.qr(rng.normal(size=(D, D)))[0]
    head = Head((weight @ turn).astype(np.float32), np.zeros(CLASSES, np.float32))
    evidence = Evidence(
        np.arange(N),
        given,
        CLASSES,
        embeddings=(embeddings @ turn).astype(np.float32),
        head=head,
        out_of_fold=held_out.astype(np.float32),
    )
    return evidence, truth


def test_the_whole_head_predicts_what_is_given_and_the_truncated_one_the_truth(memorised):
    evidence, truth = memorised
    whole = next(iter(truncated_logits(evidence.embeddings, evidence.head, [D])))
    assert np.allclose(whole, evidence.embeddings @ evidence.head.weight.T, atol=1e-3)
    assert (whole.argmax(axis=1) == evidence.labels).mean() > 0.97
    cleaned = find_cleaner("spectral_truncation")(evidence)
    assert (cleaned.labels == truth).mean() > 0.95
    assert roc_auc_score(truth != evidence.labels, 1 - cleaned.trust) > 0.95
    assert np.array_equal(cleaned.kept, cleaned.labels == evidence.labels)


def test_the_dimension_lies_between_the_classes_and_the_tail(memorised):
    evidence, _ = memorised
    sizes = range(1, D + 1)
    logits = truncated_logits(evidence.embeddings, evidence.head, sizes)
    assert CLASSES - 1 <= chosen_dimension(logits, sizes, evidence.out_of_fold.argmax(axis=1)) < D - CLASSES


def test_the_smallest_dimension_within_a_standard_error_is_chosen():
    held_out = np.zeros(100, int)
    right = [50, 93, 96, 95]  # the best is 0.96 with a standard error of 0.0196: 0.93 is beyond, 0.95 within
    logits = [np.where(np.arange(100)[:, None] < count, [1.0, 0.0], [0.0, 1.0]) for count in right]
    assert chosen_dimension(logits, [1, 2, 3, 4], held_out) == 3
    assert chosen_dimension([logits[0], logits[3], logits[2]], [1, 2, 3], held_out) == 2
