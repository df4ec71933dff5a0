"""Measures, windows, verdicts and page of the memorization study on planted trainings: no model is trained."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax
from sklearn.metrics import roc_auc_score

from anomaly_mlflow.report.figures.memorization import curves_figure, histograms
from anomaly_mlflow.report.memorization_page import memorization_page
from anomaly_mlflow.studies.memorization_claims import memorization_report
from anomaly_mlflow.studies.memorization_measures import Training, measure_training
from anomaly_mlflow.studies.memorization_table import Cell, caught_table, curves_table, windows_table
from anomaly_mlflow.studies.resampled import Resampled, over_seeds

N, EPOCHS, CLASSES = 500, 15, 10
KEY = {"dataset": "digits", "model": "convnet", "reading": "all classes", "augmentation": "none"}


def planted(seed, lag=5.5, collapse=True):
    """Conflicting images are learnt `lag` epochs after clean ones, or, without a collapse, never."""
    rng = np.random.default_rng(seed)
    true = np.arange(N) % CLASSES
    conflicting = rng.permutation(N) < N // 5
    given = np.where(conflicting, (true + 1 + rng.integers(0, CLASSES - 1, N)) % CLASSES, true)
    when = 3 + rng.normal(0, 0.5, N) + np.where(conflicting, lag if collapse else 100, 0)
    sure = 8 / (1 + np.exp(-1.2 * (np.arange(EPOCHS)[:, None] - when)))
    logits = rng.normal(0, 0.3, (EPOCHS, N, CLASSES))
    logits[:, np.arange(N), given] += sure
    log_p = log_softmax(logits, axis=2)
    entropy, loss = -(np.exp(log_p) * log_p).sum(axis=2), -log_p[:, np.arange(N), given]
    test_right = rng.random((EPOCHS, 200)) < 0.9
    of_test = np.arange(200) % CLASSES, np.arange(200)
    return Training(entropy, loss, logits.argmax(axis=2), given, true, np.arange(N), test_right, *of_test)


def cell(seeds=2, key=KEY, draws=200, **how):
    made = [planted(seed, **how) for seed in range(seeds)]
    figures = over_seeds([measure_training(one, draws=draws, seed=seed) for seed, one in enumerate(made)])
    return Cell(key, figures, seeds, EPOCHS, N, N // 5, 200)


@pytest.fixture(scope="module")
def collapsing():
    return cell()


@pytest.fixture(scope="module")
def staying():
    return cell(key=KEY | {"augmentation": "auto"}, collapse=False)


def test_what_all_epochs_of_a_training_share_hides_no_spike_and_no_window():
    rng, epochs = np.random.default_rng(0), 4
    curves = {"memorized": (0.1, 0.1, 0.5, 0.6), "entropy_clean": (1.0,) * 4, "entropy_conflicting": (1.0, 1.2, 1.2, 1)}
    names = [f"{epoch}.{name}" for epoch in range(epochs) for name in curves]
    values = np.array([curves[name][epoch] for epoch in range(epochs) for name in curves])
    shared, own = rng.normal(0, 0.3, (300, 1)), rng.normal(0, 0.01, (300, len(names)))  # the seed's, the epoch's
    figures = Resampled(pd.Series(values, names), pd.DataFrame(values + shared + own, columns=names))
    one = Cell(KEY, figures, 3, epochs, N, N // 5, 200)
    assert one.spike == 2 and (one.window.start, one.window.end) == (1, 2)


def test_measures_are_those_of_numpy_and_scikit_learn():
    training = planted(0)
    found, wrong = measure_training(training, draws=100).value, training.conflicting
    for epoch in (0, 5, 14):
        hit = training.predicted[epoch] == training.given
        assert found[f"{epoch}.memorized"] == pytest.approx(hit[wrong].mean())
        assert found[f"{epoch}.corrected"] == pytest.approx((training.predicted[epoch] == training.true)[wrong].mean())
        assert found[f"{epoch}.entropy_clean"] == pytest.approx(training.entropy[epoch][~wrong].mean())
        assert found[f"{epoch}.entropy_conflicting"] == pytest.approx(training.entropy[epoch][wrong].mean())
        assert found[f"{epoch}.auroc_entropy"] == pytest.approx(roc_auc_score(wrong, training.entropy[epoch]))
        assert found[f"{epoch}.auroc_loss"] == pytest.approx(roc_auc_score(wrong, training.loss[epoch]))
        assert found[f"{epoch}.test_accuracy"] == pytest.approx(training.test_right[epoch].mean())
        top = np.argsort(-training.loss[epoch])[: N // 5 + 1]  # floor(.2 n) counted from 0
        assert found[f"{epoch}.precision_loss"] == pytest.approx(wrong[top].mean())
        assert found[f"{epoch}.recall_loss"] == pytest.approx(wrong[top].sum() / wrong.sum())


def test_a_planted_window_and_spike_are_found(collapsing):
    window = collapsing.window
    assert abs(window.start - 3) <= 1 and abs(window.end - 8) <= 1 and window.closed
    assert 7 <= collapsing.spike <= 9
    row = windows_table([collapsing]).iloc[0]
    aurocs = [collapsing.figures.value[f"{epoch}.auroc_loss"] for epoch in range(EPOCHS)]
    assert row["auroc_loss"] == max(aurocs) == aurocs[row["best_loss"] - 1]
    assert (row["start"], row["peak"], row["end"]) == (window.start + 1, window.peak + 1, window.end + 1)
    assert row["gap_low"] < row["gap"] < row["gap_high"] and row["closed"] == "yes"


def test_without_a_difference_there_is_no_window_and_without_a_collapse_no_end(staying):
    alike = cell(lag=0.0, seeds=1)
    assert alike.window is None and windows_table([alike]).iloc[0]["peak"] == "none"
    assert caught_table([alike]).empty
    assert staying.window.end == EPOCHS - 1 and not staying.window.closed


def verdicts(*cells, comparable=False):
    found = memorization_report(cells, comparable=comparable)
    return {(row.figure, "no augmentation" in row.why): row.verdict for row in found.itertuples()}


def test_the_directions_of_the_report_hold_where_they_are_planted(collapsing, staying):
    found = verdicts(collapsing, staying)
    for augmented in (False, True):
        assert found["clean below conflicting: gap of the mean entropies", augmented] == "yes"
    assert found["collapse without augmentation: entropy lost", True] == "yes"
    assert found["memorization without augmentation", True] == "yes"
    assert found["intervening at the peak: precision of the entropy gained", True] == "yes"
    assert found["augmentation holds memorization back", False] == "yes"


def test_they_fall_where_the_opposite_is_planted(collapsing):
    never = verdicts(cell(collapse=False))
    assert never["collapse without augmentation: entropy lost", True] == "no"
    assert never["memorization without augmentation", True] == "no"
    earlier = cell(lag=-2.0)
    assert verdicts(earlier)["clean below conflicting: gap of the mean entropies", True] == "no"
    turned = verdicts(collapsing, cell(key=KEY | {"augmentation": "auto"}))
    assert turned["augmentation holds memorization back", False] == "undecided"


def test_numbers_are_judged_on_the_reports_data_alone_and_two_classes_count_in_bits(collapsing, staying):
    figure = "epoch 13, mean entropy, conflicting, nats"
    assert verdicts(collapsing)[figure, True] == "undecided"
    assert verdicts(collapsing, comparable=True)[figure, True] == "yes"  # .033 [.032, .035], the report's .069
    assert verdicts(staying, comparable=True)["mean entropy, clean, nats", False] == "no"
    two = Cell(KEY | {"reading": "3 against 5"}, collapsing.figures, 2, EPOCHS, N, N // 5, 200)
    table = memorization_report([two, collapsing, staying], comparable=True).set_index("figure")
    bits = table.loc["epoch 6, mean entropy, conflicting, bits", "ours"]
    assert bits == pytest.approx(table.loc["epoch 6, mean entropy, conflicting, nats", "ours"] / np.log(2))
    assert list(table.columns) == ["report", "ours", "low", "high", "n", "verdict", "why"]
    assert table.loc["mean entropy, clean, nats", "report"] == 0.43
    assert "the end of the window" in table.loc["mean entropy, clean, nats", "why"]


def test_a_training_that_is_too_short_for_a_figure_leaves_it_open():
    one = measure_training(planted(0), draws=100)
    short = memorization_report([Cell(KEY, one, 1, 5, N, N // 5, 200)], comparable=True).set_index("figure")
    assert np.isnan(short.loc["epoch 6, mean entropy, clean, nats", "ours"])
    assert "ended before epoch 6" in short.loc["epoch 6, mean entropy, clean, nats", "why"]


def test_seeds_are_drawn_one_fewer_than_there_are_and_each_with_its_own_rows():
    values, draws = pd.Series({"a": 1.0}), 4000
    seeds = [
        Resampled(values + shift, pd.DataFrame({"a": 1.0 + shift + 0.1 * np.random.default_rng(k).normal(size=draws)}))
        for k, shift in enumerate((-1.0, 0.0, 1.0))
    ]
    found = over_seeds(seeds)
    assert found.value["a"] == pytest.approx(1.0)
    # two of three drawn: variance 2/3 / 2 between seeds; rows: .01 times the expected sum of squared weights, 2/3
    assert found.draws["a"].std() == pytest.approx(np.sqrt(1 / 3 + 0.01 * 2 / 3), rel=0.05)
    assert over_seeds(seeds[:1]).draws["a"].std() == pytest.approx(0.1, rel=0.05)


def test_tables_and_page_tell_every_epoch_and_refer_to_nothing_outside(collapsing, staying):
    cells = [collapsing, staying]
    curves, windows, caught = curves_table(cells), windows_table(cells), caught_table(cells)
    assert len(curves) == 2 * EPOCHS * 11 and set(curves["epoch"]) == set(range(1, 16))
    assert (curves["low"] <= curves["high"]).all()
    assert len(caught) == 2 * 4 * 3
    spread = planted(0)
    drawn = histograms([(one, spread.entropy[5], spread.entropy[-1], spread.conflicting) for one in cells])
    beside = memorization_report(cells, comparable=False)
    figures = (curves_figure(cells), drawn)
    page = memorization_page(cells, windows, caught, beside, curves, figures, {"seed": 0})
    assert "digits, convnet, all classes, without augmentation: epochs" in page
    assert re.search("by entropy [0-9]+ % of the flagged are wrong at the peak", page)
    assert not re.search("(src|href)=.?https?:", page)
    assert len(figures[0].axes) == 6 and len(drawn.axes) == 4
