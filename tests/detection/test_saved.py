"""A saved detector: read with its listed types, and nothing else."""

import json
import pickle
import zipfile

import numpy as np
import pytest
import skops.io
from planted_tasks import COLUMNS, planted
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from anomaly_mlflow.detection import saved
from anomaly_mlflow.detection.champion import Fitted
from anomaly_mlflow.detection.detectors import DETECTORS, fit_detector
from anomaly_mlflow.detection.nested import probability_of
from anomaly_mlflow.detection.saved import TRUSTED, load_detector, save_detector
from anomaly_mlflow.errors import BadData


class Stranger:
    """A type of which no detector consists."""


def fitted(name):
    data = planted(n=120)
    return Fitted(fit_detector(name, {}, data.X[0], data.positive, data.groups, 0), COLUMNS, 0.3), data.X[0]


@pytest.mark.parametrize("name", DETECTORS)
def test_a_detector_that_was_saved_scores_as_before(tmp_path, name):
    before, X = fitted(name)
    save_detector(before, tmp_path)
    after = load_detector(tmp_path)
    assert np.array_equal(probability_of(after.model, X), probability_of(before.model, X))
    assert (after.columns, after.threshold) == (COLUMNS, 0.3)
    assert set(json.loads((tmp_path / "detector.json").read_text())["types"]) <= set(TRUSTED)


def test_another_type_is_refused_in_one_line_whether_it_is_listed_or_not(tmp_path):
    detector, _ = fitted("logistic_regression")
    save_detector(detector, tmp_path)
    skops.io.dump(Pipeline([("scale", Stranger())]), tmp_path / "detector.skops")
    refused(tmp_path, "holds types that no detector consists of")
    facts = json.loads((tmp_path / "detector.json").read_text())
    (tmp_path / "detector.json").write_text(json.dumps(facts | {"types": ["test_saved.Stranger", "os.system"]}))
    refused(tmp_path, "holds types that no detector consists of, and is not loaded: os.system, test_saved.Stranger")
    with pytest.raises(BadData, match=r"test_saved\.Stranger"):
        save_detector(Fitted(Pipeline([("scale", Stranger())]), COLUMNS, 0.5), tmp_path)


def test_a_type_that_is_known_but_not_listed_is_refused(tmp_path):
    detector, _ = fitted("network")
    save_detector(detector, tmp_path)
    facts = json.loads((tmp_path / "detector.json").read_text())
    assert facts["types"]
    (tmp_path / "detector.json").write_text(json.dumps(facts | {"types": []}))
    refused(tmp_path, "AdamOptimizer")


def test_a_pickle_runs_no_code(tmp_path):
    save_detector(fitted("best_signal")[0], tmp_path)

    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    (tmp_path / "detector.skops").write_bytes(pickle.dumps(Trap()))
    refused(tmp_path, "cannot be read")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("damage", ["cut", "schema", "json", "gone"])
def test_damaged_files_are_refused_in_one_line(tmp_path, damage):
    save_detector(fitted("logistic_regression")[0], tmp_path)
    file = tmp_path / "detector.skops"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:100])
    elif damage == "schema":
        with zipfile.ZipFile(file, "w") as made:
            made.writestr("schema.json", "{}")
    elif damage == "json":
        (tmp_path / "detector.json").write_text("[1]")
    else:
        file.unlink()
    refused(tmp_path, "cannot be read")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"threshold": float("nan")}, "its threshold nan is no probability"),
        ({"columns": list(COLUMNS[:2])}, "it reads 5 columns, and 2 are named"),
        ({"columns": [1, 2, 3, 4, 5]}, "no pipeline over named columns"),
    ],
)
def test_facts_that_do_not_fit_the_model_are_refused(tmp_path, changed, words):
    save_detector(fitted("logistic_regression")[0], tmp_path)
    facts = json.loads((tmp_path / "detector.json").read_text())
    (tmp_path / "detector.json").write_text(json.dumps(facts | changed))
    refused(tmp_path, words)


@pytest.mark.parametrize("other", [[1, 2], StandardScaler()])
def test_what_is_no_detector_is_refused_though_all_its_types_are_known(tmp_path, other):
    save_detector(fitted("logistic_regression")[0], tmp_path)
    skops.io.dump(other, tmp_path / "detector.skops")
    refused(tmp_path, "it is no pipeline over named columns")


def test_a_file_that_swells_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    save_detector(fitted("logistic_regression")[0], tmp_path)
    monkeypatch.setattr(saved, "LARGEST", 1000)
    refused(tmp_path, "bytes unpacked, a detector at most 1,000")


def test_a_schema_nested_without_end_is_refused(tmp_path):
    save_detector(fitted("logistic_regression")[0], tmp_path)
    with zipfile.ZipFile(tmp_path / "detector.skops", "w") as made:
        made.writestr("schema.json", '{"content":' * 100_000)
    refused(tmp_path, "cannot be read")


def refused(folder, words):
    with pytest.raises(BadData) as told:
        load_detector(folder)
    assert words in str(told.value) and "\n" not in str(told.value)
