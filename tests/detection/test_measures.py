import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from anomaly_mlflow.detection.measures import auroc, auroc_of, difference_of, rates_of

ONE_FOLD = np.zeros(200, int)


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
    measured = auroc_of(scores, positive, ONE_FOLD)(np.ones((1, 200)))
    assert measured == pytest.approx(np.array([[auroc(row, positive) for row in scores]]), abs=1e-12)


def test_weights_count_rows_as_if_they_were_repeated(scored):
    scores, positive = scored
    weights = np.random.default_rng(1).integers(0, 4, 200)
    rows = np.repeat(np.arange(200), weights)
    expected = [[auroc(row[rows], positive[rows]) for row in scores]]
    assert auroc_of(scores, positive, ONE_FOLD)(weights[None].astype(float)) == pytest.approx(
        np.array(expected), abs=1e-12
    )


# Two folds on different scales. Fold 0: positives 3 and 5 against negatives 1 and 3; 3 > 1, 3 = 3, 5 > 1, 5 > 3: 3.5 of
# 4 pairs. Fold 1: positive 20 against negatives 10, 30 and 40: 1 of 3 pairs.
BY_HAND = np.array([[3.0, 5, 1, 3, 20, 10, 30, 40]])
BY_HAND_POSITIVE = np.array([1, 1, 0, 0, 1, 0, 0, 0], bool)
BY_HAND_FOLD = np.array([0, 0, 0, 0, 1, 1, 1, 1])


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([1, 1, 1, 1, 1, 1, 1, 1], 4.5 / 7),
        ([2, 0, 1, 3, 1, 2, 0, 1], (2 * 1 + 6 * 0.5 + 2) / (8 + 3)),
        ([1, 1, 1, 1, 0, 5, 5, 5], 3.5 / 4),
        ([0, 0, 1, 1, 3, 0, 1, 0], 0.0),
        ([1, 1, 0, 0, 0, 1, 1, 1], np.nan),
    ],
)
def test_only_pairs_of_the_same_fold_count_with_the_product_of_their_weights(weights, expected):
    measure = auroc_of(BY_HAND, BY_HAND_POSITIVE, BY_HAND_FOLD)
    assert measure(np.array([weights], float)) == pytest.approx(np.array([[expected]]), abs=1e-12, nan_ok=True)


def test_perfect_separation_within_folds_is_exactly_one_whatever_their_sizes_and_levels():
    generator = np.random.default_rng(0)
    fold = generator.choice(5, 300, p=[0.5, 0.3, 0.1, 0.05, 0.05])
    positive = generator.random(300) < np.array([0.1, 0.5, 0.9, 0.2, 0.5])[fold]
    scores = generator.random((2, 300)) + positive + 10 * fold
    weights = generator.integers(1, 4, (50, 300)).astype(float)
    assert (auroc_of(scores, positive, fold)(weights) == 1).all()
    assert auroc(scores[0], positive) < 0.9


def test_the_order_of_folds_counts_for_nothing_and_that_within_them_alone(scored):
    scores, positive = scored
    fold, weights = np.arange(200) % 5, np.random.default_rng(2).integers(0, 3, (20, 200)).astype(float)
    moved = np.where(fold == 2, np.exp(3 * scores), scores)
    before, after = (auroc_of(values, positive, fold)(weights) for values in (scores, moved))
    assert np.array_equal(before, after)
    assert np.array_equal(before, auroc_of(scores, positive, (fold * 7 + 3) % 11)(weights))


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
    measure = auroc_of(scores, positive, ONE_FOLD)
    assert not difference_of(measure, measure)(np.ones((2, 200))).any()
