import numpy as np
import pytest
from scipy.stats import spearmanr

from anomaly_mlflow.anomalies.types import AnomalyType as T
from anomaly_mlflow.detection.pairs import pair_importance, rank_stability

KINDS = (T.CLEAN, T.HARD, T.OOD)


def test_the_separations_of_a_pair_add_up_to_its_gap_of_log_odds():
    values = np.random.default_rng(0).normal(size=(40, 4, 3))
    types = np.repeat(["clean", "hard"], 20)
    table = pair_importance(values, types, KINDS, ["a", "b", "c", "d"])
    odds = (values[:, :, 0] - values[:, :, 1]).sum(axis=1)
    assert table["separation"].sum() == pytest.approx(odds[:20].mean() - odds[20:].mean())
    assert table["share"].abs().sum() == pytest.approx(1)
    assert set(zip(table["first"], table["second"], strict=True)) == {("clean", "hard")}  # no row is ood


def test_the_signal_that_speaks_for_one_type_on_its_rows_comes_first():
    values, types = np.zeros((30, 3, 3)), np.repeat(["clean", "hard", "ood"], 10)
    values[types == "hard", 1, 1], values[types == "ood", 2, 2] = 2.0, 3.0
    table = pair_importance(values, types, KINDS, ["a", "b", "c"])
    first = {(row.first, row.second): row.signal for row in table.drop_duplicates(["first", "second"]).itertuples()}
    assert first == {("clean", "hard"): "b", ("clean", "ood"): "c", ("hard", "ood"): "c"}


def test_seeds_of_one_ranking_agree_and_unrelated_ones_do_not():
    generator = np.random.default_rng(0)
    scale = generator.uniform(0.1, 3, (30, 2))
    alike = [np.abs(generator.normal(size=(200, 30, 2))) * scale for _ in range(3)]
    table = rank_stability(alike, np.arange(200), ["clean", "hard"], draws=100).set_index("type")
    assert (table["low"] > 0.7).all() and (table["high"] <= 1 + 1e-9).all() and list(table.index)[-1] == "all"
    odd = [np.abs(generator.normal(size=(200, 30, 2))) * generator.uniform(0.1, 3, (30, 2)) for _ in range(3)]
    table = rank_stability(odd, np.arange(200), ["clean", "hard"], draws=100)
    assert (table["low"] < 0.3).all() and (table["correlation"].abs() < 0.5).all()


def test_the_correlation_is_spearmans():
    strength = np.abs(np.random.default_rng(3).normal(size=(2, 50, 12, 1)))
    table = rank_stability(list(strength), np.arange(50), ["clean"], draws=100)
    means = strength.mean(axis=1)[:, :, 0]
    assert table["correlation"][0] == pytest.approx(spearmanr(means[0], means[1]).statistic, abs=1e-6)


def test_one_seed_has_no_stability():
    assert rank_stability([np.ones((5, 3, 1))], np.arange(5), ["clean"]).empty
