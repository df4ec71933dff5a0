"""Noisy, partial and missing labels of a simulated world, in one model."""

import numpy as np
import pytest

from anomaly_mlflow.cleaning.base import find_cleaner
from anomaly_mlflow.cleaning.imprecise_labels import MISSING, fit_imprecise
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.signals.evidence import Evidence

CLASSES, D = 4, 8
TRANSITION = np.array([[0.7, 0.3, 0, 0], [0.05, 0.9, 0.05, 0], [0.1, 0.1, 0.6, 0.2], [0.0, 0.0, 0.25, 0.75]])


def made(n, seed=0, apart=3.0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, CLASSES, n)
    embeddings = rng.normal(size=(n, D)) + apart * np.eye(CLASSES, D)[truth]
    given = (rng.random((n, 1)) > TRANSITION.cumsum(axis=1)[truth]).sum(axis=1)
    return embeddings, truth, given, rng


@pytest.fixture(scope="module")
def mixed():
    """Of 3,000 rows a sixth have two candidates instead of a label, and a sixth nothing."""
    embeddings, truth, given, rng = made(3000)
    partial, missing = np.arange(3000) % 6 == 0, np.arange(3000) % 6 == 1
    given[partial | missing] = MISSING
    candidates = np.ones((3000, CLASSES), bool)
    other = (truth + rng.integers(1, CLASSES, 3000)) % CLASSES
    candidates[partial] = (np.eye(CLASSES, dtype=bool)[truth] | np.eye(CLASSES, dtype=bool)[other])[partial]
    found = fit_imprecise(embeddings, given, CLASSES, candidates=candidates, seed=0)
    return found, truth, {"partial": partial, "missing": missing, "noisy": given != MISSING}, candidates


def test_the_transition_is_recovered(mixed):
    assert np.abs(mixed[0].transition - TRANSITION).max() < 0.05


@pytest.mark.parametrize(("kind", "least"), [("partial", 0.97), ("missing", 0.92), ("noisy", 0.93)])
def test_rows_get_the_right_class_whatever_is_known_of_them(mixed, kind, least):
    found, truth, kinds, _ = mixed
    assert (found.posterior.argmax(axis=1) == truth)[kinds[kind]].mean() > least


def test_a_posterior_sums_to_1_and_keeps_to_the_candidates(mixed):
    found, _, _, candidates = mixed
    np.testing.assert_allclose(found.posterior.sum(axis=1), 1)
    np.testing.assert_allclose(found.transition.sum(axis=1), 1)
    assert (found.posterior[~candidates] == 0).all()


def test_a_row_does_not_judge_itself():
    embeddings, _, given, rng = made(240, seed=1, apart=1.5)
    embeddings = np.c_[embeddings, rng.normal(size=(240, 50))]  # enough dimensions to learn a row by heart
    other = given.copy()
    other[7] = (given[7] + 1) % CLASSES
    of_image = [_without_given(fit_imprecise(embeddings, each, CLASSES, seed=0), each)[7] for each in (given, other)]
    np.testing.assert_allclose(*of_image, atol=0.03)


def _without_given(found, given):
    p = found.posterior / found.transition.T[given]
    return p / p.sum(axis=1, keepdims=True)


def test_the_cleaner_repairs_wrong_labels_and_is_reproducible():
    embeddings, truth, given, _ = made(1200, seed=2)
    evidence = Evidence(np.arange(1200), given, CLASSES, embeddings=embeddings.astype(np.float32))
    cleaned, again = (find_cleaner("imprecise_labels")(evidence, seed=3) for _ in range(2))
    wrong = given != truth
    assert (cleaned.labels == truth)[wrong].mean() > 0.85 and cleaned.kept[~wrong].mean() > 0.95
    assert np.array_equal(cleaned.kept, cleaned.labels == given)
    assert np.array_equal(cleaned.trust, again.trust)


def test_what_cannot_be_learnt_from_is_refused():
    embeddings, missing = np.random.default_rng(0).normal(size=(30, 3)), np.full(30, MISSING)
    with pytest.raises(BadData, match="neither a given label nor"):
        fit_imprecise(embeddings, missing, CLASSES, seed=0)
    nothing = np.ones((30, CLASSES), bool)
    nothing[4] = False
    with pytest.raises(BadData, match="without any candidate"):
        fit_imprecise(embeddings, missing, CLASSES, candidates=nothing, seed=0)
