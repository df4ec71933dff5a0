"""What cleaners or the repair logged and somebody changed ends in one line, and changes no label."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from anomaly_mlflow.errors import AnomalyError
from anomaly_mlflow.tracking.run import Run
from entry_points.cleaner_files import read_cleaned, read_repairs

SAMPLES = SimpleNamespace(sample_id=np.arange(10, 14), labels=np.array([0, 1, 1, 0]), num_classes=2, name="stripes")
SAID = {
    "trust": [0.9, 0.1, 0.8, 0.7],
    "kept": [True, False, True, True],
    "labels": [0, 0, 1, 0],
    "confidence": [0.9] * 4,
}
CLEANED = {"sample_id": SAMPLES.sample_id} | {f"fine.{name}": values for name, values in SAID.items()}
REPAIRED = {
    "sample_id": SAMPLES.sample_id,
    "given": SAMPLES.labels,
    "suggested": [0, 0, 1, 0],
    "confidence": [0.0, 0.9, 0.0, 0.0],
    "mechanisms": ["", "folds,training", "", ""],
    "type": [""] * 4,
    "repaired": [False, True, False, False],
    "reason": ["no cleaner doubts it", "", "no cleaner doubts it", "one mechanism alone proposes it"],
    "set_aside": [False, False, False, True],
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run all of whose files are in a folder."""
    found = Run.__new__(Run)
    found.id = "r"
    monkeypatch.setattr(Run, "path", lambda self, artifact: tmp_path / artifact)
    return found


def write(folder, artifact, columns, **changed):
    left = {name: values for name, values in (columns | changed).items() if values is not None}
    pd.DataFrame(left).to_parquet(folder / artifact)


def test_whole_files_are_read(run, tmp_path):
    write(tmp_path, "cleaners.parquet", CLEANED)
    write(tmp_path, "repairs.parquet", REPAIRED)
    assert list(read_cleaned(run, "fine", SAMPLES).labels) == SAID["labels"]
    assert list(read_repairs(run, SAMPLES)["set_aside"]) == REPAIRED["set_aside"]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("sample_id", [10, 11, 13, 12]),
        ("fine.kept", [1, 0, 1, 1]),
        ("fine.labels", [0, 2, 1, 0]),
        ("fine.labels", [0, -1, 1, 0]),
        ("fine.confidence", ["a", "b", "c", "d"]),
        ("fine.confidence", [0.9, np.nan, 0.9, 0.9]),
        ("fine.confidence", None),
    ],
)
def test_what_a_cleaner_cannot_have_said_is_refused(run, tmp_path, column, values):
    write(tmp_path, "cleaners.parquet", CLEANED, **{column: values})
    with pytest.raises(AnomalyError) as told:
        read_cleaned(run, "fine", SAMPLES)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("sample_id", [11, 10, 12, 13]),
        ("given", [0, 0, 1, 0]),
        ("suggested", [0, 2, 1, 0]),
        ("repaired", [0, 1, 0, 0]),
        ("repaired", ["yes"] * 4),
        ("set_aside", [0, 0, 0, 1]),
        ("set_aside", None),
        ("confidence", ["0.9"] * 4),
    ],
)
def test_repairs_that_cannot_be_are_refused(run, tmp_path, column, values):
    write(tmp_path, "repairs.parquet", REPAIRED, **{column: values})
    with pytest.raises(AnomalyError) as told:
        read_repairs(run, SAMPLES)
    assert "\n" not in str(told.value)
