"""Small loss and FINE: by hand, and against what the authors' codes compute."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture

from anomaly_mlflow.cleaning import find_cleaner
from anomaly_mlflow.cleaning.mixture import LEAST_ROWS, lower_posterior
from anomaly_mlflow.cleaning.small_loss import CONSTANTS, late_losses, small_loss_posterior
from anomaly_mlflow.signals import Evidence
from anomaly_mlflow.training.recording import Recording


def two_groups(seed=0, low=400, high=150):
    """Losses of right labels near 0, of wrong ones wide and high."""
    rng = np.random.default_rng(seed)
    return rng.permutation(np.append(rng.gamma(4, 0.05, low), rng.normal(2.5, 0.7, high).clip(0.3)))


def plain(values, seed=0, **constants):
    """As in DivideMix's code."""
    mixture = GaussianMixture(2, random_state=seed, **constants).fit(np.sort(values)[:, None])
    return mixture.predict_proba(values[:, None])[:, mixture.means_.argmin()], np.sort(mixture.means_[:, 0])


def test_the_posterior_by_hand():
    # min-max: 30 rows at 0 and 1/6, 10 at 5/6 and 1; means 1/12 and 11/12, variances 1/144 + 5e-4, weights 3 to 1
    losses = 2 + 3.6 * np.repeat([0, 1 / 6, 5 / 6, 1], [15, 15, 5, 5])
    odds = 3 * np.exp(-((3 / 4) ** 2 - (1 / 12) ** 2) / (2 * (1 / 144 + 5e-4)))  # at 5/6
    found = small_loss_posterior(losses, None)
    np.testing.assert_allclose(found[:30], 1, atol=1e-9)
    np.testing.assert_allclose(found[30:35], odds / (1 + odds), rtol=1e-6)


def test_between_the_means_the_posterior_is_that_of_dividemixs_code():
    losses = two_groups()
    scaled = (losses - losses.min()) / np.ptp(losses)
    expected, (lower, upper) = plain(scaled, **CONSTANTS)
    between = (scaled > lower) & (scaled < upper)
    np.testing.assert_allclose(small_loss_posterior(losses, None)[between], expected[between], atol=1e-9)
    assert between.sum() > 100 and np.ptp(expected[between]) > 0.99


def test_the_posterior_never_rises_with_the_loss_where_the_plain_one_turns_over():
    rng = np.random.default_rng(0)
    values = np.append(rng.normal(0.4, 0.02, 300), rng.normal(0.6, 0.2, 300))
    order = np.argsort(values)
    assert (np.diff(plain(values)[0][order]) > 0.01).any()
    assert (np.diff(lower_posterior(values)[order]) <= 1e-12).all()
    turned = 1 - values  # the lower Gaussian is the wide one
    assert (np.diff(lower_posterior(turned)[np.argsort(turned)]) <= 1e-12).all()


def test_the_posterior_hangs_neither_on_the_order_nor_on_the_unit_of_the_losses():
    losses, order = two_groups(), np.random.default_rng(3).permutation(550)
    expected = small_loss_posterior(losses, None)
    np.testing.assert_allclose(small_loss_posterior(losses[order], None), expected[order], atol=1e-12)
    np.testing.assert_allclose(small_loss_posterior(7 * losses + 1, None), expected, atol=1e-6)


@pytest.mark.parametrize(
    "losses",
    [np.zeros(80), np.full(80, 2.3), np.linspace(0, 1e-7, 80), np.array([0.7]), np.array([0.2, 0.2])],
    ids=["none", "all equal", "learnt by heart", "one row", "two equal rows"],
)
def test_where_all_losses_are_equal_every_label_is_kept(losses):
    found = small_loss_posterior(losses, np.zeros(len(losses), int))
    np.testing.assert_allclose(found, 0.75)


def test_one_group_of_losses_is_not_cut_and_keeps_its_order():
    losses = np.random.default_rng(0).normal(2, 0.3, 500)
    found = small_loss_posterior(losses, None)
    assert (found > 0.5).all()
    np.testing.assert_array_equal(np.argsort(-found), np.argsort(losses))


