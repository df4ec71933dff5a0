"""Out-of-fold logits and what is forgotten, on stripes with a few wrong labels."""

from dataclasses import replace

import numpy as np
import pytest

from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.folds import assign_folds
from anomaly_mlflow.training.second_split import cross_validate

CONFIG = TrainConfig("convnet", epochs=24, batch_size=20, learning_rate=0.05)
WRONG = np.arange(0, 120, 10)


@pytest.fixture(scope="module")
def found(request, tmp_path_factory):
    stripes = request.getfixturevalue("module_stripes")
    labels = stripes.labels.copy()
    labels[WRONG] = (labels[WRONG] + 1) % 3
    samples = replace(stripes, labels=labels)
    fold = assign_folds(samples, 3, seed=0)
    return samples, fold, *cross_validate(samples, fold, CONFIG, seed=0, folder=tmp_path_factory.mktemp("folds"))


def test_every_row_is_asked_out_of_fold_and_the_wrong_labels_stand_out(found):
    samples, _, logits, _ = found
    agrees = logits.argmax(axis=1) == samples.labels
    assert logits.shape == (120, 3) and np.isfinite(logits).all()
    assert not agrees[WRONG].any() and np.delete(agrees, WRONG).mean() > 0.8


def test_the_second_split_of_a_fold_holds_the_rows_of_the_others_for_a_third_as_many_epochs(found):
    _, fold, _, splits = found
    for k, split in enumerate(splits):
        assert np.array_equal(split.rows, np.flatnonzero(fold != k))
        assert split.correct.shape == (8, len(split.rows)) and split.correct.dtype == bool


def test_right_labels_outlast_wrong_ones_in_the_second_phase(found):
    _, _, _, splits = found
    kept = {True: [], False: []}
    for split in splits:
        wrong = np.isin(split.rows, WRONG)
        for side in (True, False):
            kept[side].append(split.correct[-1, wrong == side].mean())
    assert np.mean(kept[False]) > np.mean(kept[True]) + 0.4


def test_the_same_seed_gives_the_same_in_processes_side_by_side_and_from_a_folder_left_behind(found, tmp_path):
    samples, fold, logits, splits = found
    for _ in range(2):
        again, same = cross_validate(samples, fold, CONFIG, seed=0, jobs=2, folder=tmp_path)
        assert np.array_equal(logits, again)
        assert all(np.array_equal(a.correct, b.correct) for a, b in zip(splits, same, strict=True))
        (tmp_path / "fold=1" / "result.npz").unlink()
