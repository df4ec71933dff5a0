"""The pages of clean_labels and of the study of cleaners, from planted tables: one file, no outside address."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from anomaly_mlflow.cleaning.base import Cleaned
from anomaly_mlflow.cleaning.repair import repairs
from anomaly_mlflow.cleaning.repair_floor import left_alone
from anomaly_mlflow.report.cleaners_page import best_lines, cleaners_page
from anomaly_mlflow.report.cleaning_page import Cleaning, cleaning_page, gain_sentence, reasons_table
from anomaly_mlflow.report.figures.cleaners import cleaner_bars
from anomaly_mlflow.report.figures.cleaning import repair_confusion
from anomaly_mlflow.report.figures.repair_curve import wrong_labels
from anomaly_mlflow.studies.cleaner_measures import measure_cleaners
from anomaly_mlflow.studies.cleaner_table import cleaners_table, summarise, wide_table
from anomaly_mlflow.studies.cleaning_gain import accuracies, gains_table
from anomaly_mlflow.studies.repair_measures import measure_repairs

NAMES = ("small_loss", "confident_learning")


def cleaned_of(given, truth, rng):
    parts = {}
    for name in NAMES:
        labels = np.where(rng.random(len(given)) < 0.8, truth, given)
        parts[name] = Cleaned((labels == given) * 0.9, labels == given, labels, np.full(len(given), 0.8))
    return parts


@pytest.fixture(scope="module")
def cleaning(module_stripes):
    rng, truth = np.random.default_rng(0), module_stripes.labels
    given = np.where(rng.random(120) < 0.3, (truth + 1) % 3, truth)
    samples = replace(module_stripes, labels=given, classes=("left", "<b>middle</b>", "right"))
    cleaned = cleaned_of(given, truth, rng)
    frame = repairs(samples.sample_id, given, cleaned, probabilities=np.eye(3)[truth] * 0.8 + 0.2 / 3)
    ease = rng.random((2, 150))
    correct = {name: ease < at for name, at in {"given": 0.5, "cleaned": 0.7, "certain": 0.75, "oracle": 0.8}.items()}
    test = np.arange(150)
    gains = gains_table(accuracies(correct, test % 3, test, draws=100))
    measures = measure_repairs(frame, truth, samples.groups, draws=100)
    rows = np.arange(0, 120, 2)
    before, after = rng.normal(size=(2, 60, 5)) + 3 * np.eye(5)[truth[rows]]
    return Cleaning(samples, frame, gains, truth, measures, rows, before, after, 0.3)


def test_the_page_says_what_was_gained_changed_and_left_alone(cleaning):
    page = cleaning_page(cleaning, {"seed": 0})
    assert not re.search(r'(src|href)="?https?:', page) and "<script" not in page
    assert "<b>middle" not in page and page.count("data:image/png") >= 4
    for said in (
        "What it gained",
        "left alone",
        "one mechanism alone proposes it",
        "corrected",
        "points of test accuracy",
    ):
        assert said in page
    assert "Nothing is known here of the truth" not in page


def test_without_the_truth_the_page_says_so(cleaning):
    gains = cleaning.gains[cleaning.gains["trained on"] != "oracle"]
    page = cleaning_page(replace(cleaning, gains=gains, true_label=None, measures=None), {})
    assert "Nothing is known here of the truth" in page and "How right the changes are" not in page


def test_nothing_changed_is_no_error(cleaning):
    alone = repairs(cleaning.samples.sample_id, cleaning.samples.labels, cleaned_of_nothing(cleaning.samples.labels))
    page = cleaning_page(replace(cleaning, frame=alone), {})
    assert "No label was changed" in page and "0 of 120 labels were changed" in page


def cleaned_of_nothing(labels):
    sure = np.ones(len(labels))
    return {name: Cleaned(sure, sure > 0, labels, sure) for name in NAMES}


def test_counts_of_reasons_and_confusions_add_up(cleaning):
    table = reasons_table(cleaning.frame)
    assert table["labels"].sum() == 120 and table["share"].sum() == pytest.approx(1)
    assert table.loc[0, "what"] == "changed" and table.loc[0, "labels"] == cleaning.frame["repaired"].sum()
    drawn = repair_confusion(cleaning.frame, cleaning.samples.classes).axes[0]
    assert sum(int(text.get_text()) for text in drawn.texts) == cleaning.frame["repaired"].sum()


def test_the_sentence_holds_the_gain_its_interval_and_the_share(cleaning):
    said = gain_sentence(cleaning)
    one = cleaning.gains.set_index("trained on").loc["cleaned"]
    assert f"{100 * one['gain']:+.1f} points" in said and f"{one['share']:.0%} of what true labels gain" in said


def test_the_sentence_says_what_was_found_and_left_alone_for_the_floor(cleaning):
    alone = replace(cleaning, frame=left_alone(cleaning.frame), repairable=0.071)
    said = gain_sentence(alone)
    assert (
        "0 of 120 labels were changed" in said
        and "would have been changed: two" in said
        and "surely against 7.1%" in said
    )
    assert "Training on" not in said and "would have been changed" in cleaning_page(alone, {})
    assert "would have been changed" not in gain_sentence(cleaning)


def test_the_page_of_the_study_names_the_best_and_the_share_of_wrong_labels():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 300)
    results = []
    for noise, rate in (("symmetric 0.3", 0.3), ("clean", 0.0)):
        given = np.where(rng.random(300) < rate, (truth + 1) % 3, truth)
        cleaned = cleaned_of(given, truth, rng)
        found = measure_cleaners(cleaned, dict.fromkeys(NAMES, True), given, truth, np.arange(300), draws=100)
        facts = {"rate": float((given != truth).mean()), "rows": 300}
        results.append(summarise(noise, [found], [facts], [dict.fromkeys(NAMES, 0.5)]))
    table = cleaners_table(results)
    lines = wide_table(table)
    figure = cleaner_bars(table)
    assert len([axes for axes in figure.axes if axes.get_title(loc="left")]) == 1  # clean labels have no panel
    page = cleaners_page(results, table, lines, pd.DataFrame({"noise": ["clean"], "gain": [0.1]}), figure, {})
    assert "finds best" in page and "changes most labels" in page and not re.search(r'(src|href)="?https?:', page)
    assert len(best_lines(lines)) == 2


def test_the_figure_of_a_repair_draws_what_is_left_wrong_and_marks_what_was_asked_for():
    given = {"wrong_before": 0.4, "chosen": [False, True, False], "repair_confidence": [0.5, 0.95, 1.0]}
    after = {
        "wrong_after": [0.1, 0.2, 0.3],
        "wrong_after_low": [0.05, 0.15, 0.25],
        "wrong_after_high": [0.15, 0.25, 0.35],
    }
    after |= {name.replace("after", "certain"): values for name, values in after.items()}
    table = pd.concat([pd.DataFrame(given | after).assign(noise=name) for name in ("uniform", "clean")])
    panels = wrong_labels(table).axes
    assert [one.get_title(loc="left") or one.get_title() for one in panels] == ["uniform", "clean"]
    lines = {tuple(line.get_xdata()): line.get_ydata() for line in panels[0].get_lines()}
    assert list(lines[0.5, 0.95, 1.0]) == [0.1, 0.2, 0.3]
    assert any(set(xs) == {0.95} for xs in lines)