@pytest.mark.parametrize("rows", [LEAST_ROWS - 1, LEAST_ROWS])
def test_a_class_has_a_mixture_of_its_own_from_fifty_rows_on(rows):
    rng = np.random.default_rng(0)
    losses = np.concatenate([two_groups(), rng.normal(2.2, 0.02, rows - rows // 3), rng.normal(2.8, 0.02, rows // 3)])
    labels = np.repeat([0, 1], [550, rows])
    own, pooled = small_loss_posterior(losses, labels)[550:], small_loss_posterior(losses, None)[550:]
    assert np.array_equal(own, pooled) == (rows < LEAST_ROWS)
    assert (own > 0.5).any() == (rows == LEAST_ROWS)


def test_where_classes_differ_in_difficulty_the_mixture_by_class_tells_right_from_wrong():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 500)
    wrong = rng.random(1000) < 0.3
    losses = np.where(labels == 0, 0.3, 1.5) + 0.8 * wrong + 0.1 * rng.normal(size=1000)
    together, by_class = (small_loss_posterior(losses, given) for given in (None, labels))
    assert roc_auc_score(~wrong, together) < 0.85
    assert roc_auc_score(~wrong, by_class) > 0.99
    assert np.mean((together > 0.5) == ~wrong) < 0.7 < 0.99 < np.mean((by_class > 0.5) == ~wrong)


def test_a_hard_class_whose_labels_are_all_right_keeps_them():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 500)
    wrong = (rng.random(1000) < 0.3) & (labels == 0)
    losses = np.where(labels == 0, 0.3, 1.5) + 0.8 * wrong + 0.1 * rng.normal(size=1000)
    found = small_loss_posterior(losses, labels)
    assert (found[labels == 1] > 0.5).all() and (small_loss_posterior(losses, None)[labels == 1] < 0.5).all()
    assert np.mean((found > 0.5) == ~wrong) > 0.99


def recording(probabilities, labels):
    """Two epochs: the first knows nothing, the second says this."""
    logits = np.log(np.stack([np.full_like(probabilities, 1 / probabilities.shape[1]), probabilities]))
    return Recording(logits.astype(np.float16), labels, np.arange(len(labels)), np.ones(2))


def test_the_loss_is_that_of_the_late_half_and_a_label_not_kept_becomes_the_likelier_one():
    p = np.repeat([[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.9, 0.05, 0.05], [0.45, 0.35, 0.2]], [200, 200, 50, 1], axis=0)
    p += 0.01 * np.random.default_rng(0).random(p.shape)
    p /= p.sum(axis=1, keepdims=True)
    labels = np.repeat([0, 1, 2, 0], [200, 200, 50, 1])
    evidence = Evidence(np.arange(451), labels, 3, recording=recording(p, labels))
    np.testing.assert_allclose(late_losses(evidence.recording), -np.log(p[np.arange(451), labels]), atol=2e-3)
    found = find_cleaner("small_loss")(evidence)
    np.testing.assert_array_equal(found.kept[:450], np.repeat([True, False], [400, 50]))
    np.testing.assert_array_equal(found.labels, np.where(labels == 2, 0, labels))  # the last: its label is the likelier
    odds = np.log(p[400:450, 0] / p[400:450, 2])
    np.testing.assert_allclose(found.confidence[400:450], (1 - found.trust[400:450]) * expit(odds), atol=1e-3)


def cross_of_classes():
    """Class 0: 44 rows .1 rad off the first axis, to both sides, and 15 wrong ones along the second; 1 mirrored."""
    off = 0.1 * np.tile([1, -1], 22)
    half = np.vstack([np.stack([np.cos(off), np.sin(off)], axis=1), np.tile([0.0, 1.0], (15, 1))])
    return np.vstack([half, half[:, ::-1]]).astype(np.float32), np.repeat([0, 1], 59)


def test_fine_by_hand():
    embeddings, labels = cross_of_classes()
    found = find_cleaner("fine")(Evidence(np.arange(118), labels, 2, embeddings=embeddings))
    np.testing.assert_array_equal(found.kept, np.tile(np.repeat([True, False], [44, 15]), 2))
    np.testing.assert_array_equal(found.labels, labels)


def test_fine_keeps_what_its_authors_code_keeps():
    rng = np.random.default_rng(0)
    labels, wrong = rng.integers(0, 3, 900), rng.random(900) < 0.25
    true = np.where(wrong, (labels + rng.integers(1, 3, 900)) % 3, labels)
    embeddings = (np.eye(8)[true] * 4 + rng.normal(size=(900, 8))).astype(np.float32)
    kept = np.zeros(900, bool)
    for label in range(3):
        members = np.flatnonzero(labels == label)
        own = embeddings[members].astype(np.float64)
        first = np.linalg.svd(own)[2][0]
        score = np.abs(own @ first) / np.linalg.norm(own, axis=1)
        mixture = GaussianMixture(2, covariance_type="full", tol=1e-6, max_iter=100, random_state=0)
        mixture.fit(score[:, None])
        kept[members] = mixture.predict_proba(score[:, None])[:, mixture.means_.argmax()] > 0.5
    found = find_cleaner("fine")(Evidence(np.arange(900), labels, 3, embeddings=embeddings)).kept
    assert np.mean(found == kept) > 0.995  # the order of the rows starts the fit, and the tails turn over there
    assert np.mean(found == ~wrong) > 0.9
