import numpy as np
import pytest
from planted_tasks import planted

from anomaly_mlflow.detection.classifiers import folds
from anomaly_mlflow.detection.detectors import DETECTORS, find_detector, fit_detector, separation, thin
from anomaly_mlflow.detection.measures import auroc_of
from anomaly_mlflow.detection.nested import best_threshold, choose, nested, probability_of
from anomaly_mlflow.detection.scoreboard import MEASURES, scoreboard
from anomaly_mlflow.errors import BadData, UnknownName


def scored(name, data, seed=0):
    fold = folds(data.positive, data.groups, seed)
    found = nested(name, data, fold, seed)
    auroc = auroc_of(found.probability, data.positive, fold)(np.ones((1, len(fold))))
    return found, float(auroc.mean())


@pytest.mark.parametrize("name", DETECTORS)
def test_a_planted_effect_is_found_on_held_out_rows_and_both_classes_are_flagged_about_as_often_as_they_come(name):
    data = planted()
    found, auroc = scored(name, data)
    assert auroc > 0.8
    hits = (found.flagged[0] & data.positive).sum()
    assert 2 * hits / (found.flagged[0].sum() + data.positive.sum()) > 0.6  # F1
    assert (found.probability >= 0).all() and (found.probability <= 1).all()


@pytest.mark.parametrize("name", DETECTORS)
def test_where_there_is_no_effect_none_is_found(name):
    aurocs = [scored(name, planted(n=120, effect=0.0, seed=seed))[1] for seed in range(2)]
    assert np.mean(aurocs) == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize("name", DETECTORS)
def test_neither_fit_nor_parameters_nor_threshold_see_the_rows_of_the_held_out_fold(name):
    data = planted(n=120)
    fold = folds(data.positive, data.groups, 0)
    before = nested(name, data, fold, 0)
    data.X[0, np.flatnonzero(fold == 0)[0]] = 1e6
    after = nested(name, data, fold, 0)
    others = (fold == 0) & (data.X[0, :, 0] < 1e6)
    assert np.array_equal(before.probability[:, others], after.probability[:, others])
    assert np.array_equal(before.flagged[:, others], after.flagged[:, others])
    assert before.parameters[0] == after.parameters[0]


@pytest.mark.parametrize("name", ["linear_svm", "rbf_svm", "network"])
def test_the_seed_alone_decides(name):
    data = planted(n=120)
    first, again = (fit_detector(name, {}, data.X[0], data.positive, data.groups, 3) for _ in range(2))
    assert np.array_equal(probability_of(first, data.X[0]), probability_of(again, data.X[0]))


def test_inner_folds_of_the_calibration_split_no_group(monkeypatch):
    from sklearn.calibration import CalibratedClassifierCV

    seen = []
    plain = CalibratedClassifierCV.fit

    def fit(self, X, y, **options):
        seen.extend(self.cv)
        return plain(self, X, y, **options)

    monkeypatch.setattr(CalibratedClassifierCV, "fit", fit)
    groups = np.arange(120) // 3
    model = fit_detector("linear_svm", {}, *planted(n=120, groups=groups).stacked(), 0)
    assert len(seen) == 3
    assert all(not set(groups[train]) & set(groups[test]) for train, test in seen)
    assert model.get_params()["detector__cv"] is None  # the saved detector holds no rows


def test_calibrated_probabilities_are_about_as_high_as_errors_are_frequent():
    data, fresh = planted(n=1200, effect=1.0), planted(n=1200, effect=1.0, seed=9)
    model = fit_detector("linear_svm", {}, data.X[0], data.positive, data.groups, 0)
    assert probability_of(model, fresh.X[0]).mean() == pytest.approx(0.25, abs=0.05)


def test_the_best_signal_is_chosen_whichever_way_it_points():
    data = planted()
    data.X[0, :, 0] *= -1
    model = fit_detector("best_signal", {}, data.X[0], data.positive, data.groups, 0)
    assert model["signal"].get_support().tolist() == [True, False, False, False, False]
    assert separation(data.X[0], data.positive).argmax() == 0
    high = probability_of(model, data.X[0])
    assert high[data.positive].mean() > high[~data.positive].mean()


def test_parameters_are_those_of_the_best_inner_auroc(monkeypatch):
    monkeypatch.setitem(find_detector("logistic_regression").grid, "detector__C", (1e-9, 1.0))
    generator = np.random.default_rng(0)
    data = planted(n=400, effect=0.0)
    X = generator.normal(size=(400, 2)) @ np.array([[1, 1], [0, 0.05]])  # the tiny direction tells, if weights may grow
    X[data.positive] += [0.05, -0.05]
    chosen, _ = choose("logistic_regression", X, data.positive, data.groups, 0)
    assert chosen == {"detector__C": 1.0}


def test_the_threshold_is_that_of_the_highest_f1():
    positive = np.array([True, False, True, False, False])
    assert best_threshold(np.array([0.9, 0.8, 0.7, 0.2, 0.1]), positive) == 0.7


def test_a_part_of_the_rows_keeps_the_shares_of_the_classes():
    positive = np.arange(10_000) < 2_000
    rows = thin(positive, 1_000, seed=0)
    assert (len(rows), positive[rows].sum()) == (1_000, 200)
    assert np.array_equal(thin(positive, None, 0), np.arange(10_000))
    rare = np.arange(10_000) < 30
    assert rare[thin(rare, 1_000, 0)].sum() == 20


def test_an_unknown_detector_is_refused_by_name():
    with pytest.raises(UnknownName, match="unknown detector 'oracle'; known: best_signal, gradient_boosting"):
        find_detector("oracle")


def test_the_table_has_every_detector_arm_and_measure_with_intervals_and_goes_on_from_what_is_kept(tmp_path):
    data = planted(n=120, seeds=2)
    arms = {"label": ["label.loss"], "all": data.columns, "none": ["ood.energy"]}
    board = scoreboard({"error": data}, arms, draws=100, folder=tmp_path)
    assert len(board) == 2 * len(DETECTORS) * len(MEASURES)
    assert set(board["measure"]) == set(MEASURES) and set(board["arm"]) == {"label", "all"}
    assert (board["low"] <= board["value"]).all() and (board["value"] <= board["high"]).all()
    kept = sorted(tmp_path.glob("*.parquet"))
    assert len(kept) == 2 * len(DETECTORS)
    for path in kept:
        path.touch()
    again = scoreboard(
        {"error": planted(n=120, seed=5)}, {"label": ["label.loss"], "all": data.columns}, folder=tmp_path
    )
    assert again.equals(board)


def test_a_task_of_too_few_groups_stands_without_values():
    data = planted(n=40)
    few = np.where(data.positive, 0, data.groups)
    board = scoreboard({"error": planted(n=40, groups=few)}, {"all": data.columns}, draws=100)
    assert board["value"].isna().all() and len(board) == len(DETECTORS) * len(MEASURES)
    with pytest.raises(BadData):
        folds(data.positive, few, 0)
