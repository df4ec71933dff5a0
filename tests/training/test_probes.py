"""Rows spoiled on purpose: which, how, and that they behave as their suite says."""

import numpy as np

from anomaly_mlflow.training import probes
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.probes import SUITES, plant, probe_runs


def test_probes_are_what_their_suite_says_and_other_rows_stay(stripes):
    rows = np.arange(0, 80)
    before = stripes.images.copy()
    spoiled, suite = plant(stripes, rows, seed=0)
    assert np.array_equal(np.flatnonzero(suite >= 0), rows) and (np.bincount(suite[rows]) == 20).all()
    of = {name: np.flatnonzero(suite == number) for number, name in enumerate(SUITES)}
    changed = (spoiled.images != stripes.images).any(axis=(1, 2, 3))
    assert set(np.flatnonzero(changed)) == {*of["random_input"], *of["corrupted"]}
    assert (spoiled.labels[of["wrong_label"]] != stripes.labels[of["wrong_label"]]).all()
    others = np.setdiff1d(np.arange(120), np.concatenate([of["wrong_label"], of["random_input"]]))
    assert np.array_equal(spoiled.labels[others], stripes.labels[others])
    noise = spoiled.images[of["corrupted"]].astype(float) - stripes.images[of["corrupted"]]
    assert 10 < noise.std() < 30
    assert np.array_equal(stripes.images, before), "the samples themselves must stay as they are"


def test_two_runs_have_different_probes_so_that_each_row_is_judged(stripes, tmp_path):
    first, second = probe_runs(stripes, TrainConfig("convnet", epochs=2, batch_size=20), seed=0, folder=tmp_path)
    assert first.loss.shape == (2, 120) and not ((first.suite >= 0) & (second.suite >= 0)).any()
    assert (first.suite >= 0).sum() == (second.suite >= 0).sum() == 3 * len(SUITES)


def test_wrong_labels_among_the_probes_keep_a_higher_loss(stripes, tmp_path):
    config = TrainConfig("convnet", epochs=10, batch_size=20, learning_rate=0.05)
    runs = probe_runs(stripes, config, seed=1, folder=tmp_path)
    for run in runs:
        wrong = run.loss[-1, run.suite == SUITES.index("wrong_label")].mean()
        assert wrong > 2 * run.loss[-1, run.suite == SUITES.index("untouched")].mean()


def test_a_training_that_is_done_is_not_done_again_in_the_same_folder(stripes, tmp_path, monkeypatch):
    config = TrainConfig("convnet", epochs=2, batch_size=20)
    once = probe_runs(stripes, config, seed=0, folder=tmp_path)
    (tmp_path / "run=1" / "result.npz").write_bytes(b"torn")
    trained = []
    monkeypatch.setattr(probes, "fit", lambda *a, **k: trained.append(1) or fit(*a, **k))
    again = probe_runs(stripes, config, seed=0, folder=tmp_path)
    assert trained == [1]
    assert all(np.array_equal(one.loss, other.loss) for one, other in zip(once, again, strict=True))
