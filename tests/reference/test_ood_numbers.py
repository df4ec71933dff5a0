"""Scores for strangers: by hand, by OpenOOD's steps one row at a time, and by autograd."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from one_fold import value
from scipy.linalg import null_space, pinv

from anomaly_mlflow.signals import Evidence, Head, find

RNG = np.random.default_rng(0)
WEIGHT, BIAS = RNG.normal(size=(4, 9)).astype(np.float32), RNG.normal(size=4).astype(np.float32)
EMBEDDINGS = RNG.normal(size=(50, 9)).astype(np.float32)
LOGITS = EMBEDDINGS @ WEIGHT.T + BIAS


def evidence(logits=LOGITS, embeddings=EMBEDDINGS, head=None):
    n = len(logits)
    return Evidence(
        np.arange(n),
        np.zeros(n, int),
        logits.shape[1],
        logits=np.asarray(logits, np.float32),
        embeddings=np.asarray(embeddings, np.float32),
        head=head or Head(WEIGHT, BIAS),
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("energy", [-np.log(8), -np.log(4)]),
        ("max_logit", [-np.log(4), -np.log(1)]),
        ("gen", [0.25**0.1 + 0.1875**0.1 + 2 * (7 / 64) ** 0.1, 4 * 0.1875**0.1]),
        ("grad_norm", [-3 * (1 + 0 + 1 / 2 + 1 / 2), 0]),
    ],
)
def test_by_hand(name, expected):
    # p = 1/2, 1/4, 1/8, 1/8 and 1/4 four times; ||a||_1 = 3
    case = evidence(np.log([[4, 2, 1, 1], [1, 1, 1, 1]]), [[1, -2], [0, 3]])
    np.testing.assert_allclose(value(name, case), expected, rtol=1e-6, atol=1e-6)


def test_gen_takes_the_hundred_most_probable_classes_only():
    logits = np.random.default_rng(1).normal(size=(3, 130))
    p = -np.sort(-np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), axis=1)[:, :100]
    np.testing.assert_allclose(value("gen", evidence(logits)), (p**0.1 * (1 - p) ** 0.1).sum(axis=1), rtol=1e-5)


def test_grad_norm_is_the_gradient_of_the_head():
    weight = torch.tensor(WEIGHT, dtype=torch.float64, requires_grad=True)
    norms = []
    for row in torch.tensor(EMBEDDINGS, dtype=torch.float64):
        loss = -torch.log_softmax(weight @ row + torch.tensor(BIAS), dim=0).sum()
        norms.append(torch.autograd.grad(loss, weight)[0].abs().sum().item())
    np.testing.assert_allclose(value("grad_norm", evidence()), -np.array(norms), rtol=1e-5)


def test_vim_follows_openood_with_half_of_the_dimensions():
    centred = EMBEDDINGS + pinv(WEIGHT) @ BIAS
    singular = np.linalg.svd(centred)[2]
    outside = null_space(singular[:4])  # 9 // 2 principal directions
    residual = np.linalg.norm(centred @ outside, axis=1)
    alpha = LOGITS.max(axis=1).mean() / residual.mean()
    expected = alpha * residual - np.log(np.exp(LOGITS).sum(axis=1))
    np.testing.assert_allclose(value("vim", evidence()), expected, rtol=1e-5, atol=1e-6)


def test_vim_by_hand_in_three_dimensions():
    # the principal space is the first axis; r = 0, 0, 5, 5; largest logits 9, 9, 1, 1: alpha = 5 / 2.5
    head = Head(np.array([[1, 0, 0], [-1, 0, 0]], np.float32), np.zeros(2, np.float32))
    z = np.array([[9, 0, 0], [-9, 0, 0], [1, 3, 4], [1, -3, -4]])
    expected = 2 * np.array([0, 0, 5, 5]) - np.log(2 * np.cosh([9, 9, 1, 1]))
    np.testing.assert_allclose(value("vim", evidence(z @ head.weight.T, z, head)), expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["energy", "max_logit", "gen", "grad_norm", "vim"])
@pytest.mark.parametrize("rows", [1, 5])
def test_is_finite_for_rows_that_are_all_zero_and_for_one_row(name, rows):
    zero = Head(np.zeros((3, 4), np.float32), np.zeros(3, np.float32))
    case = evidence(np.zeros((rows, 3)), np.zeros((rows, 4)), zero)
    assert np.isfinite(value(name, case)).all()


def test_layout_blindness_is_the_negated_divergence_of_the_mean_rearranged_prediction():
    sure, half = np.log([[1.0, 1e-30]]), np.log([[0.5, 0.5]])
    same, moved = np.stack([sure, sure]), np.stack([sure, np.log([[1e-30, 1.0]])])
    score = find("layout_blindness").function
    made = [Evidence(np.arange(1), np.zeros(1, np.int64), 2, logits=sure, rearranged=one) for one in (same, moved)]
    # q = (1/2, 1/2), m = (3/4, 1/4): JS = (ln 4/3 + (ln 2/3 + ln 2) / 2) / 2
    assert score(made[0])[0] == pytest.approx(0, abs=1e-12)
    assert score(made[1])[0] == pytest.approx(-(np.log(4 / 3) + (np.log(2 / 3) + np.log(2)) / 2) / 2)
    assert score(replace(made[0], logits=half, rearranged=half[None]))[0] == pytest.approx(0, abs=1e-12)
