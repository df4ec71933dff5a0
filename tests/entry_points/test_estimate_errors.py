"""The step that plants errors among given labels, from the command line to the page."""

import numpy as np
import pandas as pd
import pytest
from desk import Desk

import entry_points.all_steps  # noqa: F401
from anomaly_mlflow.data.sources import load
from anomaly_mlflow.errors import BadData, BadOption
from entry_points.options import OPTIONS
from entry_points.step import STEPS

pytestmark = pytest.mark.filterwarnings("default")
QUICK = ["--subset", "300", "--model", "convnet", "--epochs", "4", "--validation_folds", "2", "--probe_share", "0.3"]
QUICK += ["--draws", "100", "--jobs", "1"]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Digits of which people labelled one in eight wrongly."""
    desk = Desk(tmp_path_factory.mktemp("errors"))
    samples, rng = load("digits"), np.random.default_rng(0)
    given = (samples.labels + (rng.random(len(samples)) < 0.125)) % 10
    pd.DataFrame({"index": samples.sample_id, "given": given}).to_parquet(desk.folder / "people.parquet")
    found = desk.type("estimate_errors", *QUICK, "--labels", f"parquet:{desk.folder / 'people.parquet'}#given")
    assert found.returncode == 0, found.stderr[-3000:]
    return desk, found, pd.Series(given != samples.labels, index=samples.sample_id)


def artifact(done, name):
    desk = done[0]
    return desk.artifact(desk.runs("estimate_errors")[0].info.run_id, name)


def test_untouched_rows_alone_are_listed_most_suspicious_first(done):
    table = pd.read_parquet(artifact(done, "label_errors.parquet"))
    planted = pd.read_parquet(artifact(done, "features_with_probes.parquet"))
    assert set(table["sample_id"]) == set(planted.loc[planted["probe"] == "", "sample_id"])
    assert (planted["probe"] != "").sum() == 90
    assert table["suspicion"].is_monotonic_decreasing
    assert table["probability_of_error"].is_monotonic_decreasing
    assert list(table["rank"]) == list(range(1, len(table) + 1))


def test_the_types_share_out_the_probability_of_error(done):
    table = pd.read_parquet(artifact(done, "label_errors.parquet"))
    kinds = table[[name for name in table if name.startswith("type.")]]
    assert list(kinds) == ["type.near_miss", "type.gross", "type.random_flip", "type.ood"]
    assert kinds.sum(axis=1).to_numpy() == pytest.approx(table["probability_of_error"].to_numpy())


def test_real_errors_come_first_and_the_figures_against_the_truth_are_told(done):
    desk, found, wrong = done
    table = pd.read_parquet(artifact(done, "label_errors.parquet"))
    error = wrong.loc[table["sample_id"]].to_numpy()
    assert error[: error.sum()].mean() > 2 * error.mean()
    metrics = desk.runs("estimate_errors")[0].data.metrics
    assert metrics["truth.prior"] == pytest.approx(error.mean())
    assert {"prior", "predicted_recall_at_5", "truth.calibration_error", "truth.recall_gap"} <= set(metrics)
    assert "truth.calibration_error" in found.stdout


def test_the_page_says_how_many_labels_are_wrong_and_needs_nothing_from_outside(done):
    page = artifact(done, "report.html").read_text()
    assert "of the labels are wrong" in page
    assert 'src="http' not in page


@pytest.mark.parametrize(
    ("labels", "error", "words"),
    [("nowhere.parquet#a", BadData, "does not exist"), ("nowhere.parquet#a,b", BadOption, "must name one column")],
)
def test_labels_that_cannot_be_read_are_told_before_anything_is_trained(labels, error, words):
    options = {name: option.type.convert(option.default, option, None) for name, option in OPTIONS.items()}
    with pytest.raises(error, match=words):
        STEPS["estimate_errors"].check(options | {"labels": f"parquet:{labels}"})


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"near_table": "human"}, "need the truth"),
        ({"probe_share": 1.0}, "leaves too few labels as given"),
        ({"ood": "noise|digits"}, "ood=digits is the data set itself"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_trained(typed, message):
    step = STEPS["estimate_errors"]
    options = {name: OPTIONS[name].type.convert(OPTIONS[name].default, OPTIONS[name], None) for name in step.options}
    with pytest.raises(BadOption, match=message):
        step.check(options | typed)
