"""Repairs against the truth, counted by hand."""

import numpy as np
import pandas as pd
import pytest

from anomaly_mlflow.cleaning.repair import Reason
from anomaly_mlflow.studies.repair_measures import measure_repairs, set_of, sets_table

TRUTH = np.array([0, 0, 0, 1, 1, 1, -1, 1])
FRAME = pd.DataFrame(
    {
        "given": [0, 1, 1, 1, 0, 0, 0, 1],
        "suggested": [0, 0, 2, 0, 1, 1, 1, 1],
        "repaired": [False, True, True, True, True, False, True, False],
        "set_aside": [False] * 5 + [True] + [False] * 2,
        "reason": [Reason.NOT_DOUBTED, "", "", "", "", Reason.ONE_MECHANISM, "", Reason.NOT_DOUBTED],
    }
)


def test_mended_and_broken_labels_are_counted():
    """Right: rows 0, 3, 7. Changed: 1 and 4 rightly, 2 to another wrong one, 3 broken, 6 shows no class."""
    found = measure_repairs(FRAME, TRUTH, np.arange(8), draws=100).set_index("measure")
    value = found["value"]
    assert value["changed"] == pytest.approx(5 / 8) and value["wrong_before"] == pytest.approx(5 / 8)
    assert value["repair_accuracy"] == pytest.approx(2 / 5) and found.loc["repair_accuracy", "of"] == 5
    assert value["coverage"] == pytest.approx(4 / 5) and value["mended"] == pytest.approx(2 / 5)
    assert value["broken"] == pytest.approx(1 / 3) and found.loc["broken", "of"] == 3
    assert value["wrong_after"] == pytest.approx(4 / 8)
    assert value["set_aside"] == pytest.approx(1 / 8) and value["wrong_certain"] == pytest.approx(3 / 7)
    assert found["low"].isna().all()  # of so few rows there is no interval


def test_intervals_hold_the_value_and_nothing_repaired_has_no_accuracy():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 600)
    given = np.where(rng.random(600) < 0.3, (truth + 1) % 3, truth)
    repaired = (given != truth) & (rng.random(600) < 0.5)
    frame = pd.DataFrame({"given": given, "suggested": truth, "repaired": repaired, "reason": "", "set_aside": False})
    found = measure_repairs(frame, truth, np.arange(600), draws=200)
    assert (found["low"] <= found["value"]).all() and (found["value"] <= found["high"]).all()
    none = measure_repairs(frame.assign(repaired=False), truth, np.arange(600), draws=200).set_index("measure")
    assert np.isnan(none.loc["repair_accuracy", "value"]) and none.loc["broken", "value"] == 0
    clean = measure_repairs(frame.assign(given=truth, repaired=False), truth, np.arange(600), draws=200)
    assert np.isnan(clean.set_index("measure").loc["mended", "value"])


def test_every_label_is_easy_hard_or_corrected():
    assert list(set_of(FRAME)) == ["easy", *["corrected"] * 4, "hard", "corrected", "easy"]
    table = sets_table(FRAME, TRUTH).set_index("set")
    assert list(table["labels"]) == [2, 1, 5]
    assert table.loc["corrected", "right before"] == pytest.approx(1 / 5)
    assert table.loc["corrected", "right after"] == pytest.approx(2 / 5)
    assert list(sets_table(FRAME, None).columns) == ["set", "labels", "share"]
