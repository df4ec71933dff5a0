"""How many errors so many checks find, told without the truth; mixes and what they cost, by hand."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from anomaly_mlflow.cleaning.budget import AccuracyGrid
from anomaly_mlflow.cleaning.budget_checks import error_rate, errors_found, misfit
from anomaly_mlflow.cleaning.budget_plan import best_mix, measured, mixes, rates_to_measure, sizes_to_measure
from anomaly_mlflow.cleaning.budget_surface import fit_surface
from anomaly_mlflow.errors import BadData

N, C = 2000, 4


def world(rate, spread=3.0, seed=0):
    """Out-of-fold probabilities, given labels, and which of these are wrong: Gaussian classes in six dimensions."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, C, N)
    wrong = rng.random(N) < rate
    given = np.where(wrong, (truth + rng.integers(1, C, N)) % C, truth)
    X = rng.normal(size=(N, 6)) + spread * np.eye(C, 6)[truth]
    return cross_val_predict(LogisticRegression(), X, given, cv=3, method="predict_proba"), given, wrong


def law(labels, rate):
    return 1 - (0.1 + 2 * (labels * (1 - rate * C / (C - 1)) ** 2) ** -0.5)


@pytest.fixture(scope="module")
def surface():
    sizes, rates = np.array([100, 200, 400, 800]), np.array([0.2, 0.3, 0.4])
    exact = np.broadcast_to(law(sizes[:, None], rates), (3, 4, 3))
    return fit_surface(AccuracyGrid(sizes, rates, C, exact, "planted labels"))


@pytest.mark.parametrize("spread", [3.0, 1.5])
@pytest.mark.parametrize("rate", [0.1, 0.3])
def test_the_errors_that_checks_find_are_foretold_without_the_truth(rate, spread):
    p, given, wrong = world(rate, spread)
    told = errors_found(p, given, wrong.mean())
    real = np.concatenate([[0], np.cumsum(wrong[np.argsort(-misfit(p, given), kind="stable")])])
    assert told[0] == 0 and told[-1] == pytest.approx(wrong.sum()) and (np.diff(told) >= -1e-9).all()
    for k in (N // 20, N // 10, N // 5, N // 2):
        assert told[k] == pytest.approx(real[k], abs=0.12 * wrong.sum()), k
        assert told[k] > k * wrong.mean(), "no better than checks at random"


def test_where_nothing_is_wrong_checks_find_nothing():
    p, given, _ = world(0.0)
    assert not errors_found(p, given, 0.0).any()


def test_what_cannot_be_among_the_unchecked_has_been_found():
    p, given, _ = world(0.3, spread=0.0)
    told = errors_found(p, given, 0.6)
    assert told[-1] == pytest.approx(0.6 * N) and told[-101] >= 0.6 * N - 100
    assert (told <= np.arange(N + 1) + 1e-9).all()


def test_the_estimated_rate_is_near_the_real_one_and_its_interval_widens_with_shared_sources():
    p, given, wrong = world(0.2)
    rows = error_rate(p, given, np.arange(N))
    assert rows.value == pytest.approx(wrong.mean(), abs=0.03) and rows.low < rows.value < rows.high
    thirds = np.argsort(np.argsort(wrong, kind="stable"), kind="stable") // 40  # wrong rows stand together
    shared = error_rate(p, given, thirds)
    assert shared.value == rows.value and shared.high - shared.low > 2 * (rows.high - rows.low)
    assert error_rate(p, given, np.arange(N)) == rows


def test_sizes_and_rates_to_measure_by_hand():
    assert sizes_to_measure(1600, 10).tolist() == [100, 200, 400, 800, 1600]
    assert sizes_to_measure(50_000, 10)[-1] == 4000 and sizes_to_measure(40, 10).tolist()[0] == 20
    assert rates_to_measure(0.1, 10) == pytest.approx([0.1, 0.26, 0.42, 0.58])
    with pytest.raises(BadData, match="39 labels of 10 classes are too few"):
        sizes_to_measure(39, 10)
    with pytest.raises(BadData, match="75% of the labels are wrong, nearly as many as by chance"):
        rates_to_measure(0.75, 10)


def test_mixes_cost_what_is_still_to_be_spent(surface):
    # 100 of 400 labels are wrong; every check finds one until none is left, so that 100 checks find all
    found = np.minimum(np.arange(401.0), 100)
    grid, table = mixes(surface, 400, 0.25, found, budget=80, label_cost=2)
    assert grid.sizes.tolist() == [400, 410, 420, 430, 440]
    assert grid.rates == pytest.approx([0.05, 0.1, 0.15, 0.2, 0.25])
    at = table.set_index(["added", "checks"])
    assert at.loc[(0, 0), "cost"].item() == 0 and at.loc[(0, 80), "cost"].item() == pytest.approx(80)
    assert at.loc[(40, 0), "cost"].item() == pytest.approx(80)
    # 440 labels, a fifth of them checked: 40 * 2 + 440 * 80 / 400
    assert at.loc[(40, 88), "cost"].item() == pytest.approx(168)
    assert at.loc[(40, 88), "accuracy"].item() == pytest.approx(law(440, 0.05), abs=0.01)


def test_the_best_mix_keeps_to_the_budget(surface):
    found = np.minimum(np.arange(401.0), 100)
    table = mixes(surface, 400, 0.25, found, budget=80, label_cost=2)[1]
    best = best_mix(table, 80)
    assert best["cost"] <= 80 + 1e-6 and (best["added"], best["checks"]) == (0, 80)
    affordable = table[table["cost"] <= 80 + 1e-6]
    assert best["accuracy"] == affordable["accuracy"].max()


def test_checks_that_find_nothing_more_are_not_paid_for(surface):
    table = mixes(surface, 400, 0.25, np.minimum(np.arange(401.0), 20), budget=80)[1]
    assert sorted(set(table.loc[table["added"] == 0, "checks"])) == [0, 20]
    none = mixes(surface, 400, 0.0, np.zeros(401), budget=80)[1]
    assert set(none["rate"]) == {0.0} and set(none["checks"]) == {0}


def test_the_measured_places_stand_beside_the_fitted_curve(surface):
    table = measured(surface)
    assert len(table) == 12 and table["fitted"].to_numpy() == pytest.approx(table["accuracy"].to_numpy(), abs=1e-3)
    assert (table["low"] <= table["accuracy"] + 1e-12).all() and (table["accuracy"] <= table["high"] + 1e-12).all()
