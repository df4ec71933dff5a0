import numpy as np
import pytest
from sklearn.metrics import f1_score

from anomaly_mlflow.detection.calls import abstention_threshold, call, call_factors, risk_coverage
from anomaly_mlflow.detection.type_measures import f1_of, macro_f1_of, source_f1_of, source_recall_of


def rare(n=2000):
    """A rare class that is never the most probable one, though its probabilities are right."""
    generator = np.random.default_rng(0)
    p = np.where(generator.random(n) < 0.2, 0.4, 0.02)
    return np.stack([1 - p, p], axis=1), (generator.random(n) < p).astype(int)


def test_factors_find_a_rare_class_that_is_never_the_most_probable():
    p, codes = rare()
    called = call(p, call_factors(p, codes))
    assert not call(p, np.ones(2)).any()
    assert np.array_equal(called == 1, p[:, 1] == 0.4)


def test_f1_is_that_of_scikit_learn_and_weights_count_as_copies():
    generator = np.random.default_rng(1)
    codes, called = generator.integers(0, 3, 60), generator.integers(0, 3, (2, 60))
    weights = generator.integers(0, 3, 60)
    found = f1_of(called, codes, 4)(np.stack([np.ones(60), weights]))
    for seed in range(2):
        plain = f1_score(codes, called[seed], average=None, labels=range(4), zero_division=0)
        copies = f1_score(codes.repeat(weights), called[seed].repeat(weights), average=None, labels=range(3))
        assert found[0, seed] == pytest.approx(plain)
        assert found[1, seed, :3] == pytest.approx(copies)
    assert macro_f1_of(called, codes, 4)(np.ones((1, 60)))[0] == pytest.approx(found[0, :, :3].mean(axis=1))


def test_false_alarms_are_shared_out_over_the_sources():
    # 4 strangers, 2 of them of this source and both found, 1 of the others; 3 false alarms: 1.5 are this source's.
    of_type = np.array([1, 1, 1, 1, 0, 0, 0, 0], bool)
    of_source = np.array([1, 1, 0, 0, 0, 0, 0, 0], bool)
    called = np.array([[1, 1, 1, 0, 1, 1, 1, 0]], bool)
    assert source_f1_of(called, of_source, of_type)(np.ones((1, 8))) == pytest.approx(2 * 2 / (2 + 1.5 + 2))
    assert source_recall_of(called, of_source)(np.ones((1, 8))) == pytest.approx(1)


def test_the_threshold_is_the_lowest_that_keeps_eight_of_ten_right():
    probability, right = np.linspace(0.9, 0.1, 9), np.array([1, 1, 1, 1, 0, 0, 0, 0, 0], bool)
    called, codes = np.ones(9, int), right.astype(int)
    assert abstention_threshold(probability, called, codes) == pytest.approx(0.5)  # four of five
    assert abstention_threshold(probability, called, np.zeros(9, int)) == 1.0


def test_calls_of_clean_do_not_move_the_threshold():
    probability, called = np.array([0.9, 0.8, 0.99, 0.98]), np.array([1, 1, 0, 0])
    assert abstention_threshold(probability, called, np.array([1, 1, 1, 1])) == pytest.approx(0.8)


def test_risk_counts_the_wrong_among_the_kept():
    curve = risk_coverage(np.array([0.2, 0.9, 0.5, 0.5]), np.array([False, True, False, True]))
    assert curve["threshold"].tolist() == [0.9, 0.5, 0.2]
    assert curve["coverage"].tolist() == pytest.approx([0.25, 0.75, 1])
    assert curve["risk"].tolist() == pytest.approx([0, 1 / 3, 1 / 2])
