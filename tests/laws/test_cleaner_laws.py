"""Laws over the whole registry: a cleaner that is added is found here because it exists."""

from dataclasses import replace

import cleaner_laws as laws
import numpy as np
import pytest
from planted import permuted
from planted_errors import world_of_errors

from anomaly_mlflow.cleaning import CLEANERS, Cleaned, Cleaner, find_cleaner
from anomaly_mlflow.cleaning.base import cleaner
from anomaly_mlflow.errors import UnknownName

every_cleaner = pytest.mark.parametrize("cleaner", CLEANERS.values(), ids=list(CLEANERS))

UPPER_PART = "a mixture finds an upper part among right labels too, the hard ones"
LEAVES_CLEAN_LABELS = {
    "small_loss": UPPER_PART,
    "small_loss_by_class": UPPER_PART,
    "entropy_window": UPPER_PART,
    "loss_window": UPPER_PART,
    "fine": "a mixture finds a less aligned part among right labels too",
}
"""Cleaners that, by their construction, do not keep 95 % of labels that are all right."""

NEVER_SEES_THE_LABEL = {"entropy_window": "a model that is sure of another class than the given one has a low entropy"}
"""Cleaners that, by their construction, do not notice the planted errors."""

LEAVES_ERRORS = {
    "anchors_learned": "it leaves a row alone where fewer than three valid anchors lie near it",
    "imprecise_labels": "its linear head learns from two thirds of the 600 rows",
}
"""Cleaners that, by their construction, do not settle 80 % of the errors; of what they change most is right."""


@every_cleaner
def test_a_cleaner_says_what_it_is(cleaner):
    laws.check_declaration(cleaner)


@every_cleaner
def test_a_cleaner_answers_for_every_row(cleaner):
    laws.check_answer(cleaner, world_of_errors()[0])


@every_cleaner
def test_a_cleaner_follows_a_permutation_of_the_rows(cleaner):
    evidence, truth = world_of_errors()
    rng = np.random.default_rng(1)
    order = rng.permutation(len(truth))
    try:
        laws.check_permutation(cleaner, evidence, permuted(evidence, order, rng), order)
    except AssertionError:
        if not _draws(cleaner, evidence):
            raise
        moved, there = cleaner(permuted(evidence, order, np.random.default_rng(1))), cleaner(evidence)
        assert (moved.labels == there.labels[order]).mean() > 0.95, "not only the draws hang on the place of a row"


@every_cleaner
def test_a_cleaner_is_reproducible_from_the_seed(cleaner):
    laws.check_repeats(cleaner, world_of_errors()[0])


@every_cleaner
def test_a_cleaner_leaves_its_evidence_unchanged(cleaner):
    laws.check_leaves_evidence_unchanged(cleaner, world_of_errors()[0])


@every_cleaner
def test_a_cleaner_trusts_planted_errors_less(cleaner, request):
    _may_fail(cleaner, request, NEVER_SEES_THE_LABEL)
    laws.check_finds(cleaner, *world_of_errors())


@every_cleaner
def test_a_cleaner_keeps_what_is_purer_and_most_of_what_is_right(cleaner, request):
    _may_fail(cleaner, request, NEVER_SEES_THE_LABEL)
    laws.check_selects(cleaner, *world_of_errors())


@pytest.mark.parametrize("cleaner", [each for each in CLEANERS.values() if each.repairs], ids=lambda each: each.name)
def test_a_cleaner_that_repairs_writes_the_right_label_for_most_planted_errors(cleaner, request):
    _may_fail(cleaner, request, NEVER_SEES_THE_LABEL | LEAVES_ERRORS)
    laws.check_repairs(cleaner, *world_of_errors())


@every_cleaner
def test_a_cleaner_changes_few_labels_where_all_are_right(cleaner):
    laws.check_changes_few_clean_labels(cleaner, world_of_errors(share=0)[0])


@every_cleaner
def test_a_cleaner_keeps_nearly_all_labels_where_all_are_right(cleaner, request):
    _may_fail(cleaner, request, LEAVES_CLEAN_LABELS)
    laws.check_keeps_clean_labels(cleaner, world_of_errors(share=0)[0])


@every_cleaner
def test_a_cleaner_names_the_evidence_it_misses(cleaner):
    laws.check_missing(cleaner, world_of_errors()[0])


@every_cleaner
def test_a_cleaner_uses_no_evidence_it_does_not_declare(cleaner):
    laws.check_needs_no_more_than_declared(cleaner, world_of_errors()[0])


def test_the_planted_world_has_a_fifth_of_wrong_labels_and_its_clean_twin_none():
    evidence, truth = world_of_errors()
    assert (evidence.labels != truth).mean() == pytest.approx(0.2)
    assert not evidence.trusted[evidence.labels != truth].any() and evidence.trusted.any()
    first, second = evidence.threshold_runs
    assert first.threshold.any() and second.threshold.any() and not (first.threshold & second.threshold).any()
    evidence, truth = world_of_errors(share=0)
    np.testing.assert_array_equal(evidence.labels, truth)


