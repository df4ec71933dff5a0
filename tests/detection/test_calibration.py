import numpy as np
import pytest

from anomaly_mlflow.detection.calibration import classwise_error_of, fit_pool, reliability, top_label_error_of

ONE = np.ones((1, 3000))


def drawn(seed=0, n=3000):
    """Probabilities and classes drawn from them: calibrated by construction."""
    generator = np.random.default_rng(seed)
    p = generator.dirichlet([1.0, 0.6, 0.3], n)
    return p, (p.cumsum(axis=1) < generator.random((n, 1))).sum(axis=1)


def test_the_error_of_two_bins_is_that_computed_by_hand():
    p = np.repeat([[0.6, 0.4], [0.9, 0.1]], [10, 10], axis=0)[None]
    codes = np.array([0] * 5 + [1] * 5 + [0] * 8 + [1] * 2)
    assert top_label_error_of(p, codes)(np.ones((1, 20))) == pytest.approx((0.1 + 0.1) / 2)
    assert classwise_error_of(p, codes)(np.ones((1, 20))) == pytest.approx((0.1 + 0.1) / 2)


def test_weights_count_rows_as_often_as_copies_would():
    p, codes = drawn(n=40)
    weights = np.random.default_rng(1).integers(1, 4, 40)
    p = np.round(p, 1) / np.round(p, 1).sum(axis=1, keepdims=True)
    table = reliability(p.max(axis=1), p.argmax(axis=1) == codes)
    plain = (table["n"] * (table["right"] - table["probability"]).abs()).sum() / 40
    assert top_label_error_of(p[None], codes)(np.ones((1, 40))) == pytest.approx(plain)
    assert top_label_error_of(p[None], codes)(2 * np.ones((1, 40))) == pytest.approx(plain)
    assert top_label_error_of(p[None], codes)(weights[None]) != pytest.approx(plain)


def test_true_probabilities_have_a_small_error_and_sharpened_ones_a_large_one():
    p, codes = drawn()
    sharp = p**3 / (p**3).sum(axis=1, keepdims=True)
    assert top_label_error_of(p[None], codes)(ONE) < 0.045
    assert top_label_error_of(sharp[None], codes)(ONE) > 0.08
    assert classwise_error_of(sharp[None], codes)(ONE) > 2 * classwise_error_of(p[None], codes)(ONE)


def test_the_pool_undoes_sharpening_and_class_weights():
    p, codes = drawn()
    spoilt = p**3 * [1.0, 5.0, 20.0]
    spoilt /= spoilt.sum(axis=1, keepdims=True)
    members = np.log(spoilt)[None]
    pool = fit_pool(members, codes)
    assert pool.weights == pytest.approx([1 / 3], rel=0.1)
    assert np.abs(pool.probabilities(members) - p).mean() < 0.02


def test_the_pool_drops_a_member_that_knows_nothing():
    p, codes = drawn()
    noise = np.log(np.random.default_rng(5).dirichlet([1, 1, 1], len(p)))
    pool = fit_pool(np.stack([np.log(p), noise]), codes)
    assert pool.weights[0] == pytest.approx(1, abs=0.1) and pool.weights[1] < 0.05
