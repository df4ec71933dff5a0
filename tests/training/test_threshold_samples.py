"""Rows that bear a class of their own, and what their areas under the margin are worth."""

from dataclasses import replace

import numpy as np

from anomaly_mlflow.training import threshold_samples
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.threshold_samples import set_apart, threshold_runs

FAST = TrainConfig("convnet", epochs=2, batch_size=20)


def test_threshold_rows_bear_a_class_more_and_nothing_else_changes(stripes):
    threshold = np.arange(120) % 4 == 0
    apart = set_apart(stripes, threshold)
    assert apart.num_classes == 4 and (apart.labels[threshold] == 3).all()
    assert np.array_equal(apart.labels[~threshold], stripes.labels[~threshold])
    assert apart.images is stripes.images and stripes.labels.max() == 2


def test_two_trainings_have_different_threshold_rows_so_that_each_row_is_judged(stripes, tmp_path):
    first, second = threshold_runs(stripes, FAST, seed=0, folder=tmp_path)
    assert first.threshold.sum() == second.threshold.sum() == 120 // 4
    assert not (first.threshold & second.threshold).any()
    assert first.margin.shape == (120,) and first.margin.dtype == np.float32


def test_the_area_is_the_mean_margin_of_the_label_that_was_trained_on(stripes, tmp_path):
    found = threshold_runs(stripes, FAST, seed=5, folder=tmp_path)[0]
    logits = fit(set_apart(stripes, found.threshold), FAST, seed=5, record=True)[1].logits.astype(np.float64)
    label = np.where(found.threshold, 3, stripes.labels)
    of_label = np.take_along_axis(logits, np.broadcast_to(label[:, None], (2, 120, 1)), axis=2)[:, :, 0]
    others = np.where(np.arange(4) == label[:, None], -np.inf, logits).max(axis=2)
    np.testing.assert_allclose(found.margin, (of_label - others).mean(axis=0), atol=1e-3)


def test_wrong_labels_lie_among_the_threshold_rows_and_right_ones_above(stripes, tmp_path):
    wrong = np.arange(120) % 10 == 0
    noisy = replace(stripes, labels=np.where(wrong, (stripes.labels + 1) % 3, stripes.labels))
    config = TrainConfig("convnet", epochs=12, batch_size=20, learning_rate=0.05)
    for found in threshold_runs(noisy, config, seed=0, folder=tmp_path):
        own = ~found.threshold
        cut = np.percentile(found.margin[found.threshold], 99)
        assert (found.margin[own & wrong] <= cut).mean() > 0.8 and (found.margin[own & ~wrong] > cut).mean() > 0.8


def test_a_training_that_is_done_is_not_done_again_in_the_same_folder(stripes, tmp_path, monkeypatch):
    once = threshold_runs(stripes, FAST, seed=0, folder=tmp_path)
    (tmp_path / "run=1" / "result.npz").write_bytes(b"torn")
    trained = []
    monkeypatch.setattr(threshold_samples, "fit", lambda *a, **k: trained.append(k["seed"]) or fit(*a, **k))
    again = threshold_runs(stripes, FAST, seed=0, folder=tmp_path)
    assert trained == [1]
    assert all(np.array_equal(one.margin, other.margin) for one, other in zip(once, again, strict=True))
