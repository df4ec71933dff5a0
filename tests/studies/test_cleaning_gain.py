"""What cleaning gained: paired by test image and seed, beside true labels and random removal."""

import numpy as np
import pytest

from anomaly_mlflow.studies.cleaning_gain import accuracies, gains_table

LABELS = np.arange(600) % 3
GROUPS = np.arange(600)


def world(seeds=3, gain=0.1, oracle=0.2, seed=0):
    """Rows of one difficulty for all variants: what is right on the given labels stays right on better ones."""
    rng = np.random.default_rng(seed)
    ease = rng.random((seeds, 600))
    at = {"given": 0.6, "cleaned": 0.6 + gain, "oracle": 0.6 + oracle, "random_removal": 0.6}
    return {name: ease < level for name, level in at.items()}


def test_accuracy_gain_and_share_are_those_of_hand():
    correct = world()
    table = gains_table(accuracies(correct, LABELS, GROUPS, draws=200)).set_index("trained on")
    means = {name: right.mean() for name, right in correct.items()}
    for name, mean in means.items():
        assert table.loc[name, "accuracy"] == pytest.approx(mean)
    gain = means["cleaned"] - means["given"]
    assert table.loc["cleaned", "gain"] == pytest.approx(gain)
    assert table.loc["cleaned", "share"] == pytest.approx(gain / (means["oracle"] - means["given"]))
    assert table.loc["given", ["gain", "share"]].isna().all() and np.isnan(table.loc["oracle", "share"])
    for name in ("cleaned", "oracle", "random_removal"):
        ends = table.loc[name, ["gain_low", "gain", "gain_high"]].to_numpy(float)
        assert (np.diff(ends) >= 0).all()


def test_gains_are_paired_by_row_and_seed():
    """The same rows are right: the gain of nothing is exactly nothing, however wide the accuracies' intervals are."""
    table = gains_table(accuracies(world(gain=0.0), LABELS, GROUPS, draws=200)).set_index("trained on")
    assert table.loc["cleaned", "high"] - table.loc["cleaned", "low"] > 0.02
    assert table.loc["cleaned", ["gain_low", "gain", "gain_high"]].tolist() == [0, 0, 0]


def test_of_an_oracle_that_gains_nothing_no_share_is_told():
    table = gains_table(accuracies(world(gain=0.05, oracle=0.0), LABELS, GROUPS, draws=200))
    assert table[["share", "share_low", "share_high"]].isna().all().all()
    without = {name: right for name, right in world().items() if name in ("given", "cleaned")}
    assert gains_table(accuracies(without, LABELS, GROUPS, draws=200))["share"].isna().all()


def test_classes_with_few_sources_have_no_interval():
    few = np.where(LABELS == 0, LABELS, GROUPS)  # the first class is one photograph
    table = gains_table(accuracies(world(), LABELS, few, draws=200)).set_index("trained on")
    assert table["low"].isna().all() and np.isnan(table.loc["cleaned", "gain_low"])
    assert table.loc["cleaned", "gain"] > 0.05


def test_other_names_of_the_given_and_true_labels_are_taken():
    correct = {f"plain@{name}": right for name, right in world().items()}
    found = accuracies(correct, LABELS, GROUPS, draws=200)
    table = gains_table(found, "plain@given", "plain@oracle").set_index("trained on")
    assert table.loc["plain@cleaned", "share"] == pytest.approx(0.5, abs=0.1)
    assert np.isnan(table.loc["plain@given", "gain"])
