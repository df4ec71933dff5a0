"""Signals of the noisy model's own embedding: by hand, and by the steps of the papers' code one row at a time."""

import numpy as np
import pytest
from one_fold import circle, clouds, value
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import normalize

from anomaly_mlflow.signals import Evidence, find


def embedded(embeddings, labels, num_classes, **more):
    embeddings = np.asarray(embeddings, np.float32)
    return Evidence(np.arange(len(labels)), np.asarray(labels), num_classes, embeddings=embeddings, **more)


def simifeat(embeddings, labels, k=10):
    """Votes as in SimiFeat's code: the whole cosine distance matrix, the row itself first at 2 d_1 - d_2."""
    unit = normalize(embeddings.astype(float))
    distance = 1 - unit @ unit.T
    votes = np.zeros((len(labels), 3))
    for row, others in enumerate(distance):
        others[row] = -1
        order = np.argsort(others)[:k]
        values = others[order]
        values[0] = 2 * values[1] - values[2]
        np.add.at(votes[row], labels[order], 1 - values)
    return votes


def test_votes_follow_the_code_of_simifeat():
    embeddings, labels, *_ = clouds(1, 80, 3)
    labels = np.where(np.arange(80) % 7, labels, (labels + 1) % 3)
    votes, rows = simifeat(embeddings, labels), np.arange(80)
    evidence = embedded(embeddings, labels, 3)
    rank = -np.log(votes[rows, labels] / np.linalg.norm(votes, axis=1) + 1e-8)
    np.testing.assert_allclose(value("neighbour_rank", evidence), rank, rtol=1e-5, atol=1e-6)
    flagged = votes.argmax(axis=1) != labels
    assert 0 < flagged.sum() < 80
    np.testing.assert_array_equal(value("neighbour_vote", evidence) > 0, flagged)


def test_a_vote_of_three_rows_by_hand():
    # 0, 60, 60 degrees: of the first d_1 = d_2 = 1/2, its own weight 1/2; labels 0, 1, 1: votes 1/2 and 1
    evidence = embedded(circle(0, 60, 60), [0, 1, 1], 2)
    vote, rank = value("neighbour_vote", evidence), value("neighbour_rank", evidence)
    assert vote[0] == pytest.approx((1 - 0.5) / 1.5) and rank[0] == pytest.approx(-np.log(0.5 / 1.25**0.5), rel=1e-6)
    # of the others d_1 = 0, d_2 = 1/2: own weight 1 + 1/2, and 1 for the twin; 1/2 for label 0
    assert vote[1] == pytest.approx((0.5 - 2.5) / 3)


def test_fine_alignment_by_hand_and_by_singular_value_decomposition():
    # class 0: (3, 0) twice and (0, 1), first singular vector (1, 0); class 1: one row is its own direction
    evidence = embedded([[3, 0], [3, 0], [0, 1], [-2, 2]], [0, 0, 0, 1], 2)
    np.testing.assert_allclose(value("fine_alignment", evidence), [0, 0, 1, 0], atol=1e-6)
    embeddings, labels, *_ = clouds(2, 60, 3)
    first = [np.linalg.svd(embeddings[labels == c].astype(float))[2][0] for c in range(3)]
    unit = normalize(embeddings.astype(float))
    expected = [1 - abs(first[c] @ z) for z, c in zip(unit, labels, strict=True)]
    np.testing.assert_allclose(value("fine_alignment", embedded(embeddings, labels, 3)), expected, atol=1e-6)


def test_prediction_depth_is_the_layer_from_which_all_probes_agree():
    # 62 rows, two classes of 31; a layer that `shows` puts a row among its own class, else among the other one
    labels, rng = np.repeat([0, 1], 31), np.random.default_rng(0)
    shows = np.ones((4, 62), bool)
    shows[:, 0] = [0, 0, 1, 1]
    shows[:, 1] = [1, 0, 1, 1]
    shows[:, 2] = [1, 1, 1, 0]
    shows[:, 3] = [0, 0, 0, 0]
    layers = [circle(*(np.where(labels == seen, 0, 90) + rng.normal(size=62))).astype(np.float32) for seen in shows]
    logits = np.eye(2)[labels].astype(np.float32)
    depth = value("prediction_depth", embedded(layers[-1], labels, 2, layers=layers, logits=logits))
    np.testing.assert_array_equal(depth[:5], [2, 2, 4, 4, 0])


