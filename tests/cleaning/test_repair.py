"""Repair by agreement: who agrees with whom decides, never how many of one mechanism; the cap and the reasons."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from anomaly_mlflow.cleaning import base
from anomaly_mlflow.cleaning import repair as repair_module
from anomaly_mlflow.cleaning.base import Cleaned
from anomaly_mlflow.cleaning.repair import Reason, repaired_labels, repairs
from anomaly_mlflow.errors import UnknownName

GIVEN = np.zeros(6, np.int64)
IDS = np.array([50, 10, 40, 20, 30, 60])


@pytest.fixture(autouse=True)
def four_cleaners(monkeypatch):
    """Two of one mechanism, two of others; a class may be changed whole."""
    monkeypatch.setattr(base, "CLEANERS", {})
    monkeypatch.setattr(repair_module, "CLASS_CAP", 1.0)
    for name, mechanism in {"loss": "training", "slope": "training", "folds": "folds", "near": "embedding"}.items():
        function = lambda evidence, *, seed: None  # noqa: E731
        function.__name__ = name
        base.cleaner((), mechanism, "nobody")(function)


def says(labels, confidence=0.9, kept=None):
    labels = np.array(labels, np.int64)
    kept = labels == GIVEN[: len(labels)] if kept is None else np.array(kept)
    sure = np.broadcast_to(np.asarray(confidence, float), labels.shape)
    return Cleaned(kept.astype(float), kept, labels, sure)


def repair(**cleaned):
    how = {key: cleaned.pop(key) for key in ("cap", "least_confidence", "probabilities") if key in cleaned}
    return repairs(IDS, GIVEN, cleaned, **({"cap": 1.0, "least_confidence": 0.5} | how))


def test_two_mechanisms_change_a_label_and_two_cleaners_of_one_do_not():
    found = repair(loss=says([1, 1, 0, 2, 0, 0]), slope=says([1, 1, 0, 2, 0, 3]), folds=says([0, 1, 0, 3, 0, 0]))
    assert list(found["repaired"]) == [False, True, False, False, False, False]
    assert list(found["reason"]) == [
        Reason.ONE_MECHANISM, "", Reason.NOT_DOUBTED, Reason.DISAGREEMENT, Reason.NOT_DOUBTED, Reason.NO_PROPOSAL
    ]  # fmt: skip
    assert found["mechanisms"][1] == "folds,training" and found["mechanisms"][0] == "training"
    assert list(repaired_labels(found)) == [0, 1, 0, 0, 0, 0]


def test_a_mechanism_proposes_what_most_of_its_cleaners_propose():
    found = repair(loss=says([1] * 6), slope=says([1, 1, 1, 2, 2, 0]), folds=says([1] * 6))
    assert list(found["repaired"]) == [True] * 3 + [False] * 3
    assert set(found["reason"][3:]) == {Reason.ONE_MECHANISM}  # training is of two minds there


def test_without_a_model_that_never_saw_the_label_nothing_is_changed():
    found = repair(loss=says([1] * 6, 0.99), near=says([1] * 6, 0.99))
    assert not found["repaired"].any() and set(found["reason"]) == {Reason.NO_OUTSIDER}
    assert repair(loss=says([1] * 6), near=says([1] * 6), folds=says([1] * 6))["repaired"].all()


def test_no_class_loses_more_than_half_of_its_labels(monkeypatch):
    monkeypatch.setattr(repair_module, "CLASS_CAP", 0.5)
    given, to = np.array([0, 0, 0, 1, 2, 2]), np.array([1, 1, 1, 0, 0, 0])
    sure = np.array([0.6, 0.9, 0.8, 0.9, 0.7, 0.95])
    one = Cleaned(np.zeros(6), np.zeros(6, bool), to, sure)
    found = repairs(IDS, given, {"loss": one, "folds": one}, cap=1.0, least_confidence=0.5)
    assert list(found["repaired"]) == [False, True, False, False, False, True]
    assert set(found["reason"][~found["repaired"]]) == {Reason.BEYOND_CLASS_CAP}


def test_all_rows_stay_and_what_is_left_alone_has_a_reason():
    found = repair(loss=says([1, 0, 1, 0, 2, 0]), folds=says([1, 0, 2, 0, 2, 0], kept=[0, 0, 0, 1, 0, 1]), cap=0.2)
    assert list(found["sample_id"]) == list(IDS) and list(found["given"]) == list(GIVEN)
    assert ((found["reason"] == "") == found["repaired"]).all()
    assert found["reason"][1] == Reason.NO_PROPOSAL and found["suggested"][1] == 0


def test_what_two_mechanisms_doubt_and_is_left_alone_is_set_aside_if_one_never_saw_the_label():
    first = np.array([False, False, False, True, True, True])
    doubts = lambda kept: says([0] * 6, kept=kept)  # noqa: E731
    found = repair(loss=doubts(first), slope=doubts(first), folds=doubts(first), near=doubts(~first))
    assert list(found["set_aside"]) == [True] * 3 + [False] * 3
    assert not repair(loss=doubts(first), slope=doubts(first), folds=doubts(~first), near=doubts(first))[
        "set_aside"
    ].any()
    assert not repair(loss=doubts(first), slope=doubts(~first), folds=doubts(first))["set_aside"].any()  # no majority
    repaired = repair(loss=says([1] * 6), folds=says([1] * 6))
    assert repaired["repaired"].all() and not repaired["set_aside"].any()
    proposed = repair(loss=says([1] * 6, 0.3, kept=[True] * 6), folds=says([1] * 6, 0.3))
    assert proposed["set_aside"].all()  # who would change a label doubts it


def test_cleaners_that_only_select_are_not_asked_where_others_of_their_mechanism_repair(monkeypatch):
    monkeypatch.setitem(base.CLEANERS, "slope", replace(base.CLEANERS["slope"], repairs=False))
    drops, keeps = says([0] * 6, kept=[False] * 6), says([0] * 6)
    assert not repair(loss=keeps, slope=drops, folds=drops)["set_aside"].any()
    assert repair(slope=drops, folds=drops)["set_aside"].all()


def test_of_two_witnesses_the_less_sure_one_counts_and_a_third_can_only_raise_it():
    two = repair(loss=says([1] * 6, 0.9), folds=says([1] * 6, 0.6))
    assert np.allclose(two["confidence"], 0.6)
    three = repair(loss=says([1] * 6, 0.9), folds=says([1] * 6, 0.6), near=says([1] * 6, 0.8))
    assert np.allclose(three["confidence"], 0.8)
    same = repair(loss=says([1] * 6, 0.5), slope=says([1] * 6, 0.7), folds=says([1] * 6, 0.9))
    assert np.allclose(same["confidence"], 0.6)  # a mechanism is as sure as the median of its cleaners


def test_below_the_least_confidence_nothing_is_changed():
    sure = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    found = repair(loss=says([1] * 6, 0.95), folds=says([1] * 6, sure), least_confidence=0.6)
    assert list(found["repaired"]) == [True] * 4 + [False] * 2
    assert set(found["reason"][4:]) == {Reason.NOT_SURE}


def usual(kept_confidence, confidence, of_class=1, rows=5):
    """A cleaner that keeps five rows of a class, so sure of each, and would change the six that follow to it."""
    kept = np.arange(rows + 6) < rows
    sure = np.concatenate([np.broadcast_to(kept_confidence, rows), np.broadcast_to(confidence, 6)])
    return Cleaned(kept * 1.0, kept, np.full(rows + 6, of_class), sure)


def of_usual(least, rows=5, **cleaned):
    given = np.repeat([1, 0], [rows, 6])
    return repairs(np.arange(rows + 6), given, cleaned, cap=1.0, least_confidence=least).iloc[rows:]


def test_a_confidence_is_a_share_of_what_is_usual_with_the_kept_labels_of_that_class():
    modest = usual([0.8, 0.6, 0.7, 0.7, 0.7], [0.77, 0.7, 0.63, 0.62, 0.35, 0.73])
    found = of_usual(0.9, folds=modest, loss=usual(0.9, 0.99))
    assert np.allclose(found["confidence"], [1.0, 1.0, 0.9, 0.62 / 0.7, 0.5, 1.0])
    assert list(found["repaired"]) == [True, True, True, False, False, True]
    half = of_usual(0.9, folds=usual([0.78, 0.74, 0.76, 0.76, 0.76], 0.76 * 0.9), loss=usual(0.9, 0.99))
    assert half["repaired"].all()  # another scale, the same answer


def test_the_surest_come_first_also_where_all_are_surer_than_usual():
    sure = np.array([0.7, 0.95, 0.8, 0.75, 0.9, 0.85])
    cleaned = {"folds": usual(0.65, sure), "loss": usual(0.65, 0.99)}
    found = repairs(np.arange(11), np.repeat([1, 0], [5, 6]), cleaned, cap=3 / 11, least_confidence=0.9).iloc[5:]
    assert list(found["repaired"]) == [False, True, False, False, True, True] and (found["confidence"] == 1).all()


def test_few_kept_labels_of_a_class_say_nothing_of_what_is_usual():
    for rows, changed in ((5, True), (4, False)):  # of four kept ones, no class has enough: 0.65 is a share of 1
        one = usual(0.65, 0.65, rows=rows)
        assert of_usual(0.9, rows=rows, folds=one, loss=one)["repaired"].eq(changed).all()


def test_models_that_know_nothing_change_nothing():
    one = usual(0.52, 0.55)
    assert not of_usual(0.9, folds=one, loss=one)["repaired"].any()  # of two classes 0.625 is the least that is usual


@pytest.mark.parametrize(("cap", "changed"), [(0.0, 0), (0.34, 2), (0.5, 3), (0.99, 5), (1.0, 6)])
def test_never_more_than_the_cap_is_changed_the_surest_first(cap, changed):
    sure = np.array([0.6, 0.9, 0.8, 0.8, 0.7, 0.95])
    found = repair(loss=says([1] * 6, sure), folds=says([1] * 6, 0.99), cap=cap)
    assert found["repaired"].sum() == changed
    order = [5, 1, 3, 2, 4, 0]  # of two equal ones sample 20 comes before 40
    assert set(np.flatnonzero(found["repaired"])) == set(order[:changed])
    assert set(found["reason"][~found["repaired"]]) <= {Reason.BEYOND_CAP}


def test_two_labels_with_two_mechanisms_each_are_left_alone(monkeypatch):
    monkeypatch.setitem(base.CLEANERS, "checked", replace(base.CLEANERS["near"], name="checked", mechanism="reference"))
    found = repair(loss=says([1] * 6), folds=says([1] * 6), near=says([2] * 6), checked=says([2] * 6))
    assert not found["repaired"].any() and set(found["reason"]) == {Reason.DISAGREEMENT}


def test_rows_in_another_order_get_the_same_answer():
    rng, rows = np.random.default_rng(0), 120
    given, ids = rng.integers(0, 3, rows), rng.permutation(rows)
    flip = lambda: np.where(rng.random(rows) < 0.6, given, (given + 1) % 3)  # noqa: E731
    parts = {}
    for name in ("loss", "slope", "folds", "near"):
        labels = flip()
        parts[name] = Cleaned(rng.random(rows), labels == given, labels, rng.uniform(0.6, 1, rows))
    order = rng.permutation(rows)
    moved = {name: Cleaned(*(values[order] for values in vars(one).values())) for name, one in parts.items()}
    one = repairs(ids, given, parts, cap=0.1, least_confidence=0.9)
    two = repairs(ids[order], given[order], moved, cap=0.1, least_confidence=0.9)
    assert 0 < one["repaired"].sum() <= 12 and one["set_aside"].any()
    columns = [name for name in one if name != "confidence"]
    assert one.iloc[order].reset_index(drop=True)[columns].equals(two[columns])
    assert np.allclose(one["confidence"].to_numpy()[order], two["confidence"])


def test_the_type_comes_from_what_models_that_never_saw_the_row_say():
    p = np.array([[0.3, 0.6, 0.1], [0.1, 0.6, 0.3], [0.4, 0.3, 0.3], [0.3, 0.6, 0.1], [0.4, 0.3, 0.3], [0.1, 0.8, 0.1]])
    doubts = says([1, 1, 1, 0, 0, 1], kept=[0, 0, 0, 1, 0, 0])
    found = repair(loss=doubts, folds=doubts, probabilities=p)
    assert list(found["type"]) == ["near_miss", "far", "ood_like", "", "ood_like", "near_miss"]
    assert set(repair(loss=doubts)["type"]) == {""}


def test_nobody_objects_and_nothing_changes():
    found = repair(loss=says([0] * 6), folds=says([0] * 6))
    assert set(found["reason"]) == {Reason.NOT_DOUBTED} and set(found["confidence"]) == {0.0}


def test_a_cleaner_that_is_not_registered_is_told():
    with pytest.raises(UnknownName, match="unknown cleaner 'oracle'"):
        repair(oracle=says([1] * 6))


@dataclass(frozen=True)
class World:
    truth: np.ndarray
    given: np.ndarray
    cleaned: dict


def planted(flips, seed=0, n=4000, classes=10, accuracy=0.9, alike=0.0):
    """Mechanisms that are right of a row's class in so many cases, and rather sure; of their errors some are alike.

    alike: share of the rows that look like another class, the same to all of them.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    given = np.where(rng.random(n) < flips, (truth + rng.integers(1, classes, n)) % classes, truth)
    misleading, other = rng.random(n) < alike, (truth + rng.integers(1, classes, n)) % classes
    cleaned = {}
    for name in ("loss", "folds", "near"):
        right = (rng.random(n) < accuracy) & ~misleading
        own = (truth + rng.integers(1, classes, n)) % classes
        guess = np.where(right, truth, np.where(misleading, other, own))
        sure = np.where(right, rng.beta(8, 2, n), rng.beta(3, 3, n))
        cleaned[name] = Cleaned((guess == given).astype(float), guess == given, guess, sure)
    return World(truth, given, cleaned)


def test_where_mechanisms_err_apart_few_clean_labels_are_changed_and_where_they_err_alike_the_alike_ones():
    """Each mechanism alone doubts one label in ten; of rows that mislead all of them agreement is no evidence."""
    for seed in range(3):
        apart, together = planted(0.0, seed), planted(0.0, seed, alike=0.05)
        assert all((one.labels != apart.given).mean() > 0.08 for one in apart.cleaned.values())
        changed = [_changed(one, least_confidence=0.5) for one in (apart, together)]
        assert changed[0] < 0.01 < changed[1] < 0.05


def test_of_flipped_labels_most_are_mended_and_what_is_mended_is_mostly_right():
    world = planted(0.2)
    found = repairs(np.arange(len(world.given)), world.given, world.cleaned, least_confidence=0.5)
    wrong, after = world.given != world.truth, repaired_labels(found) != world.truth
    assert (after & wrong).sum() < 0.2 * wrong.sum() and (after & ~wrong).mean() < 0.01


def _changed(world, **how):
    return repairs(np.arange(len(world.given)), world.given, world.cleaned, **how)["repaired"].mean()
