"""Formulas of the theory by hand, by simulation and by numerical integration."""

import numpy as np
import pytest
from scipy.stats import norm, spearmanr
from sklearn.preprocessing import normalize

from anomaly_mlflow.detection.measures import auroc
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.studies.theory.bayes_entropy import bayes_entropy, calibrated, noisy_posterior, transition
from anomaly_mlflow.studies.theory.distance import (
    DistanceMoments,
    distance_moments,
    gamma_auroc,
    gaussian_auroc,
    prototypes_of,
)
from anomaly_mlflow.studies.theory.gradient_flow import Flow
from anomaly_mlflow.studies.theory.rank_correlation import correlation_interval, spearman_of
from anomaly_mlflow.studies.theory.rates import coincidence
from anomaly_mlflow.studies.theory.trajectories import LONGEST, epoch_times

DRAWS = 1_000_000


def two_classes(mean, variance):
    """Own distances of class 1 first: [a, b] = row of class a to the prototype of b."""
    return DistanceMoments(np.array(mean, float), np.array(variance, float))


def test_distances_one_deviation_apart_give_the_normal_distribution_at_one():
    found = gaussian_auroc(two_classes([[0.2, 1.7], [1.2, 0.5]], [[0.5, 0.36], [0.5, 0.28]]))
    assert found[1, 0] == pytest.approx(norm.cdf(1.0))  # (1.2 - 0.2) / sqrt(0.5 + 0.5)
    assert found[0, 1] == pytest.approx(norm.cdf(1.2 / 0.8))  # (1.7 - 0.5) / sqrt(0.36 + 0.28)
    assert np.isnan(np.diag(found)).all()


def test_the_gaussian_form_is_what_a_million_draws_of_the_embeddings_give():
    rng = np.random.default_rng(0)
    prototype = normalize(rng.normal(size=(1, 4)))
    means, roots = rng.normal(size=(2, 4)) / 3, rng.normal(size=(2, 4, 4)) / 3
    level = 1 - means @ prototype[0]
    spread = [float(prototype[0] @ root @ root.T @ prototype[0]) for root in roots]
    drawn = [
        1 - (mean + rng.normal(size=(DRAWS, 4)) @ root.T) @ prototype[0]
        for mean, root in zip(means, roots, strict=True)
    ]
    moments = two_classes([[level[1], 0], [level[0], 1]], [[spread[1], 1], [spread[0], 1]])
    assert gaussian_auroc(moments)[1, 0] == pytest.approx((drawn[0] > drawn[1]).mean(), abs=0.002)


def test_the_gamma_form_is_what_a_million_draws_of_gammas_give():
    rng = np.random.default_rng(1)
    far, near = rng.gamma(3.0, 0.2, DRAWS), rng.gamma(1.5, 0.3, DRAWS)
    found = gamma_auroc(two_classes([[0.45, 1], [0.6, 1]], [[0.135, 1], [0.12, 1]]))
    assert found[1, 0] == pytest.approx((far > near).mean(), abs=0.002)


def test_equal_exponential_distances_are_a_coin_toss_and_twice_the_mean_gives_two_thirds():
    assert gamma_auroc(two_classes([[1, 1], [1, 1]], [[1, 1], [1, 1]]))[1, 0] == pytest.approx(0.5)
    assert gamma_auroc(two_classes([[1, 1], [2, 1]], [[1, 1], [4, 1]]))[1, 0] == pytest.approx(2 / 3)


def test_moments_from_mean_and_covariance_are_those_of_the_distances_themselves():
    rng = np.random.default_rng(2)
    unit, labels = normalize(rng.normal(size=(40, 5))), np.arange(40) % 3
    prototypes = prototypes_of(unit, labels, 4)
    found = distance_moments(unit, labels, prototypes)
    distance = 1 - unit[labels == 1] @ prototypes[2]
    assert (found.mean[1, 2], found.variance[1, 2]) == pytest.approx((distance.mean(), distance.var(ddof=1)))
    assert np.isnan(prototypes[3]).all() and np.isnan(found.mean[3]).all() and np.isnan(found.mean[0, 3])


def test_near_misses_and_hard_images_coincide_where_noise_rate_equals_ambiguity():
    sure, unsure = np.array([[1.0, 0.0]] * 8), np.array([[0.8, 0.2]] * 8)
    near = np.repeat([True, False], 8)
    posterior = np.concatenate([sure, unsure])
    found = []
    for rate in (0.1, 0.2, 0.3):
        rates = np.array([[1 - rate, rate], [rate, 1 - rate]])
        found.append(auroc(bayes_entropy(posterior, rates, spared=~near), near))
        # Noise that spares nobody keeps the unsure images above: their rate becomes .2 + .6 rate.
        assert auroc(bayes_entropy(posterior, rates), near) == 0
    assert found == [0, 0.5, 1]


