from dataclasses import fields, replace

import numpy as np
import pytest
from planted import permuted, world
from signal_laws import (
    check_blind_to_labels,
    check_declaration,
    check_finds,
    check_leaves_evidence_unchanged,
    check_missing,
    check_needs_no_more_than_declared,
    check_permutation,
    check_shape,
    fingerprint,
)

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.errors import Leakage, MissingEvidence
from anomaly_mlflow.signals import CrossFit, Evidence, Signal, find


def made(function, needs=("logits",), **changes):
    """A signal outside the registry."""
    function.__doc__ = function.__doc__ or "Broken."
    parts = {"family": "uncertainty", "targets": (AnomalyType.OOD,), "source": "nobody (never)", "cost": "n"} | changes
    return Signal(name="broken", needs=needs, function=function, **parts)


@pytest.fixture
def own_world():
    """The planted world with arrays that a test may spoil."""
    evidence, types = world()
    return permuted(evidence, np.arange(len(types)), np.random.default_rng(0)), types


@pytest.mark.parametrize("name", ["entropy", "area_under_margin", "knn_distance"])
def test_a_signal_of_the_wrong_sign_is_caught(name):
    signal = find(name)
    flipped = replace(signal, function=lambda evidence: -signal.function(evidence))
    with pytest.raises(AssertionError, match="AUROC"):
        check_finds(flipped, *world(), signal.targets[0])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_signal_that_is_not_finite_is_caught(value):
    with pytest.raises(AssertionError, match="not finite"):
        check_shape(made(lambda evidence: np.where(evidence.labels == 2, value, 0.0)), world()[0])


def test_a_signal_of_another_shape_is_caught():
    with pytest.raises(AssertionError):
        check_shape(made(lambda evidence: evidence.logits), world()[0])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda evidence: evidence.logits.sort(axis=1),
        lambda evidence: evidence.recording.learning_rate.fill(0),
        lambda evidence: evidence.references[1].embeddings.fill(0),
        lambda evidence: evidence.labels.sort(),
    ],
    ids=["logits", "learning rate", "embeddings", "labels"],
)
def test_a_signal_that_changes_its_evidence_is_caught(spoil, own_world):
    def spoiler(evidence):
        spoil(evidence)
        return np.zeros(len(evidence.labels))

    with pytest.raises(AssertionError, match="changed"):
        check_leaves_evidence_unchanged(made(spoiler), own_world[0])


def test_a_signal_that_differs_from_call_to_call_is_caught():
    rng = np.random.default_rng(0)
    with pytest.raises(AssertionError):
        check_leaves_evidence_unchanged(made(lambda evidence: rng.random(len(evidence.labels))), world()[0])


def test_a_signal_that_depends_on_the_order_of_rows_is_caught():
    evidence, types = world()
    order = np.random.default_rng(1).permutation(len(types))
    moved = permuted(evidence, order, np.random.default_rng(1))
    for by_position in (
        lambda evidence: np.arange(len(evidence.labels)),
        lambda evidence: np.cumsum(evidence.logits[:, 0]),
        lambda evidence: np.concatenate([fold.embeddings[:, 0] for fold in evidence.references]),
    ):
        with pytest.raises(AssertionError):
            check_permutation(made(by_position), evidence, moved, order)


def test_a_signal_that_needs_more_than_it_declares_is_caught():
    with pytest.raises((AssertionError, TypeError)):
        check_needs_no_more_than_declared(made(lambda evidence: evidence.stochastic[0, :, 0]), world()[0])


def test_a_signal_that_does_without_its_declared_need_is_not_run():
    with pytest.raises(MissingEvidence, match="signal 'broken' needs stochastic"):
        made(lambda evidence: evidence.labels, ("stochastic",))(replace(world()[0], stochastic=None))


def test_a_missing_need_that_goes_unnamed_is_caught():
    class Silent(Signal):
        def __call__(self, evidence):
            return np.zeros(len(evidence.labels))

    silent = Silent("silent", "uncertainty", ("logits",), (AnomalyType.OOD,), "nobody", "n", lambda evidence: None)
    with pytest.raises(pytest.fail.Exception):
        check_missing(silent, world()[0])


def test_an_uncertainty_that_sees_the_given_label_is_caught():
    with pytest.raises(AssertionError):
        check_blind_to_labels(find("loss"), world()[0])


@pytest.mark.parametrize(
    "changes",
    [{"source": " "}, {"targets": ()}, {"targets": (AnomalyType.CLEAN,)}, {"family": "astrology"}, {"needs": ()}],
    ids=str,
)
def test_a_signal_that_does_not_say_what_it_is_is_caught(changes):
    with pytest.raises(AssertionError):
        check_declaration(made(lambda evidence: evidence.labels, **changes))


def test_a_signal_without_a_docstring_is_caught():
    def silent(evidence): ...

    with pytest.raises(AssertionError):
        check_declaration(replace(made(silent), function=lambda evidence: None))


def test_the_fingerprint_sees_every_array(own_world):
    evidence, _ = own_world
    before = fingerprint(evidence)
    evidence.references[0].reference_embeddings[0, 0] += 1
    assert fingerprint(evidence) != before


def test_an_encoder_that_saw_a_judged_row_is_leakage():
    fold = world()[0].references[0]
    judged, seen = np.arange(len(fold.rows)), np.arange(len(fold.reference_labels)) + len(fold.rows) - 1
    with pytest.raises(Leakage, match="saw them"):
        CrossFit(
            fold.rows,
            fold.embeddings,
            judged,
            fold.reference_embeddings,
            fold.reference_labels,
            seen,
        )


def test_source_groups_do_not_reach_a_signal():
    # Strangers have groups of their own: a signal that could read them would read the ledger.
    assert not hasattr(world()[0].references[0], "judged_groups")
    assert not hasattr(world()[0].references[0], "reference_groups")


def test_evidence_has_no_place_for_the_ledger():
    names = {field.name for field in fields(Evidence)} | {field.name for field in fields(CrossFit)}
    truths = ("ledger", "truth", "true", "anomaly", "type", "kind", "severity", "source", "clean")
    assert not [name for name in names if any(truth in name for truth in truths)]
    with pytest.raises(TypeError):
        Evidence(np.arange(2), np.zeros(2, int), 2, ledger=np.zeros(2))
    with pytest.raises(AttributeError):
        Evidence(np.arange(2), np.zeros(2, int), 2).ledger = np.zeros(2)
