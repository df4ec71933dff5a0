"""Decay curves of planted outputs: by hand, against scikit-learn, and the verdicts and page that follow."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax
from scipy.stats import entropy

from anomaly_mlflow.anomalies.graded_corruptions import GRADED, Corruption
from anomaly_mlflow.detection.calibration import top_label_error_of
from anomaly_mlflow.report.figures.decay import decay_figure, equal_figure
from anomaly_mlflow.report.robustness_page import robustness_page
from anomaly_mlflow.studies.decay import Decay, area, at_similarity, down_to, measure_decay, output_columns
from anomaly_mlflow.studies.decay_table import decay_table, equal_table, summary_table
from anomaly_mlflow.studies.robustness_claims import robustness_report

LABELS = np.repeat(np.arange(10), 60)
MANY = np.repeat(np.arange(10), 1000)
SIMILARITY = np.array([1.0, 0.8, 0.5])
NOISE, BLUR = (
    Corruption(name, (0, 1, 3), "units", GRADED[name].damage) for name in ("gaussian_noise", "gaussian_blur")
)


def outputs(shares, seed, labels=LABELS):
    """A frame of outputs in which so large a share of the rows is right at each level of noise and of blur."""
    n = len(labels)
    rng, columns = np.random.default_rng(seed), {"label": labels, "group": np.arange(n)}
    luck = rng.permutation(n) / n
    for corruption, of_levels in shares.items():
        for level, share in enumerate(of_levels):
            right = luck < share
            logits = rng.normal(0, 0.1, (n, 10))
            logits[np.arange(n), np.where(right, labels, (labels + 1) % 10)] += 4
            columns |= output_columns(f"{corruption}.{level}", log_softmax(logits, axis=1), labels)
    return pd.DataFrame(columns)


def decay(noise, blur, seeds=2, model="convnet", labels=LABELS):
    made = [outputs({"gaussian_noise": noise, "gaussian_blur": blur}, seed, labels) for seed in range(seeds)]
    figures = measure_decay(made, [NOISE, BLUR], draws=300)
    similarity = {"gaussian_noise": SIMILARITY, "gaussian_blur": np.array([1.0, 0.7, 0.4])}
    return Decay(model, figures, similarity, len(labels), seeds, {"trained on": "planted"})


@pytest.fixture(scope="module")
def steep_noise():
    return decay((0.9, 0.5, 0.2), (0.9, 0.85, 0.8))


def test_what_is_kept_of_a_pass_is_right_entropy_and_confidence():
    logits = np.random.default_rng(0).normal(size=(50, 10))
    kept = output_columns("x.1", log_softmax(logits, axis=1), LABELS[:50])
    probability = np.exp(log_softmax(logits, axis=1))
    assert np.array_equal(kept["x.1.right"], logits.argmax(axis=1) == LABELS[:50])
    assert kept["x.1.entropy"] == pytest.approx(entropy(probability, axis=1))
    assert kept["x.1.confidence"] == pytest.approx(probability.max(axis=1))


def test_values_are_means_over_rows_and_seeds_and_calibration_that_of_the_whole_probability():
    rng = np.random.default_rng(1)
    log_p = log_softmax(rng.normal(size=(2, 600, 10)), axis=2)
    frames = [
        pd.DataFrame({"label": LABELS, "group": np.arange(600)} | output_columns("gaussian_noise.0", one, LABELS))
        for one in log_p
    ]
    one_level = Corruption("gaussian_noise", (0,), "sigma", NOISE.damage)
    found = measure_decay(frames, [one_level], draws=100)
    expected = top_label_error_of(np.exp(log_p), LABELS)(np.ones((1, 600))).mean()
    assert found.value["gaussian_noise.0.calibration"] == pytest.approx(expected)
    assert found.value["gaussian_noise.0.accuracy"] == (log_p.argmax(axis=2) == LABELS).mean()
    assert found.value["gaussian_noise.0.entropy"] == pytest.approx(entropy(np.exp(log_p), axis=2).mean())
    ends = found.interval("gaussian_noise.0.accuracy")
    assert ends.low < ends.value < ends.high and ends.high - ends.low < 0.1


def test_area_and_values_between_two_levels_are_those_computed_by_hand():
    figures = pd.DataFrame([{f"gaussian_noise.{level}.accuracy": value for level, value in enumerate((0.9, 0.7, 0.1))}])
    assert area(figures, NOISE) == pytest.approx((0.8 * 1 + 0.4 * 2) / 3)  # severities 0, 1, 3
    for wanted, expected in ((1, 0.9), (0.9, 0.8), (0.8, 0.7), (0.65, 0.4), (0.5, 0.1)):
        assert at_similarity(figures, NOISE, SIMILARITY, wanted) == pytest.approx(expected)
    assert np.isnan(at_similarity(figures, NOISE, SIMILARITY, 0.49)).all()
    assert down_to(figures, NOISE, SIMILARITY, 0.8) == pytest.approx(0.8)
    assert down_to(figures, NOISE, SIMILARITY, 0.5) == pytest.approx((0.8 * 0.2 + 0.4 * 0.3) / 0.5, abs=1e-3)


def verdicts(one, comparable=True):
    found = robustness_report([one], [NOISE, BLUR], comparable=comparable)
    return dict(zip(found["figure"], found["verdict"], strict=True))


def test_the_report_is_reproduced_where_its_numbers_and_directions_are_planted():
    assert verdicts(decay((0.85, 0.5, 0.2), (0.85, 0.8, 0.7), seeds=1, labels=MANY)) == {
        "baseline accuracy": "yes",
        "accuracy falls under gaussian_noise": "yes",
        "accuracy falls under gaussian_blur": "yes",
        "noise costs more than blur at equal SSIM": "yes",
    }


def test_other_figures_are_not_reproduced_and_other_data_say_nothing_of_a_number(steep_noise):
    assert verdicts(steep_noise)["baseline accuracy"] == "no"
    assert verdicts(steep_noise, comparable=False)["baseline accuracy"] == "undecided"
    turned = verdicts(decay((0.9, 0.88, 0.86), (0.9, 0.5, 0.2)))
    assert turned["noise costs more than blur at equal SSIM"] == "no"
    level = verdicts(decay((0.9, 0.9, 0.9), (0.9, 0.9, 0.9)))
    assert level["accuracy falls under gaussian_noise"] == "undecided"


def test_a_registered_model_is_no_baseline():
    assert "baseline accuracy" not in verdicts(decay((0.85, 0.5, 0.2), (0.85, 0.8, 0.7), model="models:/noisy/1"))


def test_the_table_beside_the_report_has_the_columns_that_all_studies_share(steep_noise):
    found = robustness_report([steep_noise], [NOISE, BLUR], comparable=False)
    assert list(found.columns) == ["figure", "report", "ours", "low", "high", "n", "verdict", "why"]
    assert (
        (found["n"] == 600).all() and (found["low"] <= found["ours"]).all() and (found["ours"] <= found["high"]).all()
    )
    assert found["why"].str.contains("planted").all()


def test_tables_have_every_point_and_a_rise_within_noise_is_told_from_a_real_one(steep_noise):
    points = decay_table([steep_noise], [NOISE, BLUR])
    assert len(points) == 2 * 3 * 3 and not points.duplicated(["corruption", "severity", "measure"]).any()
    summary = summary_table([steep_noise], [NOISE, BLUR]).set_index("corruption")
    assert (summary["rise"] < 0).all() and (summary["rise_low"] < 0).all()
    rising = summary_table([decay((0.5, 0.9, 0.4), (0.9, 0.85, 0.8))], [NOISE, BLUR]).set_index("corruption")
    assert rising.loc["gaussian_noise", "rise_low"] > 0 > rising.loc["gaussian_blur", "rise_low"]
    equal = equal_table([steep_noise], [NOISE, BLUR])
    assert set(equal.loc[equal["corruption"] == "gaussian_noise", "similarity"]) == {0.95, 0.9, 0.8, 0.7, 0.6, 0.5}
    clean = steep_noise.figures.value["gaussian_noise.0.accuracy"]
    assert equal["lost"].to_numpy() == pytest.approx((clean - equal["value"]).to_numpy())


def test_the_page_begins_with_the_report_and_refers_to_nothing_outside(steep_noise):
    models = [steep_noise, decay((0.8, 0.6, 0.5), (0.8, 0.7, 0.6), model="models:/noisy-digits-vit/3")]
    points, summary, equal = (table(models, [NOISE, BLUR]) for table in (decay_table, summary_table, equal_table))
    beside = robustness_report(models, [NOISE, BLUR], comparable=False)
    page = robustness_page(points, summary, equal, beside, {"seed": 0})
    assert re.search("Of 7 figures and directions of the report, [0-9]+ are reproduced", page)
    assert "at a mean SSIM of 0.5 the points of accuracy lost are gaussian noise" in page
    assert not re.search("(src|href)=.?https?:", page)
    assert len(decay_figure(points).axes) == 6 and len(equal_figure(points).axes) == 2
