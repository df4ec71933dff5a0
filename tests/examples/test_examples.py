"""The examples run as they stand, and what they record is read by `extract_features`."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from desk import ROOT, Desk

from anomaly_mlflow.signals import SIGNALS
from anomaly_mlflow.training.epoch_files import read_recording

pytestmark = pytest.mark.filterwarnings("default")
OF_RECORDING = [signal.column for signal in SIGNALS.values() if signal.needs == ("recording",)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    return Desk(tmp_path_factory.mktemp("desk"))


def example(desk, name, *words):
    command = [sys.executable, str(ROOT / "examples" / name), *words]
    done = subprocess.run(command, cwd=desk.folder, env=desk.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def features(desk, recording):
    """The feature table that `extract_features --recording` makes of it."""
    done = desk.type("extract_features", "--recording", recording)
    assert done.returncode == 0, done.stderr[-3000:]
    said = f"{len(OF_RECORDING)} of {len(SIGNALS)} signals; the others miss embeddings, out_of_fold"
    assert said in done.stdout and done.stdout.count("\n") == 1
    run = desk.runs("extract_features")[0]
    assert run.info.status == "FINISHED" and run.data.tags["anomaly.dataset"] == recording
    return pd.read_parquet(desk.artifact(run.info.run_id, "features.parquet"))


def check_finds_the_wrong_labels(table):
    assert list(table.columns) == ["sample_id", *OF_RECORDING]
    wrong = table["sample_id"] % 20 == 0
    ranks = table["dynamics.area_under_margin"].rank(pct=True)
    assert ranks[wrong].mean() > 0.9 and len(table) == 1797


def test_the_plain_loop_records_into_a_folder_that_extract_features_reads(desk):
    example(desk, "plain_pytorch.py", "recording", "4")
    assert read_recording(desk.folder / "recording").epochs == 4
    check_finds_the_wrong_labels(features(desk, "recording"))


def test_the_lightning_callback_records_into_a_run_that_extract_features_reads(desk):
    example(desk, "lightning_callback.py", "4")
    (run,) = desk.runs("recording")
    check_finds_the_wrong_labels(features(desk, run.info.run_id))
    recording = read_recording(desk.artifact(run.info.run_id, "recording"))
    assert recording.epochs == 4 and np.array_equal(recording.sample_id, np.arange(1797))
