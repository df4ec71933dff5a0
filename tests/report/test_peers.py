"""Other tools read what is written for them."""

import json

import numpy as np
import pytest
import torch
from services import library

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.report.peers import write_aum, write_cartography, write_cleanlab
from anomaly_mlflow.training.recording import Recording

ROWS, CLASSES, EPOCHS = 60, 4, 5


@pytest.fixture
def recording():
    rng = np.random.default_rng(0)
    labels = np.arange(ROWS) % CLASSES
    logits = 3 * rng.normal(size=(EPOCHS, ROWS, CLASSES)) + 4 * np.eye(CLASSES)[(labels + (np.arange(ROWS) < 6)) % 4]
    logits[:, -2] = logits[:, -1] = 0.0  # two areas that tie
    return Recording(logits.astype(np.float16), labels, rng.permutation(1000)[:ROWS], np.ones(EPOCHS))


def test_cleanlab_reads_its_arrays_and_finds_the_wrong_labels(tmp_path, recording):
    write_cleanlab(tmp_path / "cleanlab", recording.sample_id, recording.labels, recording.probabilities.mean(axis=0))
    names = ("pred_probs", "labels", "sample_id")
    p, labels, sample_id = (np.load(tmp_path / "cleanlab" / f"{name}.npy", allow_pickle=False) for name in names)
    assert p.dtype == np.float64 and p.shape == (ROWS, CLASSES)
    np.testing.assert_array_equal(labels, recording.labels)
    np.testing.assert_array_equal(sample_id, recording.sample_id)
    find = library("cleanlab.filter").find_label_issues
    issues = find(labels, p, return_indices_ranked_by="self_confidence", n_jobs=1)
    assert len(issues) > 4 and set(sample_id[issues[:4]]) <= set(recording.sample_id[:6])


def test_probabilities_of_other_rows_are_refused(tmp_path, recording):
    with pytest.raises(BadData, match="59 rows of probabilities do not fit 60 labels"):
        write_cleanlab(tmp_path, recording.sample_id, recording.labels, recording.probabilities[0, 1:])


def test_the_areas_under_the_margin_are_the_file_of_the_aum_package(tmp_path, recording):
    calculator = library("aum").AUMCalculator(str(tmp_path / "theirs"))
    for logits in recording.logits.astype(np.float32):
        calculator.update(torch.from_numpy(logits), torch.from_numpy(recording.labels), recording.sample_id.tolist())
    calculator.finalize()
    write_aum(tmp_path / "ours", recording)
    name = "aum_values.csv"
    assert (tmp_path / "ours" / name).read_text() == (tmp_path / "theirs" / name).read_text()


def test_cartography_finds_every_epoch_of_every_sample(tmp_path, recording):
    # as cartography/selection/selection_utils.py reads them: as many epochs as files, records of guid, gold and logits
    write_cartography(tmp_path, recording)
    folder = tmp_path / "training_dynamics"
    assert len(list(folder.iterdir())) == EPOCHS
    for epoch in range(EPOCHS):
        lines = (folder / f"dynamics_epoch_{epoch}.jsonl").read_text().splitlines()
        records = [json.loads(line) for line in lines]
        assert [list(record) for record in records] == [["guid", f"logits_epoch_{epoch}", "gold"]] * ROWS
        assert [record["guid"] for record in records] == recording.sample_id.tolist()
        assert [record["gold"] for record in records] == recording.labels.tolist()
        logits = [record[f"logits_epoch_{epoch}"] for record in records]
        np.testing.assert_array_equal(np.array(logits, np.float16), recording.logits[epoch])
