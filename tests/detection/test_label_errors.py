"""Features of a planted set with probes -> the table of label errors."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from anomaly_mlflow.anomalies.label_probes import PROBES
from anomaly_mlflow.detection.label_errors import estimate, measures
from anomaly_mlflow.detection.ranking import SUSPICION

N, EACH, SHARE = 3000, 150, 0.2
SHIFT = {"near_miss": 1.3, "instance_dependent": 1.3, "gross": 2.5, "random_flip": 2.0, "ood": 1.3}


@pytest.fixture(scope="module")
def found():
    """Errors of people that look as near misses and instance-dependent probes do."""
    rng = np.random.default_rng(0)
    kinds = np.append(np.full(N, "", dtype=object), np.repeat([str(kind) for kind in PROBES], EACH))
    wrong = (rng.random(len(kinds)) < SHARE) & (kinds == "")
    shift = np.array([SHIFT.get(kind, 0.0) for kind in kinds]) + 1.3 * wrong
    columns = {name: shift + rng.normal(size=len(kinds)) for name in SUSPICION}
    columns["ood.energy"] = 4.0 * (kinds == "ood") + rng.normal(size=len(kinds))
    columns["geometry.prototype_distance"] = 4.0 * (kinds == "gross") + rng.normal(size=len(kinds))
    ids = rng.permutation(len(kinds)) + 50
    labels = rng.integers(0, 3, len(kinds))
    p = 0.1 + 0.7 * np.eye(3)[(labels + wrong) % 3]
    planted = SimpleNamespace(sample_id=ids, labels=labels, groups=ids)
    result = estimate(pd.DataFrame({"sample_id": ids, **columns}), planted, kinds, p, (labels + 1) % 3, draws=100)
    return result, pd.Series(wrong, index=ids)


def test_the_table_keeps_the_rows_together(found):
    table, wrong = found[0].table, found[1]
    assert (table["suggested_label"] == (table["given_label"] + 1) % 3).all()
    assert wrong.loc[table["sample_id"]].to_numpy()[:200].mean() > 0.9
    assert table["suspicion"].is_monotonic_decreasing


def test_the_probability_is_calibrated_and_the_recall_foreseen_where_probes_are_like_errors(found):
    told = measures(*found)
    assert told["prior"] == pytest.approx(SHARE, abs=0.04)
    assert told["truth.calibration_error"] < 0.05
    assert abs(told["truth.recall_gap"]) < 0.1


def test_a_constant_probability_is_calibrated_and_has_no_skill(found):
    result, wrong = found
    flat = replace(result, table=result.table.assign(probability_of_error=wrong.loc[result.table["sample_id"]].mean()))
    told, blind = measures(*found), measures(flat, wrong)
    assert blind["truth.calibration_error"] < 0.05 and blind["truth.brier_skill"] == pytest.approx(0)
    assert told["truth.brier_skill"] > 0.2


def test_without_the_truth_nothing_is_said_of_it(found):
    assert not [name for name in measures(found[0], None) if name.startswith("truth")]


def test_the_types_of_probes_that_a_signal_tells_apart_are_found(found):
    types = found[0].types
    assert types["ood"] > 0.8
    assert types["gross"] > 0.8
    assert types["macro"] == pytest.approx(np.mean([types[kind] for kind in types if kind != "macro"]))
