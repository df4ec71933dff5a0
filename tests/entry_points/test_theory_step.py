"""The step `theory` on a few hundred digits."""

import numpy as np
import pandas as pd
import pytest

from anomaly_mlflow.errors import BadOption
from entry_points.theory_runs import check_rates, rates_of

pytestmark = pytest.mark.filterwarnings("default")

TINY = ["--subset", "300", "--model", "convnet", "--epochs", "2", "--baseline_epochs", "2", "--baseline_folds", "2"]
TINY += ["--folds", "2", "--seeds", "2", "--draws", "100", "--jobs", "1", "--near_miss_rates", "0.05,0.1"]
FINE = {
    "convention": "none", "hard_share": 0.05, "gross_share": 0.05, "random_flip_share": 0.05, "ood_share": 0.05,
    "near_miss_from": "any", "near_miss_rates": "0.05,0.1", "dataset": "digits", "ood": "noise", "hard_by": "margin",
    "near_table": "auto", "gross_table": "auto", "labels": None, "raters": None, "confusion": None,
}  # fmt: skip


def test_theory_is_set_beside_what_was_measured_and_trains_only_what_is_not_there(desk):
    done = desk.type("theory", *TINY)
    assert done.returncode == 0, done.stderr[-3000:]
    steps = [run.data.tags["anomaly.step"] for run in desk.runs()]
    # Two seeds at the study's own rate, of which the first serves as a rate too, and one training at the other rate.
    assert {name: steps.count(name) for name in set(steps)} == {
        "theory": 1, "train_baseline": 1, "generate_noise": 2, "train_clean": 1, "train_noisy": 3,
    }  # fmt: skip
    run = desk.runs("theory")[0]
    table = pd.read_csv(desk.artifact(run.info.run_id, "t1_pairs.csv"))
    assert len(table) == 90 and table["predicted"].between(0, 1).all()
    rates = pd.read_csv(desk.artifact(run.info.run_id, "t2_rates.csv"))
    assert list(rates["share"]) == [0.05, 0.1] and list(rates["n_near_miss"]) == [15, 30]
    types = pd.read_csv(desk.artifact(run.info.run_id, "t3_types.csv"), index_col=0)
    assert list(types.index) == ["all", "clean", "hard", "near_miss", "gross", "random_flip", "ood"]
    assert types.loc["all", "loss"] == pytest.approx(run.data.metrics["t3/all.spearman"])
    assert run.data.metrics["t1/predicted.spearman.low"] <= run.data.metrics["t1/predicted.spearman"]
    assert desk.artifact(run.info.run_id, "report.html").read_text().count("<img") == 4
    times = pd.read_csv(desk.artifact(run.info.run_id, "t3_times.csv"))
    assert len(times) == 2 and np.isfinite(times).all(axis=None)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"near_miss_rates": "0.1"}, "must name two or more shares"),
        ({"near_miss_rates": "0.1,x"}, "must name two or more shares"),
        ({"near_miss_rates": "0.1,0.95"}, "too few clean rows|sum to"),
        ({"hard_share": 0.0}, "leaves no hard images"),
        ({"convention": "symmetric"}, "makes no near misses"),
    ],
)
def test_rates_that_make_no_sense_are_refused_before_anything_is_made(changed, said):
    check_rates(FINE)
    with pytest.raises(BadOption, match=said):
        check_rates(FINE | changed)


def test_rates_are_taken_once_each_in_ascending_order():
    assert rates_of({"near_miss_rates": "0.2, 0.05,0.2"}) == [0.05, 0.2]
