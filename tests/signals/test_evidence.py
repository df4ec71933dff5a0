import numpy as np
import pytest

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.errors import BadData, UnknownName
from anomaly_mlflow.signals import SIGNALS, CrossFit, Evidence, base, find
from anomaly_mlflow.training.recording import Recording

IDS, LABELS = np.array([5, 3, 8, 1]), np.array([0, 1, 0, 1])


def fold(rows):
    z = np.ones((2, 3), np.float32)
    return CrossFit(
        np.array(rows), np.ones((len(rows), 3), np.float32), np.array(rows), z, LABELS[:2], np.array([90, 91])
    )


def test_folds_that_cover_every_row_once_are_taken():
    assert len(Evidence(IDS, LABELS, 2, references=[fold([0, 3]), fold([2, 1])]).references) == 2


@pytest.mark.parametrize("rows", [([0, 3], [2]), ([0, 3], [2, 1, 0]), ([0, 3], [2, 4])], ids=str)
def test_folds_that_judge_a_row_twice_or_never_are_refused(rows):
    with pytest.raises(BadData, match="exactly once"):
        Evidence(IDS, LABELS, 2, references=[fold(part) for part in rows])


def test_a_recording_of_other_samples_is_refused():
    recording = Recording(np.zeros((1, 4, 2), np.float16), LABELS, IDS[::-1], np.ones(1))
    with pytest.raises(BadData, match="different ids"):
        Evidence(IDS, LABELS, 2, recording=recording)


def test_a_taken_name_is_refused():
    with pytest.raises(ValueError, match="registered already"):
        base.signal("label", ("logits",), (AnomalyType.OOD,), "nobody")(find("entropy").function)


@pytest.mark.parametrize(
    ("family", "needs", "targets"),
    [
        ("astrology", ("logits",), (AnomalyType.OOD,)),
        ("label", ("ledger",), (AnomalyType.OOD,)),
        ("label", ("logits",), ()),
    ],
)
def test_an_unknown_family_or_need_or_no_target_is_refused(family, needs, targets):
    with pytest.raises(ValueError, match="not known"):
        base.signal(family, needs, targets, "nobody")


def test_an_unknown_signal_lists_the_known_ones():
    with pytest.raises(UnknownName, match=r"unknown signal 'entropi'; known: .*entropy"):
        find("entropi")


def test_columns_are_unique():
    assert len(SIGNALS) == len({signal.column for signal in SIGNALS.values()})
