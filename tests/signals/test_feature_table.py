import sys
from types import SimpleNamespace

import numpy as np
import pytest

from anomaly_mlflow.errors import AnomalyError, MissingEvidence, UnknownName
from anomaly_mlflow.signals import SIGNALS, Evidence, collect, feature_table, plugins
from anomaly_mlflow.signals.base import Signal


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


@pytest.mark.parametrize(
    "wrong",
    [lambda e: np.zeros((5, 1)), lambda e: np.zeros(4), lambda e: 1.0, lambda e: "text", lambda e: None.x,
     lambda e: sys.exit(), lambda e: exec("raise OSError('a\\nb')")],
    ids=["a column", "too few", "a scalar", "text", "a mistake", "an exit", "two lines"],
)  # fmt: skip
def test_a_signal_that_fails_is_named_in_one_line(evidence, monkeypatch, wrong):
    monkeypatch.setitem(SIGNALS, "odd", Signal("odd", "label", (), (), "", "1", wrong))
    with pytest.raises(AnomalyError, match=r"signal 'odd' (fails|gives)") as caught:
        feature_table(evidence, ["odd"])
    assert "\n" not in str(caught.value)


def test_a_plugin_that_exits_is_named_and_a_compiled_signal_has_no_file(monkeypatch):
    point = SimpleNamespace(load=sys.exit, dist=None, value="odd_signals")
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point])
    with pytest.raises(AnomalyError, match="'odd_signals' cannot be loaded"):
        plugins.load_plugins()
    monkeypatch.setitem(SIGNALS, "len", Signal("len", "label", (), (), "", "1", len))
    assert plugins.plugin_digests(["len"]) == {}


def test_a_signal_that_writes_into_collected_evidence_is_named(evidence, monkeypatch):
    collect.freeze(evidence)
    monkeypatch.setitem(SIGNALS, "vandal", Signal("vandal", "label", (), (), "", "1", lambda e: e.labels.sort()))
    with pytest.raises(AnomalyError, match=r"signal 'vandal' fails .*read-only"):
        feature_table(evidence, ["vandal"])
