"""What is trained on to see what cleaning gained."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from anomaly_mlflow.cleaning.base import Cleaned
from anomaly_mlflow.cleaning.variants import (
    VARIANTS,
    after_random_removal,
    certain_labels,
    check_variant,
    of_cleaner,
    with_labels,
    with_true_labels,
)
from anomaly_mlflow.errors import UnknownName


def test_repaired_labels_change_nothing_but_labels(stripes):
    changed = np.arange(120) % 10 == 0
    frame = pd.DataFrame({"given": stripes.labels, "suggested": (stripes.labels + 1) % 3, "repaired": changed})
    found = with_labels(stripes, frame)
    assert np.array_equal(found.labels != stripes.labels, changed)
    assert np.array_equal(found.images, stripes.images) and np.array_equal(found.sample_id, stripes.sample_id)


def test_certain_labels_are_the_repaired_ones_without_those_set_aside(stripes):
    changed, aside = np.arange(120) % 10 == 0, (np.arange(120) % 10 == 1) | (stripes.labels == 2)
    frame = pd.DataFrame({"given": stripes.labels, "suggested": 0, "repaired": changed, "set_aside": aside & ~changed})
    found = certain_labels(stripes, frame)
    emptied = (stripes.labels == 2) & ~changed  # a class that would be empty stays whole
    assert np.array_equal(found.sample_id, stripes.sample_id[~(aside & ~changed) | emptied])
    assert set(found.labels) == {0, 1, 2}


def test_the_oracle_has_true_labels_and_no_images_of_no_class(stripes):
    noisy = replace(stripes, labels=(stripes.labels + 1) % 3)
    truth = np.where(np.arange(120) < 5, -1, stripes.labels)
    found = with_true_labels(noisy, truth)
    assert np.array_equal(found.labels, stripes.labels[5:]) and np.array_equal(found.sample_id, stripes.sample_id[5:])


def test_random_removal_takes_as_many_as_asked_for_others_with_each_seed(stripes):
    one, two = (after_random_removal(stripes, 30, seed) for seed in (0, 1))
    assert len(one) == len(two) == 90 and not np.array_equal(one.sample_id, two.sample_id)
    assert np.array_equal(one.sample_id, after_random_removal(stripes, 30, 0).sample_id)
    assert len(after_random_removal(stripes, 0, 0)) == 120
    assert set(after_random_removal(stripes, 118, 0).labels) == {0, 1, 2}


def test_a_class_of_which_a_cleaner_keeps_nothing_stays_whole(stripes):
    kept = stripes.labels != 1
    found = of_cleaner(stripes, "kept", Cleaned(kept.astype(float), kept, stripes.labels, kept.astype(float)))
    assert len(found) == 120


def test_one_cleaner_alone_drops_or_relabels(stripes):
    kept, labels = np.arange(120) % 4 != 0, (stripes.labels + 1) % 3
    cleaned = Cleaned(kept.astype(float), kept, labels, kept.astype(float))
    assert np.array_equal(of_cleaner(stripes, "kept", cleaned).sample_id, stripes.sample_id[kept])
    assert np.array_equal(of_cleaner(stripes, "relabelled", cleaned).labels, labels)


def test_an_unknown_variant_or_cleaner_is_told():
    for name in (*VARIANTS, "kept:small_loss", "relabelled:neighbour_vote"):
        check_variant(name)
    for name, said in (
        ("all", "unknown variant"),
        ("kept", "unknown variant"),
        ("kept:loss", "unknown cleaner 'loss'"),
    ):
        with pytest.raises(UnknownName, match=said):
            check_variant(name)
