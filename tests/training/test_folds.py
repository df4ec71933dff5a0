from dataclasses import replace

import numpy as np
import pytest

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training import folds
from anomaly_mlflow.training.checkpoints import load_model
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.folds import assign_folds, fit_folds, fold_folder

FAST = TrainConfig("convnet", epochs=1, batch_size=32)


def test_each_row_has_one_fold_and_no_group_is_split(stripes):
    grouped = replace(stripes, groups=np.arange(120) // 3)
    fold = assign_folds(grouped, 4, seed=0)
    assert set(fold) == {0, 1, 2, 3}
    for group in np.unique(grouped.groups):
        assert len(set(fold[grouped.groups == group])) == 1


def test_folds_are_stratified_by_label(stripes):
    fold = assign_folds(stripes, 4, seed=0)
    for k in range(4):
        assert np.bincount(stripes.labels[fold == k]).tolist() == [10, 10, 10]


def test_a_class_too_small_for_the_folds_is_named(stripes):
    with pytest.raises(BadData, match="class 'right' has 2 samples"):
        assign_folds(stripes.take(np.arange(82)), 5, seed=0)


def test_a_fold_model_learns_only_from_reference_rows_of_the_other_folds(stripes, tmp_path, monkeypatch):
    seen = {}
    original = folds.fit

    def spy(samples, config, *, seed, device, rows, checkpoint):
        seen[seed] = samples.sample_id[rows]
        return original(samples, config, seed=seed, device=device, rows=rows, checkpoint=checkpoint)

    monkeypatch.setattr(folds, "fit", spy)
    fold = assign_folds(stripes, 3, seed=0)
    reference = np.arange(120) % 4 != 0
    fit_folds(stripes, fold, reference, FAST, seed=10, folder=tmp_path, jobs=1, whole=True)
    for k in range(3):
        assert np.array_equal(seen[11 + k], stripes.sample_id[reference & (fold != k)])
    assert np.array_equal(seen[10], stripes.sample_id[reference])
    assert load_model(tmp_path) and load_model(fold_folder(tmp_path, 2))


def test_processes_side_by_side_give_the_same_models_as_one_after_another(stripes, tmp_path):
    fold = assign_folds(stripes, 2, seed=0)
    for jobs in (1, 2):
        fit_folds(stripes, fold, np.ones(120, bool), FAST, seed=0, folder=tmp_path / str(jobs), jobs=jobs)
    for k in range(2):
        one, two = ((fold_folder(tmp_path / str(jobs), k) / "weights.safetensors").read_bytes() for jobs in (1, 2))
        assert one == two


def test_a_folder_left_behind_is_taken_up_model_by_model(stripes, tmp_path, monkeypatch):
    fold = assign_folds(stripes, 3, seed=0)
    arguments = {"seed": 0, "folder": tmp_path, "jobs": 1}
    fit_folds(stripes, fold, np.ones(120, bool), FAST, **arguments)
    weights = fold_folder(tmp_path, 1) / "weights.safetensors"
    before = weights.read_bytes()
    weights.unlink()
    (fold_folder(tmp_path, 0) / "checkpoint").mkdir()  # the process died just before it would have removed it
    trained, original = [], folds.fit
    monkeypatch.setattr(folds, "fit", lambda *a, **k: trained.append(k["seed"]) or original(*a, **k))
    fit_folds(stripes, fold, np.ones(120, bool), FAST, **arguments)
    assert trained == [2] and weights.read_bytes() == before
    assert not list(tmp_path.rglob("checkpoint"))