def test_the_noisy_posterior_of_two_classes_by_hand():
    rates = np.array([[0.9, 0.1], [0.3, 0.7]])
    np.testing.assert_allclose(noisy_posterior(np.array([[0.8, 0.2]]), rates), [[0.78, 0.22]])
    entropy = -(0.78 * np.log(0.78) + 0.22 * np.log(0.22))
    assert bayes_entropy(np.array([[0.8, 0.2]]), rates) == pytest.approx([entropy])


def test_rates_of_labels_are_counted_by_true_class():
    found = transition(np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 1, 0]), 2)
    np.testing.assert_allclose(found, [[0.75, 0.25], [0.5, 0.5]])
    with pytest.raises(BadData, match="class 2 has no rows"):
        transition(np.array([0, 1]), np.array([0, 1]), 3)


def test_the_temperature_makes_confidence_the_accuracy():
    logits = np.tile([2.0, 0.0], (400, 1))
    temperature, posterior = calibrated(logits, (np.arange(400) % 4 == 0).astype(int))
    assert temperature == pytest.approx(2 / np.log(3), rel=1e-4)
    assert posterior[0] == pytest.approx([0.75, 0.25], abs=1e-4)


def test_the_rate_of_coincidence_is_interpolated():
    assert coincidence([0.3, 0.1, 0.2], [0.7, 0.4, 0.6]) == pytest.approx(0.15)
    assert np.isnan(coincidence([0.1, 0.2], [0.6, 0.7]))


def test_two_opposite_points_are_learnt_at_rate_one():
    # K = [[2, 0], [0, 2]], K / m = 1, hence |f - y|^2 = exp(-2t) / 2
    flow = Flow(np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([0, 1]), 2)
    np.testing.assert_allclose(flow.loss(0.7), np.exp(-1.4) / 2)
    assert flow.correct(0.7).all()


def test_two_labels_on_one_point_are_never_learnt():
    # y - 1/2 lies in the null space of K = 2 [[1, 1], [1, 1]]
    flow = Flow(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0, 1]), 2)
    np.testing.assert_allclose(flow.loss(1e6), 0.5)


def test_the_flow_is_gradient_descent_in_small_steps():
    rng = np.random.default_rng(3)
    unit, labels = normalize(rng.normal(size=(30, 4))), rng.integers(0, 3, 30)
    features = np.concatenate([unit, np.ones((30, 1))], axis=1)
    target, weight, step = np.eye(3)[labels], np.zeros((5, 3)), 1e-3
    for _ in range(8000):
        weight -= step * features.T @ (1 / 3 + features @ weight - target) / 30
    flow = Flow(unit, labels, 3)
    np.testing.assert_allclose(flow.output(8.0), 1 / 3 + features @ weight, atol=5e-4)
    assert flow.total_loss(8.0) == pytest.approx(flow.loss(8.0).sum())


def test_flow_times_are_those_at_which_the_mean_loss_was_taken():
    rng = np.random.default_rng(4)
    flows = [Flow(normalize(rng.normal(size=(n, 4))), rng.integers(0, 3, n), 3) for n in (20, 50)]
    mean = np.array([sum(flow.loss(time).sum() for flow in flows) / 70 for time in (0.5, 3.0)])
    np.testing.assert_allclose(epoch_times(flows, mean), [0.5, 3.0], rtol=1e-6)
    np.testing.assert_array_equal(epoch_times(flows, np.array([0.9, 0.0])), [0.0, LONGEST])


def test_weighted_rank_correlation_is_that_of_repeated_rows_with_ties():
    rng = np.random.default_rng(5)
    first, second = rng.integers(0, 6, 50).astype(float), rng.normal(size=50)
    weights = rng.integers(0, 4, (3, 50)).astype(float)
    again = [spearmanr(np.repeat(first, w.astype(int)), np.repeat(second, w.astype(int)))[0] for w in weights]
    np.testing.assert_allclose(spearman_of(first, second)(weights), again)


def test_the_interval_of_a_correlation_widens_with_the_groups():
    rng = np.random.default_rng(6)
    x = np.repeat(rng.normal(size=40), 5)
    y = x[None] + np.repeat(rng.normal(size=40), 5)
    alone, grouped = (correlation_interval(x, y, each, draws=500) for each in (np.arange(200), np.arange(200) // 5))
    assert alone.value == grouped.value == pytest.approx(spearmanr(x, y[0])[0])
    assert grouped.low < alone.low < alone.value < alone.high < grouped.high
    assert np.isnan(correlation_interval(x, y, np.arange(200) // 50, draws=100).low)
