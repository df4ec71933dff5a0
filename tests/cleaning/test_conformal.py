"""False discoveries stay below the level where random rows were checked, and do not where raters merely agreed."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from anomaly_mlflow.cleaning.base import find_cleaner
from anomaly_mlflow.cleaning.conformal import LEVEL, class_conditional_p_values, conformal_p_values
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.signals.evidence import Evidence

N, WRONG, CHECKED = 600, 0.2, 160


def study(seed, ease=(2.0, 1.2), raters=0):
    """Evidence of two classes and which labels are wrong; all who look share how easy a row is, of mean `ease`.

    raters: so many, who look at every row and err where it is hard; trusted: rows on which all say the given label.
    Without raters: random rows whose label is right.
    """
    rng = np.random.default_rng(seed)
    truth, wrong = rng.integers(0, 2, N), rng.random(N) < WRONG
    labels, ease = np.where(wrong, 1 - truth, truth), rng.normal(np.where(truth == 0, *ease), 0.8)
    evidence = Evidence(np.arange(N), labels, 2, out_of_fold=looks(ease, truth, rng))
    trusted = np.isin(np.arange(N), rng.permutation(np.flatnonzero(~wrong))[:CHECKED])
    if raters:
        said = np.stack([looks(ease, truth, rng).argmax(axis=1) for _ in range(raters)])
        trusted = (said == labels).all(axis=0)
    return replace(evidence, trusted=trusted), wrong


def looks(ease, truth, rng):
    towards = np.where(truth == 0, 1.0, -1.0) * (ease + 0.4 * rng.normal(size=N))
    return np.stack([towards, -towards], axis=1).astype(np.float32)


def false_share(evidence, wrong):
    flagged = ~find_cleaner("conformal_fdr")(evidence).kept
    return (flagged & ~wrong).sum() / max(1, flagged.sum()), (flagged & wrong).sum() / wrong.sum()


def mean_and_error(values):
    return np.mean(values), np.std(values, ddof=1) / np.sqrt(len(values))


def test_the_mean_false_discovery_proportion_is_at_most_the_level():
    found = np.array([false_share(*study(seed)) for seed in range(200)])
    (share, error), power = mean_and_error(found[:, 0]), found[:, 1].mean()
    assert share <= LEVEL + 2 * error
    assert share > LEVEL / 3 and power > 0.5, "a rule that flags nothing would pass"


AGREE = {0: (0.06, 0.06, 0.06), 1: (0.03, 0.15, 0.30), 3: (0.07, 0.23, 0.41)}
"""Raters -> mean false-discovery proportion where images are easy, harder, hardest."""


@pytest.mark.parametrize("raters", AGREE)
@pytest.mark.parametrize("place", range(3))
def test_rows_on_which_raters_agree_break_the_level_the_more_the_harder_the_images_are(raters, place):
    ease, named = ((2.6, 1.9), (2.0, 1.2), (1.2, 0.8))[place], AGREE[raters][place]
    share, error = mean_and_error([false_share(*study(seed, ease, raters))[0] for seed in range(60)])
    assert share == pytest.approx(named, abs=0.03), "docs/cleaning.md names this number"
    assert (share > LEVEL + 2 * error) == (named > LEVEL)


def test_p_values_by_hand():
    assert conformal_p_values(np.array([0.0, 2.0, 2.5, 5.0]), np.array([3.0, 1.0, 2.0])).tolist() == [
        1,
        0.75,
        0.5,
        0.25,
    ]


def test_a_class_with_enough_calibration_rows_is_ranked_among_its_own():
    calibration, labels = np.r_[np.zeros(500), np.ones(500), [9.0]], np.repeat([0, 1, 2], [500, 500, 1])
    p = class_conditional_p_values(np.array([0.5, 0.5, 0.5]), np.arange(3), calibration, labels)
    assert p.tolist() == [1 / 501, 1.0, 502 / 1002], "the third class has one row and is ranked among all"


@pytest.mark.parametrize("checked", [30, 60, 120])
def test_a_few_wrong_labels_in_ten_classes_are_found_however_many_rows_of_a_class_were_checked(checked):
    rng = np.random.default_rng(checked)
    labels, wrong = np.arange(5000) % 10, rng.random(5000) < 0.05
    scores, calibration = rng.normal(size=5000) + 4 * wrong, rng.normal(size=10 * checked)
    p = class_conditional_p_values(scores, labels, calibration, np.arange(10 * checked) % 10)
    flagged = false_discovery_control(p) <= LEVEL
    assert flagged[wrong].mean() > 0.5


def test_right_labels_of_a_hard_class_have_even_p_values_of_their_own():
    rng = np.random.default_rng(0)
    labels, calibration_labels = np.repeat([0, 1], 1000), np.repeat([0, 1], 600)
    scores, calibration = rng.normal(size=2000) + 2 * labels, rng.normal(size=1200) + 2 * calibration_labels
    hard = labels == 1
    own = class_conditional_p_values(scores, labels, calibration, calibration_labels)[hard]
    assert (own <= 0.1).mean() == pytest.approx(0.1, abs=0.04)
    assert (conformal_p_values(scores, calibration)[hard] <= 0.1).mean() > 0.15, "ranked among all it is suspected"


def test_trusted_rows_are_never_judged():
    evidence, _ = study(3)
    cleaned = find_cleaner("conformal_fdr")(evidence)
    assert cleaned.kept[evidence.trusted].all() and (cleaned.trust[evidence.trusted] == 1).all()
    assert not cleaned.kept.all() and np.array_equal(cleaned.labels, evidence.labels)
    nobody_judged = replace(evidence, trusted=np.ones(N, bool))
    assert find_cleaner("conformal_fdr")(nobody_judged).kept.all()


def test_without_any_trusted_row_nothing_can_be_said():
    evidence, _ = study(3)
    with pytest.raises(BadData, match="no row is trusted"):
        find_cleaner("conformal_fdr")(replace(evidence, trusted=np.zeros(N, bool)))
