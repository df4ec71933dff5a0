import numpy as np
import pytest
import torch
from anchor_world import anchor_world

from anomaly_mlflow.cleaning.anchors import AnchorSettings, draw_pairs, vote_by_anchors
from anomaly_mlflow.cleaning.easy_set import EasySet
from anomaly_mlflow.cleaning.hallucinator import (
    Hallucinator,
    fit_hallucinator,
    hallucinate,
    hallucination_loss,
)


def easy_rows():
    evidence, _, hard = anchor_world(easy=30, hard=1)
    return evidence.embeddings[~hard], evidence.labels[~hard], evidence.head


def made(lambda_p=0.65, beta=1.0, seed=0):
    """Anchors of pairs of easy rows, the rows, their classes and the pairs."""
    features, labels, head = easy_rows()
    first, second = draw_pairs(labels, 4, np.random.default_rng(1))
    model = fit_hallucinator(features, labels, first, second, head, lambda_p=lambda_p, beta=beta, seed=seed)
    return hallucinate(model, features, first, second), features, labels, first, second


def cosine(one, other):
    return (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


def test_the_loss_by_hand():
    anchor, first, second = torch.tensor([[1.0, 1.0]]), torch.tensor([[2.0, 0.0]]), torch.tensor([[1.0, 1.0]])
    logits = torch.log(torch.tensor([[0.25, 0.75]]))
    loss = hallucination_loss(anchor, first, second, logits, torch.tensor([1]), lambda_p=0.6, beta=2.0)
    assert float(loss) == pytest.approx(-np.log(0.75) - 2 * (0.6 * np.sqrt(0.5) + 0.4))


def test_anchors_differ_with_either_row_of_the_pair():
    anchors, features, labels, first, second = made()
    same_first = anchors.reshape(len(features), 4, -1)
    partners = labels[second].reshape(-1, 4)
    apart = [
        (row[0], row[k]) for row, of in zip(same_first, partners, strict=True) for k in range(1, 4) if of[0] != of[k]
    ]
    assert np.mean([cosine(a[None], b[None])[0] for a, b in apart]) < 0.98  # another partner, another anchor
    means = np.stack([anchors[labels[first] == label].mean(axis=0) for label in range(4)])
    assert max(cosine(means[[i]], means[[j]])[0] for i in range(4) for j in range(i)) < 0.9


def test_an_anchor_belongs_to_the_class_of_its_first_row_and_leans_to_it():
    anchors, features, labels, first, second = made()
    _, _, head = easy_rows()
    answers = (anchors @ head.weight.T + head.bias).argmax(axis=1)
    assert (answers == labels[first]).mean() > 0.95
    assert (cosine(anchors, features[first]) > cosine(anchors, features[second])).mean() > 0.95


def test_a_smaller_lambda_leads_nearer_to_the_other_class():
    near, far = made(lambda_p=1.0), made(lambda_p=0.6)
    to_second = [cosine(anchors, features[second]).mean() for anchors, features, _, _, second in (near, far)]
    assert to_second[1] > to_second[0] + 0.05


def test_the_seed_fixes_the_anchors_and_the_common_generator_is_left_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first, again, other = (made(seed=seed)[0] for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_anchors_of_features_from_a_rectified_layer_are_not_below_zero():
    model = Hallucinator(4, 1.0, rectified=True)
    rows = np.random.default_rng(0).random((20, 4), dtype=np.float32)
    assert hallucinate(model, rows, np.arange(20), np.arange(20)[::-1].copy()).min() >= 0


def test_learned_anchors_vote_in_the_place_of_linear_ones():
    evidence, truth, hard = anchor_world()
    rows = EasySet(~hard, (~hard).astype(float), np.array([], np.int64), hard)
    settings = AnchorSettings(learned=True)
    votes = vote_by_anchors(evidence.embeddings, evidence.labels, 4, rows, settings, seed=0, head=evidence.head)
    assert votes.decided[hard].mean() > 0.2
    assert (votes.labels == truth)[votes.decided].mean() > 0.9
