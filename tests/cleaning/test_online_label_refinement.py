"""Labels that are replaced along a recording, by hand and against the rule written out row by row."""

from collections import Counter

import numpy as np
import pytest

from anomaly_mlflow.cleaning.base import find_cleaner
from anomaly_mlflow.cleaning.online_label_refinement import refine
from anomaly_mlflow.errors import MissingEvidence
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.training.recording import Recording

BY_HAND = {  # predictions of 13 epochs, all rows labelled 0, and the changes (epoch, old, new)
    "the same from the beginning": ("1111111111111", [(4, 0, 1)]),
    "as given": ("0000000000000", []),
    "turns late: majority from epoch 8 on, stable at 10": ("0000001111111", [(10, 0, 1)]),
    "wavers": ("1212121212121", []),
    "learnt by heart in the end, comes back": ("1111110000000", [(4, 0, 1), (10, 1, 0)]),
    "too few passes": ("1123411234112", []),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_changes_by_hand(name):
    predictions, changes = BY_HAND[name]
    predicted = np.array([int(each) for each in predictions])[:, None]
    labels, log = refine(predicted, np.array([0]))
    assert list(log[["epoch", "old", "new"]].itertuples(index=False, name=None)) == changes
    assert labels[0] == (changes[-1][2] if changes else 0)


def test_the_log_is_what_the_rule_gives_row_by_row():
    rng = np.random.default_rng(0)
    predicted = rng.integers(0, 3, (16, 300))
    for epoch in range(1, 16):
        stays = rng.random(300) < 0.7
        predicted[epoch, stays] = predicted[epoch - 1, stays]
    given = rng.integers(0, 3, 300)
    labels, log = refine(predicted, given)
    expected = [change for row in range(300) for change in changes(predicted[:, row].tolist(), row, int(given[row]))]
    assert sorted(log.itertuples(index=False, name=None)) == sorted(expected)
    assert len({new for *_, new in expected}) == 3 and len(expected) > 100
    last = given.copy()
    for _, row, _, new in sorted(expected):
        last[row] = new
    assert np.array_equal(labels, last)


def changes(passes, row, label):
    for epoch in range(4, len(passes)):
        m = majority(passes, epoch)
        rates = [passes[max(0, at - 4) : at + 1].count(m) / 5 if at >= 0 else 0.0 for at in range(epoch - 4, epoch + 1)]
        stable = all(majority(passes, at) == m for at in range(epoch - 2, epoch))
        if m != label and stable and rates[-1] >= 0.5 and np.polyfit(range(5), rates, 1)[0] > 1e-9:
            yield epoch, row, label, m
            label = m


def majority(passes, epoch):
    last = passes[max(0, epoch - 4) : epoch + 1]
    most = max(Counter(last).values())
    return next(each for each in reversed(last) if last.count(each) == most)


def test_trust_falls_with_the_passes_against_the_given_label():
    sequences = ["0000000000000", "0000001111111", "1111111111111"]
    logits = np.eye(2, dtype=np.float16)[np.array([[int(each) for each in row] for row in sequences]).T]
    recording = Recording(logits, np.zeros(3, int), np.arange(3), np.ones(13))
    cleaned = find_cleaner("online_label_refinement")(Evidence(np.arange(3), np.zeros(3, int), 2, recording=recording))
    # Row 1: from epoch 8 on (of 4 .. 12) the rates .6, .8, 1, 1, 1 speak against the label.
    np.testing.assert_allclose(cleaned.trust, [1.0, 1 - 4.4 / 9, 0.0])
    assert cleaned.kept.tolist() == [True, False, False] and cleaned.labels.tolist() == [0, 1, 1]
    assert cleaned.confidence.tolist() == [1.0, 1.0, 1.0]


def test_fewer_epochs_than_passes_are_told():
    recording = Recording(np.zeros((4, 3, 2), np.float16), np.zeros(3, int), np.arange(3), np.ones(4))
    with pytest.raises(MissingEvidence, match="needs 5 recorded epochs, not 4"):
        find_cleaner("online_label_refinement")(Evidence(np.arange(3), np.zeros(3, int), 2, recording=recording))
