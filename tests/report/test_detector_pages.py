import numpy as np
import pandas as pd
import pytest
from planted_tasks import planted

from anomaly_mlflow.detection.champion import compare, refit
from anomaly_mlflow.detection.objective import put_aside
from anomaly_mlflow.detection.search_space import candidate, default_parameters, families_of
from anomaly_mlflow.detection.sweep import sweep
from anomaly_mlflow.report.figures.detectors import detector_plot, learning_curve_plot
from anomaly_mlflow.report.figures.trials import trial_figures
from anomaly_mlflow.report.model_card import model_card

TASKS, DETECTORS = ("error", "gross_vs_clean", "ood_vs_clean"), ("logistic_regression", "rbf_svm")


def board():
    rows = [(task, arm, name, "auroc", 0.8, 0.7, 0.9) for task in TASKS for arm in "ab" for name in DETECTORS]
    rows[0] = (*rows[0][:4], np.nan, np.nan, np.nan)
    return pd.DataFrame(rows, columns=["task", "arm", "detector", "measure", "value", "low", "high"])


def test_a_panel_a_task_and_a_line_a_detector():
    figure = detector_plot(board())
    shown = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title(loc="left") for axes in shown] == [
        "error: AUROC",
        "gross vs clean: AUROC",
        "ood vs clean: AUROC",
    ]
    assert [label.get_text() for label in shown[0].get_yticklabels()] == ["logistic regression", "rbf svm"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_curves_of_every_task_also_where_there_is_none():
    rows = [
        ("error", name, size, measure, 0.7, 0.6, 0.8)
        for name in DETECTORS
        for size in (10, 25)
        for measure in ("auroc", "f1")
    ]
    frame = pd.DataFrame(rows, columns=["task", "detector", "anomalies", "measure", "value", "low", "high"])
    left, right = learning_curve_plot(frame).axes
    assert len(left.lines) == len(right.lines) == 2 and left.lines[0].get_xdata().tolist() == [10, 25]
    assert learning_curve_plot(frame.iloc[:0]).axes


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    development, untouched = put_aside(planted(n=400, effect=1.5), 0)
    place = str(tmp_path_factory.mktemp("sweep") / "journal")
    study = sweep(development, place=place, name="s", trials=12, workers=1, on_trial=lambda *_: None)
    return development, untouched, study


def test_optunas_figures_leave_nothing_in_pyplot(searched):
    from matplotlib import pyplot

    figures = trial_figures(searched[2], seed=0)
    assert set(figures) == {"history", "parallel_coordinates", "importances"}
    assert not pyplot.get_fignums() and all(figure.axes for figure in figures.values())


def test_a_card_says_what_was_measured_and_the_verdict_follows_the_paired_interval(searched):
    development, untouched, study = searched
    chosen, data = candidate(study.best_params), development.data
    default = candidate(default_parameters(families_of(data.columns)))
    best = refit(chosen, data, 0)
    same = compare(best, best, untouched, draws=100)
    assert same.difference["f1"].value == 0 and same.verdict == "undecided"
    blind = refit(default, data.only(["image.blur"]), 0)
    better = compare(best, blind, untouched, draws=100)
    assert better.verdict == "improves" and better.difference["f1"].low > 0
    assert compare(blind, best, untouched, draws=100).verdict == "does not improve"
    card = model_card("detector-x", "error", chosen, better, {"data": "<img src=x>\n`# planted`"})
    assert "In F1 it improves over the default detector." in card
    assert "\n- data: `<img src=x> '# planted'`\n" in card, "a name is shown as it is, and is no markup"
    assert f"| f1 | {better.best['f1'].value:.3f} [" in card
