"""Distances and neighbours worked out by hand on the circle, and agreement with scikit-learn."""

import numpy as np
import pytest
from one_fold import circle, clouds, one_fold, value
from sklearn.metrics.pairwise import cosine_distances
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.preprocessing import normalize

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.signals import SIGNALS, CrossFit, Evidence


def test_knn_distance_of_ten_neighbours_on_a_line_through_the_centre():
    # 10 references at 0 and 2 at 180 degrees: leave-one-out means 0.2 (ten times) and 1.8 (twice), median 0.2
    evidence = one_fold(circle(0, 90, 180), [0, 0, 0], circle(*[0] * 10, 180, 180), [0] * 12, 2)
    np.testing.assert_allclose(value("knn_distance", evidence), [0, 1 / 0.2, 1.6 / 0.2], rtol=1e-6, atol=1e-6)


def test_knn_distance_with_four_references_on_a_circle_uses_all_of_them():
    evidence = one_fold(circle(0, 45), [0, 0], circle(0, 90, 180, 270), [0, 1, 2, 3], 4)
    np.testing.assert_allclose(value("knn_distance", evidence), [0.75, 0.75], rtol=1e-6)


def test_knn_disagreement_weights_each_neighbour_by_its_cosine():
    # five neighbours of label 0 at 0 degrees (weight 1), five of label 1 at 60 degrees (weight 1/2)
    evidence = one_fold(circle(0, 0, 30, 0), [0, 1, 0, 2], circle(*[0] * 5, *[60] * 5), [0] * 5 + [1] * 5, 3)
    np.testing.assert_allclose(value("knn_disagreement", evidence), [1 / 3, 2 / 3, 1 / 2, 1], rtol=1e-6)


def test_nearest_neighbours_agree_with_a_direct_cosine_search():
    rng = np.random.default_rng(2)
    judged, references = rng.normal(size=(40, 8)), rng.normal(size=(90, 8))
    labels, known = rng.integers(0, 3, 40), rng.integers(0, 3, 90)
    evidence = one_fold(judged, labels, references, known, 3)
    search = NearestNeighbors(n_neighbors=10, metric="cosine").fit(references)
    distance, index = search.kneighbors(judged)
    spread = np.median(search.kneighbors()[0].mean(axis=1))
    np.testing.assert_allclose(value("knn_distance", evidence), distance.mean(axis=1) / spread, rtol=1e-5)
    votes = ((1 - distance) * (known[index] == labels[:, None])).sum(axis=1) / (1 - distance).sum(axis=1)
    np.testing.assert_allclose(value("knn_disagreement", evidence), 1 - votes, rtol=1e-5, atol=1e-6)


def test_prototype_numbers_on_the_plane():
    # mu_0 at 45 degrees, mu_1 at 180, class 2 has no reference: d = 1 - 1/sqrt(2), 2, 2; reference median d_0
    near = 1 - 0.5**0.5
    evidence = one_fold(circle(0, 0, 0, 180), [0, 1, 2, 1], circle(0, 90, 180), [0, 0, 1], 3)
    np.testing.assert_allclose(value("prototype_distance", evidence), [1, 2 / near, 2 / near, 0], rtol=1e-6, atol=1e-6)
    ratio = value("prototype_ratio", evidence)
    np.testing.assert_allclose(ratio[:3], [np.log(near / 2), np.log(2 / near), np.log(2 / near)], rtol=1e-6)
    assert ratio[3] < -10


def test_prototypes_agree_with_cosine_distances_of_scikit_learn_in_every_fold():
    rng = np.random.default_rng(3)
    z, labels, rows = rng.normal(size=(60, 5)).astype(np.float32), rng.integers(0, 3, 60), np.arange(60)
    folds, expected = [], np.empty(60)
    for fold in range(2):
        judged, known = rows[rows % 2 == fold], rows[rows % 2 != fold]
        folds.append(CrossFit(judged, z[judged], judged, z[known], labels[known], known))
        centres = np.stack([normalize(z[known])[labels[known] == c].mean(axis=0) for c in range(3)])
        distance = cosine_distances(z, centres)[rows, labels]
        expected[judged] = distance[judged] / np.median(distance[known])
    evidence = Evidence(rows, labels, 3, references=folds)
    np.testing.assert_allclose(value("prototype_distance", evidence), expected, rtol=1e-5)


@pytest.mark.parametrize("r", [200, 30, 21, 12, 2])
def test_local_outlier_factor_agrees_with_scikit_learn(r):
    judged, labels, references, known = clouds(5, 50, r)
    searched = LocalOutlierFactor(n_neighbors=min(20, r - 1), novelty=True).fit(normalize(references.astype(float)))
    expected = -searched.score_samples(normalize(judged.astype(float)))
    np.testing.assert_allclose(value("local_outlier_factor", one_fold(judged, labels, references, known, 3)), expected)


GEOMETRY = [name for name, signal in SIGNALS.items() if signal.family == "geometry"]
OF_DIRECTION = [name for name in GEOMETRY if "mahalanobis" not in name]


@pytest.mark.parametrize("name", OF_DIRECTION)
def test_geometry_does_not_depend_on_the_length_of_embeddings(name):
    rng = np.random.default_rng(4)
    judged, references, known = rng.normal(size=(9, 4)), rng.normal(size=(30, 4)), rng.integers(0, 3, 30)
    short = one_fold(judged, [0, 1, 2] * 3, references, known, 3)
    long = one_fold(judged * rng.uniform(1, 50, (9, 1)), [0, 1, 2] * 3, references * 7, known, 3)
    np.testing.assert_allclose(value(name, long), value(name, short), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", GEOMETRY)
@pytest.mark.parametrize(
    "references",
    [circle(20), np.zeros((3, 2)), np.ones((12, 2)), circle(20, 20, 90), circle(*range(40))],
    ids=["one", "zero", "equal", "few", "one class"],
)
def test_geometry_is_finite_for_degenerate_references(name, references):
    evidence = one_fold([[1, 0], [0, 0], [1, 1]], [0, 1, 0], references, [0] * len(references), 2)
    assert np.isfinite(value(name, evidence)).all()


@pytest.mark.parametrize("name", GEOMETRY)
def test_a_fold_without_references_is_refused(name):
    with pytest.raises(BadData, match="no reference rows"):
        value(name, one_fold([[1, 0]], [0], np.zeros((0, 2)), [], 2))