def test_an_unknown_cleaner_is_told_beside_the_known():
    with pytest.raises(UnknownName, match=r"unknown cleaner 'smal_loss'; .*small_loss"):
        find_cleaner("smal_loss")


def test_a_cleaner_of_a_taken_name_or_of_unknown_evidence_is_refused():
    def fine(evidence, *, seed):
        """Taken."""

    with pytest.raises(ValueError, match="registered already"):
        cleaner(("embeddings",), "embedding", "nobody")(fine)
    for needs, mechanism in ((("ledger",), "embedding"), (("embeddings",), "astrology")):
        with pytest.raises(ValueError, match="not known"):
            cleaner(needs, mechanism, "nobody")


def broken(**changes):
    """A cleaner outside the registry: the answer of small_loss with this put in place."""

    def function(evidence, *, seed):
        """Broken."""
        found = find_cleaner("small_loss").function(evidence, seed=seed)
        return replace(found, **{name: change(evidence, found, seed) for name, change in changes.items()})

    return Cleaner("broken", ("recording",), "training", "nobody", False, True, function)


def test_the_unbroken_cleaner_keeps_the_laws_that_the_broken_ones_break():
    evidence, truth = world_of_errors()
    for check in (laws.check_answer, laws.check_repeats, laws.check_leaves_evidence_unchanged):
        check(broken(), evidence)
    for check in (laws.check_finds, laws.check_selects, laws.check_repairs):
        check(broken(), evidence, truth)


RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        (laws.check_answer, {"trust": lambda evidence, found, seed: found.trust.astype(np.float32)}),
        (laws.check_answer, {"trust": lambda evidence, found, seed: found.trust + 0.01}),
        (laws.check_answer, {"confidence": lambda evidence, found, seed: np.full(len(found.trust), np.nan)}),
        (laws.check_answer, {"labels": lambda evidence, found, seed: found.labels + 1}),
        (laws.check_answer, {"kept": lambda evidence, found, seed: found.kept[:-1]}),
        (laws.check_repeats, {"trust": lambda evidence, found, seed: RNG.random(len(found.trust))}),
        (laws.check_leaves_evidence_unchanged, {"labels": lambda evidence, found, seed: evidence.labels}),
        (laws.check_needs_no_more_than_declared, {"trust": lambda evidence, found, seed: evidence.embeddings[:, 0]}),
    ],
)
def test_a_broken_answer_is_caught(check, changes):
    with pytest.raises((AssertionError, TypeError)):
        check(broken(**changes), world_of_errors()[0])


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        (laws.check_finds, {"trust": lambda evidence, found, seed: 1 - found.trust}),
        (laws.check_selects, {"kept": lambda evidence, found, seed: np.ones_like(found.kept)}),
        (laws.check_selects, {"kept": lambda evidence, found, seed: found.trust > np.quantile(found.trust, 0.9)}),
        (laws.check_repairs, {"labels": lambda evidence, found, seed: evidence.labels}),
    ],
)
def test_a_useless_answer_is_caught(check, changes):
    with pytest.raises(AssertionError):
        check(broken(**changes), *world_of_errors())


def test_a_cleaner_that_goes_by_the_place_of_a_row_is_caught():
    evidence, truth = world_of_errors()
    order = np.random.default_rng(1).permutation(len(truth))
    moved = permuted(evidence, order, np.random.default_rng(1))
    by_place = broken(trust=lambda evidence, found, seed: np.linspace(0, 1, len(found.trust)))
    with pytest.raises(AssertionError):
        laws.check_permutation(by_place, evidence, moved, order)


def test_a_cleaner_that_changes_right_labels_is_caught():
    evidence, _ = world_of_errors(share=0)
    other = broken(labels=lambda evidence, found, seed: (evidence.labels + 1) % evidence.num_classes)
    with pytest.raises(AssertionError, match="changed"):
        laws.check_changes_few_clean_labels(other, evidence)
    with pytest.raises(AssertionError, match="kept"):
        laws.check_keeps_clean_labels(broken(kept=lambda evidence, found, seed: found.trust < 0), evidence)


def _may_fail(cleaner: Cleaner, request, reasons: dict[str, str]) -> None:
    """Such a cleaner is expected to break the law, and to be taken off the list once it does not."""
    if cleaner.name in reasons:
        request.applymarker(pytest.mark.xfail(raises=AssertionError, strict=True, reason=reasons[cleaner.name]))


def _draws(cleaner: Cleaner, evidence) -> bool:
    first, second = (cleaner(evidence, seed) for seed in (0, 1))
    return not all(np.array_equal(getattr(first, name), getattr(second, name)) for name in Cleaned.__annotations__)
