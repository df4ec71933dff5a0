import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from anomaly_mlflow.detection.measures import auroc, auroc_of, difference_of, rates_of


@pytest.fixture
def scored():
    generator = np.random.default_rng(0)
    positive = generator.random(200) < 0.3
    return np.round(generator.normal(size=(3, 200)) + positive, 1), positive


def test_auroc_equals_scikit_learn_with_ties(scored):
    scores, positive = scored
    assert auroc(scores[0], positive) == pytest.approx(roc_auc_score(positive, scores[0]), abs=1e-12)


def test_auroc_by_hand_and_its_mirror():
    scores, positive = np.array([1.0, 2, 3, 4, 5, 6]), np.array([0, 0, 1, 0, 1, 1], bool)
    assert auroc(scores, positive) == pytest.approx(8 / 9)
    assert auroc(-scores, positive) == pytest.approx(1 / 9)


def test_auroc_of_constant_scores_is_one_half_and_of_one_class_is_nan():
    assert auroc(np.ones(6), np.arange(6) < 2) == 0.5
    assert np.isnan(auroc(np.ones(6), np.ones(6, bool)))


def test_weights_of_one_give_the_plain_auroc_of_every_seed(scored):
    scores, positive = scored
    measured = auroc_of(scores, positive)(np.ones((1, 200)))
    assert measured == pytest.approx(np.array([[auroc(row, positive) for row in scores]]), abs=1e-12)


def test_weights_count_rows_as_if_they_were_repeated(scored):
    scores, positive = scored
    weights = np.random.default_rng(1).integers(0, 4, 200)
    rows = np.repeat(np.arange(200), weights)
    expected = [[auroc(row[rows], positive[rows]) for row in scores]]
    assert auroc_of(scores, positive)(weights[None].astype(float)) == pytest.approx(np.array(expected), abs=1e-12)


def test_rates_equal_scikit_learn(scored):
    scores, positive = scored
    measured = rates_of(scores > 0.5, positive)(np.ones((1, 200)))[0]
    for row, rates in zip(scores, measured, strict=True):
        expected = precision_recall_fscore_support(positive, row > 0.5, average="binary")[:3]
        assert rates == pytest.approx(np.array(expected))


def test_rates_of_nothing_flagged_are_zero():
    assert rates_of(np.zeros((1, 4), bool), np.arange(4) < 2)(np.ones((1, 4))).tolist() == [[[0.0, 0.0, 0.0]]]


def test_a_measure_less_itself_is_zero(scored):
    scores, positive = scored
    measure = auroc_of(scores, positive)
    assert not difference_of(measure, measure)(np.ones((2, 200))).any()
