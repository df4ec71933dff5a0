"""Mahalanobis distances by hand on the plane, and against scikit-learn's covariances and OpenOOD's definitions."""

import numpy as np
import pytest
from one_fold import clouds, one_fold, value
from sklearn.covariance import EmpiricalCovariance, LedoitWolf

from anomaly_mlflow.signals.covariance import whitening

# Residuals (+-1, 0) and (0, +-2) around m_0 = (0, 0) and m_1 = (10, 0): S = diag(1/2, 2), D_c = 2 dx^2 + dy^2 / 2;
# references are at D = 2 of their own class, which is the nearest.
CROSS = np.array([[1, 0], [-1, 0], [0, 2], [0, -2]])
REFERENCES, KNOWN = np.concatenate([CROSS, CROSS + np.array([10, 0])]), [0] * 4 + [1] * 4


def test_by_hand_on_the_plane():
    evidence = one_fold([[3, 4], [10, 2], [10, 2]], [0, 1, 0], REFERENCES, KNOWN, 2)
    np.testing.assert_allclose(value("mahalanobis", evidence), [26 / 2, 2 / 2, 2 / 2], rtol=1e-6)
    np.testing.assert_allclose(value("label_mahalanobis", evidence), [26 / 2, 2 / 2, 202 / 2], rtol=1e-6)
    # all references: mean (5, 0), variances 25 + 1/2 and 2: D_0 = dx^2 / 25.5 + dy^2 / 2
    background = np.array([4 / 25.5 + 16 / 2, 25 / 25.5 + 2, 25 / 25.5 + 2])
    np.testing.assert_allclose(value("relative_mahalanobis", evidence), ([26, 2, 2] - background) / 2, rtol=1e-6)


def test_a_class_without_references_is_as_far_as_the_farthest_one_and_never_the_nearest():
    evidence = one_fold([[3, 4], [8, 0]], [2, 2], REFERENCES, KNOWN, 3)
    np.testing.assert_allclose(value("label_mahalanobis", evidence), [(98 + 8) / 2, 128 / 2], rtol=1e-6)
    np.testing.assert_allclose(value("mahalanobis", evidence), [26 / 2, 8 / 2], rtol=1e-6)


def test_agrees_with_the_definitions_of_openood():
    judged, labels, references, known = clouds(1, 40, 300)
    means = np.stack([references[known == c].mean(axis=0) for c in range(3)])
    within = EmpiricalCovariance().fit(references - means[known]).precision_
    whole = EmpiricalCovariance().fit(references)

    def distance(rows):
        away = rows[:, None] - means
        return np.einsum("ncd,de,nce->nc", away, within, away)

    near = np.median(distance(references).min(axis=1))
    evidence = one_fold(judged, labels, references, known, 3)
    np.testing.assert_allclose(value("mahalanobis", evidence), distance(judged).min(axis=1) / near, rtol=1e-4)
    relative = (distance(judged) - whole.mahalanobis(judged)[:, None]).min(axis=1) / near
    np.testing.assert_allclose(value("relative_mahalanobis", evidence), relative, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rows", [8, 200])
def test_a_covariance_that_is_singular_but_for_rounding_is_shrunk_as_by_ledoit_and_wolf(rows):
    residuals = np.random.default_rng(0).normal(size=(rows, 20))
    residuals[:, 0] = residuals[:, 1] + 1e-6 * residuals[:, 0]
    expected = LedoitWolf(assume_centered=True).fit(residuals).mahalanobis(residuals)
    found = ((residuals @ whitening(residuals)) ** 2).sum(axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_unit_that_never_fires_in_references_makes_a_row_strange_where_it_does():
    judged, labels, references, known = clouds(2, 30, 200)
    dead = np.zeros((200, 1))
    fires = np.where(np.arange(30) % 2, 5.0, 0.0)[:, None]
    evidence = one_fold(np.hstack([judged, fires]), labels, np.hstack([references, dead]), known, 3)
    strange = value("mahalanobis", evidence)
    assert strange[1::2].min() > strange[::2].max()
