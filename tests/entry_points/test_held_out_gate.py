"""What `repair_labels` makes of what models of the repaired labels foretell."""

from types import SimpleNamespace

import numpy as np
import pytest

from anomaly_mlflow.errors import BadData, TrainingDiverged
from entry_points import repair_labels

OPTIONS = {"device": "cpu", "jobs": 1, "seed": 0}


@pytest.fixture
def asked(stripes, monkeypatch, tmp_path):
    """Whether a repair pays, and its metrics, where models of the labels as given foretell three of four labels."""
    fold = np.arange(len(stripes)) % 2
    given = np.eye(stripes.num_classes, dtype=np.float32)[(stripes.labels + (np.arange(len(stripes)) % 4 == 0)) % 3]
    for name, found in {
        "only": None,
        "read_samples": (stripes, None),
        "read_fold": fold,
        "read_training": (None, 0),
        "read_out_of_fold": given,
        "work_folder": tmp_path,
    }.items():
        monkeypatch.setattr(repair_labels, name, lambda *_, found=found, **__: found)

    def ask(answer):
        def predictions(*_, **__):
            if isinstance(answer, Exception):
                raise answer
            return answer(stripes.labels)

        monkeypatch.setattr(repair_labels, "repaired_predictions", predictions)
        logged = {}
        run = SimpleNamespace(id="r", log_metrics=logged.update)
        return repair_labels._pays(run, None, None, OPTIONS), logged

    return ask


def test_a_repair_whose_models_foretell_more_pays(asked):
    pays, logged = asked(lambda labels: labels)
    assert pays
    assert logged["held_out_accuracy"] == 1 and logged["held_out_gain"] == pytest.approx(0.25)
    assert 0 < logged["held_out_gain_low"] < 0.25 < logged["held_out_gain_high"]


def test_a_repair_whose_models_foretell_fewer_does_not_pay(asked):
    pays, logged = asked(lambda labels: (labels + 1) % 3)
    assert not pays
    assert logged["held_out_gain"] == pytest.approx(-0.75)


def test_a_repair_whose_models_foretell_as_many_does_not_pay(asked):
    pays, logged = asked(lambda labels: (labels + (np.arange(len(labels)) % 4 == 1)) % 3)
    assert not pays and logged["held_out_gain"] == 0


@pytest.mark.parametrize("error", [TrainingDiverged("the loss is nan"), BadData("a class is empty")])
def test_where_the_models_cannot_be_trained_the_repair_does_not_pay_and_it_is_said(asked, caplog, error):
    pays, logged = asked(error)
    assert not pays and not logged
    assert f"all labels are left alone: {error}" in caplog.text
