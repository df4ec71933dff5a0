"""Settings of anchor hallucination as cleaners: each changes one thing, has a name of its own, and is asked for."""

from dataclasses import fields, replace

import numpy as np
import pytest
from anchor_world import anchor_world

from anomaly_mlflow.cleaning import CLEANERS, GROUPS, anchor_ablation, find_cleaner, hallucinator
from anomaly_mlflow.cleaning.anchor_ablation import ABLATIONS, CHANGES, GROUP
from anomaly_mlflow.cleaning.anchors import AnchorSettings
from anomaly_mlflow.errors import UnknownName


def test_every_change_is_one_change_of_a_known_setting():
    defaults = AnchorSettings()
    assert set(CHANGES) < {field.name for field in fields(AnchorSettings)}
    for name, values in CHANGES.items():
        assert getattr(defaults, name) not in values, f"{name} is no change"
    assert {one.field for one in ABLATIONS.values() if one.of == "anchors_linear"} == set(CHANGES) - {"beta"}
    assert {one.field for one in ABLATIONS.values() if one.of == "anchors_learned"} == set(CHANGES)


def test_the_group_holds_the_changes_their_defaults_and_the_baseline_and_the_registry_no_change():
    assert set(GROUPS[GROUP]) == {*ABLATIONS, "anchors_linear", "anchors_learned", "classifier_argmax"}
    assert not set(ABLATIONS) & set(CLEANERS)
    for name, one in GROUPS[GROUP].items():
        assert find_cleaner(name) is one and one.name == name


def test_a_change_says_what_it_is():
    one, default = find_cleaner("anchors_learned/lambda_p/0.8"), CLEANERS["anchors_learned"]
    assert one.source == f"{default.source}; with lambda_p = 0.8" and one.reconstruction and one.repairs
    assert (one.needs, one.mechanism) == (default.needs, default.mechanism)
    assert find_cleaner("anchors_linear/balanced/no").needs == CLEANERS["anchors_linear"].needs


def test_an_unknown_change_is_told_beside_the_known_ones_of_its_cleaner():
    with pytest.raises(UnknownName) as caught:
        find_cleaner("anchors_linear/lambda_p/0.9")
    assert "close: anchors_linear/lambda_p/0.5, anchors_linear/lambda_p/0.8," in str(caught.value)
    assert "anchors_learned/" not in str(caught.value)
    with pytest.raises(UnknownName, match=r"^unknown cleaner 'anchor_linear'; known: anchors_learned,"):
        find_cleaner("anchor_linear")


@pytest.fixture
def asked(monkeypatch):
    """The settings with which anchors were asked for."""
    seen = []

    def clean(evidence, settings, *, seed):
        seen.append((settings, seed))

    monkeypatch.setattr(anchor_ablation, "clean_by_anchors", clean)
    return seen


@pytest.mark.parametrize("name", ABLATIONS)
def test_a_change_reaches_the_anchors_and_nothing_else_does(name, asked):
    change = ABLATIONS[name]
    change.cleaner()(anchor_world(easy=2, hard=1)[0], seed=5)
    default = AnchorSettings(learned=change.of == "anchors_learned")
    assert asked == [(replace(default, **{change.field: change.value}), 5)]
    assert asked[0][0] != default


@pytest.mark.parametrize("name", ABLATIONS)
def test_a_change_answers_like_any_cleaner(name, monkeypatch):
    monkeypatch.setattr(hallucinator, "STEPS", 40)
    evidence = anchor_world()[0]
    check_answer(find_cleaner(name)(evidence), evidence)


OF_BALANCED_CLASSES = [one for one in ABLATIONS.values() if one.of == "anchors_linear" and one.field != "balanced"]


@pytest.mark.parametrize("change", OF_BALANCED_CLASSES, ids=lambda change: change.name)
def test_a_change_of_linear_anchors_says_something_else_than_its_default(change):
    evidence = anchor_world()[0]
    found, default = change.cleaner()(evidence), find_cleaner(change.of)(evidence)
    assert not np.array_equal(found.trust, default.trust)


def check_answer(found, evidence):
    assert [values.dtype for values in vars(found).values()] == [np.float64, np.bool_, np.int64, np.float64]
    for values in (found.trust, found.confidence):
        assert values.shape == evidence.labels.shape and values.min() >= 0 and values.max() <= 1


def test_an_easy_set_that_is_not_balanced_changes_what_anchors_say_of_a_long_tail():
    evidence = anchor_world()[0]
    rows = np.flatnonzero((evidence.labels != 3) | (np.arange(len(evidence.labels)) % 4 == 0))
    recording = evidence.recording
    tail = replace(
        evidence,
        sample_id=evidence.sample_id[rows],
        labels=evidence.labels[rows],
        embeddings=evidence.embeddings[rows],
        logits=evidence.logits[rows],
        recording=replace(
            recording,
            logits=recording.logits[:, rows],
            labels=recording.labels[rows],
            sample_id=recording.sample_id[rows],
        ),
    )
    found = find_cleaner("anchors_linear/balanced/no")(tail)
    check_answer(found, tail)
    assert not np.array_equal(found.trust, find_cleaner("anchors_linear")(tail).trust)