def test_probes_agree_with_scikit_learns_classifier():
    layers = [clouds(seed, 90, 3)[0] for seed in (3, 4)]
    labels = clouds(4, 90, 3)[1]
    logits = np.random.default_rng(0).normal(size=(90, 3)).astype(np.float32)
    agrees = np.empty((2, 90), bool)
    for layer, z in enumerate(layers):
        unit = normalize(z.astype(float))
        for row in range(90):
            others = np.arange(90) != row
            probe = KNeighborsClassifier(30).fit(unit[others], labels[others])
            agrees[layer, row] = probe.predict(unit[[row]])[0] == logits[row].argmax()
    expected = np.select([agrees.all(axis=0), agrees[1]], [0, 1], 2)
    evidence = embedded(layers[-1], labels, 3, layers=layers, logits=logits)
    assert set(expected) == {0, 1, 2}
    np.testing.assert_array_equal(value("prediction_depth", evidence), expected)


def textures(n, side=16, channels=3):
    rng = np.random.default_rng(0)
    rough = rng.integers(30, 220, (n, side // 4, side // 4, channels))
    return np.clip(np.kron(rough, np.ones((1, 4, 4, 1))) + rng.normal(0, 9, (n, side, side, channels)), 0, 255)


@pytest.mark.parametrize("channels", [1, 3])
def test_near_duplicates_are_told_by_pixels_where_the_embedding_cannot(channels):
    # all embeddings of a class coincide but for rounding: only 10 neighbours each are looked at, so 11 rows a class
    images = textures(33, channels=channels)
    images[1], images[12] = 0.9 * images[0] + 7, np.roll(images[11], 1, axis=1)
    images[23] = images[22]
    labels = np.repeat([0, 1, 2], 11)
    embeddings = np.eye(3)[labels] + 1e-3 * np.random.default_rng(1).normal(size=(33, 3))
    found = value("near_duplicate", embedded(embeddings, labels, 3, images=np.round(images).astype(np.uint8)))
    planted = np.isin(np.arange(33), [0, 1, 11, 12, 22, 23])
    assert found[planted].min() > 1.2 * found[~planted].max()
    np.testing.assert_allclose(found[[22, 23]], 1)


def test_near_duplicate_scores_by_hand():
    # on 2 x 2 pixels the thumbnail is the image: two copies, the other three at sqrt(2) of the nearest; median sqrt(2)
    squares = np.array([[1, 0, 0, 1], [1, 0, 0, 1], [1, 1, 0, 0], [0, 1, 0, 1], [1, 0, 1, 0]]) * 200
    images = squares.reshape(5, 2, 2, 1).astype(np.uint8)
    found = value("near_duplicate", embedded(circle(*range(5)), [0] * 5, 1, images=images))
    np.testing.assert_allclose(found, [1, 1, np.exp(-1), np.exp(-1), np.exp(-1)], rtol=1e-6)


REPRESENTATION = ("fine_alignment", "neighbour_vote", "neighbour_rank", "prediction_depth", "near_duplicate")


@pytest.mark.parametrize("name", REPRESENTATION)
@pytest.mark.parametrize("rows", [1, 2, 40])
@pytest.mark.parametrize("fill", [0, 1])
def test_is_finite_for_few_rows_and_for_rows_that_coincide(name, rows, fill):
    z = np.full((rows, 3), fill, np.float32)
    images, logits = np.full((rows, 2, 2, 1), fill, np.uint8), np.zeros((rows, 4), np.float32)
    evidence = embedded(z, np.arange(rows) % 2, 4, layers=[z, z], logits=logits, images=images)
    assert np.isfinite(find(name)(evidence)).all()
