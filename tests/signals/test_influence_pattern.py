"""Which score finds which error in a small network on digits: the pattern of the papers, and where it ends.

A network of 64-64-10 that is trained for 15 epochs at a rate of 0.1 on 1,400 digits, a tenth or two of them spoiled.
"""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

from anomaly_mlflow.signals.influence_scores import characterise, influence_scores
from anomaly_mlflow.signals.traces import Checkpoint, Traces

ROWS, SPOILED, EPOCHS, RATE, BATCH = 1400, 140, 15, 0.1, 32


def scores_of(label_errors=0, strangers=0, one_label=True, seed=0):
    """Scores of 1,400 digits of which these have a wrong label or are noise; bool masks of both; the true labels."""
    rng = np.random.default_rng(seed)
    images, truth = load_digits(return_X_y=True)
    order = rng.permutation(len(truth))
    images, truth = images[order].astype(np.float32) / 16, truth[order].astype(np.int64)
    rows, labels = images[:ROWS].copy(), truth[:ROWS].copy()
    chosen = rng.permutation(ROWS)
    wrong, strange = np.zeros((2, ROWS), bool)
    wrong[chosen[:label_errors]], strange[chosen[label_errors : label_errors + strangers]] = True, True
    labels[wrong] = (labels[wrong] + rng.integers(1, 10, label_errors)) % 10
    rows[strange] = rng.random((strangers, 64))
    labels[strange] = 3 if one_label else rng.integers(0, 10, strangers)
    traces = Traces(_train(rows, labels, images[ROWS:], seed), labels, truth[ROWS:])
    return influence_scores(traces, device="cpu"), wrong, strange, truth[:ROWS]


def _train(rows, labels, reference, seed):
    """A state an epoch."""
    torch.manual_seed(seed)
    body, head = nn.Sequential(nn.Linear(64, 64), nn.ReLU()), nn.Linear(64, 10)
    x, y, known = torch.tensor(rows), torch.tensor(labels), torch.tensor(reference)
    optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], RATE)
    states = []
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(head(body(x[batch])), y[batch]).backward()
            optimizer.step()
        with torch.no_grad():
            seen = [(z, head(z).softmax(dim=1)) for z in (body(x), body(known))]
        states.append(Checkpoint(RATE, *(array.numpy() for pair in seen for array in pair)))
    return states


def precision(values, spoiled):
    """Share of spoiled rows among as many of the highest values as there are spoiled rows."""
    return spoiled[np.argsort(-values)[: spoiled.sum()]].mean()


def test_wrong_labels_are_found_by_cnci_and_repaired():
    scores, wrong, _, truth = scores_of(label_errors=SPOILED)
    assert precision(scores.cnci, wrong) > 0.85 and precision(scores.si, wrong) > 0.8
    assert precision(scores.cnci, wrong) >= precision(scores.si, wrong) > precision(scores.gd_class, wrong)
    assert precision(scores.pcid, wrong) < 0.1
    assert (scores.repair_label == truth)[wrong].mean() > 0.8


def test_strangers_of_one_label_are_found_by_pcid_alone():
    scores, _, strange, _ = scores_of(strangers=SPOILED)
    assert precision(scores.pcid, strange) > 0.8
    assert max(precision(getattr(scores, name), strange) for name in ("si", "mai", "gd_class", "cnci")) < 0.2


def test_strangers_of_random_labels_are_not_found_by_pcid():
    scores, _, strange, _ = scores_of(strangers=SPOILED, one_label=False)
    assert precision(scores.pcid, strange) < 0.1 < precision(scores.cnci, strange)


def test_of_both_kinds_cfrank_finds_most_and_tells_them_apart():
    scores, wrong, strange, _ = scores_of(label_errors=SPOILED, strangers=SPOILED)
    spoiled = wrong | strange
    found = precision(scores.cfrank, spoiled)
    assert found > 0.85 and found > precision(scores.cnci, spoiled) and found > precision(scores.pcid, spoiled)
    flagged = spoiled & (scores.cfrank >= np.quantile(scores.cfrank, 0.8))
    assert (characterise(scores)[flagged] == wrong[flagged]).mean() > 0.9
