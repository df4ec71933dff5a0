"""Influence worked out by hand, and agreement with captum's TracIn on the same model and saved states."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from services import library
from torch import nn
from torch.utils.data import TensorDataset

from anomaly_mlflow.signals.influence_scores import characterise, influence_scores
from anomaly_mlflow.signals.influence_sums import class_sums, self_influence, split_sums
from anomaly_mlflow.signals.traces import Checkpoint, Traces

RATES = (0.1, 0.03)

# Three rows of labels 0, 1, 2: learnt but for a quarter; sure to be class 0; learnt perfectly.
# a = 1, 2, 0 and a' = 1, 2, 1, so a a' + 1 = 2 3 2, 3 5 3, 1 1 1.
# e = (-1/4 1/4 0), (1 -1 0), 0 and e' = (-1/2 1/2 0), (0 -1/2 1/2), (1/2 0 -1/2).
# e . e' = 1/4 -1/8 -1/8, -1 1/2 1/2, 0 0 0, hence I = 1/2 -3/8 -1/4, -3 5/2 3/2, 0 0 0.
# With one reference sample of each class, I is PIL + NIL. NIL is least in class 1, 0, 0 (of equals the first).
# e with that label = (3/4 -3/4 0), 0, (-1 0 1): its product with the e' of the given class is -3/4, 0, -1.
# PIL is second largest in class 1, 2, 1: e = (3/4 -3/4 0), (1 0 -1), (0 -1 1), so
# PIL' = 0 9/8 3/4, 0 0 3, 0 1 0: the largest change is 9/8, 5/2, 1 and MPI is 1/2, 4, 0.
BY_HAND = {
    "si": [1 / 4, 10, 0],
    "mai": [9 / 8, 7, 0],
    "mi": [1 / 8, -1, 0],
    "mpi": [1 / 2, 4, 0],
    "gd_class": [3 / 8, 3, 0],
    "nil": [0, 0, 0],
    "nil_opt": [3 / 8, 3, 0],
    "slip": [-1, -1, 0],
    "slin": [0, 0, 0],
    "cnci": [-3 / 2, 0, -1],
    "repair_label": [1, 0, 0],
    "pcid": [16 / 9, 1 / 10, 1e12],
    "cfrank": [1 / 2, 1, 1],  # ranks by cnci 0 2 1, by pcid 1 0 2
}


def three_by_three(rate=1.0):
    """One saved state, rate 1."""
    return Checkpoint(
        rate,
        np.array([[1.0], [2.0], [0.0]]),
        np.array([[3 / 4, 1 / 4, 0], [1, 0, 0], [0, 0, 1]]),
        np.array([[1.0], [2.0], [1.0]]),
        np.array([[1 / 2, 1 / 2, 0], [0, 1 / 2, 1 / 2], [1 / 2, 0, 1 / 2]]),
    )


HAND = Traces([three_by_three()], np.arange(3), np.arange(3))


@pytest.mark.parametrize("name", BY_HAND)
def test_three_rows_and_three_reference_samples_are_as_worked_out_by_hand(name):
    np.testing.assert_allclose(getattr(influence_scores(HAND), name), BY_HAND[name], rtol=1e-9, atol=1e-15)


def test_the_mislabelled_row_and_the_row_learnt_alone_are_told_apart_by_hand():
    np.testing.assert_array_equal(characterise(influence_scores(HAND)), [False, True, False])


def test_without_bias_one_is_not_added_to_the_product_of_embeddings():
    # a a' = 1 2 1, 2 4 2, 0 0 0
    expected = [[1 / 4, -1 / 4, -1 / 8], [-2, 2, 1], [0, 0, 0]]
    np.testing.assert_allclose(class_sums(HAND, bias=False), expected, rtol=1e-12)
    np.testing.assert_allclose(self_influence(HAND, bias=False), [1 / 8, 8, 0], rtol=1e-12)


def test_the_cosine_of_gradients_by_hand():
    # (1 1)/sqrt 2, (2 1)/sqrt 5 and e / |e|: row 0 with reference 0 is (2 / 2) * 1, row 1 is 3 / sqrt 10 * -1
    found = class_sums(HAND, cosine=True)
    np.testing.assert_allclose(found[:2, 0], [1, -3 / 10**0.5], rtol=1e-12)
    np.testing.assert_allclose(self_influence(HAND, cosine=True), [1, 1, 0], rtol=1e-12)


def test_the_counterfactual_is_of_the_last_state_unless_scales_shall_match():
    # Two equal states of rates 1 and 1/2 make I 3/2 of the above; the last alone has 1/2.
    traces = replace(HAND, checkpoints=[three_by_three(), three_by_three(0.5)])
    published, matched = influence_scores(traces), influence_scores(traces, match_scale=True)
    np.testing.assert_allclose(published.cnci, np.array(BY_HAND["cnci"]) / 2, rtol=1e-12)
    np.testing.assert_allclose(matched.cnci, np.array(BY_HAND["cnci"]) * 1.5, rtol=1e-12)
    np.testing.assert_allclose(matched.pcid[:2], np.array(BY_HAND["pcid"][:2]) / 1.5**2, rtol=1e-9)
    # PIL = 3/4 0 0 beside PIL' = 0 9/16 3/8, and PIL = 0 15/4 9/4 beside 0 0 3/2
    np.testing.assert_allclose(published.pcid[:2], [1 / (3 / 4 * 3 / 4), 1 / (6 * 15 / 4)], rtol=1e-9)


class Net(nn.Module):
    """In double precision throughout, which our own models' heads are not."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(216, 16))
        self.head = nn.Linear(16, 4)

    def forward(self, images):
        return self.head(self.body(images))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A double model, two saved states with their rates, rows and reference samples, and our traces of them."""
    folder, rng = tmp_path_factory.mktemp("states"), np.random.default_rng(0)
    sides = [
        TensorDataset(torch.tensor(rng.random((n, 1, 8, 8))), torch.tensor(rng.integers(0, 4, n))) for n in (40, 12)
    ]
    states = []
    for number in range(len(RATES)):
        torch.manual_seed(number)
        model = Net().double().eval()
        torch.save(model.state_dict(), folder / f"{number}.pt")
        states.append(Checkpoint(RATES[number], *(array for side in sides for array in _seen(model, side.tensors[0]))))
    return model, folder, sides, Traces(states, *(side.tensors[1].numpy() for side in sides))


@torch.no_grad()
def _seen(model, images):
    embeddings = model.body(images)
    return embeddings.numpy(), model.head(embeddings).softmax(dim=1).numpy()


def captum_tracin(trained, fast):
    model, folder, (rows, _), _ = trained
    influence = library("captum.influence")

    def load(model, path):
        model.load_state_dict(torch.load(path, weights_only=True))
        return RATES[int(path.split("/")[-1][0])]

    shared = {"checkpoints": [str(folder / f"{k}.pt") for k in range(2)], "checkpoints_load_func": load}
    shared |= {"batch_size": 20, "train_dataset": rows}
    if fast:
        loss = nn.CrossEntropyLoss(reduction="sum")
        return influence.TracInCPFast(model, final_fc_layer="head", loss_fn=loss, **shared)
    loss = nn.CrossEntropyLoss(reduction="none")
    return influence.TracInCP(model, layers=["head"], loss_fn=loss, **shared)


@pytest.mark.parametrize("bias", [False, True], ids=["TracInCPFast", "TracInCP on the last layer with bias"])
def test_influence_is_that_of_captum(trained, bias):
    *_, (_, reference), traces = trained
    theirs = captum_tracin(trained, fast=not bias).influence(reference.tensors).numpy().T  # (rows, reference samples)
    ours = np.column_stack([_on_one(traces, number, bias) for number in range(len(reference))])
    assert np.abs(ours - theirs).max() <= 1e-5 * np.abs(theirs).max() and (theirs > 0).any() and (theirs < 0).any()
    by_class = theirs @ np.eye(4)[traces.reference_labels]
    np.testing.assert_allclose(class_sums(traces, bias=bias), by_class, rtol=1e-7, atol=1e-10 * np.abs(by_class).max())


@pytest.mark.parametrize("bias", [False, True], ids=["TracInCPFast", "TracInCP on the last layer with bias"])
def test_self_influence_is_that_of_captum(trained, bias):
    theirs = captum_tracin(trained, fast=not bias).self_influence().numpy()
    assert np.abs(self_influence(trained[-1], bias=bias) - theirs).max() <= 1e-5 * theirs.max()


def _on_one(traces, number, bias):
    """Influence of every row on one reference sample."""
    states = [
        replace(
            state,
            reference_embeddings=state.reference_embeddings[[number]],
            reference_probabilities=state.reference_probabilities[[number]],
        )
        for state in traces.checkpoints
    ]
    [sums] = split_sums(
        replace(traces, checkpoints=states, reference_labels=traces.reference_labels[[number]]), bias=bias
    )
    return (sums.positive + sums.negative).sum(axis=1)
