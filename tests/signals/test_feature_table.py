import numpy as np
import pytest

from anomaly_mlflow.errors import AnomalyError, MissingEvidence, UnknownName
from anomaly_mlflow.signals import Evidence, feature_table


@pytest.fixture
def evidence():
    logits = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    return Evidence(np.array([7, 3, 9, 1, 4]), np.array([0, 1, 2, 0, 1]), 3, logits=logits)


def test_the_table_has_an_id_and_a_column_for_each_name_in_the_order_asked(evidence):
    table = feature_table(evidence, ["loss", "entropy"])
    assert list(table.columns) == ["sample_id", "label.loss", "uncertainty.entropy"]
    assert list(table["sample_id"]) == [7, 3, 9, 1, 4]
    assert table["sample_id"].dtype == np.int64 and table["label.loss"].dtype == np.float64


def test_an_unknown_name_lists_the_known_ones(evidence):
    with pytest.raises(UnknownName, match=r"unknown signal 'margin'; known: .*top2_margin"):
        feature_table(evidence, ["margin"])


def test_without_names_all_signals_are_wanted_and_the_first_lack_is_named(evidence):
    with pytest.raises(MissingEvidence, match="needs"):
        feature_table(evidence)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_not_finite_names_signal_sample_and_evidence(evidence, bad):
    evidence.logits[2, 0] = bad
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(AnomalyError, match=r"'entropy' is not finite for 1 of 5 samples \(first: sample_id 9\).*logits"),
    ):
        feature_table(evidence, ["entropy"])
