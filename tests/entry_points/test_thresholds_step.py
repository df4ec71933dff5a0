"""train_thresholds: two trainings with threshold samples, and their files read back."""

import json

import numpy as np
import pandas as pd
import pytest

from anomaly_mlflow.errors import BadData, RunNotFound
from anomaly_mlflow.tracking.run import Run
from entry_points.threshold_files import read_threshold_runs

pytestmark = pytest.mark.filterwarnings("default")

IDS = np.arange(10, 16)
THRESHOLD = np.array([True, False, False, False, False, True])


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run of six rows, all of whose files are in a folder."""
    found = Run.__new__(Run)
    found.id = "r"
    monkeypatch.setattr(Run, "path", lambda self, artifact: tmp_path / artifact)
    for number in range(2):
        write(tmp_path, number)
    return found


def write(folder, number, **changed):
    columns = {"sample_id": IDS, "threshold": THRESHOLD, "margin": np.arange(6, dtype=np.float32), **changed}
    (folder / "thresholds").mkdir(exist_ok=True)
    pd.DataFrame(columns).to_parquet(folder / "thresholds" / f"run={number}.parquet")


def test_both_trainings_are_read_in_the_order_of_the_samples(run):
    first, second = read_threshold_runs(run, IDS)
    assert np.array_equal(first.threshold, THRESHOLD) and second.margin.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"sample_id": IDS[::-1]}, "made from other samples"),
        ({"margin": [0, 1, 2, 3, 4, np.nan]}, "no numbers"),
        ({"margin": ["a"] * 6}, "no numbers"),
        ({"threshold": [1, 0, 0, 0, 0, 1]}, "no threshold rows"),
        ({"threshold": np.zeros(6, bool)}, "no threshold rows"),
        ({"threshold": np.ones(6, bool)}, "beside others"),
    ],
    ids=str,
)
def test_files_that_somebody_changed_end_in_one_line(run, tmp_path, changed, says):
    write(tmp_path, 1, **changed)
    with pytest.raises(BadData, match=says):
        read_threshold_runs(run, IDS)


def test_a_training_that_is_missing_is_told(run, tmp_path):
    (tmp_path / "thresholds" / "run=1.parquet").unlink()
    with pytest.raises(RunNotFound, match=r"thresholds/run=1\.parquet"):
        read_threshold_runs(run, IDS)


def test_the_files_of_the_step_hold_every_row(desk):
    words = ["--subset", "200", "--model", "convnet", "--epochs", "1", "--baseline_epochs", "1", "--jobs", "1"]
    done = desk.type("train_thresholds", *words)
    assert done.returncode == 0, done.stderr[-2000:]
    made = desk.runs("train_thresholds")[0].info.run_id
    assert json.loads(desk.artifact(made, "upstream.json").read_text())["generate_noise"]
    noise = desk.artifact(desk.runs("generate_noise")[0].info.run_id, "samples/labels.parquet")
    tables = [pd.read_parquet(desk.artifact(made, f"thresholds/run={number}.parquet")) for number in range(2)]
    for table in tables:
        assert np.array_equal(table["sample_id"], pd.read_parquet(noise)["sample_id"])
        assert table["threshold"].sum() == 200 // 11 and np.isfinite(table["margin"]).all()
    assert not (tables[0]["threshold"] & tables[1]["threshold"]).any()
