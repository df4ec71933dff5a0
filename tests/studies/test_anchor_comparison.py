"""Anchors beside their baselines and settings beside their defaults: differences by hand, and the rule."""

import numpy as np
import pandas as pd
import pytest

from anomaly_mlflow.cleaning.anchor_ablation import ARGMAX, BASELINES, LEARNED, LINEAR
from anomaly_mlflow.cleaning.base import Cleaned
from anomaly_mlflow.studies.anchor_comparison import COMPARED, ablation_table, baselines_table, earns_its_place
from anomaly_mlflow.studies.cleaner_measures import measure_cleaners
from anomaly_mlflow.studies.cleaner_table import cleaners_table, summarise, wide_table

CHANGED = f"{LINEAR}/lambda_p/0.8"
PAIR = ((LEARNED, ARGMAX), (ARGMAX, LEARNED))
N = 400


def world(seed, mends, rate=0.3):
    """Labels, and cleaners that write the right label for this share of the wrong ones and break a tenth as many."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, N)
    given = np.where(rng.random(N) < rate, (truth + 1) % 4, truth)
    wrong, cleaned, luck = given != truth, {}, rng.random(N)
    for name, share in mends.items():
        labels = np.where(luck < share, truth, np.where(luck > 1 - share / 10, (truth + 2) % 4, given))
        trust = np.where(wrong & (luck < share), 0.1, 0.3 + 0.5 * rng.random(N))
        cleaned[name] = Cleaned(trust, labels == given, labels, trust)
    return truth, given, cleaned


def measured(seed, mends, rate=0.3):
    truth, given, cleaned = world(seed, mends, rate)
    how = {"pairs": BASELINES, "draws": 200, "own_seed": seed}
    return measure_cleaners(cleaned, dict.fromkeys(cleaned, True), given, truth, np.arange(N), **how)


def results(mends, noise="asymmetric 0.3", seeds=2, rate=0.3):
    facts, seconds = {"rate": rate, "rows": N}, dict.fromkeys(mends, 1.0)
    found = [measured(seed, mends, rate) for seed in range(seeds)]
    return [summarise(noise, found, [facts] * seeds, [seconds] * seeds)]


def line(table, **keys):
    found = table[np.logical_and.reduce([table[name] == value for name, value in keys.items()])]
    assert len(found) == 1
    return found.iloc[0]


ALIKE = {LEARNED: 0.5, LINEAR: 0.5, ARGMAX: 0.5}


def test_two_are_set_beside_each_other_on_the_labels_that_both_change():
    mends = {LEARNED: 0.4, LINEAR: 0.5, ARGMAX: 0.7}
    truth, given, cleaned = world(0, mends)
    value = measured(0, mends).value
    for name, other in [*BASELINES, *(pair[::-1] for pair in BASELINES)]:
        both = (cleaned[name].labels != given) & (cleaned[other].labels != given)
        expected = (cleaned[name].labels == truth)[both].mean()
        assert value[f"{name}.repair_accuracy_with_{other}"] == pytest.approx(expected)
    assert value[f"{ARGMAX}.repair_accuracy_with_{LEARNED}"] != value[f"{ARGMAX}.repair_accuracy"]


def test_differences_are_paired_and_those_of_the_means_over_seeds():
    mends = {LEARNED: 0.6, LINEAR: 0.5, ARGMAX: 0.5}
    table = baselines_table(results(mends))
    assert len(table) == 3 * len(COMPARED) and set(table["seeds"]) == {2}
    each = [measured(seed, mends).value for seed in range(2)]
    mended = line(table, cleaner=LEARNED, beside=LINEAR, measure="mended")
    expected = np.mean([one[f"{LEARNED}.mended"] - one[f"{LINEAR}.mended"] for one in each])
    assert mended["difference"] == pytest.approx(expected) == pytest.approx(mended["value"] - mended["value_beside"])
    assert 0 < mended["low"] < mended["difference"] < mended["high"]
    both = line(table, cleaner=LEARNED, beside=ARGMAX, measure="where both change")
    expected = [np.mean([one[f"{a}.repair_accuracy_with_{b}"] for one in each]) for a, b in PAIR]
    assert [both["value"], both["value_beside"]] == pytest.approx(expected)
    # What does the same differs by nothing in every draw, though each of the two has an interval of its own.
    equal = line(table, cleaner=LINEAR, beside=ARGMAX, measure="mended")
    assert equal["low"] == equal["difference"] == equal["high"] == 0


def test_the_hallucinator_earns_its_place_where_it_is_ahead_of_both_and_behind_neither():
    better = earns_its_place(baselines_table(results({LEARNED: 0.7, LINEAR: 0.5, ARGMAX: 0.5}))).iloc[0]
    assert better["earns"] and "mended" in better["ahead"] and better["behind"] == ""
    alike = earns_its_place(baselines_table(results(ALIKE))).iloc[0]
    assert not alike["earns"] and alike["ahead"] == "" and "mended" not in alike["behind"]
    ahead_of_one = earns_its_place(baselines_table(results({LEARNED: 0.6, LINEAR: 0.8, ARGMAX: 0.4}))).iloc[0]
    assert not ahead_of_one["earns"] and f"mended beside {LINEAR}" in ahead_of_one["behind"]
    assert "mended" not in ahead_of_one["ahead"]


def test_to_be_ahead_of_both_somewhere_and_behind_one_elsewhere_is_not_enough():
    keys = [(other, measure) for other in (LINEAR, ARGMAX) for measure in ("mended", "average_precision")]
    table = pd.DataFrame(keys, columns=["beside", "measure"]).assign(noise="x", cleaner=LEARNED)
    ahead = table.assign(difference=0.15, low=0.1, high=0.2)
    assert earns_its_place(ahead)["earns"].all()
    assert not earns_its_place(ahead.assign(difference=0.009, low=0.005))["earns"].any(), "less than a point"
    assert not earns_its_place(ahead.assign(low=-0.01))["earns"].any(), "an interval around zero"
    behind = ahead.assign(difference=[0.15] * 3 + [-0.15], low=[0.1] * 3 + [-0.2], high=[0.2] * 3 + [-0.1])
    found = earns_its_place(behind).iloc[0]
    assert not found["earns"]
    assert (found["ahead"], found["behind"]) == ("mended", f"average_precision beside {ARGMAX}")
    assert earns_its_place(behind.replace("average_precision", "where both change")).iloc[0]["earns"], (
        "no measure of it"
    )
    assert not earns_its_place(table.assign(difference=np.nan, low=np.nan, high=np.nan))["earns"].any()


def test_a_changed_setting_stands_beside_the_default_of_its_own_kind():
    table = ablation_table(results({LINEAR: 0.5, LEARNED: 0.3, CHANGED: 0.6}))
    assert set(table["cleaner"]) == {LINEAR}
    assert set(table["setting"] + "=" + table["value_of_setting"]) == {"lambda_p=0.8"}
    one = line(table, measure="mended")
    expected = [measured(seed, {LINEAR: 0.5, LEARNED: 0.3, CHANGED: 0.6}).value for seed in range(2)]
    assert one["value"] == pytest.approx(np.mean([each[f"{CHANGED}.mended"] for each in expected]))
    assert one["default"] == pytest.approx(np.mean([each[f"{LINEAR}.mended"] for each in expected]))
    assert one["difference"] == pytest.approx(one["value"] - one["default"])
    assert one["low"] < one["difference"] < one["high"] and one["low"] > 0


def test_where_the_others_were_not_scored_or_no_label_is_wrong_there_is_nothing_to_compare():
    assert baselines_table(results({LEARNED: 0.5, LINEAR: 0.5})).empty
    assert ablation_table(results({LEARNED: 0.5, CHANGED: 0.5})).empty
    clean = results(ALIKE | {CHANGED: 0.6}, rate=0.0)
    assert baselines_table(clean).empty
    assert set(ablation_table(clean)["measure"]) == {"broken"}


def test_a_name_with_a_point_keeps_its_measures():
    table = cleaners_table(results({LINEAR: 0.5, CHANGED: 0.6}))
    assert set(table["cleaner"]) == {LINEAR, CHANGED}
    assert set(table.loc[table["cleaner"] == CHANGED, "mechanism"]) == {"embedding"}
    assert set(wide_table(table)["cleaner"]) == {LINEAR, CHANGED}
