"""The comparison on human labels: what it takes from the peers is what the package computes, on planted trainings."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("cleanlab")
pytest.importorskip("aum")

from anomaly_mlflow.detection.measures import auroc
from anomaly_mlflow.signals import Evidence, find
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.recording import Recording
from benchmarks.human_noise import _tell, best_peers
from benchmarks.human_scores import FILTERS, flags, held_out_probabilities, ours, peers
from benchmarks.human_trainings import FOLDS, Round, cross_fit

N, CLASSES, EPOCHS = 300, 4, 6


@pytest.fixture(scope="module")
def planted():
    """Models that know the true class fairly well, and labels of which an eighth is wrong."""
    rng = np.random.default_rng(0)
    true = rng.integers(0, CLASSES, N)
    wrong = rng.random(N) < 0.125
    labels = (true + wrong * rng.integers(1, CLASSES, N)) % CLASSES
    fold, known = rng.integers(0, FOLDS, N), 2.0 * np.eye(CLASSES, dtype=np.float32)[true]
    trained = (known + rng.normal(size=(FOLDS, EPOCHS, N, CLASSES))).astype(np.float32)
    for k in range(FOLDS):
        trained[k][:, fold == k] = np.nan
    held_out = (known + rng.normal(size=(2, 3, N, CLASSES))).astype(np.float32)
    embeddings = (np.eye(CLASSES)[true] + 0.4 * rng.normal(size=(FOLDS, N, CLASSES))).astype(np.float32)
    return Round(held_out, trained, embeddings, fold), labels, wrong


def test_every_score_is_higher_where_the_label_is_wrong(planted):
    found, labels, wrong = planted
    for name, score in (ours(found, labels) | peers(found, labels)).items():
        assert np.isfinite(score).all(), name
        assert auroc(score, wrong) > 0.8, name


@pytest.mark.parametrize("name", ["self_confidence", "normalized_margin"])
def test_cleanlabs_scores_are_the_packages_signals(planted, name):
    found, labels, _ = planted
    evidence = Evidence(np.arange(N), labels, CLASSES, out_of_fold=np.log(held_out_probabilities(found)))
    assert peers(found, labels)[f"cleanlab {name}"] == pytest.approx(find(name)(evidence), abs=1e-6)


def test_the_area_under_the_margin_is_the_packages_signal_averaged_over_the_trainings_that_saw_the_row(planted):
    found, labels, _ = planted
    row = 7
    seen = [k for k in range(FOLDS) if found.fold[row] != k]
    recording = [
        Recording(found.trained[k][:, [row]].astype(np.float16), labels[[row]], np.arange(1), np.ones(EPOCHS))
        for k in seen
    ]
    areas = [
        find("area_under_margin")(Evidence(np.arange(1), labels[[row]], CLASSES, recording=one))[0] for one in recording
    ]
    assert len(seen) == FOLDS - 1
    assert peers(found, labels)["area under the margin (aum)"][row] == pytest.approx(np.mean(areas), abs=0.01)


def test_every_filter_of_cleanlab_flags_rows(planted):
    found, labels, wrong = planted
    flagged = flags([found], labels)
    assert set(flagged) == set(FILTERS)
    assert all(rows.any() and rows[wrong].mean() > rows[~wrong].mean() for rows in flagged.values())


def test_finished_trainings_are_read_and_not_made_again(stripes, tmp_path, monkeypatch):
    config = TrainConfig("convnet", epochs=2, batch_size=16)
    first = cross_fit(stripes, config, 0, tmp_path)
    monkeypatch.setattr("benchmarks.human_trainings.fit", None)  # whoever trains now fails
    again = cross_fit(stripes, config, 0, tmp_path)
    assert np.array_equal(first.held_out, again.held_out)
    assert np.array_equal(first.trained, again.trained, equal_nan=True)
    assert all(np.isnan(first.trained[k][:, first.fold == k]).all() for k in range(FOLDS))
    assert not np.isnan(first.held_out).any()


def test_the_paired_comparison_is_with_the_strongest_peer_and_not_with_cleanlab_alone():
    precision = pd.Series({"ours": 0.9, "cleanlab a": 0.5, "cleanlab b": 0.6, "loss, final": 0.7})
    peers = ["cleanlab a", "cleanlab b", "loss, final"]
    assert best_peers(precision, peers) == ["cleanlab b", "loss, final"]
    assert best_peers(precision, peers[:2]) == ["cleanlab b"]


def test_the_table_says_what_holds_on_the_rows_on_which_nothing_was_chosen(planted, tmp_path, capsys):
    found, labels, wrong = planted
    fresh = np.arange(N) % 2 == 0
    _tell("planted", [found], {}, labels, wrong, SimpleNamespace(cache=tmp_path), 0.1, fresh)
    said = capsys.readouterr().out
    assert "on the 150 rows on which nothing was chosen" in said and "aim 0.1: reached" in said
    assert {path.name for path in tmp_path.iterdir()} == {"planted.csv", "planted-filters.csv", "planted.json"}
