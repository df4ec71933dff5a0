import numpy as np
import pytest
import torch

from anomaly_mlflow.training.mixmatch import (
    mixed,
    mixing_share,
    mixmatch_loss,
    prior_penalty,
    ramp,
    refined,
    sharpen,
)


def rows(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_sharpening_by_hand():
    np.testing.assert_allclose(sharpen(rows([0.6, 0.4]), 0.5), [[0.36 / 0.52, 0.16 / 0.52]])
    np.testing.assert_allclose(sharpen(rows([0.6, 0.3, 0.1]), 1.0), [[0.6, 0.3, 0.1]])
    assert sharpen(rows([0.0, 1.0]), 0.5).tolist() == [[0.0, 1.0]]


def test_a_trusted_label_stays_a_doubted_one_is_guessed_and_half_trust_is_in_between():
    targets = rows([1.0, 0.0], [1.0, 0.0], [1.0, 0.0])
    guessed = rows([0.2, 0.8], [0.2, 0.8], [0.5, 0.5])
    found = refined(targets, torch.tensor([1.0, 0.0, 0.5], dtype=torch.float64), guessed, 0.5)
    expected = [[1.0, 0.0], [0.04 / 0.68, 0.64 / 0.68], [0.5625 / 0.625, 0.0625 / 0.625]]
    np.testing.assert_allclose(found, expected)


def test_a_mixed_row_is_mostly_the_first_one():
    shares = [mixing_share(4.0, np.random.default_rng(seed)) for seed in range(200)]
    assert min(shares) >= 0.5 and max(shares) <= 1
    # the mean of max(l, 1 - l) under Beta(4, 4), by numerical integration
    assert np.mean(shares) == pytest.approx(0.637, abs=0.02)
    half = mixed(rows([0.0, 4.0], [8.0, 0.0]), torch.tensor([1, 0]), 0.75)
    assert half.tolist() == [[2.0, 3.0], [6.0, 1.0]]


def test_the_weight_of_unlabelled_rows_rises_from_nothing_within_its_length():
    assert [ramp(epoch, 5, 4) for epoch in (0, 5, 6, 8, 9, 20)] == [0, 0, 0.25, 0.75, 1, 1]
    assert [ramp(epoch, 5, 0) for epoch in (4, 5)] == [0, 1]


def test_both_losses_by_hand():
    logits = torch.log(rows([0.5, 0.5], [0.25, 0.75], [0.5, 0.5]))
    targets = rows([1.0, 0.0], [0.0, 1.0], [0.9, 0.1])
    cross_entropy, squared_error = mixmatch_loss(logits, targets, torch.tensor([True, True, False]))
    assert float(cross_entropy) == pytest.approx((np.log(2) - np.log(0.75)) / 2)
    assert float(squared_error) == pytest.approx(0.4**2)


def test_a_loss_without_rows_is_nothing_and_no_nan():
    logits, targets = torch.zeros(2, 3), torch.eye(3)[:2]
    assert float(mixmatch_loss(logits, targets, torch.tensor([True, True]))[1]) == 0.0
    assert float(mixmatch_loss(logits, targets, torch.tensor([False, False]))[0]) == 0.0


def test_an_even_mean_prediction_is_not_penalised_and_a_lopsided_one_is():
    even = torch.log(rows([0.9, 0.1], [0.1, 0.9]))
    assert float(prior_penalty(even)) == pytest.approx(0.0, abs=1e-12)
    lopsided = torch.log(rows([0.75, 0.25], [0.75, 0.25]))
    assert float(prior_penalty(lopsided)) == pytest.approx(0.5 * np.log(0.5 / 0.75) + 0.5 * np.log(0.5 / 0.25))
    assert np.isfinite(float(prior_penalty(torch.tensor([[1e4, 0.0], [1e4, 0.0]]))))
