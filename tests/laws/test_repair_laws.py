"""The repair with the cleaners that are its default, in the planted world of errors and in its clean twin."""

import numpy as np
import pytest
from planted_errors import world_of_errors

from anomaly_mlflow.cleaning import CLEANERS, find_cleaner
from anomaly_mlflow.cleaning.base import OUTSIDE
from anomaly_mlflow.cleaning.repair import repaired_labels, repairs
from entry_points.options import OPTIONS

DEFAULT = OPTIONS["cleaner_names"].default


def repaired(names, share, cap=0.3):
    evidence, truth = world_of_errors(share=share)
    cleaned = {name: find_cleaner(name)(evidence) for name in names.split(",")}
    return repairs(evidence.sample_id, evidence.labels, cleaned, cap=cap), truth


def test_the_default_has_a_witness_that_never_saw_the_label_and_one_that_did():
    mechanisms = {find_cleaner(name).mechanism for name in DEFAULT.split(",")}
    assert mechanisms & OUTSIDE and mechanisms - OUTSIDE


@pytest.mark.parametrize("names", [DEFAULT, ",".join(sorted(set(CLEANERS)))], ids=["default", "all"])
def test_of_clean_labels_fewer_than_one_in_a_hundred_is_changed(names):
    frame, _ = repaired(names, share=0)
    assert frame["repaired"].mean() < 0.01


def test_most_planted_errors_are_mended_and_hardly_a_right_label_is_broken():
    frame, truth = repaired(DEFAULT, share=0.2)
    after, wrong = repaired_labels(frame), frame["given"].to_numpy() != truth
    assert (after == truth)[wrong].mean() > 0.7 and (after != truth)[~wrong].mean() < 0.01
    assert not np.array_equal(after, frame["given"])


@pytest.mark.parametrize("cap", [0.0, 0.05, 0.1])
def test_nothing_is_repaired_beyond_the_cap_and_nothing_is_removed(cap):
    frame, truth = repaired(DEFAULT, share=0.2, cap=cap)
    assert len(frame) == len(truth) and frame["repaired"].mean() == pytest.approx(cap)
    assert (frame.loc[~frame["repaired"], "reason"] != "").all()
