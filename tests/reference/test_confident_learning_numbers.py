"""Confident learning against cleanlab, which the package never imports: thresholds, joint, flags; and by hand."""

import numpy as np
import pytest
from planted_outputs import outputs, random_outputs
from services import library
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.naive_bayes import GaussianNB

from anomaly_mlflow.cleaning import find_cleaner
from anomaly_mlflow.cleaning.confident_learning import FILTERS, label_issues
from anomaly_mlflow.errors import UnknownName
from anomaly_mlflow.signals.confident_counts import calibrated_joint, confident_thresholds, counted_joint

SHAPES = [{}, {"classes": 2}, {"sharpness": 3.0}, {"absent": (1, 4)}, {"rows": 60, "classes": 12}]
CASES = [(seed, shape) for seed in range(4) for shape in SHAPES]
random_case = pytest.mark.parametrize(("seed", "shape"), CASES, ids=str)


@pytest.fixture(scope="module")
def digits():
    """Digits with a tenth of the labels wrong, judged by models of other folds: one smooth, one overconfident."""
    images, labels = load_digits(return_X_y=True)
    images, rng = images[:900] / 16, np.random.default_rng(0)
    given = np.where(rng.random(900) < 0.1, rng.integers(0, 10, 900), labels[:900])
    models = {"logistic": LogisticRegression(C=0.02), "naive Bayes": GaussianNB(var_smoothing=1e-3)}
    return {
        name: (cross_val_predict(model, images, given, cv=3, method="predict_proba"), given)
        for name, model in models.items()
    }


def check_counts(p, labels):
    count = library("cleanlab.count")
    np.testing.assert_allclose(confident_thresholds(p, labels), count.get_confident_thresholds(labels, p), atol=1e-6)
    counted = count.compute_confident_joint(labels, p, calibrate=False)
    np.testing.assert_array_equal(counted_joint(p, labels), counted)
    joint = calibrated_joint(p, labels)
    np.testing.assert_array_equal(joint, count.compute_confident_joint(labels, p, calibrate=True))
    np.testing.assert_allclose(joint / joint.sum(), count.estimate_joint(labels, p), atol=1e-6)
    np.testing.assert_array_equal(joint.sum(axis=1), np.bincount(labels, minlength=p.shape[1]))


def check_flags(p, labels, filter_by):
    expected = library("cleanlab.filter").find_label_issues(labels, p, filter_by=filter_by, n_jobs=1)
    np.testing.assert_array_equal(label_issues(p, labels, filter_by), expected)
    return expected


@random_case
def test_thresholds_and_joint_are_cleanlabs_on_random_inputs(seed, shape):
    check_counts(*random_outputs(seed, **shape))


@random_case
@pytest.mark.parametrize("filter_by", FILTERS)
@pytest.mark.filterwarnings("ignore:May not flag all label issues")
def test_flags_are_cleanlabs_on_random_inputs(filter_by, seed, shape):
    expected = check_flags(*random_outputs(seed, **shape), filter_by)
    assert 0 < expected.sum() < len(expected)


@pytest.mark.parametrize("model", ["logistic", "naive Bayes"])
def test_thresholds_and_joint_are_cleanlabs_on_digits(digits, model):
    check_counts(*digits[model])


@pytest.mark.parametrize("model", ["logistic", "naive Bayes"])
@pytest.mark.parametrize("filter_by", FILTERS)
def test_flags_are_cleanlabs_on_digits(digits, model, filter_by):
    expected = check_flags(*digits[model], filter_by)
    assert 20 < expected.sum() < 300


@pytest.mark.parametrize("filter_by", FILTERS)
@pytest.mark.filterwarnings("ignore:May not flag all label issues")
def test_flags_are_cleanlabs_where_a_class_loses_all_its_rows_or_has_one(filter_by):
    # class 2: four rows that are all sure of others; class 3: one row
    p = np.full((24, 4), 0.02) + 0.9 * np.eye(4)[np.repeat([0, 1, 0, 1, 3], [10, 9, 2, 2, 1])]
    p += np.linspace(0, 0.01, 24)[:, None] * np.eye(4)[0]
    check_flags(p / p.sum(axis=1, keepdims=True), np.repeat([0, 1, 2, 3], [10, 9, 4, 1]), filter_by)


def test_all_seven_filters_are_there_and_another_is_told():
    assert set(FILTERS) == {
        *("prune_by_noise_rate", "prune_by_class", "both", "confident_learning", "predicted_neq_given"),
        *("low_self_confidence", "low_normalized_margin"),
    }
    with pytest.raises(UnknownName, match="unknown filter 'prune'; known: both, "):
        label_issues(*random_outputs(0), "prune")


def test_the_counted_and_the_calibrated_joint_by_hand():
    # thresholds 0.7 (.9 .9 .3) and 0.6 (.8 .8 .2): rows 2 and 5 are sure of the other class
    p = np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.2, 0.8], [0.2, 0.8], [0.8, 0.2], [0.5, 0.5]])
    labels = np.array([0, 0, 0, 1, 1, 1, 1])
    np.testing.assert_allclose(confident_thresholds(p, labels), [0.7, 2.3 / 4])
    np.testing.assert_array_equal(counted_joint(p, labels), [[2, 1], [1, 2]])
    # class 0: 3 rows of 3 counted; class 1: 4 rows of 3 counted, 4/3 and 8/3 round to 1 and 3
    np.testing.assert_array_equal(calibrated_joint(p, labels), [[2, 1], [1, 3]])
    for filter_by in FILTERS:
        np.testing.assert_array_equal(np.flatnonzero(label_issues(p, labels, filter_by)), [2, 5])


def test_the_cleaner_prunes_by_noise_rate_trusts_by_margin_and_writes_the_predicted_class():
    p, labels = random_outputs(0)
    found = find_cleaner("confident_learning")(outputs(p, labels))
    flagged = label_issues(p, labels)
    np.testing.assert_array_equal(found.kept, ~flagged)
    np.testing.assert_array_equal(found.labels, np.where(flagged, p.argmax(axis=1), labels))
    assert (found.trust[flagged] < 0.5).all()
    np.testing.assert_allclose(found.confidence, p[np.arange(len(p)), found.labels], atol=1e-9)
    quality = library("cleanlab.rank").get_label_quality_scores(labels, p, method="normalized_margin")
    np.testing.assert_allclose(found.trust, quality, atol=1e-6)
