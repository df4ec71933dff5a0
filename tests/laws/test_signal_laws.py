import numpy as np
import pytest
from planted import permuted, world, world_of_one_label
from signal_laws import (
    check_blind_to_labels,
    check_declaration,
    check_finds,
    check_leaves_evidence_unchanged,
    check_missing,
    check_needs_no_more_than_declared,
    check_permutation,
    check_shape,
)

from anomaly_mlflow.anomalies.types import MADE, AnomalyType, ImageDefect
from anomaly_mlflow.signals import LABEL_FREE, SIGNALS, feature_table, suggested_label

every_signal = pytest.mark.parametrize("signal", SIGNALS.values(), ids=lambda signal: signal.column)
TARGETS = [(signal, target) for signal in SIGNALS.values() for target in signal.targets]
BLIND = [signal for signal in SIGNALS.values() if signal.family in LABEL_FREE]
LABEL_FREE_BESIDES = (
    "knn_distance",
    "local_outlier_factor",
    "mahalanobis",
    "relative_mahalanobis",
    "near_duplicate",
    "mid_entropy",
)
BLIND += [SIGNALS[name] for name in LABEL_FREE_BESIDES]


ONE_LABEL = ("pcid", "cfrank")
"""They target strangers of one label only, as they say."""


@every_signal
def test_a_signal_says_what_it_is(signal):
    check_declaration(signal)


@every_signal
def test_a_signal_gives_one_finite_float_per_sample(signal):
    check_shape(signal, world()[0])


@every_signal
def test_a_signal_follows_a_permutation_of_the_samples(signal):
    evidence, types = world()
    rng = np.random.default_rng(1)
    order = rng.permutation(len(types))
    check_permutation(signal, evidence, permuted(evidence, order, rng), order)


@every_signal
def test_a_signal_leaves_its_evidence_unchanged_and_repeats_itself(signal):
    check_leaves_evidence_unchanged(signal, world()[0])


@every_signal
def test_a_signal_names_the_evidence_it_misses(signal):
    check_missing(signal, world()[0])


@every_signal
def test_a_signal_uses_no_evidence_it_does_not_declare(signal):
    check_needs_no_more_than_declared(signal, world()[0])


@pytest.mark.parametrize(
    ("signal", "target"), TARGETS, ids=[f"{signal.column}-{target.value}" for signal, target in TARGETS]
)
def test_a_signal_is_higher_on_each_type_that_it_targets(signal, target):
    check_finds(signal, *(world_of_one_label() if signal.name in ONE_LABEL else world()), target)


def test_pcid_is_blind_to_strangers_of_random_labels():
    with pytest.raises(AssertionError, match=r"AUROC 0\.[0-4]"):
        check_finds(SIGNALS["pcid"], *world(), AnomalyType.OOD)


@pytest.mark.parametrize("signal", BLIND, ids=lambda signal: signal.column)
def test_uncertainty_does_not_see_the_given_label(signal):
    check_blind_to_labels(signal, world()[0])


def test_every_type_is_the_target_of_a_signal():
    assert {target for _, target in TARGETS} == {*MADE[1:], *ImageDefect}


def test_the_feature_table_holds_every_signal_of_the_world():
    evidence, _ = world()
    table = feature_table(evidence)
    assert list(table.columns) == ["sample_id", *(signal.column for signal in SIGNALS.values())]
    np.testing.assert_array_equal(table["sample_id"], evidence.sample_id)


def test_the_suggested_label_is_another_class_and_mends_most_near_misses():
    evidence, types = world()
    suggested = suggested_label(evidence.recording)
    assert suggested.dtype == np.int64 and not (suggested == evidence.labels).any()
    swapped = types == "near_miss"
    assert np.mean(suggested[swapped] == evidence.labels[swapped] ^ 1) > 0.9
